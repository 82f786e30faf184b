"""Rules -> the streams of events to read for them, each event in one stream.

Every stream is searched for all rules that alert, so it does not matter in which one an event is;
it has to be in one if any rule can match it. A stream's condition is therefore as narrow as the needs
of its rules together. What rules of a whole product need beyond that (every event of Windows) is one
stream more, which takes what the other streams of the product leave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from typing import NamedTuple

from builder.spl.needed import event_codes
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import LogSource, Rule

from .configuration import OTHER
from .sources import Globs, Origin, Source, is_whole_product, origin_of
from .words import any_of, key_is_one_of

_CODE = "event_id"
# Columns of nested data have several spellings; a condition on one of them might lose events.
_FLAT = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)


class Stream(NamedTuple):
    """``condition``: in the search language, without indexes; ``products``: whose index macros it is in.

    ``besides``: the streams whose events it does not take; ``rules``: ids of those that can match there;
    ``wide``: of those, the ones because of which it takes events that no other rule needs.
    """

    name: str
    condition: str
    products: tuple[str, ...]
    besides: tuple[str, ...]
    rules: tuple[str, ...]
    wide: tuple[str, ...]


class Layout(NamedTuple):
    """All streams, and what is in none of its own.

    ``everywhere``: ids of rules without a log source, which are tried in every stream; ``nowhere``: of rules
    of log sources without a mapping, which match in none.
    """

    streams: tuple[Stream, ...]
    everywhere: tuple[str, ...]
    nowhere: tuple[str, ...]


class _Need(NamedTuple):
    """What a rule needs of an alternative's events."""

    rule: str
    origin: Origin
    product: str


def products(routing: RoutingTable) -> list[str]:
    """The products that the mappings know, sorted."""
    return sorted({one.logsource.product for one in routing.alternatives if one.logsource.product})


def lay_out(routing: RoutingTable, groups: Sequence[Source], rules: Iterable[Rule]) -> Layout:
    """The streams in which ``rules`` can match, in the order of ``groups``, those of the routing table."""
    listed = list(rules)
    found: list[Stream] = []
    # Thousands of rules are of some hundred log sources.
    contributing = cache(partial(_contributing, routing, groups))
    by_name = {source.name: source for source in groups}
    for source in sorted(groups, key=lambda source: _is_catch_all(routing, source)):
        catch_all = _is_catch_all(routing, source)
        needs = [
            need
            for rule in listed
            if catch_all or not (is_whole_product(rule.logsource) and _catch_all_of(routing, groups, rule.logsource))
            for need in _needs(routing, contributing(source, rule.logsource), rule)
        ]
        if needs:
            found.append(_stream(routing, source, needs, found))
    order = [source.name for source in groups]
    streams = [
        stream._replace(
            rules=tuple(
                rule.id
                for rule in listed
                if not any(rule.logsource) or contributing(by_name[stream.name], rule.logsource)
            )
        )
        for stream in sorted(found, key=lambda stream: order.index(stream.name))
    ]
    return Layout(
        tuple(streams),
        tuple(rule.id for rule in listed if not any(rule.logsource)),
        tuple(rule.id for rule in listed if not routing.is_mapped(rule.logsource)),
    )


def can_match(routing: RoutingTable, groups: Sequence[Source], stream: str, rule: Rule) -> bool:
    """Whether a rule is tried on events of a stream."""
    if not any(rule.logsource):
        return True
    source = next(source for source in groups if source.name == stream)
    return bool(_contributing(routing, groups, source, rule.logsource))


def _contributing(
    routing: RoutingTable, groups: Sequence[Source], source: Source, wanted: LogSource
) -> tuple[int, ...]:
    """The alternatives of ``source`` whose events are of a log source."""
    if not (wanted.category and wanted.service):
        return routing.contributors(wanted, source.alternatives)
    if any(routing.contributors(wanted, group.alternatives) for group in groups):
        return routing.contributors(wanted, source.alternatives)
    # Category and service are given by alternatives of two groups: the events that both have are in either.
    everything = routing.contributors(wanted, range(len(routing.alternatives)))
    return tuple(index for index in everything if index in source.alternatives)


