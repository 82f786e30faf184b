"""The plain evaluator: a rule and an event -> does it match, and why.

As simple as the specification allows, and slow. Every faster way of matching is tested against it.
"""

from __future__ import annotations

import re
from typing import Any, Callable, NamedTuple

from .fields import Values
from .modifiers import Test
from .predicates import ValueTest, compile_reference, compile_test
from .rule import DetectionExpression, Item, Rule

#: Gives the values of a Sigma field in the event at hand.
Lookup = Callable[[str], Values]


class Evidence(NamedTuple):
    """Why a positive item holds: a value of the event and the test it passed.

    ``other``: of a reference the value of the other field.
    """

    item: Item
    value: str
    test: Test
    other: str = ""


class PlainRule:
    """A rule ready to be evaluated."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.tests: list[list[tuple[Test, ValueTest]]] = [
            [(test, _PRESENCE.get(test[0]) or _runnable(test)) for test in item.tests if test[0] != "ref"]
            for item in rule.items
        ]

    def matches(self, values: Lookup, texts: Callable[[], Values]) -> bool:
        """Whether the event that ``values`` and ``texts`` (what keywords search) show matches."""
        event = _Answers(self, values, texts)
        return event.condition(self.rule.condition)

    def evidence(self, values: Lookup, texts: Callable[[], Values]) -> list[Evidence]:
        """For a matching event: the positive items that made it match, one value each."""
        event = _Answers(self, values, texts)
        return event.evidence(self.rule.condition)


def _runnable(test: Test) -> ValueTest:
    try:
        return compile_test(test)
    except (re.error, ValueError, OverflowError, RecursionError):
        return lambda _: False  # the matcher, which tells of it, leaves the rule out


def _always(_: str) -> bool:
    return True


_PRESENCE: dict[str, ValueTest] = {"null": _always, "exists": _always}


class _Answers:
    """The answers about one event; each item is asked once."""

    def __init__(self, rule: PlainRule, values: Lookup, texts: Callable[[], Values]) -> None:
        self.rule, self.values, self.texts = rule, values, texts
        self.known: dict[int, bool] = {}

    def condition(self, expression: Any) -> bool:
        operator, *operands = expression
        if operator == "id":
            return self.detection(self.rule.rule.detections[operands[0]])
        if operator == "not":
            return not self.condition(operands[0])
        return _QUANTIFIERS[operator](self.condition(operand) for operand in operands)

    def detection(self, expression: DetectionExpression) -> bool:
        if isinstance(expression, int):
            if expression not in self.known:
                self.known[expression] = self.item(expression)
            return self.known[expression]
        operator, *operands = expression
        return _QUANTIFIERS[operator](self.detection(operand) for operand in operands)

    def item(self, index: int) -> bool:
        item = self.rule.rule.items[index]
        values = self.texts() if item.field is None else self.values(item.field)
        answers = [self.test(test, matches, values) for test, matches in self.rule.tests[index]]
        answers += [self.reference(test, values) for test in item.tests if test[0] == "ref"]
        return (all(answers) if item.all else any(answers)) != item.neq

    @staticmethod
    def test(test: Test, matches: ValueTest, values: Values) -> bool:
        if test[0] == "null":
            return not values
        if test[0] == "exists":
            wanted: bool = test[1]
            return bool(values) == wanted
        return any(matches(value) for value in values)

    def reference(self, test: Test, values: Values) -> bool:
        return self.pair(test, values) is not None

    def pair(self, test: Test, values: Values) -> tuple[str, str] | None:
        """The first value, and of the other field's the first, that have to do with each other as a reference says."""
        passes = compile_reference(test)
        pairs = ((value, theirs) for value in values for theirs in self.values(test[3]))
        return next((pair for pair in pairs if passes(*pair)), None)

    # Evidence: what is said by operands that hold, under no negation.

    def evidence(self, expression: Any) -> list[Evidence]:
        operator, *operands = expression
        if operator == "id":
            return self.detection_evidence(self.rule.rule.detections[operands[0]])
        if operator == "not" or not self.condition(expression):
            return []
        return [found for operand in operands for found in self.evidence(operand)]

    def detection_evidence(self, expression: DetectionExpression) -> list[Evidence]:
        if not self.detection(expression):
            return []
        if isinstance(expression, int):
            return self.item_evidence(expression)
        return [found for operand in expression[1:] for found in self.detection_evidence(operand)]

    def item_evidence(self, index: int) -> list[Evidence]:
        item = self.rule.rule.items[index]
        if item.neq:
            return []
        values = self.texts() if item.field is None else self.values(item.field)
        found = []
        for test, matches in self.rule.tests[index]:
            if self.test(test, matches, values):
                value = next((value for value in values if matches(value)), "")
                found.append(Evidence(item, value, test))
        for test in item.tests:
            pair = self.pair(test, values) if test[0] == "ref" else None
            if pair is not None:
                found.append(Evidence(item, pair[0], test, pair[1]))
        return found if item.all else found[:1]


_QUANTIFIERS: dict[str, Callable[..., bool]] = {"and": all, "or": any}
