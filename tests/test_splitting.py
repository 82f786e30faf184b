"""However events are split into chunks and over processes, the packaged command finds the same."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from builder.mappings import Mappings
from sigmaengine.rule import read_rule
from tests.conformance.oracles import examples
from tests.support.apps import Row, app_of, search
from tests.support.derived import event_for
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.support.randomrules import PLACEHOLDERS, rule

EVENTS = 400


def rules_and_events(random: Random) -> tuple[list[Any], list[Row]]:
    """Some random rules, and events made for them; some values are multivalue."""
    documents = [rule(random, number) for number in range(40)]
    found = [read_rule({**document, "logsource": {}}, PLACEHOLDERS)[0] for document in documents]
    events: list[Row] = []
    for number in range(EVENTS):
        event: Row = {"_time": str(number), "n": str(number), **event_for(random.choice(documents), random)}
        for field in list(event)[2:]:
            if random.random() < 0.1:
                event[field] = [str(event[field]), "ab"]
        events.append(event)
    return found, events


def split(events: list[Row], random: Random) -> list[list[Row]]:
    """The events in pieces of any size, in order; empty ones too."""
    cuts = sorted(random.randint(0, len(events)) for _ in range(random.choice([0, 1, 5, 60])))
    return [events[start:end] for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True)]


def matched(rows: list[Row]) -> dict[str, str | list[str]]:
    """Event -> the rules that match it."""
    return {str(row["n"]): row["sigma_rule_id"] for row in rows}


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
@pytest.mark.parametrize("seed", range(examples(1, 12)))
def test_splitting_changes_nothing(
    seed: int, version: str, mappings: Mappings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    random = Random(seed)  # noqa: S311 - the same in every run
    rules, events = rules_and_events(random)
    app = app_of(rules, mappings, tmp_path_factory.mktemp("split"))
    python = splunk_python(version)
    whole = matched(search(app, ["mode=annotate"], [events], python))
    assert sum(bool(ids) for ids in whole.values()) > EVENTS / 4
    chunked = matched(search(app, ["mode=annotate"], split(events, random), python))
    shuffled = list(events)
    random.shuffle(shuffled)
    # As many searches as there are indexers, each with events of its own.
    parts = [matched(search(app, ["mode=annotate"], split(shuffled[part::3], random), python)) for part in range(3)]
    assert chunked == whole
    assert {number: ids for part in parts for number, ids in part.items()} == whole
