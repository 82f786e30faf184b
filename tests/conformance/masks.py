"""What the oracle is known to answer otherwise, each with a reason that a difference either has or has not.

A difference that no mask excuses fails the comparison; so does a mask that excuses nothing any more. Facts about
pySigma and its SQLite backend are from their source, versions as pinned in ``requirements-conformance.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .rulefacts import Entry, rule_entries


class Difference(NamedTuple):
    """A rule and an event on which the two engines disagree."""

    rule: Mapping[str, Any]
    event: Mapping[str, Any]
    #: True if we say that the rule matches and the oracle says that it does not.
    ours: bool

    def some(self, holds: Callable[[Entry, str], bool]) -> bool:
        """True if it holds for an item of the rule and the event's value of its field (empty without one)."""
        return any(holds(entry, str(self.event.get(entry.field, ""))) for entry in rule_entries(self.rule))


class Mask(NamedTuple):
    """Why a difference is no fault of ours."""

    name: str
    #: What the oracle does, and what is right by which row of the checklist.
    reason: str
    excuses: Callable[[Difference], bool]


#: Windows Defender's detections: what the mapping takes ``category: antivirus`` to be on Windows.
_DEFENDER = {"1006", "1007", "1008", "1009", "1010", "1011", "1012", "1015", "1017", "1018", "1019", "1115", "1116"}
_DEFENDER |= {"1117", "1118", "1119"}


def _antivirus(found: Difference) -> bool:
    return (
        found.ours
        and found.rule.get("logsource") == {"category": "antivirus"}
        and found.event["Channel"] == "Microsoft-Windows-Windows Defender/Operational"
        and found.event["EventCode"] in _DEFENDER
    )


def _empty_text(found: Difference) -> bool:
    return found.some(lambda entry, value: not value and not entry.modifiers and "" in entry.values)


_QUAD = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")


def _cidr(found: Difference) -> bool:
    def holds(entry: Entry, value: str) -> bool:
        return "cidr" in entry.modifiers and (
            not _QUAD.fullmatch(value) or any(":" in network for network in entry.texts)
        )

    return found.some(holds)


def _beyond_ascii(found: Difference) -> bool:
    def holds(entry: Entry, value: str) -> bool:
        # Keywords search the whole event.
        texts = [value, *entry.texts, *(map(str, found.event.values()) if not entry.field else ())]
        return any(not text.isascii() and text.swapcase() != text for text in texts)

    return found.some(holds)


ANTIVIRUS = Mask(
    "antivirus",
    "row 23: the oracle's table of log sources has no category antivirus; ours says that the detections in Windows"
    " Defender's log are of it, under the field names of these rules",
    _antivirus,
)
EMPTY_TEXT = Mask(
    "empty-text",
    "row 5: '' is no value, as null is, since Splunk cannot tell; the oracle compares an absent field (NULL) with"
    " an empty text, which is never true",
    _empty_text,
)
CIDR = Mask(
    "cidr",
    "row 17: the oracle writes a network as beginnings of text (10.*), so that garbage behind them is inside and most"
    " spellings of an IPv6 address are not",
    _cidr,
)
BEYOND_ASCII = Mask(
    "beyond-ascii",
    "row 1: case is folded over Unicode; SQLite's LIKE and NOCASE know the 26 letters of ASCII",
    _beyond_ascii,
)

#: Over real events.
REAL = [ANTIVIRUS, EMPTY_TEXT]
#: Over events made from the rules' values.
DERIVED = [EMPTY_TEXT, CIDR, BEYOND_ASCII]
