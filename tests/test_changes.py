"""What has changed since the last build, and stanzas of searches that are gone: ``build.py package --previous``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.builds import UUID, report_of, rule, run, write
from tests.support.savedsearches import PROCESS, built, confs

CORRELATION = (
    "title: Many\nid: {id}\nstatus: test\nlevel: high\ncorrelation:\n  type: event_count\n  rules: [{rule}]\n"
    "  group-by: [User]\n  timespan: 10m\n  condition: {{gte: 3}}\n"
)
OWN = "by_rule: [{rules: ['*'], level: low}]"
BEFORE = {
    "kept": rule(1, logsource=PROCESS),
    "retitled": rule(2, logsource=PROCESS),
    "leveled": rule(3, logsource=PROCESS),
    "changed": rule(4, logsource=PROCESS),
    "removed": rule(5, logsource=PROCESS),
    "refused": rule(6, logsource=PROCESS),
    "many": CORRELATION.format(id=f"{UUID}70", rule=f"{UUID}01"),
}
AFTER = {
    **{name: BEFORE[name] for name in ("kept",)},
    "retitled": rule(2, logsource=PROCESS, title="Another", author="somebody", tags="[attack.t1059]"),
    "leveled": rule(3, logsource=PROCESS, level="high", status="stable"),
    "changed": rule(4, "Image: y", logsource=PROCESS),
    "refused": rule(6, "Image|nonsense: y", logsource=PROCESS),
    "new": rule(8, logsource=PROCESS),
}


def named(number: int) -> str:
    return f"Sigma Rule - {UUID}{number:02}"


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of two builds, of which the second knows the first."""
    folder = tmp_path_factory.mktemp("changes")
    first = built(folder / "before", BEFORE, OWN)
    second = built(folder / "after", AFTER, OWN, "--previous", first / "build-report.json", status=1)
    return first, second


def changes(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "build-changes.json").read_text("utf-8"))
    return content


def ids(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["id"].removeprefix(UUID) for entry in entries]


@pytest.mark.parametrize(
    ("key", "expected"),
    [("new", ["08"]), ("changed", ["02", "03", "04"]), ("removed", ["05", "70"]), ("refused", ["06"])],
)
def test_what_became_of_the_rules(builds: tuple[Path, Path], key: str, expected: list[str]) -> None:
    assert ids(changes(builds[1])[key]) == expected


@pytest.mark.parametrize(("number", "expected"), [("02", ["title"]), ("03", ["level", "status"]), ("04", ["logic"])])
def test_what_of_a_rule_has_changed(builds: tuple[Path, Path], number: str, expected: list[str]) -> None:
    (entry,) = [one for one in changes(builds[1])["changed"] if one["id"] == f"{UUID}{number}"]
    assert [change["what"] for change in entry["changes"]] == expected
    assert all(change["from"] != change["to"] for change in entry["changes"])


def test_a_change_is_told_from_what_to_what(builds: tuple[Path, Path]) -> None:
    changed = {one["id"]: one["changes"] for one in changes(builds[1])["changed"]}
    assert changed[f"{UUID}02"] == [{"what": "title", "from": "Rule 2", "to": "Another"}]


def test_a_refused_rule_is_told_with_its_place_and_the_reason(builds: tuple[Path, Path]) -> None:
    (entry,) = changes(builds[1])["refused"]
    assert entry["path"].endswith("refused.yml:1")
    assert entry["why"][0].startswith("modifier-unknown: ")


def test_searches_that_are_gone_leave_stanzas_that_find_nothing(builds: tuple[Path, Path]) -> None:
    before, after = (confs(out)["savedsearches"] for out in builds)
    gone = {named(5), named(6), f"Sigma Correlation - {UUID}70"}
    assert set(before) - set(after) == set()
    for name in gone:
        assert after[name]["search"] == "| makeresults | where false()"
        assert (after[name]["disabled"], after[name]["enableSched"]) == ("1", "0")
        # Switched on in local/, it alerts of nothing.
        assert (after[name]["relation"], after[name]["quantity"], after[name]["alert.track"]) == (
            "greater than",
            "0",
            "0",
        )
        assert "since version 0.1.0" in after[name]["description"]
    assert {name for name, stanza in after.items() if "makeresults" in stanza["search"]} == gone


