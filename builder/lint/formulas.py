"""Detections as formulas over *atoms*, and what can be proven about them.

An atom says that one of several tests passes for a value of a field. A formula is an ``Atom``, a
``Not`` of one, or a ``Many`` ("and", "or") of formulas: negations stand at the atoms alone. Nothing
is said that is not proven, and the number of comparisons is bounded: beyond it nothing is proven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from sigmaengine.condition import Expression
from sigmaengine.modifiers import Test
from sigmaengine.problems import Where

from .detections import Item, Node, Value
from .relations import Cover, excludes

#: Comparisons of atoms for one rule, and of tests for one pair of atoms.
_BUDGET = 100_000
_PAIR_BUDGET = 20_000


@dataclass(frozen=True, eq=False)
class Atom:
    """One of ``tests`` passes for a value of ``field`` (None: what keywords search)."""

    field: str | None
    tests: tuple[Test, ...]
    where: Where

    @cached_property
    def cover(self) -> Cover:
        """Its tests, to be searched."""
        return Cover((test, 0) for test in self.tests)

    @property
    def fields(self) -> frozenset[str | None]:
        """The fields that it speaks of."""
        return frozenset([self.field])


@dataclass(frozen=True, eq=False)
class Not:
    """The atom does not hold."""

    atom: Atom

    @property
    def fields(self) -> frozenset[str | None]:
        """The fields that it speaks of."""
        return self.atom.fields


@dataclass(frozen=True, eq=False)
class Many:
    """All of the formulas hold ("and"), or one does ("or")."""

    operator: str
    formulas: tuple[Formula, ...]

    @cached_property
    def fields(self) -> frozenset[str | None]:
        """The fields that it speaks of."""
        return frozenset(field for formula in self.formulas for field in formula.fields)


Formula = Atom | Not | Many
_TURNED = {"and": "or", "or": "and"}


class Clash(NamedTuple):
    """Two atoms because of which something cannot be.

    ``field`` is the one that would need several values, or None if those would not help.
    """

    first: Atom
    second: Atom
    field: str | None


# --- making them ----------------------------------------------------------------------------------


def negated(formula: Formula) -> Formula:
    """The formula that holds where ``formula`` does not."""
    if isinstance(formula, Atom):
        return Not(formula)
    if isinstance(formula, Not):
        return formula.atom
    return Many(_TURNED[formula.operator], tuple(map(negated, formula.formulas)))


def many(operator: str, formulas: Iterable[Formula]) -> Formula:
    """``formulas`` joined, those of the same operator taken apart."""
    flat: list[Formula] = []
    for formula in formulas:
        is_same = isinstance(formula, Many) and formula.operator == operator
        flat += formula.formulas if is_same and isinstance(formula, Many) else [formula]
    return flat[0] if len(flat) == 1 else Many(operator, tuple(flat))


def of_node(node: Node) -> Formula:
    """What an identifier, or a part of one, says."""
    if isinstance(node, Item):
        return of_item(node)
    return many(node.operator, map(of_node, node.nodes))


def of_item(item: Item) -> Formula:
    """What an item says."""
    if item.chain.all:
        said = many("and", [_atom(item, [value], value.where) for value in item.values])
    else:
        said = _atom(item, item.values, item.where)
    return negated(said) if item.chain.neq else said


def _atom(item: Item, values: Sequence[Value], where: Where) -> Formula:
    tests = tuple(test for value in values for test in value.tests) or (["null", "null"],)
    if tests[0][0] == "exists":
        absent = Atom(item.field, (["null", "exists"],), where)
        return Not(absent) if tests[0][1] else absent
    return Atom(item.field, tests, where)


def of_condition(expression: Expression, identifiers: Callable[[str], Formula]) -> Formula:
    """What a condition says. ``identifiers`` gives what each identifier does."""
    operator, *operands = expression
    if operator == "id":
        return identifiers(operands[0])
    if operator == "not":
        return negated(of_condition(operands[0], identifiers))
    return many(operator, [of_condition(operand, identifiers) for operand in operands])


# --- proving --------------------------------------------------------------------------------------


class Prover:
    """Answers about the formulas of one rule."""

    def __init__(self) -> None:
        self._left = _BUDGET
        self._implied: dict[tuple[int, int], bool] = {}
        self._clashes: dict[tuple[int, int], Clash | None] = {}
        # Formulas are known by their place in memory: none may go while the answers are kept.
        self._kept: list[Formula] = []

    def implies(self, one: Formula, other: Formula) -> bool:
        """True if ``other`` is known to hold wherever ``one`` does."""
        key = (id(one), id(other))
        if key not in self._implied:
            self._kept += [one, other]
            self._implied[key] = bool(one.fields & other.fields) and self._implies(one, other)
        return self._implied[key]

    def _implies(self, one: Formula, other: Formula) -> bool:
        if isinstance(one, Many) and one.operator == "or":
            return all(self.implies(part, other) for part in one.formulas)
        if isinstance(other, Many) and other.operator == "and":
            return all(self.implies(one, part) for part in other.formulas)
        # Now "and" is left of the one, "or" of the other.
        if isinstance(one, Many) and any(self.implies(part, other) for part in one.formulas):
            return True
        if isinstance(other, Many):
            return any(self.implies(one, part) for part in other.formulas)
        return not isinstance(one, Many) and self._literal_implies(one, other)

    def _literal_implies(self, one: Atom | Not, other: Atom | Not) -> bool:
        if isinstance(one, Not):
            return isinstance(other, Not) and self._atom_implies(other.atom, one.atom)
        if isinstance(other, Not):
            return self._exclusion_is_firm(one, other.atom)
        return self._atom_implies(one, other)

    def _exclusion_is_firm(self, one: Atom, other: Atom) -> bool:
        """True if no number of values lets both hold: that there is a value, say, where another item needs one."""
        clash = self._exclusion(one, other)
        return clash is not None and clash.field is None

    def _atom_implies(self, one: Atom, other: Atom) -> bool:
        if one.field != other.field or not self._may_go_on():
            return False
        return all(next(other.cover.of(test), None) is not None for test in one.tests)

    def clash(self, one: Formula, other: Formula) -> Clash | None:
        """Why two formulas cannot both hold, or None if it is not known that they cannot."""
        key = (id(one), id(other))
        if key not in self._clashes:
            self._kept += [one, other]
            self._clashes[key] = self._clash(one, other) if one.fields & other.fields else None
        return self._clashes[key]

    def _clash(self, one: Formula, other: Formula) -> Clash | None:
        for first, second in ((one, other), (other, one)):
            if isinstance(first, Many) and first.operator == "or":
                return _all_of(self.clash(part, second) for part in first.formulas)
        for first, second in ((one, other), (other, one)):
            if isinstance(first, Many):
                return _firmest(self.clash(part, second) for part in first.formulas)
        if isinstance(one, Atom) and isinstance(other, Atom):
            return self._exclusion(one, other)
        if isinstance(one, Not) and isinstance(other, Atom):
            one, other = other, one
        if isinstance(one, Atom) and isinstance(other, Not) and self._atom_implies(one, other.atom):
            return Clash(one, other.atom, None)
        return None

    def _exclusion(self, one: Atom, other: Atom) -> Clash | None:
        if one.field != other.field or one.field is None or len(one.tests) * len(other.tests) > _PAIR_BUDGET:
            return None
        if not self._may_go_on() or not all(excludes(mine, its) for mine in one.tests for its in other.tests):
            return None
        # No value and a value: several values do not help.
        absent = all(test[0] == "null" for test in one.tests) or all(test[0] == "null" for test in other.tests)
        return Clash(one, other, None if absent else one.field)

    def contradiction(self, formula: Formula) -> Clash | None:
        """Why a formula never holds, or None if it is not known that it does not."""
        if not isinstance(formula, Many):
            return None
        inside = [self.contradiction(part) for part in formula.formulas]
        if formula.operator == "or":
            return _all_of(inside)
        pairs = (
            self.clash(one, other)
            for index, one in enumerate(formula.formulas)
            for other in formula.formulas[index + 1 :]
        )
        return _firmest([*inside, *pairs])

    def _may_go_on(self) -> bool:
        self._left -= 1
        return self._left > 0


def _all_of(clashes: Iterable[Clash | None]) -> Clash | None:
    """A clash if all are some: the weakest."""
    found: Clash | None = None
    for clash in clashes:
        if clash is None:
            return None
        if found is None or found.field is None:
            found = clash
    return found


def _firmest(clashes: Iterable[Clash | None]) -> Clash | None:
    """The clash that is the surest."""
    found: Clash | None = None
    for clash in clashes:
        if clash is not None and (found is None or found.field is not None):
            found = clash
        if found is not None and found.field is None:
            break
    return found
