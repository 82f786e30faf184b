"""``convert --target es-qs``: a rule as a query string of Elasticsearch's."""

from __future__ import annotations

import re

from builder.mappings import Mappings
from builder.outcomes import Outcome

from .lucene import converted
from .lucenefields import read_profiles
from .target import Converted, Option, Settings, Target

# A star in a name stands for several fields.
_NAMES = re.compile(r"[^*]+")


def write(outcome: Outcome, mappings: Mappings, settings: Settings) -> Converted:
    """A query string. Raises RefusedError; MappingError: the table of fields has faults."""
    return converted(outcome, mappings, read_profiles("es_qs")[settings["fields"]], _NAMES)


TARGET = Target(
    "a query string of Elasticsearch (Lucene)",
    "lucene",
    write,
    {
        "fields": Option(
            "The naming of the fields of Windows events.", "ecs_windows", ("ecs_windows", "winlogbeat", "none")
        )
    },
)
