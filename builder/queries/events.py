"""Which events a rule means to a target, and what its fields are called there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from builder.kinds import Events, Kind, When, glob_parts, kinds
from builder.mappings import Mappings
from builder.windowsnames import PRODUCT, PROFILE, SYSTEM_ATTRIBUTES
from sigmaengine.modifiers import Test
from sigmaengine.rule import LogSource, Rule

from .language import Language, RefusedError, Said
from .walker import Naming, said


@dataclass(frozen=True)
class FieldProfile:
    """What a target calls the fields of Windows events.

    ``names``: of those that do not follow the pattern, by the name that Windows gives them (``windows``);
    ``data``: the name of data of an event, ``{}`` standing for Windows' name.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    data: str = "{}"

    def name(self, native: str) -> str:
        """The target's name of a field that Windows calls ``native``."""
        return self.names.get(native) or self.data.format(native)


class Asked(NamedTuple):
    """Events of one kind, and the names of fields in them."""

    events: Events
    naming: Naming


def is_windows(logsource: LogSource) -> bool:
    """Whether a log source is of Windows' event logs."""
    return logsource.product == PRODUCT


def asked(rule: Rule, mappings: Mappings, profile: FieldProfile) -> list[Asked]:
    """The kinds of events of a rule. Naming raises RefusedError.

    Of log sources that are not of Windows, and of such as no mapping gives, it is not known which events
    they are to a target: they have one kind, every event, and Sigma's own names.
    """
    if not is_windows(rule.logsource):
        return [Asked(Events(), str)]
    return [
        Asked(kind.events, partial(_name, kind, profile))
        for kind in kinds(rule, mappings.windows, PROFILE)
        if not any({} in whens for whens in kind.events.left_out)
    ]


def _name(kind: Kind, profile: FieldProfile, field: str) -> str:
    if field in SYSTEM_ATTRIBUTES:
        raise RefusedError("place", f"{field}, which can be an attribute of <System> or data of the event")
    natives = {tuple(candidate[0] for candidate in view.candidates(field)) for view in kind.views}
    if len(natives) != 1:
        raise RefusedError("names", field)
    (found,) = natives
    if len(found) != 1:
        raise RefusedError("field name", field)
    return profile.name(found[0])


def is_known(rule: Rule, mappings: Mappings) -> bool:
    """Whether it is known which events the rule's log source means to a target."""
    return is_windows(rule.logsource) and mappings.windows.is_mapped(rule.logsource)


def query(rule: Rule, mappings: Mappings, language: Language[Said], profile: FieldProfile) -> Said:
    """All that a language says of a rule: its events, and what is asked of them. Raises RefusedError."""
    return language.any_of(
        [
            language.all_of([*events_said(one.events, language, profile), said(rule, language, one.naming)])
            for one in asked(rule, mappings, profile)
        ]
    )


def events_said(events: Events, language: Language[Said], profile: FieldProfile) -> list[Said]:
    """What a language asks of events so that they are these: parts that have to hold, or none."""
    parts = [_one_of(whens, language, profile) for whens in events.taken if {} not in whens]
    return parts + [language.negated(_one_of(whens, language, profile)) for whens in events.left_out]


def _one_of(whens: Sequence[When], language: Language[Said], profile: FieldProfile) -> Said:
    return language.any_of([_when(when, language, profile) for when in whens])


def _when(when: When, language: Language[Said], profile: FieldProfile) -> Said:
    return language.all_of(
        [
            language.any_value(profile.name(_KEYS.get(key, key)), list(map(_glob_test, globs)))
            for key, globs in when.items()
        ]
    )


def _glob_test(glob: str) -> Test:
    return ["num", glob] if glob.isdigit() else ["str", False, glob_parts(glob)]


#: The keys that are not called like the field in which they stand.
_KEYS = {"channel": "Channel", "event_id": "EventID"}
