"""Sliding windows against the definition: random streams, ties in time, any order, windows that touch."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaengine.correlation import KINDS, ORDERED, TEMPORALS, VALUED, Correlation, read_correlation
from sigmaengine.correlationrefs import resolve
from sigmaengine.correlator import Correlator
from sigmaengine.occurrences import MAX_LISTED, Alert, BaseEvent
from sigmaengine.plaincorrelation import PlainAlert, plain_alerts
from sigmaengine.timesort import TimeSorter

SECOND = 1_000_000_000
RULES = ("a", "b", "c")
VALUES = ["1", "2", "2.0", "-3", "1e2", "0.1", "0.2", "x", "7", ""]

number = st.one_of(st.integers(0, 6), st.sampled_from([-3, Decimal("0.5"), Decimal("1.5"), 100]))


class Named:
    """A rule as references know it."""

    def __init__(self, rule: str) -> None:
        self.id = self.name = rule


def usable(*documents: dict[str, Any]) -> list[Correlation]:
    """Correlations that must all be usable, inner ones first."""
    read = []
    for document in documents:
        correlation, problems = read_correlation(document)
        assert correlation is not None, problems
        read.append(correlation)
    resolved, found = resolve(read, map(Named, RULES))
    assert len(resolved) == len(read), found
    return resolved


@st.composite
def events(draw: st.DrawFn) -> list[BaseEvent]:
    """Events in the order of their times; many of one time."""
    size = draw(st.integers(0, 14))
    found = []
    for _ in range(size):
        time = draw(st.integers(0, 12)) * (SECOND // 2)
        rules = draw(st.sets(st.sampled_from(RULES), min_size=1, max_size=3))
        fields = {
            "u": draw(st.lists(st.sampled_from(["p", "q"]), max_size=2)),
            "w": draw(st.lists(st.sampled_from(["p", "q"]), min_size=1, max_size=1)),
            "n": [value for value in draw(st.lists(st.sampled_from(VALUES), max_size=2)) if value],
            "m": [value for value in draw(st.lists(st.sampled_from(VALUES), max_size=1)) if value],
        }
        found.append((time, {rule: {name: values for name, values in fields.items() if values} for rule in rules}))
    sorter = TimeSorter()
    for position, (time, matches) in enumerate(found):
        sorter.add(time, BaseEvent(time, "", "", matches, position).to_line(), position)
    return [BaseEvent.from_line(*key) for key in sorter.sorted()]


def expression(names: list[str]) -> st.SearchStrategy[str]:
    """Conditions in words."""
    return st.recursive(
        st.sampled_from(names),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda one: f"({' '.join(one)})"),
            inner.map(lambda one: f"not {one}"),
        ),
        max_leaves=5,
    )


@st.composite
def document(draw: st.DrawFn, kind: str, rules: tuple[str, ...] = RULES, rule_id: str = "k") -> dict[str, Any]:
    """A correlation of one type."""
    listed = draw(st.lists(st.sampled_from(rules), min_size=1, max_size=3, unique=True))
    content: dict[str, Any] = {"type": kind, "rules": listed, "timespan": draw(st.sampled_from(["1s", "2s", "3s"]))}
    group_by = draw(st.sampled_from([[], ["u"], ["w"], ["u", "w"]]))
    if group_by:
        content["group-by"] = group_by
        if draw(st.booleans()):
            content["aliases"] = {group_by[0]: {listed[0]: draw(st.sampled_from(["u", "w", "n"]))}}
    operators = draw(st.lists(st.sampled_from(["gt", "gte", "lt", "lte", "eq", "neq"]), min_size=1, max_size=2))
    condition: dict[str, Any] = {operator: draw(number) for operator in operators}
    if kind in VALUED:
        several = kind == "value_count" and draw(st.booleans())
        condition["field"] = ["n", "w"] if several else "n"
        if draw(st.booleans()) and len(listed) > 1 and not several:
            content.setdefault("aliases", {})["n"] = {listed[1]: "m"}
    if kind == "value_percentile":
        condition["percentile"] = draw(st.sampled_from([0, 25, 50, 90, 100, Decimal("33.3")]))
    if kind in TEMPORALS:
        choice = draw(st.sampled_from(["none", "mapping", "words"]))
        condition = {"none": None, "mapping": condition, "words": condition}[choice]
        if choice == "words":
            content["condition"] = draw(
                expression(listed).map(lambda text: " and ".join([text, *_unused(text, listed)]))
            )
    if condition and "condition" not in content:
        content["condition"] = condition
    return {"title": rule_id, "id": rule_id, "correlation": content}


def _unused(text: str, listed: list[str]) -> list[str]:
    words = text.replace("(", " ").replace(")", " ").split()
    return [f"({rule} or not {rule})" for rule in listed if rule not in words]


def told(alert: Alert | PlainAlert) -> tuple[Any, ...]:
    """An alert in a form that both ways share; equal numbers are equal."""
    window = alert.parts if isinstance(alert, Alert) else alert.window
    size = alert.size if isinstance(alert, Alert) else len(alert.window)
    last = [one.of if isinstance(alert, Alert) else one for one in window][-MAX_LISTED:]
    times = [one.time for one in last]
    return alert.correlation.id, alert.time, alert.group, Fraction(alert.value), size, times


def check(correlations: list[Correlation], stream: list[BaseEvent]) -> None:
    """Both ways give the same alerts."""
    fast = sorted(map(told, Correlator(correlations).alerts(stream)))
    assert fast == sorted(map(told, plain_alerts(correlations, stream)))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_windows_give_what_the_definition_says(kind: str, data: st.DataObject) -> None:
    check(usable(data.draw(document(kind))), data.draw(events()))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), inner=st.sampled_from(KINDS), middle=st.sampled_from(KINDS), outer=st.sampled_from(KINDS))
def test_chains_give_what_the_definition_says(data: st.DataObject, inner: str, middle: str, outer: str) -> None:
    documents = [
        data.draw(document(inner, rule_id="i")),
        data.draw(document(middle, ("i", "b"), rule_id="j")),
        data.draw(document(outer, ("i", "j", "a"), rule_id="k")),
    ]
    check(usable(*documents), data.draw(events()))


def many(count: int, seed: int) -> list[BaseEvent]:
    """A long stream, in order."""
    chance = random.Random(seed)  # noqa: S311 - a shuffle that repeats
    times = sorted(chance.randrange(count * SECOND // 4) for _ in range(count))
    return [
        BaseEvent(
            time,
            "",
            "",
            {
                rule: {"u": [chance.choice("pqrst")], "n": [str(chance.randrange(30))]}
                for rule in chance.sample(RULES, 2)
            },
            position,
        )
        for position, time in enumerate(times)
    ]


LONG: dict[str, dict[str, Any]] = {
    "event_count": {"condition": {"gte": 9}},
    "value_count": {"condition": {"gte": 9, "field": "n"}},
    "value_sum": {"condition": {"gt": 150, "field": "n"}},
    "value_avg": {"condition": {"gt": 15, "lt": 16, "field": "n"}},
    "value_percentile": {"condition": {"gt": 25, "field": "n", "percentile": 90}},
    "value_median": {"condition": {"lt": 10, "field": "n"}},
    "temporal": {"condition": "a and b and not c"},
    "temporal_ordered": {},
}


@pytest.mark.parametrize("kind", LONG)
def test_long_streams_give_what_the_definition_says(kind: str) -> None:
    content = {"type": kind, "rules": list(RULES), "group-by": ["u"], "timespan": "7s", **LONG[kind]}
    correlations = usable({"title": "k", "id": "k", "correlation": content})
    stream = many(400, KINDS.index(kind))
    check(correlations, stream)
    assert any(True for _ in Correlator(correlations).alerts(stream)), "a test that finds nothing shows nothing"


def test_groups_whose_window_is_empty_are_forgotten() -> None:
    content = {"type": "event_count", "rules": ["a"], "group-by": ["u"], "timespan": "2s", "condition": {"gte": 2}}
    correlator = Correlator(usable({"title": "k", "id": "k", "correlation": content}))
    kept = []
    stream = (BaseEvent(time * SECOND, "", "", {"a": {"u": [str(time)]}}) for time in range(10_000))
    for _ in correlator.alerts(_watched(stream, correlator, kept)):
        pytest.fail("each group has one event")
    assert max(kept) <= 4


def _watched(stream: Any, correlator: Correlator, kept: list[int]) -> Any:
    for event in stream:
        kept.append(correlator.groups)
        yield event


def test_sums_do_not_drift() -> None:
    """What was added and taken away again leaves nothing behind, whatever the sizes of numbers."""
    content = {"type": "value_sum", "rules": ["a"], "timespan": "1s", "condition": {"eq": Decimal("0.3"), "field": "n"}}
    numbers = [["1e300", "-7"], ["0.1", "0.2"], ["1e-300"], ["0.1", "0.1", "0.1"]]
    stream = [BaseEvent(at * 5 * SECOND, "", "", {"a": {"n": values}}) for at, values in enumerate(numbers)]
    alerts = list(Correlator(usable({"title": "k", "id": "k", "correlation": content})).alerts(stream))
    assert [alert.time // SECOND for alert in alerts] == [5, 15]


# --- sorting ------------------------------------------------------------------------------------

ORDERS = {
    "ascending": lambda lines: lines,
    "descending": lambda lines: lines[::-1],
    "disordered": lambda lines: random.Random(5).sample(lines, len(lines)),  # noqa: S311 - a shuffle that repeats
}


@pytest.mark.parametrize("buffer", [0, 700, 5_000, 10_000_000], ids=lambda size: f"buffer-{size}")
@pytest.mark.parametrize("order", ORDERS)
def test_records_come_out_by_time_whatever_the_order_and_the_memory(order: str, buffer: int) -> None:
    lines = [(time // 3, f'["{time % 7}","x y"]', time) for time in range(500)]
    sorter = TimeSorter(buffer)
    for time, line, position in ORDERS[order](lines):
        sorter.add(time, line, position)
    assert list(sorter.sorted()) == sorted(lines)
    assert sorter.count == 500
    assert (sorter.spilled > 0) == (buffer < 10_000_000)
    sorter.close()


def test_long_records_are_read_back_over_blocks(tmp_path: Any) -> None:
    lines = [(time, chr(65 + time) * 200_000, time) for time in range(9)]
    sorter = TimeSorter(300_000, str(tmp_path))
    for line in reversed(lines):
        sorter.add(*line)
    assert list(sorter.sorted()) == lines
    sorter.close()
    assert list(tmp_path.iterdir()) == []


def test_ordered_is_a_type_of_its_own() -> None:
    content = {"type": ORDERED, "rules": ["a", "b"], "timespan": "5s"}
    correlations = usable({"title": "k", "id": "k", "correlation": content})
    stream = [BaseEvent(0, "", "", {"b": {}}), BaseEvent(SECOND, "", "", {"a": {}})]
    assert list(Correlator(correlations).alerts(stream)) == []
