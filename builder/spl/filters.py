"""A part of a rule -> a test for ``| where``, which can tell case, a star and a regular expression.

Every function answers None where ``where`` cannot say it either. What is written is true or false for every
event, never null. Source: Search Reference, "Evaluation functions": mvfind gives the position of the first value
in which a regular expression (PCRE) is found, else null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sigmaengine.modifiers import Test
from sigmaengine.patterns import ANY, DASH, DASHES, Part
from sigmaengine.rule import Item

from .expressions import BARE_NAME, quoted
from .places import Places, is_askable, is_deep
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


def _test(field: str | None, test: Test, places: Places) -> str | None:
    kind, *arguments = test
    if kind == "any":
        return _joined("OR", [_test(field, one, places) for one in arguments])
    columns = [RAW] if field is None else _columns(field, places)
    if kind not in _TESTS or not columns:
        return None
    if field is None:
        # Keywords are looked for in the decoded form of _raw too, whatever it is.
        return _TESTS[kind](columns, arguments, True)  # noqa: FBT003 - xml
    texts = {_TESTS[kind](columns, arguments, xml) for xml in places.xml}
    return texts.pop() if len(texts) == 1 else None


def _columns(field: str, places: Places) -> list[str]:
    """The columns one of which has the field; empty if it depends on the event."""
    lists = places.lists(field)
    if len(lists) != 1 or len(lists[0]) != 1 or len(lists[0][0]) != 1:
        return []
    column = lists[0][0][0]
    return places.forms(column) if is_askable(column) and not is_deep(column) else []


def _no_value(columns: list[str]) -> str:
    return " AND ".join(f"isnull({_named(column)})" for column in columns)


def _null(columns: list[str], _: list[Any], __: bool) -> str:
    return _no_value(columns)


def _exists(columns: list[str], arguments: list[Any], _: bool) -> str:
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


_TESTS: dict[str, Callable[[list[str], list[Any], bool], str | None]] = {
    "null": _null,
    "exists": _exists,
    "str": _text,
    "re": _regex,
}


def _named(column: str) -> str:
    """A field's name as eval takes it."""
    return column if BARE_NAME.match(column) and column.lower() not in _WORDS else f"'{column}'"
