"""A part of a rule -> a test for ``| where``, which can tell case, a star and a regular expression.

Every function answers None where ``where`` cannot say it either. What is written is true or false for every
event, never null. Source: Search Reference, "Evaluation functions": mvfind gives the position of the first value
in which a regular expression (PCRE) is found, else null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from builder.kinds import glob_parts
from sigmaengine.fields import Candidate
from sigmaengine.modifiers import Test
from sigmaengine.patterns import ANY, DASH, DASHES, Part
from sigmaengine.rule import Item

from .expressions import BARE_NAME, quoted
from .places import Forms, Places, is_askable, is_deep, one_form
from .regexes import escaped, portable
from .values import ENTITIES, mixes_entities

# A longer test is left to what decides: a search with it would be longer than people and Splunk read well.
_MAX_TEXT = 4_000
_END = r"(?![\s\S])"

RAW = "_raw"
# Words of eval's own.
_WORDS = frozenset(("and", "or", "not", "xor", "in", "like", "true", "false", "null", "as", "by"))


def item_filter(item: Item, places: Places) -> str | None:
    """The test of an item."""
    texts = [_test(item.field, test, places) for test in item.tests]
    found = _joined("AND" if item.all else "OR", texts)
    if found is None or len(found) > _MAX_TEXT:
        return None
    return f"NOT ({found})" if item.neq else found


def joined_filters(operator: str, texts: Iterable[str | None]) -> str | None:
    """Several tests as one; ``operator``: ``and`` or ``or``."""
    return _joined(operator.upper(), list(texts))


def negated_filter(text: str | None) -> str | None:
    """The opposite of a test."""
    return None if text is None else f"NOT ({text})"


def _joined(operator: str, texts: Sequence[str | None]) -> str | None:
    known = [text for text in texts if text is not None]
    if len(known) < len(texts):
        return None
    return known[0] if len(known) == 1 else f" {operator} ".join(f"({text})" for text in known)


def told_apart(kinds: Sequence[tuple[Sequence[Candidate], Iterable[str]]], tests: Sequence[str]) -> str | None:
    """Tests of kinds of events as one test: each is asked of events of its kind alone.

    ``kinds``: of each, the fields in which a routing key stands and the globs one of which it matches there.
    """
    texts: list[str | None] = []
    for (candidates, globs), test in zip(kinds, tests, strict=True):
        columns = [[column] for (column,) in candidates]
        asked = [_first_of(columns, "str", [False, glob_parts(glob)], xml=False) for glob in globs]
        texts.append(_joined("AND", [_joined("OR", asked), test]))
    found = _joined("OR", texts)
    return None if found is None or len(found) > _MAX_TEXT else found


def _test(field: str | None, test: Test, places: Places) -> str | None:
    kind, *arguments = test
    if kind == "any":
        return _joined("OR", [_test(field, one, places) for one in arguments])
    lists = [[[RAW]]] if field is None else [_plain(one, places.forms) for one in places.lists(field)]
    if (kind not in _TESTS and kind not in _OF_ALL) or len(lists) != 1 or not lists[0]:
        return None
    # Keywords are looked for in the decoded form of _raw too, whatever it is.
    texts = {_first_of(lists[0], kind, arguments, xml=xml) for xml in ([True] if field is None else places.xml)}
    return texts.pop() if len(texts) == 1 else None


def _plain(candidates: Sequence[Candidate], forms: Forms) -> list[list[str]]:
    """The columns of each candidate, one of which has the field; empty if not all of them are asked for as they are."""
    if not all(len(one) == 1 and is_askable(one[0]) for one in candidates):
        return []
    if forms is not one_form and any(is_deep(column) for (column,) in candidates):
        return []
    return [forms(column) for (column,) in candidates]


def _first_of(places: Sequence[list[str]], kind: str, arguments: list[Any], *, xml: bool) -> str | None:
    """The test of the first of these places that has a value."""
    if kind in _OF_ALL:
        return _OF_ALL[kind]([column for columns in places for column in columns], arguments)
    columns, *others = places
    found = _TESTS[kind](columns, arguments, xml)
    if not others:
        return found
    return _joined("OR", [found, _joined("AND", [_no_value(columns), _first_of(others, kind, arguments, xml=xml)])])


def _no_value(columns: list[str]) -> str:
    return " AND ".join(f"isnull({_named(column)})" for column in columns)


def _null(columns: list[str], _: list[Any]) -> str:
    return _no_value(columns)


def _exists(columns: list[str], arguments: list[Any]) -> str:
    return f"NOT ({_no_value(columns)})" if arguments[0] else _no_value(columns)


def _found(columns: list[str], expression: str) -> str:
    return " OR ".join(f"isnotnull(mvfind({_named(column)}, {quoted(expression)}))" for column in columns)


def _text(columns: list[str], arguments: list[Any], xml: bool) -> str | None:
    cased, parts = arguments
    written = [_part(part, xml) for part in parts]
    if xml and mixes_entities(parts):
        return None
    if any(one is None for one in written):
        return None
    # "Anything" at an end is found where nothing is asked for.
    start, end = int(parts[0] == ANY), int(parts[-1] == ANY)
    inside = "".join(filter(None, written[start : len(written) - end]))
    return _found(columns, f"{'(?s)' if cased else '(?is)'}{'' if start else '^'}{inside}{'' if end else _END}")


def _part(part: Part, xml: bool) -> str | None:
    if isinstance(part, str):
        characters = [_character(character, xml) for character in part]
        return None if None in characters else "".join(filter(None, characters))
    return {ANY: ".*", DASH: f"(?:{'|'.join(DASHES)})"}.get(part)


def _character(character: str, xml: bool) -> str | None:
    if not character.isascii() and character.lower() != character.upper():
        return None
    if xml and not character.isprintable():
        return None  # an entity may stand for it
    if xml and character in ENTITIES:
        return f"(?:{character}|{ENTITIES[character]})"
    return escaped(character)


def _regex(columns: list[str], arguments: list[Any], xml: bool) -> str | None:
    flags, expression = arguments
    if not portable(flags, expression, xml):
        return None
    return _found(columns, (f"(?{flags})" if flags else "") + expression)


#: Of all columns together, and of those in which the values stand.
_OF_ALL: dict[str, Callable[[list[str], list[Any]], str]] = {"null": _null, "exists": _exists}
_TESTS: dict[str, Callable[[list[str], list[Any], bool], str | None]] = {
    "str": _text,
    "re": _regex,
}


def _named(column: str) -> str:
    """A field's name as eval takes it."""
    return column if BARE_NAME.match(column) and column.lower() not in _WORDS else f"'{column}'"
