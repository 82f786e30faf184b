"""How many scheduled searches run at once, on the average.

Splunk runs ``max_searches_per_cpu`` (1) a core and 6 more, half of them scheduled (limits.conf,
``max_searches_perc``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .byrule import KIND as RULE
from .bystream import timing_of
from .conf import Stanza, is_kind
from .context import Context
from .schedule import read_cron
from .streams import lay_out

CORES = 16
AVAILABLE = (CORES + 6) // 2
#: How long a run is taken to last, in seconds: of one rule, and of several (of a stream, a log source, a correlation).
OF_RULE, OF_STREAM = 5, 30


def slots(context: Context) -> dict[str, Any]:
    """What all rules that alert would need as searches by rule, by log source and by stream."""
    configuration = context.configuration
    rules = [one.rule for one in context.alerting if one.rule]
    layout = lay_out(context.routing, context.sources, rules) if context.alone else context.layout
    by_logsource = [configuration.streams.period] * len({rule.logsource for rule in rules})
    return {
        "cores": CORES,
        "available": AVAILABLE,
        "by_rule": _alike([configuration.periods[rule.level] for rule in rules], OF_RULE),
        "by_logsource": _alike(by_logsource, OF_STREAM),
        "by_stream": _alike([timing_of(context, stream).period for stream in layout.streams], OF_STREAM),
    }


def this_package(saved: Mapping[str, Stanza]) -> dict[str, Any]:
    """What the searches that are written need, all switched on."""
    runs = [
        (read_cron(stanza["cron_schedule"]).period, OF_RULE if is_kind(name, RULE) else OF_STREAM)
        for name, stanza in saved.items()
    ]
    return {"searches": len(runs), "slots": round(sum(seconds / period for period, seconds in runs), 1)}


def _alike(periods: Sequence[int], seconds: int) -> dict[str, Any]:
    """``searches`` of these periods; ``slots`` if a run lasts ``seconds``; ``longest`` that a run may last."""
    runs = sum(1 / period for period in periods)
    return {
        "searches": len(periods),
        "seconds": seconds,
        "slots": round(runs * seconds, 1),
        "longest": round(AVAILABLE / runs, 1) if runs else 0,
    }
