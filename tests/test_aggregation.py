"""Aggregations of Sigma 1: the rule and the correlation that they mean, and what has no such meaning."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sigmaengine.aggregation import EVENTS, has_aggregation, place, read_aggregated
from sigmaengine.problems import Problem
from sigmaengine.rule import read_rule
from sigmaengine.ruletext import line_of, read_documents
from tests.support.rulefiles import HERE, UUID, of_case, rule


def document(condition: Any, timeframe: Any = "5m", **said: Any) -> dict[str, Any]:
    """A rule of Sigma 1 with two identifiers."""
    detection = {"a": {"Image": "x"}, "b": {"User": "y"}, "condition": condition}
    if timeframe is not None:
        detection["timeframe"] = timeframe
    known = {"title": "T", "id": UUID, "level": "low", "status": "test", "logsource": {"product": "windows"}}
    return {**known, "detection": detection, **said}


def read(condition: Any, timeframe: Any = "5m", **said: Any) -> tuple[Any, list[Problem]]:
    """What such a rule is read as."""
    mapping = document(condition, timeframe, **said)
    before = repr(mapping)
    assert has_aggregation(mapping)
    found = read_aggregated(mapping)
    assert repr(mapping) == before
    return found


def counted(kind: str, condition: dict[str, Any], *group_by: str, timespan: str = "5m") -> dict[str, Any]:
    """The correlation of a document of version 2."""
    grouped = {"group-by": list(group_by)} if group_by else {}
    return {"type": kind, "rules": [UUID + EVENTS], **grouped, "condition": condition, "timespan": timespan}


#: What follows "a and b |", and the correlation that it means.
MEANT: dict[str, dict[str, Any]] = {
    "count() > 5": counted("event_count", {"gt": 5}),
    "count() >= 5": counted("event_count", {"gte": 5}),
    "count() < 5": counted("event_count", {"lt": 5}),
    "count() <= 5": counted("event_count", {"lte": 5}),
    "count() = 5": counted("event_count", {"eq": 5}),
    "count() == 5": counted("event_count", {"eq": 5}),
    "count()>5": counted("event_count", {"gt": 5}),
    "  count ( )  by  User  >  5  ": counted("event_count", {"gt": 5}, "User"),
    "count() by User > 5": counted("event_count", {"gt": 5}, "User"),
    "count() by User, Image > 5": counted("event_count", {"gt": 5}, "User", "Image"),
    "count() by User,Image,User>5": counted("event_count", {"gt": 5}, "User", "Image"),
    "count(dst.port) by src-ip > 10": counted("value_count", {"field": "dst.port", "gt": 10}, "src-ip"),
    "count( by ) by by > 10": counted("value_count", {"field": "by", "gt": 10}, "by"),
    "count(TargetUserName) > 3": counted("value_count", {"field": "TargetUserName", "gt": 3}),
    "sum(bytes) by src_ip > 300000": counted("value_sum", {"field": "bytes", "gt": 300000}, "src_ip"),
    "avg(bytes) by src_ip < 1.5": counted("value_avg", {"field": "bytes", "lt": Decimal("1.5")}, "src_ip"),
    "COUNT() BY User > 5": counted("event_count", {"gt": 5}, "User"),
    "count() > -1": counted("event_count", {"gt": Decimal(-1)}),
    "count() > 1e3": counted("event_count", {"gt": Decimal("1e3")}),
    "count() > 99999999999999999999": counted("event_count", {"gt": 99999999999999999999}),
}


@pytest.mark.parametrize("text", MEANT)
def test_an_aggregation_is_a_rule_and_a_correlation(text: str) -> None:
    found, problems = read(f"a and b |{text}", tags=["attack.t1110"], name="n", author="A")
    assert found is not None, problems
    assert found.correlation == {
        "title": "T", "name": "n", "status": "test", "level": "low", "author": "A", "tags": ["attack.t1110"],
        "id": UUID, "correlation": MEANT[text],
    }  # fmt: skip
    plain, _ = read_rule(document("a and b", None, tags=["attack.t1110"], name="n", author="A"))
    assert plain is not None
    assert found.rule == plain._replace(id=UUID + EVENTS, name="n" + EVENTS)
    warned = [problem.code for problem in problems]
    assert warned == ["condition-case"] * 2 * ("COUNT" in text) + ["condition-aggregation"]
    assert f"the type {MEANT[text]['type']}" in problems[-1].message


@pytest.mark.parametrize("timeframe", ["30s", "5m", "24h", "7d", "2w", "1M", "1y", " 5m ", "0015m"])
def test_timeframes(timeframe: str) -> None:
    found, problems = read("a or b | count() > 1", timeframe)
    assert found is not None, problems
    assert found.correlation["correlation"]["timespan"] == timeframe.strip()


#: What follows "a and b |"; the code; what the message says.
REFUSED: dict[str, tuple[str, str]] = {
    "min(x) by y > 5": ("condition-aggregation", "'min' has no meaning as a correlation"),
    "max(x) by y > 5": ("condition-aggregation", "'max' has no meaning as a correlation"),
    "near b": ("condition-aggregation", "of the type temporal"),
    "near b and not a": ("condition-aggregation", "of the type temporal"),
    "NEAR b": ("condition-aggregation", "of the type temporal"),
    "": ("aggregation-syntax", "expected one of count, sum, avg; here: 'a and b | >>> '"),
    "foo() > 5": ("aggregation-syntax", "expected one of count, sum, avg; here: 'a and b | >>> foo() > 5'"),
    "count > 5": ("aggregation-syntax", "expected '('; here: 'a and b | count >>> > 5'"),
    "count(": ("aggregation-syntax", "expected a field or ')'"),
    "count(x": ("aggregation-syntax", "expected ')'"),
    "count(*) > 5": ("aggregation-syntax", "'*' is no field; events are counted by 'count()'"),
    'count("x") > 5': ("aggregation-syntax", "a field is written without quotes"),
    "count() by 'x' > 5": ("aggregation-syntax", "a field is written without quotes"),
    "count(x y) > 5": ("aggregation-syntax", "expected ')'; here: 'a and b | count(x >>> y) > 5'"),
    "count(x, y) > 5": ("aggregation-syntax", "expected ')'"),
    "count()": ("aggregation-syntax", "expected by, a comparison (>, >=, <, <=, =, ==)"),
    "count() 5": ("aggregation-syntax", "expected by, a comparison"),
    "count() != 5": ("aggregation-syntax", "expected by, a comparison"),
    "count() => 5": ("aggregation-syntax", "expected by, a comparison"),
    "count() by > 5": ("aggregation-syntax", "expected a field; here: 'a and b | count() by >>> > 5'"),
    "count() by x": ("aggregation-syntax", "expected a comparison"),
    "count() by x y > 5": ("aggregation-syntax", "expected a comparison"),
    "count() by x, > 5": ("aggregation-syntax", "expected a field"),
    "count() by x > ": ("aggregation-syntax", "expected a number"),
    "count() > five": ("aggregation-syntax", "expected a number; here: 'a and b | count() > >>> five'"),
    "count() > 5 and a": ("aggregation-syntax", "expected nothing behind the number"),
    "count() > 5 | count() > 6": ("aggregation-syntax", "expected nothing behind the number"),
    "sum() > 5": ("aggregation-syntax", "'sum' needs the field"),
    "avg() by x > 5": ("aggregation-syntax", "'avg' needs the field"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_has_no_meaning_is_refused(text: str) -> None:
    found, problems = read(f"a and b | {text}")
    code, fragment = REFUSED[text]
    assert found is None
    assert [problem.code for problem in problems if problem.severity == "error"] == [code]
    assert fragment in problems[-1].message
    assert problems[-1].where == ("detection", "condition")


TIMEFRAMES: dict[str, Any] = {
    "number": 5, "no unit": "5", "no number": "m", "two units": "1h30m", "blank": "5 m", "other unit": "5q",
    "fraction": "1.5h", "nothing": "0s", "null": None, "list": ["5m"], "negative": "-5m", "other digits": "\u0665m",
    "very many digits": "9" * 9_000 + "m",
}  # fmt: skip


@pytest.mark.parametrize("name", TIMEFRAMES)
def test_a_faulty_timeframe_is_an_error(name: str) -> None:
    mapping = document("a or b | count() > 1")
    mapping["detection"]["timeframe"] = TIMEFRAMES[name]
    found, problems = read_aggregated(mapping)
    assert found is None
    assert [(problem.code, problem.where) for problem in problems] == [("timeframe", ("detection", "timeframe"))]


def test_without_a_timeframe_it_is_an_error() -> None:
    found, problems = read("a or b | count() > 1", None)
    assert found is None
    assert [(problem.code, problem.where) for problem in problems] == [
        ("timeframe-missing", ("detection", "condition"))
    ]


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        pytest.param(["a | count() > 5", "b"], "condition-aggregation", id="one of several"),
        pytest.param(["a | count() > 5", 7], "condition-aggregation", id="beside no condition"),
        pytest.param("| count() > 5", "condition-empty", id="nothing in front"),
        pytest.param("a and | count() > 5", "condition-syntax", id="a syntax error in front"),
        pytest.param("(a | count() > 5)", "condition-syntax", id="in parentheses"),
        pytest.param("nope | count() > 5", "condition-syntax", id="an unknown identifier"),
        pytest.param("a | " + "x" * 20_000, "condition-size", id="very long"),
        pytest.param("a or b | count() > 1e999999999", "", id="a very large number"),
        pytest.param("a or b | count() > " + "9" * 9_000, "", id="a very long number"),
    ],
)
def test_conditions_with_faults(condition: Any, code: str) -> None:
    found, problems = read(condition, b={"x": 1})
    errors = [problem.code for problem in problems if problem.severity == "error"]
    assert code in errors if code else found is not None
    assert bool(errors) == (found is None)


def test_one_condition_in_a_list_is_that_condition() -> None:
    found, _ = read(["a or b | count() > 5"])
    assert found.correlation["correlation"] == counted("event_count", {"gt": 5})


def test_every_fault_of_the_rule_is_told_too() -> None:
    _, problems = read("a or c | foo", detection={"a": {"A|foo": 1}, "condition": "a or c | foo"})
    assert {problem.code for problem in problems} == {"aggregation-syntax", "modifier-unknown", "condition-syntax"}


def test_ids_come_from_the_whole_document() -> None:
    found = [read(f"a or b | count() > {number}", id="")[0] for number in (1, 2)]
    ids = [one.correlation["id"] for one in found]
    assert len(set(ids)) == 2
    assert [one.rule.id for one in found] == [one + EVENTS for one in ids]


def test_places_lead_to_the_lines_of_the_document() -> None:
    text = rule(condition="selection | count() > 5\n  timeframe: 5m" + HERE)
    content, line = of_case(text)
    (mapping,) = read_documents(content)
    assert line_of(mapping, place(("correlation", "timespan"))) == line
    assert line_of(mapping, place(("correlation", "condition", "gt"))) == line - 1
    assert line_of(mapping, place(("id",))) == 2


@pytest.mark.parametrize("mapping", [None, [], {}, {"detection": None}, {"detection": {"condition": 5}}, document("a")])
def test_other_documents_have_no_aggregation(mapping: Any) -> None:
    assert not has_aggregation(mapping)
