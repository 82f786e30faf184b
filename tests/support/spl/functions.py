"""The functions of eval that are in the subset."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .comparing import network, within
from .regexes import compile_regex
from .text import Event, SplError, UnsettledError, number
from .unsettled import agreed

#: NULL, true or false, a number, a text, or the texts of a multivalue field.
Value = Any
Evaluate = Callable[[Event], Value]


class Argument(NamedTuple):
    """A compiled expression; ``literal``: its text, where it is one between quotation marks."""

    evaluate: Evaluate
    literal: str | None = None


class Function(NamedTuple):
    """How many arguments it takes, and what makes an expression of them."""

    least: int
    most: int
    make: Callable[[list[Argument]], Evaluate]


def single(value: Value, what: str) -> Value:
    """A value that is not multivalue. Raises UnsettledError: only functions for them say what they do with several."""
    if isinstance(value, tuple):
        raise UnsettledError(f"{what} on the values {value!r} of a multivalue field")
    return value


def equal(left: Value, right: Value) -> bool:
    """``=`` of eval: texts by case; a number and a text that is one by their number."""
    if isinstance(left, str) and isinstance(right, str):
        numbers = number(left), number(right)
        if None in numbers:
            return left == right
        return agreed([left == right, numbers[0] == numbers[1]], f"{left!r}={right!r} of texts that are numbers")
    if isinstance(left, float) and isinstance(right, str):
        return left == number(right)
    if isinstance(left, str) and isinstance(right, float):
        return equal(right, left)
    return bool(left == right)


def _literal(argument: Argument, function: str) -> str:
    if argument.literal is None:
        raise SplError(f"{function}() takes an expression between quotation marks here")
    return argument.literal


def _on_text(argument: Argument, what: str, test: Callable[[str], Value]) -> Evaluate:
    """A function of one text; NULL for NULL."""

    def evaluate(event: Event) -> Value:
        value = single(argument.evaluate(event), what)
        return None if value is None else test(_text(value, what))

    return evaluate


def _text(value: Value, what: str) -> str:
    if not isinstance(value, str):
        raise SplError(f"{what} takes a text, this is {value!r}")
    return value


def _isnull(arguments: list[Argument]) -> Evaluate:
    return lambda event: arguments[0].evaluate(event) is None


def _isnotnull(arguments: list[Argument]) -> Evaluate:
    return lambda event: arguments[0].evaluate(event) is not None


def _mvfind(arguments: list[Argument]) -> Evaluate:
    """The place of the first value in which the expression is found, or NULL."""
    search = compile_regex(_literal(arguments[1], "mvfind")).search

    def evaluate(event: Event) -> Value:
        found = arguments[0].evaluate(event)
        texts = found if isinstance(found, tuple) else () if found is None else (_text(found, "mvfind()"),)
        return next((float(place) for place, text in enumerate(texts) if search(text)), None)

    return evaluate


def _match(arguments: list[Argument]) -> Evaluate:
    search = compile_regex(_literal(arguments[1], "match")).search
    return _on_text(arguments[0], "match()", lambda text: search(text) is not None)


def like(arguments: list[Argument]) -> Evaluate:
    """``%`` is any text, ``_`` any sign; by case."""
    pattern = _literal(arguments[1], "like")
    if "\\" in pattern:
        raise UnsettledError(f"like() with a backslash in {pattern!r}")
    signs = {"%": ".*", "_": "."}
    expression = re.compile("".join(signs.get(sign, re.escape(sign)) for sign in pattern), re.DOTALL)
    return _on_text(arguments[0], "like()", lambda text: expression.fullmatch(text) is not None)


def _lower(arguments: list[Argument]) -> Evaluate:
    return _on_text(arguments[0], "lower()", str.lower)


def _cidrmatch(arguments: list[Argument]) -> Evaluate:
    text = _literal(arguments[0], "cidrmatch")
    addresses = network(text)
    if addresses is None:
        raise SplError(f"cidrmatch(): {text!r} is no network")
    return _on_text(arguments[1], "cidrmatch()", lambda value: within(value, addresses))


def _tonumber(arguments: list[Argument]) -> Evaluate:
    return _on_text(arguments[0], "tonumber()", number)


def _in(arguments: list[Argument]) -> Evaluate:
    first, *others = arguments

    def evaluate(event: Event) -> Value:
        value = single(first.evaluate(event), "in()")
        if value is None:
            return None
        return any(equal(value, other.evaluate(event)) for other in others)

    return evaluate


def _coalesce(arguments: list[Argument]) -> Evaluate:
    def evaluate(event: Event) -> Value:
        found = (argument.evaluate(event) for argument in arguments)
        return next((value for value in found if value is not None), None)

    return evaluate


_MANY = 10_000

FUNCTIONS = {
    "isnull": Function(1, 1, _isnull),
    "isnotnull": Function(1, 1, _isnotnull),
    "mvfind": Function(2, 2, _mvfind),
    "match": Function(2, 2, _match),
    "like": Function(2, 2, like),
    "lower": Function(1, 1, _lower),
    "cidrmatch": Function(2, 2, _cidrmatch),
    "tonumber": Function(1, 1, _tonumber),
    "in": Function(2, _MANY, _in),
    "coalesce": Function(1, _MANY, _coalesce),
    "true": Function(0, 0, lambda arguments: lambda event: True),
    "false": Function(0, 0, lambda arguments: lambda event: False),
}
