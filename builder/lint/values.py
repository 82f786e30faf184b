"""Checks of detection items and their values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sigmaengine.modifiers import TEXT_KINDS, scalar_text
from sigmaengine.patterns import ANY, ONE, Part, parse
from sigmaengine.problems import Problem, shown

from .detections import Item, Value
from .relations import Cover, implies
from .subject import Subject, warning


def check_values(subject: Subject) -> Iterator[Problem]:
    """Values that repeat, contain or undo each other, or are probably written otherwise than they are meant."""
    if subject.detection is None:
        return
    for item in subject.detection.items():
        for check in _CHECKS:
            yield from check(item)


# --- values beside each other -----------------------------------------------------------------------


def _repeated(item: Item) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, value in enumerate(item.values):
        first = seen.setdefault(repr(value.tests), index)
        if first != index and value.tests:
            message = f"{_said(value)} is there already, as value {first + 1}{_written_otherwise(item, first, index)}"
            yield warning("value-duplicate", message, value.where)


def _written_otherwise(item: Item, first: int, index: int) -> str:
    one, other = (scalar_text(item.values[position].raw) for position in (first, index))
    return "" if one == other else f": {shown(one)} means the same"


def _implied(item: Item) -> Iterator[Problem]:
    """Of a list of which one value is enough, what is within another; with ``all``, what another is within."""
    if len(item.values) < 2 or item.chain.kind in ("presence", "field reference", "anchored field reference"):
        return
    cover = Cover((test, index) for index, value in enumerate(item.values) for test in value.tests)
    useless: set[int] = set()
    for index, value in enumerate(item.values):
        for other in _implied_by(cover, value):
            if other == index or item.values[other].tests == value.tests or not item.values[other].raw:
                continue  # that an empty text holds for everything is said of the empty text
            loser, winner = (other, index) if item.chain.all else (index, other)
            if loser in useless or (loser < winner and _is_mutual(item.values[loser], item.values[winner])):
                continue
            useless.add(loser)
            yield _redundant(item, loser, winner)
            break


def _implied_by(cover: Cover, value: Value) -> Iterator[int]:
    """The positions of values that hold wherever ``value`` does (for a value of several tests, those of all)."""
    if not value.tests:
        return
    first, *others = value.tests
    for position in dict.fromkeys(cover.of(first)):
        if all(position in set(cover.of(test)) for test in others):
            yield position


def _is_mutual(one: Value, other: Value) -> bool:
    return all(any(implies(test, its) for its in one.tests) for test in other.tests) and all(
        any(implies(test, its) for its in other.tests) for test in one.tests
    )


def _redundant(item: Item, loser: int, winner: int) -> Problem:
    value, other = item.values[loser], item.values[winner]
    if item.chain.all:
        message = f"{_said(value)} says nothing new: it holds wherever {_said(other)} does, and all values are needed"
    else:
        message = f"{_said(value)} says nothing new: whatever it matches is matched by {_said(other)} too"
    return warning("value-redundant", message, value.where)


# --- wildcards ----------------------------------------------------------------------------------------

_ANCHORS = ("contains", "startswith", "endswith")
_SHAPES: dict[tuple[bool, bool], str] = {
    (True, True): "contains",
    (True, False): "endswith",
    (False, True): "startswith",
}


def _wildcards_for_modifier(item: Item) -> Iterator[Problem]:
    r"""``*\a.exe`` where ``endswith`` is meant; a list must be of one kind, since a modifier is for all of it."""
    if item.field is None or item.chain.kind != "text" or not item.values:
        return
    shapes = {_shape(value) for value in item.values}
    shape = shapes.pop()
    if shape and not shapes:
        names = "|".join([item.field, *item.chain.names, shape])
        yield warning(
            "wildcard-for-modifier",
            f"{_said(item.values[0])} is said by '{names}' without its wildcards",
            item.where,
        )


def _shape(value: Value) -> str:
    parts = _parts(value)
    literals = [part for part in parts if isinstance(part, str)]
    if len(literals) != 1 or ONE in parts:
        return ""
    return _SHAPES.get((parts[0] == ANY, parts[-1] == ANY), "")


def _parts(value: Value) -> Sequence[Part]:
    return parse(value.raw) if isinstance(value.raw, str) else ()


def _wildcards_beside_modifier(item: Item) -> Iterator[Problem]:
    anchor = item.chain.first_of("anchor")
    if item.chain.kind != "text with wildcards" or not anchor:
        return
    for value in item.values:
        parts = _parts(value)
        if not parts or parts == (ANY,):
            continue
        open_start, open_end = parts[0] == ANY, parts[-1] == ANY
        undone = (anchor == "endswith" and open_end) or (anchor == "startswith" and open_start)
        needless = (anchor != "startswith" and open_start) or (anchor != "endswith" and open_end)
        if undone:
            message = f"with the wildcard at its end of {_said(value)}, '{anchor}' anchors nothing"
            yield warning("wildcard-undoes-modifier", message, value.where)
        elif needless:
            message = f"'{anchor}' says what the outer wildcard of {_said(value)} says"
            yield warning("wildcard-needless", message, value.where)


def _wildcards_doubled(item: Item) -> Iterator[Problem]:
    for value in item.values if item.chain.kind in TEXT_KINDS else ():
        text = value.raw if isinstance(value.raw, str) else ""
        if re.search(r"\*\*", re.sub(r"\\[*?\\]", "x", text)):
            yield warning("wildcard-doubled", f"two stars beside each other in {_said(value)} are one", value.where)


def _wildcard_alone(item: Item) -> Iterator[Problem]:
    if item.field is None or item.chain.kind not in ("text", "text with wildcards"):
        return
    for value in item.values:
        if _parts(value) == (ANY,):
            message = f"'*' holds for every value; '{item.field}|exists: true' says so"
            yield warning("wildcard-alone", message, value.where)


# --- backslashes and other traps ----------------------------------------------------------------------

#: A path whose last backslash escapes a wildcard: a drive, %VARIABLE% or \folder before it.
_ESCAPED_STAR = re.compile(r"(?<!\\)\\\*")
_PATH = re.compile(r"[A-Za-z]:\\|%\w+%\\|\\\w[\w .]*\\")
#: How one begins a UNC path in a Sigma string, thinking of YAML or of nothing at all.
_HALF_UNC = re.compile(r"\\\\[\w*?%.-]")


def _escaped_wildcard(item: Item) -> Iterator[Problem]:
    for value in item.values if item.chain.kind in TEXT_KINDS else ():
        text = value.raw if isinstance(value.raw, str) else ""
        for found in _ESCAPED_STAR.finditer(text):
            if _PATH.search(text[: found.end() - 1]):
                message = f"'\\*' in {_said(value)} is a star itself; a backslash and a wildcard are written '\\\\*'"
                yield warning("backslash-before-wildcard", message, value.where)
                break


def _half_unc(item: Item) -> Iterator[Problem]:
    anchored = item.chain.kind in ("text", "text with wildcards") and item.chain.first_of("anchor") != "contains"
    if not anchored or item.chain.first_of("anchor") == "endswith":
        return
    for value in item.values:
        text = value.raw if isinstance(value.raw, str) else ""
        if _HALF_UNC.match(text):
            message = (
                f"{_said(value)} begins with one backslash: two are read as one;"
                " the two of a network path are written as four"
            )
            yield warning("backslash-unc", message, value.where)


def _control_characters(item: Item) -> Iterator[Problem]:
    for value in item.values:
        found = re.search(r"[\x00-\x1f\x7f]", value.raw) if isinstance(value.raw, str) else None
        if found and item.chain.kind in TEXT_KINDS:
            message = (
                f"there is the control character U+{ord(found[0]):04X} in {_said(value)}; in double quotes YAML makes"
                " one of a backslash and a letter: use single quotes"
            )
            yield warning("value-control-character", message, value.where)


def _null_as_text(item: Item) -> Iterator[Problem]:
    for value in item.values if item.chain.kind == "text" and item.field else ():
        if value.raw == "null":  # NULL is also a type of DNS records
            message = f"{_said(value)} in quotes is a text of four letters; no value is written null, without quotes"
            yield warning("value-null-text", message, value.where)


def _short(item: Item) -> Iterator[Problem]:
    """A single letter or digit looked for anywhere: nearly everything holds it."""
    if item.chain.first_of("anchor") != "contains" or item.chain.kind != "text with wildcards" or item.chain.all:
        return
    for value in item.values:
        text = value.raw if isinstance(value.raw, str) else ""
        if len(text) == 1 and text.isascii() and text.isalnum():
            yield warning("value-short", f"nearly every value holds {_said(value)}", value.where)


def _said(value: Value) -> str:
    return shown(scalar_text(value.raw), 60)


_CHECKS: tuple[Any, ...] = (
    _repeated,
    _implied,
    _wildcards_for_modifier,
    _wildcards_beside_modifier,
    _wildcards_doubled,
    _wildcard_alone,
    _escaped_wildcard,
    _half_unc,
    _control_characters,
    _null_as_text,
    _short,
)
