"""``build.py`` as its users meet it: usage, exit status, which rules are read, what ``check`` lists."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import click
import pytest

from builder.cli import main
from builder.paths import ROOT, RULES
from tests.support.builds import ANY, BUILD, DEMO, FINDING, rule, run, start, write

# --- usage ---------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", "package", "match", "check"])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_is_usage_on_stdout(command: str, flag: str) -> None:
    result = run(*filter(None, [command, flag]))
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: {' '.join(filter(None, ['main', command]))}")
    assert result.stderr == ""
    assert not [line for line in result.stdout.splitlines()[1:] if line.endswith("...")], "a command's summary is cut"


def test_help_names_every_command_and_option() -> None:
    group = run("--help").stdout
    assert isinstance(main, click.Group)
    for name, command in main.commands.items():
        assert re.search(rf"^  {name}  +\S", group, re.MULTILINE)
        text = run(name, "--help").stdout
        for parameter in command.params:
            shown = parameter.opts[0] if parameter.param_type_name == "option" else str(parameter.name).upper()
            assert shown in text


WRONG_USAGE: dict[str, list[object]] = {
    "nothing": [],
    "unknown command": ["nope"],
    "unknown option": ["check", "--nope"],
    "option of another command": ["check", "--via", "engine"],
    "argument too many": ["check", "extra"],
    "rules without a value": ["check", "--rules"],
    "no events": ["match"],
    "no events but options": ["match", "--via", "engine", "--format", "jsonl"],
    "unknown via": ["match", "--via", "nope", DEMO],
    "unknown format": ["match", "--format", "xml", DEMO],
    "placeholders missing": ["check", "--placeholders", "nope.yml"],
    "placeholders a folder": ["check", "--placeholders", ROOT],
    "output a file": ["package", "--out", BUILD],
    "rules as empty text": ["check", "--rules", ""],
    "placeholders as empty text": ["check", "--placeholders", ""],
    "output as empty text": ["package", "--out", ""],
    "events as empty text": ["match", ""],
}


@pytest.mark.parametrize("name", WRONG_USAGE)
def test_wrong_usage_is_status_2(name: str) -> None:
    result = run(*WRONG_USAGE[name])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.search("^(Usage|Error): ", result.stderr, re.MULTILINE)


def test_status_0_1_and_2_of_the_process(tmp_path: Path) -> None:
    write(tmp_path, bad=rule(1, "A|foo: x"))
    assert start("check").returncode == 0
    assert start("check", "--rules", tmp_path).returncode == 1
    assert start("check", "--rules").returncode == 2


# --- which rules ---------------------------------------------------------------


def test_without_rules_the_projects_own_are_read(tmp_path: Path) -> None:
    # From anywhere.
    done = start("check", cwd=tmp_path)
    # A tag of another author's, kept as published; see rules/README.md.
    (told,) = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert re.search(r"exfiltration_and_tunneling_tools\.yml:\d+: warning attack-retired: .* T1043$", told)
    files = [path.name for path in RULES.rglob("*.yml")]
    correlations = sum(name.startswith("correlation_") for name in files)
    assert done.stderr.decode() == (
        f"{len(files) - correlations} rules, {correlations} correlations in {len(files)} files: 0 refused, 1 warnings\n"
    )


def test_rules_may_be_several_folders_and_files(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", a=rule(1)), write(tmp_path / "two", b=rule(2), c=rule(3))
    result = run("check", "--rules", one, "--rules", two / "c.yml", "--ignore", "convention")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "2 rules in 2 files: 0 refused, 0 warnings\n"


def test_a_folder_is_named_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "my rules", a=rule(1, "A|foo: x"))
    monkeypatch.chdir(tmp_path)
    for given in ("my rules", "./my rules", "../" + tmp_path.name + "/my rules", "my rules/a.yml"):
        expected = given if given.endswith(".yml") else f"{given}/a.yml"
        assert run("check", "--rules", given).stdout.startswith((f"{expected}:", f"{expected.removeprefix('./')}:"))


@pytest.mark.parametrize("command", [["check"], ["match", str(DEMO)], ["package"]])
@pytest.mark.parametrize("given", ["missing", "empty", "x" * 300])
def test_a_folder_without_rules_is_status_1(tmp_path: Path, command: list[str], given: str) -> None:
    (tmp_path / "empty").mkdir()
    output = ["--out", str(tmp_path / "out")] if command == ["package"] else []
    result = run(*command, *output, "--rules", tmp_path / given)
    assert result.exit_code == 1
    (line,) = [text for text in (result.stdout + result.stderr).splitlines() if FINDING.fullmatch(text)]
    assert line.startswith(f"{tmp_path / given}:1: error no-rules: ")
    assert not list(tmp_path.glob("out/*.tar.gz"))


def test_a_missing_folder_is_no_rule(tmp_path: Path) -> None:
    good = write(tmp_path / "good", a=rule(1))
    result = run("check", "--rules", tmp_path / "missing", "--rules", good, "--ignore", "convention")
    assert result.exit_code == 1
    assert result.stdout == f"{tmp_path}/missing:1: error no-rules: there is no such folder or file\n"
    assert result.stderr == "1 rules in 1 files: 0 refused, 0 warnings\n"


# --- check ---------------------------------------------------------------------


def test_check_lists_on_stdout_and_counts_on_stderr(tmp_path: Path) -> None:
    write(
        tmp_path,
        a=rule(1, "A|foo: x\n    B|bar: y"),
        b=rule(2, "A|contains: ''"),
        c=rule(3),
        d="a: [",
        e=rule(5) + "---\n" + rule(6, "A|re: '('"),
    )
    result = run("check", "--rules", tmp_path, "--ignore", "convention")
    assert result.exit_code == 1
    found = [FINDING.fullmatch(line) for line in result.stdout.splitlines()]
    assert [(Path(one["path"]).stem, int(one["line"]), one["severity"], one["code"]) for one in found if one] == [
        ("a", 8, "error", "modifier-unknown"),
        ("a", 9, "error", "modifier-unknown"),
        ("b", 8, "warning", "value-empty"),
        ("d", 2, "error", "yaml-syntax"),
        ("e", 18, "error", "regex"),
    ]
    assert None not in found
    assert result.stderr == "6 rules in 5 files: 3 refused, 1 warnings\n"


def test_warnings_alone_are_status_0(tmp_path: Path) -> None:
    write(tmp_path, a=rule(1, "A|contains: ''"))
    result = run("check", "--rules", tmp_path)
    assert result.exit_code == 0
    assert " warning value-empty: " in result.stdout


# --- placeholders --------------------------------------------------------------


def test_placeholders_are_taken_from_the_file(tmp_path: Path) -> None:
    write(tmp_path / "rules", a=rule(1, "User|expand: 'DOM\\\\%admins%'", logsource=ANY))
    values = tmp_path / "values.yml"
    values.write_text("admins:\n  - Fr\u00e9d*\n  - 17\n", "utf-8")
    events = tmp_path / "events.jsonl"
    events.write_text('{"User": "dom\\\\FR\u00c9D\u00c9RIC"}\n{"User": "DOM\\\\17"}\n{"User": "DOM\\\\x"}\n', "utf-8")
    without = run("check", "--rules", tmp_path / "rules")
    assert without.exit_code == 1
    assert " error placeholder-undefined: " in without.stdout
    arguments = ["--rules", tmp_path / "rules", "--placeholders", values]
    assert run("check", *arguments).exit_code == 0
    result = run("match", *arguments, "--via", "engine", "--format", "jsonl", events)
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == [0, 1]


PLACEHOLDER_FAULTS: dict[str, tuple[str, int]] = {
    "empty": ("", 1),
    "comments": ("# a\n", 1),
    "list": ("- a\n", 1),
    "text": ("abc\n", 1),
    "no value": ("a: x\nb:\n", 2),
    "empty list": ("a: x\nb: []\n", 2),
    "mapping": ("a: x\nb: {c: d}\n", 2),
    "list in a list": ("a: x\nb: [c, [d]]\n", 2),
    "null in a list": ("a: x\nb: [c, null]\n", 2),
    "duplicate": ("a: x\na: y\n", 2),
    "syntax": ("a: x\nb: @\n", 2),
    "tab": ("a:\n\t- x\n", 2),
    "several documents": ("a: x\n---\nb: y\n", 1),
}


@pytest.mark.parametrize("name", PLACEHOLDER_FAULTS)
def test_a_faulty_file_of_placeholders_is_reported(tmp_path: Path, name: str) -> None:
    text, line = PLACEHOLDER_FAULTS[name]
    values = tmp_path / "values.yml"
    values.write_text(text, "utf-8")
    result = run("check", "--placeholders", values)
    assert result.exit_code == 1
    (found,) = (result.stdout + result.stderr).splitlines()
    match = FINDING.fullmatch(found)
    assert match is not None
    assert (match["path"], int(match["line"]), match["severity"]) == (str(values), line, "error")


def test_placeholders_that_cannot_be_read_are_reported(tmp_path: Path) -> None:
    values = tmp_path / "values.yml"
    os.mkfifo(values)
    result = run("check", "--placeholders", values)
    assert result.exit_code == 1
    assert result.stderr == f"{values}:1: error file-unreadable: is no regular file\n"
