"""Expressions over rules that have to occur in an order, as alternatives."""

from __future__ import annotations

from collections.abc import Sequence

from .condition import Expression

#: What "or" may multiply an expression to.
MAX_TERMS = 256


def ordered_terms(expression: Expression, order: Sequence[str]) -> list[tuple[list[str], list[str]]] | None:
    """An expression as alternatives: (rules that must occur in this order, rules that must not occur).

    None if there are more than MAX_TERMS. A rule under ``not`` must not occur at all.
    """
    place = {rule: position for position, rule in enumerate(order)}
    terms = _terms(expression, negated=False)
    if terms is None:
        return None
    return [(sorted(needed, key=place.__getitem__), sorted(refused)) for needed, refused in terms]


_Term = tuple[frozenset[str], frozenset[str]]


def _terms(expression: Expression, *, negated: bool) -> list[_Term] | None:
    operator, *operands = expression
    if operator == "id":
        one, none = frozenset(operands), frozenset[str]()
        return [(none, one) if negated else (one, none)]
    if operator == "not":
        return _terms(operands[0], negated=not negated)
    joined: list[_Term] = [(frozenset(), frozenset())] if (operator == "and") != negated else []
    for operand in operands:
        found = _terms(operand, negated=negated)
        if found is None:
            return None
        if (operator == "or") != negated:
            joined += found
        else:
            joined = [(a[0] | b[0], a[1] | b[1]) for a in joined for b in found]
        joined = list(dict.fromkeys(joined))
        if len(joined) > MAX_TERMS:
            return None
    return joined
