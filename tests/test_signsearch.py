"""Events in which no keyword can be are passed over, and no others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaengine import signsearch
from sigmaengine.fields import Columns
from sigmaengine.matcher import Matcher
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import read_rule
from sigmaengine.ruleset import from_rules

NOWHERE = RoutingTable({"keys": {}, "alternatives": []})
FEW = ["mimikatz", "kiwi.legit", "sekurlsa::x"]
#: More than are looked for in whole events.
MANY = [*FEW, *(f"needle{number:02}" for number in range(signsearch._FEW + 5))]  # noqa: SLF001 - so that it stays so


def matcher(keywords: list[str]) -> Matcher:
    """One rule that looks for keywords in any event."""
    rule, findings = read_rule(
        {
            "id": "00000000-0000-0000-0000-000000000000",
            "title": "t",
            "logsource": {},
            "detection": {"k": keywords, "condition": "k"},
        }
    )
    assert rule is not None, findings
    return Matcher(from_rules([rule], NOWHERE))


def answers(found: Matcher, event: dict[str, Any]) -> tuple[bool, bool]:
    """Whether an event matches: as the engine says, as the plain evaluator says."""
    columns, cells = Columns(list(event)), list(event.values())
    return bool(found.match(columns, cells)), bool(found.match_plainly(columns, cells))


EVENTS = {
    "plain": ("x mimikatz y", True),
    "other-case": ("x MimiKatz y", True),
    "kelvin-sign": ("x mimi\u212aatz y", True),
    "long-s": ("x \u017fekurlsa::x y", True),
    "named-entity": ("<E><D>a&amp;mimikatz</D></E>", True),
    "decimal-entity": ("<E><D>mimi&#107;atz</D></E>", True),
    "hexadecimal-entity": ("<E><D>mimi&#x4B;atz</D></E>", True),
    "kelvin-sign-as-an-entity": ("<E><D>mimi&#x212A;atz</D></E>", True),
    "json": ('{"a": "b", "c": "mimikatz"}', True),
    "json-key": ('{"a": "b", "mimikatz": "c"}', True),
    "across-elements": ("<E><D>mimi</D><D>katz</D></E>", False),
    "across-quotes": ('{"a": "mimi", "b": "katz"}', False),
    "dot-is-a-dot": ("x kiwi legit y", False),
    "beyond-ascii": ("<E><D>\u00e4\u00f6\u00fc \u20ac</D></E>", False),
    "nothing": ("<E><D>x</D></E>", False),
}


@pytest.mark.parametrize("keywords", [FEW, MANY], ids=["few-signs", "many-signs"])
@pytest.mark.parametrize("name", EVENTS)
def test_events(name: str, keywords: list[str]) -> None:
    raw, matches = EVENTS[name]
    found = matcher(keywords)
    for _ in range(2):  # the second time from memory
        assert answers(found, {"_raw": raw, "a": "b"}) == (matches, matches)


@pytest.mark.parametrize("keywords", [FEW, MANY], ids=["few-signs", "many-signs"])
def test_without_raw_the_fields_are_searched(keywords: list[str]) -> None:
    found = matcher(keywords)
    assert answers(found, {"a": "x mimikatz"}) == (True, True)
    assert answers(found, {"a": "x mimikatz", "_raw": ""}) == (True, True)
    assert answers(found, {"a": "x mimikatz", "_raw": "y"}) == (False, False)


WORDS = ["mimi", "katz", "kiwi", ".", "legit", "needle", "07", "::", "x", "\u212a"]
MARKS = ["<D>", "</D>", '"', "&amp;", "&#107;", "&#x4B;"]


@given(
    st.lists(st.lists(st.sampled_from([*WORDS, *MARKS]), max_size=8).map("".join), min_size=1, max_size=6),
    st.booleans(),
)
def test_any_text(raws: list[str], many: bool) -> None:
    found = matcher(MANY if many else FEW)
    for raw in raws:
        for form in (raw, f"<E>{raw}</E>", json.dumps({"a": raw})):
            fast, plain = answers(found, {"_raw": form, "a": "b"})
            assert fast == plain


def test_memory_of_pieces_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signsearch, "_ROOM", 1000)
    search = signsearch.SignSearch(MANY)
    for number in range(500):
        assert search.is_clear(f"<E><D>{number}</D></E>", str.encode)
        assert len(search._clear) < 20  # noqa: SLF001
    assert not search.is_clear("<E><D>mimikatz</D></E>", str.encode)