def test_what_is_gone_is_carried_on_until_it_comes_back(builds: tuple[Path, Path], tmp_path: Path) -> None:
    report = report_of(builds[1])
    for entry in report["searches"]["retired"]:
        entry["since"] = "0.0.7"
    (tmp_path / "last.json").write_text(json.dumps(report), "utf-8")
    back = {**AFTER, "removed": BEFORE["removed"]}
    third = built(tmp_path, back, OWN, "--previous", tmp_path / "last.json", status=1)
    searches = confs(third)["savedsearches"]
    assert "since version 0.0.7" in searches[named(6)]["description"]
    assert searches[named(5)]["enableSched"] == "1"
    assert ids(changes(third)["new"]) == ["05"]
    assert [one["name"] for one in report_of(third)["searches"]["retired"]] == [
        f"Sigma Correlation - {UUID}70", named(6),
    ]  # fmt: skip


def test_a_rule_that_goes_into_a_stream_leaves_its_own_search_behind(tmp_path: Path) -> None:
    rules = {"one": rule(1, logsource=PROCESS, level="high")}
    first = built(tmp_path / "a", rules, OWN)
    second = built(tmp_path / "b", rules, "{}", "--previous", first / "build-report.json")
    (entry,) = changes(second)["changed"]
    assert entry["changes"] == [{"what": "search", "from": "rule", "to": "stream"}]
    assert confs(second)["savedsearches"][named(1)]["disabled"] == "1"


def test_the_same_rules_are_no_change(tmp_path: Path) -> None:
    first = built(tmp_path / "a", BEFORE, OWN)
    second = built(tmp_path / "a", BEFORE, OWN, "--previous", first / "build-report.json")
    found = changes(second)
    assert [found[key] for key in ("new", "changed", "removed", "refused", "retired")] == [[], [], [], [], []]


def test_changes_of_an_earlier_build_do_not_stay(tmp_path: Path) -> None:
    out = built(tmp_path, BEFORE, OWN)
    built(tmp_path, BEFORE, OWN, "--previous", out / "build-report.json")
    assert (out / "build-changes.json").exists()
    built(tmp_path, BEFORE, OWN)
    assert not (out / "build-changes.json").exists()


def test_the_summary_counts_the_changes(builds: tuple[Path, Path], tmp_path: Path) -> None:
    arguments = ["--rules", builds[1].parent / "rules", "--config", builds[1].parent / "config.yml"]
    result = run("package", *arguments, "--out", tmp_path, "--previous", builds[0] / "build-report.json")
    assert "since the build of version 0.1.0: 1 new, 3 changed, 2 removed, 1 refused now" in result.stdout
    assert "  changed: Another (title)" in result.stdout.splitlines()


def test_a_report_of_a_version_that_said_less_is_compared_as_far_as_it_goes(tmp_path: Path) -> None:
    first = built(tmp_path, BEFORE, OWN)
    report = report_of(first)
    del report["searches"]
    for entry in report["rules"]:
        for key in ("level", "rule_status", "logic", "search"):
            del entry[key]
    (tmp_path / "old.json").write_text(json.dumps(report), "utf-8")
    found = changes(built(tmp_path, BEFORE, OWN, "--previous", tmp_path / "old.json"))
    assert (found["changed"], found["retired"]) == ([], [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{", ":1: error report: this is no JSON: ", id="no-json"),
        pytest.param('{\n"a": 1,\n}', ":3: error report: this is no JSON: ", id="no-json-on-line-3"),
        pytest.param("[]", ":1: error report: this is no build report; ", id="a-list"),
        pytest.param('{"app": {}, "rules": [{"id": 1}]}', ":1: error report: this is no build report; ", id="other"),
        pytest.param('{"app": {}, "rules": [], "searches": {"names": [1]}}', ":1: error report: ", id="no-names"),
        pytest.param('{"app": {}, "rules": [], "searches": {"names": ["a]b"]}}', ":1: error report: ", id="odd-names"),
        pytest.param(
            '{"app": {}, "rules": [], "searches": {"retired": [{"name": "", "since": "1"}]}}',
            ":1: error report: ",
            id="odd-retired",
        ),
        pytest.param('{"app": {}, "rules": [], "searches": {"names": null}}', ":1: error report: ", id="null-names"),
    ],
)
def test_what_is_no_report_is_a_message(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "last.json").write_text(text, "utf-8")
    rules = write(tmp_path / "rules", one=rule(1))
    result = run("package", "--rules", rules, "--out", tmp_path / "out", "--previous", tmp_path / "last.json")
    assert result.exit_code == 1
    assert f"{tmp_path / 'last.json'}{expected}" in result.stderr
    assert "build-report.json" in result.stderr
    assert not (tmp_path / "out").exists()
