"""Lines of JSON: one object each, whose structure is followed from its first bracket on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from builder.windowsnames import SYSTEM

from .alphabets import NEVER, Json, Token, one_of
from .lines import Body, Lines, Said, ahead, referred, said_of
from .patterns import Reading

_STRING = '"(?:[^"\\\\]++|\\\\.)*+"'
_COLON = "\\s*+:\\s*+"
_OPEN = "\\{\\s*+"
#: Members of an object that are passed over; elements of arrays, one within the other.
_MEMBERS = "(?&m)*?"
_ELEMENTS = "(?:\\[\\s*+(?:(?&v)\\s*+,\\s*+)*?)*"
_VALUE = f'{_STRING}|[{{\\[](?:[^][{{}}"]++|(?&v))*+[}}\\]]|[^][{{}}",\\s]++'
_DEFINITIONS = {"v": _VALUE, "m": f"(?>{_STRING}{_COLON}(?&v)\\s*+,\\s*+)"}

_READINGS: tuple[Reading, Reading] = (Json, Token)
#: Neither null nor an object or array.
_UNQUOTED = "(?=[-0-9tf])"
_TAKEN = f'(?|"((?:[^"\\\\]++|\\\\.)++)"|{_UNQUOTED}([^\\s,\\]}}]++))'


def _key(*names: str) -> str:
    """A member with one of these names."""
    return f'{_MEMBERS}"{one_of(map(Json(cased=True).literal, names))}"{_COLON}'


def _asked(bodies: Sequence[Body], string_ends: str = "") -> str:
    string, token = (one_of(said_of(body, [reading]) for body in bodies) for reading in _READINGS)
    forms = [f'"{string_ends}{string}' if string != NEVER else NEVER]
    return one_of([*forms, _UNQUOTED + token if token != NEVER else NEVER])


class _JsonLines(Lines):
    definitions: ClassVar[Mapping[str, str]] = {**Lines.definitions, **_DEFINITIONS}

    @abstractmethod
    def path(self, name: str) -> str:
        """What stands before a value of a field, from the beginning of the line on."""

    def found(self, name: str, bodies: Sequence[Body]) -> Said:
        """A value of a field is what one of the bodies asks for."""
        asked = _asked(bodies)
        return Said(NEVER) if asked == NEVER else ahead(self.path(name) + asked)

    def found_anywhere(self, body: Body) -> Said:
        """A body is found in a value, and not in a name."""
        asked = _asked([body], f'(?=(?:[^"\\\\]++|\\\\.)*+"(?!{_COLON}))')
        return Said(NEVER) if asked == NEVER else ahead(f'(?>[^"]|{_STRING})*?(?<=[\\s:,\\[]){asked}')

    def reference(self, name: str, anchor: str, cased: bool, other: str) -> Said:
        """A value is, starts with, ... the value of another field."""
        string, token = (
            referred(anchor, cased, f"[^{outside}]*", end)
            for outside, end in (('"', Json().closing), ('\\s,\\]}"', Token().closing))
        )
        return ahead(f'(?={self.path(other)}{_TAKEN}){self.path(name)}(?:"{string}|{_UNQUOTED}{token})')


class JsonLines(_JsonLines):
    """Any object: ``a.b`` is a member's name, or the member b of the object a, or of one in the array a."""

    def path(self, name: str) -> str:
        """What stands before a value of a field."""
        return f"\\s*+{_OPEN}{_member(name.split('.'))}{_ELEMENTS}"


def _member(steps: Sequence[str]) -> str:
    """A member with a name of several steps, each of which may be an object of its own."""
    forms = [f'"{Json(cased=True).literal(".".join(steps))}"{_COLON}']
    for count in range(1, len(steps)):
        first = Json(cased=True).literal(".".join(steps[:count]))
        forms.append(f'"{first}"{_COLON}{_ELEMENTS}{_OPEN}{_member(steps[count:])}')
    return _MEMBERS + one_of(forms)


def _within(name: str) -> str:
    """In the object of this name, where there is one."""
    return f"(?:{_key(name)}{_OPEN})?+"


class WindowsJsonLines(_JsonLines):
    """Windows events: flat, or as evtx_dump nests them (Event, System, EventData or UserData)."""

    def path(self, name: str) -> str:
        """What stands before a value of a field."""
        event = f"\\s*+{_OPEN}{_within('Event')}"
        if name in _PROVIDER:
            attribute = f"{_key('Provider')}(?:{_OPEN}{_key('#attributes')}{_OPEN}{_key(_PROVIDER[name])})"
            optional = "?" if name != "Provider_Guid" else ""
            return f"{event}{_within('System')}(?:{_key(name)}|{attribute}{optional})"
        if name in SYSTEM:
            within = _within("System")
        else:
            within = f"(?:{_key('EventData', 'UserData')}{_OPEN}(?:{_MEMBERS}{_STRING}{_COLON}{_OPEN})?)?"
        return f"{event}{within}{_key(name)}(?:{_OPEN}{_key('#text')})?{_ELEMENTS}"


_PROVIDER = {"Provider": "Name", "Provider_Name": "Name", "Provider_Guid": "Guid"}
