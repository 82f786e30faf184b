"""``mappings/*.yml`` -> the routing table that the command reads.

The form of the files is described in ``mappings/README.md``; every fault is reported with its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sigmaengine.fields import OPERATIONS, PROFILES
from sigmaengine.folding import fold
from sigmaengine.modifiers import scalar_text
from sigmaengine.problems import Where, kind_of, shown
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import LogSource
from sigmaengine.ruletext import line_of

from .findings import Finding, error
from .windowsnames import windows_table
from .yamlfiles import YamlFileError, documents

_NAMED_PROFILES = tuple(profile for profile in PROFILES if profile not in ("auto", "none"))
_FILE_KEYS = ("version", "keys", "fieldsets", "logsources")
_SOURCE_KEYS = ("product", "category", "service", "source", "events")
_EVENT_KEYS = ("name", "when", "decode", "use", "fields")


class MappingError(Exception):
    """The mappings cannot be used. ``findings`` says why, line by line."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


@dataclass(frozen=True)
class MappedSource:
    """A log source of a mapping file and where its events are documented."""

    logsource: LogSource
    path: str
    line: int
    source: str


@dataclass
class Mappings:
    """All mapping files, compiled."""

    #: What is compared is in the case in which it is written.
    written: dict[str, Any]
    sources: list[MappedSource]

    @cached_property
    def table(self) -> dict[str, Any]:
        """The routing table of the compiled rules: what is compared is case folded."""
        alternatives = [
            [logsource, [[key, list(map(fold, globs))] for key, globs in when], xml, aliases]
            for logsource, when, xml, aliases in self.written["alternatives"]
        ]
        return {**self.written, "alternatives": alternatives}

    @cached_property
    def routing(self) -> RoutingTable:
        """The table as the engine reads it."""
        return RoutingTable(self.table)

    @cached_property
    def spelt(self) -> RoutingTable:
        """The same for searches, which people read."""
        return RoutingTable(self.written)

    @cached_property
    def windows(self) -> RoutingTable:
        """Windows' alternatives alone, with the names that Windows itself gives to fields."""
        return windows_table(self.written)


def read_mappings(folder: Path) -> Mappings:
    """Compile every mapping file of ``folder``. Raises MappingError."""
    compiler = _Compiler()
    read: list[tuple[str, Any]] = []
    for path in sorted(folder.glob("*.yml")):
        name = path.as_posix()
        try:
            read += [(name, document) for document in documents(path, name)]
        except YamlFileError as fault:
            compiler.findings.append(fault.finding)
    # Field sets may be used by files that come before theirs.
    for name, document in read:
        compiler.read_shared(name, document)
    for name, document in read:
        compiler.read_sources(name, document)
    if compiler.findings:
        raise MappingError(sorted(compiler.findings))
    return Mappings({"keys": compiler.keys, "alternatives": compiler.alternatives}, compiler.sources)


