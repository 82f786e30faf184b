"""What each of the lookups that people edit (see ``lookupfiles``) changes about a rule set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Callable

from . import lookupfiles
from .aggregation import EVENTS
from .lookupfiles import LookupFile
from .placeholders import UNDEFINED
from .problems import ERROR, counted, listed
from .ruleset import RuleSet, make_shards
from .selection import RuleInfo

if TYPE_CHECKING:
    from .exceptions import Exceptions
    from .expanding import Expanding
    from .rule import Rule

#: What is in force for rule text in a search too; the others are about rules by their ids.
OF_RULE_TEXT = (lookupfiles.LOG_SOURCES, lookupfiles.PLACEHOLDERS)
_EXAMPLES = 3


class Changes:
    """A rule set as lookups change it; the one they were given stays as it is.

    ``exceptions``: None without the lookup; ``placeholders``: those of the build too, where a lookup
    needs them; ``expanded``: the ids of the rules that a lookup gave values.
    """

    def __init__(self, loaded: RuleSet, files: Mapping[str, LookupFile]) -> None:
        self.ruleset, self.files = copy(loaded), files
        self.exceptions: Exceptions | None = None
        self.placeholders: dict[str, list[str]] = {}
        self.expanded: set[str] = set()
        self._expanding: Expanding | None = None

    def apply(self, *, to_rule_text: bool = False) -> None:
        """Make the changes of the lookups that are there. Raises RuleSetError."""
        for name, change in _CHANGES.items():
            file = self.files.get(name)
            if file is not None and (not to_rule_text or name in OF_RULE_TEXT):
                change(self, file)

    @property
    def infos(self) -> list[RuleInfo]:
        """Everything that lookups can name."""
        return [*self.ruleset.infos, *self.ruleset.correlation_infos]

    def log_sources(self, file: LookupFile) -> None:
        """More events that belong to log sources."""
        from .logsourcerows import extended

        logsources = [shard.logsource for shard in self.ruleset.shards]
        self.ruleset.routing = extended(self.ruleset.routing, file, logsources)

    def give_placeholders(self, file: LookupFile) -> None:
        """Values for the packaged rules that wait for them, other values for those that have some."""
        from .placeholderrows import read_placeholders

        given = read_placeholders(file)
        if not given:
            return
        packaged = self._read_expanding()
        self.placeholders = {**packaged.values, **given}
        rules = []
        for one in packaged.rules:
            if given.keys().isdisjoint(one.names):
                continue
            rule, problems = one.read(self.placeholders)
            if rule is not None:
                rules.append(rule)
            # Rules that still have no value are told of in the end.
            faults = [problem for problem in problems if problem.severity == ERROR and problem.code != UNDEFINED]
            file.problems += [f"{one.document.get('title')}: {problem.message}" for problem in faults]
        self._replace(rules)
        self.expanded = {rule.id for rule in rules}
        file.notes.append(f"{counted(len(rules), 'rule')} expanded")
        used = {name for one in packaged.rules for name in one.names}
        self._tell_unused(file, [name for name in given if name not in used])

    def _tell_unused(self, file: LookupFile, names: Sequence[str]) -> None:
        custom = self.files.get(lookupfiles.CUSTOM_RULES)
        texts = [row.text("rule") for row in custom.rows] if custom else []
        for name in names:
            if not any(f"%{name}%" in text for text in texts):
                file.problems.append(f"no rule uses the placeholder %{name}%")

    def custom_rules(self, file: LookupFile) -> None:
        """Rules beside the packaged ones, or in their place."""
        from .customrules import read_custom_rules

        if not file.rows:
            return
        if not self.placeholders:
            self.placeholders = self._read_expanding().values
        changed = self.ruleset
        custom = read_custom_rules(file, self.placeholders, changed.infos, changed.correlations)
        replaced = self._replace(custom.rules)
        own = {rule_id.lower() for rule_id in custom.own}
        replaced += [info for info in changed.correlation_infos if info.id.lower() in own]
        changed.correlations = custom.correlations
        # What counts events is one with the rule whose events it counts.
        in_use = own | {rule.id.lower().removesuffix(EVENTS) for rule in custom.rules}
        file.notes.append(f"{len(in_use)} in use")
        if replaced:
            titles = listed([f"{info.title} ({info.id})" for info in replaced], _EXAMPLES)
            file.notes.append(f"{len(replaced)} in the place of packaged ones: {titles}")

    def settings(self, file: LookupFile) -> None:
        """Rules and correlations switched off, other levels, risk scores."""
        from .rulesettings import RuleSettings

        before, changed = self.infos, self.ruleset
        settings = RuleSettings(file, before)
        changed.shards = [shard._replace(infos=settings.adjusted(shard.infos)) for shard in changed.shards]
        changed.correlations = [
            one._replace(level=info.level, score=info.score, enabled=info.enabled)
            for one, info in zip(changed.correlations, settings.adjusted(changed.correlation_infos))
        ]
        count = sum(old.enabled and not new.enabled for old, new in zip(before, self.infos))
        if count:
            file.notes.append(f"{counted(count, 'rule')} switched off")

    def except_matches(self, file: LookupFile) -> None:
        """Matches that are not wanted."""
        from .exceptions import Exceptions

        self.exceptions = Exceptions(file, self.infos)

    def _read_expanding(self) -> Expanding:
        from . import expanding

        if self._expanding is None:
            self._expanding = expanding.read(self.ruleset.folder)
        return self._expanding

    def _replace(self, rules: Sequence[Rule]) -> list[RuleInfo]:
        """Put rules into the place of those with their ids, which are returned."""
        ids = {rule.id.lower() for rule in rules}
        replaced = [info for info in self.ruleset.infos if info.enabled and info.id.lower() in ids]
        kept = [
            shard._replace(
                infos=[info._replace(enabled=info.enabled and info.id.lower() not in ids) for info in shard.infos]
            )
            for shard in self.ruleset.shards
        ]
        # Numbers tell shards of one log source apart; those on disk are 0 and up.
        new = [shard._replace(number=-1 - len(kept) - place) for place, shard in enumerate(make_shards(rules))]
        self.ruleset.shards = [*kept, *new]
        return replaced


#: What each lookup does, in the order in which it is done.
_CHANGES: dict[str, Callable[[Changes, LookupFile], None]] = {
    lookupfiles.LOG_SOURCES: Changes.log_sources,
    lookupfiles.PLACEHOLDERS: Changes.give_placeholders,
    lookupfiles.CUSTOM_RULES: Changes.custom_rules,
    lookupfiles.SETTINGS: Changes.settings,
    lookupfiles.EXCEPTIONS: Changes.except_matches,
}
