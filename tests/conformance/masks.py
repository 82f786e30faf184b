"""What the oracle is known to answer otherwise, each with a reason that a difference either has or has not.

A difference that no mask excuses fails the comparison; so does a mask that excuses nothing any more. Facts about
pySigma and its SQLite backend are from their source, versions as pinned in ``requirements-conformance.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from typing import Any, NamedTuple

from tests.support.rulefacts import Entry, rule_entries


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
    def holds(entry: Entry, value: str) -> bool:
        return not value and "" in entry.values and not _ANCHORS & set(entry.modifiers)

    return found.some(holds)


_COMPARED: dict[str, Callable[[Any, Any], bool]] = {"lt": lt, "lte": le, "gt": gt, "gte": ge}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_PARTS = {"minute", "hour", "day", "week", "month", "year"}
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{2}:[0-9]{2}:[0-9]{2})?")
_ANCHORS = {"contains", "startswith", "endswith"}
_QUAD = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")


def _cidr(found: Difference) -> bool:
    def holds(entry: Entry, value: str) -> bool:
        return "cidr" in entry.modifiers and (
            not _QUAD.fullmatch(value) or any(":" in network for network in entry.texts)
        )

    return found.some(holds)


def _beyond_ascii(found: Difference) -> bool:
    def holds(entry: Entry, value: str) -> bool:
        if {"cased", "re"} & set(entry.modifiers):
            return False
        # Keywords search the whole event.
        texts = [value, *entry.texts, *(map(str, found.event.values()) if not entry.field else ())]
        return any(not text.isascii() and text.swapcase() != text for text in texts)

    return found.some(holds)


def _float(value: str) -> float | None:
    return float(value) if _NUMBER.fullmatch(value) else None


def _comparison(found: Difference) -> bool:
    def holds(entry: Entry, value: str) -> bool:
        number = _float(value)
        return value != "" and any(
            compare(value, str(wanted)) != (number is not None and compare(number, wanted))
            for name, compare in _COMPARED.items()
            if name in entry.modifiers
            for wanted in entry.values
        )

    return found.some(holds)


def _number(found: Difference) -> bool:
    def holds(entry: Entry, value: str) -> bool:
        numbers = [one for one in entry.values if isinstance(one, (int, float)) and not isinstance(one, bool)]
        return not entry.modifiers and _float(value) in numbers and value not in map(str, numbers)

    return found.some(holds)


def _boolean(found: Difference) -> bool:
    return found.some(
        lambda entry, value: (value == "1" and True in entry.values) or (value == "0" and False in entry.values)
    )


def _loose_time(found: Difference) -> bool:
    def holds(entry: Entry, value: str) -> bool:
        return bool(_PARTS & set(entry.modifiers)) and not _TIME.fullmatch(value)

    return found.some(holds)


def _week(found: Difference) -> bool:
    return found.some(lambda entry, value: "week" in entry.modifiers and value != "")


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
COMPARISON = Mask(
    "comparison",
    "row 15: numbers are compared, and what is none is false; SQLite compares texts ('9' > '10'), for the columns hold"
    " text",
    _comparison,
)
NUMBER = Mask(
    "number",
    "row 4: a number equals text that parses to the same number (10, 10.0, 1e1); SQLite compares it as text",
    _number,
)
BOOLEAN = Mask(
    "boolean", "row 4: booleans are the texts true and false; the oracle takes 1 and 0 for them too", _boolean
)
LOOSE_TIME = Mask(
    "loose-time",
    "row 16: ISO 8601 or an epoch; SQLite takes a Julian day, a time without a date, and parts without a separator, and"
    " converts time zones",
    _loose_time,
)
WEEK = Mask("week", "row 16: weeks are those of ISO 8601; SQLite counts from the year's first Monday", _week)

#: Over real events.
REAL = [ANTIVIRUS, EMPTY_TEXT]
#: Over events made from the rules' values.
DERIVED = [EMPTY_TEXT, CIDR, BEYOND_ASCII]
#: Over random rules and events made from their values.
RANDOM = [EMPTY_TEXT, CIDR, BEYOND_ASCII, COMPARISON, NUMBER, BOOLEAN, LOOSE_TIME, WEEK]
