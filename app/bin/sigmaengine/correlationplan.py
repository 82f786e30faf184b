"""Which correlations a search evaluates, what it shows, and what it needs of events for that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from .correlation import Correlation
from .selection import RuleInfo

#: What is needed of every match that a correlation counts: columns, whatever the fields are called.
MATCH_COLUMNS = ("_time", "_bkt", "_cd")


def info_of(correlation: Correlation) -> RuleInfo:
    """What is known of a correlation as of a rule."""
    return RuleInfo(
        correlation.id,
        correlation.title,
        correlation.level,
        correlation.status,
        correlation.author,
        correlation.tags,
        correlation.score,
        correlation.enabled,
        correlation.name,
    )


def _is_selected(correlation: Correlation, select: Callable[[RuleInfo], bool]) -> bool:
    return correlation.enabled and select(info_of(correlation))


def needed(correlations: Sequence[Correlation], select: Callable[[RuleInfo], bool]) -> list[Correlation]:
    """The selected of resolved correlations and the inner ones that they need, in the order given."""
    wanted: set[str] = set()
    # Inner ones come before those that list them.
    for correlation in reversed(correlations):
        if correlation.id in wanted or _is_selected(correlation, select):
            wanted.update([correlation.id, *correlation.rules])
    return [correlation for correlation in correlations if correlation.id in wanted]


def base_rules(correlations: Sequence[Correlation]) -> set[str]:
    """The ids of the rules whose matches correlations look at."""
    inner = {correlation.id for correlation in correlations}
    return {rule for correlation in correlations for rule in correlation.rules} - inner


def _generated(correlations: Sequence[Correlation]) -> dict[str, bool]:
    """For each rule that correlations list: whether one of them lets it be seen by itself."""
    generated: dict[str, bool] = {}
    for one in correlations:
        for rule in one.rules:
            generated[rule] = generated.get(rule, False) or one.generate
    return generated


class CorrelationPlan:
    """What a search does with correlations.

    ``correlations``: those to evaluate, inner ones first; ``shown``: ids of those whose alerts are
    shown; ``hidden``: rules whose own matches are not, as no correlation that lists them has
    ``generate``; ``fields``: for each rule, the fields that are needed of its matches.
    """

    def __init__(self, correlations: Sequence[Correlation], select: Callable[[RuleInfo], bool]) -> None:
        self.correlations = needed(correlations, select)
        self.selected = [one for one in self.correlations if _is_selected(one, select)]
        generated = _generated(self.correlations)
        selected = {one.id for one in self.selected}
        self.shown = {one.id for one in self.correlations if generated.get(one.id, one.id in selected)}
        rules = base_rules(self.correlations)
        # Of all that are on: a search that asks for some correlations asks for no match that is not to be seen.
        on = [one for one in correlations if one.enabled]
        generated = _generated([*on, *self.correlations])
        self.hidden = {rule for rule in base_rules(correlations) if not generated.get(rule, True)}
        needs: dict[str, set[str]] = {rule: set() for rule in (*rules, *(one.id for one in self.correlations))}
        # Outer ones first: what is needed of an inner one is known when its own turn comes.
        for one in reversed(self.correlations):
            # A group-by field is the alert's own; others are those of the event that completes it.
            inherited = needs[one.id] - set(one.group_by)
            for rule in one.rules:
                needs[rule].update(one.field_of(field, rule) for field in (*one.group_by, *one.condition.fields))
                needs[rule] |= inherited
        self.fields = {rule: sorted(needs[rule]) for rule in sorted(rules)}

    def group_fields(self) -> list[str]:
        """The group-by fields of the correlations whose alerts are shown, each once."""
        shown = (one for one in self.correlations if one.id in self.shown)
        return list(dict.fromkeys(field for one in shown for field in one.group_by))
