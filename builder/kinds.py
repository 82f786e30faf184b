"""Which events a log source means, and where fields stand in them: what every query of a rule begins with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from sigmaengine.fields import FieldView
from sigmaengine.patterns import ANY, Part, Parts, join
from sigmaengine.routing import Alternative, Route, RoutingTable
from sigmaengine.rule import LogSource, Rule
from sigmaengine.views import Views

# Alternatives that an event can be of at once make up to two to this power kinds of events.
_MAX_APART = 4


#: Routing key -> the globs one of which its value must match.
When = dict[str, tuple[str, ...]]


class Events(NamedTuple):
    """Events that fulfil one condition of each list of ``taken``, and none of any list of ``left_out``."""

    taken: tuple[tuple[When, ...], ...] = ()
    left_out: tuple[tuple[When, ...], ...] = ()


class Kind(NamedTuple):
    """Some of the events that a rule applies to: which they are, and where their fields stand.

    ``views``: how fields are looked up in them; of several it is not known which. ``json``: they may be
    JSON, whose arrays Splunk shows as ``a{}``; events in XML alone have none.
    """

    events: Events
    views: list[FieldView]
    json: bool


def glob_parts(glob: str) -> Parts:
    """A glob of the mappings, in which ``*`` alone is special, as the parts of a Sigma string."""
    literals = glob.split("*")
    parts: list[Part] = [literals[0]]
    for literal in literals[1:]:
        parts += [ANY, literal]
    return join(parts)


def kinds(rule: Rule, routing: RoutingTable, profile: str) -> list[Kind]:
    """The kinds of events of a rule's log source; no event is of two.

    A rule without a log source, or with one that no mapping gives, has one kind: every event.
    """
    wanted = rule.logsource
    views = Views(routing, profile)
    contributors = routing.contributors(wanted, range(len(routing.alternatives)))
    if not contributors:
        return [Kind(Events(), [views.view_of(wanted, ())], json=True)]
    if not any(wanted):
        every = [views.view_of(wanted, route) for route in ((), *((index,) for index in contributors))]
        return [Kind(Events(), every, json=True)]
    if wanted.category and wanted.service:
        single = [views.view_of(wanted, (index,)) for index in contributors]
        return [Kind(_both(routing, wanted, contributors), _distinct(single, rule), _json(routing, contributors))]
    return [kind for group in _groups(rule, views, contributors) for kind in group]


def _both(routing: RoutingTable, wanted: LogSource, contributors: Route) -> Events:
    """The events that have both the category and the service."""

    def giving(part: str) -> Iterator[int]:
        for index in contributors:
            if getattr(routing.alternatives[index].logsource, part) == getattr(wanted, part):
                yield index

    return Events(tuple(_merged(routing, giving(part)) for part in ("category", "service")))


def _groups(rule: Rule, views: Views, contributors: Route) -> Iterator[list[Kind]]:
    """The kinds, by groups of alternatives of which events can be at once."""
    classes: dict[object, list[int]] = {}
    for index in contributors:
        classes.setdefault(_signature(views.view_of(rule.logsource, (index,)), rule), []).append(index)
    for group in _together(views.table, [tuple(indexes) for indexes in classes.values()]):
        if len(group) > _MAX_APART:
            single = [views.view_of(rule.logsource, indexes) for indexes in group]
            events = Events((_merged(views.table, (index for one in group for index in one)),))
            yield [Kind(events, _distinct(single, rule), _json(views.table, contributors))]
        else:
            yield list(_kinds_of(rule, views, group))


def _kinds_of(rule: Rule, views: Views, group: list[Route]) -> Iterator[Kind]:
    """For each set of classes that an event can be of at once: those events, and the joined view."""
    table = views.table
    for size in range(1, len(group) + 1):
        for chosen in combinations(group, size):
            others = [one for one in group if one not in chosen]
            if not _can_be(table, chosen, others):
                continue
            near = [one for one in others if all(_meet(table, one, mine) for mine in chosen)]
            events = Events(
                tuple(_merged(table, one) for one in chosen), left_out=tuple(_merged(table, one) for one in near)
            )
            # Of a class an event can be by several alternatives; that makes no difference to the rule.
            route = tuple(sorted(index for one in chosen for index in one))
            yield Kind(events, [views.view_of(rule.logsource, route)], _json(table, route))


def _can_be(table: RoutingTable, chosen: Sequence[Route], others: Sequence[Route]) -> bool:
    if not all(_meet(table, one, other) for one, other in combinations(chosen, 2)):
        return False
    # What is of a class that lies within another is of that one too.
    return not any(_within(table, one, other) for one in chosen for other in others)


def _signature(view: FieldView, rule: Rule) -> tuple[object, ...]:
    """Views with one signature are one for a rule."""
    return (view.xml, *(repr(view.candidates(field)) for field in rule.fields()))


def _distinct(views: Iterable[FieldView], rule: Rule) -> list[FieldView]:
    return list({_signature(view, rule): view for view in views}.values())


def _json(table: RoutingTable, indexes: Iterable[int]) -> bool:
    return any(not table.alternatives[index].xml for index in indexes)


def _merged(table: RoutingTable, indexes: Iterable[int]) -> tuple[When, ...]:
    """What some alternatives ask for, as few conditions: without those that others imply, alike ones joined."""
    kept: list[When] = []
    for index in indexes:
        when: When = dict(table.alternatives[index].when)
        if any(_implies(when, other) for other in kept):
            continue
        kept = [other for other in kept if not _implies(other, when)]
        alike = next((other for other in kept if len(_differing(when, other)) == 1), None)
        if alike is None:
            kept.append(when)
        else:
            (key,) = _differing(when, alike)
            alike[key] = tuple(dict.fromkeys((*alike[key], *when[key])))
    return tuple(kept)


def _differing(one: When, other: When) -> list[str]:
    """The keys of which two conditions ask for other values; all if they do not ask for the same keys."""
    if one.keys() != other.keys():
        return list(dict.fromkeys((*one, *other, "")))
    return [key for key in one if one[key] != other[key]]


# --- which alternatives an event can be of at once ----------------------------------------------


def _together(table: RoutingTable, classes: Sequence[Route]) -> list[list[Route]]:
    """Groups of classes such that no event is of two groups."""
    groups: list[list[Route]] = []
    for one in classes:
        near = [group for group in groups if any(_meet(table, one, other) for other in group)]
        groups = [group for group in groups if group not in near] + [
            [*(other for group in near for other in group), one]
        ]
    return groups


def _meet(table: RoutingTable, one: Route, other: Route) -> bool:
    """Whether an event can be of both classes."""
    return any(
        not _exclude_each_other(table.alternatives[mine], table.alternatives[theirs])
        for mine in one
        for theirs in other
    )


def _exclude_each_other(one: Alternative, other: Alternative) -> bool:
    theirs = dict(other.when)
    return any(key in theirs and not _overlap(globs, theirs[key]) for key, globs in one.when)


def _overlap(globs: Sequence[str], others: Sequence[str]) -> bool:
    """Whether one text may match both; of patterns with wildcards that is taken for granted."""
    if any("*" in glob for glob in (*globs, *others)):
        return True
    return not set(globs).isdisjoint(others)


def _within(table: RoutingTable, one: Route, other: Route) -> bool:
    """Whether every event of a class is of the other too."""
    theirs = [dict(table.alternatives[index].when) for index in other]
    return all(any(_implies(dict(table.alternatives[index].when), when) for when in theirs) for index in one)


def _implies(one: When, other: When) -> bool:
    """Whether what fulfils the one condition fulfils the other."""
    return all(key in one and set(one[key]) <= set(globs) for key, globs in other.items())
