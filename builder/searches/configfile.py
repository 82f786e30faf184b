"""The file of ``package --config``: YAML -> ``Configuration``, with every fault told by its line.

``_TOP`` is its table of contents; docs/searches.md describes each key.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from builder.findings import Finding, error
from builder.outcomes import RuleFolder
from builder.yamlfiles import YamlFileError, documents
from sigmaengine.condition import glob_matcher
from sigmaengine.folding import fold
from sigmaengine.metadata import LEVELS, STATUSES
from sigmaengine.problems import shown
from sigmaengine.selection import RuleInfo, Selection

from .configuration import (
    OTHER,
    Actions,
    ByRule,
    Choice,
    Configuration,
    Email,
    Enabled,
    Notable,
    Risk,
    RiskObject,
    Schedule,
    Streams,
    Summary,
    Throttle,
    Webhook,
    path_test,
    rule_info,
)
from .schedule import DAY, HOUR, MINUTE, PERIODS, duration, read_cron, read_duration
from .sections import (
    FAULTY,
    Place,
    Reader,
    checked,
    did_you_mean,
    flag,
    made,
    mapping,
    one_of,
    or_off,
    section,
    settable,
    several,
    text,
)

#: Namings of fields in which SPL can be written.
FIELDS = ("auto", "windows_xml", "windows_classic", "sysmon", "cim")
_SECURITY_DOMAINS = ("access", "audit", "endpoint", "identity", "network", "threat")
_OBJECT_TYPES = ("system", "user", "other")

_INDEX = re.compile(r"[a-z0-9_*][a-z0-9_*-]*\Z")
_FIELD = re.compile(r"[^\s,\"'`|=]+\Z")
_ADDRESS = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\Z|\$result\.[\w.]+\$\Z")


class ConfigurationError(Exception):
    """The configuration cannot be used. ``findings`` says why, line by line."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


def read_configuration(
    path: Path | None, folder: RuleFolder, products: Collection[str], streams: Collection[str]
) -> Configuration:
    """The configuration for a folder of rules; without a file, the defaults.

    ``products`` and ``streams``: the names that there are of them. Raises ConfigurationError.
    """
    if path is None:
        return Configuration()
    name = path.as_posix()
    try:
        read = list(documents(path, name))
    except YamlFileError as fault:
        raise ConfigurationError([fault.finding]) from None
    if not read:
        return Configuration()
    if len(read) > 1:
        raise ConfigurationError([error(name, getattr(read[1], "line", 1), "config", "there is a second document")])
    place = Place(read[0], (), read[0], name, [])
    values = section(place, _top(_Rules(folder), products, streams))
    if values is None:
        raise ConfigurationError(sorted(place.findings))
    values.pop("version", None)
    found = Configuration(**values)
    shortest = min(_periods_of(found, folder))
    if found.schedule_window.isdecimal() and int(found.schedule_window) * MINUTE >= shortest:
        place.at("schedule_window").fault(f"a search runs every {duration(shortest)}; the window must be shorter")
        raise ConfigurationError(place.findings)
    return found


def _periods_of(configuration: Configuration, folder: RuleFolder) -> Iterator[int]:
    """How often searches run, of streams, of single rules and of correlations."""
    yield configuration.streams.period
    yield from (schedule.timing.period for schedule in configuration.schedules)
    own = configuration.alone(folder.accepted)
    selected = {one.id for one in configuration.select.chosen(folder.accepted) if one.correlation}
    for info in map(rule_info, folder.accepted):
        if info.id in own or info.id in selected:
            yield configuration.periods[info.level]


# --- values -------------------------------------------------------------------------------------


def _version(place: Place) -> Any:
    return 1 if place.value == 1 and place.value is not True else place.fault("the version must be 1")


def _between(least: int, most: int) -> Reader:
    def read(value: object) -> int:
        seconds = read_duration(value)
        if not least <= seconds <= most:
            raise ValueError(f"must be between {duration(least)} and {duration(most)}")
        return seconds

    return checked(read)


def _period_of(value: object) -> int:
    seconds = read_duration(value)
    if seconds not in PERIODS:
        raise ValueError(f"is no period of a search; there are {', '.join(map(duration, PERIODS))}")
    return seconds


