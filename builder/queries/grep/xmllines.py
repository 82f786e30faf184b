"""Lines of XML: one Windows event each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from builder.queries.language import RefusedError
from builder.windowsnames import SYSTEM

from .alphabets import NEVER, Xml, escaped, one_of
from .lines import Body, Lines, Said, ahead, referred, said_of
from .patterns import Reading


class _Place(NamedTuple):
    """Where values stand: what is before one, from the beginning of the line on; what a value begins and ends with.

    ``outside``: characters that are never in a value as they are.
    """

    before: str
    begin: str
    closing: str
    outside: str

    def readings(self, apart: bool) -> list[Reading]:
        """How values may be read: entities as one character, or as they stand; at once where that is the same."""
        make = partial(Xml, self.closing, self.begin, self.outside)
        return [partial(make, named=False), partial(make, strict=True)] if apart else [make]


def _skipped(*unless: str) -> str:
    """Tags and text up to one of these tags."""
    return f"[^<]*+(?:<(?!{'|'.join(unless)})[^<]*+)*+<"


def _of_system(element: str) -> str:
    """What stands before an element of <System>, which has no further elements in them."""
    return f"{_skipped('System>')}System>{_skipped('/System>', f'{element}[ >]')}{element}"


#: Attributes of elements of <System>: field -> (element, attribute).
_ATTRIBUTES = {
    "Provider": ("Provider", "Name"),
    "Provider_Name": ("Provider", "Name"),
    "Provider_Guid": ("Provider", "Guid"),
}
#: Data that has no name: the elements of <EventData> themselves.
_ELEMENTS = ("Binary", "Data")
_QUOTE = "['\"]"
_LINE = _Place("", "^", "$", "")


def _place(name: str) -> _Place:
    if name in _ATTRIBUTES:
        element, attribute = _ATTRIBUTES[name]
        before = f"{_of_system(element)} (?:[^<>]* )?{attribute}={_QUOTE}"
        return _Place(before, f"(?<={attribute}={_QUOTE})", _QUOTE, "<>'\"")
    if any(character in "<>&'\"" or not character.isprintable() for character in name):
        raise RefusedError("field name", name)
    said = escaped(name)
    if name in SYSTEM:
        return _Place(f"{_of_system(said)}(?: [^<>]*)?>", f"(?<=<{said}>)", "<", "<")
    data = f"Data Name={_QUOTE}{said}{_QUOTE}>"
    places = [data, f"{said}>"] if name in _ELEMENTS else [data]
    # A name of <UserData> is that of an element, which has no blanks in it.
    before = f".*<{one_of([*places, *([] if ' ' in name else [f'UserData>.*<{said}(?: [^<>]*)?>'])])}"
    return _Place(before, f"(?<=<{data}|<{said}>)", "<", "<")


class XmlLines(Lines):
    """One event's XML a line; ``<Data Name='X'>`` and the elements of ``<UserData>`` are its data."""

    plain_numbers = True

    def found(self, name: str, bodies: Sequence[Body]) -> Said:
        """A value of a field is what one of the bodies asks for."""
        place = _place(name)
        asked = one_of(said_of(body, place.readings(body.apart)) for body in bodies)
        return Said(NEVER) if asked == NEVER else ahead(place.before + asked)

    def found_anywhere(self, body: Body) -> Said:
        """A body is found in the line."""
        asked = said_of(body, _LINE.readings(body.apart))
        return Said(NEVER) if asked == NEVER else ahead(asked)

    def reference(self, name: str, anchor: str, cased: bool, other: str) -> Said:
        """A value is, starts with, ... the value of another field."""
        value, compared = _place(other), _place(name)
        text = f"[^{compared.outside}]"
        taken = f"(?={value.before}([^{value.outside}]+){value.closing})"
        return ahead(taken + compared.before + referred(anchor, cased, f"{text}*", compared.closing))
