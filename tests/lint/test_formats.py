"""``build.py check``: what it prints in each format, and what is listed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from builder.lint.registry import TOPICS, codes
from tests.support.builds import FINDING, rule, run, start, write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rules with an error, a warning of the parser, some of the checks, and a title that needs care."""
    write(
        tmp_path / "my rules",
        proc_creation_a=rule(1, "A|foo: x"),
        proc_creation_b=rule(2, "A|contains: ''", title="'\u00fcber <b> \\u2028'"),
        proc_creation_c=rule(3, "A: '*abc'"),
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(*options: object) -> list[tuple[str, str, str]]:
    """(file, severity, code) of each line; each line is one of findings."""
    found = [FINDING.fullmatch(line) for line in run("check", "--rules", "my rules", *options).stdout.splitlines()]
    assert None not in found
    return [(Path(one["path"]).stem[-1], one["severity"], one["code"]) for one in found if one]


ALL_BUT_CONVENTION = [
    ("a", "error", "modifier-unknown"),
    ("b", "warning", "value-empty"),
    ("c", "warning", "wildcard-for-modifier"),
]


@pytest.mark.usefixtures("folder")
def test_text_is_the_default() -> None:
    assert lines() == lines("--format", "text")
    assert [
        one for one in lines() if one[2] not in codes() or codes()[one[2]].topic != "convention"
    ] == ALL_BUT_CONVENTION


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--ignore", "convention"], ALL_BUT_CONVENTION),
        (["--ignore", "convention,value-empty"], [ALL_BUT_CONVENTION[0], ALL_BUT_CONVENTION[2]]),
        (["--ignore", "convention, detection"], [ALL_BUT_CONVENTION[2]]),
        (["--select", "meaning"], [ALL_BUT_CONVENTION[2]]),
        (["--select", "value-empty,meaning"], ALL_BUT_CONVENTION[1:]),
        (["--select", "meaning,detection", "--ignore", "value-empty"], [ALL_BUT_CONVENTION[0], ALL_BUT_CONVENTION[2]]),
        (["--select", "files"], []),
    ],
)
def test_select_and_ignore(options: list[str], expected: list[tuple[str, str, str]]) -> None:
    assert lines(*options) == expected


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("options", [["--select", "files"], ["--ignore", "modifier-unknown"], ["--format", "sarif"]])
def test_the_status_is_about_the_rules_not_about_what_is_listed(options: list[str]) -> None:
    assert run("check", "--rules", "my rules", *options).exit_code == 1
    assert run("check", "--rules", "my rules/proc_creation_b.yml", *options).exit_code == 0


@pytest.mark.parametrize("option", ["--select", "--ignore"])
@pytest.mark.parametrize("value", ["nope", "value-emty", "", "value-empty,,", "VALUE-EMPTY"])
def test_an_unknown_code_is_wrong_usage(option: str, value: str) -> None:
    result = run("check", option, value)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no code" in result.stderr


def test_the_nearest_code_is_proposed() -> None:
    assert "did you mean value-empty?" in run("check", "--select", "value-emty").stderr


# --- json -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_json_has_what_text_has() -> None:
    content = json.loads(run("check", "--rules", "my rules", "--format", "json").stdout)
    assert [(Path(one["path"]).stem[-1], one["severity"], one["code"]) for one in content["findings"]] == lines()
    assert {key: content[key] for key in ("version", "summary")} == {
        "version": 1,
        "summary": {
            "files": 3,
            "documents": 3,
            "refused": 1,
            "errors": 1,
            "warnings": sum(one[1] == "warning" for one in lines()),
        },
    }
    (finding,) = [one for one in content["findings"] if one["code"] == "value-empty"]
    assert (finding["path"], finding["line"]) == ("my rules/proc_creation_b.yml", 8)
    assert finding["rule_id"].endswith("02")
    assert finding["title"].startswith("\u00fcber")


# --- SARIF ----------------------------------------------------------------------------------------


def sarif(*options: object) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(run("check", *options, "--format", "sarif").stdout)
    return content


@pytest.mark.usefixtures("folder")
def test_sarif_has_what_text_has_and_what_the_standard_requires() -> None:
    content = sarif("--rules", "my rules")
    assert content["version"] == "2.1.0"
    assert re.fullmatch(r"https://.+/sarif-schema-2\.1\.0\.json", content["$schema"])
    (only,) = content["runs"]
    driver = only["tool"]["driver"]
    assert driver["name"]
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", driver["semanticVersion"])
    ids = [one["id"] for one in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for one in driver["rules"]:
        assert set(one) <= {"id", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"}
        assert one["shortDescription"]["text"] == codes()[one["id"]].what
        assert codes()[one["id"]].do in one["help"]["text"]
        assert one["defaultConfiguration"]["level"] in ("error", "warning")
        assert one["properties"]["tags"][0] in TOPICS.values()
    found = []
    for result in only["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        uri = physical["artifactLocation"]["uri"]
        assert re.fullmatch(r"my%20rules/proc_creation_[abc]\.yml", uri)
        assert physical["region"]["startLine"] >= 1
        assert set(physical["region"]) == {"startLine"}
        found.append((Path(uri).stem[-1], result["level"], result["ruleId"]))
    assert found == lines()


@pytest.mark.usefixtures("folder")
def test_sarif_without_findings_is_whole() -> None:
    content = sarif("--rules", "my rules", "--select", "files")
    assert content["runs"][0]["results"] == []
    assert content["runs"][0]["tool"]["driver"]["rules"] == []


def test_absolute_paths_are_relative_to_the_folder_one_is_in(folder: Path) -> None:
    content = sarif("--rules", folder / "my rules", "--ignore", "convention")
    uris = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in content["runs"][0]["results"]}
    assert uris == {f"my%20rules/proc_creation_{name}.yml" for name in "abc"}


def test_odd_file_names_are_valid_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / os.fsdecode(b"a:b#c?d%\xff\xc3\xa9.yml")).write_text(rule(1, "A|foo: x"), "utf-8")
    monkeypatch.chdir(tmp_path)
    content = sarif("--rules", ".", "--ignore", "convention")
    (result,) = content["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%3Ab%23c%3Fd%25%FF%C3%A9.yml"


def test_every_format_is_the_same_in_a_process_of_its_own(folder: Path) -> None:
    for form in ("text", "json", "sarif"):
        arguments = ["check", "--rules", "my rules", "--format", form]
        done = start(*arguments, cwd=folder)
        assert done.returncode == 1
        assert done.stdout.decode() == run(*arguments).stdout
