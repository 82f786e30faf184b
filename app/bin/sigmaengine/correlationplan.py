"""Which correlations a search evaluates, what it shows, and what it needs of events for that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from .correlation import Correlation
from .selection import RuleInfo


def info_of(correlation: Correlation) -> RuleInfo:
    """What is known of a correlation as of a rule."""
    return RuleInfo(
        correlation.id, correlation.title, correlation.level, correlation.status, correlation.author, correlation.tags
    )


def needed(correlations: Sequence[Correlation], select: Callable[[RuleInfo], bool]) -> list[Correlation]:
    """The selected of resolved correlations and the inner ones that they need, in the order given."""
    wanted: set[str] = set()
    # Inner ones come before those that list them.
    for correlation in reversed(correlations):
        if correlation.id in wanted or select(info_of(correlation)):
            wanted.update([correlation.id, *correlation.rules])
    return [correlation for correlation in correlations if correlation.id in wanted]


def base_rules(correlations: Sequence[Correlation]) -> set[str]:
    """The ids of the rules whose matches correlations look at."""
    inner = {correlation.id for correlation in correlations}
    return {rule for correlation in correlations for rule in correlation.rules} - inner


class CorrelationPlan:
    """What a search does with correlations.

    ``correlations``: those to evaluate, inner ones first; ``shown``: ids of those whose alerts are
    shown; ``hidden``: rules whose own matches are not, as no correlation that lists them has
    ``generate``; ``fields``: for each rule, the fields that are needed of its matches.
    """

    def __init__(self, correlations: Sequence[Correlation], select: Callable[[RuleInfo], bool]) -> None:
        self.correlations = needed(correlations, select)
        self.selected = [one for one in self.correlations if select(info_of(one))]
        generated: dict[str, bool] = {}
        for one in self.correlations:
            for rule in one.rules:
                generated[rule] = generated.get(rule, False) or one.generate
        selected = {one.id for one in self.selected}
        self.shown = {one.id for one in self.correlations if generated.get(one.id, one.id in selected)}
        rules = base_rules(self.correlations)
        self.hidden = {rule for rule in rules if not generated[rule]}
        self._by_id = {one.id: one for one in self.correlations}
        found: dict[str, set[str]] = {rule: set() for rule in sorted(rules)}
        for one in self.correlations:
            for rule in one.rules:
                for field in (*one.group_by, *one.condition.fields):
                    self._need(rule, one.field_of(field, rule), found)
        self.fields = {rule: sorted(names) for rule, names in found.items()}

    def _need(self, rule: str, field: str, found: dict[str, set[str]]) -> None:
        """Note that a field is needed of what a rule, or of what completes an inner correlation."""
        inner = self._by_id.get(rule)
        if inner is None:
            found[rule].add(field)
        elif field not in inner.group_by:
            for listed in inner.rules:
                self._need(listed, field, found)

    def group_fields(self) -> list[str]:
        """The group-by fields of the correlations whose alerts are shown, each once."""
        shown = (one for one in self.correlations if one.id in self.shown)
        return list(dict.fromkeys(field for one in shown for field in one.group_by))
