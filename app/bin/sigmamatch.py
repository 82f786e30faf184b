"""``| sigmamatch``: applies Sigma rules to the events in the pipeline.

Options and messages; the work is done by ``sigmaengine``. splunklib reads the options and the
search's metadata and writes errors; rows are passed by ``sigmaengine.datapath``, which keeps every
byte that is not ours.
"""

from __future__ import annotations

import os
import sys
from typing import IO, Any

BIN = os.path.dirname(os.path.abspath(__file__))
# The packaged app has its libraries here; a checkout has them installed.
sys.path.insert(0, os.path.join(BIN, "lib"))

from splunklib.searchcommands import (  # noqa: E402
    Configuration,
    Option,
    SearchMetric,
    StreamingCommand,
    dispatch,
    validators,
)

from sigmaengine import chunks, ruleset, selection  # noqa: E402 - after the path is set
from sigmaengine.datapath import DataPath  # noqa: E402
from sigmaengine.fields import PROFILES  # noqa: E402
from sigmaengine.matcher import Matcher  # noqa: E402
from sigmaengine.results import field_names  # noqa: E402
from sigmaengine.routing import parse_logsource  # noqa: E402
from sigmaengine.rule import LogSource  # noqa: E402

RULESET = os.path.join(BIN, "ruleset")
MODES = ("filter", "annotate")
REQUIRED = ("all", "auto")
# A message names this many rules and counts the rest.
_EXAMPLES = 3


class OptionError(Exception):
    """The options of the search cannot be carried out; the message is for its author."""


