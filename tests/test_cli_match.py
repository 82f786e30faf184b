"""``build.py match``: which events match, by the packaged command and by the engine alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.events import Event
from builder.matching import VIA, Found
from builder.package import Inputs
from builder.paths import RULES
from builder.replay import Answers, CommandError
from builder.rulefiles import read_folders
from tests.support.builds import (
    ANY,
    DEMO,
    FINDING,
    UUID,
    anything_rule,
    event_files,
    matched,
    positions,
    rule,
    run,
    write,
)


@pytest.fixture(scope="module")
def anything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One rule that every event matches whose Image is not ``zzz``."""
    return anything_rule(tmp_path_factory.mktemp("any"))


def test_both_ways_give_the_same_lines_for_the_demo() -> None:
    by_command, by_engine = (run("match", "--format", "jsonl", "--via", via, DEMO) for via in ("command", "engine"))
    assert by_command.exit_code == by_engine.exit_code == 0
    assert by_command.stdout == by_engine.stdout
    lines = [json.loads(line) for line in by_command.stdout.splitlines()]
    matches = [line for line in lines if "group" not in line]
    assert [list(line) for line in matches] == [["event", "rule_id", "title", "level"]] * len(matches)
    alerts = lines[len(matches) :]
    assert [list(line)[4:] for line in alerts] == [["group", "value", "time", "events"]] * len(alerts)


def test_the_demo_has_an_event_for_each_own_rule_and_an_alert_of_each_type_of_correlation() -> None:
    shown = {line["rule_id"] for line in matched("--via", "engine", DEMO)}
    folder = read_folders([RULES])
    alerting = [one.kind for one in folder.correlations if one.id in shown]
    assert set(alerting) == {one.kind for one in folder.correlations} != set()
    # What is not shown is what correlations only count; without them it matches something too.
    files = [path for path in RULES.rglob("*.yml") if not path.name.startswith("correlation_")]
    alone = {line["rule_id"] for line in matched(*(f"--rules={path}" for path in files), "--via", "engine", DEMO)}
    assert alone == {rule.id for rule in folder.rules}
    assert alone - shown == {rule for one in folder.correlations if not one.generate for rule in one.rules}


