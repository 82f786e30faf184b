"""A saved search for each selected correlation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from builder.outcomes import Outcome, RuleFolder
from builder.spl.writer import profile_of
from sigmaengine.correlation import COUNTED, DISTINCT, ORDERED, TEMPORAL, Correlation
from sigmaengine.documents import CORRELATION
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import LogSource, Rule

from .alerts import GROUP, RULE_ID, ending, is_nameable
from .byrule import Refused
from .configuration import Configuration
from .indexes import index_macro
from .reading import reading
from .schedule import PERIODS, duration
from .stanzas import Run, Search, Window, stanza, timing_of

KIND = "correlation"

# An event is read at most so many times: by each run whose look-back it is in.
_MOST_READ = 24
#: Types whose value only grows with the events in the window.
_GROWING = (COUNTED, DISTINCT, TEMPORAL, ORDERED)


def name_of(correlation_id: str) -> str:
    """The stanza of a correlation."""
    return f"Sigma Correlation - {correlation_id}"


@dataclass(frozen=True)
class Relations:
    """What the correlations of a folder refer to."""

    folder: RuleFolder

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        return {rule.id.lower(): rule for rule in self.folder.rules}

    @cached_property
    def _correlations(self) -> dict[str, Correlation]:
        return {one.id.lower(): one for one in self.folder.correlations}

    def inner(self, correlation: Correlation) -> list[Correlation]:
        """The correlations that one lists."""
        return [found for one in correlation.rules if (found := self._correlations.get(one.lower()))]

    def base_rules(self, correlation: Correlation) -> list[Rule]:
        """The rules that are counted in the end, each once, by id."""
        found = {one.lower(): rule for one in correlation.rules if (rule := self._rules.get(one.lower()))}
        for inner in self.inner(correlation):
            found.update((rule.id.lower(), rule) for rule in self.base_rules(inner))
        return [found[one] for one in sorted(found)]

    def look_back(self, correlation: Correlation) -> int:
        """How many seconds of events before the newest period can change what is alerted in it.

        All windows that end in the period lie within one timespan. That a condition *becomes* true there
        hangs on the window before as well, which counts for less where it is cut: where less can make the
        condition true, it has to be whole too.
        """
        spans = 1 if _grows(correlation) else 2
        return spans * correlation.timespan + max(map(self.look_back, self.inner(correlation)), default=0)

    def is_shown(self, correlation: Correlation) -> bool:
        """False if the correlation is there to be counted alone."""
        listing = [
            one
            for one in self.folder.correlations
            if correlation.id.lower() in {listed.lower() for listed in one.rules}
        ]
        return not listing or any(one.generate for one in listing)

    def hidden_rules(self) -> list[str]:
        """Ids of the rules that are there to be counted alone, sorted: they alert by no search of their own."""
        shown = {rule.lower() for one in self.folder.correlations if one.generate for rule in one.rules}
        listed = {rule.lower() for one in self.folder.correlations for rule in one.rules}
        return sorted(self._rules[one].id for one in listed - shown if one in self._rules)


def _grows(correlation: Correlation) -> bool:
    condition = correlation.condition
    if correlation.kind not in _GROWING:
        return False
    if condition.expression is not None:
        return not _has_not(condition.expression)
    return all(operator in ("gt", "gte") for operator, _ in condition.comparisons)


def _has_not(expression: object) -> bool:
    return isinstance(expression, list) and (expression[:1] == ["not"] or any(map(_has_not, expression)))


def chosen(
    configuration: Configuration, folder: RuleFolder, routing: RoutingTable
) -> tuple[list[Outcome], list[Refused]]:
    """The correlations that have searches, and those that were selected and cannot have one."""
    relations = Relations(folder)
    outcomes = [one for one in folder.accepted if one.kind == CORRELATION and one.correlation]
    wanted = {one.id for one in configuration.select.chosen(outcomes)} | set(configuration.alone(outcomes))
    found, refused = [], []
    for outcome in sorted(outcomes, key=lambda one: one.id):
        if outcome.id not in wanted or outcome.correlation is None or not relations.is_shown(outcome.correlation):
            continue
        reason = _reason(outcome.correlation, relations, routing)
        if reason:
            refused.append(Refused(outcome, reason))
        else:
            found.append(outcome)
    return found, refused


def _reason(correlation: Correlation, relations: Relations, routing: RoutingTable) -> str:
    """Why a correlation cannot have a search; empty if it can."""
    ids = [correlation.id, *(rule.id for rule in relations.base_rules(correlation))]
    bad = [one for one in ids if not is_nameable(one)]
    if bad:
        return f"the id {bad[0]!r} cannot be named in a search; give it a UUID"
    sources = {rule.logsource for rule in relations.base_rules(correlation)}
    unmapped = sorted(str(source) for source in sources if not routing.is_mapped(source))
    if unmapped and len(sources) > 1:
        return f"it counts rules of several log sources, of which {unmapped[0]} has no mapping"
    return ""


def searches(configuration: Configuration, folder: RuleFolder, routing: RoutingTable) -> Iterator[Search]:
    """The searches, in the order of their ids."""
    relations = Relations(folder)
    for outcome in chosen(configuration, folder, routing)[0]:
        if outcome.correlation:
            yield _search(configuration, outcome, outcome.correlation, relations, routing)


def _search(
    configuration: Configuration,
    outcome: Outcome,
    correlation: Correlation,
    relations: Relations,
    routing: RoutingTable,
) -> Search:
    name = name_of(correlation.id)
    back = relations.look_back(correlation)
    timing = timing_of(configuration, name, outcome, least=_least_period(back))
    rules = relations.base_rules(correlation)
    options = _options(rules, routing, configuration.fields)
    listed = ",".join(rule.id for rule in rules)
    commands = [
        _base(rules, routing, configuration.fields),
        f'sigmamatch rules="{listed}"{options}',
        f'sigmacorrelate rules="{correlation.id}"{options}',
        "addinfo",
        # What ended before this run's own period, the run before has told.
        " AND ".join(
            [
                "where isnotnull(sigma_correlation_type)",
                f'{RULE_ID}="{correlation.id}"',
                f"_time>=info_max_time-{timing.period}",
            ]
        ),
        ending(configuration.actions.summary is not None),
    ]
    lag = configuration.streams.lag
    window = Window(f"-{duration(_whole_minutes(lag + timing.period + back))}@m", f"-{duration(lag)}@m")
    # Steadily true, it alerts once a timespan; where in it is not to be known from one run's events.
    run = Run(timing, window, " | ".join(commands), (GROUP,), quiet=correlation.timespan)
    return Search(name, KIND, (correlation.id,), stanza(configuration, outcome, run))


def _least_period(back: int) -> int:
    return next((period for period in PERIODS if period * _MOST_READ >= back), PERIODS[-1])


def _whole_minutes(seconds: int) -> int:
    return -(-seconds // 60) * 60


# --- what is read --------------------------------------------------------------------------------


def _base(rules: Iterable[Rule], routing: RoutingTable, fields: str) -> str:
    """A base search for all that any of the rules matches."""
    listed = list(rules)
    profile = _profile(listed, fields)
    by_index: dict[str, list[str]] = {}
    for rule in listed:
        found = reading(rule, routing, profile).search
        by_index.setdefault(index_macro(rule.logsource, routing), []).append(found)
    parts = [f"(`{macro}` ({' OR '.join(dict.fromkeys(found))}))" for macro, found in sorted(by_index.items())]
    return " OR ".join(parts)


def _profile(rules: Iterable[Rule], fields: str) -> str:
    """The naming of fields that all of the rules are searched by."""
    profiles = {profile_of(rule.logsource, fields) for rule in rules}
    return profiles.pop() if len(profiles) == 1 else "auto"


def _options(rules: Iterable[Rule], routing: RoutingTable, fields: str) -> str:
    """The options of both commands that say what the events are."""
    listed = list(rules)
    profile = _profile(listed, fields)
    source = _unmapped(listed, routing)
    return (f' logsource="{"/".join(source)}"' if source else "") + ("" if profile == "auto" else f" fields={profile}")


def _unmapped(rules: Iterable[Rule], routing: RoutingTable) -> LogSource | None:
    """The log source of all the rules, if no event is known to be of it."""
    sources = {rule.logsource for rule in rules}
    only = sources.pop() if len(sources) == 1 else None
    return only if only is not None and not routing.is_mapped(only) else None
