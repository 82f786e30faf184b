"""``build.py convert --all``: files, their names (tests/convert/names.yml), the report, and what is left alone."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from builder import cli
from builder.convertall import settings_of_each
from builder.converting import TARGETS
from builder.findings import error
from builder.mappings import MappingError
from builder.queries.language import RefusedError
from builder.queries.target import Converted, Option, Target
from tests.support.builds import UUID, rule, run, start, write

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "convert" / "names.yml").read_text("utf-8"))


def toy(outcome: Any, _: Any, settings: Any) -> Converted:
    """A language that cannot say rules of the level high, and repeats titles."""
    if outcome.rule.level == "high":
        raise RefusedError("case")
    return Converted(f"{settings['mark']}{outcome.title}\n\n", ("a note",))


TOY = Target("a toy", "toy", toy, {"mark": Option("What to begin with.", "-", ("-", "+"))})


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second target of the command line."""
    (option,) = (one for one in cli.convert.params if one.name == "targets")
    monkeypatch.setattr(option.type, "choices", (*TARGETS, "toy"))
    monkeypatch.setitem(TARGETS, "toy", TOY)


def converted(out: Path, *arguments: object, status: int = 0) -> dict[str, Any]:
    """The report of a run."""
    result = run("convert", "--all", "--out", out, *arguments)
    assert (result.exit_code, result.stdout) == (status, ""), result.stderr
    report: dict[str, Any] = json.loads((out / "conversion-report.json").read_text("utf-8"))
    return report


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_names_of_files(case: dict[str, Any], tmp_path: Path) -> None:
    numbers = count(1)
    for name, rules in case["files"].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("---\n".join(rule(next(numbers)) for _ in range(rules)), "utf-8")
    given = [one for folder in case["folders"] for one in ("--rules", tmp_path / folder)]
    report = converted(tmp_path / "out", "--target", "splunk", *given)
    wanted = [f"splunk/{name}.spl" for name in case["written"]]
    assert [entry["targets"]["splunk"]["file"] for entry in report["rules"]] == wanted
    assert files(tmp_path / "out").keys() == {*wanted, "conversion-report.json"}


