"""What the checks say of a rule's logic holds: against the engine's own matching, for rules made at random."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.attack import read_attack
from builder.lint.logic import check_logic
from builder.lint.relations import Cover, excludes, implies
from builder.lint.subject import Knowledge, Subject
from builder.lint.values import check_values
from sigmaengine.modifiers import read_chain, value_tests
from sigmaengine.plain import PlainRule
from sigmaengine.predicates import compile_test
from sigmaengine.problems import Problem
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule, read_rule

# Few letters, so that values meet often; the dashes and the case matter to some chains.
PATTERNS = st.text(alphabet="aAb-*?", min_size=1, max_size=3)
NUMBERS = st.integers(0, 3)
CHAINS = ["", "contains", "startswith", "endswith", "cased", "contains|cased", "windash", "windash|contains"]


@st.composite
def any_test(draw: st.DrawFn) -> Any:
    """A test of text, of a number or of a range."""
    kind = draw(st.sampled_from(["text", "number", "range"]))
    if kind == "text":
        chain, value = draw(st.sampled_from(CHAINS)), draw(PATTERNS)
    else:
        chain, value = ("" if kind == "number" else draw(st.sampled_from(["lt", "lte", "gt", "gte"]))), draw(NUMBERS)
    (test,) = value_tests(value, read_chain(chain.split("|") if chain else [], ()), {}, ())
    return test


#: Every text of up to three of these letters, numbers, and dashes of other kinds.
VALUES = ["".join(letters) for length in (1, 2, 3) for letters in product("aAb-", repeat=length)]
VALUES += ["0", "1", "1.0", "02", "3", "/a", "\u2013b", "aabb", "abab", "a-ba"]


@given(any_test(), any_test())
@settings(max_examples=1500, deadline=None)
def test_relations_of_tests_hold_for_every_value(one: Any, other: Any) -> None:
    first, second = compile_test(one), compile_test(other)
    if implies(one, other):
        assert [value for value in VALUES if first(value) and not second(value)] == []
    if excludes(one, other):
        assert [value for value in VALUES if first(value) and second(value)] == []


@given(any_test(), st.lists(any_test(), max_size=5))
@settings(max_examples=150, deadline=None)
def test_the_cover_finds_what_comparing_one_by_one_finds(one: Any, others: list[Any]) -> None:
    cover = Cover((test, position) for position, test in enumerate(others))
    found = set(cover.of(one))
    expected = {position for position, test in enumerate(others) if implies(one, test)}
    # The index knows the usual shapes; nothing that it says is new, and of those shapes nothing is missing.
    assert found <= expected
    usual = {position for position in expected if others[position][0] != "str" or 1 not in others[position][2]}
    assert {position for position in usual if _is_simple(others[position]) and _is_simple(one)} <= found


def _is_simple(test: Any) -> bool:
    return test[0] != "str" or (sum(isinstance(part, str) for part in test[2]) == 1 and 2 not in test[2])


KNOWN = [
    ("contains", "ab", "contains", "a", True),
    ("contains", "a", "contains", "ab", False),
    ("endswith", "\\a.exe", "contains", "a.e", True),
    ("contains", "a.e", "endswith", "\\a.exe", False),
    ("", "a*b*c", "", "a*c", True),
    ("", "a*c", "", "a*b*c", False),
    ("", "a?c", "", "a*c", True),
    ("", "a*c", "", "a?c", False),
    ("cased", "A", "", "a", True),
    ("", "a", "cased", "A", False),
    ("", "a", "cased", "a", False),
    ("contains", "ab", "contains|cased", "a", False),
    ("windash", " -a", "", " ?a", True),
    ("", " /a", "windash", " -a", True),
    ("", "1.0", "", 1, True),
    ("lt", 5, "lte", 5, True),
    ("lte", 5, "lt", 5, False),
    ("cidr", "10.1.0.0/16", "cidr", "10.0.0.0/8", True),
    ("cidr", "10.0.0.0/8", "cidr", "10.1.0.0/16", False),
    ("re", "a+", "re", "a+", True),
    ("re", "aa", "re", "a", False),
]


@pytest.mark.parametrize(("chain", "value", "others", "other", "expected"), KNOWN)
def test_known_implications(chain: str, value: Any, others: str, other: Any, expected: bool) -> None:
    one, second = (
        value_tests(what, read_chain(names.split("|") if names else [], ()), {}, ())[0]
        for names, what in ((chain, value), (others, other))
    )
    assert implies(one, second) is expected


# --- whole rules ----------------------------------------------------------------------------------


@st.composite
def detections(draw: st.DrawFn) -> dict[str, Any]:
    """Two to four identifiers over two fields, and a condition."""
    names = draw(st.lists(st.sampled_from(["s1", "s2", "f1", "f2"]), min_size=2, max_size=4, unique=True))
    detection: dict[str, Any] = {name: draw(identifiers()) for name in names}
    parts = [draw(st.sampled_from(["", "not "])) + name for name in names]
    condition = parts[0]
    for part in parts[1:]:
        condition = f"{condition} {draw(st.sampled_from(['and', 'or']))} {part}"
    return {**detection, "condition": condition}


@st.composite
def identifiers(draw: st.DrawFn) -> Any:
    mapping = st.dictionaries(
        st.builds(
            lambda field, chain: f"{field}|{chain}" if chain else field,
            st.sampled_from(["A", "B"]),
            st.sampled_from([*CHAINS, "neq", "contains|all", "contains|neq"]),
        ),
        st.one_of(st.lists(PATTERNS, min_size=1, max_size=3), PATTERNS),
        min_size=1,
        max_size=2,
    )
    null = st.dictionaries(st.sampled_from(["A", "B"]), st.none(), min_size=1, max_size=1)
    return draw(st.one_of(mapping, null, st.lists(mapping, min_size=1, max_size=2)))


KNOWLEDGE = Knowledge(RoutingTable({"keys": {}, "alternatives": []}), read_attack(), {})


def said_of(detection: dict[str, Any]) -> list[Problem]:
    subject = Subject("a.yml", {"detection": detection}, used=True, knowledge=KNOWLEDGE)
    return [*check_logic(subject), *check_values(subject)]


def read(detection: dict[str, Any]) -> Rule | None:
    return read_rule({"title": "a", "logsource": {"product": "windows"}, "detection": detection})[0]


#: Every event of two fields, each with one of these values or none.
SOME = ["", "a", "A", "b", "ab", "ba", "aab", "-a", "/a"]
EVENTS = [{"A": (one,) * bool(one), "B": (other,) * bool(other)} for one, other in product(SOME, SOME)]


def answers(rule: Rule) -> list[bool]:
    plain = PlainRule(rule)
    return [plain.matches(lambda field, event=event: event.get(field, ()), tuple) for event in EVENTS]  # type: ignore[misc]


def without(content: Any, where: tuple[Any, ...]) -> Any:
    """``content`` without what a path leads to, and without what is empty then."""
    step, *rest = where
    inner = without(content[step], tuple(rest)) if rest else None
    if isinstance(content, dict):
        return {key: inner if key == step else value for key, value in content.items() if key != step or inner}
    return [inner if index == step else value for index, value in enumerate(content) if index != step or inner]


@given(detections())
@settings(max_examples=250, deadline=None)
def test_what_is_redundant_can_be_left_out_and_what_is_impossible_never_happens(
    detection: dict[str, Any],
) -> None:
    rule = read(detection)
    assert rule is not None
    before = answers(rule)
    for problem in said_of(detection):
        if problem.code == "rule-never-matches":
            assert not any(before)
        elif problem.code == "rule-always-matches":
            assert all(before)
        elif problem.code == "selection-never-matches" and len(problem.where) > 1:
            name = problem.where[1]
            alone = read({name: detection[name], "condition": name})
            assert alone is not None
            assert "alternative" in problem.message or not any(answers(alone))
        elif problem.code in ("item-redundant", "value-redundant", "value-duplicate"):
            changed = read(without(detection, problem.where[1:]))
            assert changed is not None, problem
            assert answers(changed) == before, problem
        elif problem.code in ("filter-never-applies", "identifier-redundant"):
            _assert_needless(detection, str(problem.where[1]), problem, before)


def _assert_needless(detection: dict[str, Any], name: str, problem: Problem, before: list[bool]) -> None:
    """Leaving the identifier out of the condition changes nothing: what is beside it decides."""
    conjunctions = [part.split(" and ") for part in detection["condition"].split(" or ")]
    is_and = "or" not in problem.message.split("it ")[-1] and any(
        len(part) > 1 and any(operand.split()[-1] == name for operand in part) for part in conjunctions
    )
    left = [
        [operand for operand in part if operand.split()[-1] != name] if is_and else part
        for part in conjunctions
        if is_and or [operand.split()[-1] for operand in part] != [name]
    ]
    condition = " or ".join(" and ".join(part) for part in left if part)
    changed = read(
        {**{key: value for key, value in detection.items() if key != name or name in condition}, "condition": condition}
    )
    assert changed is not None
    assert answers(changed) == before, problem
