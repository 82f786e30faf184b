"""One saved search a rule, for the rules that ``by_rule`` of the configuration names."""

from __future__ import annotations

from builder.outcomes import Outcome
from sigmaengine.metadata import LEVELS
from sigmaengine.rule import Rule

from .actions import Subject, action_settings, collecting
from .alertrow import ALERT_FIELDS
from .conf import Stanza, macro_word, prose, stanza_name
from .configuration import OTHER, Configuration
from .context import Context, Part
from .reading import reading
from .rulerow import RULE_FIELDS, definition, row_of
from .schedule import Timing, staggered
from .stanzas import SEVERITIES, alerting, in_indexes, index_window, scheduled
from .streams import products

KIND = "Rule"


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


def _stanza(context: Context, outcome: Outcome, rule: Rule) -> Stanza:
    configuration, streams = context.configuration, context.configuration.streams
    timing = timing_of(configuration, stanza_name(KIND, rule.id), outcome)
    found = reading(rule, context.routing, configuration.fields)
    search = [
        f"{in_indexes((product_of(context, rule),))} {index_window(timing.period, streams.lag)} {found.search}",
        *found.tests,
        *([found.decide, f"`{ALERT_FIELDS}`"] if found.decide else [row_of(rule.id, rule.level)]),
        f"`{filter_macro(rule.id)}`",
        *collecting(configuration),
    ]
    # Events of this age may have been indexed at the beginning of the period.
    lookback = streams.lookback + streams.lag + timing.period
    return {
        "search": " | ".join(search),
        "description": described(outcome),
        **scheduled(configuration, timing, lookback, configuration.enable.of("", [outcome])),
        **alerting(configuration, SEVERITIES[rule.level]),
        **action_settings(configuration.actions, Subject(f"Sigma - {outcome.title} - Rule", outcome)),
    }


def described(outcome: Outcome) -> str:
    """Title, level and description of a rule or correlation."""
    told = outcome.document.get("description")
    level = getattr(outcome.meant, "level", "")
    return prose(f"{outcome.title} ({level})" + (f": {told}" if isinstance(told, str) else ""))
