"""Numbers, comparisons of numbers and addresses as regular expressions of their digits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from builder.queries.language import RefusedError
from sigmaengine.addresses import Network, read_network
from sigmaengine.numbers import parse_number

from .alphabets import NEVER, escaped, one_of

# A number with more digits than this is no rule's.
_MOST_DIGITS = 40


def number(text: str, always_plain: bool) -> str:
    """The spellings of a number; of a text that is none, the text without case.

    ``always_plain``: integers are written in one way. Raises RefusedError.
    """
    value = parse_number(text)
    if value is None:
        return f"(?i:{escaped(text)})"
    whole, fraction = _digits(value, text)
    sign = "-" if value < 0 else ""
    if always_plain and not fraction:
        return sign + (whole or "0")
    if not whole and not fraction:
        return "[+-]?(?:0+(?:\\.0*)?|\\.0+)(?:[eE][+-]?[0-9]+)?"
    said = f"\\.{fraction}0*" if fraction else "(?:\\.0*)?"
    return f"{sign or '[+]?'}0*{whole}{said}(?:[eE][+-]?0+)?"


def _digits(value: Decimal, text: str) -> tuple[str, str]:
    """The digits of a number's whole part, without zeros before, and of its fraction, without zeros behind."""
    if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS:
        raise RefusedError("number", text)
    whole, _, fraction = f"{abs(value):f}".partition(".")
    return whole.lstrip("0"), fraction.rstrip("0")


_FRACTION = "(?:\\.[0-9]*)?"
_NO_FRACTION = "(?:\\.0*)?"
_SOME_FRACTION = "\\.[0-9]*[1-9][0-9]*"
_ANY_NUMBER = "(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)"


def compared(operator: str, text: str) -> str:
    """The numbers that are lt, lte, gt, gte than a whole one. Raises RefusedError."""
    value = parse_number(text)
    if value is None:
        raise RefusedError("comparison", f"{operator} {text}")
    whole, fraction = _digits(value, text)
    if fraction:
        raise RefusedError("comparison", f"{operator} {text}")
    greater, equal = operator.startswith("g"), operator.endswith("e")
    limit = int(whole or "0")
    if value < 0:
        # Of numbers below zero the greater is the one with the smaller digits.
        below = f"-{_sized(not greater, equal, limit)}"
        return one_of([below, f"[+]?{_ANY_NUMBER}"]) if greater else below
    above = f"[+]?{_sized(greater, equal, limit)}"
    zero = "-(?:0+(?:\\.0*)?|\\.0+)"
    if not limit:
        above_or_zero = one_of([above, zero]) if equal else above
        negative = f"-(?!(?:0*\\.?0*)(?![0-9.])){_ANY_NUMBER}"
        return (
            above_or_zero if greater else one_of([negative, *([zero, "[+]?(?:0+(?:\\.0*)?|\\.0+)"] if equal else [])])
        )
    return above if greater else one_of([above, f"-{_ANY_NUMBER}"])


def _sized(greater: bool, equal: bool, limit: int) -> str:
    """Digits without a sign that are more, or less, than a number; perhaps that number."""
    if greater:
        same = [] if equal else [f"0*{limit or ''}{_SOME_FRACTION}"]
        at_least = limit if equal else limit + 1
        forms = [f"0*{one}{_FRACTION}" for one in _at_least(at_least)]
        if at_least == 0:
            forms = [_ANY_NUMBER]
        return one_of([*forms, *same])
    forms = [f"0*{one}{_FRACTION}" for one in _less_than(limit)]
    if limit:
        forms += [f"0+{_FRACTION}", "\\.[0-9]+"]
    if equal:
        forms.append(f"0*{limit}{_NO_FRACTION}" if limit else "(?:0+(?:\\.0*)?|\\.0+)")
    return one_of(forms)


def _at_least(limit: int) -> Iterator[str]:
    """Whole numbers, not zero and without zeros before, that are not less than this one."""
    digits = str(max(limit, 1))
    yield f"[1-9][0-9]{{{len(digits)},}}"
    for place, digit in enumerate(digits):
        if digit != "9":
            yield digits[:place] + _range(int(digit) + 1, 9) + "[0-9]" * (len(digits) - place - 1)
    yield digits


def _less_than(limit: int) -> Iterator[str]:
    """Whole numbers, not zero and without zeros before, that are less than this one."""
    digits = str(limit)
    if len(digits) > 1:
        yield f"[1-9][0-9]{{0,{len(digits) - 2}}}"
    for place, digit in enumerate(digits):
        lowest = 0 if place else 1
        if int(digit) > lowest:
            yield digits[:place] + _range(lowest, int(digit) - 1) + "[0-9]" * (len(digits) - place - 1)


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"[{low}-{high}]"


# --- addresses ----------------------------------------------------------------------------------


