"""Whatever documents hold, reading them never fails, loses none of them and leaves them as they are."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaengine.aggregation import has_aggregation, read_aggregated
from sigmaengine.documents import FILTER, NOTHING, RULE, resolved
from sigmaengine.filters import apply_filters, read_filter
from sigmaengine.problems import has_errors
from sigmaengine.rule import Rule, read_rule

KEYS = [
    "action", "detection", "filter", "correlation", "condition", "timeframe", "rules", "selection", "s2", "logsource",
    "product", "title", "id", "level", "tags", "name", "A|contains", "A|re", "B",
]  # fmt: skip
TEXTS = [
    "", "x", "any", "global", "reset", "repeat", "selection", "not selection", "1 of s*", "windows", "5m", "%p%", "(",
    "selection | count() > 5", "s2 | sum(B) by A, B <= 1.5", "selection | near s2", "| count(", "selection and |",
]  # fmt: skip
scalars = st.one_of(st.none(), st.booleans(), st.integers(-2, 20), st.sampled_from(TEXTS))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)),
    max_leaves=12,
)
selections = st.one_of(st.just({"A|contains": ["x", "y"]}), st.just(["keyword"]), values)
identifiers = {"selection": selections, "s2": st.just({"B": 1})}
said = {"id": st.sampled_from(["x", "y", 5]), "level": st.sampled_from(["low", "low", "x"]), "title": values}
actions = {"action": st.sampled_from(["global", "reset", "repeat", "repeat", "x"])}
windows = {"logsource": st.sampled_from([{"product": "windows"}, {"product": "windows"}, None, "x"])}
#: Documents that are nearly right, so that not all end at their first fault.
rules_ = st.fixed_dictionaries(
    {
        "detection": st.fixed_dictionaries(
            {**identifiers, "condition": st.sampled_from(TEXTS)},
            optional={"timeframe": st.sampled_from(["5m", "5m", 5])},
        ),
        **windows,
    },
    optional={**said, **actions},
)
plain_rules = st.fixed_dictionaries(
    {"detection": st.fixed_dictionaries({**identifiers, "condition": st.sampled_from(TEXTS)}), **windows},
    optional=said,
)
filters_ = st.fixed_dictionaries(
    {
        "filter": st.fixed_dictionaries(
            {
                **identifiers,
                "condition": st.sampled_from(["not selection", "s2", *TEXTS]),
                "rules": st.sampled_from(["any", ["x"], []]),
            }
        ),
        **windows,
    },
    optional=said,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(values, rules_, plain_rules, plain_rules, filters_), max_size=6))
def test_reading_never_fails(given_documents: list[Any]) -> None:
    before = deepcopy(given_documents)
    found = list(resolved(given_documents))
    # A global document is told of if nothing stands behind it; a reset, if it says more.
    spoken = [
        one for one in given_documents if not (isinstance(one, dict) and one.get("action") in ("global", "reset"))
    ]
    assert len(found) >= len(spoken)
    rules: list[Rule] = []
    filters = []
    for one in found:
        assert (one.kind == NOTHING) == has_errors(one.problems)
        if one.kind == RULE and has_aggregation(one.document):
            counted, problems = read_aggregated(one.document, {"p": ["q"]})
            assert (counted is None) == has_errors(problems)
            rules += [counted.rule] if counted else []
        elif one.kind == RULE:
            rule, problems = read_rule(one.document, {"p": ["q"]})
            assert (rule is None) == has_errors(problems)
            rules += [rule] if rule else []
        elif one.kind == FILTER:
            read, problems = read_filter(one.document, {"p": ["q"]})
            assert (read is None) == has_errors(problems)
            filters += [read] if read else []
    result, _ = apply_filters(rules, filters)
    assert [rule.id for rule in result] == [rule.id for rule in rules]
    assert given_documents == before
