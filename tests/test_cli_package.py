"""``build.py package``: the report, the package, and the lookup in it."""

from __future__ import annotations

import configparser
import csv
import io
import json
import os
import re
from pathlib import Path

import pytest
from click.testing import Result

from builder.paths import ROOT
from tests.support.builds import ANY, FINDING, UUID, members, report_of, rule, run, start, write


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rules of every fate."""
    return write(
        tmp_path_factory.mktemp("mixed"),
        good=rule(1, title="'Good: \u00dcn\u00ef'"),
        warned=rule(2, "A|contains: ''", logsource="{product: atari, category: '\"\\e[31m\"'}"),
        twice=rule(1, "A: x"),
        faulty=rule(4, "A|foo: x\n    B|bar: y\n    C|re: '('"),
        broken="a: [\n",
        several=rule(6) + "---\n" + rule(7, "A|baz: x"),
        nothing="# nothing\n",
        correlation=f"title: C\nid: {UUID}10\nlevel: low\nstatus: test\ncorrelation: {{type: event_count}}\n",
        odd=rule(9, logsource='{product: "a\\nb\\e[31m"}'),
    )


@pytest.fixture(scope="module")
def built(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """The package of ``mixed``: what the command said and its folder."""
    out = tmp_path_factory.mktemp("built") / "new" / "folder"
    return run("package", "--rules", mixed, "--out", out), out


def test_the_good_rules_are_packed_and_the_others_listed(built: tuple[Result, Path]) -> None:
    result, out = built
    assert result.exit_code == 1
    index = json.loads(members(out)["bin/ruleset/index.json"])
    packed = sorted(info[0] for shard in index["shards"] for info in shard["rules"])
    assert packed == [f"{UUID}{number:02}" for number in (1, 2, 6, 9)]
    errors = [match for line in result.stderr.splitlines() if (match := FINDING.fullmatch(line))]
    assert {Path(match["path"]).stem for match in errors} == {
        "twice", "faulty", "broken", "several", "nothing", "correlation",
    }  # fmt: skip
    assert {match["severity"] for match in errors} == {"error"}


def test_a_summary_shows_nothing_that_moves_the_cursor(mixed: Path, tmp_path: Path) -> None:
    result = run("package", "--rules", mixed, "--out", tmp_path, color=True)
    assert "9 rules, 1 correlations in 9 files: 4 accepted, 6 refused" in result.stdout
    assert [line for line in (result.stdout + result.stderr)[:-1].split("\n") if not line.isprintable()] == []
    assert "log sources without a mapping" in result.stdout
    # A line for each log source, whatever its name holds.
    assert len(re.findall(r"^  .+/.+/.+: 1$", result.stdout, re.MULTILINE)) == 2


def test_the_report_holds_every_rule_and_its_sums_are_right(built: tuple[Result, Path]) -> None:
    report = report_of(built[1])
    entries, summary = report["rules"], report["summary"]
    fates = {(Path(entry["path"]).stem, entry["line"]): entry["status"] for entry in entries}
    assert summary["documents"] == len(entries) == 10
    assert (summary["rules"], summary["correlations"], summary["filters"]) == (9, 1, 0)
    assert {Path(entry["path"]).stem for entry in entries if entry["kind"] != "rule"} == {"correlation"}
    assert [key for key, fate in fates.items() if fate == "accepted"] == [
        ("good", 1), ("odd", 1), ("several", 1), ("warned", 1),
    ]  # fmt: skip
    assert summary["files"] == 9
    assert summary["accepted"] == 4
    assert summary["refused"] == len(entries) - 4
    findings = [finding for entry in entries for finding in entry["findings"]]
    assert summary["warnings"] == sum(finding["severity"] == "warning" for finding in findings) == 1
    for entry in entries:
        errors = [finding for finding in entry["findings"] if finding["severity"] == "error"]
        assert bool(errors) == (entry["status"] == "refused")
        assert all(finding["line"] >= entry["line"] and finding["message"] for finding in errors)
    assert report["app"]["ruleset"] == json.loads(members(built[1])["bin/ruleset/index.json"])["hash"]
    assert summary["unmapped_logsources"] == len(report["unmapped_logsources"]) == 2
    assert summary["logsources"] == 3


def test_the_report_counts_a_refused_rule_once_for_each_code(built: tuple[Result, Path]) -> None:
    # "faulty" has two unknown modifiers and is one rule.
    report = report_of(built[1])
    counted = {
        code: sum(any(finding["code"] == code for finding in entry["findings"]) for entry in report["rules"])
        for code in report["summary"]["refusals"]
    }
    assert report["summary"]["refusals"] == counted
    assert set(counted) == {
        "correlation-condition", "correlation-rules", "correlation-timespan", "id-duplicate", "modifier-unknown",
        "not-a-rule", "regex", "yaml-syntax",
    }  # fmt: skip


def test_the_report_names_refused_rules_as_far_as_they_are_known(built: tuple[Result, Path]) -> None:
    known = {Path(entry["path"]).stem: (entry["id"], entry["title"]) for entry in report_of(built[1])["rules"]}
    assert known["faulty"] == (f"{UUID}04", "Rule 4")
    assert known["correlation"] == (f"{UUID}10", "C")
    assert known["broken"] == ("", "")
    assert known["twice"] == (f"{UUID}01", "Rule 1")


def test_a_report_of_the_projects_rules_holds_no_time_and_no_machine(tmp_path: Path) -> None:
    assert run("package", "--out", tmp_path).exit_code == 0
    text = (tmp_path / "build-report.json").read_text("utf-8")
    assert str(ROOT) not in text
    assert str(tmp_path) not in text
    assert os.uname().nodename not in text
    assert not re.search(r"\d\d:\d\d:\d\d", text)


def test_a_report_is_written_when_no_rule_can_be_used(tmp_path: Path) -> None:
    write(tmp_path / "rules", a=rule(1, "A|foo: x"))
    assert run("package", "--rules", tmp_path / "rules", "--out", tmp_path / "out").exit_code == 1
    assert report_of(tmp_path / "out")["summary"]["accepted"] == 0


def test_the_report_names_folders_that_could_not_be_read(tmp_path: Path) -> None:
    rules = write(tmp_path / "rules", a=rule(1))
    run("package", "--rules", rules, "--rules", tmp_path / "missing", "--out", tmp_path / "out")
    report = report_of(tmp_path / "out")
    (folder,) = report["folders"]
    assert (folder["path"], folder["findings"][0]["code"]) == (str(tmp_path / "missing"), "no-rules")
    assert report["summary"]["rules"] == len(report["rules"]) == 1


def test_two_builds_are_byte_identical_wherever_they_run(mixed: Path, tmp_path: Path) -> None:
    variants: list[tuple[Path, dict[str, str]]] = [
        (ROOT, {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"}),
        (tmp_path, {"PYTHONHASHSEED": "2", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONUTF8": "0", "HOME": "/"}),
    ]
    files = []
    for number, (folder, env) in enumerate(variants):
        out = tmp_path / str(number)
        done = start("package", "--rules", mixed, "--out", out, cwd=folder, env=env)
        assert done.returncode == 1
        files.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert files[0].keys() == files[1].keys()
    assert [name for name in files[0] if files[0][name] != files[1][name]] == []


def test_the_order_and_names_of_files_do_not_change_the_rules(tmp_path: Path) -> None:
    one = write(tmp_path / "one", a=rule(1), b=rule(2), c=rule(3, logsource=ANY))
    two = write(tmp_path / "two", x=rule(3, logsource=ANY) + "---\n" + rule(2), y=rule(1))
    for folder in (one, two):
        assert run("package", "--rules", folder, "--out", folder / "out").exit_code == 0
    assert members(one / "out") == members(two / "out")


@pytest.mark.parametrize("blocked", ["build-report.json", "archive"])
def test_an_output_that_cannot_be_written_is_a_message(tmp_path: Path, blocked: str) -> None:
    write(tmp_path / "rules", a=rule(1))
    out = tmp_path / "out"
    assert run("package", "--rules", tmp_path / "rules", "--out", out).exit_code == 0
    (path,) = out.glob("*.tar.gz") if blocked == "archive" else [out / blocked]
    path.unlink()
    path.mkdir()
    done = start("package", "--rules", tmp_path / "rules", "--out", out)
    assert done.returncode == 1
    assert str(path) in done.stderr.decode()


def test_a_file_name_that_is_no_text_does_not_end_the_build(tmp_path: Path) -> None:
    write(tmp_path / "rules", good=rule(1))
    (tmp_path / "rules" / os.fsdecode(b"bad\xff.yml")).write_text(rule(2, "A|foo: x"), "utf-8")
    done = start("package", "--rules", tmp_path / "rules", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert len(report_of(tmp_path / "out")["rules"]) == 2


# --- the lookup ----------------------------------------------------------------

TOLD = rule(
    21,
    title='"Commas, \\"quotes\\" and\\nlines; \u00dcn\u00ef \U0001f600"',
    author="'A, B \"C\"'",
    date="2024-01-31",
    modified="2024/02/29",
    license="true",
    description='"one,\\n  two\\ttabs\\n\\n\\"three\\""',
    tags="[attack.t1059.001, attack.T1003, attack.command-and-control, attack.credential_access, attack.g0016,"
    " attack.s0002, attack.ta0002, cve.2021-44228, car.2013-05-009, detection.emerging-threats]",
    falsepositives='["a, b", "c\\nd", \'e "f"\', 17, null]',
    references="['https://example.org/?a=1,2&b=\"3\"', https://example.org/\u00fc]",
    logsource="{product: Windows, category: Process_Creation, service: x}",
)
EXPECTED = {
    "sigma_rule_id": f"{UUID}21",
    "title": 'Commas, "quotes" and lines; \u00dcn\u00ef \U0001f600',
    "level": "low",
    "status": "test",
    "description": 'one, two tabs "three"',
    "author": 'A, B "C"',
    "license": "true",
    "date": "2024-01-31",
    "modified": "2024/02/29",
    "tags": "attack.t1059.001\nattack.t1003\nattack.command-and-control\nattack.credential_access\nattack.g0016\n"
    "attack.s0002\nattack.ta0002\ncve.2021-44228\ncar.2013-05-009\ndetection.emerging-threats",
    "techniques": "T1059.001\nT1003",
    "technique_names": "PowerShell\nOS Credential Dumping",
    "tactics": "command-and-control\ncredential-access",
    "product": "windows",
    "category": "process_creation",
    "service": "x",
    # An empty member is none, and never the text "None".
    "falsepositives": 'a, b\nc d\ne "f"\n17',
    "references": 'https://example.org/?a=1,2&b="3"\nhttps://example.org/\u00fc',
}


@pytest.fixture(scope="module")
def lookup(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The package of rules that say much and little."""
    folder = tmp_path_factory.mktemp("lookup")
    rules = write(folder / "rules", told=TOLD, plain=rule(20), mapping=rule(22, falsepositives="[Admins: rarely]"))
    assert run("package", "--rules", rules, "--out", folder).exit_code == 0
    return members(folder)


