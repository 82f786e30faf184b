"""Reading a YAML document that people write: each fault is told with its line, and reading goes on.

A *reader* of a value takes a ``Place`` and returns what the value means, or FAULTY after it has said
what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from builder.findings import Finding, error
from sigmaengine.problems import Where, kind_of, shown
from sigmaengine.ruletext import line_of

from .conf import unwritable


class _Faulty:
    """The type of FAULTY."""


FAULTY = _Faulty()


class Place(NamedTuple):
    """A value of a document, and where it stands. ``findings``: what is wrong with the document so far."""

    value: Any
    where: Where
    document: Any
    path: str
    findings: list[Finding]

    @property
    def name(self) -> str:
        """What messages call the place: ``streams.period``, ``by_rule 2``."""
        text = ""
        for step in self.where:
            text += f" {step + 1}" if isinstance(step, int) else f".{step}" if text else str(step)
        return text

    def fault(self, message: str) -> _Faulty:
        """Say what is wrong here."""
        line = line_of(self.document, self.where)
        said = f"'{self.name}': {message}" if self.where else message
        self.findings.append(error(self.path, line, "config", said))
        return FAULTY

    def at(self, step: Any) -> Place:
        """The place of a key or position."""
        return self._replace(value=self.value[step], where=(*self.where, step))

    def wrong(self, expected: str) -> _Faulty:
        """Say that this is of a wrong type."""
        return self.fault(f"expected {expected}, this is {kind_of(self.value)}")


Reader = Callable[[Place], Any]


def did_you_mean(name: str, names: Collection[str], what: str) -> str:
    """The end of a message: the name that is meant, or all there are."""
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"{what} {', '.join(sorted(names))}"


def section(place: Place, readers: Mapping[str, Reader]) -> dict[str, Any] | None:
    """The values of a mapping with these keys; None if anything of it is faulty, which has been said.

    A key without a value is as if it were not there.
    """
    if not isinstance(place.value, Mapping):
        place.wrong("a mapping")
        return None
    before, found = len(place.findings), {}
    for key, value in place.value.items():
        inner = place.at(key)
        if key not in readers:
            inner.fault(f"there is no such key; {did_you_mean(str(key), readers, 'there are')}")
        elif value is not None:
            found[key] = readers[key](inner)
    return found if len(place.findings) == before else None


def mapping(make: Callable[..., Any], readers: Mapping[str, Reader], *needed: str) -> Reader:
    """A reader of a mapping that becomes what ``make`` makes of its place and values."""

    def read(place: Place) -> Any:
        values = section(place, readers)
        if values is None:
            return FAULTY
        missing = [key for key in needed if key not in values]
        return place.fault(f"needs {' and '.join(missing)}") if missing else make(place, values)

    return read


def made(make: Callable[..., Any], readers: Mapping[str, Reader], *needed: str) -> Reader:
    """A reader of a mapping whose values are the arguments of ``make``."""
    return mapping(lambda _, values: make(**values), readers, *needed)


def or_off(reader: Reader) -> Reader:
    """A reader of what can be switched off with false; None then."""
    return lambda place: None if place.value is False else reader(place)


def several(reader: Reader) -> Reader:
    """A reader of a value or a list of values; a tuple of what is right."""

    def read(place: Place) -> Any:
        if not isinstance(place.value, list):
            one = reader(place)
            return one if one is FAULTY else (one,)
        if not place.value:
            return place.fault("the list is empty")
        found = [reader(place.at(index)) for index in range(len(place.value))]
        return tuple(one for one in found if one is not FAULTY)

    return read


def one_of(names: Collection[str]) -> Reader:
    """A reader of one of these names, in any case."""

    def read(place: Place) -> Any:
        if not isinstance(place.value, str):
            return place.wrong("text")
        name = place.value.strip().lower()
        if name in names:
            return name
        return place.fault(f"there is no {shown(place.value)}; {did_you_mean(name, names, 'there are')}")

    return read


def checked(read_value: Callable[[Any], Any]) -> Reader:
    """A reader by a function that raises ValueError with a message."""

    def read(place: Place) -> Any:
        try:
            return read_value(place.value)
        except ValueError as fault:
            return place.fault(f"{shown(place.value)}: {fault}")

    return read


def text(place: Place) -> Any:
    """Text that says something, on one line."""
    if not isinstance(place.value, str):
        return place.wrong("text")
    said = " ".join(place.value.split())
    return settable(place._replace(value=said)) if said else place.fault("the text is empty")


def settable(place: Place) -> Any:
    """Text that a .conf file can hold."""
    reason = unwritable(place.value)
    return place.fault(f"{shown(place.value)}: {reason}") if reason else place.value


def flag(place: Place) -> Any:
    """True or false."""
    return place.value if isinstance(place.value, bool) else place.wrong("true or false")