class _Compiler:
    def __init__(self) -> None:
        self.keys: dict[str, list[list[Any]]] = {}
        self.fieldsets: dict[str, dict[str, list[Any]]] = {}
        self.alternatives: list[list[Any]] = []
        self.sources: list[MappedSource] = []
        self.findings: list[Finding] = []
        # The file being read.
        self.path = ""
        self.document: Any = None

    def fault(self, where: Where, message: str) -> None:
        self.findings.append(error(self.path, line_of(self.document, where), "mapping", message))

    def read_shared(self, path: str, document: Any) -> None:
        self.path, self.document = path, document
        if not self._is_mapping((), document, _FILE_KEYS):
            return
        version = document.get("version")
        if version != 1 or isinstance(version, bool):
            self.fault(("version",), "'version' must be 1")
        for name, candidates in self._items(("keys",)):
            where: Where = ("keys", name)
            if name in self.keys:
                self.fault(where, f"there is a key {shown(name)} already")
            self.keys[name] = [self._candidate(place, one) for place, one in self._listed(where, candidates)]
        for name, fields in self._items(("fieldsets",)):
            where = ("fieldsets", name)
            if name in self.fieldsets:
                self.fault(where, f"there is a field set {shown(name)} already")
            self.fieldsets[name] = self._fields(where, fields)

    def read_sources(self, path: str, document: Any) -> None:
        self.path, self.document = path, document
        sources = document.get("logsources") if isinstance(document, Mapping) else None
        if sources is not None and not isinstance(sources, list):
            self.fault(("logsources",), f"'logsources' is a list, this is {kind_of(sources)}")
            return
        for index, source in enumerate(sources or []):
            where: Where = ("logsources", index)
            if self._is_mapping(where, source, _SOURCE_KEYS):
                self._source(where, source)

    def _source(self, where: Where, source: Any) -> None:
        said = {key: source[key] for key in LogSource._fields if source.get(key) is not None}
        for key, value in said.items():
            if not isinstance(value, str):
                self.fault((*where, key), f"'{key}' is text, this is {kind_of(value)}")
        logsource = LogSource(**{key: str(value).lower() for key, value in said.items()})
        if not any(logsource):
            self.fault(where, "a log source needs a product, a category or a service")
        documented = source.get("source")
        if not isinstance(documented, str) or not documented.strip():
            self.fault(where, "'source' must say where these events are documented")
        self.sources.append(MappedSource(logsource, self.path, line_of(self.document, where), str(documented)))
        events = source.get("events")
        if not isinstance(events, list) or not events:
            self.fault(where, "'events' must be a list with at least one entry")
            return
        for index, event in enumerate(events):
            place = (*where, "events", index)
            if self._is_mapping(place, event, _EVENT_KEYS):
                self._alternative(place, logsource, event)

    def _alternative(self, where: Where, logsource: LogSource, event: Any) -> None:
        when = event.get("when")
        if not isinstance(when, Mapping) or not when:
            self.fault(where, "'when' must be a mapping that says which events these are")
            return
        decode = event.get("decode")
        if decode not in (None, "xml"):
            self.fault((*where, "decode"), "'decode' can only be 'xml'")
        conditions = [[key, self._values((*where, "when", key), values)] for key, values in when.items()]
        aliases: dict[str, list[Any]] = {}
        for fields in self._used(where, event):
            aliases = {**fields, **aliases}  # of two the earlier counts
        if event.get("fields") is not None:
            aliases.update(self._fields((*where, "fields"), event["fields"]))
        self.alternatives.append([list(logsource), conditions, decode == "xml", dict(sorted(aliases.items()))])

    def _values(self, where: Where, values: Any) -> list[str]:
        """What a field is compared with."""
        texts = []
        for place, value in self._listed(where, values):
            if value is None or isinstance(value, (Mapping, list)):
                self.fault(place, f"{shown(where[-1])} is compared with texts and numbers, not with {kind_of(value)}")
            texts.append(scalar_text(value))
        return texts

    def _used(self, where: Where, event: Any) -> Iterator[dict[str, list[Any]]]:
        """The field sets that an event uses."""
        if event.get("use") is None:
            return
        for place, name in self._listed((*where, "use"), event["use"]):
            if not isinstance(name, str):
                self.fault(place, f"'use' takes names of field sets, not {kind_of(name)}")
            elif name not in self.fieldsets:
                self.fault(place, f"there is no field set {shown(name)}")
            else:
                yield self.fieldsets[name]

    def _fields(self, where: Where, fields: Any) -> dict[str, list[Any]]:
        if not isinstance(fields, Mapping):
            self.fault(where, "fields are a mapping of a Sigma field to its names by profile")
            return {}
        return {str(field): self._alias((*where, field), alias) for field, alias in fields.items()}

    def _alias(self, where: Where, alias: Any) -> list[Any]:
        own, entries = True, []
        if not isinstance(alias, Mapping):
            self.fault(where, f"expected a mapping of a profile ({', '.join(_NAMED_PROFILES)}) to names")
            return [True, []]
        for profile, candidates in alias.items():
            place = (*where, profile)
            if profile == "own" and isinstance(candidates, bool):
                own = candidates
            elif profile in _NAMED_PROFILES:
                entries += [[profile, self._candidate(at, one)] for at, one in self._listed(place, candidates)]
            else:
                self.fault(place, f"unknown profile {shown(profile)}; there are {', '.join(_NAMED_PROFILES)}")
        return [own, entries]

    def _candidate(self, where: Where, candidate: Any) -> list[Any]:
        if isinstance(candidate, str) and candidate:
            return [candidate]
        if isinstance(candidate, Mapping) and isinstance(candidate.get("field"), str) and len(candidate) == 2:
            operation, argument = next((key, value) for key, value in candidate.items() if key != "field")
            if candidate["field"] and operation in OPERATIONS and self._is_argument(operation, argument):
                return [candidate["field"], operation, argument]
        self.fault(where, f"{candidate!r} is no name and no {{field: NAME, {' | '.join(OPERATIONS)}: ...}}")
        return [""]

    @staticmethod
    def _is_argument(operation: str, argument: Any) -> bool:
        if operation == "nth":
            return isinstance(argument, int) and not isinstance(argument, bool) and argument > 0
        if operation == "prefix":
            return (
                isinstance(argument, list) and bool(argument) and all(isinstance(one, str) and one for one in argument)
            )
        return argument is True

    def _is_mapping(self, where: Where, content: Any, keys: Iterable[str]) -> bool:
        if not isinstance(content, Mapping):
            self.fault(where, "expected a mapping")
            return False
        for key in content:
            if key not in keys:
                self.fault((*where, key), f"unknown key {shown(key)}; there are {', '.join(keys)}")
        return True

    def _items(self, where: tuple[str]) -> list[tuple[str, Any]]:
        content = self.document.get(where[0]) if isinstance(self.document, Mapping) else None
        if content is not None and not isinstance(content, Mapping):
            self.fault(where, f"'{where[0]}' is a mapping")
            return []
        return list((content or {}).items())

    def _listed(self, where: Where, content: Any) -> list[tuple[Where, Any]]:
        """(its place, value) of each of a list's values, or of the single value that stands in its stead."""
        if not isinstance(content, list):
            return [(where, content)]
        if not content:
            self.fault(where, f"{shown(where[-1])} has an empty list; write a name or a value, or leave it out")
        return [((*where, index), value) for index, value in enumerate(content)]