def _needs(routing: RoutingTable, contributing: Iterable[int], rule: Rule) -> Iterator[_Need]:
    wanted = rule.logsource
    if not any(wanted):
        return
    for index in contributing:
        key, globs, more = origin_of(routing.alternatives[index])
        asked = {name: values for name, values in more if _FLAT.match(name)}
        needed = event_codes(rule) if key == "channel" or _CODE in asked or is_whole_product(wanted) else None
        if needed is not None:
            known = asked.get(_CODE)
            asked[_CODE] = tuple(sorted(needed if known is None else needed.intersection(known)))
            if not asked[_CODE]:
                continue
        product = routing.alternatives[index].logsource.product
        yield _Need(rule.id, Origin(key, globs, tuple(asked.items())), product or OTHER)


def _is_catch_all(routing: RoutingTable, source: Source) -> bool:
    """True of what takes every event of a product of which other sources take some."""
    product = routing.alternatives[source.alternatives[0]].logsource.product
    return all(is_whole_product(routing.alternatives[index].logsource) for index in source.alternatives) and any(
        one.logsource.product == product and not is_whole_product(one.logsource) for one in routing.alternatives
    )


def _catch_all_of(routing: RoutingTable, groups: Iterable[Source], wanted: LogSource) -> bool:
    return any(
        _is_catch_all(routing, source) and routing.contributors(wanted, source.alternatives) for source in groups
    )


def _stream(routing: RoutingTable, source: Source, needs: Sequence[_Need], before: Sequence[Stream]) -> Stream:
    origins = _merged(_narrowed(needs))
    named = _products(needs)
    besides = [
        other.name for other in before if _is_catch_all(routing, source) and not set(named).isdisjoint(other.products)
    ]
    condition = any_of([_condition(routing, origin) for origin in origins])
    wide = (need.rule for need in needs) if _is_catch_all(routing, source) else _wide(needs)
    return Stream(source.name, condition, named, tuple(besides), (), tuple(dict.fromkeys(wide)))


def _products(needs: Sequence[_Need]) -> tuple[str, ...]:
    """Of the events that are needed; what stands in an event log is of Windows, whoever wrote it."""
    if any(need.origin.key == "channel" for need in needs):
        return ("windows",)
    return tuple(sorted({need.product for need in needs}))


def _by_place(needs: Sequence[_Need]) -> dict[tuple[str, Globs], list[_Need]]:
    places: dict[tuple[str, Globs], list[_Need]] = {}
    for need in needs:
        places.setdefault(need.origin[:2], []).append(need)
    return places


def _narrowed(needs: Sequence[_Need]) -> list[Origin]:
    """For each place what every need there asks for, with all values that one of them takes."""
    found = []
    for (key, globs), here in _by_place(needs).items():
        asked = [dict(need.origin.more) for need in here]
        common = [name for name in asked[0] if all(name in one for one in asked)]
        more = tuple((name, tuple(sorted({value for one in asked for value in one[name]}))) for name in common)
        found.append(Origin(key, globs, more))
    return found


def _merged(origins: Sequence[Origin]) -> list[Origin]:
    """The same events, said once: values that are taken whole, then what is narrowed alike."""
    whole = {(one.key, glob) for one in origins if not one.more for glob in one.globs}
    alike: dict[tuple[str, tuple[tuple[str, Globs], ...]], dict[str, None]] = {}
    for one in origins:
        kept = [glob for glob in one.globs if not one.more or (one.key, glob) not in whole]
        if kept:
            alike.setdefault((one.key, one.more), {}).update(dict.fromkeys(kept))
    return [Origin(key, tuple(globs), more) for (key, more), globs in alike.items()]


def _condition(routing: RoutingTable, origin: Origin) -> str:
    parts = [(origin.key, origin.globs), *origin.more]
    said = [key_is_one_of(routing.keys[key], globs) for key, globs in parts]
    return said[0] if len(said) == 1 else f"({' '.join(said)})"


def _wide(needs: Sequence[_Need]) -> Iterator[str]:
    """The rules that ask for nothing where others do."""
    for here in _by_place(needs).values():
        asking_nothing = dict.fromkeys(need.rule for need in here if not need.origin.more)
        if any(need.rule not in asking_nothing for need in here):
            yield from asking_nothing
