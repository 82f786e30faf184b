"""The lookup ``sigma_log_sources``: more events that belong to a log source.

A row becomes an alternative of the routing table, behind those of the mappings. Its events have the
field names that the mappings give the log source; where these have several kinds of events, the names
of all of them are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .fields import PROFILES, AliasTable
from .folding import fold
from .lookupfiles import LookupFile
from .routing import Alternative, RoutingTable, any_glob, merged_aliases
from .rule import LogSource

#: Column -> routing key. The first three are fields, the others named keys of the mappings.
_KEYS = {
    "index": "index",
    "sourcetype": "sourcetype",
    "source": "source",
    "channel": "channel",
    "event_code": "event_id",
}


def extended(table: RoutingTable, file: LookupFile, logsources: Sequence[LogSource]) -> RoutingTable:
    """The routing table with the rows of the lookup; ``logsources``: those that rules ask for."""
    added: list[Alternative] = []
    for row in file.rows:
        logsource = LogSource(*(row.text(part).lower() for part in LogSource._fields))
        when = tuple(
            (key, tuple(fold(value.strip()) for value in row.values(column)))
            for column, key in _KEYS.items()
            if row.values(column)
        )
        if not any(logsource):
            file.refuse(row, "it names no log source (product, category, service)")
        elif not when:
            file.refuse(row, f"it does not say which events are {logsource} ({', '.join(_KEYS)})")
        else:
            alternative = _alternative(table, logsource, when)
            added.append(alternative)
            if not any(any(wanted) and alternative.gives(wanted) for wanted in logsources):
                file.refuse(row, f"no rule asks for {logsource}")
    return table.extended(added)


def _alternative(
    table: RoutingTable, logsource: LogSource, when: tuple[tuple[str, tuple[str, ...]], ...]
) -> Alternative:
    described = _described(table, logsource)
    fitting = [one for one in described if _may_be(one, dict(when))] or described
    aliases = _merged([one.aliases for one in fitting], logsource)
    return Alternative(logsource, when, any(one.xml for one in fitting), aliases)


def _described(table: RoutingTable, logsource: LogSource) -> list[Alternative]:
    """The alternatives of the mappings for exactly this log source, else those that give it."""
    exact = [one for one in table.alternatives if one.logsource == logsource]
    found = table.contributors(logsource, range(len(table.alternatives)))
    return exact or [table.alternatives[index] for index in found]


def _may_be(one: Alternative, said: dict[str, tuple[str, ...]]) -> bool:
    """False if a row says another event log or event code than an alternative of the mappings asks for."""
    return all(
        key not in ("channel", "event_id") or key not in said or any_glob(globs)(said[key]) for key, globs in one.when
    )


def _merged(tables: Sequence[AliasTable], logsource: LogSource) -> AliasTable:
    """The names of several kinds of events.

    Where a field's own name means another thing in some of them, it is tried, after all others: an
    event that has none of the others is of a kind in which it means what it says.
    """
    merged: dict[str, Any] = dict(merged_aliases(tables, logsource)) if tables else {}
    for field, (own, candidates) in merged.items():
        owns = {bool(table[field][0]) if field in table else True for table in tables}
        if not own and len(owns) > 1:
            last = [[profile, [field]] for profile in PROFILES if profile not in ("auto", "none")]
            merged[field] = (own, [*candidates, *last])
    return merged
