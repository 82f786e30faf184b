"""What the oracle is known to answer otherwise: ``masks.yml``, and whether a difference has such a reason.

A difference that no mask excuses fails the comparison; so does a mask that excuses nothing any more. Facts about
pySigma and its SQLite backend are from their source, versions as pinned in ``requirements-conformance.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from pathlib import Path
from typing import Any, NamedTuple

from sigmaengine.ruletext import read_documents
from tests.support.rulefacts import Entry, rule_entries

FILE = Path(__file__).parent / "masks.yml"


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


def _across_fields(found: Difference) -> bool:
    return not found.event.get("_raw") and found.some(
        lambda entry, _: not entry.field and any("?" in text or "*" in text for text in entry.texts)
    )


_EXCUSES: dict[str, Callable[[Difference], bool]] = {
    "antivirus": _antivirus,
    "empty-text": _empty_text,
    "cidr": _cidr,
    "beyond-ascii": _beyond_ascii,
    "comparison": _comparison,
    "number": _number,
    "boolean": _boolean,
    "loose-time": _loose_time,
    "week": _week,
    "keyword-across-fields": _across_fields,
}


def _masks(over: str) -> list[Mask]:
    (table,) = read_documents(FILE.read_bytes())
    assert [entry["name"] for entry in table] == list(_EXCUSES)
    return [Mask(entry["name"], entry["reason"], _EXCUSES[entry["name"]]) for entry in table if over in entry["over"]]


#: Over real events, over events made from the rules' values, over random rules and events made from their values.
REAL, DERIVED, RANDOM = _masks("real"), _masks("derived"), _masks("random")
