"""``mappings/targets/*.yml`` -> where the fields of Windows events stand in an index of Elasticsearch's.

``docs/queries-lucene.md`` describes the form of the files; every fault is reported with its line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from builder.findings import Finding, error
from builder.kinds import Events
from builder.mappings import MappingError
from builder.paths import MAPPINGS
from builder.yamlfiles import YamlFileError, documents
from sigmaengine.problems import Where, kind_of, shown
from sigmaengine.ruletext import line_of

FOLDER = MAPPINGS / "targets"

#: What can stand at a place, and how many names it has (two: the account's domain and its name).
KINDS = {
    "keyword": 1,  # the text as Windows wrote it
    "text": 1,  # the same, cut into words by the index
    "ip": 1,
    "long": 1,
    "account": 2,  # DOMAIN\name in two fields
    "hashes": 1,  # ALGORITHM=hash,... in fields behind this name
    "registry data": 1,  # a registry value, numbers in decimals
    "words": 1,  # a text cut at its blanks
    "values": 1,  # other words for Windows' words
    "gone": 0,  # nowhere
}


class Place(NamedTuple):
    """Where a field stands.

    ``values``: Windows' word, folded -> the index's. ``lines``: values may have several lines. ``no_dash``: a
    value that is ``-`` has been left out.
    """

    kind: str
    names: tuple[str, ...]
    values: tuple[tuple[str, str], ...] = ()
    lines: bool = False
    no_dash: bool = False


class Of(NamedTuple):
    """Events of a channel (None: of any), with one of these ids (None: with any) that is none of the others."""

    channel: str | None
    event_ids: tuple[str, ...] | None = None
    but: tuple[str, ...] = ()


class _Group(NamedTuple):
    """What is called otherwise in the events of some channels; ``event_ids``: of these alone, or of all."""

    channels: frozenset[str]
    event_ids: frozenset[str]
    data: str
    no_dash: bool
    names: Mapping[str, Place]


class Fields(NamedTuple):
    """The names of one profile. ``data``: the name of data of an event, ``{}`` standing for Windows' name."""

    data: str
    names: Mapping[str, Place]
    lines: frozenset[str]
    groups: tuple[_Group, ...]

    def places(self, native: str, events: Events, only: Collection[str] | None) -> dict[Place, list[Of]]:
        """Where a field that Windows calls ``native`` stands, and in which of the events.

        ``only``: ids one of which the events have, where that is known.
        """
        if native in self.names:
            return {self.names[native]: [Of(None)]}
        found: dict[Place, list[Of]] = {}
        for channel, event_ids in _kinds(events, only):
            for place, of in self._places(native, channel, event_ids):
                found.setdefault(place, []).append(of)
        return found

    def _places(self, native: str, channel: str | None, ids: Sequence[str] | None) -> Iterator[tuple[Place, Of]]:
        groups = [group for group in self.groups if channel is not None and channel.lower() in group.channels]
        default = self._in(next((group for group in groups if not group.event_ids), None), native)
        narrow = [group for group in groups if group.event_ids and (group.data or native in group.names)]
        if ids is None:
            for group in narrow:
                yield self._in(group, native), Of(channel, tuple(sorted(group.event_ids)))
            yield default, Of(channel, None, tuple(sorted({one for group in narrow for one in group.event_ids})))
            return
        for one in ids:
            found = [self._in(group, native) for group in narrow if one in group.event_ids]
            yield next(iter(found), default), Of(channel, (one,))

    def _in(self, group: _Group | None, native: str) -> Place:
        if group and native in group.names:
            return group.names[native]
        name = (group.data if group else self.data).format(native)
        return Place("keyword", (name,), lines=native in self.lines, no_dash=bool(group and group.no_dash))


def _kinds(events: Events, only: Collection[str] | None) -> Iterator[tuple[str | None, Sequence[str] | None]]:
    """Channels with ids of events; None: any."""
    for when in [when for alternatives in events.taken for when in alternatives] or [{}]:
        ids: Sequence[str] | None = when.get("event_id")
        if only is not None:
            ids = sorted(only) if ids is None else [one for one in ids if one in only] or ids
        for channel in when.get("channel", (None,)):
            yield channel, ids


NONE = Fields("{}", {}, frozenset(), ())


@cache
def read_profiles(name: str, folder: Path = FOLDER) -> Mapping[str, Fields]:
    """The profiles of a file of the folder. Raises MappingError."""
    path = folder / f"{name}.yml"
    reader = _Reader(path.as_posix())
    try:
        for document in documents(path, reader.path):
            reader.read(document)
    except YamlFileError as fault:
        reader.findings.append(fault.finding)
    if reader.findings:
        raise MappingError(sorted(reader.findings))
    return {**reader.profiles, "none": NONE}


_FILE_KEYS = ("version", "profiles")
_PROFILE_KEYS = ("like", "source", "data", "names", "lines", "events")
_GROUP_KEYS = ("channels", "event_ids", "source", "data", "no_dash", "names")


