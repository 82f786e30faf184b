"""Rule files that are used, with a warning or without."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from builder.cli import main
from builder.rulefiles import read_folders
from tests.support.rulefiles import HERE, UUID, folder_of, of_case, places, rule

WARNINGS: dict[str, tuple[str, str]] = {
    "all of one value": (rule("    A|contains|all: x" + HERE), "modifier-all-single"),
    "all of a list of one": (rule("    A|contains|all: [x]" + HERE), "modifier-all-single"),
    "empty text contained": (rule("    A|contains: ''" + HERE), "value-empty"),
    "empty text in a list": (rule("    A|contains:\n      - a\n      - ''" + HERE), "value-empty"),
    "empty text contained as keyword": (
        rule(detection="detection:\n  a:\n    '|contains':\n      - x\n      - ''" + HERE + "\n  condition: a\n"),
        "value-empty",
    ),
    "empty list": (rule("    A: []" + HERE), "value-empty-list"),
    "host bits": (rule("    A|cidr: 10.0.0.1/8" + HERE), "cidr-host-bits"),
    "identifier without use": (
        rule(detection="detection:\n  a: {B: c}\n  d: {E: f}" + HERE + "\n  condition: a\n"),
        "identifier-unused",
    ),
    "timeframe": (
        rule(detection="detection:\n  a: {B: c}\n  timeframe: 5m" + HERE + "\n  condition: a\n"),
        "timeframe",
    ),
    "keyword in capitals": (rule(condition="not NOT selection" + HERE), "condition-case"),
    "id that is no UUID": (rule(rule_id="12345" + HERE), "id-no-uuid"),
    "id as a list": (rule(rule_id="[a]" + HERE), "metadata-type"),
    "no id": (rule(id="").replace("title: A rule", "title: A rule" + HERE), "id-missing"),
    "no title": (rule(title="").replace("test", "test", 1).replace(UUID, UUID + HERE), "title-missing"),
    "no level": (rule(level="").replace("title: A rule", "title: A rule" + HERE), "level-missing"),
    "no status": (rule(status="").replace("title: A rule", "title: A rule" + HERE), "status-missing"),
    "unknown status": (rule(status="status: odd" + HERE + "\n"), "status-unknown"),
    "no log source": (rule(logsource="").replace("title: A rule", "title: A rule" + HERE), "logsource-missing"),
    "empty log source": (rule(logsource="logsource:" + HERE + "\n  definition: x\n"), "logsource-empty"),
    "expand without a placeholder": (rule("    A|expand: '%'" + HERE), "placeholder-none"),
    "tags as text": (rule(title="title: T\ntags: attack.t1059" + HERE + "\n"), "metadata-type"),
    "title as a list": (rule(title="title: [a]" + HERE + "\n"), "metadata-type"),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_a_rule_with_a_warning_is_used(tmp_path: Path, name: str) -> None:
    text, code = WARNINGS[name]
    content, line = of_case(text)
    folder = folder_of(tmp_path, odd=content)
    assert ("odd.yml", line, code) in places(folder.findings, "warning")
    assert len(folder.accepted) == 1
    result = CliRunner().invoke(main, ["check", "--rules", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("value", "warned"),
    [
        (r"DOMAIN\%admins%", True),
        (r"\%admins% %admins%", True),
        (r"DOMAIN\\%admins%", False),
        (r"100\% %admins%", False),
        (r"%admins%\%", False),
    ],
)
@pytest.mark.parametrize("key", ["User|expand", "User|contains|expand", "'|expand'"])
def test_a_backslash_that_takes_a_placeholder_away_is_a_warning(
    tmp_path: Path, key: str, value: str, *, warned: bool
) -> None:
    path = tmp_path / "rule.yml"
    path.write_text(rule(f"    {key}: '{value}'"), "utf-8")
    folder = read_folders([path], {"admins": ["x"]})
    found = [place for place in places(folder.findings, "warning") if place[2] != "placeholder-none"]
    assert found == ([("rule.yml", 10, "placeholder-backslash")] if warned else [])
    assert len(folder.accepted) == 1


@pytest.mark.parametrize("key", ["title", "id", "level", "status"])
def test_what_is_of_another_type_is_not_said_to_be_missing(tmp_path: Path, key: str) -> None:
    folder = folder_of(tmp_path, odd=rule(**{key: f"{key}: [x]\n"}))
    assert [finding.code for finding in folder.findings] == ["metadata-type"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(rule("    A|re: '[[]x'"), id="bracket in a class"),
        pytest.param(rule("    A|re: '[^[]x'"), id="bracket in a negated class"),
        pytest.param(rule("    A|re: '[+]+x'"), id="plus in a class, repeated"),
        pytest.param(rule("    A|re: '\\++x'"), id="escaped plus, repeated"),
        pytest.param(rule("    A|re: '[--/]x'"), id="range from a hyphen"),
        pytest.param(rule("    A|re: '(?i)a'"), id="flag in front"),
        pytest.param(rule("    yes: no\n    on: off"), id="YAML 1.1 booleans"),
        pytest.param(rule().replace("\n", "\r\n"), id="CRLF"),
        pytest.param("\ufeff" + rule(), id="byte order mark"),
        pytest.param("--- # x\n" + rule() + "...\n", id="markers"),
        pytest.param("%YAML 1.2\n---\n" + rule(), id="directive"),
        pytest.param(rule("    A: &v abc\n    B: *v"), id="alias"),
        pytest.param(rule("    A: caf\u00e9 \U0001f600"), id="non-ASCII"),
    ],
)
def test_a_rule_without_a_fault(tmp_path: Path, text: str) -> None:
    folder = folder_of(tmp_path, rule=text)
    assert folder.findings == []
    assert len(folder.accepted) == 1


@pytest.mark.parametrize("name", ["017", "1e3", "1.10", "0x10", "true", "True", "1"])
def test_a_key_is_the_name_that_is_written(tmp_path: Path, name: str) -> None:
    text = rule(detection=f"detection:\n  {name}:\n    {name}: x\n  condition: '{name}'\n")
    folder = folder_of(tmp_path, rule=text)
    assert folder.findings == []
    assert folder.rules[0].fields() == [name]
