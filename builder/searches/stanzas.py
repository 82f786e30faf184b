"""A saved search that alerts: its stanza in savedsearches.conf, but for what its actions are.

Source: savedsearches.conf.spec (Splunk Enterprise 9.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..outcomes import Outcome
from ..texts import one_line
from .actions import Settings, Subject, action_settings
from .alerts import SEVERITIES
from .configuration import Configuration
from .schedule import Timing, duration, staggered

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


def event_window(configuration: Configuration) -> Window:
    """The wide range of event times in which ``index_window`` picks: events that are indexed late are not lost."""
    return Window(f"-{duration(configuration.streams.lookback)}@m", "+1h")


def timing_of(configuration: Configuration, name: str, outcome: Outcome, least: int = 0) -> Timing:
    """When the search of one rule runs: as the configuration says for it, else by its level, not oftener than ``least``."""
    level: str = getattr(outcome.meant, "level", "medium")
    chosen = configuration.timing_of(name, [outcome])
    return chosen or staggered(name, max(configuration.periods[level], least))


def stanza(
    configuration: Configuration,
    outcome: Outcome,
    timing: Timing,
    window: Window,
    label: str,
    search: str,
    entities: Sequence[str],
    quiet: int = 0,
) -> Settings:
    """The keys of the search of one rule or correlation.

    ``entities``: fields that tell one alert of the rule from another; ``quiet``: the least time in
    seconds for which an alert keeps others of the same back.
    """
    return {
        "description": described(outcome),
        "search": search,
        "disabled": "0" if configuration.enable.of("", [outcome]) else "1",
        "enableSched": "1",
        "cron_schedule": timing.cron,
        "dispatch.earliest_time": window.earliest,
        "dispatch.latest_time": window.latest,
        # A run that comes late reads its own window all the same.
        "realtime_schedule": "0",
        "schedule_window": configuration.schedule_window,
        "counttype": "number of events",
        "relation": "greater than",
        "quantity": "0",
        "alert.track": "1",
        "alert.severity": str(SEVERITIES[getattr(outcome.meant, "level", "medium")]),
        "alert.expires": duration(configuration.expires),
        "alert.digest_mode": "0",
        **suppression(configuration, entities, quiet),
        **action_settings(configuration.actions, Subject(label, outcome)),
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
    text = f"{outcome.title} ({getattr(meant, 'level', 'medium')})" + (f": {told}" if told else "")
    return one_line(text)[:_MOST_DESCRIBED].rstrip(" \\")
