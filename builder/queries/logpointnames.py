"""What Logpoint calls the data of Windows events: ``mappings/targets/logpoint.yml``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from builder.findings import error
from builder.mappings import MappingError
from builder.paths import MAPPINGS
from builder.windowsnames import SYSTEM_ATTRIBUTES
from builder.yamlfiles import YamlFileError, documents
from sigmaengine.problems import Where, kind_of, shown
from sigmaengine.ruletext import line_of

from .language import RefusedError
from .reading import Boxes

#: A name; None: the event has no such data; False: no field says it exactly.
Name = str | Literal[False] | None
#: The name of what an event does not have.
ABSENT = ""
#: Sysmon's field of several hashes, each of which is a field of Logpoint's.
HASHES = "Hashes"

FILE = MAPPINGS / "targets" / "logpoint.yml"
_ANY: frozenset[str] = frozenset()
_FILE_KEYS = frozenset(("version", "names", "channels"))
_CHANNEL_KEYS = frozenset(("where", "closed", "hashes", "names", "events"))
_WORDS = re.compile(r"[a-z0-9]+|[A-Z][a-z0-9]+|[A-Z0-9]+")
_PLAIN = re.compile(r"[a-z][a-z0-9_]*")


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
        if native in SYSTEM_ATTRIBUTES:
            raise RefusedError("place", f"{native}, which can be an attribute of <System> or data of the event")
        found = {
            name for box in boxes for channel in box.channels or ("",) for name in self._in(channel, box.ids, native)
        }
        if len(found) != 1:
            raise RefusedError("names", native)
        (name,) = found
        if name is False:
            raise RefusedError("unknown name", f"{native}: mappings/targets/logpoint.yml gives none that is its own")
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
        # A name that is not of this channel may be what other data of its events is called.
        is_own = native in table.names
        taken = set(table.names.values())
        for names in events:
            is_taken = not is_own and general in taken | set(names.values())
            yield names.get(native, False if is_taken else general)
        if ids is None:
            yield general


def snake_case(native: str) -> str:
    """``TargetUserName`` -> ``target_user_name``."""
    return "_".join(_WORDS.findall(native)).lower() or native.lower()


@cache
def read_profile(path: Path = FILE) -> Profile:
    """The names. Raises MappingError."""
    try:
        (document,) = documents(path, path.as_posix())
    except YamlFileError as fault:
        raise MappingError([fault.finding]) from None
    except ValueError:
        raise MappingError([error(path.as_posix(), 1, "mapping", "one document is expected")]) from None
    return _Reader(path.as_posix(), document).profile()


class _Reader:
    def __init__(self, path: str, document: Any) -> None:
        self.path, self.document = path, document

    def fault(self, where: Where, message: str) -> MappingError:
        """What is to be raised."""
        return MappingError([error(self.path, line_of(self.document, where), "mapping", message)])

    def profile(self) -> Profile:
        content = self.mapping((), self.document, _FILE_KEYS, needed=_FILE_KEYS)
        if content["version"] != 1:
            raise self.fault(("version",), "'version' must be 1")
        channels = self.mapping(("channels",), content["channels"])
        return Profile(
            self.names(("names",), content["names"]),
            {str(name).lower(): self.channel(("channels", name), one) for name, one in channels.items()},
        )

    def channel(self, where: Where, value: Any) -> Channel:
        content = self.mapping(where, value, _CHANNEL_KEYS, needed=frozenset(("where",)))
        events = self.mapping((*where, "events"), content.get("events", {}))
        return Channel(
            where=self.texts((*where, "where"), content["where"]),
            closed=content.get("closed") is True,
            hashes=self.texts((*where, "hashes"), content.get("hashes", {})),
            names=self.names((*where, "names"), content.get("names", {})),
            events={str(key): self.names((*where, "events", key), names) for key, names in events.items()},
        )

    def mapping(self, where: Where, value: Any, keys: frozenset[str] = _ANY, needed: frozenset[str] = _ANY) -> Any:
        if not isinstance(value, dict):
            raise self.fault(where, f"a mapping is expected, not {kind_of(value)}")
        for key in value if keys else ():
            if key not in keys:
                raise self.fault((*where, key), f"unknown key {shown(key)}")
        for key in sorted(needed - value.keys()):
            raise self.fault(where, f"'{key}' is missing")
        return value

    def texts(self, where: Where, value: Any) -> Mapping[str, str]:
        content = self.mapping(where, value)
        for key, text in content.items():
            if not isinstance(key, str) or not isinstance(text, str):
                raise self.fault((*where, key), "a text is expected")
        return dict(content)

    def names(self, where: Where, value: Any) -> Mapping[str, Name]:
        content = self.mapping(where, value)
        for native, name in content.items():
            if not isinstance(native, str) or not (name is None or name is False or _is_name(name)):
                raise self.fault((*where, native), f"{shown(name)} is no name")
        return dict(content)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and _PLAIN.fullmatch(name) is not None
