"""What correlations refer to: rules and other correlations, by id or name.

A correlation may list other correlations: each alert of such an inner one is an event for the outer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .condition import identifiers
from .correlation import ORDERED, Correlation
from .correlationwords import UNKNOWN, Named, Names, Words
from .orderedterms import MAX_TERMS, ordered_terms
from .problems import Problem, Problems, Where, has_errors, shown


def resolve(
    correlations: Sequence[Correlation],
    rules: Iterable[Named],
    others: Mapping[str, str] | None = None,
    unknown: str = UNKNOWN,
) -> tuple[list[Correlation], list[list[Problem]]]:
    """Turn references into ids.

    ``others`` and ``unknown``: see ``Names``. Returns the correlations that can be used, inner ones before
    those that list them, and what was found in each of ``correlations``, by position.
    """
    names = Names([*rules, *correlations], others or {}, unknown)
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


def _resolved(correlation: Correlation, names: Names, problems: Problems) -> Correlation:
    ids = _ids(correlation, names, problems)
    rules = list(dict.fromkeys(ids.get(rule, rule) for rule in correlation.rules))
    if len(rules) < len(correlation.rules):
        message = "two of 'rules' are the same rule, once by its id and once by its name"
        problems.error("correlation-rules", message, ("correlation", "rules"))
    resolved = correlation._replace(rules=rules)
    if correlation.condition.expression is not None:
        resolved = _in_words(resolved, Words(correlation.rules, ids, names), problems)
    # Without a rule every alias would be told to name none.
    aliases = {
        alias: _resolved_alias(alias, fields, resolved, names, problems)
        for alias, fields in (correlation.aliases if resolved.rules else {}).items()
    }
    return resolved._replace(aliases=aliases)


def _ids(correlation: Correlation, names: Names, problems: Problems) -> dict[str, str]:
    """The id that each reference of ``rules`` means; without those that mean none."""
    ids = {}
    for index, reference in enumerate(correlation.rules):
        found = names.ids(reference)
        if len(found) == 1:
            ids[reference] = found[0]
            continue
        message = names.why_several(reference, found) if found else names.why_none(reference)
        problems.error("correlation-reference", message, ("correlation", "rules", index))
    return ids


def _in_words(correlation: Correlation, words: Words, problems: Problems) -> Correlation:
    """A correlation with a condition in words, as one over ids. Its ``rules`` are ids as far as they mean any."""
    where: Where = ("correlation", "condition")
    expression = words.meant(correlation.condition.expression or [])
    for message in words.faults:
        problems.error("correlation-reference", message, where)
    resolved = correlation._replace(condition=correlation.condition._replace(expression=expression))
    # What does not mean a rule would be told once more as what is missing.
    if words.faults or words.unknown:
        return resolved
    named = list(dict.fromkeys(identifiers(expression)))
    for index, (reference, rule) in enumerate(words.listed.items()):
        if rule not in named:
            message = f"the condition never uses the rule {shown(reference)}; use it there, or take it off the list"
            problems.error("correlation-rules", message, ("correlation", "rules", index))
    if correlation.kind == ORDERED and ordered_terms(expression, named) is None:
        message = f"the condition has over {MAX_TERMS} alternatives; split the correlation"
        problems.error("correlation-condition", message, where)
    return resolved if resolved.rules else resolved._replace(rules=named)


def _resolved_alias(
    alias: str, fields: dict[str, str], correlation: Correlation, names: Names, problems: Problems
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
    if not written.rules:
        return ("correlation", "condition")
    if len(written.rules) != len(resolved.rules):
        return ("correlation", "rules")
    return ("correlation", "rules", resolved.rules.index(rule))
