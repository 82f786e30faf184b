"""Whether a rule can match at all where some fields never have a value."""

from __future__ import annotations

from typing import Any

from .rule import Rule

#: (can be true, can be false)
_Possible = tuple[bool, bool]


def can_match(rule: Rule, missing: set[str]) -> bool:
    """Whether ``rule`` could match some event in which the fields ``missing`` have no value."""

    def item(index: int) -> _Possible:
        asked = rule.items[index]
        if asked.field is None or asked.field not in missing:
            return True, True
        answers = [test[0] == "null" or (test[0] == "exists" and not test[1]) for test in asked.tests]
        answer = (all(answers) if asked.all else any(answers)) != asked.neq
        return answer, not answer

    def detection(expression: Any) -> _Possible:
        if isinstance(expression, int):
            return item(expression)
        operator, *operands = expression
        return _combined(operator, [detection(operand) for operand in operands])

    def condition(expression: Any) -> _Possible:
        operator, *operands = expression
        if operator == "id":
            return detection(rule.detections[operands[0]])
        if operator == "not":
            can_be_true, can_be_false = condition(operands[0])
            return can_be_false, can_be_true
        return _combined(operator, [condition(operand) for operand in operands])

    return condition(rule.condition)[0]


def _combined(operator: str, answers: list[_Possible]) -> _Possible:
    can_be_true = [answer[0] for answer in answers]
    can_be_false = [answer[1] for answer in answers]
    if operator == "and":
        return all(can_be_true), any(can_be_false)
    return any(can_be_true), all(can_be_false)