class _Reader:
    """Reads a file of profiles; what is wrong with it is in ``findings``."""

    def __init__(self, path: str) -> None:
        self.path, self.document = path, None
        self.findings: list[Finding] = []
        self.profiles: dict[str, Fields] = {}

    def fault(self, where: Where, message: str) -> None:
        self.findings.append(error(self.path, line_of(self.document, where), "mapping", message))

    def read(self, document: Any) -> None:
        self.document = document
        if not self._is_mapping((), document, _FILE_KEYS):
            return
        if document.get("version") != 1 or isinstance(document.get("version"), bool):
            self.fault(("version",), "'version' must be 1")
        for name, content in self._items(("profiles",), document.get("profiles")):
            if self._is_mapping(("profiles", name), content, _PROFILE_KEYS):
                self.profiles[name] = self._profile(("profiles", name), content)

    def _profile(self, where: Where, content: Mapping[str, Any]) -> Fields:
        like = content.get("like")
        if like is not None and like not in self.profiles:
            self.fault((*where, "like"), f"there is no profile {shown(like)} above")
        base = self.profiles.get(str(like), NONE)
        self._text((*where, "source"), content.get("source"))
        data = content.get("data", base.data)
        self._is_pattern((*where, "data"), data)
        lines = frozenset(self._texts((*where, "lines"), content.get("lines", [])))
        groups = [
            self._group((*where, "events", index), group, lines | base.lines)
            for index, group in enumerate(self._list((*where, "events"), content.get("events", [])))
        ]
        names = self._names((*where, "names"), content.get("names"), lines)
        # Of two groups the first counts, and this profile's own come first.
        found = (*filter(None, groups), *base.groups)
        return Fields(str(data), {**base.names, **names}, lines | base.lines, found)

    def _group(self, where: Where, content: Any, lines: frozenset[str]) -> _Group | None:
        if not self._is_mapping(where, content, _GROUP_KEYS):
            return None
        self._text((*where, "source"), content.get("source"))
        channels = frozenset(one.lower() for one in self._texts((*where, "channels"), content.get("channels")))
        event_ids = frozenset(self._texts((*where, "event_ids"), content.get("event_ids", [])))
        data = content.get("data", "")
        if data or not content.get("names"):
            self._is_pattern((*where, "data"), data)
        no_dash = content.get("no_dash", False)
        if not isinstance(no_dash, bool):
            self.fault((*where, "no_dash"), "'no_dash' is true or false")
        names = self._names((*where, "names"), content.get("names"), lines)
        names = {native: place._replace(no_dash=bool(no_dash)) for native, place in names.items()}
        return _Group(channels, event_ids, str(data), bool(no_dash), names)

    def _names(self, where: Where, content: Any, lines: frozenset[str]) -> dict[str, Place]:
        return {
            native: self._place((*where, native), said)._replace(lines=native in lines)
            for native, said in self._items(where, content)
        }

    def _place(self, where: Where, said: Any) -> Place:
        """``name``, ``{kind: name}``, ``{values: name, of: {word: word}}`` or ``{gone: why}``."""
        if isinstance(said, str) and said:
            return Place("keyword", (said,))
        if not isinstance(said, Mapping) or not said or next(iter(said)) not in KINDS:
            self.fault(where, f"expected a name, or a mapping of a kind ({', '.join(KINDS)}) to a name")
            return Place("gone", ())
        kind, names = next(iter(said.items()))
        if set(said) - {kind} - ({"of"} if kind == "values" else set()):
            self.fault(where, f"{shown(kind)} has no other keys beside it")
        listed = [names] if isinstance(names, str) else names
        if not isinstance(listed, list) or len(listed) != (KINDS[kind] or 1) or not all(
            isinstance(one, str) and one for one in listed
        ):  # fmt: skip
            self.fault((*where, kind), f"{shown(kind)} takes {KINDS[kind] or 'a reason and no'} names")
            return Place("gone", ())
        values = tuple((word.lower(), str(other)) for word, other in self._items((*where, "of"), said.get("of")))
        return Place(kind, tuple(listed) if KINDS[kind] else (), values)

    # --- the parts of all of them ---------------------------------------------------------------

    def _is_mapping(self, where: Where, content: Any, keys: Iterable[str]) -> bool:
        if not isinstance(content, Mapping):
            self.fault(where, f"expected a mapping, this is {kind_of(content)}")
            return False
        for key in content:
            if key not in keys:
                self.fault((*where, key), f"unknown key {shown(key)}; there are {', '.join(keys)}")
        return True

    def _items(self, where: Where, content: Any) -> list[tuple[str, Any]]:
        if content is None:
            return []
        if not isinstance(content, Mapping):
            self.fault(where, f"'{where[-1]}' is a mapping, this is {kind_of(content)}")
            return []
        return [(str(key), value) for key, value in content.items()]

    def _list(self, where: Where, content: Any) -> list[Any]:
        if isinstance(content, list):
            return content
        self.fault(where, f"'{where[-1]}' is a list, this is {kind_of(content)}")
        return []

    def _texts(self, where: Where, content: Any) -> list[str]:
        found = [str(one) for one in self._list(where, content) if isinstance(one, (str, int))]
        if len(found) != len(content if isinstance(content, list) else []):
            self.fault(where, f"'{where[-1]}' is a list of texts")
        return found

    def _text(self, where: Where, content: Any) -> None:
        if not isinstance(content, str) or not content.strip():
            self.fault(where, "'source' must say where these names are documented")

    def _is_pattern(self, where: Where, content: Any) -> None:
        if not isinstance(content, str) or content.count("{}") != 1 or content.count("{") != 1:
            self.fault(where, "'data' is a name with {} in it, for Windows' name of the data")
