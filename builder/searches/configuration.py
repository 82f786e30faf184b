"""What a build configuration says of the saved searches; ``configfile`` reads it.

Times are seconds. Every default is here and nowhere else; docs/searches.md describes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from builder.outcomes import Outcome
from sigmaengine.condition import glob_matcher
from sigmaengine.correlation import Correlation
from sigmaengine.folding import fold
from sigmaengine.metadata import LEVELS
from sigmaengine.rule import Rule
from sigmaengine.selection import RuleInfo, Selection

from .schedule import DAY, HOUR, MINUTE, Timing

#: The key of ``indexes`` for what names no product.
OTHER = "other"

_ALL = Selection()
_DEFAULT = Selection(level="medium", statuses=("stable", "test"))


def info_of(meant: Rule | Correlation) -> RuleInfo:
    """What a selection looks at."""
    return RuleInfo(meant.id, meant.title, meant.level, meant.status, meant.author, meant.tags, name=meant.name)


def rule_info(outcome: Outcome) -> RuleInfo:
    """What a selection looks at; of a rule or correlation in use."""
    if not isinstance(outcome.meant, (Rule, Correlation)):
        raise TypeError(f"{outcome.path}: neither a rule nor a correlation in use")
    return info_of(outcome.meant)


@dataclass(frozen=True)
class Choice:
    """Rules by id, title, level, status and tag, as the command selects them, and by the paths of their files."""

    selection: Selection = _ALL
    paths: tuple[str, ...] = ()

    def chosen(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """Those of ``outcomes``, rules and correlations in use, that are selected."""
        selected, placed = self.selection.predicate(), path_test(self.paths)
        return [outcome for outcome in outcomes if selected(rule_info(outcome)) and placed(outcome.path)]


def path_test(globs: Iterable[str]) -> Callable[[str], bool]:
    """Says whether a path, or a part of it that begins behind a slash, matches one of the (folded) globs, if any."""
    tests = [glob_matcher(form) for glob in globs for form in (glob, f"*/{glob}")]
    return lambda path: not tests or any(test(fold(path)) for test in tests)


@dataclass(frozen=True)
class Streams:
    """Searches by event stream. ``lookback``: how old an event that has just been indexed may be."""

    period: int = 15 * MINUTE
    lag: int = 5 * MINUTE
    lookback: int = 24 * HOUR


@dataclass(frozen=True)
class ByRule:
    """Rules that get a search of their own; ``datamodel``: over an accelerated data model where that can be."""

    choice: Choice
    datamodel: bool = False


@dataclass(frozen=True)
class Enabled:
    """What the package switches on: ``everything``, or searches of these rules, or streams of these names."""

    everything: bool = False
    choice: Choice | None = None
    streams: tuple[str, ...] = ()

    def of(self, name: str, outcomes: Iterable[Outcome]) -> bool:
        """True if a search is on that has these rules, and of which the stream is called ``name``, if of one."""
        if self.everything or name in self.streams:
            return True
        return self.choice is not None and bool(self.choice.chosen(outcomes))


@dataclass(frozen=True)
class Schedule:
    """When the searches of these streams and of these rules run, if not when their period says."""

    timing: Timing
    streams: tuple[str, ...] = ()
    choice: Choice | None = None


@dataclass(frozen=True)
class Throttle:
    """One alert a rule and value of ``fields`` in ``period``."""

    period: int = HOUR
    fields: tuple[str, ...] = ("host",)


@dataclass(frozen=True)
class Email:
    """To whom mails go. ``subject``: empty for the app's own."""

    to: tuple[str, ...]
    subject: str = ""


@dataclass(frozen=True)
class Webhook:
    """Where alerts are posted."""

    url: str


@dataclass(frozen=True)
class Notable:
    """A notable event of Enterprise Security."""

    security_domain: str = "endpoint"


class RiskObject(NamedTuple):
    """A field that holds who or what is at risk; ``type``: system, user or other."""

    field: str
    type: str


@dataclass(frozen=True)
class Risk:
    """A risk event of Enterprise Security for each of ``objects`` that the event has."""

    objects: tuple[RiskObject, ...] = (RiskObject("host", "system"), RiskObject("user", "user"))


@dataclass(frozen=True)
class Summary:
    """The index that alerts are written to."""

    index: str = "summary"


@dataclass(frozen=True)
class Actions:
    """What alerts do. None: not that."""

    email: Email | None = None
    webhook: Webhook | None = None
    notable: Notable | None = None
    risk: Risk | None = None
    summary: Summary | None = Summary()


#: How often the search of one rule runs, by its level.
_PERIODS = dict(zip(LEVELS, (4 * HOUR, HOUR, 30 * MINUTE, 15 * MINUTE, 5 * MINUTE), strict=True))


@dataclass(frozen=True)
class Configuration:
    """All of it. ``fields``: the naming of Windows fields in the SPL of searches by rule.

    ``indexes``: product or OTHER -> indexes; ``schedule_window``: minutes, or "auto"; ``datamodel_lag``:
    how far behind accelerated data models are taken to be.
    """

    fields: str = "windows_xml"
    select: Choice = Choice(Selection(level="medium", statuses=("stable", "test")))
    enable: Enabled = Enabled()
    indexes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    streams: Streams = Streams()
    by_rule: tuple[ByRule, ...] = ()
    periods: Mapping[str, int] = field(default_factory=lambda: dict(_PERIODS))
    schedules: tuple[Schedule, ...] = ()
    throttle: Throttle | None = Throttle()
    schedule_window: str = "auto"
    expires: int = DAY
    datamodel_lag: int = 10 * MINUTE
    actions: Actions = Actions()

    def alone(self, outcomes: Iterable[Outcome]) -> dict[str, ByRule]:
        """The id of each of ``outcomes`` that has a search of its own -> the first entry that says so."""
        listed = list(outcomes)
        found: dict[str, ByRule] = {}
        for entry in self.by_rule:
            for outcome in entry.choice.chosen(listed):
                found.setdefault(outcome.id, entry)
        return found

    def timing_of(self, name: str, outcomes: Iterable[Outcome] = ()) -> Timing | None:
        """When the stream ``name``, or the search of ``outcomes``, runs by ``schedules``; None: as its period says."""
        listed = list(outcomes)
        for schedule in self.schedules:
            if name in schedule.streams or (schedule.choice and schedule.choice.chosen(listed)):
                return schedule.timing
        return None
