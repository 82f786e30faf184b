"""A saved search for each rule that ``by_rule`` of the configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from builder.outcomes import Outcome
from sigmaengine.documents import RULE
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule

from .alerts import ending, is_nameable, said
from .configuration import Configuration
from .indexes import index_macro
from .reading import reading
from .stanzas import Run, Search, event_window, index_window, stanza, timing_of

KIND = "rule"


class Refused(NamedTuple):
    """A rule or correlation that cannot have a search, and why not."""

    outcome: Outcome
    reason: str


def name_of(rule_id: str) -> str:
    """The stanza of a rule: by its id, so that a new title changes nothing for the user."""
    return f"Sigma Rule - {rule_id}"


def filter_macro(rule_id: str) -> str:
    """The macro in which users leave out alerts of a rule."""
    return f"sigma_rule_{rule_id.replace('-', '_')}_filter"


def chosen(configuration: Configuration, outcomes: list[Outcome]) -> tuple[list[Outcome], list[Refused]]:
    """The rules that have searches of their own, and those that were named and cannot have one."""
    named = configuration.alone(outcomes)
    wanted = [outcome for outcome in outcomes if outcome.id in named and outcome.kind == RULE]
    reason = "its id cannot be part of a name; give it a UUID"
    return (
        sorted((outcome for outcome in wanted if is_nameable(outcome.id)), key=lambda outcome: outcome.id),
        [Refused(outcome, reason) for outcome in wanted if not is_nameable(outcome.id)],
    )


def searches(configuration: Configuration, outcomes: list[Outcome], routing: RoutingTable) -> Iterator[Search]:
    """The searches, in the order of their ids."""
    for outcome in chosen(configuration, outcomes)[0]:
        if outcome.rule:
            yield _search(configuration, outcome, outcome.rule, routing)


def macros(configuration: Configuration, outcomes: list[Outcome]) -> dict[str, str]:
    """Name -> definition of the filters, which keep everything as they are shipped."""
    return {filter_macro(outcome.id): "search *" for outcome in chosen(configuration, outcomes)[0]}


def _search(configuration: Configuration, outcome: Outcome, rule: Rule, routing: RoutingTable) -> Search:
    name = name_of(rule.id)
    timing = timing_of(configuration, name, outcome)
    found = reading(rule, routing, configuration.fields)
    commands = [
        f"`{index_macro(rule.logsource, routing)}` {index_window(configuration, timing.period)} {found.search}",
        found.decide or said(rule.level, rule.id),
        ending(configuration.actions.summary is not None, filter_macro(rule.id)),
    ]
    throttle = configuration.throttle
    entities = throttle.fields if throttle else ()
    run = Run(timing, event_window(configuration, timing.period), " | ".join(commands), entities)
    return Search(name, KIND, (rule.id,), stanza(configuration, outcome, run))
