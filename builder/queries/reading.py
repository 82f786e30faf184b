"""In which channels, and by which ids, the events of a rule can be found: what a target reads at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sigmaengine.modifiers import Test
from sigmaengine.patterns import Parts, is_plain, plain_text
from sigmaengine.rule import Rule

from .events import Asked, FieldProfile, events_said
from .language import Language
from .walker import said

#: Windows' own names.
NATIVE = FieldProfile()


class Box(NamedTuple):
    """Events of some channels with some ids; None: of any."""

    channels: frozenset[str] | None = None
    ids: frozenset[str] | None = None


Boxes = tuple[Box, ...]
EVERYTHING: Boxes = (Box(),)


_GIVEN = re.compile(r"[^\W_](?:[ -~](?<![*?\[\]`]))*", re.ASCII)


class Reading(Language[Boxes]):
    """Boxes in which all events are that a rule may match."""

    def all_of(self, parts: Sequence[Boxes]) -> Boxes:
        """What is in a box of each."""
        found = EVERYTHING
        for boxes in parts:
            found = tuple(
                Box(_both(one.channels, two.channels), _both(one.ids, two.ids)) for one in found for two in boxes
            )
            found = _merged([box for box in found if box.channels != frozenset() and box.ids != frozenset()])
        return found

    def any_of(self, parts: Sequence[Boxes]) -> Boxes:
        """The boxes of all."""
        return _merged([box for boxes in parts for box in boxes])

    def negated(self, part: Boxes) -> Boxes:
        """Anything."""
        return EVERYTHING

    def text(self, name: str, cased: bool, parts: Parts) -> Boxes:
        """Channels and ids by name."""
        if is_plain(parts):
            # A name that cannot be given to Get-WinEvent as it is says nothing of what is to be read.
            if name == "Channel" and _GIVEN.fullmatch(plain_text(parts)):
                return (Box(channels=frozenset([plain_text(parts)])),)
            if name == "EventID" and re.fullmatch("[0-9]{1,9}", plain_text(parts)):
                return (Box(ids=frozenset([plain_text(parts)])),)
        return EVERYTHING

    def any_value(self, name: str, tests: Sequence[Test]) -> Boxes:
        """Numbers are ids as texts are."""
        return self.any_of([self._one(name, test) for test in tests])

    def _one(self, name: str, test: Test) -> Boxes:
        if test[0] == "num":
            return self.text(name, cased=False, parts=(test[1],))
        return self.text(name, test[1], tuple(test[2])) if test[0] == "str" else EVERYTHING

    def keyword(self, test: Test) -> Boxes:
        """Anywhere."""
        return EVERYTHING


def _both(one: frozenset[str] | None, two: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or two is None:
        return two if one is None else one
    folded = {text.lower() for text in two}
    return frozenset(text for text in one if text.lower() in folded)


def either(one: frozenset[str] | None, two: frozenset[str] | None) -> frozenset[str] | None:
    """All of both; None is everything."""
    return None if one is None or two is None else one | two


def _merged(boxes: Sequence[Box]) -> Boxes:
    """Boxes of the same channels joined; all there is if one is everything."""
    by_channels: dict[frozenset[str] | None, Box] = {}
    for box in boxes:
        other = by_channels.get(box.channels)
        by_channels[box.channels] = box if other is None else Box(box.channels, either(box.ids, other.ids))
    everything = by_channels.get(None)
    if everything is not None and everything.ids is None:
        return EVERYTHING
    return tuple(by_channels.values())


def boxes_of(rule: Rule, kind: Asked) -> Boxes:
    """Boxes in which all events of a kind are that a rule matches; of a rule that contradicts itself, all of the kind.

    Raises RefusedError.
    """
    reading = Reading()
    events = [EVERYTHING, *events_said(kind.events, reading, NATIVE)]
    return reading.all_of([*events, said(rule, reading, kind.naming)]) or reading.all_of(events)
