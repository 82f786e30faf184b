"""The rules with placeholders, for a lookup in the app to give their values (see ``sigmaengine.expanding``).

These are the rules that the build could read with its own values, and those that it refused for
nothing but a placeholder without one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sigmaengine.documents import RULE
from sigmaengine.expanding import FILE, Expanding, ExpandingRule, as_json
from sigmaengine.filters import Filter, reach
from sigmaengine.overrides import WAITING_FILE
from sigmaengine.packedjson import packed
from sigmaengine.placeholders import UNDEFINED
from sigmaengine.rule import Rule, read_rule
from sigmaengine.selection import RuleInfo

from .outcomes import Outcome, RuleFolder


class _Asked(Mapping[str, Sequence[str]]):
    """Values of placeholders, one stand-in for those that have none; notes what it is asked for."""

    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        self.known = known
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Sequence[str]:
        self.names.add(name)
        return self.known.get(name) or ["x"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __bool__(self) -> bool:
        return True  # it answers, even where nothing is known

    def __len__(self) -> int:
        return len(self.known)


def files(folder: RuleFolder) -> Iterator[tuple[str, str]]:
    """The names and texts of the files in the folder of the compiled rules."""
    values = {name: list(given) for name, given in sorted(folder.placeholders.items())}
    found = list(_rules(folder))
    waiting = [[[name for name in rule.names if name not in values], *info] for rule, info in found if info is not None]
    yield FILE, as_json(Expanding(values, [rule for rule, _ in found])) + "\n"
    yield WAITING_FILE, packed(waiting) + "\n"


def _rules(folder: RuleFolder) -> Iterator[tuple[ExpandingRule, RuleInfo | None]]:
    """The rules that use placeholders; with what is known of it, if it waits for a value."""
    filters = [outcome.filter for outcome in folder.filters if outcome.filter]
    used = {rule.id.lower() for rule in folder.rules}
    for outcome in folder.outcomes:
        if outcome.kind != RULE or not (outcome.rule or _waits(outcome)) or not _has_expand(outcome.document):
            continue
        asked = _Asked(folder.placeholders)
        rule, _ = read_rule(outcome.document, asked)
        if rule is None or not asked.names or (outcome.rule is None and rule.id.lower() in used):
            continue  # a second rule of an id is refused, whatever its placeholders are
        used.add(rule.id.lower())
        waiting = None if outcome.rule else _info(rule)
        yield ExpandingRule(outcome.document, sorted(asked.names), _reaching(rule, filters)), waiting


def _waits(outcome: Outcome) -> bool:
    """True if a rule was refused for nothing but placeholders without a value."""
    errors = {finding.code for finding in outcome.findings if finding.severity == "error"}
    return errors == {UNDEFINED}


def _has_expand(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any("expand" in str(key).split("|")[1:] or _has_expand(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(_has_expand, value))


def _reaching(rule: Rule, filters: list[Filter]) -> list[Filter]:
    return [one for one, positions in zip(filters, reach([rule], filters).rules, strict=True) if positions]


def _info(rule: Rule) -> RuleInfo:
    return RuleInfo(rule.id, rule.title, rule.level, rule.status, rule.author, rule.tags)
