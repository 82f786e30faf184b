"""What the stanzas of all saved searches have in common."""

from __future__ import annotations

from collections.abc import Mapping

from sigmaengine.metadata import LEVELS

from .configuration import OTHER, Configuration
from .schedule import MINUTE, Timing, duration
from .words import any_of, is_one_of

#: What splunkd calls levels: ``alert.severity``.
SEVERITIES = {level: str(number) for number, level in enumerate(LEVELS, 1)}

# Events whose clocks run ahead are not lost, which "now" would make of them.
_LATEST = "+1h"


def index_macro(product: str) -> str:
    """The macro that says in which indexes events of a product (or OTHER) are."""
    return f"sigma_index_{product}"


def index_macros(configuration: Configuration, products: Mapping[str, object]) -> dict[str, str]:
    """Definitions of the index macros of these products."""
    found = {}
    for product in sorted(products):
        globs = configuration.indexes.get(product, configuration.indexes.get(OTHER, ("*",)))
        found[index_macro(product)] = f"({is_one_of('index', globs)})"
    return found


def in_indexes(products: tuple[str, ...]) -> str:
    """The indexes of some products, in the search language."""
    return any_of([f"`{index_macro(product)}`" for product in products])


def index_window(period: int, lag: int) -> str:
    """The newest whole period of what was indexed, ``lag`` behind the time of the run."""
    return f"_index_earliest=-{_minutes(lag + period)}@m _index_latest=-{_minutes(lag)}@m"


def _minutes(seconds: int) -> str:
    return f"{seconds // MINUTE}m"


def scheduled(configuration: Configuration, timing: Timing, lookback: int, enabled: bool) -> dict[str, str]:
    """When a search runs and which times of events it looks at."""
    return {
        "disabled": "0" if enabled else "1",
        "enableSched": "1",
        "cron_schedule": timing.cron,
        # Windows by index time follow each other without gaps only if no run is skipped.
        "realtime_schedule": "0",
        # Splunk moves searches of explicit minutes by seconds, never into another minute.
        "allow_skew": "1m",
        "schedule_window": configuration.schedule_window,
        "dispatch.earliest_time": f"-{duration(lookback)}",
        "dispatch.latest_time": _LATEST,
        "request.ui_dispatch_app": "sigma_match",
        "request.ui_dispatch_view": "search",
    }


def alerting(configuration: Configuration, severity: str) -> dict[str, str]:
    """An alert for each row, throttled by rule and entity."""
    throttle = configuration.throttle
    settings = {
        "counttype": "number of events",
        "relation": "greater than",
        "quantity": "0",
        "alert.digest_mode": "0",
        "alert.track": "1",
        "alert.severity": severity,
        "alert.expires": duration(configuration.expires),
        "alert.suppress": "1" if throttle else "0",
    }
    if throttle:
        settings["alert.suppress.period"] = duration(throttle.period)
        settings["alert.suppress.fields"] = ",".join(throttled_by(configuration))
    return settings


def throttled_by(configuration: Configuration) -> list[str]:
    """The fields by whose values alerts are throttled; none if they are not."""
    throttle = configuration.throttle
    return list(dict.fromkeys(("sigma_rule_id", *throttle.fields))) if throttle else []
