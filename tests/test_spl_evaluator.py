"""The evaluator of SPL on tables of queries and events, each from a page of Splunk's documentation or a known trap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.spl import Query, SplError, UnsettledError, parse

FOLDER = Path(__file__).parent / "spl"
KEYS = {"id", "source", "query", "macros", "folding", "match", "miss", "unsettled", "fault", "error", "decided_by"}

Row = dict[str, str | list[str]]


def cases() -> list[dict[str, Any]]:
    """The cases of all tables."""
    found = [case for path in sorted(FOLDER.glob("*.yml")) for case in yaml.safe_load(path.read_bytes())]
    for case in found:
        assert set(case) <= KEYS, case
        assert case["source"], case
        assert ("error" in case) != bool({"match", "miss", "unsettled"} & set(case)), case["id"]
    assert len({case["id"] for case in found}) == len(found)
    return found


ALL = cases()
REFUSED = [case for case in ALL if "error" in case]
#: (case, what is said of the event, the event)
PAIRS = [
    pytest.param(case, said, event, id=f"{case['id']}-{said}-{number}")
    for case in ALL
    for said in ("match", "miss", "unsettled", "fault")
    for number, event in enumerate(case.get(said, []))
]
ANSWERS = {"match": True, "miss": False, "unsettled": "unsettled", "fault": "fault"}


def query_of(case: dict[str, Any]) -> Query:
    """A case's query, parsed."""
    return parse(case["query"], case.get("macros", {}), case.get("folding", "simple"))


def row_of(event: dict[str, Any]) -> Row:
    """An event; numbers are written bare in the tables."""
    return {
        name: [str(one) for one in value] if isinstance(value, list) else str(value) for name, value in event.items()
    }


def answer(query: Query, event: Row) -> bool | str:
    """What the evaluator says of an event."""
    try:
        return query.matches(event)
    except UnsettledError:
        return "unsettled"
    except SplError:
        return "fault"


@pytest.mark.parametrize(("case", "said", "event"), PAIRS)
def test_events(case: dict[str, Any], said: str, event: dict[str, Any]) -> None:
    assert answer(query_of(case), row_of(event)) == ANSWERS[said], case["query"]


@pytest.mark.parametrize("case", REFUSED, ids=[case["id"] for case in REFUSED])
def test_refused_with_a_reason(case: dict[str, Any]) -> None:
    with pytest.raises(SplError) as caught:
        query_of(case)
    assert case["error"] in str(caught.value)


@pytest.mark.parametrize("case", [case for case in ALL if "error" not in case], ids=lambda case: case["id"])
def test_what_decides(case: dict[str, Any]) -> None:
    assert query_of(case).decided_by == case.get("decided_by", "")


def test_blanks_and_parentheses_change_nothing() -> None:
    """Every query between parentheses, with other blanks, says the same."""
    changed = 0
    for case in ALL:
        if "error" in case or "|" in case["query"] or case["query"].startswith("search"):
            continue
        other = parse(f" \n( {case['query']}\t) ", case.get("macros", {}), case.get("folding", "simple"))
        for said in ("match", "miss", "unsettled"):
            for event in case.get(said, []):
                assert answer(other, row_of(event)) == ANSWERS[said], (case["id"], event)
                changed += 1
    assert changed > 150
