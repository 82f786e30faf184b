"""What lines of events are to grep: how a rule is asked of a line of XML, of JSON, of text.

All that is said of a line is one assertion or several at its beginning (``Said``): ``(?=...)`` holds where
something is found further on, ``(?!...)`` where it is not. None takes up anything, so that they can be
joined in any way.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from builder.queries.language import Language, RefusedError
from sigmaengine.modifiers import Test
from sigmaengine.patterns import Parts

from .alphabets import NEVER, Token, one_of
from .numbers import DEFINITIONS, compared, networks, number
from .patterns import Reading, tells_entities_apart, texts
from .regexes import regex


class Said(NamedTuple):
    """Assertions; ``sought``: what is looked for, if they are one look-ahead."""

    text: str
    sought: str = ""


def ahead(sought: str) -> Said:
    """Something is found from the beginning of the line on."""
    return Said(f"(?={sought})", sought)


class Body(NamedTuple):
    """What is asked of a value, from its beginning on.

    ``apart``: it matters whether an entity is one character, or several, in the whole value alike.
    """

    say: Callable[[Reading], str]
    apart: bool = False


class Lines(Language[Said]):
    """What all kinds of lines have in common."""

    #: Whether integers are written in one way.
    plain_numbers = False
    #: What patterns call by name, where they do.
    definitions: ClassVar[Mapping[str, str]] = DEFINITIONS

    def pattern(self, asked: Said) -> str:
        """The expression of a whole line of which this holds."""
        defined = "".join(f"(?<{name}>{said})" for name, said in self.definitions.items() if self._calls(asked, name))
        return "(?s)" + (f"(?(DEFINE){defined})" if defined else "") + "^" + asked.text

    def _calls(self, asked: Said, name: str) -> bool:
        return f"(?&{name})" in asked.text

    @abstractmethod
    def found(self, name: str, bodies: Sequence[Body]) -> Said:
        """A value of a field is what one of the bodies asks for. Raises RefusedError."""

    @abstractmethod
    def found_anywhere(self, body: Body) -> Said:
        """A body is found in the event's text. Raises RefusedError."""

    def all_of(self, parts: Sequence[Said]) -> Said:
        """All of them hold."""
        return parts[0] if len(parts) == 1 else Said("".join(part.text for part in parts))

    def any_of(self, parts: Sequence[Said]) -> Said:
        """One of them holds."""
        return parts[0] if len(parts) == 1 else Said(one_of(part.text for part in parts))

    def negated(self, part: Said) -> Said:
        """It does not hold."""
        return Said(f"(?!{part.sought or part.text})")

    def any_value(self, name: str, tests: Sequence[Test]) -> Said:
        """A value passes one of the tests: what asks for one value is looked for at once."""
        asked = [test for test in tests if test[0] in _BODIES]
        said = [self.found(name, self._bodies(asked))] if asked else []
        return self.any_of([*said, *(self.test(name, test) for test in tests if test[0] not in _BODIES)])

    def test(self, name: str, test: Test) -> Said:
        """A value passes a test."""
        return self.found(name, self._bodies([test])) if test[0] in _BODIES else super().test(name, test)

    def text(self, name: str, cased: bool, parts: Parts) -> Said:
        """A value is what a Sigma string means."""
        return self.test(name, ["str", cased, parts])

    def has_value(self, name: str) -> Said:
        """The field has a value that is not empty."""
        return self.found(name, [Body(lambda reading: f"(?!{reading(cased=False).closing})")])

    def keyword(self, test: Test) -> Said:
        """The event's text has what a keyword's test asks for."""
        if test[0] not in _BODIES:
            raise RefusedError("keyword")
        (body,) = self._bodies([test])
        return self.found_anywhere(body)

    def _bodies(self, tests: Sequence[Test]) -> list[Body]:
        """What tests ask for; those of one kind as one."""
        by_kind: dict[tuple[str, bool], list[Test]] = {}
        for test in tests:
            apart = test[0] == "re" or (test[0] == "str" and tells_entities_apart(test[2]))
            by_kind.setdefault((test[0], apart), []).append(test)
        return [Body(_BODIES[kind](listed, self.plain_numbers), apart) for (kind, apart), listed in by_kind.items()]


# --- what tests of one kind ask of a value --------------------------------------------------------

Say = Callable[[Reading], str]


def _texts(tests: Sequence[Test], _: bool) -> Say:
    listed = [(cased, parts) for _, cased, parts in tests]
    return lambda reading: texts(listed, reading)


def _regexes(tests: Sequence[Test], _: bool) -> Say:
    return lambda reading: one_of(
        regex(flags, expression, reading(cased="i" not in flags)) for _, flags, expression in tests
    )


def _whole(said: str) -> Say:
    """Digits, letters and the like, which have one spelling."""
    return lambda reading: said + reading(cased=False).closing


def _numbers(tests: Sequence[Test], plain: bool) -> Say:
    return _whole(one_of(number(text, plain) for _, text in tests))


def _networks(tests: Sequence[Test], _: bool) -> Say:
    said = networks(text for _, text in tests)
    return lambda reading: NEVER if isinstance(reading(cased=False), Token) else said + reading(cased=False).closing


def _compared(tests: Sequence[Test], _: bool) -> Say:
    return _whole(one_of(compared(operator, text) for _, operator, text in tests))


_BODIES: dict[str, Callable[[Sequence[Test], bool], Say]] = {
    "str": _texts,
    "num": _numbers,
    "re": _regexes,
    "cidr": _networks,
    "cmp": _compared,
}


def said_of(body: Body, readings: Sequence[Reading]) -> str:
    """What a body asks for, in one of some readings."""
    return one_of(body.say(reading) for reading in readings)


def referred(anchor: str, cased: bool, run: str, end: str) -> str:
    """A value that is, starts with, ... the text that was taken up last."""
    same = "\\g{-1}" if cased else "(?i:\\g{-1})"
    before = run if anchor in ("contains", "endswith") else ""
    return before + same + (end if anchor in ("", "endswith") else "")
