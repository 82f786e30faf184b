"""What correlations refer to: rules and other correlations, by id or name.

A correlation may list other correlations: each alert of such an inner one is an event for the outer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from .condition import Expression
from .correlation import Correlation
from .problems import Problem, Problems, Where, has_errors, shown


class Named(Protocol):
    """A rule or a correlation as references know it."""

    @property
    def id(self) -> str:
        """Its id, which is unique in any case of letters."""

    @property
    def name(self) -> str:
        """Its name, or nothing."""


def resolve(
    correlations: Sequence[Correlation], rules: Iterable[Named], others: Mapping[str, str] | None = None
) -> tuple[list[Correlation], list[list[Problem]]]:
    """Turn references into ids.

    ``others``: ids and names of what cannot be referred to -> what they mean, in words. Returns the
    correlations that can be used, inner ones before those that list them, and what was found in each of
    ``correlations``, by position.
    """
    names = _Names([*rules, *correlations], others or {})
    found = [Problems() for _ in correlations]
    resolved = [_resolved(one, names, problems) for one, problems in zip(correlations, found)]
    by_id = {one.id.lower(): position for position, one in enumerate(resolved)}
    inner = [[by_id[rule.lower()] for rule in one.rules if rule.lower() in by_id] for one in resolved]
    order = _in_order(inner)
    for position in range(len(resolved)):
        if position not in order:
            endless = [[at for at in listed if at not in order] for listed in inner]
            _tell_cycle(position, endless, resolved, found[position])
    usable = []
    for position in order:
        one, problems = resolved[position], found[position]
        for at in inner[position]:
            if has_errors(found[at].found):
                message = f"the correlation {shown(resolved[at].title)}, which it lists, cannot be used; mend it first"
                problems.error("correlation-reference", message, _place(correlations[position], one, resolved[at].id))
        if not has_errors(problems.found):
            usable.append(one)
    return usable, [problems.found for problems in found]


class _Names:
    """Who is meant by an id (in any case) or a name."""

    def __init__(self, known: Sequence[Named], others: Mapping[str, str]) -> None:
        self._others = others
        self.by_id = {one.id.lower(): one.id for one in known}
        self.by_name: dict[str, list[str]] = {}
        for one in known:
            if one.name:
                self.by_name.setdefault(one.name, []).append(one.id)

    def ids(self, reference: str) -> list[str]:
        """Everything that has this id, or else this name."""
        by_id = self.by_id.get(reference.lower())
        return [by_id] if by_id is not None else self.by_name.get(reference, [])

    def why_none(self, reference: str) -> str:
        """What is wrong with a reference to nothing."""
        other = self._others.get(reference) or self._others.get(reference.lower())
        if other:
            return f"{shown(reference)} is {other}"
        return (
            f"no rule or correlation in use has the id or the name {shown(reference)};"
            " correct it, or read the file that it is in too"
        )


def _resolved(correlation: Correlation, names: _Names, problems: Problems) -> Correlation:
    ids = {}
    for index, reference in enumerate(correlation.rules):
        found = names.ids(reference)
        if len(found) == 1:
            ids[reference] = found[0]
            continue
        where: Where = ("correlation", "rules", index)
        if found:
            message = f"{len(found)} rules have the name {shown(reference)}; refer to the one that is meant by its id"
        else:
            message = names.why_none(reference)
        problems.error("correlation-reference", message, where)
    aliases = {
        alias: _resolved_alias(alias, fields, correlation, names, problems)
        for alias, fields in correlation.aliases.items()
    }
    condition = correlation.condition
    if condition.expression is not None:
        condition = condition._replace(expression=_renamed(condition.expression, ids))
    rules = list(dict.fromkeys(ids.get(rule, rule) for rule in correlation.rules))
    if len(rules) < len(correlation.rules):
        message = "two of 'rules' are the same rule, once by its id and once by its name"
        problems.error("correlation-rules", message, ("correlation", "rules"))
    return correlation._replace(rules=rules, aliases=aliases, condition=condition)


def _resolved_alias(
    alias: str, fields: dict[str, str], correlation: Correlation, names: _Names, problems: Problems
) -> dict[str, str]:
    where: Where = ("correlation", "aliases", alias)
    listed = {one for rule in correlation.rules for one in names.ids(rule)}
    found: dict[str, str] = {}
    for reference, field in fields.items():
        ids = [one for one in names.ids(reference) if one in listed]
        if len(ids) != 1:
            message = f"the alias {shown(alias)} names {shown(reference)}, which is none of the correlation's rules"
            problems.error("correlation-aliases", message, (*where, reference))
        elif found.setdefault(ids[0], field) != field:
            message = f"the alias {shown(alias)} has two fields of the rule {shown(reference)}; keep one"
            problems.error("correlation-aliases", message, (*where, reference))
    if alias not in (*correlation.group_by, *correlation.condition.fields):
        problems.warn("correlation-aliases", f"nothing uses the alias {shown(alias)}", where)
    missing = listed - set(found)
    if missing and not problems.fatal:
        message = (
            f"the alias {shown(alias)} has no field of {len(missing)} of the rules;"
            f" in their events the field {shown(alias)} itself is taken"
        )
        problems.warn("correlation-aliases", message, where)
    return found


def _renamed(expression: Expression, ids: dict[str, str]) -> Expression:
    operator, *operands = expression
    if operator == "id":
        return [operator, ids.get(operands[0], operands[0])]
    return [operator, *(_renamed(operand, ids) for operand in operands)]


def _in_order(inner: Sequence[Sequence[int]]) -> list[int]:
    """Positions so that each stands behind those that it lists; those in a cycle, or behind one, are missing."""
    order: dict[int, None] = {}
    waiting = list(range(len(inner)))
    while waiting:
        ready = [position for position in waiting if all(at in order for at in inner[position])]
        if not ready:
            break
        order.update(dict.fromkeys(ready))
        waiting = [position for position in waiting if position not in order]
    return list(order)


def _tell_cycle(
    position: int, inner: Sequence[Sequence[int]], correlations: Sequence[Correlation], problems: Problems
) -> None:
    """Say of a correlation that it lists itself, or one that does. ``inner``: only those that have no order either."""
    trail = [position]
    while len(set(trail)) == len(trail):
        trail.append(inner[trail[-1]][0])
    chain = " -> ".join(correlations[at].title for at in trail)
    message = f"correlations that list each other have no first one: {shown(chain, 300)}; break the circle"
    problems.error("correlation-cycle", message, ("correlation", "rules"))


def inner_first(correlations: Iterable[Correlation]) -> list[Correlation]:
    """Resolved correlations by id, but inner ones before those that list them."""
    listed = sorted(correlations, key=lambda one: one.id)
    places = {one.id: place for place, one in enumerate(listed)}
    inner = [[places[rule] for rule in one.rules if rule in places] for one in listed]
    return [listed[place] for place in _in_order(inner)]


def _place(written: Correlation, resolved: Correlation, rule: str) -> Where:
    """Where the reference to a rule stands."""
    if len(written.rules) != len(resolved.rules):
        return ("correlation", "rules")
    return ("correlation", "rules", resolved.rules.index(rule))
