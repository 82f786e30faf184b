"""Rules that count, of Sigma 1 and as correlations, among the others of a build."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from builder.rulefiles import read_folders
from sigmaengine.adhoc import read_rule_text
from sigmaengine.aggregation import EVENTS
from tests.support.builds import ANY, FINDING, UUID, matched, members, report_of, rule, run, write
from tests.support.rulefiles import folder_of, places

OLD = f"{UUID}01"


def old(condition: str = "selection | count() by User > 2", number: int = 1, timeframe: str = "5m", **said: str) -> str:
    """A rule of Sigma 1 that counts."""
    return rule(number, condition=condition, logsource=ANY, **said) + f"  timeframe: {timeframe}\n"


def correlation(number: int, rules: str, **said: str) -> str:
    """A correlation of version 2."""
    lines = {"title": f"Correlation {number}", "status": "test", "level": "high", **said}
    return (
        f"id: {UUID}{number:02}\n"
        + "".join(f"{key}: {value}\n" for key, value in lines.items())
        + f"correlation:\n  type: event_count\n  rules: {rules}\n  timespan: 5m\n  condition: {{gte: 3}}\n"
    )


def test_check_says_what_a_rule_is_read_as(tmp_path: Path) -> None:
    write(tmp_path, a=old().replace(ANY, "{product: windows}"), b=rule(2))
    result = run("check", "--rules", tmp_path, "--ignore", "convention")
    assert result.exit_code == 0
    found = FINDING.fullmatch(result.stdout.strip())
    assert found is not None
    assert (found["line"], found["severity"], found["code"]) == ("9", "warning", "condition-aggregation")
    assert "event_count" in found["text"]
    assert result.stderr == "1 rules, 1 correlations in 2 files: 0 refused, 1 warnings\n"


def test_what_the_package_holds(tmp_path: Path) -> None:
    write(
        tmp_path / "rules",
        a=old(tags="[attack.t1110]", description="Counts."),
        b=rule(2, name="base"),
        c=correlation(3, "[base]", tags="[attack.t1111]"),
        d=correlation(4, f"['{OLD}', {UUID}03]"),
        e=correlation(5, "[nobody]"),
    )
    result = run("package", "--rules", tmp_path / "rules", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "1 rules, 4 correlations in 5 files: 4 accepted, 1 refused\n" in result.stdout
    entries = {Path(entry["path"]).stem: entry for entry in report_of(tmp_path / "out")["rules"]}
    assert {name: (entry["kind"], entry["status"], entry["id"]) for name, entry in entries.items()} == {
        "a": ("correlation", "accepted", OLD),
        "b": ("rule", "accepted", f"{UUID}02"),
        "c": ("correlation", "accepted", f"{UUID}03"),
        "d": ("correlation", "accepted", f"{UUID}04"),
        "e": ("correlation", "refused", f"{UUID}05"),
    }
    files = members(tmp_path / "out")
    packed = {info[0] for shard in json.loads(files["bin/ruleset/index.json"])["shards"] for info in shard["rules"]}
    assert packed == {OLD + EVENTS, f"{UUID}02"}
    listed = {one[0]: one[8] for one in json.loads(files["bin/ruleset/correlations.json"])}
    assert listed == {
        OLD: [OLD + EVENTS],
        f"{UUID}03": [f"{UUID}02"],
        f"{UUID}04": [OLD, f"{UUID}03"],
    }
    assert list(listed)[-1] == f"{UUID}04", "inner correlations come first"
    (lookup,) = (content for name, content in files.items() if name.startswith("lookups/sigma_rules_"))
    rows = {row["sigma_rule_id"]: row for row in csv.DictReader(io.StringIO(lookup.decode()))}
    assert list(rows) == [f"{UUID}0{number}" for number in (1, 2, 3, 4)]
    assert (rows[OLD]["title"], rows[OLD]["techniques"], rows[OLD]["description"]) == ("Rule 1", "T1110", "Counts.")
    assert (rows[f"{UUID}03"]["level"], rows[f"{UUID}03"]["techniques"]) == ("high", "T1111")


@pytest.mark.parametrize("reference", [OLD, OLD.upper(), "counts"])
def test_a_filter_reaches_what_is_counted(tmp_path: Path, reference: str) -> None:
    one = (
        f"title: F\nid: {UUID}90\nlogsource: {ANY}\nfilter:\n  rules: ['{reference}']\n"
        "  own: {User: adm}\n  condition: not own\n"
    )
    folder = folder_of(tmp_path, a=old(name="counts"), b=rule(2, logsource=ANY), f=one)
    assert [outcome.filters for outcome in folder.outcomes] == [[f"{UUID}90"], [], []]
    (counted, other) = folder.rules
    assert (counted.condition[0], other.condition) == ("and", ["id", "selection"])


def test_a_filter_of_a_correlation_is_a_warning(tmp_path: Path) -> None:
    one = (
        f"title: F\nid: {UUID}90\nlogsource: {ANY}\nfilter:\n  rules:\n    - {UUID}03\n"
        "  own: {User: adm}\n  condition: not own\n"
    )
    folder = folder_of(tmp_path, a=rule(2), c=correlation(3, f"[{UUID}02]"), f=one)
    (finding,) = [finding for finding in folder.findings if finding.code == "filter-rule-unknown"]
    assert (finding.line, finding.severity) == (6, "warning")
    assert "is a correlation, not a rule" in finding.message


IDS: dict[str, tuple[str, str, str]] = {
    "two that count": (old(), old("selection | count() > 3"), "this correlation is left out"),
    "a rule and a correlation": (rule(1), correlation(1, "[x]"), "this correlation is left out"),
    "one that counts and a rule": (old(), rule(1), "this rule is left out"),
    "the rule that is counted": (old(), rule(2).replace(f"{UUID}02", f"'{OLD}{EVENTS}'"), "this rule is left out"),
}


@pytest.mark.parametrize("name", IDS)
def test_ids_are_of_one_document(tmp_path: Path, name: str) -> None:
    first, second, told = IDS[name]
    folder = read_folders([write(tmp_path, a=first, b=second)])
    found = [finding for finding in folder.findings if finding.code == "id-duplicate"]
    assert places(found) == [("b.yml", 1, "id-duplicate")]
    assert told in found[0].message
    assert folder.outcomes[1].meant is None
    assert folder.outcomes[1].rule is None


def test_what_counts_a_refused_rule_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a=old("selection | count() > 2\n  x: {A|foo: b}"), c=correlation(3, f"['{OLD}']"))
    assert folder.accepted == []
    assert {code for _, _, code in places(folder.findings)} == {"modifier-unknown", "correlation-reference"}
    assert folder.rules == []


def test_a_document_behind_a_global_one_can_count(tmp_path: Path) -> None:
    shared = f"action: global\nlogsource: {ANY}\nlevel: low\nstatus: test\ndetection:\n  timeframe: 10m\n"
    parts = [
        f"id: {UUID}0{number}\ntitle: T\ndetection:\n  s: {{A: x}}\n  condition: s | count() > {number}\n"
        for number in (1, 2)
    ]
    folder = folder_of(tmp_path, a="---\n".join([shared, *parts]))
    assert [(one.timespan, one.condition.comparisons) for one in folder.correlations] == [
        (600, [("gt", "1")]),
        (600, [("gt", "2")]),
    ]
    bad = folder_of(tmp_path / "bad", a="---\n".join([shared.replace("10m", "soon"), *parts]))
    assert places(bad.findings) == [("a.yml", 6, "timeframe")] * 2


#: (second, user, host) of events, all but those of "no" selected; Size is the second and one.
STREAM = [
    (0, "a", "h1"), (10, "a", "h2"), (20, "b", "h1"), (30, "no", "h3"), (50, "a", "h3"), (60, "b", "h4"),
    (71, "a", "h1"),
]  # fmt: skip
#: An aggregation over 60 s; the event that completes it, the group and the value of each alert.
COUNTED: dict[str, list[tuple[int, dict[str, str], float]]] = {
    "count() > 3": [(4, {}, 4)],
    "count() by User > 2": [(4, {"User": "a"}, 3)],
    "count() by User >= 2": [(1, {"User": "a"}, 2), (5, {"User": "b"}, 2), (6, {"User": "a"}, 2)],
    "count(Host) > 2": [(4, {}, 3)],
    "count(Host) by User > 2": [(4, {"User": "a"}, 3)],
    "sum(Size) by User > 60": [(4, {"User": "a"}, 63), (5, {"User": "b"}, 82)],
    "avg(Size) > 40": [(6, {}, 51.25)],
    "count() > 99": [],
}


@pytest.mark.parametrize("via", ["engine", "command"])
@pytest.mark.parametrize("text", COUNTED)
def test_what_counts_matches(tmp_path: Path, text: str, via: str) -> None:
    condition = f"selection and not other | {text}"
    body = old(condition, timeframe="60s").replace("    Image: x\n", "    User|exists: true\n  other:\n    User: no\n")
    write(tmp_path / "rules", a=body)
    events = tmp_path / "events.jsonl"
    rows = [
        {"_time": str(1_700_000_000 + second), "User": user, "Host": host, "Size": str(second + 1)}
        for second, user, host in STREAM
    ]
    events.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = matched("--rules", tmp_path / "rules", "--via", via, events)
    assert [(one["event"], one["group"], one["value"]) for one in found] == COUNTED[text]
    assert {(one["rule_id"], one["title"], one["level"]) for one in found} <= {(OLD, "Rule 1", "low")}


def test_rule_text_in_a_search_cannot_count() -> None:
    with pytest.raises(ValueError, match=r"rule=, line 9: an aggregation .* leave out what follows"):
        read_rule_text(old(), "", "")
