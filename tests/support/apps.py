"""Apps as they lie on a server, built from rules of a test's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from builder.mappings import Mappings
from builder.package import Inputs, app_files, compile_inputs, unpack
from builder.replay import Command, event_chunk, rows
from builder.rulefiles import Outcome, RuleFolder
from sigmaengine.rule import Rule, read_rule

Row = dict[str, str | list[str]]


def rule_of(document: dict[str, Any], rule_id: str = "", title: str = "") -> Rule:
    """The rule of a document that must be one; ``rule_id`` and ``title`` where it has none."""
    completed = {"id": rule_id or "00000000-0000-0000-0000-000000000001", "title": title or "A rule", **document}
    rule, problems = read_rule(completed)
    assert rule is not None, problems
    return rule


def inputs_of(rules: Iterable[Rule], mappings: Mappings) -> Inputs:
    """What a package is built from."""
    outcomes = [Outcome(f"{rule.id}.yml", 1, rule, {"id": rule.id}) for rule in rules]
    return compile_inputs(RuleFolder(outcomes, len(outcomes)), mappings)


def app_of(rules: Iterable[Rule], mappings: Mappings, folder: Path) -> Path:
    """An unpacked app with these rules; its folder."""
    return unpack(app_files(inputs_of(rules, mappings)), folder)


def search(app: Path, options: Sequence[str], chunks: Sequence[Sequence[Row]], python: str) -> list[Row]:
    """The rows of ``| sigmamatch OPTIONS`` over events in chunks, by the packaged command in a child process."""
    found: list[Row] = []
    with Command(app, options, python) as command:
        for number, events in enumerate(chunks, 1):
            found += rows(command.send(event_chunk(events), finished=number == len(chunks)))
    return found
