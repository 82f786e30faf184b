"""A rule's condition -> conjunctions of literals, the form in which events are matched fast.

A *literal* is ``(field, tests)``: it holds if one of the tests passes for a value of the field. A
*conjunction* needs some literals to hold and others not to, and may be *blocked* by conjunctions
that must not hold. A rule matches if one of its conjunctions holds. ``not (A and B)`` becomes a
blocker rather than ``not A or not B``: a rule with ten such filters would otherwise have a thousand
conjunctions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple, Union

from .modifiers import Test
from .rule import Item, Rule

#: A rule with more conjunctions is not worth its bits; see ``TooManyError``.
MAX_CONJUNCTIONS = 256


class Reference(NamedTuple):
    """Two fields whose values are compared with each other."""

    field: str
    other: str


#: What a literal looks at: a field, two of them, or (None) what keywords search.
Subject = Union[str, Reference, None]


class Literal(NamedTuple):
    """``tests`` as JSON text, so that equal literals are equal."""

    subject: Subject
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
    """The conjunctions of a rule. ``dump`` turns a test into text. Raises TooManyError."""
    return _Converter(rule, dump).condition(rule.condition)


class _Converter:
    def __init__(self, rule: Rule, dump: Any) -> None:
        self.rule, self.dump = rule, dump

    def condition(self, expression: Any) -> list[Conjunction]:
        operator, *operands = expression
        if operator == "id":
            return self.detection(self.rule.detections[operands[0]])
        if operator == "not":
            return self.negated(self.condition(operands[0]))
        return self.combined(operator, [self.condition(operand) for operand in operands])

    def detection(self, expression: Any) -> list[Conjunction]:
        if isinstance(expression, int):
            return self.item(self.rule.items[expression])
        operator, *operands = expression
        return self.combined(operator, [self.detection(operand) for operand in operands])

    def item(self, item: Item) -> list[Conjunction]:
        groups = [_alternatives(test) for test in item.tests] if item.all else [item.tests]
        needed = self.combined("and", [self._any(item, group) for group in groups])
        return self.negated(needed) if item.neq else needed

    def _any(self, item: Item, tests: Sequence[Test]) -> list[Conjunction]:
        """That one of the tests passes."""
        by_subject: dict[Subject, set[str]] = {}
        for test in tests:
            subject = Reference(item.field or "", test[3]) if test[0] == "ref" else item.field
            by_subject.setdefault(subject, set()).add(self.dump(test))
        literals = [Literal(subject, tuple(sorted(texts))) for subject, texts in by_subject.items()]
        return [Conjunction(frozenset([literal])) for literal in literals]

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