@Configuration()
class SigmaMatchCommand(StreamingCommand):
    """Applies Sigma rules to events; see searchbnf.conf for the options."""

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

    def prepare(self) -> None:
        """Read the options before splunkd sends events. A fault ends the search with a message."""
        try:
            self._prepare()
        except (OptionError, ruleset.RuleSetError) as error:
            self.write_error(f"sigmamatch: {error}")
            sys.exit(1)
        except Exception:  # noqa: BLE001 - nothing is swallowed: it is told and ends the search
            # Here, because splunklib answers getinfo before it writes such an error, and loses it.
            self._report_unexpected_error()
            sys.exit(1)

    def _prepare(self) -> None:
        if self.record:
            raise OptionError("record= cannot be used: this command writes no files")
        if self.fieldnames:
            raise OptionError(f"unexpected argument '{self.fieldnames[0]}'; options are written name=value")
        _check_choice("mode", self.mode, MODES)
        _check_choice("fields", self.fields, PROFILES)
        _check_choice("required", self.required, REQUIRED)
        self.matcher = self._matcher()
        if self.required == "auto":
            self.configuration.required_fields = [*self.matcher.fields(), *field_names(self.explain)]

    def _matcher(self) -> Matcher:
        logsource = self._source_of_all()
        if self.rule or self.selection or self.condition:
            rules = self._rules_in_search()
            return Matcher(rules, profile=self.fields, logsource=logsource)
        loaded = ruleset.load(RULESET)
        try:
            selected = selection.read_selection(self.rules, self.level, self.status, self.tags)
        except ValueError as error:
            raise OptionError(str(error)) from None
        unmatched = selected.unmatched([*loaded.infos, *loaded.correlation_infos])
        if unmatched:
            self.write_warning(f"sigmamatch: rules=: no rule has the id or title {_listed(unmatched)}")
        matcher = Matcher(loaded, loaded.with_base_rules(selected.predicate()), self.fields, logsource)
        if not matcher.selected:
            raise OptionError("the options select no rule (rules=, level=, status=, tags=, logsource=)")
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

        packaged = {"rules": "*", "level": "informational", "status": "", "tags": ""}
        given = [name for name, default in packaged.items() if getattr(self, name) != default]
        if given:
            raise OptionError(f"{given[0]}= selects packaged rules and cannot be combined with rule text")
        try:
            rule, warnings = adhoc.read_rule_text(self.rule, self.selection, self.condition)
        except ValueError as error:
            raise OptionError(str(error)) from None
        for warning in warnings:
            self.write_warning(f"sigmamatch: {warning}")
        return ruleset.from_rules([rule], ruleset.load(RULESET).routing)

    # --- the events -----------------------------------------------------------------------------

    def stream(self, records: Any) -> Any:  # noqa: ARG002 - splunklib's signature
        """Not used: ``_execute`` passes whole chunks."""
        raise RuntimeError("sigmamatch needs 'chunked = true' in commands.conf")

    def _execute(self, ifile: Any, process: Any) -> None:  # noqa: ARG002 - splunklib's signature
        """Answer each chunk of events with one chunk; called by splunklib after getinfo."""
        try:
            self._answer_chunks(self._as_binary_stream(ifile))
        except (chunks.ChunkError, ruleset.RuleSetError) as error:
            self.write_error(f"sigmamatch: {error}")
            sys.exit(1)

    def _answer_chunks(self, stream: IO[bytes]) -> None:
        path = DataPath(self.matcher, self.mode == "annotate", self.explain)
        while True:
            # As long as a chunk is unanswered, splunklib's finish() has to answer it with the error.
            self._record_writer.is_flushed = False
            chunk = chunks.read_chunk(stream)
            if chunk is None:
                self._record_writer.is_flushed = True
                return
            metadata, body = chunk
            if metadata.get("action") != "execute":
                raise chunks.ChunkError(f"expected an execute chunk, not {metadata.get('action')!r}")
            finished = bool(metadata.get("finished", False))
            answer = path.process(body)
            if finished:
                self._report()
            self._write_answer(answer, finished)
            # What a chunk takes, tens of megabytes, is not to be held while the next one is read.
            del chunk, body, answer

    def _write_answer(self, body: bytes | bytearray, finished: bool) -> None:
        """One chunk, with the messages and metrics that splunklib's writer has collected.

        splunklib would encode the body itself and refuse the bytes that are no UTF-8.
        """
        writer = self._record_writer
        metadata = {"inspector": writer._inspector or None, "finished": finished}  # noqa: SLF001 - see docstring
        stream: IO[bytes] = writer.ofile
        chunks.write_chunk(stream, {name: value for name, value in metadata.items() if value is not None}, body)
        writer._clear()  # noqa: SLF001
        writer.is_flushed = True

    # --- messages -------------------------------------------------------------------------------

    def write_error(self, message: str, *args: Any) -> None:
        """As splunklib's, but text with braces in it is text.

        splunklib formats the message, and fills it itself with what the user wrote.
        """
        super().write_error("{}", message.format(*args) if args else message)

    def write_warning(self, message: str, *args: Any) -> None:
        """As splunklib's, but text with braces in it is text."""
        super().write_warning("{}", message.format(*args) if args else message)

    def write_info(self, message: str, *args: Any) -> None:
        """As splunklib's, but text with braces in it is text."""
        super().write_info("{}", message.format(*args) if args else message)

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
        }
        for name, (count_in, count_out) in figures.items():
            self.write_metric(f"sigmamatch.{name}", SearchMetric(None, None, count_in, count_out))
        self.write_info(
            f"sigmamatch: {counts.events} events ({counts.routed} of a log source with rules, {unrouted} of none),"
            f" {counts.matched} matched; {_rules(len(selected))}"
        )
        if left_out:
            reasons = [f"{info.title} ({info.id}): {reason}" for info, reason in left_out]
            self.write_warning(f"sigmamatch: {_rules(len(left_out))} left out: {_listed(reasons)}")
        unmapped = matcher.unmapped()
        if unmapped:
            titles = [f"{info.title} ({info.id})" for info in unmapped]
            self.write_info(
                f"sigmamatch: {_rules(len(unmapped))} can match nothing, as no events are known to be of their log"
                f" source (name it by logsource=): {_listed(titles)}"
            )
        blind = matcher.blind()
        if blind:
            reasons = [f"{rule_id} ({', '.join(fields)})" for rule_id, fields in sorted(blind.items())]
            self.write_info(
                f"sigmamatch: {_rules(len(blind))} could not match, as fields that are needed never had a value:"
                f" {_listed(reasons)}"
            )


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError(f"{name}={value}: there are {', '.join(choices)}")


def _rules(count: int) -> str:
    return "1 rule" if count == 1 else f"{count} rules"


def _listed(texts: list[str]) -> str:
    more = len(texts) - _EXAMPLES
    return "; ".join(texts[:_EXAMPLES]) + (f"; and {more} more" if more > 0 else "")


if __name__ == "__main__":
    dispatch(SigmaMatchCommand, module_name=__name__)
