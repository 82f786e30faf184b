"""What a search of one rule reads: the rule as SPL, or where that cannot be written the events of its log source."""

from __future__ import annotations

from typing import NamedTuple

from builder.spl import write_query
from builder.spl.bounds import any_of
from builder.spl.expressions import text
from builder.spl.routes import kinds
from builder.spl.writer import decider, profile_of
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule

from .spelling import is_refused


class Reading(NamedTuple):
    """``search``: in parentheses, finds all that the rule matches; ``decide``: the command that leaves out the rest.

    ``reasons``: why there has to be one.
    """

    search: str
    decide: str
    reasons: tuple[str, ...]


def reading(rule: Rule, routing: RoutingTable, profile: str) -> Reading:
    """What finds the matches of a rule."""
    query = write_query(rule, routing, profile)
    if not is_refused(query.search):
        return Reading(f"({query.search})", query.decide, query.reasons)
    profile = profile_of(rule.logsource, profile)
    events = text(any_of(kind.events for kind in kinds(rule, routing, profile)).upper)
    return Reading(f"({events})", decider(rule, routing, profile), ("AppInspect refuses the command that it names",))
