"""Folders of rule files: which files are read, and what becomes of each document."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from builder.cli import main
from builder.rulefiles import RuleFolder, read_folders
from tests.support.rulefiles import UUID, folder_of, places, rule, write

# --- several documents ---------------------------------------------------------


def test_every_document_of_a_file_has_its_own_fate(tmp_path: Path) -> None:
    documents = [rule(rule_id=f"{UUID[:-1]}{number}") for number in range(4)]
    documents[1] = documents[1].replace("Image", "Image|foo")
    documents[3] += "title: again\n"
    folder = folder_of(tmp_path, several="---\n".join(documents))
    length = documents[0].count("\n") + 1
    assert [(outcome.line, bool(outcome.rule)) for outcome in folder.outcomes[:3]] == [
        (1, True),
        (1 + length, False),
        (1 + 2 * length, True),
    ]
    assert places(folder.findings) == [
        ("several.yml", length + 10, "modifier-unknown"),
        ("several.yml", 3 * length + length, "yaml-duplicate-key"),
    ]


# What ``action`` does is in test_documents.py.


# --- ids -----------------------------------------------------------------------


def test_the_second_of_two_rules_with_one_id_is_refused(tmp_path: Path) -> None:
    lower, upper = "abcdef00-0000-4000-8000-000000000001", "ABCDEF00-0000-4000-8000-000000000001"
    folder = folder_of(tmp_path, a=rule(rule_id=upper), b=rule(rule_id=lower), c=rule(rule_id=f"' {lower} '"))
    assert places(folder.findings) == [("b.yml", 2, "id-duplicate"), ("c.yml", 2, "id-duplicate")]
    assert f"{tmp_path}/a.yml:1" in folder.findings[0].message
    assert [Path(outcome.path).name for outcome in folder.accepted] == ["a.yml"]


def test_a_refused_rule_does_not_take_its_id(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a=rule("    A|foo: x"), b=rule())
    assert places(folder.findings) == [("a.yml", 10, "modifier-unknown")]
    assert [Path(outcome.path).name for outcome in folder.accepted] == ["b.yml"]


def test_the_order_of_the_folders_decides_which_is_first(tmp_path: Path) -> None:
    one, two = write(tmp_path / "z", rule=rule()), write(tmp_path / "a", rule=rule())
    folder = read_folders([one, two])
    assert [outcome.path for outcome in folder.accepted] == [f"{one}/rule.yml"]


def test_rules_without_an_id_differ_by_their_content(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a=rule(id=""), b=rule("    Image: y", id=""))
    assert len({item.id for item in folder.rules}) == 2
    again = folder_of(tmp_path)
    assert [item.id for item in folder.rules] == [item.id for item in again.rules]


# --- which files ---------------------------------------------------------------


def names(folder: RuleFolder, root: Path) -> list[str]:
    """Paths of the outcomes below ``root``."""
    return [os.path.relpath(outcome.path, root) for outcome in folder.outcomes]


def test_rule_files_are_found_at_every_depth_and_sorted(tmp_path: Path) -> None:
    files = [
        "b.yml",
        "a.yaml",
        "c/B.YML",
        "c/a.yml",
        "with space/\u00fcml\u00e4ut \u65e5\u672c.yml",
        "c.yml",
        "c/d/e/f.yml",
    ]
    left_out = [".hidden.yml", ".git/a.yml", "c/.d/a.yml", "a.txt", "yml", "a.yml.bak", "a.yml~", "a.json"]
    for number, name in enumerate(files + left_out):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rule(rule_id=f"{UUID[:-2]}{number:02}"), "utf-8")
    folder = read_folders([tmp_path])
    assert folder.findings == []
    assert names(folder, tmp_path) == sorted(files)
    assert folder.files == len(files)


def test_a_hidden_folder_is_read_if_it_is_named(tmp_path: Path) -> None:
    folder = read_folders([write(tmp_path / ".rules" / "x", rule=rule()).parent])
    assert len(folder.accepted) == 1


@pytest.mark.parametrize("name", ["rule.yml", "rule.txt", ".rule", "r\u00fc le.YAML"])
def test_a_single_file_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(rule(), "utf-8")
    folder = read_folders([tmp_path / name])
    assert (len(folder.accepted), folder.files, folder.findings) == (1, 1, [])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "no such"),
        ("missing/rule.yml", "no such"),
        ("empty", "no rule file"),
        ("others", "no rule file"),
        ("x" * 300, ""),
        ("others/a.txt/b.yml", "no such"),
    ],
)
def test_a_path_without_rules_is_an_error(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "a.txt").write_text("hello", "utf-8")
    good = write(tmp_path / "good", rule=rule())
    folder = read_folders([tmp_path / name, good])
    (finding,) = folder.findings
    assert (finding.path, finding.line, finding.severity) == (str(tmp_path / name), 1, "error")
    assert reason in finding.message
    assert len(folder.accepted) == 1


def test_a_file_is_read_once_however_often_it_is_named(tmp_path: Path) -> None:
    write(tmp_path / "inner", rule=rule())
    folder = read_folders([tmp_path, tmp_path / "inner", tmp_path / "inner" / "rule.yml"])
    assert folder.findings == []
    assert (len(folder.outcomes), folder.files) == (1, 1)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    write(tmp_path / "a", rule=rule())
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "self").symlink_to("self", target_is_directory=True)
    folder = read_folders([tmp_path])
    assert names(folder, tmp_path) == ["a/rule.yml"]


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.txt"
    target.write_text(rule(), "utf-8")
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rule.yml").symlink_to(target)
    assert names(read_folders([folder]), folder) == ["rule.yml"]


def test_a_link_to_a_folder_is_followed_once(tmp_path: Path) -> None:
    target = write(tmp_path / "elsewhere", rule=rule())
    folder = tmp_path / "rules"
    folder.mkdir()
    for name in ("b", "a"):
        (folder / name).symlink_to(target, target_is_directory=True)
    assert names(read_folders([folder]), folder) == ["a/rule.yml"]


def test_a_pipe_of_a_rules_name_is_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, rule=rule())
    os.mkfifo(tmp_path / "pipe.yml")
    folder = read_folders([tmp_path])
    assert places(folder.findings) == [("pipe.yml", 1, "file-unreadable")]
    assert len(folder.accepted) == 1


def test_files_are_named_from_the_base(tmp_path: Path) -> None:
    folder = read_folders([write(tmp_path / "rules", a=rule(), b=rule())], base=tmp_path)
    assert [outcome.path for outcome in folder.outcomes] == ["rules/a.yml", "rules/b.yml"]
    assert str(tmp_path) not in str(folder.findings[0])


@pytest.mark.parametrize("target", ["nowhere.yml", "link.yml"])
def test_a_link_that_leads_nowhere_is_reported(tmp_path: Path, target: str) -> None:
    write(tmp_path, rule=rule())
    (tmp_path / "link.yml").symlink_to(target)
    folder = read_folders([tmp_path])
    assert places(folder.findings) == [("link.yml", 1, "file-unreadable")]
    assert len(folder.accepted) == 1


def _denied(path: object) -> Any:
    raise PermissionError(13, "Permission denied", str(path))


def test_a_file_that_may_not_be_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, rule=rule(), secret=rule())
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: _denied(self) if self.stem == "secret" else read_bytes(self))
    folder = read_folders([tmp_path])
    assert places(folder.findings) == [("secret.yml", 1, "file-unreadable")]
    assert "Permission denied" in folder.findings[0].message
    assert len(folder.accepted) == 1


def test_a_folder_that_may_not_be_listed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, rule=rule())
    write(tmp_path / "secret", rule=rule())
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path=".": _denied(path) if "secret" in str(path) else scandir(path))
    folder = read_folders([tmp_path])
    assert [finding.path for finding in folder.findings if finding.severity == "error"] == [str(tmp_path / "secret")]
    assert len(folder.accepted) == 1


ODD_NAMES = {
    "line feed": b"a\nb.yml",
    "escape": b"a\x1b[31mb.yml",
    "no UTF-8": b"a\xffb.yml",
    "colon": b"a:7: error x: y.yml",
}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_odd_file_name_is_shown_on_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / os.fsdecode(ODD_NAMES[name])).write_text(rule("    A|foo: x"), "utf-8")
    arguments = ["check", "--rules", str(tmp_path), "--ignore", "convention"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False, color=True)
    assert result.exit_code == 1
    (line,) = result.stdout[:-1].split("\n")
    assert line.isprintable()
    assert ":10: error modifier-unknown: " in line


def test_progress_counts_files_up_to_all(tmp_path: Path) -> None:
    write(tmp_path, a=rule(), b="", c="[")
    calls: list[tuple[int, int]] = []
    read_folders([tmp_path], progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]
