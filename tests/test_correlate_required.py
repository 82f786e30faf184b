"""``sigmamatch required=auto`` asks for what correlations need too: the columns it names give the same alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builder.mappings import Mappings
from builder.package import app_files, unpack
from builder.replay import CORRELATE, Command, event_chunk, rows
from sigmaengine.correlation import read_correlation
from sigmaengine.correlationrefs import resolve
from sigmaengine.results import FIELDS
from tests.support.apps import Row, rule_of
from tests.support.correlating import inputs_of
from tests.support.searches import PROCESS_CREATION, SYSMON

UUID = "00000000-0000-4000-8000-0000000000"
TUNNEL, FAIL, OTHER = (UUID + number for number in ("b1", "b2", "b3"))
RULES = [
    rule_of(
        {"logsource": PROCESS_CREATION, "detection": {"s": {"CommandLine|contains": "-R "}, "condition": "s"}},
        TUNNEL,
        "Tunnel",
    ),
    rule_of({"level": "low", "detection": {"s": {"act": "fail"}, "condition": "s"}}, FAIL, "Fail"),
    rule_of({"detection": {"s": {"act": "other"}, "condition": "s"}}, OTHER, "Other"),
]
CORRELATIONS: dict[str, dict[str, Any]] = {
    "group-by": {"type": "event_count", "rules": [TUNNEL], "group-by": ["Image"], "condition": {"gte": 2}},
    "field": {"type": "value_count", "rules": [FAIL], "condition": {"gte": 2, "field": "target"}},
    "aliases": {
        "type": "temporal",
        "rules": [TUNNEL, FAIL],
        "group-by": ["who"],
        "aliases": {"who": {TUNNEL: "User", FAIL: "request.user"}},
    },
    "chain": {"type": "value_count", "rules": ["group-by"], "condition": {"gte": 1, "field": "ParentImage"}},
    "unselected": {"type": "value_count", "rules": [OTHER], "condition": {"gte": 2, "field": "nothing_of_fail"}},
}
EVENTS: list[Row] = [
    {"Channel": SYSMON, "EventCode": "1", "Image": "a", "CommandLine": "x -R y", "User": "u", "ParentImage": "p"},
    {
        "Channel": "Security", "EventCode": "4688", "NewProcessName": "a", "CommandLine": "x -R y",
        "SubjectUserName": "u", "ParentProcessName": "p",
    },
    {"act": "fail", "target": "t1", "request{}.user": "u"},
    {"act": "fail", "target": "t2", "request{}.user": "v"},
]  # fmt: skip
TIMED: list[Row] = [
    {**event, "_time": str(place), "_cd": f"1:{place}", "_bkt": "main~1"} for place, event in enumerate(EVENTS, 1)
]


@pytest.fixture(scope="module")
def app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with RULES and CORRELATIONS, whose names are their titles."""
    read = []
    for name, content in CORRELATIONS.items():
        document = {"title": name, "name": name, "level": "high", "correlation": {"timespan": "1h", **content}}
        one, problems = read_correlation(document)
        assert one is not None, problems
        read.append(one)
    resolved, found = resolve(read, RULES)
    assert len(resolved) == len(read), found
    return unpack(app_files(inputs_of(RULES, resolved, mappings)), tmp_path_factory.mktemp("required"))


def columns(app: Path, *options: str) -> list[str]:
    """What sigmamatch asks splunkd for."""
    with Command(app, [*options, "required=auto"]) as command:
        command.send(b"", finished=True)
        asked: list[str] = command.configuration["required_fields"]
    return asked


def alerts(app: Path, events: list[Row], *options: str) -> list[dict[str, Any]]:
    """The alerts of a search of both commands."""
    with Command(app, options) as match, Command(app, [], command=CORRELATE) as correlate:
        matched = match.send(event_chunk(events), finished=True)
        found = list(rows(correlate.send(matched, finished=True)))
    told = [row for row in found if row.get("sigma_correlation_type")]
    return [{name: value for name, value in row.items() if value} for row in told]


#: What sigmamatch is asked for -> the correlations that must have alerts.
SEARCHES: dict[str, tuple[list[str], set[str]]] = {
    "everything": ([], {"field", "aliases", "chain"}),
    "group-by": (["rules=group-by"], {"chain"}),
    "field": (["rules=field"], {"field"}),
    "aliases": (["rules=aliases"], {"chain", "field", "aliases"}),
    "an-inner-one-s-rule-by-the-outer-one": (["rules=chain"], {"chain"}),
    "a-rule-that-correlations-list": (["rules=Tunnel"], {"chain"}),
    "log-source": (["rules=Tunnel", "logsource=windows/process_creation"], {"chain"}),
    "profile": (["rules=Fail", "fields=none"], {"field"}),
}


@pytest.mark.parametrize(("options", "titles"), SEARCHES.values(), ids=SEARCHES)
def test_the_columns_alone_give_the_same_alerts(app: Path, options: list[str], titles: set[str]) -> None:
    asked = columns(app, *options)
    cut: list[Row] = [{name: value for name, value in event.items() if name in asked} for event in TIMED]
    whole = alerts(app, TIMED, *options)
    assert {row["sigma_rule_title"] for row in whole} == titles
    assert alerts(app, cut, *options) == whole
    assert asked[-len(FIELDS) :] == list(FIELDS)
    assert len(asked) == len(set(asked))
    assert {"_time", "_cd", "_bkt"} <= set(asked)


def test_nothing_is_asked_for_of_correlations_that_list_no_selected_rule(app: Path) -> None:
    asked = columns(app, "rules=Fail")
    assert "nothing_of_fail" not in asked
    assert not {"Image", "ParentImage", "User"} & set(asked)
    assert {"nothing_of_fail", "target", "ParentImage"} <= set(columns(app))


def test_without_a_correlation_no_time_is_asked_for(mappings: Mappings, tmp_path: Path) -> None:
    app = unpack(app_files(inputs_of(RULES, [], mappings)), tmp_path)
    assert not {"_time", "_cd", "_bkt"} & set(columns(app))


def test_rule_text_is_counted_by_no_packaged_correlation(app: Path) -> None:
    assert "target" not in columns(app, "selection={act: fail}")
