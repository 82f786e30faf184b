"""The event codes without which a rule cannot match, which narrow what a search reads."""

from __future__ import annotations

from typing import Any

from sigmaengine.rule import Item, Rule

_CODE_FIELDS = ("EventID", "EventCode")


def event_codes(rule: Rule) -> frozenset[str] | None:
    """The Windows event codes one of which an event must have; None if any will do."""
    return _condition(rule, rule.condition)


def _condition(rule: Rule, expression: Any) -> frozenset[str] | None:
    operator, *operands = expression
    if operator == "id":
        return _detection(rule, rule.detections[operands[0]])
    if operator == "not":
        return None
    return _COMBINED[operator]([_condition(rule, operand) for operand in operands])


def _detection(rule: Rule, expression: Any) -> frozenset[str] | None:
    if isinstance(expression, int):
        return _item(rule.items[expression])
    operator, *operands = expression
    return _COMBINED[operator]([_detection(rule, operand) for operand in operands])


def _item(item: Item) -> frozenset[str] | None:
    if item.field not in _CODE_FIELDS or item.neq or item.all:
        return None
    codes = [_code(test) for test in item.tests]
    return None if None in codes else frozenset(code for code in codes if code is not None)


def _code(test: list[Any]) -> str | None:
    if test[0] == "num" and test[1].isdigit():
        return str(test[1])
    if test[0] == "str" and len(test[2]) == 1 and isinstance(test[2][0], str) and test[2][0].isdigit():
        return test[2][0]
    return None


def _all(parts: list[frozenset[str] | None]) -> frozenset[str] | None:
    known = [part for part in parts if part is not None]
    return frozenset.intersection(*known) if known else None


def _any(parts: list[frozenset[str] | None]) -> frozenset[str] | None:
    known = [part for part in parts if part is not None]
    return frozenset().union(*known) if len(known) == len(parts) else None


_COMBINED = {"and": _all, "or": _any}
