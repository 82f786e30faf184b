"""One saved search a correlation.

It looks at windows of the events' own times, which have to be whole: it reads further back than its
period, and keeps the alerts of the period alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from builder.outcomes import Outcome
from builder.spl.writer import options as command_options
from builder.spl.writer import profile_of
from sigmaengine.correlation import COUNTED, DISTINCT, ORDERED, TEMPORAL, Correlation
from sigmaengine.rule import Rule

from .actions import Subject, action_settings, ending
from .alertrow import ALERT_FIELDS, DRILLDOWN
from .byrule import described, product_of, timing_of
from .conf import Stanza, is_listable, is_nameable, macro_word, stanza_name
from .context import UNNAMED, Context, Part
from .reading import reading
from .schedule import MINUTE, PERIODS, duration
from .stanzas import SEVERITIES, alerting, in_indexes, scheduled

KIND = "Correlation"
_THROTTLED = ("sigma_rule_id", "sigma_group")
# An alert has the fields that it groups by.
_ENTITIES = (
    "eval host=coalesce(host, Computer, ComputerName, dest), user=coalesce(user, User, TargetUserName, SubjectUserName)"
)


def filter_macro(correlation_id: str) -> str:
    """The macro, a command, by which a site leaves out alerts of a correlation."""
    return f"sigma_correlation_{macro_word(correlation_id)}_filter"


# An event is read at most so many times: by each run whose look-back it is in.
_MOST_READ = 24
# Types whose value only grows with the events in the window.
_GROWING = (COUNTED, DISTINCT, TEMPORAL, ORDERED)


@dataclass(frozen=True)
class Relations:
    """What correlations refer to."""

    context: Context

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self.context.folder.rules}

    @cached_property
    def _correlations(self) -> dict[str, Correlation]:
        return {one.id: one for one in self.context.folder.correlations}

    def inner(self, correlation: Correlation) -> list[Correlation]:
        """The correlations that one lists."""
        return [self._correlations[one] for one in correlation.rules if one in self._correlations]

    def base_rules(self, correlation: Correlation) -> list[Rule]:
        """The rules that are counted in the end, by id."""
        found = {one: self._rules[one] for one in correlation.rules if one in self._rules}
        for inner in self.inner(correlation):
            found.update((rule.id, rule) for rule in self.base_rules(inner))
        return [found[one] for one in sorted(found)]

    def look_back(self, correlation: Correlation) -> int:
        """How many seconds of events before a period can change what is alerted in it.

        All windows that end in the period lie within one timespan. That a condition *becomes* true there
        hangs on the window before as well, which counts for less where it is cut: where less can make the
        condition true, it has to be whole too.
        """
        spans = 1 if _grows(correlation) else 2
        return spans * correlation.timespan + max(map(self.look_back, self.inner(correlation)), default=0)


def _grows(correlation: Correlation) -> bool:
    condition = correlation.condition
    if correlation.kind not in _GROWING:
        return False
    if condition.expression is not None:
        return not _has_not(condition.expression)
    return all(operator in ("gt", "gte") for operator, _ in condition.comparisons)


def _has_not(expression: object) -> bool:
    return isinstance(expression, list) and (expression[:1] == ["not"] or any(map(_has_not, expression)))


def alerting_correlations(context: Context) -> list[Outcome]:
    """The correlations that have searches: selected, and not there to be counted alone; by id."""
    outcomes = [one for one in context.folder.accepted if one.correlation]
    chosen = {one.id for one in context.configuration.select.chosen(outcomes)}
    chosen.update(context.configuration.alone(outcomes))
    listed: dict[str, bool] = {}
    for one in context.folder.correlations:
        for rule in one.rules:
            listed[rule] = listed.get(rule, False) or one.generate
    return sorted((one for one in outcomes if one.id in chosen and listed.get(one.id, True)), key=lambda one: one.id)


def by_correlation(context: Context) -> Part:
    """The searches of correlations, and their macros."""
    relations = Relations(context)
    saved: dict[str, Stanza] = {}
    macros: dict[str, str] = {}
    used: dict[str, None] = {}
    for outcome in alerting_correlations(context):
        if outcome.correlation:
            rules = relations.base_rules(outcome.correlation)
            if not cannot_be_searched(context, rules) and is_nameable(outcome.id):
                saved[stanza_name(KIND, outcome.id)] = _stanza(context, outcome, outcome.correlation, relations)
                macros[filter_macro(outcome.id)] = "search *"
                used.update(dict.fromkeys(product_of(context, rule) for rule in rules))
    return Part(saved, macros, tuple(used))


def not_searched(context: Context) -> dict[str, str]:
    """Ids of correlations that alert and can have no search -> the reason."""
    relations = Relations(context)
    found = {
        outcome.id: cannot_be_searched(context, relations.base_rules(outcome.correlation))
        or ("" if is_nameable(outcome.id) else UNNAMED)
        for outcome in alerting_correlations(context)
        if outcome.correlation
    }
    return {one: reason for one, reason in found.items() if reason}


def cannot_be_searched(context: Context, rules: Iterable[Rule]) -> str:
    """Why the matches of these rules cannot be found together; empty if they can."""
    listed = list(rules)
    unnamed = [rule.id for rule in listed if not is_listable(rule.id)]
    if unnamed:
        return f"the option rules= cannot name {unnamed[0]!r}, which it counts; give it a UUID"
    sources = {rule.logsource for rule in listed}
    unmapped = sorted(str(source) for source in sources if not context.routing.is_mapped(source))
    if unmapped and len(sources) > 1:
        return f"it counts rules of several log sources, of which {unmapped[0]} has no mapping"
    return ""


def _stanza(context: Context, outcome: Outcome, correlation: Correlation, relations: Relations) -> Stanza:
    configuration, lag = context.configuration, context.configuration.streams.lag
    back = relations.look_back(correlation)
    timing = timing_of(configuration, stanza_name(KIND, correlation.id), outcome, least=_least_period(back))
    rules = relations.base_rules(correlation)
    options = command_options([rule.logsource for rule in rules], context.routing, _profile(context, rules))
    listed = ",".join(rule.id for rule in rules)
    kept = [
        "isnotnull(sigma_correlation_type)",
        f'sigma_rule_id="{correlation.id}"',
        # What became true before, an earlier run has told.
        f"_time>=info_max_time-{timing.window}",
    ]
    search = [
        _base(context, rules),
        f'sigmamatch rules="{listed}"{options}',
        f'sigmacorrelate rules="{correlation.id}"{options}',
        "addinfo",
        f"where {' AND '.join(kept)}",
        # The summary index would take them for the times of its rows.
        "fields - info_*",
        _ENTITIES,
        f"`{ALERT_FIELDS}`",
        _drilldown(f'sigmamatch rules="{listed}"{options} explain=true'),
        f"`{filter_macro(correlation.id)}`",
        *ending(configuration, _THROTTLED if configuration.throttle else []),
    ]
    return {
        "search": " | ".join(search),
        "description": described(outcome),
        **scheduled(configuration, timing, back, configuration.enable.of("", [outcome])),
        "dispatch.earliest_time": f"-{duration(_whole_minutes(lag + timing.window + back))}@m",
        "dispatch.latest_time": f"-{duration(lag)}@m",
        **alerting(configuration, SEVERITIES[correlation.level]),
        **_throttled(context, correlation),
        **action_settings(configuration.actions, Subject(f"Sigma - {outcome.title} - Rule", outcome)),
    }


def _throttled(context: Context, correlation: Correlation) -> dict[str, str]:
    """One alert a group.

    Steadily true, a correlation alerts once a timespan; at which time is not to be known from the events of
    one run, so that each run may alert once.
    """
    throttle = context.configuration.throttle
    if throttle is None:
        return {}
    period = duration(max(throttle.period, correlation.timespan))
    return {"alert.suppress.period": period, "alert.suppress.fields": ",".join(_THROTTLED)}


def _drilldown(command: str) -> str:
    """What of the base rules matched in the window."""
    escaped = command.replace('"', '\\"')
    return (
        f'eval {DRILLDOWN}="index=* earliest=".floor(sigma_window_start)." latest=".(floor(sigma_window_end)+1)'
        f'." | {escaped}"'
    )


def _least_period(back: int) -> int:
    return next((period for period in PERIODS if period * _MOST_READ >= back), PERIODS[-1])


def _whole_minutes(seconds: int) -> int:
    return -(-seconds // MINUTE) * MINUTE


# --- what is read --------------------------------------------------------------------------------


def _base(context: Context, rules: Iterable[Rule]) -> str:
    """A base search for all that any of the rules matches."""
    listed = list(rules)
    profile = _profile(context, listed)
    by_product: dict[str, dict[str, None]] = {}
    for rule in listed:
        found = reading(rule, context.routing, profile).search
        by_product.setdefault(product_of(context, rule), {})[found] = None
    parts = [f"({in_indexes((product,))} ({' OR '.join(found)}))" for product, found in sorted(by_product.items())]
    return " OR ".join(parts)


def _profile(context: Context, rules: Iterable[Rule]) -> str:
    """The naming of fields that all of the rules are searched by."""
    profiles = {profile_of(rule.logsource, context.configuration.fields) for rule in rules}
    return profiles.pop() if len(profiles) == 1 else "auto"
