"""``| sigmamatch``: applies Sigma rules to the events in the pipeline.

Options and messages; the work is done by ``sigmaengine``. splunklib reads the options and the
search's metadata and writes errors; rows are passed by ``sigmaengine.datapath``, which keeps every
byte that is not ours.
"""

from __future__ import annotations

from typing import Any, Callable

# First: it puts the app's libraries on the path.
from sigmacommand import LOOKUPS, RULESET, ChunkCommand, OptionError, check_choice, listed, refuse_selection

# isort: split
from splunklib.searchcommands import Configuration, Option, SearchMetric, StreamingCommand, dispatch, validators

from sigmaengine import ruleset, selection
from sigmaengine.datapath import DataPath
from sigmaengine.fields import PROFILES
from sigmaengine.matcher import Matcher
from sigmaengine.overrides import Overrides
from sigmaengine.problems import counted
from sigmaengine.results import field_names
from sigmaengine.routing import parse_logsource
from sigmaengine.rule import LogSource

MODES = ("filter", "annotate")
REQUIRED = ("all", "auto")


@Configuration()
class SigmaMatchCommand(ChunkCommand, StreamingCommand):
    """Applies Sigma rules to events; see searchbnf.conf for the options."""

    NAME = "sigmamatch"

    rules = Option(default="*")
    level = Option(default="informational")
    status = Option(default="")
    tags = Option(default="")
    logsource = Option(default="")
    mode = Option(default="filter")
    rule = Option(default="")
    selection = Option(default="")
    condition = Option(default="")
    explain = Option(default=False, validate=validators.Boolean())
    fields = Option(default="auto")
    required = Option(default="all")

    matcher: Matcher
    path: DataPath
    overrides: Overrides
    # Says that rules wait for placeholders; asked at the end.
    waiting: Callable[[], str] = staticmethod(str)

    def set_up(self) -> None:
        """See ChunkCommand."""
        check_choice("mode", self.mode, MODES)
        check_choice("fields", self.fields, PROFILES)
        check_choice("required", self.required, REQUIRED)
        self.matcher = self._matcher()
        self.path = DataPath(self.matcher, self.mode == "annotate", self.explain)
        for warning in self.overrides.warnings():
            self.write_warning(f"sigmamatch: {warning}")
        if self.required == "auto":
            self.configuration.required_fields = [*self.matcher.fields(), *field_names(self.explain)]

    def _matcher(self) -> Matcher:
        logsource = self._source_of_all()
        self.overrides = overrides = Overrides(LOOKUPS)
        if self.rule or self.selection or self.condition:
            rules = self._rules_in_search()
            return Matcher(rules, profile=self.fields, logsource=logsource)
        packaged = ruleset.load(RULESET)
        loaded = overrides.apply(packaged)
        try:
            selected = selection.read_selection(self.rules, self.level, self.status, self.tags)
        except ValueError as error:
            raise OptionError(str(error)) from None
        unmatched = selected.unmatched([*loaded.infos, *loaded.correlation_infos])
        if unmatched:
            self.write_warning(f"sigmamatch: rules=: no rule has the id or title {listed(unmatched)}")
        is_selected = selected.predicate()
        chosen = loaded.with_base_rules(is_selected)
        matcher = Matcher(loaded, chosen, self.fields, logsource, overrides.exceptions)
        if not matcher.selected:
            if all(info.enabled or not is_selected(info) for info in loaded.infos):
                raise OptionError("the options select no rule (rules=, level=, status=, tags=, logsource=)")
            # No reason to end the search, which may be one rule's own.
            self.write_warning("sigmamatch: nothing can match: all rules that the options select are switched off")
        self.waiting = lambda: overrides.waiting(packaged, is_selected)
        return matcher

    def _source_of_all(self) -> LogSource | None:
        if not self.logsource:
            return None
        try:
            return parse_logsource(self.logsource)
        except ValueError as error:
            raise OptionError(f"logsource=: {error}") from None

    def _rules_in_search(self) -> ruleset.RuleSet:
        from sigmaengine import adhoc  # needs PyYAML, which only such a search should load

        refuse_selection(self, "rules", "rule text")
        loaded = self.overrides.apply(ruleset.load(RULESET), to_rule_text=True)
        try:
            rule, warnings = adhoc.read_rule_text(
                self.rule, self.selection, self.condition, self.overrides.placeholders
            )
        except ValueError as error:
            raise OptionError(str(error)) from None
        for warning in warnings:
            self.write_warning(f"sigmamatch: {warning}")
        return ruleset.from_rules([rule], loaded.routing)

    # --- the events -----------------------------------------------------------------------------

    def stream(self, records: Any) -> Any:  # noqa: ARG002 - splunklib's signature
        """Not used: whole chunks are passed."""
        raise RuntimeError("sigmamatch needs 'chunked = true' in commands.conf")

    def answer(self, body: bytes, finished: bool) -> bytes | bytearray:
        """See ChunkCommand."""
        answer = self.path.process(body)
        if finished:
            self._report()
        return answer

    # --- messages -------------------------------------------------------------------------------

    def _report(self) -> None:
        """The run's figures, and what a user should know about the rules: one message of a kind."""
        matcher, counts = self.matcher, self.matcher.counts
        unrouted = counts.events - counts.routed
        selected = matcher.selected
        left_out = matcher.left_out
        figures = {
            "events": (counts.events, counts.matched),
            "routed": (counts.routed, None),
            "unrouted": (unrouted, None),
            "matched": (counts.matched, None),
            "rules": (len(selected), None),
            "rules_left_out": (len(left_out), None),
            **{name: (count, None) for name, count in self.overrides.figures().items()},
        }
        for name, (count_in, count_out) in figures.items():
            self.write_metric(f"sigmamatch.{name}", SearchMetric(None, None, count_in, count_out))
        self.write_info(
            f"sigmamatch: {counts.events} events ({counts.routed} of a log source with rules, {unrouted} of none),"
            f" {counts.matched} matched; {counted(len(selected), 'rule')}"
        )
        for text in filter(None, (*self.overrides.report(), self.waiting())):
            self.write_info(f"sigmamatch: {text}")
        if left_out:
            reasons = [f"{info.title} ({info.id}): {reason}" for info, reason in left_out]
            self.write_warning(f"sigmamatch: {counted(len(left_out), 'rule')} left out: {listed(reasons)}")
        unmapped = matcher.unmapped()
        if unmapped:
            titles = [f"{info.title} ({info.id})" for info in unmapped]
            self.write_info(
                f"sigmamatch: {counted(len(unmapped), 'rule')} can match nothing, as no events are known to be of their"
                f" log source (name it by logsource=): {listed(titles)}"
            )
        blind = matcher.blind()
        if blind:
            reasons = [f"{rule_id} ({', '.join(fields)})" for rule_id, fields in sorted(blind.items())]
            self.write_info(
                f"sigmamatch: {counted(len(blind), 'rule')} could not match, as fields that are needed never had a"
                f" value: {listed(reasons)}"
            )


if __name__ == "__main__":
    dispatch(SigmaMatchCommand, module_name=__name__)