def test_a_table_shows_every_match() -> None:
    lines = matched("--via", "engine", DEMO)
    header, rule_line, *rows, end = run("match", "--via", "engine", DEMO).stdout.splitlines()
    assert header.split() == ["event", "level", "rule", "id"]
    assert set(rule_line) == {"-", " "}
    assert [(row.split()[0], row.split()[1], row.split()[-1]) for row in rows] == [
        (str(line["event"]), line["level"], line["rule_id"]) for line in lines
    ]
    rules, events = ({line[key] for line in lines} for key in ("rule_id", "event"))
    assert end == f"{len(lines)} matches of {len(rules)} rules in {len(events)} events"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Event files: three of three events each, of which the middle one does not match."""
    return event_files(tmp_path)


@pytest.mark.parametrize("via", ["command", "engine"])
def test_events_count_over_all_files(anything: Path, files: Path, via: str) -> None:
    events = [files / name for name in ("c.jsonl.gz", "empty.jsonl", "a.jsonl", "d.CSV.GZ", "b.csv", "a.jsonl")]
    expected = [0, 2, 3, 5, 6, 8, 9, 11, 12, 14]
    assert positions("--rules", anything, "--via", via, *events) == expected


@pytest.mark.parametrize("via", ["command", "engine"])
def test_a_faulty_event_is_reported_and_keeps_its_place(anything: Path, files: Path, via: str) -> None:
    arguments = ["--rules", anything, "--via", via, files / "bad.jsonl", files / "a.jsonl"]
    result = run("match", "--format", "jsonl", *arguments)
    assert result.exit_code == 1
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == [0, 4, 5, 7]
    found = [match for line in result.stderr.splitlines() if (match := FINDING.fullmatch(line))]
    assert [(match["path"], match["line"], match["severity"]) for match in found] == [
        (str(files / "bad.jsonl"), "2", "error"),
        (str(files / "bad.jsonl"), "3", "error"),
    ]


@pytest.mark.parametrize("name", ["missing.jsonl", "missing", "events.txt", ".", "-", "empty.csv", "x" * 300])
def test_a_file_that_cannot_be_used_is_reported_and_the_others_are_matched(
    anything: Path, files: Path, name: str
) -> None:
    (files / "empty.csv").write_bytes(b"")
    arguments = ["--rules", anything, "--via", "engine", "--format", "jsonl", files / name, files / "a.jsonl"]
    result = run("match", *arguments)
    assert result.exit_code == 1
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == [0, 2]
    found = [match for line in result.stderr.splitlines() if (match := FINDING.fullmatch(line))]
    assert [(match["path"], match["severity"]) for match in found] == [((files / name).as_posix(), "error")]


@pytest.mark.parametrize("form", ["table", "jsonl"])
@pytest.mark.parametrize("via", ["command", "engine"])
def test_no_event_is_no_fault(anything: Path, files: Path, via: str, form: str) -> None:
    result = run("match", "--rules", anything, "--via", via, "--format", form, files / "empty.jsonl")
    assert result.exit_code == 0
    assert result.stdout == "" if form == "jsonl" else result.stdout.endswith("0 matches of 0 rules in 0 events\n")


def test_faulty_rules_are_reported_and_the_others_matched(anything: Path, files: Path, tmp_path: Path) -> None:
    write(tmp_path / "faulty", a=rule(1, "A|foo: x"))
    result = run("match", "--rules", anything, "--rules", tmp_path / "faulty", "--format", "jsonl", files / "a.jsonl")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2
    assert f"{tmp_path}/faulty/a.yml:8: error modifier-unknown: " in result.stderr


HOSTILE_EVENTS: list[dict[str, Any]] = [
    {},
    {"a": ""},
    {"a": None},
    {"a": "b"},
    {"_time": "1"},
    {"_raw": 'x "y" \r\n\t\0\x1b z'},
    {"Image": ["a", "zzz"]},
    {"Image": ["a", ["b", None, "zzz"], {}]},
    {"Image": "ZZZ"},
    {"Image": {"x": "zzz"}},
    {"Image": "zzz\n"},
    {"Image": '"zzz"'},
    {"Image": "$zzz$"},
    {"Image": "$zzz$;$b$"},
    {"Image": "$zzz$$;"},
    {"Image": ["$", ";", "$;$"]},
    {"Image": [" ", "\n", '"', ","]},
    {"Image": ["a\nb", "c"]},
    {"\u00fc": "\U0001f600\ufffe\u2028"},
    {"a\nb": "x", 'c"d': "y", "e,f": "z", " ": "w"},
    {"": "x"},
    {"a": "\r", "b": "\\"},
    # What an earlier sigmamatch added: of another run, and none of this one's matches.
    {"sigma_match": "no JSON", "sigma_rule_id": "stale", "sigma_rule_title": "Stale", "sigma_level": "high"},
    {"sigma_match": '{"id": "stale", "title": "Stale", "level": "high"}'},
    {"sigma_match": ['{"id": "stale"}', "[]"], "sigma_rule_id": ["stale", "older"]},
    {"sigma_tags": "x", "sigma_severity": "high", "sigma_risk_score": "99", "sigma_explain": "y"},
    {"_chunked_idx": "5", "a": "b"},
    {"_sigma_match_position": "77", "a": "b"},
    {"__mv_Image": "$zzz$;$b$", "a": "b"},
    {"__mv_": "x", "a": "b"},
]


def test_both_ways_give_the_same_lines_for_odd_events(anything: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text("".join(json.dumps(event) + "\n" for event in HOSTILE_EVENTS), "utf-8")
    write(
        tmp_path / "more",
        keyword=rule(32, logsource=ANY).replace("    Image: x\n", "    - 'x'\n"),
        exact=rule(33, "Image: zzz", logsource=ANY),
        empty=rule(34, "Image: ''", logsource=ANY),
        several=rule(35, "Image|contains|all: ['$', ';']", logsource=ANY),
    )
    arguments = ["--rules", anything, "--rules", tmp_path / "more", events]
    by_command, by_engine = (matched("--via", via, *arguments) for via in ("command", "engine"))
    differing = {line["event"] for line in [*by_command, *by_engine] if (line in by_command) != (line in by_engine)}
    assert [HOSTILE_EVENTS[number] for number in sorted(differing)] == []
    assert by_command == by_engine


def test_an_event_without_fields_is_an_event(anything: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text("{}\n{}\n", "utf-8")
    assert positions("--rules", anything, events) == [0, 1]


def _ends_early(_: Inputs, events: Iterable[Event | None], __: Answers) -> Iterator[Found]:
    yield from (Found(position, UUID, "T", "low") for position, event in enumerate(events) if event)
    raise CommandError("ended\n\x1b[31mearly")


def test_faulty_events_are_reported_when_the_command_ends_early(
    anything: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VIA, "engine", _ends_early)
    result = run("match", "--rules", anything, "--via", "engine", files / "bad.jsonl", color=True)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[:2] == ["ended", "\\x1b[31mearly"]
    assert [line.split(": ")[1] for line in result.stderr.splitlines()[2:]] == [
        "error event-json",
        "error event-not-object",
    ]


def test_a_warning_about_events_is_shown(anything: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text("Image,,b\nx,y,z\n", "utf-8")
    result = run("match", "--rules", anything, "--via", "engine", events)
    assert result.exit_code == 0
    assert result.stderr.startswith(f"{events}:1: warning event-csv-header: ")
