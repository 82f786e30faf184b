"""What the lookups that people edit (see ``lookupfiles``) make of the packaged rules.

``Overrides`` holds what is there. Most often nothing is: then no module of a lookup is even loaded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Callable

from . import lookupfiles
from .lookupfiles import LookupFile
from .modifiers import UNDEFINED
from .problems import ERROR
from .ruleset import RuleSet, RuleSetError, make_shards
from .selection import RuleInfo

if TYPE_CHECKING:
    from .exceptions import Exceptions
    from .expanding import Expanding
    from .rule import Rule

# A message gives this many reasons and counts the rest.
_REASONS = 10
_EXAMPLES = 3

#: What waits for placeholders, beside the compiled rules; small, as every search reads it in the end.
WAITING_FILE = "waiting.json"

#: What is in force for rule text in a search too; the others are about rules by their ids.
OF_RULE_TEXT = (lookupfiles.LOG_SOURCES, lookupfiles.PLACEHOLDERS)


class Overrides:
    """The lookups in ``folder``. ``apply`` first; the attributes then say what it came to.

    ``exceptions`` is None without the lookup; ``placeholders`` has the values of the build too where
    a lookup needs them; ``expanded`` are the ids of the rules that a lookup gave values.
    """

    def __init__(self, folder: str) -> None:
        self.files = lookupfiles.read_all(folder)
        self.exceptions: Exceptions | None = None
        self.placeholders: dict[str, list[str]] = {}
        self.expanded: set[str] = set()
        self._expanding: Expanding | None = None

    def apply(self, loaded: RuleSet, *, to_rule_text: bool = False) -> RuleSet:
        """The rule set as the lookups change it; it stays as it is. Raises RuleSetError."""
        changed = copy(loaded)
        for name, change in _CHANGES.items():
            file = self.files.get(name)
            if file is not None and (not to_rule_text or name in OF_RULE_TEXT):
                change(self, changed, file)
        return changed

    def expanding(self, loaded: RuleSet) -> Expanding:
        """The packaged rules with placeholders. Raises RuleSetError."""
        from . import expanding

        if self._expanding is None:
            self._expanding = expanding.read(loaded.folder)
        return self._expanding

    def replace(self, changed: RuleSet, rules: Sequence[Rule]) -> list[RuleInfo]:
        """Put rules into a rule set in the place of those with their ids, which are returned."""
        ids = {rule.id.lower() for rule in rules}
        replaced = [info for info in changed.infos if info.enabled and info.id.lower() in ids]
        kept = [
            shard._replace(
                infos=[info._replace(enabled=info.enabled and info.id.lower() not in ids) for info in shard.infos]
            )
            for shard in changed.shards
        ]
        # Numbers tell shards of one log source apart; those on disk are 0 and up.
        new = [shard._replace(number=-1 - len(kept) - place) for place, shard in enumerate(make_shards(rules))]
        changed.shards = [*kept, *new]
        return replaced

    # --- what there is to tell ------------------------------------------------------------------

    def warnings(self) -> list[str]:
        """What is wrong with lookups, at most one message about each."""
        return [f"{file.name}: {listed(file.problems, _REASONS)}" for file in self.files.values() if file.problems]

    def figures(self) -> dict[str, int]:
        """Rows of each lookup that is there, and how many matches exceptions have suppressed."""
        figures = {f"lookup.{name}": len(file.rows) for name, file in self.files.items()}
        if self.exceptions:
            figures["suppressed"] = self.exceptions.suppressed
        return figures

    def report(self) -> list[str]:
        """Which lookups are in use, and what exceptions have suppressed."""
        told = []
        if self.files:
            told.append("lookups in use: " + "; ".join(map(str, self.files.values())))
        if self.exceptions and self.exceptions.suppressed:
            counted = listed(self.exceptions.summary(), _EXAMPLES)
            told.append(f"{self.exceptions.suppressed} matches suppressed by {lookupfiles.EXCEPTIONS}: {counted}")
        return told

    def waiting(self, loaded: RuleSet, select: Callable[[RuleInfo], bool]) -> str:
        """The selected rules that cannot be used until a placeholder has a value; empty if there are none."""
        rules = [
            names
            for names, *info in _read_waiting(loaded.folder)
            if select(RuleInfo(*info)) and info[0] not in self.expanded
        ]
        by_name: dict[str, int] = {}
        for name in (name for names in rules for name in names if name not in self.placeholders):
            by_name[name] = by_name.get(name, 0) + 1
        counted = listed([f"%{name}% ({count})" for name, count in sorted(by_name.items())], _REASONS)
        return f"{counted_rules(len(rules))} wait for placeholders: {counted}" if rules else ""


def _read_waiting(folder: str) -> Any:
    """(placeholders without a value, what is known of it ...) of each rule that waits. Raises RuleSetError."""
    path = os.path.join(folder, WAITING_FILE)
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise RuleSetError(f"cannot read {path}: {error}; install the app again") from None


def listed(texts: Sequence[str], most: int) -> str:
    """``texts`` as one, the first ``most`` of them; the rest is counted."""
    more = len(texts) - most
    return "; ".join(texts[:most]) + (f"; and {more} more" if more > 0 else "")


def counted_rules(count: int) -> str:
    """``count`` rules, in words."""
    return "1 rule" if count == 1 else f"{count} rules"


def _log_sources(_: Overrides, changed: RuleSet, file: LookupFile) -> None:
    from .logsourcerows import extended

    changed.routing = extended(changed.routing, file, [shard.logsource for shard in changed.shards])


def _placeholders(overrides: Overrides, changed: RuleSet, file: LookupFile) -> None:
    from .placeholderrows import read_placeholders

    given = read_placeholders(file)
    if not given:
        return
    packaged = overrides.expanding(changed)
    overrides.placeholders = {**packaged.values, **given}
    rules = []
    for one in packaged.rules:
        if given.keys().isdisjoint(one.names):
            continue
        rule, problems = one.read(overrides.placeholders)
        if rule is not None:
            rules.append(rule)
        # Of what still has no value ``waiting`` tells.
        faults = [problem for problem in problems if problem.severity == ERROR and problem.code != UNDEFINED]
        file.problems += [f"{one.document.get('title')}: {problem.message}" for problem in faults]
    overrides.replace(changed, rules)
    overrides.expanded = {rule.id for rule in rules}
    file.notes.append(f"{counted_rules(len(rules))} expanded")
    used = {name for one in packaged.rules for name in one.names}
    custom = overrides.files.get(lookupfiles.CUSTOM_RULES)
    texts = [row.text("rule") for row in custom.rows] if custom else []
    for name in given:
        if name not in used and not any(f"%{name}%" in text for text in texts):
            file.problems.append(f"no rule uses the placeholder %{name}%")


def _custom_rules(overrides: Overrides, changed: RuleSet, file: LookupFile) -> None:
    from .customrules import read_custom_rules

    if not file.rows:
        return
    if not overrides.placeholders:
        overrides.placeholders = overrides.expanding(changed).values
    rules = read_custom_rules(file, overrides.placeholders)
    replaced = overrides.replace(changed, rules)
    file.notes.append(f"{len(rules)} in use")
    if replaced:
        titles = listed([f"{info.title} ({info.id})" for info in replaced], _EXAMPLES)
        file.notes.append(f"{len(replaced)} in the place of packaged ones: {titles}")


def _settings(_: Overrides, changed: RuleSet, file: LookupFile) -> None:
    from .rulesettings import RuleSettings

    before = _infos(changed)
    settings = RuleSettings(file, before)
    changed.shards = [shard._replace(infos=settings.adjusted(shard.infos)) for shard in changed.shards]
    changed.correlations = [
        one._replace(level=info.level, score=info.score, enabled=info.enabled)
        for one, info in zip(changed.correlations, settings.adjusted(changed.correlation_infos))
    ]
    count = sum(old.enabled and not new.enabled for old, new in zip(before, _infos(changed)))
    if count:
        file.notes.append(f"{counted_rules(count)} switched off")


def _exceptions(overrides: Overrides, changed: RuleSet, file: LookupFile) -> None:
    from .exceptions import Exceptions

    overrides.exceptions = Exceptions(file, _infos(changed))


def _infos(changed: RuleSet) -> list[RuleInfo]:
    """Everything that lookups can name."""
    return [*changed.infos, *changed.correlation_infos]


#: What each lookup does, in the order in which it is done.
_CHANGES: dict[str, Callable[[Overrides, RuleSet, LookupFile], None]] = {
    lookupfiles.LOG_SOURCES: _log_sources,
    lookupfiles.PLACEHOLDERS: _placeholders,
    lookupfiles.CUSTOM_RULES: _custom_rules,
    lookupfiles.SETTINGS: _settings,
    lookupfiles.EXCEPTIONS: _exceptions,
}
