"""A saved search that alerts: its stanza in savedsearches.conf, but for what its actions are.

Source: savedsearches.conf.spec (Splunk Enterprise 9.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from builder.outcomes import Outcome
from builder.texts import one_line
from sigmaengine.metadata import DEFAULT_LEVEL

from .actions import Settings, Subject, action_settings
from .alerts import SEVERITIES
from .configuration import Configuration
from .schedule import Timing, duration, staggered
from .spelling import readable

_MOST_DESCRIBED = 1_000


class Search(NamedTuple):
    """A saved search. ``kind``: what the report calls it; ``rules``: ids of what it alerts of."""

    name: str
    kind: str
    rules: tuple[str, ...]
    settings: Settings


class Window(NamedTuple):
    """The times of the events that a search reads, as Splunk writes them."""

    earliest: str
    latest: str


def index_window(configuration: Configuration, period: int) -> str:
    """The terms by which a search reads what was indexed in the newest period, and nothing twice."""
    lag = configuration.streams.lag
    return f"_index_earliest=-{duration(lag + period)}@m _index_latest=-{duration(lag)}@m"


def event_window(configuration: Configuration, period: int) -> Window:
    """The wide range of event times in which ``index_window`` picks: events that are indexed late are not lost."""
    streams = configuration.streams
    return Window(f"-{duration(streams.lookback + streams.lag + period)}@m", "+1h")


def timing_of(configuration: Configuration, name: str, outcome: Outcome, least: int = 0) -> Timing:
    """When the search of one rule runs: as the configuration says, else by its level, never oftener than ``least``."""
    level: str = getattr(outcome.meant, "level", DEFAULT_LEVEL)
    chosen = configuration.timing_of(name, [outcome])
    return chosen or staggered(name, max(configuration.periods[level], least))


class Run(NamedTuple):
    """How a search runs.

    ``entities``: fields that tell one alert of the rule from another; ``quiet``: the least time in
    seconds for which an alert keeps others of the same back.
    """

    timing: Timing
    window: Window
    search: str
    entities: Sequence[str]
    quiet: int = 0


def stanza(configuration: Configuration, outcome: Outcome, run: Run) -> Settings:
    """The keys of the search of one rule or correlation."""
    return {
        "description": described(outcome),
        "search": run.search,
        "disabled": "0" if configuration.enable.of("", [outcome]) else "1",
        "enableSched": "1",
        "cron_schedule": run.timing.cron,
        "dispatch.earliest_time": run.window.earliest,
        "dispatch.latest_time": run.window.latest,
        # A run that comes late reads its own window all the same.
        "realtime_schedule": "0",
        "schedule_window": configuration.schedule_window,
        "counttype": "number of events",
        "relation": "greater than",
        "quantity": "0",
        "alert.track": "1",
        "alert.severity": str(SEVERITIES[getattr(outcome.meant, "level", DEFAULT_LEVEL)]),
        "alert.expires": duration(configuration.expires),
        "alert.digest_mode": "0",
        **suppression(configuration, run.entities, run.quiet),
        **action_settings(configuration.actions, Subject(f"Sigma - {readable(outcome.title)} - Rule", outcome)),
    }


def suppression(configuration: Configuration, entities: Sequence[str], quiet: int = 0) -> Settings:
    """One alert a rule and entity in the configured time."""
    throttle = configuration.throttle
    if throttle is None:
        return {"alert.suppress": "0"}
    return {
        "alert.suppress": "1",
        "alert.suppress.fields": ",".join(["sigma_rule_id", *entities]),
        "alert.suppress.period": duration(max(throttle.period, quiet)),
    }


def described(outcome: Outcome) -> str:
    """Title, level and description on one line."""
    meant, description = outcome.meant, outcome.document.get("description")
    told = one_line(description) if isinstance(description, str) else ""
    text = f"{outcome.title} ({getattr(meant, 'level', DEFAULT_LEVEL)})" + (f": {told}" if told else "")
    return readable(one_line(text)[:_MOST_DESCRIBED]).rstrip(" \\")
