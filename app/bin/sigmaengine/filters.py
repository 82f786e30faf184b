"""Filters: documents that narrow rules without changing their files.

A filtered rule is an ordinary ``Rule`` whose condition is its own and the filter's: nothing that
reads rules knows of filters. A filter reaches a rule that it names (by id or name), or with ``any``
every rule, if everything that the filter's log source says the rule's says too.
Source: Sigma specification v2.1.0, "Filters".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .aggregation import EVENTS
from .condition import Expression
from .metadata import Metadata
from .placeholders import Placeholders
from .problems import Problem, Problems, RuleError, Where, kind_of, shown
from .rule import DetectionExpression, DetectionReader, Item, LogSource, Rule, read_logsource

ANY = "any"
#: What filters may add to all rules together, in tests: each rule holds its own copy.
MAX_ADDED = 2_000_000


class Filter(NamedTuple):
    """``rules``: ids and names as written, empty for any. The rest is as in a ``Rule``."""

    id: str
    title: str
    status: str
    author: str
    name: str
    rules: list[str]
    logsource: LogSource
    items: list[Item]
    detections: dict[str, DetectionExpression]
    condition: Expression


def read_filter(mapping: object, placeholders: Placeholders | None = None) -> tuple[Filter | None, list[Problem]]:
    """Read one filter document.

    Returns the filter, or None if an error was found, and everything that was found. Never raises on
    any content of ``mapping``.
    """
    problems = Problems()
    try:
        found = _read(mapping, problems, placeholders or {})
    except RuleError as error:
        problems.caught(error)
        found = None
    return (None if problems.fatal else found), problems.found


def _read(mapping: object, problems: Problems, placeholders: Placeholders) -> Filter:
    if not isinstance(mapping, Mapping):
        raise RuleError("filter", f"a filter is a mapping, this is {kind_of(mapping)}")
    content = mapping.get("filter")
    if not isinstance(content, Mapping):
        raise RuleError("filter", f"'filter' is a mapping, this is {kind_of(content)}", ("filter",))
    if "detection" in mapping:
        problems.error("filter", "a filter has no 'detection'; its identifiers stand in 'filter'", ("detection",))
    metadata = Metadata(mapping, problems, "filter", optional=("level", "status"))
    logsource = _logsource(mapping, problems)
    try:
        rules = _references(content)
    except RuleError as error:
        problems.caught(error)
        rules = []
    if not isinstance(content.get("condition", ""), str):
        message = f"a filter's condition is one text, not {kind_of(content['condition'])}"
        raise RuleError("condition-type", message, ("filter", "condition"))
    reader = DetectionReader(problems, placeholders)
    detections, condition = reader.read(content, ("filter",), ("condition", "rules"))
    if not (_negates(condition) or any(item.neq for item in reader.items)):
        message = "nothing in this condition is negated: the rules will match only what it selects; is a 'not' missing?"
        problems.warn("filter-without-not", message, ("filter", "condition"))
    return Filter(
        metadata.id,
        metadata.title,
        metadata.status,
        metadata.author,
        metadata.name,
        rules,
        logsource,
        reader.items,
        detections,
        condition,
    )


def _logsource(mapping: Mapping[Any, Any], problems: Problems) -> LogSource:
    if mapping.get("logsource") is None:
        message = "a filter needs a log source; it reaches the rules whose log source says all that this one says"
        raise RuleError("logsource-missing", message, ("logsource",))
    return read_logsource(mapping["logsource"], problems)


def _references(content: Mapping[Any, Any]) -> list[str]:
    where: Where = ("filter", "rules")
    if "rules" not in content:
        raise RuleError(
            "filter-rules", "'rules' is missing: the ids or names of rules in a list, or 'any'", ("filter",)
        )
    rules = content["rules"]
    if isinstance(rules, str):
        return [] if rules.strip().lower() == ANY else _checked([rules], where)
    if not isinstance(rules, list):
        raise RuleError("filter-rules", f"'rules' is a list of ids or names, or 'any', not {kind_of(rules)}", where)
    if not rules:
        raise RuleError("filter-rules", "an empty list names no rule; for every rule write 'any'", where)
    return _checked(rules, where)


def _checked(rules: list[Any], where: Where) -> list[str]:
    for index, rule in enumerate(rules):
        if not isinstance(rule, str) or not rule.strip():
            message = f"an id or a name of a rule is text, not {'empty' if isinstance(rule, str) else kind_of(rule)}"
            raise RuleError("filter-rules", message, (*where, index))
    return list(dict.fromkeys(rule.strip() for rule in rules))


def references(mapping: object) -> list[str]:
    """The rules that a filter document names, as far as it can be read: empty for any."""
    content = mapping.get("filter") if isinstance(mapping, Mapping) else None
    try:
        return _references(content) if isinstance(content, Mapping) else []
    except RuleError:
        return []


def _negates(expression: Expression) -> bool:
    operator, *operands = expression
    return operator == "not" or (operator != "id" and any(map(_negates, operands)))


# --- filters on rules ---------------------------------------------------------------------------


class RuleNames:
    """Rules by what documents call them: the id, without case, or the name."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._ids: dict[str, list[int]] = {}
        self._names: dict[str, list[int]] = {}
        for position, rule in enumerate(rules):
            for found, called in ((self._ids, rule.id.lower()), (self._names, rule.name)):
                # A document with an aggregation is known by the id and the name of what counts its events.
                for name in {called, called.removesuffix(EVENTS)}:
                    found.setdefault(name, []).append(position)

    def positions(self, reference: str) -> list[int]:
        """The positions of the rules that a reference, which is not empty, means; empty if there is none."""
        return self._ids.get(reference.lower()) or self._names.get(reference, [])


