"""The compiled rule set on disk: written by the build, read by the command.

A folder of JSON files::

    index.json        {"format", "version", "hash", "shards": [{"logsource", "fields", "keywords",
                       "rules": [RuleInfo...]}], "correlations": how many}
    correlations.json the correlations, inner ones first (see ``correlation``)
    routing.json      the routing table (see ``routing``)
    masks-NNN.json    the rules of one log source for matching (see ``program``)
    rules-NNN.json    the same rules in full, in the order of the index

A search reads the index, of the masks only those whose events it meets, and of the full rules only
those that it has to explain, to evaluate plainly or to select few from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from typing import Any, Callable, NamedTuple

from .correlation import Correlation
from .correlationplan import CorrelationPlan, base_rules, info_of, needed
from .correlationrefs import inner_first
from .metadata import LEVELS
from .program import Program, compile_program
from .routing import RoutingTable
from .rule import LogSource, Rule
from .selection import RuleInfo

FORMAT = "sigma-match-ruleset"
VERSION = 4


class RuleSetError(Exception):
    """The compiled rules cannot be used; the message says why and what to do."""


class Shard(NamedTuple):
    """The rules of one log source: in memory, or in the files of this ``number``."""

    logsource: LogSource
    infos: list[RuleInfo]
    fields: list[str]
    keywords: bool
    number: int = 0
    rules: list[Rule] | None = None


class RuleSet:
    """Shards and the routing table; ``load`` reads one from disk, ``from_rules`` makes one in memory."""

    def __init__(
        self,
        shards: Sequence[Shard],
        routing: RoutingTable,
        digest: str,
        folder: str = "",
        correlations: Sequence[Correlation] = (),
    ) -> None:
        self.shards, self.routing, self.hash, self.folder = list(shards), routing, digest, folder
        #: Inner correlations come before those that list them.
        self.correlations = list(correlations)

    @property
    def infos(self) -> list[RuleInfo]:
        """What is known of every rule."""
        return [info for shard in self.shards for info in shard.infos]

    @property
    def correlation_infos(self) -> list[RuleInfo]:
        """What is known of every correlation, as of a rule."""
        return [info_of(correlation) for correlation in self.correlations]

    def with_base_rules(self, select: Callable[[RuleInfo], bool]) -> Callable[[RuleInfo], bool]:
        """``select``, and the rules whose matches the correlations look at that it selects."""
        listed = base_rules(needed(self.correlations, select))
        return (lambda info: info.id in listed or select(info)) if listed else select

    def correlated_fields(self) -> dict[str, list[str]]:
        """The fields that correlations need of the matches of each rule that they count, by its id."""
        return CorrelationPlan(self.correlations, lambda _: True).fields

    def logsources(self, rules: Collection[str]) -> dict[str, LogSource]:
        """The log sources of rules, by id."""
        return {info.id: shard.logsource for shard in self.shards for info in shard.infos if info.id in rules}

    def rules_of(self, shard: Shard) -> list[Rule]:
        """The rules of a shard, read from disk where necessary. Raises RuleSetError."""
        if shard.rules is not None:
            return shard.rules
        content = _read_json(os.path.join(self.folder, _file("rules", shard.number)))
        try:
            rules = [Rule.from_json(values) for values in content]
        except (TypeError, ValueError) as error:
            raise self._damaged(error) from None
        if len(rules) != len(shard.infos):
            raise self._damaged("rules are missing")
        return rules

    def program_of(self, shard: Shard) -> Program:
        """The program of a shard, read from disk where there is one. Raises RuleSetError."""
        if shard.rules is not None:
            return compile_program(shard.rules)
        program: Any = _read_json(os.path.join(self.folder, _file("masks", shard.number)))
        if not isinstance(program, dict) or program.get("rules") != len(shard.infos):
            raise self._damaged("rules are missing")
        found: Program = program
        return found

    def _damaged(self, reason: object) -> RuleSetError:
        return _damaged(self.folder, reason)


def _file(kind: str, number: int) -> str:
    return f"{kind}-{number:03}.json"


def make_shards(rules: Iterable[Rule]) -> list[Shard]:
    """Rules grouped by log source, in a fixed order whatever order they come in."""
    by_source: dict[LogSource, list[Rule]] = {}
    for rule in rules:
        by_source.setdefault(rule.logsource, []).append(rule)
    return [_make_shard(source, sorted(group, key=lambda rule: rule.id)) for source, group in sorted(by_source.items())]


def _make_shard(source: LogSource, rules: list[Rule]) -> Shard:
    fields = sorted({field for rule in rules for field in rule.fields()})
    infos = [
        RuleInfo(rule.id, rule.title, rule.level, rule.status, rule.author, rule.tags, name=rule.name) for rule in rules
    ]
    return Shard(source, infos, fields, any(rule.has_keywords for rule in rules), rules=rules)


def from_rules(rules: Iterable[Rule], routing: RoutingTable, correlations: Sequence[Correlation] = ()) -> RuleSet:
    """A rule set in memory. ``correlations`` are resolved (see ``correlationrefs``)."""
    return RuleSet(make_shards(rules), routing, "", correlations=inner_first(correlations))


def write(
    rules: Iterable[Rule], routing_table: dict[str, Any], folder: str, correlations: Sequence[Correlation] = ()
) -> str:
    """Write a rule set into ``folder`` (made if missing) and return its hash, 16 hexadecimal digits.

    ``correlations`` are resolved (see ``correlationrefs``).
    """
    from .packedjson import packed as _json  # no search writes rules

    os.makedirs(folder, exist_ok=True)
    contents = {"routing.json": _json(routing_table)}
    if correlations:
        contents["correlations.json"] = _json(inner_first(correlations))
    entries = []
    for number, shard in enumerate(make_shards(rules)):
        contents[_file("rules", number)] = _json(shard.rules)
        contents[_file("masks", number)] = _json(compile_program(shard.rules or []))
        entries.append(
            {
                "logsource": shard.logsource,
                "fields": shard.fields,
                "keywords": shard.keywords,
                "rules": shard.infos,
            }
        )
    digest = sha256("\0".join([_json(entries), *contents.values()]).encode()).hexdigest()[:16]
    index = {"format": FORMAT, "version": VERSION, "hash": digest, "correlations": len(correlations), "shards": entries}
    contents["index.json"] = _json(index)
    for name, content in contents.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
            file.write(content + "\n")
    return digest


def load(folder: str) -> RuleSet:
    """Read the index and the routing table from ``folder``. Raises RuleSetError."""
    index = _read_json(os.path.join(folder, "index.json"))
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise RuleSetError(f"{folder} holds no compiled rules of Sigma Match; install the app again")
    if index.get("version") != VERSION:
        raise RuleSetError(
            f"the compiled rules have version {index.get('version')}, this command reads {VERSION}:"
            " rules and command are of different builds; install the app again"
        )
    try:
        shards = [
            Shard(
                LogSource(*entry["logsource"]),
                [RuleInfo(*info) for info in entry["rules"]],
                entry["fields"],
                entry["keywords"],
                number,
            )
            for number, entry in enumerate(index["shards"])
        ]
        digest = index["hash"]
        for info in (info for shard in shards for info in shard.infos):
            LEVELS.index(info.level)  # what results are ordered by
        table = RoutingTable(_read_json(os.path.join(folder, "routing.json")))
        # Most rule sets have none: a search should not look for what is not there.
        listed = _read_json(os.path.join(folder, "correlations.json")) if index["correlations"] else []
        correlations = [Correlation.from_json(values) for values in listed]
        if len(correlations) != index["correlations"]:
            raise _damaged(folder, "correlations are missing")
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder, error) from None
    return RuleSet(shards, table, digest, folder, correlations)


def _damaged(folder: str, reason: object) -> RuleSetError:
    return RuleSetError(f"the compiled rules in {folder} are damaged ({reason}); install the app again")


def _read_json(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise RuleSetError(f"cannot read {path}: {error.strerror}; install the app again") from None
    except ValueError as error:
        raise RuleSetError(f"{path} is damaged ({error}); install the app again") from None
