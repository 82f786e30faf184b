"""What a search of one rule reads: the rule as SPL, or where that cannot be written the events of its log source."""

from __future__ import annotations

from typing import NamedTuple

from builder.spl import write_query
from builder.spl.bounds import any_of
from builder.spl.expressions import text
from builder.spl.routes import sought
from builder.spl.writer import decider, profile_of
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule

from .conf import SHELL_COMMAND


class Reading(NamedTuple):
    """``search``: in parentheses, finds all that the rule matches; ``tests``: commands that leave out more.

    ``decide``: the command that leaves out the rest, if there is one, and ``reasons``: why there has to be.
    """

    search: str
    tests: tuple[str, ...]
    decide: str
    reasons: tuple[str, ...]


def reading(rule: Rule, routing: RoutingTable, profile: str) -> Reading:
    """What finds the matches of a rule."""
    query = write_query(rule, routing, profile)
    refused = _refusal(query.search)
    if not refused:
        return Reading(f"({query.base})", query.tests, query.decide, query.reasons)
    profile = profile_of(rule.logsource, profile)
    events = text(any_of(kind.events for kind in sought(rule, routing, profile)).upper)
    return Reading(f"({events})", (), decider(rule, routing, profile), (refused,))


def _refusal(search: str) -> str:
    """Why a .conf file cannot hold the search; empty if it can."""
    if SHELL_COMMAND.search(search):
        return "AppInspect refuses the shell command that the rule names"
    return "" if search.isprintable() else "the rule names signs that cannot be printed"
