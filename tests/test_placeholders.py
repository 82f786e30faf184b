"""Placeholders: what ``expand`` makes of a value, by the file of ``--placeholders``."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

import pytest
import yaml

from builder.rulefiles import read_folders
from tests.support.builds import ANY, matched, report_of, rule, run, write
from tests.support.shared import shared

PLACEHOLDERS = {
    "one": ["x"],
    "two": ["a", "b"],
    "Two": ["A-other"],
    "wild": ["adm*", "?"],
    "escaped": [r"a\*", r"b\\c"],
    "host-names": ["dc1", "dc2"],
    "number": [17, 1.50],
    "percent": ["%one%"],
    "dash": ["-enc"],
    "folded": ["\u00c4RGER"],
}

#: The key and the value of an item; texts that it matches; texts that it does not.
VALUES: dict[str, tuple[str, str, list[str], list[str]]] = {
    "alone": ("A|expand", "%two%", ["a", "B"], ["ab", "%two%", ""]),
    "inside text": ("A|expand", "x-%two%-y", ["x-a-y", "X-B-Y"], ["a", "x-%two%-y"]),
    "combinations": ("A|expand", "%two%%two%", ["aa", "ab", "ba", "bb"], ["a", "b", "aab"]),
    "combinations with text between": ("A|expand", "%two%-%one%-%two%", ["a-x-b", "b-x-a"], ["a-b-x", "x-x-x"]),
    "names are with case": ("A|expand", "%Two%", ["a-other"], ["a", "b"]),
    "hyphen in a name": ("A|expand", "%host-names%$", ["dc1$", "DC2$"], ["dc1", "%host-names%$"]),
    "values are patterns": ("A|expand", "%wild%", ["admin", "ADM", "z"], ["zz", "xadm"]),
    "values with escapes": ("A|expand", "%escaped%", ["a*", "b\\c"], ["ab", "a", "b\\\\c"]),
    "numbers": ("A|expand", "%number%", ["17", "1.50"], ["17.0"]),
    "values are not expanded again": ("A|expand", "%percent%", ["%one%"], ["x"]),
    "escaped percent sign": ("A|expand", r"\%one%", ["%one%"], ["x", r"\%one%"]),
    "escaped percent signs": ("A|expand", r"100\%\%", ["100%%"], ["100"]),
    "backslash and placeholder": ("A|expand", r"DOM\\%one%", [r"dom\x"], ["domx", r"dom\%one%"]),
    "percent signs without a name": ("A|expand", "5% of 10 % and %", ["5% of 10 % and %"], [""]),
    "an unclosed name": ("A|expand", "%one", ["%one"], ["x"]),
    "without expand": ("A", "%one%", ["%one%"], ["x"]),
    "contains": ("A|contains|expand", "%two%", ["xax", "b"], ["c"]),
    "expand before contains": ("A|expand|contains", "%two%", ["xax", "b"], ["c"]),
    "startswith": ("A|startswith|expand", "%two%", ["ax", "b"], ["xa"]),
    "endswith": ("A|endswith|expand", "-%two%", ["x-a", "-b"], ["-ax"]),
    "cased": ("A|expand|cased", "%two%", ["a"], ["A"]),
    "neq": ("A|expand|neq", "%two%", ["c", ""], ["a", "B"]),
    "windash": ("A|contains|windash|expand", " %dash%", ["x -enc", "x /enc"], ["x enc"]),
    "base64": ("A|expand|base64", "%two%", ["YQ==", "Yg=="], ["a"]),
    "folding": ("A|expand", "%folded%", ["\u00e4rger"], ["arger"]),
    "keyword": ("'|expand'", "%one%-%two%", ["has x-a in it"], ["x", "a"]),
}


UNDEFINED = re.compile("the placeholder '%(.+)%' has no value")


@pytest.fixture(scope="module")
def placeholders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of ``--placeholders``."""
    path = tmp_path_factory.mktemp("placeholders") / "values.yml"
    text = yaml.safe_dump(PLACEHOLDERS, allow_unicode=True).replace("1.5\n", "1.50\n")
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("name", VALUES)
def test_values(tmp_path: Path, placeholders: Path, name: str) -> None:
    key, value, hits, misses = VALUES[name]
    write(tmp_path / "rules", a=rule(1, f"{key}: '{value}'", logsource=ANY))
    events = tmp_path / "events.jsonl"
    events.write_text("".join(json.dumps({"A": text}) + "\n" for text in hits + misses), "utf-8")
    options = ("--rules", tmp_path / "rules", "--placeholders", placeholders, "--via", "engine")
    assert [one["event"] for one in matched(*options, events)] == list(range(len(hits)))


def test_all_needs_every_value_and_of_what_one_stands_for_one(tmp_path: Path, placeholders: Path) -> None:
    write(tmp_path / "rules", a=rule(1, "A|contains|all|expand: ['%two%', '%one%']", logsource=ANY))
    events = tmp_path / "events.jsonl"
    events.write_text('{"A": "ax"}\n{"A": "xb"}\n{"A": "ab"}\n{"A": "x"}\n', "utf-8")
    options = ("--rules", tmp_path / "rules", "--placeholders", placeholders, "--via", "engine")
    assert [one["event"] for one in matched(*options, events)] == [0, 1]


@pytest.mark.parametrize("value", ["%none%", "%ONE%", "x%one%%none%", r"\%one%%none%"])
def test_a_placeholder_without_a_value_refuses_its_rule_alone(tmp_path: Path, placeholders: Path, value: str) -> None:
    write(tmp_path / "rules", a=rule(1, f"A|expand: '{value}'"), b=rule(2, "A|expand: '%one%'"))
    options = ("--rules", tmp_path / "rules", "--placeholders", placeholders)
    result = run("check", *options)
    assert result.exit_code == 1
    assert f"the placeholder '{re.findall('%[^%]*%', value)[-1]}' has no value" in result.stdout
    assert run("package", *options, "--out", tmp_path / "out").exit_code == 1
    fates = [entry["status"] for entry in report_of(tmp_path / "out")["rules"]]
    assert fates == ["refused", "accepted"]


def test_combinations_are_bounded(tmp_path: Path, placeholders: Path) -> None:
    write(tmp_path / "rules", a=rule(1, f"A|expand: '{'%two%' * 40}'"))
    result = run("check", "--rules", tmp_path / "rules", "--placeholders", placeholders)
    assert ":8: error placeholder-count: " in result.stdout


def test_sigmahqs_placeholder_rules_run_with_values(tmp_path: Path) -> None:
    with tarfile.open(shared("data/sigmahq-rules.tar.gz")) as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member) if "/rules-placeholder/" in member.name else None
            if content is not None:
                (tmp_path / Path(member.name).name).write_bytes(content.read())
    values: dict[str, list[str]] = {}
    folder = read_folders([tmp_path])
    assert (len(folder.outcomes), len(folder.accepted)) == (23, 0)
    # Of several placeholders of an item the first without a value is told.
    while named := {found[1] for finding in folder.findings if (found := UNDEFINED.search(finding.message))}:
        assert not named & set(values)
        values.update((name, ["value"]) for name in named)
        folder = read_folders([tmp_path], values)
    assert "DC-MACHINE-NAME" in values
    assert [str(finding) for finding in folder.findings] == []
    assert len(folder.accepted) == 23
