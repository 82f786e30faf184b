"""Field aliases: a row of cells -> the values of a Sigma field.

A *cell* is what a row holds of one column: text, or a tuple of texts (a multivalue field). Splunk
cannot tell a missing field from an empty one, so an empty text is no value.

An *alias table* (from ``mappings/``) says where else than under its own name a Sigma field may
stand: ``{field: [own, [[profile, candidate], ...]]}``. ``own`` is False where the field's own name
means something else in these events. A *candidate* is ``[column]``, or ``[column, operation,
argument]`` with an operation of ``_OPERATIONS``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Callable, Union

from .windowsxml import decode_entities, unextracted_fields

Values = tuple[str, ...]
Cell = Union[str, Values]
Candidate = list[Any]
AliasTable = Mapping[str, Sequence[Any]]

PROFILES = ("auto", "windows_xml", "windows_classic", "sysmon", "cim", "native", "none")

#: Never searched by keywords: where an event comes from is not what it says.
_NO_KEYWORD_FIELDS = frozenset(("host", "source", "sourcetype"))
# Deeper JSON paths than this are no rule's; each step doubles the forms.
_MAX_STEPS = 6
_CLEANED = re.compile(r"[^A-Za-z0-9_]")


def is_event_field(name: str) -> bool:
    """False for metadata: names that begin with ``_`` (but ``_raw`` and ``_time``) or ``sigma_``."""
    return name in ("_raw", "_time") or not name.startswith(("_", "sigma_"))


def clean_name(name: str) -> str:
    """``name`` as Splunk cleans field names at search time (transforms.conf, CLEAN_KEYS)."""
    return _CLEANED.sub("_", name)


def array_forms(name: str) -> list[str]:
    """The columns in which Splunk can show a JSON field: ``a.b`` is ``a{}.b`` where ``a`` is an array."""
    steps = name.split(".")
    if "{}" in name or len(steps) > _MAX_STEPS:
        return [name]
    return [".".join(choice) for choice in product(*((step, step + "{}") for step in steps))]


def _unquoted(values: Values, _: Any) -> Values:
    return tuple(stripped for value in values if (stripped := value.strip("'\"")))


def _nth(values: Values, position: int) -> Values:
    return values[position - 1 : position]


def _without_prefix(values: Values, prefixes: Sequence[str]) -> Values:
    found = []
    for value in values:
        for prefix in prefixes:
            if value[: len(prefix)].lower() == prefix.lower():
                found.append(value[len(prefix) :])
                break
    return tuple(found)


#: What a candidate may do to the values it finds.
OPERATIONS: dict[str, Callable[[Values, Any], Values]] = {
    "unquote": _unquoted,
    "nth": _nth,
    "prefix": _without_prefix,
}


def _itself(cell: str) -> str:
    return cell


def _utf8(cell: str) -> bytes:
    return cell.encode("utf-8", "surrogatepass")


class Columns:
    """The columns of a table: name -> positions. ``a{}.b``, as Splunk shows JSON arrays, is ``a.b`` too.

    ``text_of`` says what a cell that is no tuple says, where that is not the cell itself; ``bytes_of``
    gives it as UTF-8, except for how CSV writes commas and quotes.
    """

    def __init__(
        self,
        names: Sequence[str],
        text_of: Callable[[str], str] = _itself,
        bytes_of: Callable[[str], bytes] = _utf8,
    ) -> None:
        self.names = tuple(names)
        self.text_of, self.bytes_of = text_of, bytes_of
        self.positions: dict[str, list[int]] = {}
        for position, name in enumerate(self.names):
            self.positions.setdefault(name, []).append(position)
        for position, name in enumerate(self.names):
            if "{}" in name:
                self.positions.setdefault(name.replace("{}", ""), []).append(position)
        self.keyword_positions = [
            position
            for position, name in enumerate(self.names)
            if is_event_field(name) and name not in _NO_KEYWORD_FIELDS and name not in ("_raw", "_time")
        ]

        #: The values of a cell of such a table.
        self.values = values_by(text_of)


def values_by(text_of: Callable[[str], str]) -> Callable[[Cell], Values]:
    """What gives the values of a cell; ``text_of`` says what one says that is no tuple."""

    def values(cell: Cell) -> Values:
        if isinstance(cell, tuple):
            return cell
        text = text_of(cell) if cell else ""
        return (text,) if text else ()

    return values


class Event:
    """One row. ``cells`` stand in the order of ``columns.names``."""

    __slots__ = ("_raw_fields", "cells", "columns")

    def __init__(self, columns: Columns, cells: Sequence[Cell]) -> None:
        self.columns, self.cells = columns, cells
        self._raw_fields: dict[str, Values] | None = None

    def column(self, name: str) -> Values:
        """The values in the first column of that name that has any."""
        for position in self.columns.positions.get(name, ()):
            values = self.columns.values(self.cells[position])
            if values:
                return values
        return ()

    def texts(self) -> Values:
        """What keywords are looked for in: ``_raw`` and its decoded form, else every field's values."""
        raw = self.column("_raw")
        if raw:
            return with_decoded(raw)
        found: list[str] = []
        for position in self.columns.keyword_positions:
            found += self.columns.values(self.cells[position])
        return tuple(found)

    def unextracted(self) -> dict[str, Values]:
        """What only the XML in ``_raw`` holds (see ``windowsxml``)."""
        if self._raw_fields is None:
            raw = self.column("_raw")
            self._raw_fields = unextracted_fields(raw[0]) if raw else {}
        return self._raw_fields


