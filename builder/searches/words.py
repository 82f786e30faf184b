"""Pieces of SPL: quoted values, lists, and the conditions of the mappings in the search language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from builder.spl import expressions
from sigmaengine.fields import Candidate


def quoted(text: str) -> str:
    """``text`` as a quoted value. A backtick would begin a macro and cannot be escaped: ``*`` stands for it."""
    return expressions.quoted(text.replace("`", "*"))


def is_one_of(field: str, values: Iterable[str]) -> str:
    """``field`` has one of ``values``, in which ``*`` is any text."""
    name = expressions.name(field)
    listed = [quoted(value) for value in sorted(set(values), key=_by_number)]
    return f"{name}={listed[0]}" if len(listed) == 1 else f"{name} IN ({', '.join(listed)})"


def _by_number(value: str) -> tuple[int, str]:
    return (int(value) if value.isdecimal() else -1, value)


def any_of(conditions: Sequence[str]) -> str:
    """One of ``conditions`` holds; in parentheses where there are several."""
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def key_is_one_of(candidates: Sequence[Candidate], globs: Sequence[str]) -> str:
    """A routing key has one of ``globs``, in whichever of its columns.

    The engine takes the first column that has a value, this any: no event is lost by it.
    """
    return any_of([_candidate_is_one_of(candidate, globs) for candidate in candidates])


def _candidate_is_one_of(candidate: Candidate, globs: Sequence[str]) -> str:
    field, *operation = candidate
    if not operation:
        return is_one_of(field, globs)
    if operation[0] == "prefix":
        return is_one_of(field, [prefix + glob for prefix in operation[1] for glob in globs])
    # What else may be done to a value before it is compared leaves no more to say than that there is one.
    return f"{field}=*"
