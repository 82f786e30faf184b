"""Which events a log source means, and under which names its fields stand there.

A *routing table* comes from ``mappings/`` (see ``builder.mappings``). An *alternative* of it is one
kind of events that belongs to a log source: Sysmon event 1 is windows/process_creation, and so is
Security event 4688.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any, Callable, NamedTuple

from .condition import glob_matcher
from .fields import AliasTable, Candidate, Event, Values, candidate_values
from .folding import fold
from .rule import LogSource

#: Positions of alternatives in the table, in table order: what is known of where an event comes from.
Route = tuple[int, ...]

# Values remembered for each routing key.
_MEMORY = 20_000


class Alternative(NamedTuple):
    """One kind of events. ``when``: (routing key, folded globs) pairs that must all hold."""

    logsource: LogSource
    when: tuple[tuple[str, tuple[str, ...]], ...]
    xml: bool
    aliases: AliasTable

    def gives(self, wanted: LogSource) -> bool:
        """True if these events are (partly) what ``wanted`` asks for."""
        mine = self.logsource
        if wanted.product and wanted.product != mine.product:
            return False
        if not wanted.category and not wanted.service:
            return True
        return bool(
            (wanted.category and wanted.category == mine.category)
            or (wanted.service and wanted.service == mine.service)
        )


class RoutingTable:
    """All alternatives, and where the routing keys stand in an event."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.alternatives = [
            Alternative(LogSource(*logsource), tuple((key, tuple(globs)) for key, globs in when), xml, aliases)
            for logsource, when, xml, aliases in table["alternatives"]
        ]
        self._named: dict[str, list[Candidate]] = table["keys"]

    @property
    def keys(self) -> dict[str, list[Candidate]]:
        """The routing keys that alternatives ask for, and where each stands."""
        used = dict.fromkeys(key for alternative in self.alternatives for key, _ in alternative.when)
        return {key: self._named.get(key, [[key]]) for key in used}

    def extended(self, alternatives: Iterable[Alternative]) -> RoutingTable:
        """A table that has these alternatives too, behind its own."""
        table = copy(self)
        table.alternatives = [*self.alternatives, *alternatives]
        return table

    def key_fields(self) -> list[str]:
        """The fields that routing looks at, sorted."""
        return sorted({candidate[0] for candidates in self.keys.values() for candidate in candidates})

    def contributors(self, wanted: LogSource, alternatives: Iterable[int]) -> tuple[int, ...]:
        """Those of ``alternatives`` that make an event one of ``wanted``; empty if it is none.

        A category and a service that are both named must both be given. A log source that names
        nothing means every event, and everything contributes to it.
        """
        found = tuple(index for index in alternatives if self.alternatives[index].gives(wanted))
        sources = [self.alternatives[index].logsource for index in found]
        if wanted.category and not any(source.category == wanted.category for source in sources):
            return ()
        if wanted.service and not any(source.service == wanted.service for source in sources):
            return ()
        return found

    def is_mapped(self, wanted: LogSource) -> bool:
        """True if some event can be of this log source."""
        return not any(wanted) or bool(self.contributors(wanted, range(len(self.alternatives))))


class Router:
    """Says which alternatives an event belongs to, remembering the answers key by key.

    ``source`` can be a path that never repeats: a new value of it costs the conditions on it alone.
    """

    def __init__(self, table: RoutingTable) -> None:
        self.table = table
        self._keys = [_Key(table, key, candidates) for key, candidates in table.keys.items()]
        self._routes: dict[int, Route] = {}

    def route(self, event: Event) -> Route:
        """The alternatives that ``event`` belongs to."""
        bits = -1
        for key in self._keys:
            bits &= key.bits(event)
        route = self._routes.get(bits)
        if route is None:
            count = len(self.table.alternatives)
            route = self._routes[bits] = tuple(index for index in range(count) if bits >> index & 1)
        return route


class _Key:
    """One routing key. A *bit* stands for an alternative; one that does not ask for the key always holds."""

    def __init__(self, table: RoutingTable, key: str, candidates: list[Candidate]) -> None:
        self.candidates = candidates
        self._unasked = 0
        asked: dict[tuple[str, ...], int] = {}
        for index, alternative in enumerate(table.alternatives):
            globs = [globs for name, globs in alternative.when if name == key]
            for one in globs:
                asked[one] = asked.get(one, 0) | 1 << index
            if not globs:
                self._unasked |= 1 << index
        self._asked = [(any_glob(globs), bits) for globs, bits in asked.items()]
        self._memory: dict[Values, int] = {}

    def bits(self, event: Event) -> int:
        values = _first_values(event, self.candidates)
        bits = self._memory.get(values)
        if bits is None:
            if len(self._memory) >= _MEMORY:
                self._memory.clear()
            folded = tuple(map(fold, values))
            bits = self._unasked
            for matches, alternatives in self._asked:
                if matches(folded):
                    bits |= alternatives
            self._memory[values] = bits
        return bits


def _first_values(event: Event, candidates: Sequence[Candidate]) -> Values:
    for candidate in candidates:
        values = candidate_values(event, candidate)
        if values:
            return values
    return ()


def any_glob(globs: Iterable[str]) -> Callable[[Values], bool]:
    """A function that says whether one of several values matches one of ``globs`` (``*`` alone is special)."""
    exact: frozenset[str] = frozenset(glob for glob in globs if "*" not in glob)
    tests = [glob_matcher(glob) for glob in globs if "*" in glob]

    def matches(values: Values) -> bool:
        return any(value in exact or any(test(value) for test in tests) for value in values)

    return matches


def merged_aliases(tables: Sequence[AliasTable], wanted: LogSource) -> AliasTable:
    """One alias table for events that several alternatives describe; earlier tables are asked first.

    A rule that names neither category nor service speaks of the events' own fields, so that a
    field's own name is never set aside for it.
    """
    if len(tables) == 1 and (wanted.category or wanted.service):
        return tables[0]
    merged: dict[str, Any] = {}
    for table in tables:
        for field, (own, candidates) in table.items():
            known_own, known = merged.get(field, (own, []))
            merged[field] = (known_own and own, known + [entry for entry in candidates if entry not in known])
    if not wanted.category and not wanted.service:
        merged = {field: (True, candidates) for field, (_, candidates) in merged.items()}
    return merged


def parse_logsource(text: str) -> LogSource:
    """``product/category/service`` as the option ``logsource=`` takes it; parts may be empty or ``*``.

    Raises ValueError if there are more than three parts or none says anything.
    """
    parts = ["" if part.strip() == "*" else part.strip().lower() for part in text.split("/")]
    if len(parts) > len(LogSource._fields) or not any(parts):
        raise ValueError(
            f"a log source is written product/category/service, such as windows/process_creation, not {text!r}"
        )
    return LogSource(*parts)
