"""A rule over events whose fields have certain names -> what a language says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic

from sigmaengine.modifiers import Test
from sigmaengine.rule import Item, Rule

from .language import Language, Said

#: A field of Sigma's -> its name in the target's events. Raises RefusedError.
Naming = Callable[[str], str]


def said(rule: Rule, language: Language[Said], naming: Naming) -> Said:
    """What a language says of a rule's condition. Raises RefusedError."""
    return _Walk(rule, language, naming).part(rule.condition)


class _Walk(Generic[Said]):
    def __init__(self, rule: Rule, language: Language[Said], naming: Naming) -> None:
        self.rule, self.language, self.naming = rule, language, naming

    def part(self, part: Any) -> Said:
        """An expression of the condition, or of an identifier; an item by its index."""
        if isinstance(part, int):
            return self._item(self.rule.items[part])
        operator, *operands = part
        if operator == "id":
            return self.part(self.rule.detections[operands[0]])
        if operator == "not":
            return self.language.negated(self.part(operands[0]))
        parts = [self.part(operand) for operand in operands]
        return self.language.all_of(parts) if operator == "and" else self.language.any_of(parts)

    def _item(self, item: Item) -> Said:
        if item.all:
            found = self.language.all_of([self._any(item.field, _alternatives([test])) for test in item.tests])
        else:
            found = self._any(item.field, _alternatives(item.tests))
        return self.language.negated(found) if item.neq else found

    def _any(self, field: str | None, tests: Sequence[Test]) -> Said:
        if field is None:
            return self.language.any_of([self.language.keyword(test) for test in tests])
        return self.language.any_value(self.naming(field), [self._named(test) for test in tests])

    def _named(self, test: Test) -> Test:
        """A test with the name that the field which it refers to has."""
        return [*test[:3], self.naming(test[3])] if test[0] == "ref" else test


def _alternatives(tests: Sequence[Test]) -> list[Test]:
    """What some tests stand for, one by one."""
    return [one for test in tests for one in (test[1:] if test[0] == "any" else [test])]