class Reach(NamedTuple):
    """``rules``: of each filter the positions of the rules that it changes; ``problems``: of each filter."""

    rules: list[list[int]]
    problems: list[list[Problem]]


def reach(rules: Sequence[Rule], filters: Sequence[Filter], others: Mapping[str, str] | None = None) -> Reach:
    """Which rules each filter reaches.

    ``others``: what is known of references that are no rule in use, in words (as "a correlation").
    """
    names = RuleNames(rules)
    found, told = [], []
    added = 0
    for one in filters:
        problems = Problems()
        positions = _named(one, rules, names, others or {}, problems) if one.rules else _fitting(one, rules, problems)
        added += len(positions) * sum(len(item.tests) for item in one.items)
        if added > MAX_ADDED:
            message = f"filters would add over {MAX_ADDED} values to the rules; this one changes none: narrow it"
            problems.error("filter-size", message, ("filter",))
            positions = []
        found.append(positions)
        told.append(problems.found)
    return Reach(found, told)


def _fitting(one: Filter, rules: Sequence[Rule], problems: Problems) -> list[int]:
    positions = [position for position, rule in enumerate(rules) if one.logsource.within(rule.logsource)]
    if not positions:
        problems.warn("filter-unused", f"no rule has a log source within {one.logsource}", ("logsource",))
    return positions


def _named(
    one: Filter, rules: Sequence[Rule], names: RuleNames, others: Mapping[str, str], problems: Problems
) -> list[int]:
    positions: dict[int, None] = {}
    for index, reference in enumerate(one.rules):
        where: Where = ("filter", "rules", index)
        meant = names.positions(reference)
        if not meant:
            what = others.get(reference) or others.get(reference.lower()) or "no rule that was read"
            if reference.lower() == "any":
                what += " (every rule is 'rules: any', without a list)"
            problems.warn("filter-rule-unknown", f"{shown(reference)} is {what}: nothing is filtered there", where)
        for position in meant:
            rule = rules[position]
            if one.logsource.within(rule.logsource):
                positions[position] = None
            else:
                message = (
                    f"{shown(reference)} is about {rule.logsource}, which does not say all that the filter's log"
                    f" source ({one.logsource}) says: it is not filtered"
                )
                problems.warn("filter-logsource", message, where)
    return sorted(positions)


def apply_filters(rules: Sequence[Rule], filters: Sequence[Filter]) -> tuple[list[Rule], list[list[Problem]]]:
    """The rules, in their order, with the filters that reach them; and what is wrong with each filter."""
    reached = reach(rules, filters)
    return filtered_rules(rules, filters, reached), reached.problems


def filtered_rules(rules: Sequence[Rule], filters: Sequence[Filter], reached: Reach) -> list[Rule]:
    """The rules, in their order, with the filters that reach them."""
    by_rule: list[list[Filter]] = [[] for _ in rules]
    for one, positions in zip(filters, reached.rules):
        for position in positions:
            by_rule[position].append(one)
    return [filtered(rule, several) if several else rule for rule, several in zip(rules, by_rule)]


def filtered(rule: Rule, filters: Sequence[Filter]) -> Rule:
    """The rule that matches what ``rule`` matches and all of the filters let through."""
    items, detections, conditions = list(rule.items), dict(rule.detections), [rule.condition]
    for one in filters:
        names = _unused_names(one, detections)
        shift = len(items)
        items += [item._replace(selection=names.get(item.selection, item.selection)) for item in one.items]
        detections.update((names[name], _shifted(expression, shift)) for name, expression in one.detections.items())
        conditions.append(_renamed(one.condition, names))
    return rule._replace(items=items, detections=detections, condition=["and", *conditions])


def _unused_names(one: Filter, taken: Mapping[str, DetectionExpression]) -> dict[str, str]:
    """The filter's identifiers -> what they are called among the rule's: the filter's title is in front."""
    number, prefix = 0, f"{one.title}/"
    while any(prefix + name in taken for name in one.detections):
        prefix = f"{one.title} ({one.id}{'' if not number else f' {number}'})/"
        number += 1
    return {name: prefix + name for name in one.detections}


def _shifted(expression: DetectionExpression, shift: int) -> DetectionExpression:
    if isinstance(expression, int):
        return expression + shift
    operator, *operands = expression
    return [operator, *(_shifted(operand, shift) for operand in operands)]


def _renamed(expression: Expression, names: Mapping[str, str]) -> Expression:
    operator, *operands = expression
    if operator == "id":
        return ["id", names[operands[0]]]
    return [operator, *(_renamed(operand, names) for operand in operands)]
