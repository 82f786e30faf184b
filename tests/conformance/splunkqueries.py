"""pySigma's Splunk backend: its queries, and which of them say something else than their rule, or nothing certain."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from builder.paths import ROOT
from sigmaengine.ruletext import read_documents
from tests.support.rulefacts import Entry, entries, rule_entries

PYTHON = ROOT / ".venv-splunkbackend" / "bin" / "python"
PROGRAM = Path(__file__).resolve().parent / "splunkbackend"
FILE = PROGRAM.with_suffix(".yml")

Mapped = Mapping[str, Any]


def queries(rules: list[dict[str, Any]]) -> list[str]:
    """The query of each rule, empty where the backend refuses it; skips the test where there is no backend."""
    if not PYTHON.exists():
        pytest.skip(
            "needs pySigma's Splunk backend in .venv-splunkbackend, which has no Python 3.11 here or was not made"
        )
    done = subprocess.run(
        [str(PYTHON), str(PROGRAM)],
        input=json.dumps(rules, default=str),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return [answer if isinstance(answer, str) else "" for answer in json.loads(done.stdout)]


class Reason(NamedTuple):
    """Why a rule is left out, or what it says of an event excused."""

    name: str
    reason: str
    #: Of a rule: (rule, query); of an event: (rule, event).
    holds: Callable[[Mapped, Any], bool]


def _some(holds: Callable[[Entry], bool]) -> Callable[[Mapped, Any], bool]:
    return lambda rule, _: any(holds(entry) for entry in rule_entries(rule))


def _text(expression: str) -> Callable[[Mapped, Any], bool]:
    """A value that is a Sigma string and in which the expression is found."""
    search = re.compile(expression).search
    return _some(lambda entry: "re" not in entry.modifiers and any(search(text) for text in entry.texts))


def _query(expression: str) -> Callable[[Mapped, Any], bool]:
    search = re.compile(expression).search
    return lambda _, query: search(query) is not None


_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def _number(rule: Mapped, event: Mapping[str, str | list[str]]) -> bool:
    """A value is another spelling of a number of the rule."""

    def holds(entry: Entry) -> bool:
        value = str(event.get(entry.field, ""))
        numbers = [one for one in entry.values if type(one) in (int, float)]
        return bool(_NUMBER.fullmatch(value)) and float(value) in numbers and value not in map(str, numbers)

    return any(holds(entry) for entry in rule_entries(rule))


_NEGATED = re.compile(r"\bnot\s+(?:\w+\s+of\s+)?([\w*]+)")


def _negated_regex(rule: Mapped, query: str) -> bool:
    """A regex command stands for an expression of an identifier that the condition negates."""
    patterns = _NEGATED.findall(str(rule["detection"]["condition"]))
    return "| regex " in query and any(
        "re" in entry.modifiers
        for name, content in rule["detection"].items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
        for entry in entries(content)
    )


#: An even number of backslashes, which are themselves, before what follows.
_UNESCAPED = r"(?<!\\)(?:\\\\)*"

_HOLDS: dict[str, Callable[[Mapped, Any], bool]] = {
    "refused": lambda _, query: not query,
    "keyword": _some(lambda entry: not entry.field),
    "question-mark": _text(_UNESCAPED + r"\?"),
    "literal-star": _text(_UNESCAPED + r"\\\*"),
    "empty-text": _some(lambda entry: "" in entry.values),
    "dots": _text(r"/\.\./"),
    "backtick": _some(lambda entry: any("`" in text for text in entry.texts)),
    "joined-regex": _query(r"\| rex "),
    "negated-regex": _negated_regex,
    "regex-field": _query(r"\| regex [\w.]*-"),
    "number": _number,
}


def _reasons(of: str) -> list[Reason]:
    (table,) = read_documents(FILE.read_bytes())
    assert [entry["name"] for entry in table] == list(_HOLDS)
    return [Reason(entry["name"], entry["reason"], _HOLDS[entry["name"]]) for entry in table if entry["of"] == of]


LEFT_OUT, EXCUSED = _reasons("rule"), _reasons("event")
