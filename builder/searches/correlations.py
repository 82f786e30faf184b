"""One saved search a correlation.

It looks at windows of the events' own times, which have to be whole: it reads further back than its
period, and keeps the alerts of the period alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from builder.outcomes import Outcome
from builder.spl.correlating import Relations, alerts_of, cannot_be_searched, commands, shared_profile
from sigmaengine.correlation import Correlation
from sigmaengine.rule import Rule

from .actions import Subject, action_settings, ending
from .alertrow import ALERT_FIELDS, DRILLDOWN
from .byrule import described, product_of, timing_of
from .conf import Stanza, is_nameable, macro_word, stanza_name
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


def _relations(context: Context) -> Relations:
    return Relations(context.folder.rules, context.folder.correlations)


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
    relations = _relations(context)
    saved: dict[str, Stanza] = {}
    macros: dict[str, str] = {}
    used: dict[str, None] = {}
    for outcome in alerting_correlations(context):
        if outcome.correlation:
            rules = relations.base_rules(outcome.correlation)
            if not cannot_be_searched(rules, context.routing) and is_nameable(outcome.id):
                saved[stanza_name(KIND, outcome.id)] = _stanza(context, outcome, outcome.correlation, relations)
                macros[filter_macro(outcome.id)] = "search *"
                used.update(dict.fromkeys(product_of(context, rule) for rule in rules))
    return Part(saved, macros, tuple(used))


def not_searched(context: Context) -> dict[str, str]:
    """Ids of correlations that alert and can have no search -> the reason."""
    relations = _relations(context)
    found = {
        outcome.id: cannot_be_searched(relations.base_rules(outcome.correlation), context.routing)
        or ("" if is_nameable(outcome.id) else UNNAMED)
        for outcome in alerting_correlations(context)
        if outcome.correlation
    }
    return {one: reason for one, reason in found.items() if reason}


def _stanza(context: Context, outcome: Outcome, correlation: Correlation, relations: Relations) -> Stanza:
    configuration, lag = context.configuration, context.configuration.streams.lag
    back = relations.look_back(correlation)
    timing = timing_of(configuration, stanza_name(KIND, correlation.id), outcome, least=_least_period(back))
    rules = relations.base_rules(correlation)
    found = commands(correlation, rules, context.routing, shared_profile(rules, configuration.fields))
    search = [
        _base(context, rules),
        *found,
        "addinfo",
        # What became true before, an earlier run has told.
        f"where {alerts_of(correlation)} AND _time>=info_max_time-{timing.window}",
        # The summary index would take them for the times of its rows.
        "fields - info_*",
        _ENTITIES,
        f"`{ALERT_FIELDS}`",
        _drilldown(f"{found.match} explain=true"),
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
    profile = shared_profile(listed, context.configuration.fields)
    by_product: dict[str, dict[str, None]] = {}
    for rule in listed:
        found = reading(rule, context.routing, profile).search
        by_product.setdefault(product_of(context, rule), {})[found] = None
    parts = [f"({in_indexes((product,))} ({' OR '.join(found)}))" for product, found in sorted(by_product.items())]
    return " OR ".join(parts)
