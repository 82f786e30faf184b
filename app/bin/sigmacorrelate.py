"""``| sigmacorrelate``: correlates what ``sigmamatch`` has found.

Options and messages; the work is done by ``sigmaengine``.
"""

from __future__ import annotations

import os
from typing import Any

# First: it puts the app's libraries on the path.
from sigmacommand import LOOKUPS, RULESET, ChunkCommand, OptionError, check_choice, listed

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
    logsource = Option(default="")
    fields = Option(default="auto")

    path: CorrelatePath
    sorter: TimeSorter
    overrides: Overrides

    def transform(self, records: Any) -> Any:  # noqa: ARG002 - splunklib's signature
        """Not used: whole chunks are passed."""
        raise RuntimeError("sigmacorrelate needs 'chunked = true' in commands.conf")

    def set_up(self) -> None:
        """See ChunkCommand."""
        check_choice("fields", self.fields, PROFILES)
        logsource = self._source_of_all()
        self.overrides = Overrides(LOOKUPS)
        loaded = self.overrides.apply(ruleset.load(RULESET))
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
        self.sorter = TimeSorter(folder=self._folder())
        views = Views(loaded.routing, self.fields, logsource)
        matches = BaseMatches(plan, loaded.logsources(plan.fields), views, self.sorter)
        self.path = CorrelatePath(matches)

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
        if not plan.correlations:
            self.write_warning(
                "sigmacorrelate: the app was built without correlations, or the lookup sigma_rule_settings switches"
                " them off; all events pass unchanged"
            )
        elif path.rows and not path.named:
            self.write_warning(
                "sigmacorrelate: no event has a value in sigma_rule_id; put sigmamatch before this command"
            )
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
