"""What Logpoint calls the data of Windows events: ``mappings/targets/logpoint.yml``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from builder.paths import MAPPINGS
from builder.yamlfiles import documents

from .language import RefusedError
from .reading import Boxes

#: A name; None: the event has no such data; False: no field says it exactly.
Name = str | Literal[False] | None
#: The name of what an event does not have.
ABSENT = ""
#: Sysmon's field of several hashes, each of which is a field of Logpoint's.
HASHES = "Hashes"

_FILE_KEYS = {"version", "names", "channels"}
_CHANNEL_KEYS = {"where", "closed", "hashes", "names", "events"}
_WORDS = re.compile(r"[a-z0-9]+|[A-Z][a-z0-9]+|[A-Z0-9]+")
_PLAIN = re.compile(r"[a-z][a-z0-9_]*")


class ProfileError(Exception):
    """The file of names cannot be used."""


@dataclass(frozen=True)
class Channel:
    """The names in events of a channel. ``where``: what stands for the channel; ``events``: names by id.

    ``closed``: a name that stands in none of the tables is not known; else it is the one that it has elsewhere.
    """

    where: Mapping[str, str]
    closed: bool = False
    hashes: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Name] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, Name]] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """``names``: those that are the same in all channels; ``channels``: by their names in lower case."""

    names: Mapping[str, Name]
    channels: Mapping[str, Channel]

    def channel(self, name: str) -> Channel:
        """The names in a channel; of one that has none of its own they are the general ones."""
        return self.channels.get(name.lower()) or Channel({"channel": name})

    @property
    def hashes(self) -> Mapping[str, str]:
        """The fields of hashes, by algorithm."""
        return {key: name for channel in self.channels.values() for key, name in channel.hashes.items()}

    def name(self, boxes: Boxes, native: str) -> str:
        """What a field is called in all of these events, or ABSENT, or HASHES. Raises RefusedError."""
        found = {
            name for box in boxes for channel in box.channels or ("",) for name in self._in(channel, box.ids, native)
        }
        if len(found) != 1:
            raise RefusedError("names", native)
        (name,) = found
        if name is False:
            raise RefusedError("field name", native)
        return ABSENT if name is None else name

    def _in(self, channel: str, ids: frozenset[str] | None, native: str) -> Iterator[Name]:
        table = self.channel(channel)
        # Of events of unknown ids there may be any.
        events = table.events.values() if ids is None else [table.events.get(one, {}) for one in ids]
        general = table.names.get(native, self.names.get(native, snake_case(native)))
        if table.hashes and native == HASHES:
            general = HASHES
        elif table.closed and native not in table.names:
            general = False
        yield from (names.get(native, general) for names in events)
        if ids is None:
            yield general


def snake_case(native: str) -> str:
    """``TargetUserName`` -> ``target_user_name``."""
    return "_".join(_WORDS.findall(native)).lower() or native.lower()


@cache
def read_profile(path: Path = MAPPINGS / "targets" / "logpoint.yml") -> Profile:
    """The names. Raises ProfileError, YamlFileError."""
    (content,) = documents(path, path.name)
    _check(path.name, content, _FILE_KEYS)
    if content["version"] != 1:
        raise ProfileError(f"{path.name}: version {content['version']!r} is not known")
    channels = {str(name).lower(): _channel(f"{path.name}: {name}", one) for name, one in content["channels"].items()}
    return Profile(_names(path.name, content["names"]), channels)


def _channel(place: str, content: Any) -> Channel:
    _check(place, content, _CHANNEL_KEYS, needed=("where",))
    return Channel(
        where={key: str(text) for key, text in content["where"].items()},
        closed=content.get("closed", False),
        hashes=content.get("hashes", {}),
        names=_names(place, content.get("names", {})),
        events={str(key): _names(f"{place} {key}", names) for key, names in content.get("events", {}).items()},
    )


def _check(place: str, content: Any, keys: set[str], needed: tuple[str, ...] = ()) -> None:
    if not isinstance(content, dict) or not content.keys() <= keys or not content.keys() >= set(needed or keys):
        raise ProfileError(f"{place}: a mapping with the keys {', '.join(sorted(keys))} is expected")


def _names(place: str, content: Any) -> Mapping[str, Name]:
    for native, name in content.items():
        if not isinstance(native, str) or not (name is None or name is False or _is_name(name)):
            raise ProfileError(f"{place}: {native!r}: {name!r} is no name")
    names: Mapping[str, Name] = content
    return names


def _is_name(name: object) -> bool:
    return isinstance(name, str) and _PLAIN.fullmatch(name) is not None
