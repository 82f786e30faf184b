"""One value of a field against a value of the search language: wildcards, networks, order."""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from .text import Fold, SplError, UnsettledError, number

ValueTest = Callable[[str], bool]

#: Numbers as numbers, everything else by its place in UTF-8.
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def wildcards(text: str, fold: Fold) -> ValueTest:
    """Whole values equal to ``text``, of which each ``*`` stands for any text; there is no other wildcard."""
    wanted = fold(text)
    if "*" not in wanted:
        return lambda value: fold(value) == wanted
    first, *middle, last = wanted.split("*")
    middle = [part for part in middle if part]
    if not first and not last and len(middle) == 1:
        inner = middle[0]
        return lambda value: inner in fold(value)
    if not middle:
        size = len(first) + len(last)
        return lambda value: len(value) >= size and fold(value).startswith(first) and fold(value).endswith(last)
    return lambda value: _in_order(fold(value), first, middle, last)


def _in_order(value: str, first: str, middle: list[str], last: str) -> bool:
    end = len(value) - len(last)
    if not value.startswith(first) or not value.endswith(last) or end < len(first):
        return False
    place = len(first)
    for part in middle:
        place = value.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network that a text is in CIDR notation."""
    if "/" not in text:
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def within(value: str, addresses: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Whether a value is an address of a network."""
    try:
        return ipaddress.ip_address(value) in addresses
    except ValueError:
        return False


def equals(text: str, fold: Fold) -> ValueTest:
    """``field=text``: text, never numbers; an address is equal to a network that holds it."""
    if "/../" in text:
        raise UnsettledError(f"{text!r}: '/../' was seen to collapse in a quoted value")
    same = wildcards(text, fold)
    addresses = network(text)
    if addresses is None:
        return same
    return lambda value: same(value) or within(value, addresses)


def ordered(sign: str, text: str) -> ValueTest:
    """``field<text`` and the like."""
    if "*" in text:
        raise SplError(f"{sign}{text}: a wildcard has no order")
    compare, wanted, data = ORDER[sign], number(text), text.encode("utf-8", "surrogatepass")

    def test(value: str) -> bool:
        amount = number(value)
        if amount is not None and wanted is not None:
            return compare(amount, wanted)
        return compare(value.encode("utf-8", "surrogatepass"), data)

    return test


def middle_wildcard(text: str) -> bool:
    """Whether a ``*`` stands between other signs."""
    return any(before != "*" and after == "*" for before, after in pairwise(text.rstrip("*")))
