"""How many scheduled searches run at once, on the average.

Splunk runs ``max_searches_per_cpu`` (1) a core and 6 more, half of them scheduled (limits.conf,
``max_searches_perc``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .bystream import timing_of
from .context import Context

CORES = 16
AVAILABLE = (CORES + 6) // 2
#: How long a run is taken to last, in seconds: of one rule, and of all rules of a stream or a log source.
OF_RULE, OF_STREAM = 5, 30


def slots(context: Context) -> dict[str, Any]:
    """What the rules that alert need as searches by rule, by log source and by stream."""
    configuration = context.configuration
    rules = [one.rule for one in context.shared if one.rule]
    return {
        "cores": CORES,
        "available": AVAILABLE,
        "by_rule": _need([configuration.periods[rule.level] for rule in rules], OF_RULE),
        "by_logsource": _need([configuration.streams.period] * len({rule.logsource for rule in rules}), OF_STREAM),
        "by_stream": _need([timing_of(context, stream).period for stream in context.layout.streams], OF_STREAM),
    }


def _need(periods: Sequence[int], seconds: int) -> dict[str, Any]:
    """``searches`` of these periods; ``slots`` if a run lasts ``seconds``; ``longest`` that a run may last."""
    runs = sum(1 / period for period in periods)
    return {
        "searches": len(periods),
        "seconds": seconds,
        "slots": round(runs * seconds, 1),
        "longest": round(AVAILABLE / runs, 1) if runs else 0,
    }
