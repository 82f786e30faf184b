"""One saved search a rule, for the rules that ``by_rule`` of the configuration names."""

from __future__ import annotations

from builder.outcomes import Outcome
from sigmaengine.metadata import LEVELS
from sigmaengine.rule import Rule

from .actions import Subject, action_settings, ending
from .alertrow import ALERT_FIELDS
from .conf import Stanza, macro_word, prose, stanza_name
from .configuration import OTHER, Configuration
from .context import Context, Part
from .datamodels import UNKNOWN, Refusal, TstatsQuery
from .reading import reading
from .rulerow import RULE_FIELDS, definition, row_of
from .schedule import Timing, duration, staggered
from .stanzas import SEVERITIES, alerting, in_indexes, index_window, scheduled, throttled_by
from .streams import products

KIND = "Rule"
#: The values of the fields that throttle, of a row of a data model.
ENTITY = "sigma_entity"


def filter_macro(rule_id: str) -> str:
    """The macro, a command, by which a site leaves out alerts of a rule."""
    return f"sigma_rule_{macro_word(rule_id)}_filter"


def by_rule(context: Context) -> Part:
    """The searches of single rules, and their macros."""
    saved: dict[str, Stanza] = {}
    macros: dict[str, str] = {}
    used: list[str] = []
    for outcome in sorted(context.folder.accepted, key=lambda one: one.id):
        if outcome.id in context.alone and outcome.rule:
            saved[stanza_name(KIND, outcome.id)] = _stanza(context, outcome, outcome.rule)
            macros[filter_macro(outcome.id)] = "search *"
            used.append(product_of(context, outcome.rule))
    if saved:
        macros[RULE_FIELDS] = definition()
    return Part(saved, macros, tuple(dict.fromkeys(used)))


def product_of(context: Context, rule: Rule) -> str:
    """The product whose index macro a rule's events are in."""
    product = rule.logsource.product
    return product if product in products(context.routing) else OTHER


def timing_of(configuration: Configuration, name: str, outcome: Outcome, least: int = 0) -> Timing:
    """When the search of one rule runs: as the configuration says, else by its level, never oftener than ``least``."""
    level: str = getattr(outcome.meant, "level", LEVELS[0])
    return configuration.timing_of(name, [outcome]) or staggered(name, max(configuration.periods[level], least))


def refused_datamodels(context: Context) -> dict[str, str]:
    """Ids of rules that were to be sought in a data model, and are sought in the events -> the reason."""
    return {one: found.message for one, found in context.over_datamodels.items() if isinstance(found, Refusal)}


def _stanza(context: Context, outcome: Outcome, rule: Rule) -> Stanza:
    configuration = context.configuration
    timing = timing_of(configuration, stanza_name(KIND, rule.id), outcome)
    query = context.over_datamodels.get(rule.id)
    if isinstance(query, TstatsQuery):
        found = [query.search, _entities(configuration, query), row_of(rule.id, rule.level)]
        own, throttled = _event_window(configuration, timing.window), ["sigma_rule_id", ENTITY]
        if configuration.throttle:
            own["alert.suppress.fields"] = ",".join(throttled)
    else:
        found, own, throttled = _in_events(context, rule, timing.window), {}, throttled_by(configuration)
    # Events of this age may have been indexed at the beginning of the period.
    lookback = configuration.streams.lookback + configuration.streams.lag + timing.window
    return {
        "search": " | ".join(
            [*found, f"`{filter_macro(rule.id)}`", *ending(configuration, throttled if configuration.throttle else [])]
        ),
        "description": described(outcome),
        **scheduled(configuration, timing, lookback, configuration.enable.of("", [outcome])),
        **alerting(configuration, SEVERITIES[rule.level]),
        **own,
        **action_settings(configuration.actions, Subject(f"Sigma - {outcome.title} - Rule", outcome)),
    }


def _entities(configuration: Configuration, query: TstatsQuery) -> str:
    """Fields without a value have none, where the data model says ``unknown``; a throttle key has a value."""
    fields = configuration.throttle.fields if configuration.throttle else ()
    key = '." ".'.join(f"coalesce('{field}', \"{UNKNOWN}\")" for field in fields) or f'"{UNKNOWN}"'
    known = [f'{field}=nullif({field}, "{UNKNOWN}")' for field in dict.fromkeys(("host", *query.fields))]
    return f"eval {', '.join([f'{ENTITY}={key}', *known])}"


def _event_window(configuration: Configuration, period: int) -> dict[str, str]:
    """By the times of the events: the summaries of data models know no other. They are built some time later."""
    lag = max(configuration.streams.lag, configuration.datamodel_lag)
    return {
        "dispatch.earliest_time": f"-{duration(lag + period)}@m",
        "dispatch.latest_time": f"-{duration(lag)}@m",
    }


def _in_events(context: Context, rule: Rule, period: int) -> list[str]:
    configuration = context.configuration
    found = reading(rule, context.routing, configuration.fields)
    window = index_window(period, configuration.streams.lag)
    return [
        f"{in_indexes((product_of(context, rule),))} {window} {found.search}",
        *found.tests,
        *([found.decide, f"`{ALERT_FIELDS}`"] if found.decide else [row_of(rule.id, rule.level)]),
    ]


def described(outcome: Outcome) -> str:
    """Title, level and description of a rule or correlation."""
    told = outcome.document.get("description")
    level = getattr(outcome.meant, "level", "")
    return prose(f"{outcome.title} ({level})" + (f": {told}" if isinstance(told, str) else ""))
