"""Every fault in a correlation is told, with its code, its place and what to do; none raises."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.findings import located
from sigmaengine.correlation import KINDS, UNITS, Correlation, read_correlation
from sigmaengine.correlationrefs import inner_first, resolve
from sigmaengine.problems import ERROR, Problem, has_errors
from sigmaengine.rule import Rule, read_rule
from sigmaengine.ruletext import read_documents

UUID = "00000000-0000-4000-8000-0000000000"
DETECTION = {"s": {"x": "y"}, "condition": "s"}


def said(content: Any, **document: Any) -> list[tuple[str, str, tuple[Any, ...]]]:
    """(severity, code, place) of everything that is found in a correlation with this content."""
    whole = {"title": "t", "id": UUID + "01", "level": "low", "status": "test", "correlation": content, **document}
    correlation, problems = read_correlation(whole)
    assert (correlation is None) == has_errors(problems)
    return [(one.severity, one.code, one.where) for one in problems]


def content(**changed: Any) -> dict[str, Any]:
    """A correlation without a fault, but for what is given; None takes a key out."""
    usual = {"type": "event_count", "rules": ["a"], "timespan": "5m", "condition": {"gte": 2}}
    return {key: value for key, value in {**usual, **changed}.items() if value is not None}


def valued(**condition: Any) -> dict[str, Any]:
    """A value_percentile with such a condition."""
    return content(type="value_percentile", condition={"gte": 2, "field": "n", **condition})


ERRORS: dict[str, tuple[Any, str, tuple[Any, ...]]] = {
    "no-mapping": ("event_count", "correlation-type", ()),
    "no-type": (content(type=None), "correlation-type", ()),
    "unknown-type": (content(type="event_counts"), "correlation-type", ("type",)),
    "type-of-a-list": (content(type=["event_count"]), "correlation-type", ("type",)),
    "ordered-rule-twice": (
        content(type="temporal_ordered", rules=["a", "b", "a"], condition=None),
        "correlation-rules",
        ("rules", 2),
    ),
    "of-without-rules": (
        content(type="temporal", rules=None, condition="1 of a*"),
        "correlation-condition",
        ("condition",),
    ),
    "number-beyond-floats": (
        content(condition={"gte": Decimal("1e400")}),
        "correlation-condition",
        ("condition", "gte"),
    ),
    "no-rules": (content(rules=None), "correlation-rules", ()),
    "empty-rules": (content(rules=[]), "correlation-rules", ("rules",)),
    "rule-that-is-a-number": (content(rules=["a", 7]), "correlation-rules", ("rules", 1)),
    "rule-that-is-empty": (content(rules=["a", " "]), "correlation-rules", ("rules", 1)),
    "too-many-rules": (content(rules=[f"r{n}" for n in range(1001)]), "correlation-rules", ("rules",)),
    "group-by-of-a-mapping": (content(**{"group-by": [{"a": "b"}]}), "correlation-group-by", ("group-by", 0)),
    "group-by-of-numbers": (content(**{"group-by": 5}), "correlation-group-by", ("group-by",)),
    "too-many-groups": (content(**{"group-by": list(map(str, range(51)))}), "correlation-group-by", ("group-by",)),
    "no-timespan": (content(timespan=None), "correlation-timespan", ()),
    "timespan-of-a-number": (content(timespan=300), "correlation-timespan", ("timespan",)),
    "timespan-of-zero": (content(timespan="0m"), "correlation-timespan", ("timespan",)),
    "timespan-unit": (content(timespan="5min"), "correlation-timespan", ("timespan",)),
    "timespan-fraction": (content(timespan="1.5h"), "correlation-timespan", ("timespan",)),
    "timespan-without-a-number": (content(timespan="h"), "correlation-timespan", ("timespan",)),
    "timespan-negative": (content(timespan="-5m"), "correlation-timespan", ("timespan",)),
    "timespan-list": (content(timespan=["5m"]), "correlation-timespan", ("timespan",)),
    "timespan-huge": (content(timespan="9" * 50 + "y"), "correlation-timespan", ("timespan",)),
    "timespan-other-digits": (content(timespan="\u0665m"), "correlation-timespan", ("timespan",)),
    "aliases-list": (content(aliases=["ip"]), "correlation-aliases", ("aliases",)),
    "alias-text": (content(aliases={"ip": "src"}), "correlation-aliases", ("aliases", "ip")),
    "alias-number": (content(aliases={"ip": {"a": 5}}), "correlation-aliases", ("aliases", "ip")),
    "alias-empty": (content(aliases={"ip": {}}), "correlation-aliases", ("aliases", "ip")),
    "no-condition": (content(condition=None), "correlation-condition", ()),
    "condition-list": (content(condition=[{"gte": 2}]), "correlation-condition", ("condition",)),
    "condition-empty": (content(condition={}), "correlation-condition", ("condition",)),
    "condition-unknown": (content(condition={"gte": 2, "than": 3}), "correlation-condition", ("condition", "than")),
    "condition-text": (content(condition={"gte": "many"}), "correlation-condition", ("condition", "gte")),
    "condition-boolean": (content(condition={"gte": True}), "correlation-condition", ("condition", "gte")),
    "condition-null": (content(condition={"gte": None}), "correlation-condition", ("condition", "gte")),
    "condition-huge": (content(condition={"gte": "1e999999999"}), "correlation-condition", ("condition", "gte")),
    "words-for-a-count": (content(condition="a and b"), "correlation-condition", ("condition",)),
    "words-unfinished": (content(type="temporal", condition="a and"), "condition-syntax", ("condition",)),
    "words-empty": (content(type="temporal", condition=""), "condition-empty", ("condition",)),
    "no-field": (content(type="value_count"), "correlation-field", ("condition",)),
    "field-number": (valued(field=5), "correlation-field", ("condition", "field")),
    "fields-of-a-percentile": (valued(field=["n", "m"]), "correlation-field", ("condition", "field")),
    "percentile-text": (valued(percentile="most"), "correlation-percentile", ("condition", "percentile")),
    "percentile-over-100": (valued(percentile=101), "correlation-percentile", ("condition", "percentile")),
    "percentile-boolean": (valued(percentile=True), "correlation-percentile", ("condition", "percentile")),
    "generate-text": (content(generate="yes"), "correlation-generate", ("generate",)),
}


@pytest.mark.parametrize(("given_content", "code", "place"), ERRORS.values(), ids=ERRORS)
def test_an_error(given_content: Any, code: str, place: tuple[Any, ...]) -> None:
    assert (ERROR, code, ("correlation", *place)) in said(given_content)


WARNINGS: dict[str, tuple[Any, str, tuple[Any, ...]]] = {
    "unknown-key": (content(group_by=["u"]), "correlation-key", ("group_by",)),
    "count-of-zero": (content(condition={"eq": 0}), "correlation-condition", ("condition",)),
    "count-below-one": (content(condition={"lt": 1}), "correlation-condition", ("condition",)),
    "none-of-the-rules": (content(type="temporal", condition={"lte": 0}), "correlation-condition", ("condition",)),
    "rule-twice": (content(rules=["a", "a"]), "correlation-rules", ("rules", 1)),
    "metadata-field": (content(**{"group-by": ["_cd"]}), "correlation-group-by", ("group-by",)),
    "range-without-a-number-in-it": (content(condition={"gt": 2, "lt": 3}), "correlation-condition", ("condition",)),
    "count-below-zero": (content(condition={"lt": 0}), "correlation-condition", ("condition",)),
    "more-rules-than-there-are": (
        content(type="temporal", condition={"gte": 2}),
        "correlation-condition",
        ("condition",),
    ),
    "field-of-a-count": (content(condition={"gte": 2, "field": "n"}), "correlation-field", ("condition", "field")),
    "percentile-of-a-count": (
        content(condition={"gte": 2, "percentile": 5}),
        "correlation-percentile",
        ("condition", "percentile"),
    ),
}


@pytest.mark.parametrize(("given_content", "code", "place"), WARNINGS.values(), ids=WARNINGS)
def test_a_warning(given_content: Any, code: str, place: tuple[Any, ...]) -> None:
    assert said(given_content) == [("warning", code, ("correlation", *place))]


FINE = {
    "plain": content(),
    "rules-text": content(rules="a"),
    "group-by-text": content(**{"group-by": "u"}),
    "numeric-text": content(condition={"gte": "2"}),
    "range": content(condition={"gt": 2, "lte": 3}),
    "average-range": content(type="value_avg", condition={"gt": 2, "lt": 3, "field": "n"}),
    "fields-of-a-value-count": content(type="value_count", condition={"gte": 2, "field": ["n", "m"]}),
    "temporal-without-condition": content(type="temporal", condition=None),
    "words-without-rules": content(type="temporal_ordered", rules=None, condition="a and not (b or c)"),
    "quantifier-over-listed-rules": content(type="temporal", rules=["r1", "r2"], condition="1 of r*"),
    "generate": content(generate=True),
    **{f"unit-{unit}": content(timespan=f"2{unit}") for unit in UNITS},
}


@pytest.mark.parametrize("given_content", FINE.values(), ids=FINE)
def test_nothing_is_said_of_what_is_fine(given_content: Any) -> None:
    assert said(given_content) == []


def test_generate_may_stand_on_top_and_may_not_differ() -> None:
    read, _ = read_correlation({"title": "t", "correlation": content(), "generate": True})
    assert read is not None
    assert read.generate
    assert said(content(generate=False), generate=True) == [
        (ERROR, "correlation-generate", ("correlation", "generate"))
    ]


@pytest.mark.parametrize("key", ["detection", "logsource"])
def test_what_a_rule_has_is_not_lost_silently(key: str) -> None:
    assert said(content(), **{key: DETECTION}) == [("error", "correlation-document", (key,))]


def test_metadata_is_looked_at_as_in_rules() -> None:
    assert said(content(), level="enormous") == [(ERROR, "level-unknown", ("level",))]
    assert said(content(), id=None) == [("warning", "id-missing", ())]


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(KINDS)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from([*content(), "group-by", "aliases", "field", "gte", "percentile"]), inner),
    ),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(changed=st.dictionaries(st.sampled_from([*content(), "group-by", "aliases", "generate"]), anything))
def test_nothing_raises(changed: dict[str, Any]) -> None:
    correlation, problems = read_correlation({"title": "t", "correlation": {**content(), **changed}})
    assert (correlation is None) == has_errors(problems)
    if correlation is not None:
        resolve([correlation], [])


def test_a_fault_has_the_line_that_it_stands_on() -> None:
    text = f"title: t\nid: {UUID}01\nlevel: low\nstatus: test\ncorrelation:\n  type: event_count\n"
    text += "  rules:\n    - a\n    - 5\n  timespan: 5 minutes\n  condition:\n    gte: many\n"
    (document,) = read_documents(text)
    _, problems = read_correlation(document)
    assert [(one.line, one.code) for one in located("f.yml", document, problems)] == [
        (10, "correlation-timespan"),
        (9, "correlation-rules"),
        (12, "correlation-condition"),
    ]


# --- references ---------------------------------------------------------------------------------


def rule(number: str, name: str = "") -> Rule:
    """A rule of this id and name."""
    read, problems = read_rule({"title": number, "id": UUID + number, "detection": DETECTION, "name": name or None})
    assert read is not None, problems
    return read


RULES = [rule("a1", "first"), rule("a2", "second"), rule("a3", "twin"), rule("a4", "twin")]


def correlation(number: str, name: str = "", **changed: Any) -> Correlation:
    """A correlation of this id and name."""
    document = {"title": f"c{number}", "id": UUID + number, "name": name or None, "correlation": content(**changed)}
    read, problems = read_correlation(document)
    assert read is not None, problems
    return read


def words(condition: str, *rules: str, **changed: Any) -> Correlation:
    """A correlation with a condition in words, over listed rules where there are any."""
    return correlation("01", **{"type": "temporal", "rules": list(rules) or None, "condition": condition, **changed})


REFERENCES: dict[str, tuple[list[Correlation], list[str], list[str]]] = {
    "id-and-name": ([correlation("01", rules=["first", UUID + "a2"])], ["01"], [""]),
    "id-in-upper-case": ([correlation("01", rules=[(UUID + "a2").upper()])], ["01"], [""]),
    "name-in-other-case": ([correlation("01", rules=["First"])], [], ["correlation-reference rules 0"]),
    "unknown": ([correlation("01", rules=["first", "nobody"])], [], ["correlation-reference rules 1"]),
    "two-of-a-name": ([correlation("01", rules=["twin"])], [], ["correlation-reference rules 0"]),
    "one-rule-twice": ([correlation("01", rules=["first", UUID + "a1"])], [], ["correlation-rules rules"]),
    "itself": ([correlation("01", "me", rules=["me"])], [], ["correlation-cycle rules"]),
    "circle": (
        [correlation("01", "x", rules=["y"]), correlation("02", "y", rules=["x"]), correlation("03", rules=["y"])],
        [],
        ["correlation-cycle rules", "correlation-cycle rules", "correlation-cycle rules"],
    ),
    "inner-one-behind": (
        [correlation("01", rules=["inner"]), correlation("02", "inner", rules=["first"])],
        ["02", "01"],
        ["", ""],
    ),
    "inner-one-that-cannot-be-used": (
        [correlation("01", rules=["first", "inner"]), correlation("02", "inner", rules=["nobody"])],
        [],
        ["correlation-reference rules 1", "correlation-reference rules 0"],
    ),
    "alias": (
        [correlation("01", rules=["first"], **{"group-by": ["ip"]}, aliases={"ip": {UUID + "a1": "src"}})],
        ["01"],
        [""],
    ),
    "alias-of-a-rule-that-is-not-listed": (
        [correlation("01", rules=["first"], **{"group-by": ["ip"]}, aliases={"ip": {"second": "src"}})],
        [],
        ["correlation-aliases aliases ip second"],
    ),
    "alias-twice": (
        [correlation("01", rules=["first"], **{"group-by": ["ip"]}, aliases={"ip": {"first": "s", UUID + "a1": "d"}})],
        [],
        [f"correlation-aliases aliases ip {UUID}a1"],
    ),
    "alias-that-nothing-uses": (
        [correlation("01", rules=["first"], aliases={"ip": {"first": "src"}})],
        ["01"],
        ["correlation-aliases aliases ip"],
    ),
    "alias-of-some-rules": (
        [correlation("01", rules=["first", "second"], **{"group-by": ["ip"]}, aliases={"ip": {"first": "src"}})],
        ["01"],
        ["correlation-aliases aliases ip"],
    ),
    "words": ([words("first and not second")], ["01"], [""]),
    "words-unknown": ([words("first and nobody")], [], ["correlation-reference condition"]),
    "words-unknown-beside-rules": (
        [words("first and nobody", "first")],
        [],
        ["correlation-reference condition"],
    ),
    "words-of-a-rule-that-is-not-listed": (
        [words("first and second", "first")],
        [],
        ["correlation-reference condition"],
    ),
    "words-name-of-two": ([words("first and twin")], [], ["correlation-reference condition"]),
    "words-name-of-two-listed": (
        [words("first and twin", "first", UUID + "a3", UUID + "a4")],
        [],
        ["correlation-reference condition"],
    ),
    "words-leave-a-rule-out": ([words("first", "first", "second")], [], ["correlation-rules rules 1"]),
    "words-glob-of-nothing": (
        [words("first and 1 of s_*", "first", "second")],
        [],
        ["correlation-reference condition"],
    ),
    "words-faults-are-told-once": (
        [words("first and nobody", "first", "nobody")],
        [],
        ["correlation-reference rules 1"],
    ),
}


@pytest.mark.parametrize(("correlations", "usable", "codes"), REFERENCES.values(), ids=REFERENCES)
def test_references(correlations: list[Correlation], usable: list[str], codes: list[str]) -> None:
    resolved, found = resolve(correlations, RULES)
    assert [one.id.removeprefix(UUID) for one in resolved] == usable
    assert [", ".join(map(_place, problems)) for problems in found] == codes
    known = {one.id for one in (*RULES, *correlations)}
    assert all(set(one.rules) <= known for one in resolved)


def _place(problem: Problem) -> str:
    return " ".join(map(str, (problem.code, *problem.where[1:])))


def test_an_expression_names_ids() -> None:
    (one,), _ = resolve([correlation("01", type="temporal", rules=None, condition="first and not second")], RULES)
    assert one.condition.expression == ["and", ["id", UUID + "a1"], ["not", ["id", UUID + "a2"]]]
    assert one.rules == [UUID + "a1", UUID + "a2"]


FIRST, SECOND, TWIN = (["id", UUID + number] for number in ("a1", "a2", "a3"))
#: What a condition is in the end, and the rules in their order.
SPELT: dict[str, tuple[Correlation, Any, list[Any]]] = {
    "id-where-rules-has-the-name": (
        words(f"{UUID}a1 and not second", "first", "second"), ["and", FIRST, ["not", SECOND]], [FIRST, SECOND],
    ),
    "name-where-rules-has-the-id": (words("first or second", UUID + "a2", UUID + "a1"), ["or", FIRST, SECOND],
        [SECOND, FIRST],
    ),
    "id-in-upper-case": (words(f"{UUID.upper()}A1 and second", "first", UUID + "a2"), ["and", FIRST, SECOND],
        [FIRST, SECOND],
    ),
    "both-spellings-in-one-condition": (words(f"first or (second and {UUID}a1)"),
        ["or", FIRST, ["and", SECOND, FIRST]], [FIRST, SECOND],
    ),
    "name-of-two-of-which-one-is-listed": (words("first and twin", "first", UUID + "a3"), ["and", FIRST, TWIN],
        [FIRST, TWIN],
    ),
    "glob-over-names-of-rules-listed-by-id": (words("1 of *ir*", UUID + "a1"), FIRST, [FIRST]),
    "glob-over-ids-of-rules-listed-by-name": (words(f"all of {UUID}*", "first", "second"), ["and", FIRST, SECOND],
        [FIRST, SECOND],
    ),
    "them": (words("any of them", "first", UUID + "a2"), ["or", FIRST, SECOND], [FIRST, SECOND]),
    "of-one-word": (words(f"1 of {UUID}A1 and second", "first", "second"), ["and", FIRST, SECOND], [FIRST, SECOND]),
}  # fmt: skip


@pytest.mark.parametrize(("one", "expression", "rules"), SPELT.values(), ids=SPELT)
def test_a_condition_names_rules_however_they_are_spelt(one: Correlation, expression: Any, rules: list[Any]) -> None:
    (resolved,), (problems,) = resolve([one], RULES)
    assert problems == []
    assert resolved.condition.expression == expression
    assert [["id", rule] for rule in resolved.rules] == rules
    # What is resolved can be resolved again, beside other correlations.
    assert resolve([resolved], RULES)[0] == [resolved]


UNCLEAR = {
    "unknown": (words("first and nobody"), "no rule or correlation in use has the id or the name 'nobody'"),
    "not-listed": (words("first and second", "first"), "the condition names 'second', which 'rules' does not list"),
    "two-of-the-name": (words("first and twin"), "2 rules have the name 'twin'; refer to the one that is meant by its"),
    "two-listed-of-the-name": (
        words("first and twin", "first", UUID + "a3", UUID + "a4"),
        "2 rules have the name 'twin'; refer to the one that is meant by its id",
    ),
    "glob": (words("first and 1 of s_*", "first", "second"), "nothing that 'rules' lists matches 's_*'"),
    "unused": (words("first", "first", UUID + "a2"), f"the condition never uses the rule '{UUID}a2'"),
}


@pytest.mark.parametrize(("one", "text"), UNCLEAR.values(), ids=UNCLEAR)
def test_what_is_said_of_a_word(one: Correlation, text: str) -> None:
    usable, (problems,) = resolve([one], RULES)
    assert usable == []
    (message,) = [problem.message for problem in problems]
    assert message.startswith(text)


def test_a_condition_in_an_order_has_a_bound_of_alternatives() -> None:
    known = [rule(f"{letter}{n}", f"{letter}{n}") for n in range(9) for letter in "ab"]
    long = words(" and ".join(f"(a{n} or b{n})" for n in range(9)), type="temporal_ordered")
    _, ((problem,),) = resolve([long], known)
    assert (problem.code, problem.where) == ("correlation-condition", ("correlation", "condition"))


def test_a_correlation_survives_json() -> None:
    for one in (correlation("01"), correlation("02", type="temporal", rules=None, condition="first or second")):
        assert Correlation.from_json(json.loads(json.dumps(one))) == one


def test_inner_ones_come_first_whatever_the_order() -> None:
    chain = [correlation(f"0{n}", f"n{n}", rules=[f"n{n + 1}"] if n < 5 else ["first"]) for n in range(1, 6)]
    resolved, _ = resolve(chain, RULES)
    assert [one.name for one in inner_first(sorted(resolved, key=lambda one: one.id))] == ["n5", "n4", "n3", "n2", "n1"]


def test_a_reference_to_what_cannot_be_used_says_so() -> None:
    others = {"bad": "a rule that cannot be used"}
    _, ((problem,),) = resolve([correlation("01", rules=["bad"])], [], others)
    assert (problem.code, problem.message) == ("correlation-reference", "'bad' is a rule that cannot be used")
