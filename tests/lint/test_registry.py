"""The registry of codes: complete, current on its page, and true: every example is run through ``build.py check``."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from builder import cli, clishared, docs_check
from builder.lint.registry import TOPICS, Code, codes, completed
from builder.mappings import Mappings
from builder.paths import ROOT
from sigmaengine.problems import Problem
from sigmaengine.rule import read_rule
from sigmaengine.ruletext import read_documents
from tests.support.builds import run
from tests.support.emittedcodes import emitted_codes

#: About events, which ``match`` reads and ``check`` does not.
OF_EVENTS = ("events.py", "evtxevents.py")
# What is wrong with a configuration of searches or the table of data models is no rule's fault: `check` reads neither.
SOURCES = [
    path
    for path in [*(ROOT / "app" / "bin" / "sigmaengine").glob("*.py"), *(ROOT / "builder").rglob("*.py")]
    if path.name not in OF_EVENTS and path.parent.name != "searches"
]
ALL = list(codes().values())
WITH_EXAMPLE = [entry for entry in ALL if entry.example]
#: Codes that are put together, or called by a name, where they are given; their examples show that they are.
COMPUTED = {"detection", "filter", "placeholder-undefined"}


# --- complete -------------------------------------------------------------------------------------


def test_every_code_that_the_sources_can_give_is_documented() -> None:
    emitted = emitted_codes(SOURCES)
    assert len(emitted) > 100
    assert {code: places for code, places in emitted.items() if code not in codes()} == {}


def test_every_documented_code_is_given_somewhere() -> None:
    assert set(codes()) - set(emitted_codes(SOURCES)) <= COMPUTED
    assert all(codes()[code].example for code in COMPUTED)


def test_codes_are_found_in_all_their_forms(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text(
        'KEYS = ("one", "two")\n'
        "def plain(p): p.warn('warned', 'm'); raise RuleError('raised', 'm')\n"
        "def chosen(p): p.error('left' if p else 'right', 'm')\n"
        "def of_file(path): return error(path, 1, 'of-file', 'm'), warning(path, 1, 'of-file-too', 'm')\n"
        "def looped(p):\n    for key in KEYS:\n        p.warn(f'{key}-missing', 'm')\n"
        "def called(p, key): p.warn(f'{key}-unknown', 'm')\n"
        "def caller(p): called(p, 'level'); called(p, 'status')\n"
        "def through(p, name): called(p, name)\n"
        "def passed_on(p, fault): p.warn(fault.code, 'm')\n"
        "def pairs(x):\n    yield 'paired', 'm'\n"
        "def of_pairs(p):\n    for code, message in pairs(p):\n        p.warn(code, message)\n",
        "utf-8",
    )
    assert set(emitted_codes([source])) == {
        "warned", "raised", "left", "right", "of-file", "of-file-too", "one-missing", "two-missing",
        "level-unknown", "status-unknown", "paired",
    }  # fmt: skip


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.code)
def test_an_entry_says_what_why_and_what_to_do(entry: Code) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.code)
    assert entry.severity in ("error", "warning", "error or warning")
    assert entry.topic in TOPICS
    for text in (entry.what, entry.why, entry.do):
        assert text[0].isupper() or text[0] == "'"
        assert text.endswith(".")
    assert bool(entry.example and entry.fixed) != bool(entry.situation)


def test_the_page_is_what_the_generator_writes() -> None:
    assert docs_check.PAGE.read_text("utf-8") == docs_check.page(), "make docs"


# --- true -----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _mappings_read_once(monkeypatch: pytest.MonkeyPatch, mappings: Mappings) -> None:
    monkeypatch.setattr(cli, "read_mappings_or_end", lambda: mappings)


def found_in(folder: Path, *options: object) -> list[tuple[str, str]]:
    """(severity, code) of everything that ``build.py check`` lists."""
    result = run("check", "--rules", folder, "--format", "json", *options)
    findings = json.loads(result.stdout)["findings"]
    assert result.exit_code == any(one["severity"] == "error" for one in findings)
    return [(one["severity"], one["code"]) for one in findings]


def checked(folder: Path, entry: Code, text: str, name: str) -> list[tuple[str, str]]:
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / name).write_text(completed(entry, text, entry.drop if text == entry.example else ""), "utf-8")
    if not entry.placeholders:
        return found_in(folder / "rules")
    (folder / "placeholders.yml").write_text(entry.placeholders, "utf-8")
    return found_in(folder / "rules", "--placeholders", folder / "placeholders.yml")


@pytest.mark.parametrize("entry", WITH_EXAMPLE, ids=lambda entry: entry.code)
def test_the_example_of_a_code_yields_it(tmp_path: Path, entry: Code) -> None:
    found = checked(tmp_path, entry, entry.example, entry.file)
    assert entry.code in [code for _, code in found]
    assert {severity for severity, code in found if code == entry.code} <= set(entry.severity.split(" or "))


@pytest.mark.parametrize("entry", WITH_EXAMPLE, ids=lambda entry: entry.code)
def test_the_better_example_is_clean(tmp_path: Path, entry: Code) -> None:
    found = checked(tmp_path, entry, entry.fixed, "proc_creation_win_example.yml")
    # What an aggregation of Sigma 1 is read as is always said.
    assert [code for _, code in found if code != "condition-aggregation"] == []
    assert entry.code not in [code for _, code in found]


# --- what cannot be shown as text -----------------------------------------------------------------


def _empty(folder: Path) -> None:
    folder.mkdir()


def _pipe(folder: Path) -> None:
    folder.mkdir()
    os.mkfifo(folder / "a.yml")


def _long_file(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.yml").write_text("# " + "x" * (8 * 1024 * 1024), "utf-8")


def _long_condition(folder: Path) -> None:
    folder.mkdir()
    text = "detection:\n    selection:\n        Image: a\n    condition: " + " or ".join(["selection"] * 3000) + "\n"
    (folder / "a.yml").write_text(completed(codes()["condition-size"], text), "utf-8")


def _many_values(folder: Path) -> None:
    folder.mkdir()
    values = ", ".join(map(str, range(100_001)))
    text = f"detection:\n    selection:\n        A: [{values}]\n        B: [{values}]\n    condition: selection\n"
    (folder / "a.yml").write_text(completed(codes()["rule-size"], text), "utf-8")


def _many_filtered(folder: Path) -> None:
    folder.mkdir()
    entry = codes()["filter-size"]
    values = ", ".join(map(str, range(5_000)))
    rule = "detection:\n    selection:\n        Image: a\n    condition: selection\n"
    one = f"filter:\n    rules: any\n    known:\n        A: [{values}]\n    condition: not known\n"
    (folder / "a.yml").write_text(completed(entry, "---\n".join([rule] * 500 + [one])), "utf-8")


def _large_global(folder: Path) -> None:
    folder.mkdir()
    values = ", ".join(map(str, range(30_000)))
    first = f"action: global\nnotes: [{values}]\ndetection:\n    selection:\n        A: a\n    condition: selection\n"
    others = "".join(f"---\ntitle: Rule {number}\n" for number in range(80))
    (folder / "a.yml").write_text(first + others, "utf-8")


#: Code -> what makes its situation in a folder that is not there yet.
SITUATIONS: dict[str, Callable[[Path], None]] = {
    "no-rules": _empty,
    "file-unreadable": _pipe,
    "yaml-size": _long_file,
    "condition-size": _long_condition,
    "rule-size": _many_values,
    "filter-size": _many_filtered,
    "document-size": _large_global,
}


@pytest.mark.parametrize("code", SITUATIONS)
def test_a_situation_yields_its_code(tmp_path: Path, code: str) -> None:
    SITUATIONS[code](tmp_path / "rules")
    assert ("error", code) in found_in(tmp_path / "rules")


def test_a_folder_that_cannot_be_listed_yields_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    scandir = os.scandir

    # The superuser, as whom CI may run, reads every folder.
    def refusing(path: str) -> Iterator[os.DirEntry[str]]:
        if os.fspath(path) == str(inner):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert ("error", "folder-unreadable") in found_in(tmp_path)


def test_a_faulty_file_of_placeholders_yields_its_code(tmp_path: Path) -> None:
    (tmp_path / "values.yml").write_text("- a\n", "utf-8")
    result = run("check", "--placeholders", tmp_path / "values.yml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert ":1: error placeholders: " in result.stderr


def test_a_faulty_mapping_yields_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yml").write_text("logsources: []\n", "utf-8")
    monkeypatch.undo()
    monkeypatch.setattr(clishared, "MAPPINGS", tmp_path)
    result = run("check")
    assert (result.exit_code, result.stdout) == (1, "")
    assert " error mapping: " in result.stderr


def test_a_filter_as_rule_text_yields_its_code() -> None:
    (document,) = read_documents("title: a\nfilter:\n    rules: any\n")
    _, problems = read_rule(document)
    assert Problem("error", "document-kind", problems[0].message, ("filter",)) in problems


def test_every_situation_is_tested() -> None:
    elsewhere = {"folder-unreadable", "placeholders", "mapping", "document-kind"}
    assert {entry.code for entry in ALL if entry.situation} == {*SITUATIONS, *elsewhere}
