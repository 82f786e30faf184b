"""One saved search a stream of events: it tries every rule that alerts on the events of its period."""

from __future__ import annotations

from collections.abc import Iterable

from sigmaengine.metadata import LEVELS
from sigmaengine.problems import counted
from sigmaengine.selection import Selection

from .actions import Subject, action_settings, ending
from .alertrow import ALERT_FIELDS
from .conf import Stanza, prose, stanza_name
from .context import Context, Part
from .schedule import Timing, staggered
from .stanzas import SEVERITIES, alerting, in_indexes, index_window, scheduled, throttled_by
from .streams import Stream, can_match
from .words import is_one_of, quoted

KIND = "Stream"


def stream_macro(name: str) -> str:
    """The macro of the events of a stream."""
    return f"sigma_stream_{name}"


def exclusion_macro(name: str) -> str:
    """The macro, a command, by which a site leaves out events of a stream."""
    return f"sigma_exclude_{name}"


def by_stream(context: Context) -> Part:
    """The searches of all streams, and their macros."""
    saved, macros = {}, {}
    for stream in context.layout.streams:
        saved[stanza_name(KIND, stream.name)] = _stanza(context, stream)
        macros[stream_macro(stream.name)] = _events(stream)
        macros[exclusion_macro(stream.name)] = "search *"
    return Part(saved, macros, tuple(product for stream in context.layout.streams for product in stream.products))


def is_on(context: Context, stream: Stream) -> bool:
    """Whether the package switches the stream's search on."""
    ids = set(stream.rules)
    return context.configuration.enable.of(stream.name, (one for one in context.shared if one.id in ids))


def timing_of(context: Context, stream: Stream) -> Timing:
    """When the stream's search runs."""
    own = context.configuration.timing_of(stream.name)
    return own or staggered(stanza_name(KIND, stream.name), context.configuration.streams.period)


def _events(stream: Stream) -> str:
    found = f"{in_indexes(stream.products)} {stream.condition}"
    if stream.besides:
        found += f" NOT ({' OR '.join(f'`{stream_macro(name)}`' for name in stream.besides)})"
    return f"({found})"


def _stanza(context: Context, stream: Stream) -> Stanza:
    configuration, streams = context.configuration, context.configuration.streams
    timing = timing_of(context, stream)
    search = [
        f"`{stream_macro(stream.name)}` {index_window(timing.window, streams.lag)}",
        f"`{exclusion_macro(stream.name)}`",
        " ".join(["sigmamatch", *selecting(configuration.select.selection)]),
        f"`{ALERT_FIELDS}`",
        *_left_out(context, stream),
        *ending(configuration, throttled_by(configuration), several=True),
    ]
    # Events of this age may have been indexed at the beginning of the period.
    lookback = streams.lookback + streams.lag + timing.window
    rules = counted(len(stream.rules), "Sigma rule")
    about = f"{rules} on the events of the stream {stream.name}, one alert a rule and event."
    return {
        "search": " | ".join(search),
        "description": prose(about),
        **scheduled(configuration, timing, lookback, is_on(context, stream)),
        # The row has its rule's own, as the field severity.
        **alerting(configuration, SEVERITIES[configuration.select.selection.level]),
        **action_settings(configuration.actions, Subject(stanza_name(KIND, stream.name))),
    }


def selecting(selection: Selection) -> Iterable[str]:
    """The options of the commands that select rules."""
    if selection.rules:
        yield f"rules={quoted(', '.join(selection.rules))}"
    if selection.level != LEVELS[0]:
        yield f"level={selection.level}"
    if selection.statuses:
        yield f"status={quoted(', '.join(selection.statuses))}"
    if selection.tags:
        yield f"tags={quoted(', '.join(selection.tags))}"


def _left_out(context: Context, stream: Stream) -> Iterable[str]:
    """Rules that have searches of their own, and those that only correlations count.

    The former whatever their level is: a level of the lookup of rule settings may let them through.
    """
    own = set(context.alone).union(rule.id for rule in context.let_through)
    rules = [rule for rule in context.folder.rules if rule.id in own]
    ids = [rule.id for rule in rules if can_match(context.routing, context.sources, stream.name, rule)]
    if ids:
        yield f"search NOT {is_one_of('sigma_rule_id', ids)}"