def make_cell(values: Sequence[str]) -> Cell:
    """The cell of a field with these values: a tuple only where there are several that say something."""
    kept = tuple(value for value in values if value)
    return kept if len(kept) > 1 else "".join(kept)


def with_decoded(values: Values) -> Values:
    """``values`` and, after them, the decoded forms of those that hold XML entities."""
    if not any("&" in value for value in values):
        return values
    return values + tuple(text for value in values if (text := decode_entities(value)) != value)


def candidate_values(event: Event, candidate: Candidate) -> Values:
    """The values that a candidate finds in an event."""
    values = event.column(candidate[0])
    if len(candidate) > 1 and values:
        return OPERATIONS[candidate[1]](values, candidate[2])
    return values


class FieldView:
    """How Sigma's names are looked up in one kind of events.

    ``aliases``: the alias table; ``profile``: one of PROFILES; ``xml``: values hold XML entities
    (both forms count), and what is missing may stand in the XML of ``_raw``.
    """

    def __init__(self, aliases: AliasTable, profile: str, xml: bool) -> None:
        self.aliases, self.profile, self.xml = aliases, profile, xml and profile != "none"
        self._candidates: dict[str, list[Candidate]] = {}

    def candidates(self, field: str) -> list[Candidate]:
        """Where ``field`` may stand, in the order in which it is sought."""
        found = self._candidates.get(field)
        if found is None:
            found = self._candidates[field] = self._all_candidates(field)
        return found

    def _all_candidates(self, field: str) -> list[Candidate]:
        if not is_event_field(field):
            return []
        own, listed = self.aliases.get(field, (True, ()))
        found: list[Candidate] = [[field]] if own or self.profile == "none" else []
        if self.profile != "none":
            found += [candidate for profile, candidate in listed if self.profile in ("auto", profile)]
        cleaned = clean_name(field)
        if self.profile == "auto" and own and cleaned != field and is_event_field(cleaned):
            found.append([cleaned])
        return found

    def values(self, event: Event, field: str) -> Values:
        """The values of ``field`` in ``event``, those of the first candidate that has any."""
        values: Values = ()
        for candidate in self.candidates(field):
            values = candidate_values(event, candidate)
            if values:
                break
        if not self.xml:
            return values
        if not values:
            return event.unextracted().get(field, ())
        return with_decoded(values)