def networks(listed: Iterable[str]) -> str:
    """The addresses of some networks, however they are written."""
    read = [read_network(text) for text in listed]
    four = [network for network in read if not network.kind]
    forms = [one for network in read if network.kind for one in _six(_groups(network.low), _groups(network.high))]
    if four:
        dotted = one_of(_dotted(network.low, network.high) for network in four)
        forms.append(dotted)
        forms.append(f"(?&mapped){one_of([dotted, *map(_last_groups, four)])}{_ZONE}")
        shortened = one_of(form for network in four for form in _shortened(network))
        if shortened != NEVER:
            forms.append(f"(?:0{{1,4}}:){{5}}ffff:{shortened}{_ZONE}")
    return f"(?i:{one_of(forms)})"


#: What addresses are made of, written once in a pattern and called by these names.
DEFINITIONS = {
    "octet": "25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]",
    "group": "[0-9a-fA-F]{1,4}",
    "zone": '(?:%[^<"\\\\]*)?',
    # What stands before the last 32 bits of an IPv4 address that is written as an IPv6 one.
    "mapped": "(?:(?:0{1,4}:){5}|::(?:0{1,4}:){0,4}|0{1,4}::(?:0{1,4}:){0,3}|(?:0{1,4}:){2}:(?:0{1,4}:){0,2}"
    "|(?:0{1,4}:){3}:(?:0{1,4}:)?|(?:0{1,4}:){4}:)[fF]{4}:",
}
_ZONE = "(?&zone)"
_ZERO = "0{1,4}"


def _dotted(low: int, high: int) -> str:
    """The addresses of an IPv4 network, which is one range of one octet, and any that follow."""
    octets = list(zip(low.to_bytes(4, "big"), high.to_bytes(4, "big"), strict=True))
    return "\\.".join(_octet(*octet) for octet in octets)


def _octet(low: int, high: int) -> str:
    if (low, high) == (0, 255):
        return "(?&octet)"
    return one_of(_numbers(low, high))


def _numbers(low: int, high: int) -> Iterator[str]:
    """The numbers from the one to the other: those that differ in their last digit alone as one."""
    for tens, group in groupby(range(low, high + 1), lambda one: one // 10):
        units = [one % 10 for one in group]
        yield (str(tens) if tens else "") + _range(units[0], units[-1])


def _halves(network: Network) -> list[str]:
    """The last two groups of an IPv4 network's addresses."""
    return [_group((network.low >> shift) & 0xFFFF, (network.high >> shift) & 0xFFFF) for shift in (16, 0)]


def _last_groups(network: Network) -> str:
    return ":".join(_halves(network))


def _shortened(network: Network) -> Iterator[str]:
    """The last two groups where ``::`` stands for one of them or for both, behind its first colon."""
    first, second = _halves(network)
    if network.low < 1 << 16:
        yield f":{second}"
    if not network.low & 0xFFFF:
        yield f"{first}::"
    if not network.low:
        yield ":"


class _Span(NamedTuple):
    low: int
    high: int


def _groups(number: int) -> list[int]:
    return [(number >> shift) & 0xFFFF for shift in range(112, -1, -16)]


def _six(low: Sequence[int], high: Sequence[int]) -> Iterator[str]:
    """The spellings of the addresses of an IPv6 network: ``::`` may stand for one group of zeros or more."""
    spans = [_Span(*both) for both in zip(low, high, strict=True)]
    for tail, last in ((8, ""), (6, _embedded(spans[6:]))):
        written = [_group(*span) for span in spans[:tail]]
        ended = [*written, last] if last else written
        yield ":".join(ended) + _ZONE
        for before in range(tail):
            for left_out in range(1, tail - before + 1):
                hidden = spans[before : before + left_out]
                if all(span.low == 0 for span in hidden):
                    rest = ended[before + left_out :]
                    yield ":".join(written[:before]) + "::" + ":".join(rest) + _ZONE


def _embedded(spans: Sequence[_Span]) -> str:
    """The last two groups as an IPv4 address."""
    return _dotted((spans[0].low << 16) + spans[1].low, (spans[0].high << 16) + spans[1].high)


def _group(low: int, high: int) -> str:
    """A group of hexadecimal digits, of which zeros before may be left out; a range of whole bits."""
    if (low, high) == (0, 0xFFFF):
        return "(?&group)"
    if high == 0:
        return _ZERO
    return one_of(_digit_ranges(low, min(high, 16**length - 1), length) for length in (4, 3, 2, 1) if low < 16**length)


def _digit_ranges(low: int, high: int, length: int) -> str:
    return "".join(
        one if one == other else _HEXADECIMAL[int(one, 16), int(other, 16)]
        for one, other in zip(f"{low:0{length}x}", f"{high:0{length}x}", strict=True)
    )


_HEXADECIMAL = {
    (low, high): f"[{'0123456789abcdef'[low : high + 1]}]" for low in range(16) for high in range(low + 1, 16)
} | {(0, 15): "[0-9a-f]"}