def test_folders_given_by_relative_names_lead_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "here", a=rule(1))
    write(tmp_path / "there", b=rule(2))
    monkeypatch.chdir(tmp_path / "here")
    report = converted(tmp_path / "out", "--target", "splunk", "--rules", ".", "--rules", "../there")
    assert [entry["targets"]["splunk"]["file"] for entry in report["rules"]] == ["splunk/a.spl", "splunk/b.spl"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["here", "out", "there"]


@pytest.mark.usefixtures("toys")
def test_every_language_of_every_rule(tmp_path: Path) -> None:
    rules = write(tmp_path / "r", a=rule(1, level="high"), b=rule(2, title="Rüle"), c=rule(3, condition="nothing"))
    report = converted(tmp_path / "out", "--target", "toy", "--target", "splunk", "--rules", rules, status=1)
    assert files(tmp_path / "out").keys() == {"conversion-report.json", "splunk/a.spl", "splunk/b.spl", "toy/b.toy"}
    assert (tmp_path / "out" / "toy" / "b.toy").read_bytes() == "-Rüle\n".encode()
    assert report["summary"] == {
        "toy": {"converted": 1, "refused": 1, "reasons": {"case": 1}},
        "splunk": {"converted": 2, "refused": 0, "reasons": {}},
    }
    high, other, faulty = report["rules"]
    assert high["targets"]["toy"] == {
        "status": "refused",
        "reason": "case",
        "why": "'cased': the language compares without case",
    }
    assert other["targets"]["toy"] == {"status": "converted", "file": "toy/b.toy", "notes": ["a note"]}
    assert (faulty["status"], faulty["targets"]) == ("refused", {})
    assert [one["severity"] for one in faulty["findings"]] == ["error"]


@pytest.mark.usefixtures("toys")
def test_the_summary_counts_by_reason(tmp_path: Path) -> None:
    rules = write(tmp_path / "r", a=rule(1, level="high"), b=rule(2, level="high"), c=rule(3))
    result = run("convert", "--all", "--out", tmp_path / "out", "--target", "toy", "--rules", rules)
    assert result.stdout == ""
    assert [line.split(None, 2) for line in result.stderr.splitlines()[2:4]] == [
        ["toy", "1", "2"],
        ["2", "'cased':", "the language compares without case"],
    ]


@pytest.mark.usefixtures("toys")
def test_options_are_for_the_targets_that_have_them(tmp_path: Path) -> None:
    rules = write(tmp_path / "r", a=rule(1, title="T"))
    both = ("--target", "toy", "--target", "splunk", "--rules", rules)
    settings = settings_of_each(["toy", "splunk"], {"mark": "+"})
    assert settings["toy"] == {"mark": "+"}
    assert "mark" not in settings["splunk"]
    result = run("convert", "--all", "--out", tmp_path / "out", *both, "--fields", "nope")
    assert result.exit_code == 2
    assert "--fields of splunk is one of" in result.stderr
    assert not (tmp_path / "out").exists()
    alone = run("convert", "--all", "--out", tmp_path / "out", "--target", "toy", "--rules", rules, "--exact")
    assert alone.exit_code == 2
    assert "--exact is no option of toy (it is one of splunk)" in alone.stderr


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("mode", ["one", "all"])
def test_faults_of_a_targets_table_are_told(mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: Any) -> Converted:
        raise MappingError([error("table.yml", 3, "mapping-key", "no such key")])

    monkeypatch.setitem(TARGETS, "toy", Target("a toy", "toy", faulty))
    rules = write(tmp_path / "r", a=rule(1))
    where = [rules] if mode == "one" else ["--all", "--out", tmp_path / "out", "--rules", rules]
    result = run("convert", "--target", "toy", *where)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "table.yml:3: error mapping-key: no such key\n"


def test_two_runs_write_the_same(tmp_path: Path) -> None:
    first, second = (tmp_path / "a", tmp_path / "b")
    for out, seed in ((first, "1"), (second, "2")):
        done = start("convert", "--all", "--target", "splunk", "--out", out, env={"PYTHONHASHSEED": seed})
        assert done.returncode == 0, done.stderr
        assert done.stdout == b""
        # No progress in a pipe.
        assert done.stderr.startswith(b"target")
    assert files(first) == files(second)
    assert len(files(first)) > 30


def test_progress_shows_on_a_terminal_alone(tmp_path: Path) -> None:
    screen, terminal = os.openpty()
    try:
        arguments = ("--all", "--target", "splunk", "--out", tmp_path / "out")
        done = start("convert", *arguments, capture_output=False, stdout=subprocess.DEVNULL, stderr=terminal)
        shown = os.read(screen, 100_000)
    finally:
        os.close(terminal)
        os.close(screen)
    assert done.returncode == 0
    assert b"rules in every language" in shown
    assert b"100%" in shown


def test_a_users_files_are_left_alone(tmp_path: Path) -> None:
    rules, out = write(tmp_path / "r", a=rule(1)), tmp_path / "out"
    mine = out / "splunk" / "a.spl"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", "utf-8")
    for report in (None, "{}", "[1]", "no JSON"):
        if report:
            (out / "conversion-report.json").write_text(report, "utf-8")
        result = run("convert", "--all", "--target", "splunk", "--out", out, "--rules", rules)
        assert result.exit_code == 1
        assert "nothing is written" in result.stderr
        assert mine.read_text("utf-8") == "mine"


def test_what_an_earlier_run_wrote_is_written_over_and_the_rest_told(tmp_path: Path) -> None:
    write(tmp_path / "r", a=rule(1), b=rule(2))
    arguments = ("--target", "splunk", "--rules", tmp_path / "r")
    converted(tmp_path / "out", *arguments)
    before = files(tmp_path / "out")
    converted(tmp_path / "out", *arguments)
    assert files(tmp_path / "out") == before
    (tmp_path / "r" / "b.yml").unlink()
    result = run("convert", "--all", "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 0
    assert "1 files in" in result.stderr
    assert "  splunk/b.spl" in result.stderr.splitlines()
    assert files(tmp_path / "out")["splunk/b.spl"] == before["splunk/b.spl"]


def test_correlations_are_converted_with_their_rules(tmp_path: Path) -> None:
    counts = {"type": "event_count", "rules": [f"{UUID}01"], "timespan": "1m", "condition": {"gte": 2}}
    correlation = json.dumps({"id": f"{UUID}02", "title": "C", "status": "test", "level": "low", "correlation": counts})
    rules = write(tmp_path / "r", a=rule(1), b=correlation)
    converted(tmp_path / "out", "--target", "splunk", "--rules", rules)
    assert b"| sigmacorrelate" in files(tmp_path / "out")["splunk/b.spl"]


WRONG: dict[str, tuple[list[str], str]] = {
    "no folder": (["--all"], "Missing option '--out'"),
    "a rule too": (["--all", "--out", "out", "a.yml"], "takes no RULE.yml"),
    "several targets": (["--target", "splunk", "--target", "toy", "a.yml"], "Several targets need --all"),
    "out alone": (["--target", "splunk", "--out", "out", "a.yml"], "--rules and --out need --all"),
}


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_usage(arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("convert", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    rules = write(tmp_path / "r", a=rule(1))
    (tmp_path / "file").write_text("x", "utf-8")
    result = run("convert", "--all", "--target", "splunk", "--out", tmp_path / "file" / "out", "--rules", rules)
    assert result.exit_code == 1
    assert "file" in result.stderr


def test_a_run_that_was_interrupted_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "rules", a=rule(1), b=rule(2))
    arguments = ("--target", "splunk", "--rules", folder)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("builder.convertall.convert", interrupted)
        assert run("convert", "--all", "--out", tmp_path / "out", *arguments).exit_code == 1
    assert files(tmp_path / "out").keys() == {"conversion-report.json"}
    assert converted(tmp_path / "out", *arguments)["summary"]["splunk"]["converted"] == 2


def test_a_name_that_is_too_long_is_shortened(tmp_path: Path) -> None:
    name = "\u00e9" * 125
    report = converted(tmp_path / "out", "--rules", write(tmp_path / "rules", **{name: rule(1), f"{name}e": rule(2)}))
    names = {one["file"] for entry in report["rules"] for one in entry["targets"].values() if "file" in one}
    assert names == files(tmp_path / "out").keys() - {"conversion-report.json"}
    assert len({one.split("/")[1].split(".")[0] for one in names}) == 2
    assert all(one.split("/")[1].startswith("\u00e9" * 100) for one in names)


def test_what_an_earlier_run_wrote_stays_where_there_is_nothing_to_convert(tmp_path: Path) -> None:
    converted(tmp_path / "out", "--target", "splunk", "--rules", write(tmp_path / "rules", a=rule(1)))
    before = files(tmp_path / "out")
    for folder in ("typo", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        result = run("convert", "--all", "--out", tmp_path / "out", "--rules", tmp_path / folder)
        assert (result.exit_code, result.stdout) == (1, "")
        assert folder in result.stderr
        assert files(tmp_path / "out") == before


def test_files_of_other_languages_are_not_told_to_be_left_over(tmp_path: Path) -> None:
    folder = write(tmp_path / "rules", a=rule(1))
    converted(tmp_path / "out", "--rules", folder)
    result = run("convert", "--all", "--out", tmp_path / "out", "--rules", folder, "--target", "grep")
    assert "not of this run" not in result.stderr