_period = checked(_period_of)


def _minutes(least: int, most: int) -> Reader:
    """Searches snap to minutes."""
    between = _between(least, most)

    def read(place: Place) -> Any:
        seconds = between(place)
        if seconds is not FAULTY and seconds % MINUTE:
            return place.fault(f"{shown(place.value)}: must be whole minutes")
        return seconds

    return read


def _window(place: Place) -> Any:
    if place.value == "auto":
        return "auto"
    seconds = _minutes(0, DAY)(place)
    return seconds if seconds is FAULTY else str(seconds // MINUTE)


def _index(place: Place) -> Any:
    if not isinstance(place.value, str):
        return place.wrong("text")
    if not _INDEX.match(place.value):
        return place.fault(
            f"{shown(place.value)} is no name of an index: lower-case letters, digits, _ and - without blanks;"
            " * for any text"
        )
    return place.value


def _written_index(place: Place) -> Any:
    name = _index(place)
    return place.fault("an index to write to has no *") if name is not FAULTY and "*" in name else name


def _field(place: Place) -> Any:
    if not isinstance(place.value, str) or not _FIELD.match(place.value):
        return place.fault(f"{shown(place.value)} is no name of a field")
    return settable(place)


def _address(place: Place) -> Any:
    if not isinstance(place.value, str) or not _ADDRESS.match(place.value):
        return place.fault(f"{shown(place.value)} is no mail address and no $result.FIELD$")
    return settable(place)


def _url(place: Place) -> Any:
    value = place.value
    parts = urlsplit(value) if isinstance(value, str) and value.isprintable() and " " not in value else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        return place.fault(f"{shown(value)} is no address of the form https://host/path")
    return settable(place)


def _folded(place: Place) -> Any:
    said = text(place)
    return said if said is FAULTY else fold(said)


# --- rules --------------------------------------------------------------------------------------


class _Rules:
    """The rules that there are, and readers of choices among them."""

    def __init__(self, folder: RuleFolder) -> None:
        self.accepted = folder.accepted
        self.infos = [rule_info(outcome) for outcome in self.accepted]
        self.refused = [RuleInfo(one.id, one.title, "", "", "", []) for one in folder.refused]
        self.tags = sorted({tag for info in self.infos for tag in info.tags})
        self.names = [name for info in self.infos for name in (info.id, info.title)]
        #: What the command can select by.
        self.options: dict[str, Reader] = {
            "rules": several(self._pattern),
            "level": one_of(LEVELS),
            "status": several(one_of((*STATUSES, "*"))),
            "tags": several(self._tag),
        }
        self.keys: dict[str, Reader] = {**self.options, "path": several(self._path)}

    def choice(self, place: Place, values: Mapping[str, Any], default: Selection = Selection()) -> Any:  # noqa: B008  immutable
        """The choice that ``values``, of such keys, make; it must not be empty."""
        selection = Selection(
            _all_if_any(values.get("rules", default.rules)),
            values.get("level", default.level),
            _all_if_any(values.get("status", default.statuses)),
            _all_if_any(values.get("tags", default.tags)),
        )
        choice = Choice(selection, values.get("path", ()))
        return choice if choice.chosen(self.accepted) else place.fault("no rule is selected by all of this together")

    def _pattern(self, place: Place) -> Any:
        pattern = _folded(place)
        if pattern is FAULTY or pattern == "*":
            return pattern
        if "," in pattern:
            return place.fault(f"{shown(place.value)}: several are a list; the comma of a title is written *")
        selection = Selection((pattern,))
        if not selection.unmatched(self.infos):
            return pattern
        if not selection.unmatched(self.refused):
            return place.fault(f"the rule {shown(place.value)} is refused, so it is not in the package")
        hint = did_you_mean(place.value, self.names, "") if get_close_matches(place.value, self.names, n=1) else ""
        return place.fault(f"no rule has the id or title {shown(place.value)}; {hint or 'build-report.json lists all'}")

    def _tag(self, place: Place) -> Any:
        glob = _folded(place)
        test = glob_matcher(str(glob))
        if glob is FAULTY or glob == "*" or any(map(test, self.tags)):
            return glob
        return place.fault(f"no rule has the tag {shown(place.value)}")

    def _path(self, place: Place) -> Any:
        glob = _folded(place)
        test = path_test((str(glob),))
        if glob is FAULTY or any(test(outcome.path) for outcome in self.accepted):
            return glob
        return place.fault(f"no rule's file matches {shown(place.value)}; a path is such as windows/*")


def _all_if_any(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return () if "*" in patterns else patterns


# --- sections -----------------------------------------------------------------------------------

_STREAMS: dict[str, Reader] = {
    "period": _period,
    "lag": _minutes(0, DAY),
    "lookback": _minutes(HOUR, 60 * DAY),
}
_PERIODS: dict[str, Reader] = dict.fromkeys(LEVELS, _period)
_THROTTLE: dict[str, Reader] = {"period": _between(1, 30 * DAY), "fields": several(_field)}
_OBJECT: dict[str, Reader] = {"field": _field, "type": one_of(_OBJECT_TYPES)}
_ACTIONS: dict[str, Reader] = {
    "email": or_off(made(Email, {"to": several(_address), "subject": text}, "to")),
    "webhook": or_off(made(Webhook, {"url": _url}, "url")),
    "notable": or_off(made(Notable, {"security_domain": one_of(_SECURITY_DOMAINS)})),
    "risk": or_off(made(Risk, {"objects": several(made(RiskObject, _OBJECT, "field", "type"))})),
    "summary": or_off(made(Summary, {"index": _written_index})),
}


def _actions(place: Place) -> Any:
    """An action without a value is neither on nor off."""
    nothing = [key for key, value in place.value.items() if value is None] if isinstance(place.value, Mapping) else []
    for key in nothing:
        place.at(key).fault("has no value: a mapping, as {}, switches it on, false off")
    read = made(Actions, _ACTIONS)(place)
    return FAULTY if nothing else read


def _top(rules: _Rules, products: Collection[str], streams: Collection[str]) -> dict[str, Reader]:
    """The keys of the file."""
    stream = {"streams": several(one_of(streams))}
    return {
        "version": _version,
        "fields": one_of(FIELDS),
        "select": mapping(partial(rules.choice, default=Configuration().select.selection), rules.options),
        "enable": partial(_enable, rules, {**rules.keys, **stream}),
        "indexes": made(dict, {name: several(_index) for name in (*products, OTHER)}),
        "streams": made(Streams, _STREAMS),
        "by_rule": several(mapping(partial(_by_rule, rules), {**rules.keys, "datamodel": flag})),
        "periods": made(lambda **said: {**Configuration().periods, **said}, _PERIODS),
        "schedules": several(
            mapping(partial(_schedule, rules), {**rules.keys, **stream, "cron": checked(read_cron)}, "cron")
        ),
        "throttle": or_off(made(Throttle, _THROTTLE)),
        "schedule_window": _window,
        "expires": _between(MINUTE, 90 * DAY),
        "datamodel_lag": _minutes(0, DAY),
        "actions": _actions,
    }


def _enable(rules: _Rules, readers: Mapping[str, Reader], place: Place) -> Any:
    if isinstance(place.value, bool):
        return Enabled(everything=place.value)
    return mapping(partial(_enabled, rules), readers)(place)


def _enabled(rules: _Rules, place: Place, values: Mapping[str, Any]) -> Any:
    chooses = any(key in values for key in rules.keys)
    choice = rules.choice(place, values) if chooses else None
    return choice if choice is FAULTY else Enabled(choice=choice, streams=values.get("streams", ()))


def _by_rule(rules: _Rules, place: Place, values: Mapping[str, Any]) -> Any:
    choice = rules.choice(place, values)
    return choice if choice is FAULTY else ByRule(choice, values.get("datamodel", False))


def _schedule(rules: _Rules, place: Place, values: Mapping[str, Any]) -> Any:
    chooses = any(key in values for key in rules.keys)
    if not chooses and "streams" not in values:
        return place.fault("needs streams, or rules by rules, level, status, tags or path")
    choice = rules.choice(place, values) if chooses else None
    return choice if choice is FAULTY else Schedule(values["cron"], values.get("streams", ()), choice)
