"""Every measurement by its name, in the order in which they are run."""

from __future__ import annotations

from . import build_rows, command_rows, engine_rows, growth_rows
from .measures import Measure

#: Those of which every row has a bar; what a quick run makes.
JUDGED = (
    "engine-sqlite",
    "engine-csv",
    "engine-new",
    "command",
    "recording",
    "start",
    "memory",
    "rules",
    "build",
)

MEASURES: dict[str, Measure] = {
    "engine-sqlite": engine_rows.mixed_against_sqlite,
    "engine-csv": engine_rows.mixed_against_csv,
    "engine-new": engine_rows.new_against_sqlite,
    "engines": engine_rows.other_engines,
    "command": command_rows.mixed,
    "recording": command_rows.recording,
    "raw": command_rows.raw_events,
    "start": command_rows.start,
    "memory": growth_rows.memory,
    "rules": growth_rows.many_rules,
    "build": build_rows.build,
    "profile": build_rows.profile,
    "columns": growth_rows.event_size,
    "distinct": growth_rows.distinct_values,
    "memory-growth": growth_rows.memory_growth,
}