def rows_of(package: dict[str, bytes]) -> list[dict[str, str]]:
    """The rows of the packaged lookup."""
    (name,) = [name for name in package if name.startswith("lookups/")]
    return list(csv.DictReader(io.StringIO(package[name].decode(), newline=""), strict=True))


EDITED = ("custom_rules", "exceptions", "log_sources", "placeholders", "rule_settings")


def test_the_lookup_is_the_file_that_transforms_conf_names(lookup: dict[str, bytes]) -> None:
    conf = configparser.RawConfigParser()
    conf.read_string(lookup["default/transforms.conf"].decode())
    files = {name: f"lookups/{conf[name]['filename']}" for name in conf.sections()}
    (stanza,) = [name for name, file in files.items() if file in lookup]
    # The others are made in Splunk, and no upgrade may overwrite them.
    assert set(files) - {stanza} == {f"sigma_{name}" for name in EDITED}
    digest = json.loads(lookup["bin/ruleset/index.json"])["hash"]
    assert digest in conf[stanza]["filename"]


@pytest.mark.parametrize("column", EXPECTED)
def test_a_column_of_the_lookup(lookup: dict[str, bytes], column: str) -> None:
    assert rows_of(lookup)[1][column] == EXPECTED[column]


def test_the_lookup_has_a_row_a_rule_and_no_other_column(lookup: dict[str, bytes]) -> None:
    rows = rows_of(lookup)
    assert [row["sigma_rule_id"] for row in rows] == [f"{UUID}20", f"{UUID}21", f"{UUID}22"]
    assert list(rows[0]) == list(EXPECTED)
    assert rows[0]["tags"] == rows[0]["description"] == ""


def test_the_lookup_shows_no_python(lookup: dict[str, bytes]) -> None:
    # "- Admins: rarely" is a mapping by accident; it is shown as it is written.
    assert rows_of(lookup)[2]["falsepositives"] == "Admins: rarely"
