"""``| sigmacorrelate``: correlates what ``sigmamatch`` has found.

Options and messages; the work is done by ``sigmaengine``.
"""

from __future__ import annotations

import os
from typing import Any

# First: it puts the app's libraries on the path.
from sigmacommand import LOOKUPS, RULESET, ChunkCommand, OptionError, check_choice, listed, refuse_selection

# isort: split
from splunklib.searchcommands import Configuration, EventingCommand, Option, SearchMetric, dispatch

from sigmaengine import ruleset, selection
from sigmaengine.basematches import BaseMatches
from sigmaengine.correlatepath import CorrelatePath
from sigmaengine.correlationplan import CorrelationPlan
from sigmaengine.fields import PROFILES
from sigmaengine.occurrences import MAX_COMBINATIONS
from sigmaengine.overrides import Overrides
from sigmaengine.problems import counted
from sigmaengine.routing import parse_logsource
from sigmaengine.rule import LogSource
from sigmaengine.timesort import TimeSorter
from sigmaengine.views import Views


@Configuration()
class SigmaCorrelateCommand(ChunkCommand, EventingCommand):
    """Correlates matches; see searchbnf.conf for the options."""

    NAME = "sigmacorrelate"

    rules = Option(default="*")
    level = Option(default="informational")
    status = Option(default="")
    tags = Option(default="")
    correlation = Option(default="")
    logsource = Option(default="")
    fields = Option(default="auto")

    path: CorrelatePath
    sorter: TimeSorter
    overrides: Overrides
    # Of the rules, by id; for what is told of a correlation in the search.
    titles: dict[str, str]

    def transform(self, records: Any) -> Any:  # noqa: ARG002 - splunklib's signature
        """Not used: whole chunks are passed."""
        raise RuntimeError("sigmacorrelate needs 'chunked = true' in commands.conf")

    def set_up(self) -> None:
        """See ChunkCommand."""
        check_choice("fields", self.fields, PROFILES)
        logsource = self._source_of_all()
        self.overrides = Overrides(LOOKUPS)
        loaded = self.overrides.apply(ruleset.load(RULESET))
        plan = self._plan_of_text(loaded) if self.correlation else self._plan_of_packaged(loaded)
        self.sorter = TimeSorter(folder=self._folder())
        views = Views(loaded.routing, self.fields, logsource)
        matches = BaseMatches(plan, loaded.logsources(plan.fields), views, self.sorter)
        self.path = CorrelatePath(matches)

    def _plan_of_packaged(self, loaded: ruleset.RuleSet) -> CorrelationPlan:
        try:
            chosen = selection.read_selection(self.rules, self.level, self.status, self.tags)
        except ValueError as error:
            raise OptionError(str(error)) from None
        plan = CorrelationPlan(loaded.correlations, chosen.predicate())
        unmatched = chosen.unmatched(loaded.correlation_infos)
        if unmatched:
            self.write_warning(f"sigmacorrelate: rules=: no correlation has the id or title {listed(unmatched)}")
        if any(one.enabled for one in loaded.correlations) and not plan.correlations:
            raise OptionError("the options select no correlation (rules=, level=, status=, tags=)")
        return plan

    def _plan_of_text(self, loaded: ruleset.RuleSet) -> CorrelationPlan:
        from sigmaengine import adhoccorrelation  # needs PyYAML, which only such a search should load

        refuse_selection(self, "correlations", "correlation text")
        self.titles = {info.id: info.title for info in loaded.infos}
        try:
            text = adhoccorrelation.read_correlation_text(self.correlation, loaded)
        except ValueError as error:
            raise OptionError(str(error)) from None
        plan = CorrelationPlan(text.correlations, lambda info: info.id == text.id)
        for warning in text.warnings:
            self.write_warning(f"sigmacorrelate: {warning}")
        on = {info.id for info in loaded.infos if info.enabled}
        off = [rule for rule in plan.fields if rule in self.titles and rule not in on]
        if off:
            self.write_warning(
                f"sigmacorrelate: correlation=: switched off by the lookup sigma_rule_settings: {self._named(off)}"
            )
        return plan

    def _named(self, rules: list[str]) -> str:
        """Rules for a message, by title where they are packaged."""
        return listed([f"{self.titles[rule]} ({rule})" if rule in self.titles else rule for rule in rules])

    def _source_of_all(self) -> LogSource | None:
        try:
            return parse_logsource(self.logsource) if self.logsource else None
        except ValueError as error:
            raise OptionError(f"logsource=: {error}") from None

    def _folder(self) -> str | None:
        """Where matches are sorted that are too many for the memory: the search's own folder."""
        folder = getattr(self.metadata.searchinfo, "dispatch_dir", None)
        return folder if folder and os.path.isdir(folder) else None

    def answer(self, body: bytes, finished: bool) -> bytes | bytearray:
        """See ChunkCommand."""
        try:
            answer = self.path.process(body, finished)
        except OSError as error:
            raise ruleset.RuleSetError(
                f"matches could not be sorted on disk ({error.strerror or error}); make room, or search less at once"
            ) from None
        if finished:
            self._report()
            self.sorter.close()
        return answer

    def _report(self) -> None:
        """The run's figures, and what a user should know about them: one message of a kind."""
        path, matches = self.path, self.path.matches
        plan = path.plan
        figures = {
            "events": (path.rows, path.rows - path.dropped),
            "matches": (matches.count, None),
            "dropped": (path.dropped, None),
            "alerts": (path.shown, None),
            "correlations": (len(plan.correlations), None),
            "untimed": (matches.untimed, None),
            "spilled": (self.sorter.spilled, None),
        }
        for name, (count_in, count_out) in figures.items():
            self.write_metric(f"sigmacorrelate.{name}", SearchMetric(None, None, count_in, count_out))
        self.write_info(
            f"sigmacorrelate: {counted(path.rows, 'event')}, {matches.count} of them for"
            f" {counted(len(plan.correlations), 'correlation')}: {counted(path.shown, 'alert')};"
            f" {counted(path.dropped, 'event')} left out that only count for correlations"
        )
        # What is wrong with lookups is told by sigmamatch, which reads the same.
        for text in self.overrides.report():
            self.write_info(f"sigmacorrelate: {text}")
        self._tell_missing()
        self._tell_limits()

    def _tell_missing(self) -> None:
        """What there was nothing of: correlations, matches, matches of a rule."""
        path, plan = self.path, self.path.plan
        if not plan.correlations:
            self.write_warning(
                "sigmacorrelate: the app was built without correlations, or the lookup sigma_rule_settings switches"
                " them off; all events pass unchanged"
            )
        elif path.rows and not path.named:
            self.write_warning(
                "sigmacorrelate: no event has a value in sigma_rule_id; put sigmamatch before this command"
            )
        unseen = [rule for rule in plan.fields if rule not in path.matches.seen]
        if self.correlation and path.named and unseen:
            self.write_info(
                f"sigmacorrelate: no event was matched by {counted(len(unseen), 'rule')} that the correlation counts:"
                f" {self._named(unseen)}; nothing matched, or sigmamatch left them out (rules=, level=), or rule text"
                " has another id"
            )

    def _tell_limits(self) -> None:
        """Matches that took no part, or not with all that they have, or had to be sorted on disk."""
        matches = self.path.matches
        if matches.untimed:
            self.write_warning(
                f"sigmacorrelate: {counted(matches.untimed, 'match', 'matches')} took no part:"
                " _time is missing or no time"
            )
        if matches.correlator.cut:
            self.write_warning(
                f"sigmacorrelate: {counted(matches.correlator.cut, 'time')} an event had more than {MAX_COMBINATIONS}"
                " combinations of values in the fields of a correlation; the first ones were taken"
            )
        if self.sorter.spilled:
            self.write_info(f"sigmacorrelate: {self.sorter.spilled} matches were sorted on disk")


if __name__ == "__main__":
    dispatch(SigmaCorrelateCommand, module_name=__name__)
