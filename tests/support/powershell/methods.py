"""The members of .NET's types that commands use, as its documentation has them."""

from __future__ import annotations

import html
import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from .events import Document, Node, WinEvent, parsed
from .tokens import PowerShellError
from .values import lowered, text_of


class Hashtable(dict[Any, Any]):
    """[hashtable]: keys are compared with case, and what is missing is nothing."""


class Reference:
    """[ref] of a variable."""

    def __init__(self, assign: Callable[[Any], None]) -> None:
        self.assign = assign


class Address:
    """[ipaddress]."""

    def __init__(self, value: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        self.value = value


_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


def _decimal(text: str, style: str, culture: str, result: Reference) -> bool:
    assert (style, culture) == ("Float", "Invariant")
    if not _FLOAT.fullmatch(text.strip(" ")):
        return False
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    if abs(number) >= Decimal(2) ** 96:
        return False
    result.assign(number)
    return True


def _address(text: str, result: Reference) -> bool:
    try:
        result.assign(Address(ipaddress.ip_address(text)))
    except ValueError:
        return False
    return True


def _mapped(address: Address) -> Address:
    value = address.value
    return Address(ipaddress.IPv6Address(f"::ffff:{value}") if value.version == 4 else value)


#: (type, member) -> its value, or what is called.
STATIC: dict[tuple[str, str], Any] = {
    ("hashtable", "new"): Hashtable,
    ("Net.WebUtility", "HtmlDecode"): html.unescape,
    ("decimal", "TryParse"): _decimal,
    ("Globalization.NumberStyles", "Float"): "Float",
    ("cultureinfo", "InvariantCulture"): "Invariant",
    ("ipaddress", "None"): None,
    ("ipaddress", "TryParse"): _address,
    ("BitConverter", "ToString"): lambda data: "-".join(f"{byte:02X}" for byte in data),
    ("StringComparison", "Ordinal"): "Ordinal",
    ("StringComparison", "OrdinalIgnoreCase"): "OrdinalIgnoreCase",
}


def _folding(test: Callable[[str, str], Any]) -> Callable[..., Any]:
    def call(text: str, other: str, how: str) -> Any:
        return test(text, other) if how == "Ordinal" else test(lowered(text), lowered(other))

    return call


_OF_TEXT: dict[str, Callable[..., Any]] = {
    "Contains": lambda text, part: part in text,
    "Split": lambda text, character: text.split(character),
    "Replace": lambda text, old, new: text.replace(old, new),
    "Equals": _folding(lambda text, other: text == other),
    "StartsWith": _folding(str.startswith),
    "EndsWith": _folding(str.endswith),
    "IndexOf": _folding(str.find),
}


def call(target: Any, name: str, arguments: list[Any]) -> Any:
    """A method of a value. Raises PowerShellError."""
    if isinstance(target, str) and name in _OF_TEXT:
        return _OF_TEXT[name](target, *arguments)
    if isinstance(target, Hashtable) and name == "ContainsKey":
        return arguments[0] in target
    if isinstance(target, Address) and not arguments:
        return _mapped(target) if name == "MapToIPv6" else list(target.value.packed)
    if isinstance(target, (Document, Node, WinEvent)):
        return target.call(name, arguments)
    raise PowerShellError(f"{name} of {target!r}")


def member(target: Any, name: str) -> Any:
    """A property of a value. Raises PowerShellError."""
    if (isinstance(target, list) and name == "Count") or (isinstance(target, str) and name == "Length"):
        return len(target)
    if isinstance(target, (Document, Node, WinEvent)):
        return target.member(name)
    if target is None:
        return None
    raise PowerShellError(f"{name} of {target!r}")


CASTS: dict[str, Callable[[Any], Any]] = {
    "xml": parsed,
    "string": text_of,
    "decimal": Decimal,
}
