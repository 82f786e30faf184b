"""The evaluator of SPL on tables of queries and events, each from a page of Splunk's documentation or a known trap."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

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


SIGNS = 'ab \\"|('


@given(st.text(SIGNS + "*", min_size=1), st.text(SIGNS, min_size=1))
def test_wildcards_are_any_text(pattern: str, value: str) -> None:
    """Values and patterns full of what is escaped, against an expression."""
    written = re.sub(r'[\\"]', r"\\\g<0>", pattern)
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value, re.DOTALL) is not None
    assert parse(f'F="{written}"').matches({"F": value}) == expected
    assert parse(f'NOT F="{written}"').matches({"F": value}) != expected
    assert parse(f'F IN ("{written}")').matches({"F": [value, ""]}) == expected


#: Operands with what Python says of them for the names in an event.
OPERANDS = ["a", "b", "c"]
BOOLEANS = st.recursive(
    st.sampled_from(OPERANDS),
    lambda inner: st.one_of(
        inner.map(lambda one: ("not", one)), st.tuples(st.sampled_from(["and", "or"]), inner, inner)
    ),
    max_leaves=8,
)


def truth(expression: Any, names: set[str]) -> bool:
    """What an expression says where these names are present."""
    if isinstance(expression, str):
        return expression in names
    answers = [truth(part, names) for part in expression[1:]]
    return {"not": not answers[0], "and": all(answers), "or": any(answers)}[expression[0]]


def spelled(expression: Any, order: tuple[str, str], operand: str, above: str = "") -> str:
    """The expression with as few parentheses as the order of its operators allows (``order``: loosest first)."""
    if isinstance(expression, str):
        return operand.format(expression)
    operator, *parts = expression
    if operator == "not":
        return f"NOT {spelled(parts[0], order, operand, 'not')}"
    text = f" {operator.upper()} ".join(spelled(part, order, operand, operator) for part in parts)
    tighter = above == "not" or (above == order[1] and operator == order[0])
    return f"({text})" if tighter else text


@given(BOOLEANS, st.sets(st.sampled_from(OPERANDS)))
def test_order_of_operators(expression: Any, names: set[str]) -> None:
    """search: NOT, OR, AND; where: NOT, AND, OR."""
    event: Row = dict.fromkeys(names, "x")
    expected = truth(expression, names)
    assert parse(spelled(expression, ("and", "or"), "{}=*")).matches(event) == expected
    assert parse("* | where " + spelled(expression, ("or", "and"), "isnotnull({})")).matches(event) == expected
