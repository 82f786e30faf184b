"""What the searches of a package are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from builder.outcomes import Outcome, RuleFolder
from builder.paths import MAPPINGS
from sigmaengine.correlationplan import CorrelationPlan, base_rules, needed
from sigmaengine.documents import RULE
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule

from .conf import Stanza, is_nameable
from .configuration import ByRule, Configuration, info_of
from .datamodels import Refusal, TstatsQuery, read_datamodels, tstats_query
from .sources import Source, sources
from .streams import Layout, lay_out

#: Why a rule has no search of its own.
UNNAMED = "the option rules= cannot name its id; give it a UUID"


class Part(NamedTuple):
    """Some of the searches. ``saved``: saved searches by their name; ``macros``: definitions by name.

    ``products``: whose index macros they use.
    """

    saved: Mapping[str, Stanza]
    macros: Mapping[str, str]
    products: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """The rules in use, the mappings and the configuration, and what follows from them."""

    folder: RuleFolder
    routing: RoutingTable
    configuration: Configuration

    @cached_property
    def sources(self) -> list[Source]:
        """The groups of alternatives that streams are named after."""
        return sources(self.routing)

    @cached_property
    def alone(self) -> dict[str, ByRule]:
        """The ids of rules that get a search of their own -> the entry that says so."""
        return self.configuration.alone(one for one in self.folder.accepted if one.kind == RULE and is_nameable(one.id))

    @cached_property
    def over_datamodels(self) -> dict[str, TstatsQuery | Refusal]:
        """Of rules that are to be sought in an accelerated data model: ids -> the search, or why there is none."""
        models = read_datamodels(MAPPINGS / "datamodels" / "cim.yml")
        named = {one for one, entry in self.alone.items() if entry.datamodel}
        return {rule.id: tstats_query(rule, models) for rule in self.folder.rules if rule.id in named}

    @cached_property
    def nameless(self) -> list[str]:
        """The ids of rules that were to get a search of their own, and that no search can name."""
        named = self.configuration.alone(one for one in self.folder.accepted if one.kind == RULE)
        return sorted(set(named) - set(self.alone))

    @cached_property
    def plan(self) -> CorrelationPlan:
        """The correlations that alert, and the rules that they hide."""
        return CorrelationPlan(self.folder.correlations, self.configuration.select.selection.predicate())

    @cached_property
    def shared(self) -> list[Outcome]:
        """The rules that alert in searches by stream: selected, without a search of their own, not hidden."""
        chosen = self.configuration.select.chosen(self.folder.accepted)
        return [
            one for one in chosen if one.kind == RULE and one.id not in self.alone and one.id not in self.plan.hidden
        ]

    @cached_property
    def alerting(self) -> list[Outcome]:
        """The rules that alert, in whichever search; without those that correlations hide."""
        return [*self.shared, *(one for one in self.folder.accepted if one.id in self.alone)]

    @cached_property
    def layout(self) -> Layout:
        """The streams."""
        return lay_out(self.routing, self.sources, [one.rule for one in self.shared if one.rule])

    @cached_property
    def let_through(self) -> list[Rule]:
        """The rules that sigmamatch reports, with the options of searches by stream, and that do not alert there."""
        selected = self.configuration.select.selection.predicate()
        counted = base_rules(needed(self.folder.correlations, selected))
        alerting = {one.id for one in self.shared}
        return [
            rule
            for rule in self.folder.rules
            if rule.id not in alerting and (rule.id in counted or selected(info_of(rule)))
        ]
