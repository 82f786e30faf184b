"""Boolean expressions of Splunk's search language, and their text.

Everything is put in parentheses: ``search`` binds NOT, then OR, then AND, which is not what readers
of other languages expect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

BARE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# Operators, and the command that a search begins with.
_WORDS = frozenset(("AND", "OR", "NOT", "XOR", "IN", "SEARCH", "TERM", "CASE", "BY", "AS", "WHERE"))


@dataclass(frozen=True)
class Always:
    """True (every event) or false (none)."""

    holds: bool


@dataclass(frozen=True)
class Equals:
    """One value of ``field`` is ``value``, in which ``*`` alone is special. ``value`` is not escaped yet."""

    field: str
    value: str


@dataclass(frozen=True)
class Compared:
    """One value of ``field`` is, as a number, less, greater or equal: ``operator`` is ``<=`` or ``>=``."""

    field: str
    operator: str
    number: str


@dataclass(frozen=True)
class Term:
    """A term of ``_raw``, in which ``*`` alone is special."""

    value: str


@dataclass(frozen=True)
class Not:
    """Of the events those for which ``operand`` does not hold, those without its fields included."""

    operand: Expression


@dataclass(frozen=True)
class And:
    """All of two operands or more."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class Or:
    """Any of two operands or more."""

    operands: tuple[Expression, ...]


Expression = Always | Equals | Compared | Term | Not | And | Or
TRUE, FALSE = Always(holds=True), Always(holds=False)


def present(field: str) -> Expression:
    """The field has a value."""
    return Equals(field, "*")


def negation(operand: Expression) -> Expression:
    """What holds where ``operand`` does not."""
    if isinstance(operand, Always):
        return Always(not operand.holds)
    return operand.operand if isinstance(operand, Not) else Not(operand)


def conjunction(operands: Iterable[Expression]) -> Expression:
    """All of them, without repetitions."""
    kept = _flat(operands, And, TRUE)
    if kept is None:
        return FALSE
    return kept[0] if len(kept) == 1 else And(kept) if kept else TRUE


def disjunction(operands: Iterable[Expression]) -> Expression:
    """Any of them, without repetitions."""
    kept = _flat(operands, Or, FALSE)
    if kept is None:
        return TRUE
    return kept[0] if len(kept) == 1 else Or(kept) if kept else FALSE


def _flat(operands: Iterable[Expression], kind: type[And | Or], neutral: Always) -> tuple[Expression, ...] | None:
    """The operands that say something; None if one of them decides alone."""
    kept: dict[Expression, None] = {}
    for operand in operands:
        if isinstance(operand, Always):
            if operand != neutral:
                return None
        elif isinstance(operand, kind):
            kept.update(dict.fromkeys(operand.operands))
        else:
            kept[operand] = None
    return tuple(kept)


# --- text ---------------------------------------------------------------------------------------


def text(expression: Expression) -> str:
    """The expression as Splunk reads it."""
    return _WRITERS[type(expression)](expression)


def quoted(value: str) -> str:
    """A value in quotes; a backslash and a quote are written with a backslash before them."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def name(field: str) -> str:
    """A field's name as the search language takes it."""
    return field if BARE_NAME.match(field) and field.upper() not in _WORDS else quoted(field)


def _conjunction_text(expression: And) -> str:
    return " AND ".join(map(_operand, expression.operands))


def _disjunction_text(expression: Or) -> str:
    return " OR ".join(_alternatives(expression.operands))


def _value(value: str) -> str:
    return "*" if value == "*" else quoted(value)


def _operand(expression: Expression) -> str:
    if isinstance(expression, Or):
        alternatives = _alternatives(expression.operands)
        return alternatives[0] if len(alternatives) == 1 else f"({' OR '.join(alternatives)})"
    written = text(expression)
    return written if isinstance(expression, (Equals, Compared, Term, Not)) else f"({written})"


def _alternatives(operands: tuple[Expression, ...]) -> list[str]:
    """The operands of an OR; several values of one field are a list."""
    values: dict[str, list[str]] = {}
    for operand in operands:
        if isinstance(operand, Equals) and operand.value != "*":
            values.setdefault(operand.field, []).append(operand.value)
    written: list[str] = []
    for operand in operands:
        if not isinstance(operand, Equals) or operand.value == "*":
            written.append(_operand(operand))
            continue
        listed = values.pop(operand.field, None)
        if listed is not None:
            one = f"{name(operand.field)} IN ({', '.join(map(quoted, listed))})"
            written.append(one if len(listed) > 1 else text(operand))
    return written


_WRITERS: dict[type[Any], Callable[[Any], str]] = {
    Always: lambda one: "*" if one.holds else "NOT *",
    Equals: lambda one: f"{name(one.field)}={_value(one.value)}",
    Compared: lambda one: f"{name(one.field)}{one.operator}{one.number}",
    Term: lambda one: quoted(one.value),
    Not: lambda one: f"NOT {_operand(one.operand)}",
    And: _conjunction_text,
    Or: _disjunction_text,
}
