"""What a test asks of values that an index holds otherwise than Windows wrote them.

Each function says it exactly or refuses the test (RefusedError).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping

from sigmaengine.folding import fold
from sigmaengine.modifiers import REGEX_FLAGS, Test
from sigmaengine.numbers import parse_number
from sigmaengine.patterns import ANY, ONE, Part, Parts, as_text, compile_parts, folded, is_plain, join, plain_text

from .language import RefusedError
from .luceneregex import Shape, literal, whole


def _refused(test: Test) -> RefusedError:
    return RefusedError("place", as_text(tuple(test[2])) if test[0] == "str" else " ".join(map(str, test)))


def _plain(test: Test) -> str | None:
    """The text, folded, that a test asks for; None: several, or another test."""
    if test[0] == "str" and not test[1] and is_plain(tuple(test[2])):
        return fold(plain_text(tuple(test[2])))
    return fold(test[1]) if test[0] == "num" else None


def takes_dash(test: Test) -> bool:
    """Whether a value that is ``-`` passes a test, not only because any does."""
    if test[0] == "str":
        parts = tuple(test[2])
        return parts != (ANY,) and compile_parts(parts if test[1] else folded(parts))("-")
    if test[0] == "re":
        return re.search(test[2], "-", sum(REGEX_FLAGS[flag] for flag in test[1])) is not None
    return False


# --- numbers ----------------------------------------------------------------------------------------

_RANGES = {"lt": "[* TO {}}}", "lte": "[* TO {}]", "gt": "{{{} TO *]", "gte": "[{} TO *]"}


def integer(test: Test) -> str:
    """The whole number that a value is."""
    text = _plain(test)
    number = parse_number(text) if text is not None else None
    if number is None or number != number.to_integral_value() or abs(number.adjusted()) > 18:
        raise _refused(test)
    # Of the ways to write a number events have this one: other text is no value of theirs.
    if test[0] == "str" and text != str(int(number)):
        raise _refused(test)
    return str(int(number))


def number_range(test: Test) -> str:
    """The numbers that a comparison asks for."""
    return _RANGES[test[1]].format(integer(["num", test[2]]))


# --- addresses --------------------------------------------------------------------------------------


def network(test: Test) -> str:
    """The address or the network in which an address is."""
    if test[0] == "cidr":
        found = ipaddress.ip_network(test[1])
        if found.version == 6 and found.overlaps(_MAPPED):
            raise RefusedError("network", test[1])
        return str(found)
    text = _plain(test)
    if text is not None:
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            raise _refused(test) from None
    return _octets(test)


_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_OCTETS = re.compile(r"((?:[1-9][0-9]{0,2}\.){1,3})")


def _octets(test: Test) -> str:
    """``10.*`` as a network."""
    parts = tuple(test[2]) if test[0] == "str" else ()
    if len(parts) == 2 and parts[1] == ANY and isinstance(parts[0], str) and _OCTETS.fullmatch(parts[0]):
        octets = parts[0].rstrip(".").split(".")
        if all(int(one) < 256 for one in octets):
            return f"{'.'.join(octets + ['0'] * (4 - len(octets)))}/{8 * len(octets)}"
    raise _refused(test)


def addresses(text: str) -> list[Shape]:
    """The texts of the addresses of a network, in the notation of RFC 5952. Raises RefusedError."""
    found = ipaddress.ip_network(text)
    if isinstance(found, ipaddress.IPv4Network):
        octets = zip(found.network_address.packed, found.broadcast_address.packed, strict=True)
        return [whole(r"(\:\:[fF]{4}\:)?" + r"\.".join(map(_octet, octets)))]
    if found.prefixlen == 128:
        return [whole(literal(str(found.network_address), cased=False))]
    return [whole(_hextets(found) + ".*")]


def _octet(ends: tuple[int, int]) -> str:
    return str(ends[0]) if ends[0] == ends[1] else f"<{ends[0]}-{ends[1]}>"


def _hextets(network: ipaddress.IPv6Network) -> str:
    """The first groups of four digits, of which none may be left out."""
    whole, rest = divmod(network.prefixlen, 16)
    firsts = network.network_address.exploded.split(":")
    lasts = network.broadcast_address.exploded.split(":")
    fixed = [one.lstrip("0") for one in firsts[:whole]]
    if "" in fixed or (rest and firsts[whole].startswith("0")) or not (whole or rest):
        raise RefusedError("network", str(network))
    text = "".join(literal(one, cased=False) + r"\:" for one in fixed)
    if rest:
        text += "".join(map(_digit, firsts[whole], lasts[whole])) + r"\:"
    return text


def _digit(first: str, last: str) -> str:
    digits = [f"{one:x}" for one in range(int(first, 16), int(last, 16) + 1)]
    both = "".join(dict.fromkeys(case for one in digits for case in (one, one.upper())))
    return both if len(both) == 1 else f"[{both}]"


# --- words ------------------------------------------------------------------------------------------


def word(test: Test, words: Mapping[str, str]) -> str:
    """The index's word for Windows' word."""
    text = _plain(test)
    if text is None or text not in words:
        raise _refused(test)
    return words[text]


def word_part(test: Test) -> Test:
    """A test of a text that is cut at its blanks as one of its words."""
    parts = tuple(test[2]) if test[0] == "str" else ()
    inner = parts[1:-1]
    if parts[:1] == (ANY,) == parts[-1:] and len(inner) == 1 and isinstance(inner[0], str) and not _blanks(inner[0]):
        return test
    raise _refused(test)


def _blanks(text: str) -> bool:
    return any(one.isspace() for one in text)


# --- accounts ---------------------------------------------------------------------------------------


def accounts(test: Test) -> Iterator[tuple[Test, Test]]:
    r"""What a test of ``DOMAIN\name`` asks of the two, in each way; neither has a backslash."""
    if test[0] != "str":
        raise _refused(test)
    kind, cased, parts = test
    for before, behind in _cuts(tuple(parts)):
        yield [kind, cased, join(before)], [kind, cased, join(behind)]


def _cuts(parts: Parts) -> Iterator[tuple[list[Part], list[Part]]]:
    literals = sum(part.count("\\") for part in parts if isinstance(part, str))
    if literals > 1:
        # It would have to be within one of them.
        raise RefusedError("place", as_text(parts))
    for place, part in enumerate(parts):
        before, behind = list(parts[:place]), list(parts[place + 1 :])
        if isinstance(part, str) and "\\" in part:
            one, _, other = part.partition("\\")
            yield [*before, one], [other, *behind]
        elif not literals and part == ANY:
            yield [*before, ANY], [ANY, *behind]
        elif not literals and part == ONE:
            yield before, behind
    if not literals and not any(part in (ANY, ONE) for part in parts):
        # Without a backslash it is no account.
        raise RefusedError("place", as_text(parts))


# --- hashes -----------------------------------------------------------------------------------------

_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "imphash": 32}
_DIGEST = re.compile(r"(?:(md5|sha1|sha256|imphash)=)?([0-9a-f]+)")
#: Where the digest of an algorithm stands behind ``process.`` or ``file.``.
_DIGESTS = {"imphash": "pe.imphash"}


def digests(test: Test) -> Iterator[tuple[str, str]]:
    """The names and the values of digests one of which ``MD5=...,SHA256=...`` has to have."""
    parts = tuple(test[2]) if test[0] == "str" else ()
    inner = parts[1:-1]
    found = None
    if parts[:1] == (ANY,) == parts[-1:] and len(inner) == 1 and isinstance(inner[0], str) and not test[1]:
        found = _DIGEST.fullmatch(fold(inner[0]))
    if not found or not found[2].strip("0"):
        raise _refused(test)
    algorithms = [one for one, length in _LENGTHS.items() if length == len(found[2]) and found[1] in (None, one)]
    if not algorithms:
        raise _refused(test)
    for one in algorithms:
        yield _DIGESTS.get(one, f"hash.{one}"), found[2]


# --- registry data ----------------------------------------------------------------------------------

_DWORD = re.compile(r"dword \(0x([0-9a-f]{8})\)")
#: What numbers of the registry look like in Sysmon's events: X is any hexadecimal digit.
_NUMBERS = ("dword (0xXXXXXXXX)", "qword (0xXXXXXXXX-0xXXXXXXXX)")


def registry_number(test: Test) -> str | None:
    """The number in decimals that a test asks for; None: no number passes it. Raises RefusedError."""
    text = _plain(test)
    found = _DWORD.fullmatch(text) if text is not None else None
    if found:
        return str(int(found[1], 16))
    if test[0] == "str" and not any(_may_be(folded(tuple(test[2])), number) for number in _NUMBERS):
        return None
    if test[0] == "num":
        return None
    raise _refused(test)


def _may_be(parts: Parts, template: str) -> bool:
    """Whether a pattern may match what a template stands for."""
    places = {0}
    for part in parts:
        places = set(_behind(part, template, places))
    return len(template) in places


def _behind(part: Part, template: str, places: Iterable[int]) -> Iterator[int]:
    for place in places:
        if part == ANY:
            yield from range(place, len(template) + 1)
        elif not isinstance(part, str):
            if place < len(template):
                yield place + 1
        elif _fits(part, template[place : place + len(part)]):
            yield place + len(part)


def _fits(text: str, template: str) -> bool:
    return len(text) == len(template) and all(
        one == other or (other == "X" and one in "0123456789abcdef") for one, other in zip(text, template, strict=True)
    )
