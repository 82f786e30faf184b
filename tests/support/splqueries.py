"""Queries of the SPL writer, judged by the evaluator of SPL: what they find against what the rule matches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from builder.spl import Query, write_query
from sigmaengine.fields import Columns, make_cell
from sigmaengine.matcher import Matcher
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule
from tests.support.spl import Query as Search
from tests.support.spl import parse

Event = Mapping[str, str | Sequence[str]]


@dataclass
class Verdict:
    """``wrong``: (rule, "lost" or "extra", search, event); ``counts``: "pairs" found, "wider": found by supersets."""

    wrong: list[tuple[str, str, str, Event]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Judge:
    """Writes the queries of rules once, and judges them on events."""

    def __init__(self, rules: Iterable[Rule], spelt: RoutingTable, profile: str) -> None:
        self.rules = {rule.id: rule for rule in rules}
        self.queries: dict[str, tuple[Query, Search]] = {}
        for rule in self.rules.values():
            query = write_query(rule, spelt, profile)
            self.queries[rule.id] = query, parse(query.search)

    def judge(self, event: Event, matched: set[str], verdict: Verdict, only: Iterable[str] | None = None) -> None:
        """Compare what the queries (of these rules) find with the ids of the rules that match."""
        for rule_id in self.queries if only is None else only:
            query, search = self.queries[rule_id]
            found, wanted = search.matches(event), rule_id in matched
            verdict.counts["pairs"] += found and wanted
            if found == wanted:
                continue
            if wanted or query.exact:
                verdict.wrong.append((rule_id, "lost" if wanted else "extra", query.search, event))
            verdict.counts["wider"] += found


def matched_ids(matcher: Matcher, event: Event) -> set[str]:
    """The ids of the rules that match an event."""
    cells = [value if isinstance(value, str) else make_cell(value) for value in event.values()]
    return {match.info.id for match in matcher.match(Columns(list(event)), cells)}
