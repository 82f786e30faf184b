"""``convert --target splunk`` of correlations: tests/convert/correlations-splunk.yml, refusals, alerts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from builder.paths import ROOT, RULES
from builder.replay import CORRELATE, Command, event_chunk, rows
from builder.rulefiles import read_folders
from tests.support.apps import Row
from tests.support.builds import UUID, rule, run, write
from tests.support.sequences import sequences
from tests.support.spl import parse

TABLE = Path(__file__).parent / "convert" / "correlations-splunk.yml"
CASES: list[dict[str, Any]] = yaml.safe_load(TABLE.read_text("utf-8"))
SECURITY = {"product": "windows", "service": "security"}
COUNTED = {"type": "event_count", "rules": ["a"], "timespan": "1m", "condition": {"gte": 2}}


def header(number: int, name: str, **said: Any) -> dict[str, Any]:
    return {"id": f"{UUID}{number:02}", "name": name, "title": name, "status": "test", "level": "low", **said}


def rule_of(number: int, name: str, **said: Any) -> dict[str, Any]:
    detection = {"selection": said["selection"], "condition": "selection"}
    return header(number, name, logsource=said.get("logsource", SECURITY), detection=detection)


def file_of(path: Path, *documents: dict[str, Any]) -> Path:
    path.write_text("\n---\n".join(map(json.dumps, documents)), "utf-8")
    return path


def query_of(path: Path) -> str:
    result = run("convert", "--target", "splunk", path)
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()[-1]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_correlation_is_a_search(case: dict[str, Any], tmp_path: Path) -> None:
    rules = {name: rule_of(number, name, **said) for number, (name, said) in enumerate(case["rules"].items(), 1)}
    correlations = [
        header(number, name, correlation=said) for number, (name, said) in enumerate(case["correlations"].items(), 11)
    ]
    path = file_of(tmp_path / "r.yml", *rules.values(), *correlations)
    result = run("convert", "--target", "splunk", path)
    assert result.exit_code == 0, result.stderr
    base, match, correlate, *keep = result.stdout.splitlines()[-1].split(" | ")
    listed, options = ",".join(rules[name]["id"] for name in case["matched"]), f" {case['options']}".rstrip()
    assert match == f'sigmamatch rules="{listed}"{options}'
    assert correlate == f'sigmacorrelate rules="{correlations[-1]["id"]}"{options}'
    own = f'where isnotnull(sigma_correlation_type) AND sigma_rule_id="{correlations[-1]["id"]}"'
    assert keep == ([] if case.get("shown") else [own])
    assert f"has to begin {case['back']} s before" in result.stderr
    assert case.get("note", "") in result.stderr
    if options.startswith(" fields"):
        alone = [query_of(file_of(tmp_path / "one.yml", rules[name])) for name in case["matched"]]
        assert base == " OR ".join(f"({one})" for one in alone)


def test_a_counting_rule_of_sigma_1_counts_its_own_events(tmp_path: Path) -> None:
    counting = rule_of(1, "a", selection={"EventID": 4625})
    counting["detection"].update(timeframe="5m", condition="selection | count() by User > 5")
    query = query_of(file_of(tmp_path / "r.yml", counting))
    fields = "fields=windows_xml"
    commands = f' | sigmamatch rules="{UUID}01#events" {fields} | sigmacorrelate rules="{UUID}01" {fields} | where '
    assert commands in query


def test_rules_may_stand_in_other_files_that_are_given(tmp_path: Path) -> None:
    rules = write(tmp_path / "rules", a=rule(1, name="a"))
    path = file_of(tmp_path / "c.yml", header(11, "c", correlation=COUNTED))
    alone = run("convert", "--target", "splunk", path)
    assert (alone.exit_code, alone.stdout) == (1, "")
    assert "no rule or correlation in use has the id or the name 'a'" in alone.stderr
    both = run("convert", "--target", "splunk", path, rules)
    assert both.exit_code == 0
    assert both.stdout.count("\n") == 2
    assert f'sigmacorrelate rules="{UUID}11"' in both.stdout


REFUSED: dict[str, tuple[list[str], str, str]] = {
    "exact": (["--exact"], f"{UUID}11", "a Splunk search cannot say it exactly"),
    "an id that breaks out": ([], '"] | delete "', "an id that no search can name"),
}


@pytest.mark.parametrize(("options", "ident", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(options: list[str], ident: str, message: str, tmp_path: Path) -> None:
    correlation = {**header(11, "c", correlation=COUNTED), "id": ident}
    path = file_of(tmp_path / "r.yml", rule_of(1, "a", selection={"EventID": 1}), correlation)
    result = run("convert", "--target", "splunk", *options, path)
    assert result.exit_code == 1
    assert message in result.stderr
    assert "sigmacorrelate" not in result.stdout


def test_an_id_of_a_rule_breaks_out_of_no_search(tmp_path: Path) -> None:
    inexact = {**rule_of(1, "a", selection={"a|fieldref": "b"}), "id": '" | delete "'}
    counted = header(11, "c", correlation=COUNTED)
    result = run("convert", "--target", "splunk", file_of(tmp_path / "r.yml", inexact, counted))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "an id that no search can name" in result.stderr
    assert "the option rules= cannot name" in result.stderr


def test_rules_of_which_one_has_no_mapping_are_not_found_together(tmp_path: Path) -> None:
    rules = [rule_of(1, "a", selection={"x": "y"}), rule_of(2, "b", selection={"x": "y"}, logsource={"product": "no"})]
    counted = header(11, "c", correlation={**COUNTED, "rules": ["a", "b"]})
    result = run("convert", "--target", "splunk", file_of(tmp_path / "r.yml", *rules, counted))
    assert result.exit_code == 1
    assert "no/*/* has no mapping" in result.stderr


# --- the project's own correlations, on their sequences of events -----------------------------------

OWN = {
    Path(one.path).relative_to(ROOT).as_posix(): one.correlation
    for one in read_folders([RULES]).outcomes
    if one.correlation
}


@pytest.fixture(scope="module")
def searches() -> dict[str, str]:
    """The converted search of each, by its id."""
    # Some of the events have the names of the classic rendering.
    result = run("convert", "--target", "splunk", "--fields", "auto", RULES)
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if "| sigmacorrelate" in line]
    return {re.findall(r'sigmacorrelate rules="([^"]+)"', line)[0]: line for line in lines}


def rows_of(app: Path, events: list[Row], match: list[str], correlate: list[str]) -> list[Row]:
    """What the commands, with the options of a search, make of events."""
    with Command(app, match) as first, Command(app, correlate, command=CORRELATE) as second:
        return rows(second.send(first.send(event_chunk(events[::-1]), finished=True), finished=True))


@pytest.mark.parametrize("name", OWN)
def test_the_search_reads_what_its_commands_count(name: str, searches: dict[str, str], app: Path) -> None:
    """What stands before the commands lets every event through that they need: the alerts are all there."""
    own = OWN[name].id
    base, match, correlate, *_ = searches[own].split(" | ")
    search = parse(base)
    numbered = [
        {**event, "_cd": f"1:{place}"}
        for place, event in enumerate(event for one in sequences() if one.correlation == name for event in one.events)
    ]
    read = [event for event in numbered if search.matches(event)]
    given = [command.replace('"', "").split(" ")[1:] for command in (match, correlate)]
    alerts = [row for row in rows_of(app, read, *given) if row.get("sigma_correlation_type")]
    found = sorted(float(str(row["sigma_value"])) for row in alerts if row["sigma_rule_id"] == own)
    assert found == sorted(alert["value"] for one in sequences() if one.correlation == name for alert in one.alerts)
    assert found
