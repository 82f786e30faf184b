"""Eval expressions as ``where`` takes them: NOT before AND before OR; NULL where a field has no value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .comparing import ORDER
from .functions import FUNCTIONS, Argument, Value, equal, like, single
from .text import QUOTED, Event, SplError, Test, UnsettledError, number, unescape, values
from .unsettled import agreed

_TOKEN = re.compile(
    rf"\s*(?:(?P<string>{QUOTED})|'(?P<field>[^']+)'|(?P<number>-?[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>==|!=|<=|>=|=|<|>|\(|\)|,))",
    re.DOTALL,
)
_RESERVED = ("AND", "OR", "NOT", "XOR", "LIKE", "IN")
_COMPARISONS = ("=", "==", "!=", *ORDER)

Token = tuple[str, str]


def compile_where(text: str) -> Test:
    """The test of ``where text``: events for which the expression is true. Raises SplError."""
    parser = _Parser(text)
    expression = parser.disjunction()
    if parser.place < len(parser.tokens):
        raise SplError(f"{parser.tokens[parser.place][1]!r} is too much in {text[:200]!r}")

    def test(event: Event) -> bool:
        found = expression.evaluate(event)
        if found is not None and not isinstance(found, bool):
            raise SplError(f"where {text[:200]!r} is no Boolean expression")
        return found is True

    return test


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    text, place = text.rstrip(), 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise SplError(f"not in the subset of eval: {text[place:].strip()[:60]!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.place = text, _tokens(text), 0

    def peek(self, kind: str, *texts: str) -> bool:
        if self.place == len(self.tokens):
            return False
        found, text = self.tokens[self.place]
        # Splunk takes its operators in either case; ours are written in capitals.
        return found == kind and text in texts

    def take(self) -> Token:
        if self.place == len(self.tokens):
            raise SplError(f"the expression ends too early: {self.text[:200]!r}")
        self.place += 1
        return self.tokens[self.place - 1]

    def expect(self, sign: str) -> None:
        if not self.peek("sign", sign):
            raise SplError(f"{sign} is missing in {self.text[:200]!r}")
        self.take()

    def disjunction(self) -> Argument:
        parts = [self.conjunction()]
        while self.peek("name", "OR"):
            self.take()
            parts.append(self.conjunction())
        return Argument(lambda event: _any(parts, event)) if len(parts) > 1 else parts[0]

    def conjunction(self) -> Argument:
        parts = [self.negation()]
        while self.peek("name", "AND"):
            self.take()
            parts.append(self.negation())
        return Argument(lambda event: _all(parts, event)) if len(parts) > 1 else parts[0]

    def negation(self) -> Argument:
        if self.peek("name", "NOT"):
            self.take()
            part = self.negation()
            return Argument(lambda event: _negated(part, event))
        return self.comparison()

    def comparison(self) -> Argument:
        left = self.operand()
        if self.peek("sign", *_COMPARISONS):
            sign, right = self.take()[1], self.operand()
            return Argument(lambda event: _compared(sign, left.evaluate(event), right.evaluate(event)))
        if self.peek("name", "LIKE"):
            self.take()
            return Argument(like([left, self.operand()]))
        if self.peek("name", "IN"):
            self.take()
            return Argument(FUNCTIONS["in"].make([left, *self.arguments()]))
        return left

    def operand(self) -> Argument:
        kind, text = self.take()
        if kind == "string":
            literal = unescape(text[1:-1])
            return Argument(lambda event: literal, literal)
        if kind == "number":
            amount = float(text)
            return Argument(lambda event: amount)
        if kind == "sign":
            if text != "(":
                raise SplError(f"{text} where a value is due in {self.text[:200]!r}")
            inside = self.disjunction()
            self.expect(")")
            return inside
        if kind == "name" and text in _RESERVED:
            raise SplError(f"{text} where a value is due in {self.text[:200]!r}")
        if kind == "name" and self.peek("sign", "("):
            return self.call(text)
        return Argument(lambda event: _field(event, text))

    def call(self, name: str) -> Argument:
        arguments = self.arguments()
        function = FUNCTIONS.get(name)
        if function is None:
            raise SplError(f"the function {name}() is not in the subset")
        if not function.least <= len(arguments) <= function.most:
            raise SplError(f"{name}() with {len(arguments)} arguments in {self.text[:200]!r}")
        return Argument(function.make(arguments))

    def arguments(self) -> list[Argument]:
        self.expect("(")
        found: list[Argument] = []
        while not self.peek("sign", ")"):
            if found:
                self.expect(",")
            found.append(self.disjunction())
        self.expect(")")
        return found


def _field(event: Event, name: str) -> Value:
    found = values(event, name)
    return tuple(found) if len(found) > 1 else found[0] if found else None


def _truth(part: Argument, event: Event) -> bool | None:
    found = part.evaluate(event)
    if found is not None and not isinstance(found, bool):
        raise SplError(f"AND, OR and NOT take what is true or false, this is {found!r}")
    return found


def _any(parts: list[Argument], event: Event) -> bool | None:
    answers = set()
    for part in parts:
        answer = _truth(part, event)
        if answer:
            return True
        answers.add(answer)
    return None if None in answers else False


def _all(parts: list[Argument], event: Event) -> bool | None:
    answers = set()
    for part in parts:
        answer = _truth(part, event)
        if answer is False:
            return False
        answers.add(answer)
    return None if None in answers else True


def _negated(part: Argument, event: Event) -> bool:
    found = _truth(part, event)
    if found is None:
        raise UnsettledError("where NOT of what is NULL, as a comparison with a field that has no value is")
    return not found


def _compared(sign: str, left: Any, right: Any) -> bool | None:
    left, right = single(left, sign), single(right, sign)
    if left is None or right is None:
        return None
    if sign in ("=", "=="):
        return equal(left, right)
    if sign == "!=":
        return not equal(left, right)
    return _order(ORDER[sign], sign, left, right)


def _order(compare: Callable[[Any, Any], bool], sign: str, left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        raise SplError(f"{sign} on what is true or false")
    numbers = [one if isinstance(one, float) else number(one) for one in (left, right)]
    readings = [] if None in numbers else [compare(*numbers)]
    if isinstance(left, str) and isinstance(right, str):
        readings.append(compare(left.encode(), right.encode()))
    if not readings:
        raise UnsettledError(f"{left!r}{sign}{right!r}: a number and a text")
    return agreed(readings, f"{left!r}{sign}{right!r} of texts that are numbers")
