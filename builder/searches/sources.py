"""The mappings' alternatives, in groups whose events are read together, from the mappings alone.

Each group has a name that users write into configurations and see in names of searches, so it must
not depend on which rules a package holds.

An alternative's *primary* key says where its events come from: the first of ``_PRIMARY`` that it asks
for. Alternatives belong to one group if a value of this key is common to them, or if they are of one
log source and differ in nothing but the primary key and its values, or one of them takes a whole file.
The many small logs that Windows shows under "Applications and Services Logs" are one group, but for
those of which the mappings tell event codes apart (Sysmon, PowerShell, Defender).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sigmaengine.condition import glob_matcher
from sigmaengine.routing import Alternative, RoutingTable
from sigmaengine.rule import LogSource

_PRIMARY = ("channel", "sourcetype", "source", "index")

_SERVICES = "windows_services"

Globs = tuple[str, ...]


class Origin(NamedTuple):
    """An alternative's primary key with its values, and what else it asks for."""

    key: str
    globs: Globs
    more: tuple[tuple[str, Globs], ...]


class Source(NamedTuple):
    """A group. ``alternatives``: positions in the routing table."""

    name: str
    alternatives: tuple[int, ...]


def origin_of(alternative: Alternative) -> Origin:
    """Where its events come from."""
    when = dict(alternative.when)
    key = next((key for key in _PRIMARY if key in when), alternative.when[0][0])
    return Origin(key, when.pop(key), tuple(when.items()))


def is_whole_product(source: LogSource) -> bool:
    """True of a log source that is a product alone."""
    return bool(source.product) and not source.category and not source.service


def sources(routing: RoutingTable) -> list[Source]:
    """The groups, in the order of their first alternatives."""
    members = [(one.logsource, origin_of(one)) for one in routing.alternatives]
    groups: list[list[int]] = []
    for index, member in enumerate(members):
        near = [group for group in groups if any(_together(member, members[other]) for other in group)]
        merged = [index, *(one for group in near for one in group)]
        groups = [*(group for group in groups if group not in near), merged]
    small = [group for group in groups if all(_is_service_log(routing.alternatives[index]) for index in group)]
    others = [group for group in groups if group not in small]
    services = [[index for group in small for index in group]] if small else []
    return _named(routing, sorted(sorted(group) for group in (*others, *services)))


def _is_service_log(alternative: Alternative) -> bool:
    key, globs, more = origin_of(alternative)
    return key == "channel" and not more and any("/" in glob or glob.startswith("microsoft-") for glob in globs)


def _together(one: tuple[LogSource, Origin], other: tuple[LogSource, Origin]) -> bool:
    (first, mine), (second, theirs) = one, other
    # What takes every event of a product must not join what takes some of them.
    if is_whole_product(first) != is_whole_product(second):
        return False
    if mine.key == theirs.key and any(_overlap(glob, theirs.globs) for glob in mine.globs):
        return True
    # One channel is one stream, whatever else is of its log source.
    if first != second or "channel" in (mine.key, theirs.key):
        return False
    return mine.more == theirs.more or any(origin.key == "source" and not origin.more for origin in (mine, theirs))


def _overlap(glob: str, others: Iterable[str]) -> bool:
    """Whether a text may match both. Two paths with wildcards are taken to be different files."""
    return any(glob == other or _fits(glob, other) or _fits(other, glob) for other in others)


def _fits(glob: str, text: str) -> bool:
    return "*" in glob and glob_matcher(glob)(text)


def _named(routing: RoutingTable, groups: Sequence[Sequence[int]]) -> list[Source]:
    found, used = [], Counter[str]()
    for group in groups:
        name = _name(routing, group)
        used[name] += 1
        found.append(Source(f"{name}_{used[name]}" if used[name] > 1 else name, tuple(group)))
    return found


def _name(routing: RoutingTable, group: Sequence[int]) -> str:
    """After the log source that most of the group is, if that takes all of some origin; else after the origin."""
    alternatives = [routing.alternatives[index] for index in group]
    if all(map(_is_service_log, alternatives)):
        return _SERVICES
    whole = Counter(one.logsource for one in alternatives if not origin_of(one).more)
    if not whole:
        return _word(origin_of(alternatives[0]).globs[0])
    (logsource, _), *_ = whole.most_common()
    if is_whole_product(logsource) and _has_parts(routing, logsource.product):
        return _word(f"{logsource.product}_other")
    return _word("_".join(dict.fromkeys(part for part in logsource if part)))


def _has_parts(routing: RoutingTable, product: str) -> bool:
    return any(one.logsource.product == product and not is_whole_product(one.logsource) for one in routing.alternatives)


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60]
