"""``convert --target graylog``: a rule as a query of Graylog's, or as an event definition with it."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.texts import json_bytes
from sigmaengine.rule import Rule

from .lucene import converted
from .lucenefields import read_profiles
from .target import Converted, Option, Settings, Target

# Graylog keeps no field of another name.
_NAMES = re.compile(r"[\w.@-]+", re.ASCII)

#: Low, normal, high.
_PRIORITIES = {"informational": 1, "low": 1, "medium": 2, "high": 3, "critical": 3}
#: How often the events are searched, and those of how long.
_EVERY_MS = 5 * 60 * 1000
#: So many messages of one search become events.
_MOST_EVENTS = 100


def write(outcome: Outcome, mappings: Mappings, settings: Settings) -> Converted:
    """A query, or a JSON object. Raises RefusedError; MappingError: the table of fields has faults."""
    query = converted(outcome, mappings, read_profiles("graylog")[settings["fields"]], _NAMES)
    if settings["format"] == "query" or outcome.rule is None:
        return query
    description = outcome.document.get("description")
    definition = _definition(outcome.rule, description if isinstance(description, str) else "", query.text)
    return query._replace(text=json_bytes(definition).decode("utf-8"))


def _definition(rule: Rule, description: str, query: str) -> dict[str, Any]:
    """An event definition, as Graylog's ``/api/events/definitions`` takes it."""
    return {
        # Its own form of ids; of the rule, so that it is the same in the next conversion.
        "id": sha256(rule.id.encode("utf-8", "backslashreplace")).hexdigest()[:24],
        "title": rule.title or rule.id,
        "description": description,
        "priority": _PRIORITIES.get(rule.level, 2),
        "alert": True,
        "config": {
            "type": "aggregation-v1",
            "query": query,
            "query_parameters": [],
            "filters": [],
            "streams": [],
            "group_by": [],
            "series": [],
            "conditions": {"expression": None},
            "search_within_ms": _EVERY_MS,
            "execute_every_ms": _EVERY_MS,
            "event_limit": _MOST_EVENTS,
        },
        "field_spec": {},
        "key_spec": [],
        "notification_settings": {"grace_period_ms": 0, "backlog_size": 0},
        "notifications": [],
    }


TARGET = Target(
    "a query of Graylog (Lucene), or an event definition",
    "graylog",
    write,
    {
        "fields": Option("The naming of the fields of Windows events.", "winlogbeat", ("winlogbeat", "none")),
        "format": Option("What is written.", "query", ("query", "event-definition")),
    },
)
