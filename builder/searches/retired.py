"""Searches that earlier packages had and this one has not.

What users have set for a search stays in their local settings. A stanza that finds nothing is left, so
that these do not go on without the rest of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .conf import Stanza, prose


def retired(previous: Mapping[str, Any] | None, names: Collection[str], version: str) -> list[dict[str, str]]:
    """``name`` of each, and ``since`` which version it is gone.

    ``previous``: the last build's report. What was gone then already is carried on, so that an upgrade over
    several versions leaves nothing running.
    """
    searches = previous.get("searches", {}) if previous else {}
    found = {one["name"]: one["since"] for one in searches.get("retired", [])}
    for name in searches.get("names", []):
        found.setdefault(name, version)
    return [{"name": name, "since": since} for name, since in sorted(found.items()) if name not in names]


def retired_stanza(entry: Mapping[str, str]) -> Stanza:
    """A search that finds nothing."""
    return {
        "search": "| makeresults | where false()",
        "description": prose(f"Left out of the app since version {entry['since']}. It finds nothing."),
        "disabled": "1",
        "enableSched": "0",
        "cron_schedule": "0 0 * * *",
        "dispatch.earliest_time": "-1m@m",
        "dispatch.latest_time": "@m",
        # Splunk would alert always if it were switched on and this were not said.
        "counttype": "number of events",
        "relation": "greater than",
        "quantity": "0",
        "alert.track": "0",
    }
