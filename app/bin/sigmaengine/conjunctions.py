"""A rule's condition -> conjunctions of literals, the form in which events are matched fast.

A *literal* is ``(field, tests)``: it holds if one of the tests passes for a value of the field. A
*conjunction* needs some literals to hold and others not to, and may be *blocked* by conjunctions
that must not hold. A rule matches if one of its conjunctions holds. ``not (A and B)`` becomes a
blocker rather than ``not A or not B``: a rule with ten such filters would otherwise have a thousand
conjunctions.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

from .modifiers import Test
from .rule import Item, Rule

#: A rule with more conjunctions is not worth its bits; see ``TooManyError``.
MAX_CONJUNCTIONS = 256


class Literal(NamedTuple):
    """``field`` is None for keywords. ``tests`` as JSON text, so that equal literals are equal."""

    field: str | None
    tests: tuple[str, ...]


class Conjunction(NamedTuple):
    """Holds if all of ``needed`` hold, none of ``refused`` does, and no blocker holds."""

    needed: frozenset[Literal] = frozenset()
    refused: frozenset[Literal] = frozenset()
    blockers: tuple[Conjunction, ...] = ()

    def joined(self, other: Conjunction) -> Conjunction:
        """Both."""
        return Conjunction(self.needed | other.needed, self.refused | other.refused, self.blockers + other.blockers)

    @property
    def impossible(self) -> bool:
        """A literal cannot hold and not hold."""
        return bool(self.needed & self.refused)


class TooManyError(Exception):
    """The rule has more than MAX_CONJUNCTIONS; it has to be evaluated plainly."""


def conjunctions_of(rule: Rule, dump: Any) -> list[Conjunction]:
    """The conjunctions of a rule. ``dump`` turns a test into text. Raises TooManyError.

    References to other fields are left out (they hold, as far as a conjunction can tell): a rule
    that has one must be evaluated plainly when a conjunction holds.
    """
    return _Converter(rule, dump).condition(rule.condition)


_ALWAYS = [Conjunction()]


class _Converter:
    def __init__(self, rule: Rule, dump: Any) -> None:
        self.rule, self.dump = rule, dump

    def condition(self, expression: Any) -> list[Conjunction]:
        operator, *operands = expression
        if operator == "id":
            return self.detection(self.rule.detections[operands[0]])
        if operator == "not":
            if self._undecided(operands[0]):
                return _ALWAYS
            return self.negated(self.condition(operands[0]))
        return self.combined(operator, [self.condition(operand) for operand in operands])

    def detection(self, expression: Any) -> list[Conjunction]:
        if isinstance(expression, int):
            return self.item(self.rule.items[expression])
        operator, *operands = expression
        return self.combined(operator, [self.detection(operand) for operand in operands])

    def item(self, item: Item) -> list[Conjunction]:
        if has_reference(item):
            return _ALWAYS
        groups = [_alternatives(test) for test in item.tests] if item.all else [item.tests]
        literals = (Literal(item.field, tuple(sorted(map(self.dump, group)))) for group in groups)
        needed = Conjunction(frozenset(literals))
        return self.negated([needed]) if item.neq else [needed]

    def _undecided(self, expression: Any) -> bool:
        """True if a reference stands in it: what is left out must not be negated."""
        operator, *operands = expression
        if operator == "id":
            return any(has_reference(self.rule.items[index]) for index in items_in(self.rule.detections[operands[0]]))
        return any(self._undecided(operand) for operand in operands)

    @staticmethod
    def combined(operator: str, operands: list[list[Conjunction]]) -> list[Conjunction]:
        if operator == "or":
            found = [conjunction for operand in operands for conjunction in operand]
            return _checked(list(dict.fromkeys(found)))
        found = [Conjunction()]
        for operand in operands:
            found = _checked([one.joined(other) for one, other in product(found, operand)])
        return list(dict.fromkeys(found))

    @staticmethod
    def negated(conjunctions: list[Conjunction]) -> list[Conjunction]:
        """One conjunction that holds where none of ``conjunctions`` does."""
        needed: list[Literal] = []
        refused: list[Literal] = []
        blockers: list[Conjunction] = []
        for conjunction in conjunctions:
            if not conjunction.blockers and len(conjunction.needed) + len(conjunction.refused) == 1:
                needed += conjunction.refused
                refused += conjunction.needed
            else:
                blockers.append(conjunction)
        return [Conjunction(frozenset(needed), frozenset(refused), tuple(blockers))]


def _alternatives(test: Test) -> list[Test]:
    return test[1:] if test[0] == "any" else [test]


def _checked(conjunctions: list[Conjunction]) -> list[Conjunction]:
    possible = [conjunction for conjunction in conjunctions if not conjunction.impossible]
    if len(possible) > MAX_CONJUNCTIONS:
        raise TooManyError
    return possible


def has_reference(item: Item) -> bool:
    """True if the item compares with another field."""
    return any(test[0] == "ref" for test in item.tests)


def needs_recheck(rule: Rule) -> bool:
    """True if conjunctions do not say all of the rule."""
    return any(map(has_reference, rule.items))


def items_in(expression: Any) -> list[int]:
    """The indexes of the items in a detection's expression."""
    if isinstance(expression, int):
        return [expression]
    return [index for operand in expression[1:] for index in items_in(operand)]
