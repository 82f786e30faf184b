"""How a line writes the characters of a value: as they are, as entities of XML, as escapes of JSON.

All that is said of a value is said in an ``Alphabet``: parts of a regular expression of PCRE's that
take up whole characters of the value, and never more than the value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import NamedTuple

from builder.queries.language import RefusedError
from sigmaengine.folding import fold

#: What nothing is.
NEVER = "(?!)"
_SPECIAL, _SPECIAL_IN_CLASS = frozenset("\\^$.[]|()*+?{}"), frozenset("\\^[]-")


def escaped(text: str, special: Collection[str] = _SPECIAL) -> str:
    """A text as PCRE reads it."""
    return "".join(
        f"\\{one}" if one in special else one if one.isprintable() else f"\\x{{{ord(one):x}}}" for one in text
    )


def bracketed(text: str) -> str:
    """Characters as members of a class."""
    return escaped(text, _SPECIAL_IN_CLASS)


def one_of(alternatives: Iterable[str]) -> str:
    """One of some parts; what is never is left out."""
    kept = list(dict.fromkeys(one for one in alternatives if one != NEVER))
    if not kept:
        return NEVER
    return kept[0] if len(kept) == 1 else f"(?:{'|'.join(kept)})"


class Class(NamedTuple):
    """A class of characters: as PCRE writes its members between brackets, and what they are."""

    members: str
    holds: Callable[[str], bool]
    negated: bool = False

    def has(self, character: str) -> bool:
        """Whether a character is of the class."""
        return self.holds(character) != self.negated

    def without(self, characters: str) -> str:
        """One character of the class that is none of these, as it is."""
        if self.negated:
            none_of = self.members + bracketed(characters)
            return f"[^{none_of}]" if none_of else "."
        left_out = "".join(one for one in characters if self.has(one))
        return (f"(?![{bracketed(left_out)}])" if left_out else "") + f"[{self.members}]"


ANYTHING = Class("", lambda _: False, negated=True)
#: The same without line breaks: a ``.``.
NO_BREAK = Class("\\n", lambda character: character == "\n", negated=True)


class Alphabet(ABC):
    """How the characters of a value are written.

    ``closing``: what stands behind a value; ``begin``: behind its beginning; ``outside``: characters that
    are never written as they are in a value; ``cased``: whether they are compared with case.
    """

    closing: str
    begin: str
    outside: str
    cased: bool
    #: Whether the character before a place in the value is the one that stands before it in the line.
    looks_behind: bool

    @property
    def end(self) -> str:
        """Holds at the end of a value."""
        return self.closing if self.closing.startswith(("(", "$")) else f"(?={self.closing})"

    @abstractmethod
    def one(self, of: Class) -> str:
        """One character of a class."""

    @abstractmethod
    def character(self, character: str) -> str:
        """A character."""

    @abstractmethod
    def run(self, of: Class) -> str:
        """Any number of characters, as many as there are; of ``ANYTHING`` or ``NO_BREAK``."""

    def lazy(self) -> str:
        """Any number of any characters, as few as will do."""
        return f"[^{bracketed(self.outside)}]*?" if self.outside else ".*?"

    def literal(self, text: str) -> str:
        """A text."""
        return "".join(map(self.character, text))


#: The five entities that XML has by name.
NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_ENTITY = "amp|lt|gt|quot|apos|#x?[0-9a-fA-F]+"
_BREAK = "#(?:0*10|x0*[aA])"
#: Characters that are not printed and that values have; what stands for one behind an ampersand.
_CONTROLS = "\t\n\r"
_CONTROL = "#(?:0*(?:9|10|13)|x0*[9aAdD]);"


@dataclass(frozen=True)
class Xml(Alphabet):
    """Text of XML. Characters that are not printed may be numeric entities, and line breaks are.

    ``named``: whether the five characters that XML has names for may be entities; ``strict``: whether
    these are one character always, and an ampersand never is one as it stands.
    """

    closing: str
    begin: str
    outside: str
    named: bool = True
    strict: bool = False
    cased: bool = False
    looks_behind: bool = True

    def character(self, character: str) -> str:
        """A character."""
        entity = self._entity(character)
        if character == "&" and not self.strict:
            return f"&(?!{_CONTROL})" + (f"(?:{entity})??" if entity else "")
        written = NEVER if character in self.outside or character == "\n" else escaped(character)
        if not entity:
            return written
        return one_of((NEVER if character == "&" else written, f"&{entity}"))

    def _entity(self, character: str) -> str:
        """The entity of a character, behind its ampersand; none if it has none."""
        if character.isprintable() and not (self.named and character in NAMED):
            return ""
        name = f"{NAMED[character]}|" if character in NAMED else ""
        digits = "".join(f"[{one}{one.upper()}]" if one.isalpha() else one for one in f"{ord(character):x}")
        return f"(?:{name}#0*{ord(character)}|#x0*{digits});"

    def one(self, of: Class) -> str:
        """One character of a class."""
        special = _CONTROLS if not self.named else "".join(NAMED) + _CONTROLS
        within = [self._entity(one)[:-1] for one in special if of.has(one)]
        if not self.named:
            unless = f"(?!&{_CONTROL})" if of.has("&") else ""
            return one_of([*(f"&{one};" for one in within), unless + of.without(self.outside)])
        plain = of.without(self.outside + "&")
        if not within:
            return plain
        if not of.negated:
            return f"(?:&(?:{'|'.join(within)});|{plain})"
        not_these = "|".join(self._entity(one)[:-1] for one in special if not of.has(one))
        unless = f"(?!(?:{not_these});)" if not_these else ""
        return f"(?:&{unless}(?:{_ENTITY});|{plain})"

    def run(self, of: Class) -> str:
        """Any number of characters, as many as there are."""
        outside = bracketed(self.outside)
        if of is ANYTHING and not self._apart:
            return f"[^{outside}]*" if outside else ".*"
        unless = "" if of is ANYTHING else f"(?!{_BREAK};)"
        return f"[^{outside}&]*(?:&{unless}{self._rest()}[^{outside}&]*)*"

    def lazy(self) -> str:
        """Any number of any characters, as few as will do."""
        return f"(?:[^{bracketed(self.outside)}&]|&{self._rest()})*?" if self._apart else super().lazy()

    @property
    def _apart(self) -> bool:
        return self.strict or not self.named

    def _rest(self) -> str:
        """What belongs to a character behind its ampersand, where that matters."""
        if self.strict:
            return f"(?:(?:{_ENTITY});)?+"
        return "" if self.named else f"(?:{_CONTROL})?+"


@dataclass(frozen=True)
class Json(Alphabet):
    """A string of JSON."""

    cased: bool = False
    closing: str = '"'
    begin: str = '(?<=[^\\\\]")'
    outside: str = '"\\'
    looks_behind: bool = False

    def character(self, character: str) -> str:
        r"""A character: letters and digits of ASCII are themselves, any other may be ``\uXXXX``."""
        if character.isascii() and (character.isalnum() or character == " "):
            return character
        forms = [f"\\\\{_SHORT[character]}"] if character in _SHORT else []
        codes = "|".join(_units(one) for one in ([character] if self.cased else _alike(character)))
        forms.append(f"(?i:\\\\u(?:{codes}))" if "|" in codes or self.cased else f"\\\\u{codes}")
        if (character.isprintable() and character not in self.outside) or not character.isascii():
            forms.insert(0, escaped(character))
        return one_of(forms)

    def one(self, of: Class) -> str:
        """One character of a class."""
        forms = [of.without(self.outside)]
        forms += [f"\\\\{short}" for character, short in _SHORT.items() if of.has(character)]
        listed, negated = _listed(of)
        if negated:
            unless = f"(?!(?i:{_any_code(listed)}))" if listed else ""
            pair, single = "[dD][89abAB]..\\\\u[dD][c-fC-F]..", "(?![dD][89abAB])[0-9a-fA-F]{4}"
            forms.append(f"\\\\u{unless}(?:{pair}|{single})")
        elif listed:
            forms.append(f"(?i:\\\\u(?:{_any_code(listed)}))")
        return one_of(forms)

    def run(self, of: Class) -> str:
        """Any number of characters, as many as there are."""
        unless = "" if of is ANYTHING else "(?!n|u000[aA])"
        return f'[^"\\\\]*(?:\\\\{unless}(?:u[0-9a-fA-F]{{4}}|[^u])[^"\\\\]*)*'

    def lazy(self) -> str:
        """Any number of any characters, as few as will do."""
        return '(?:[^"\\\\]|\\\\(?:u[0-9a-fA-F]{4}|[^u]))*?'


_SHORT = {'"': '"', "\\": "\\\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


# Beyond this no letter has case.
_LAST_WITH_CASE = 0x1F000


@cache
def _by_fold() -> dict[str, list[str]]:
    """What is one to a comparison without case, by what it is compared as; no letter of ASCII."""
    alike: dict[str, list[str]] = {}
    for one in map(chr, range(128, _LAST_WITH_CASE)):
        if one.lower() != one or one.upper() != one:
            alike.setdefault(fold(one), []).append(one)
    return alike


def _alike(character: str) -> list[str]:
    """The character, and what it is without case."""
    return [character] if character.isascii() else _by_fold().get(fold(character), [character])


def _units(character: str) -> str:
    r"""A character behind the ``\u`` of JSON."""
    data = character.encode("utf-16-be", "surrogatepass")
    return "\\\\u".join(data[start : start + 2].hex() for start in range(0, len(data), 2))


# A class with more members beyond ASCII, and with more that are not of it, cannot be said by their codes.
_MOST_LISTED = 2_000
# Beyond this there are no digits and no blanks, and more letters than can be listed.
_LAST_NAMED = 0x20000


def _listed(of: Class) -> tuple[list[str], bool]:
    """The characters that a class has, or with True those that it has not, but for letters and digits of ASCII.

    Raises RefusedError: there are too many of both.
    """
    if any(ord(one) >= _LAST_NAMED for one in of.members):
        raise RefusedError("regex", "rare characters in JSON, which may be escapes")
    beyond = _beyond_ascii(of.members, of.holds)
    ascii_members = [one for one in map(chr, range(128)) if of.holds(one) and not one.isalnum()]
    if len(beyond) <= _MOST_LISTED:
        return [*ascii_members, *beyond], of.negated
    others = _beyond_ascii("not " + of.members, lambda character: not of.holds(character))
    if len(others) > _MOST_LISTED:
        raise RefusedError("regex", "letters of all scripts in JSON, which may be escapes")
    return [*(one for one in map(chr, range(128)) if not of.holds(one)), *others], not of.negated


_found_beyond: dict[str, list[str]] = {}


def _beyond_ascii(members: str, holds: Callable[[str], bool]) -> list[str]:
    """The characters beyond ASCII of which this holds; ``members``: says what ``holds`` is."""
    found = _found_beyond.get(members)
    if found is None:
        every = () if members.isascii() and "\\" not in members else range(128, _LAST_NAMED)
        those = (one for one in map(chr, every) if holds(one) and not "\ud800" <= one <= "\udfff")
        # More than can be listed need not be known.
        found = _found_beyond[members] = list(islice(those, _MOST_LISTED + 1))
    return found


def _any_code(characters: Iterable[str]) -> str:
    """One of the codes of some characters; those that differ in their last digit alone as one."""
    digits: dict[str, str] = {}
    for code in map(_units, characters):
        digits[code[:-1]] = digits.get(code[:-1], "") + code[-1]
    return "|".join(code + (last if len(last) == 1 else f"[{last}]") for code, last in digits.items())


@dataclass(frozen=True)
class Token(Alphabet):
    """A number or a boolean of JSON, which stand without quotation marks."""

    cased: bool = False
    closing: str = "(?=[\\s,\\]}])"
    begin: str = "(?<=[\\s:,\\[])"
    outside: str = ' \t\r\n,]}"'
    looks_behind: bool = True

    def character(self, character: str) -> str:
        """A character."""
        return escaped(character) if character in _OF_TOKENS else NEVER

    def one(self, of: Class) -> str:
        """One character of a class."""
        return of.without(self.outside)

    def run(self, _: Class) -> str:
        """Any number of characters, as many as there are."""
        return f"[^{bracketed(self.outside)}]*"


_OF_TOKENS = frozenset("0123456789+-.eEtruefalsTRUFALS")


@dataclass(frozen=True)
class Plain(Alphabet):
    """Text as it is, up to the end of its line."""

    cased: bool = False
    closing: str = "$"
    begin: str = "^"
    outside: str = ""
    looks_behind: bool = True

    def character(self, character: str) -> str:
        """A character."""
        return escaped(character)

    def one(self, of: Class) -> str:
        """One character of a class."""
        return "." if of in (ANYTHING, NO_BREAK) else of.without("")

    def run(self, _: Class) -> str:
        """Any number of characters, as many as there are."""
        return ".*"
