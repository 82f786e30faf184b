"""Checks of what a rule says as a whole: what can never be, what says nothing new."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

from sigmaengine.condition import Expression
from sigmaengine.problems import Problem, Where, shown

from .detections import Detection, Group, Item, Node
from .formulas import Clash, Formula, Prover, negated, of_condition, of_node
from .subject import Subject, warning

#: More nodes beside each other than this are not compared with one another.
_MAX_SIBLINGS = 200


def check_logic(subject: Subject) -> Iterator[Problem]:
    """Selections, filters and rules that can never match, or always do; what makes something else redundant."""
    if subject.detection is not None:
        yield from _Logic(subject.detection).problems()


class _Logic:
    def __init__(self, detection: Detection) -> None:
        self.detection = detection
        self.prover = Prover()
        self.formulas = {name: of_node(node) for name, node in detection.identifiers.items()}
        self.dead: set[str] = set()

    def problems(self) -> Iterator[Problem]:
        for name, node in self.detection.identifiers.items():
            yield from self._contradictions(name, node)
        if not self.dead:
            yield from self._whole()
        yield from self._condition(_normal(self.detection.condition))
        for node in self.detection.identifiers.values():
            yield from self._redundant_nodes(node)

    # --- what can never be, or always is ---

    def _contradictions(self, name: str, node: Node) -> Iterator[Problem]:
        clash = self.prover.contradiction(self.formulas[name])
        if clash:
            self.dead.add(name)
            yield warning(
                "selection-never-matches", f"{shown(name)} can never hold: {_because(clash)}", clash.second.where
            )
            return
        for part in node.nodes if isinstance(node, Group) and node.operator == "or" else ():
            clash = self.prover.contradiction(of_node(part))
            if clash:
                message = f"this alternative of {shown(name)} can never hold: {_because(clash)}"
                yield warning("selection-never-matches", message, clash.second.where)

    def _whole(self) -> Iterator[Problem]:
        where = self.detection.where
        formula = of_condition(self.detection.condition, self.formulas.__getitem__)
        clash = self.prover.contradiction(formula)
        if clash:
            yield warning("rule-never-matches", f"the condition can never hold: {_because(clash)}", where)
        clash = self.prover.contradiction(negated(formula))
        if clash and clash.field is None:
            said = " and ".join(sorted({_named(clash.first.where), _named(clash.second.where)}))
            yield warning("rule-always-matches", f"the condition holds for every event: see {said}", where)

    # --- identifiers beside each other in the condition ---

    def _condition(self, expression: Any) -> Iterator[Problem]:
        operator, *operands = expression
        if operator not in ("and", "or"):
            return
        for operand in operands:
            yield from self._condition(operand)
        if len(operands) <= _MAX_SIBLINGS:
            yield from self._siblings(operator, operands)

    def _siblings(self, operator: str, operands: list[Any]) -> Iterator[Problem]:
        """Of "a and b", where a implies b, b says nothing new; of "a or b" it is a."""
        said: set[str] = set()
        formulas = [(operand, self._formula(operand)) for operand in operands]
        for (one, first), (other, second) in permutations(formulas, 2):
            loser, winner = (other, one) if operator == "and" else (one, other)
            (name, is_filter), (beside, _) = _name(loser), _name(winner)
            if not name or name == beside or {name, beside} & (said | self.dead):
                continue
            if _is_negated(one) == _is_negated(other):
                is_later = operands.index(loser) > operands.index(winner)
                if self.prover.implies(first, second) and (is_later or not self.prover.implies(second, first)):
                    said.add(name)
                    yield _redundant_identifier(name, is_filter, operator, beside)
            elif operator == "and" and is_filter:
                clash = self.prover.clash(first, self.formulas[name])
                if clash:
                    said.add(name)
                    yield warning(
                        "filter-never-applies", f"{shown(name)} can never apply: {_because(clash)}", ("detection", name)
                    )

    def _formula(self, expression: Expression) -> Formula:
        return of_condition(expression, self.formulas.__getitem__)

    # --- items and alternatives beside each other in an identifier ---

    def _redundant_nodes(self, node: Node) -> Iterator[Problem]:
        if isinstance(node, Item):
            return
        for part in node.nodes:
            yield from self._redundant_nodes(part)
        if len(node.nodes) > _MAX_SIBLINGS:
            return
        formulas = [(index, of_node(part)) for index, part in enumerate(node.nodes)]
        useless: set[int] = set()
        for (index, one), (second, other) in permutations(formulas, 2):
            loser, winner = (second, index) if node.operator == "and" else (index, second)
            if {loser, winner} & useless or not self.prover.implies(one, other):
                continue
            if loser < winner and self.prover.implies(other, one):
                continue  # the same twice: the later one is told of
            useless.add(loser)
            yield _redundant_node(node.operator, node.nodes[loser], node.nodes[winner])


def _redundant_identifier(name: str, is_filter: bool, operator: str, beside: str) -> Problem:
    other = shown(beside) if beside else "the rest of the condition"
    because = {
        (False, "and"): f"holds wherever {other} does, and both are needed",
        (True, "and"): f"applies to nothing that {other} does not apply to already",
        (False, "or"): f"holds nowhere where {other} does not, and one of them is enough",
        (True, "or"): f"excludes everything that {other} excludes, and one of them is enough",
    }[is_filter, operator]
    return warning("identifier-redundant", f"{shown(name)} says nothing new: it {because}", ("detection", name))


def _redundant_node(operator: str, loser: Node, winner: Node) -> Problem:
    if operator == "and":
        message = f"{_named(loser.where)} says nothing new: it holds wherever {_named(winner.where)} does"
    else:
        message = (
            f"this alternative says nothing new: whatever it matches is matched by alternative {_number(winner)} too"
        )
    return warning("item-redundant", message, loser.where)


def _number(node: Node) -> int:
    """An alternative's number as people count."""
    steps = [step for step in node.where if isinstance(step, int)]
    return steps[0] + 1 if steps else 1


def _because(clash: Clash) -> str:
    first, second = _named(clash.first.where), _named(clash.second.where)
    pair = f"{first} and {second}" if first != second else f"two values of {first}"
    if clash.field is None:
        return f"see {pair}"
    return f"no value of '{clash.field}' satisfies both {pair} (several values at once might)"


def _named(where: Where) -> str:
    """A place in a detection, for people: ``'selection: Image|endswith'``."""
    steps = [str(step) for step in where[1:] if not isinstance(step, int)]
    return shown(": ".join(steps))


# --- the condition, negations at the identifiers ----------------------------------------------------


def _normal(expression: Expression, *, positive: bool = True) -> Any:
    """The condition with its negations at the identifiers, operands of one operator side by side."""
    operator, *operands = expression
    if operator == "id":
        return expression if positive else ["not", expression]
    if operator == "not":
        return _normal(operands[0], positive=not positive)
    if not positive:
        operator = "or" if operator == "and" else "and"
    flat: list[Any] = []
    for operand in operands:
        one = _normal(operand, positive=positive)
        flat += one[1:] if one[0] == operator else [one]
    return [operator, *flat]


def _name(expression: Any) -> tuple[str, bool]:
    """The identifier of an operand that is one, and whether it is negated."""
    if expression[0] == "id":
        return expression[1], False
    return (expression[1][1], True) if expression[0] == "not" else ("", False)


def _is_negated(expression: Any) -> bool:
    return bool(expression[0] == "not")
