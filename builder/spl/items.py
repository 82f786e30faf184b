"""A detection item -> bounds.

Positive comparisons hold if any value of the field passes, in Splunk as in Sigma; what is negated
holds where none does, and where there is no value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sigmaengine.gates import gate_of_regex, ignores_case
from sigmaengine.modifiers import Test
from sigmaengine.numbers import parse_number
from sigmaengine.patterns import ANY, join
from sigmaengine.rule import Item

from .bounds import Bounds, all_of, any_of, between, exactly, negated, whichever
from .expressions import FALSE, TRUE, Compared, Equals, Expression, conjunction, disjunction, present
from .keywords import keyword
from .places import Operation, Places
from .values import search_values


def item_bounds(item: Item, places: Places, limit: int) -> Bounds:
    """What an item means for events whose fields stand in ``places``; with over ``limit`` values, roughly."""
    if len(item.tests) > limit:
        found = _roughly(item, places)
    elif item.all:
        found = all_of(_any_test(item.field, [test], places) for test in item.tests)
    else:
        found = _any_test(item.field, item.tests, places)
    return negated(found) if item.neq else found


def _roughly(item: Item, places: Places) -> Bounds:
    """Whatever the values are: the field has one, unless the item may ask for none."""
    kinds = {one[0] for test in item.tests for one in (test[1:] if test[0] == "any" else [test])}
    if item.field is None or kinds & {"null", "exists"}:
        return between(FALSE, TRUE, "long list")
    return between(FALSE, places.has_value(item.field).upper, "long list")


def _any_test(field: str | None, tests: Sequence[Test], places: Places) -> Bounds:
    """One of the tests passes; a field is looked up once for all of them."""
    single = [one for test in tests for one in (test[1:] if test[0] == "any" else [test])]
    if field is None:
        return any_of(map(_keyword, single))
    of_field = [_OF_FIELD[kind](field, arguments, places) for kind, *arguments in single if kind in _OF_FIELD]
    of_values = [(_OF_COLUMN[kind], arguments) for kind, *arguments in single if kind in _OF_COLUMN]
    if of_values:

        def passes(column: str, operation: Operation) -> Bounds:
            return whichever(
                [
                    any_of(test(column, operation, arguments, xml) for test, arguments in of_values)
                    for xml in places.xml
                ],
                "entities",
            )

        of_field.append(places.any_value(field, passes))
    return any_of(of_field)


def _keyword(test: Test) -> Bounds:
    kind, *arguments = test
    return keyword(arguments[1], arguments[0]) if kind == "str" else between(FALSE, TRUE, "keyword")


def _null(field: str, _: list[Any], places: Places) -> Bounds:
    return negated(places.has_value(field))


def _exists(field: str, arguments: list[Any], places: Places) -> Bounds:
    there = places.has_value(field)
    return there if arguments[0] else negated(there)


def _reference(field: str, arguments: list[Any], places: Places) -> Bounds:
    both = all_of([places.has_value(field), places.has_value(arguments[2])])
    return between(FALSE, both.upper, "field reference")


_OF_FIELD: dict[str, Callable[[str, list[Any], Places], Bounds]] = {
    "null": _null,
    "exists": _exists,
    "ref": _reference,
}

# --- tests of a column's values -----------------------------------------------------------------


def text_in(column: str, operation: Operation, arguments: list[Any], xml: bool) -> Bounds:
    """A value is a text that the pattern matches; ``arguments``: cased, parts."""
    cased, parts = arguments
    if operation and operation[0] == "prefix":
        return any_of(_text(column, join((prefix, *parts)), cased=cased, xml=xml) for prefix in operation[1])
    if operation and operation[0] == "unquote":
        # An attribute of XML, which stands between one pair of quotes, of either kind, or without.
        found = any_of(_text(column, join((quote, *parts, quote)), cased=cased, xml=xml) for quote in ("", "'", '"'))
        if _is_quote(parts[:1]) or _is_quote(parts[-1:]):
            return between(FALSE, found.upper, "unquote", *found.reasons)
        return found
    return _as(operation, _text(column, parts, cased=cased, xml=xml))


def _is_quote(end: Sequence[Any]) -> bool:
    return any(isinstance(part, str) and (part[0] in "'\"" or part[-1] in "'\"") for part in end)


def _text(column: str, parts: Sequence[Any], *, cased: bool = False, xml: bool = False) -> Bounds:
    values = search_values(parts, cased, xml)
    return between(_any_equal(column, values.lower), _any_equal(column, values.upper), *values.reasons)


def _any_equal(column: str, values: Sequence[str]) -> Expression:
    return disjunction(Equals(column, value) for value in values)


def _as(operation: Operation, found: Bounds) -> Bounds:
    """What an operation that picks values leaves of a finding on all of them."""
    return between(FALSE, found.upper, operation[0], *found.reasons) if operation else found


def _of_changed(column: str, operation: Operation) -> Bounds | None:
    """What is known of values that an operation changes; None if it leaves them as they are."""
    changes = bool(operation) and operation[0] != "nth"
    return between(FALSE, present(column), operation[0]) if changes else None


def _number(column: str, operation: Operation, arguments: list[Any], xml: bool) -> Bounds:
    if changed := _of_changed(column, operation):
        return changed
    text = arguments[0]
    number = parse_number(text)
    written = Equals(column, text)
    # Windows writes integers in one way; elsewhere 5 may be written 5.0, which "=" does not find. Of several
    # values one may be above and another below.
    if xml and number is not None and str(number) == text and text.isdigit():
        return _as(operation, exactly(written))
    both = conjunction([Compared(column, ">=", text), Compared(column, "<=", text)])
    return _as(operation, between(written, both, "number"))


def _regex(column: str, _: Operation, arguments: list[Any], xml: bool) -> Bounds:
    flags, expression = arguments
    gate = sorted(gate_of_regex(flags, expression))
    if not gate or (ignores_case(flags, expression) and not all(map(str.isascii, gate))):
        return between(FALSE, present(column), "regex")
    found = any_of(_text(column, (ANY, literal, ANY), xml=xml) for literal in gate)
    return between(FALSE, found.upper, "regex")


def _network(column: str, operation: Operation, arguments: list[Any], _: bool) -> Bounds:
    if changed := _of_changed(column, operation):
        return changed
    network = arguments[0]
    if ":" in network:
        # IPv4 addresses can be members of an IPv6 network, and the other way round.
        return between(FALSE, present(column), "IPv6")
    inside = Equals(column, network)
    return _as(operation, between(inside, disjunction([inside, Equals(column, "*:*")]), "IPv6"))


def _present(reason: str) -> Callable[[str, Operation, list[Any], bool], Bounds]:
    return lambda column, operation, arguments, xml: between(FALSE, present(column), reason)


_OF_COLUMN: dict[str, Callable[[str, Operation, list[Any], bool], Bounds]] = {
    "str": text_in,
    "num": _number,
    "re": _regex,
    "cidr": _network,
    "cmp": _present("comparison"),
    "part": _present("part of a time"),
}
