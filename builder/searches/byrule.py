"""A saved search for each rule that ``by_rule`` of the configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule

from ..outcomes import RULE, Outcome
from ..spl import write_query
from .alerts import ending, is_nameable, said
from .configuration import Configuration
from .indexes import index_macro
from .stanzas import Search, event_window, index_window, stanza, timing_of

KIND = "rule"


class Unnameable(NamedTuple):
    """A rule that cannot have a search of its own, and why not."""

    outcome: Outcome
    reason: str


def name_of(rule_id: str) -> str:
    """The stanza of a rule: by its id, so that a new title changes nothing for the user."""
    return f"Sigma Rule - {rule_id}"


def filter_macro(rule_id: str) -> str:
    """The macro in which users leave out alerts of a rule."""
    return f"sigma_rule_{rule_id.replace('-', '_')}_filter"


def chosen(configuration: Configuration, outcomes: list[Outcome]) -> tuple[list[Outcome], list[Unnameable]]:
    """The rules that have searches of their own, and those that were named and cannot have one."""
    named = configuration.alone(outcomes)
    wanted = [outcome for outcome in outcomes if outcome.id in named and outcome.kind == RULE]
    reason = "its id cannot be part of a name; give it a UUID"
    return (
        sorted((outcome for outcome in wanted if is_nameable(outcome.id)), key=lambda outcome: outcome.id),
        [Unnameable(outcome, reason) for outcome in wanted if not is_nameable(outcome.id)],
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
    query = write_query(rule, routing, configuration.fields)
    commands = [
        f"`{index_macro(rule.logsource, routing)}` {index_window(configuration, timing.period)} ({query.search})",
        query.decide or said(rule.level, rule.id),
        ending(configuration.actions.summary is not None, filter_macro(rule.id)),
    ]
    throttle = configuration.throttle
    settings = stanza(
        configuration,
        outcome,
        timing,
        event_window(configuration),
        label=f"Sigma - {outcome.title} - Rule",
        search=" | ".join(commands),
        entities=throttle.fields if throttle else (),
    )
    return Search(name, KIND, (rule.id,), settings)
