"""A filtered rule matches what the rule and the filter, each read as a rule by itself, both match."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaengine.fields import Columns
from sigmaengine.filters import apply_filters, read_filter
from sigmaengine.matcher import Matcher
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import read_rule
from sigmaengine.ruleset import from_rules
from tests.test_masks import EFFORT, XML, conditions, detections, events

ANYWHERE = {"definition": "any"}
#: Names that "1 of *", "all of x*" and "all of them" of both would take in, were they not kept apart.
identifiers = st.fixed_dictionaries({"x": detections, "y": detections, "z": detections, "condition": conditions})


def as_rule(number: int, detection: dict[str, Any]) -> dict[str, Any]:
    """A rule's document."""
    return {"id": f"{number}", "title": "t", "level": "low", "logsource": ANYWHERE, "detection": detection}


@settings(max_examples=150 * EFFORT, deadline=None)
@given(identifiers, st.lists(identifiers, min_size=1, max_size=2), st.lists(events, min_size=1, max_size=4))
def test_filtered_rules(base: dict[str, Any], filtering: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    parts = [read_rule(as_rule(number, detection))[0] for number, detection in enumerate([base, *filtering])]
    filters = [
        read_filter({"title": "f", "id": "f", "logsource": ANYWHERE, "filter": {"rules": "any", **detection}})[0]
        for detection in filtering
    ]
    # A filter can be used where the same detection can as a rule.
    assert [part is None for part in parts[1:]] == [one is None for one in filters]
    rules = [part for part in parts if part is not None]
    usable = [one for one in filters if one is not None]
    if parts[0] is None:
        return
    (result,), _ = apply_filters(rules[:1], usable)
    apart = Matcher(from_rules(rules, RoutingTable(XML)))
    together = Matcher(from_rules([result], RoutingTable(XML)))
    for event in rows:
        columns, values = Columns(list(event)), list(event.values())
        alone = {match.info.id for match in apart.match_plainly(columns, values)}
        expected = ["0"] if alone == {rule.id for rule in rules} else []
        assert [match.info.id for match in together.match(columns, values)] == expected
        assert [match.info.id for match in together.match_plainly(columns, values)] == expected
