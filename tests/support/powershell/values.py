"""What operators make of values: about_Comparison_Operators, about_Booleans, about_Wildcards, .NET's expressions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

from .tokens import PowerShellError


def truth(value: Any) -> bool:
    """about_Booleans: an array of one element is what that is."""
    if isinstance(value, list):
        return len(value) > 1 or (len(value) == 1 and (isinstance(value[0], list) or truth(value[0])))
    return bool(value) if value is None or isinstance(value, (bool, int, Decimal, str)) else True


def text_of(value: Any) -> str:
    """A value as a string."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise PowerShellError(f"no text: {value!r}")
    return str(value)


def units(text: str) -> str:
    """A text as .NET has it: a character beyond U+FFFF is two."""
    if all(character <= "\uffff" for character in text):
        return text
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(data[place] | data[place + 1] << 8) for place in range(0, len(data), 2))


def lowered(text: str) -> str:
    """Each character in lower case, where that is one character."""
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


def _equal(left: Any, right: Any, *, cased: bool) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, Decimal)):
        return isinstance(right, (int, Decimal)) and left == right
    if left is None or right is None:
        return left is right
    one, other = _in_a_language(text_of(left)), _in_a_language(text_of(right))
    return one == other if cased else lowered(one) == lowered(other)


def _in_a_language(text: str) -> str:
    """A text as .NET's comparison by culture sees it, to which characters for formatting are nothing."""
    return text if text.isascii() else "".join(one for one in text if unicodedata.category(one) != "Cf")


@cache
def _wildcards(pattern: str, cased: bool) -> re.Pattern[str]:
    """A pattern of -like as an expression of Python's over units."""
    written = ""
    place, pattern = 0, units(pattern if cased else lowered(pattern))
    while place < len(pattern):
        one = pattern[place]
        if one == "`":
            place += 1
            written += re.escape(pattern[place])
        elif one == "[":
            raise PowerShellError(f"a set of characters in {pattern!r}")
        else:
            written += {"*": ".*", "?": "."}.get(one, re.escape(one))
        place += 1
    return re.compile(written, re.DOTALL)


def _like(left: Any, right: Any, *, cased: bool) -> bool:
    text = text_of(left)
    if not re.search(r"[*?\[\]`].", text_of(right), re.DOTALL) and not text_of(right).endswith(("?", "[", "]", "`")):
        # Nothing special but a star at the end: PowerShell 7 compares by culture.
        text = _in_a_language(text)
    return _wildcards(text_of(right), cased).fullmatch(units(text if cased else lowered(text))) is not None


@cache
def _of_category(first: str) -> str:
    """The characters up to U+FFFF of a Unicode category, as they stand in a class."""
    members = [unicodedata.category(chr(code))[0] == first for code in range(0x10000)]
    edges = [code for code in range(1, 0x10000) if members[code] != members[code - 1]]
    # Neither U+0000 nor U+FFFF is a letter or a number, so that edges are pairs.
    return "".join(f"\\u{start:04X}-\\u{end - 1:04X}" for start, end in zip(edges[::2], edges[1::2], strict=True))


_ESCAPE = re.compile(r"\\(?:p\{([LN])\}|(z)|(A)|(u[0-9A-F]{4}|x[0-9A-F]{2})|([dtrn]|[^\w\s])|(.))", re.DOTALL)


def _in_python(found: re.Match[str]) -> str:
    category, end, start, code, same, unknown = found.groups()
    if unknown:
        raise PowerShellError(f"an escape in an expression: {found.group()!r}")
    if category:
        return _of_category(category)
    if end or start:
        return r"\Z" if end else r"\A"
    return found.group() if code or same else ""


@cache
def expression(text: str, cased: bool) -> re.Pattern[str]:
    """An expression of .NET's as one of Python's over units; only what both read alike, and what is replaced."""
    if not text.isascii() or "(?<" in text.replace("(?<=", "").replace("(?<!", ""):
        raise PowerShellError(f"an expression: {text!r}")
    anything = text.replace(r"[\s\S]", r"[\x00-\uFFFF]")
    return re.compile(_ESCAPE.sub(_in_python, anything), 0 if cased else re.IGNORECASE)


def _match(left: Any, right: Any, *, cased: bool) -> bool:
    return expression(text_of(right), cased).search(units(text_of(left))) is not None


def _contains(left: Any, right: Any, *, cased: bool) -> bool:
    return any(_equal(one, right, cased=cased) for one in (left if isinstance(left, list) else [left]))


def _number(value: Any) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise PowerShellError(f"no number: {value!r}")
    return value


_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda left, right: _number(left) < _number(right),
    "le": lambda left, right: _number(left) <= _number(right),
    "gt": lambda left, right: _number(left) > _number(right),
    "ge": lambda left, right: _number(left) >= _number(right),
}
_TESTS: dict[str, Callable[..., bool]] = {
    "eq": _equal,
    "ne": lambda left, right, *, cased: not _equal(left, right, cased=cased),
    "like": _like,
    "match": _match,
}


def compare(operator: str, left: Any, right: Any) -> Any:
    """A comparison: of an array on the left the elements with which it holds."""
    if operator == "contains":
        return _contains(left, right, cased=False)
    if operator in _RELATIONS:
        relation = _RELATIONS[operator]
        return [one for one in left if relation(one, right)] if isinstance(left, list) else relation(left, right)
    cased = operator[0] == "c"
    test = _TESTS[operator[1:] if operator[0] in "ci" else operator]
    if isinstance(left, list):
        return [one for one in left if test(one, right, cased=cased)]
    return test(left, right, cased=cased)


def is_comparison(operator: str) -> bool:
    """Whether there is such an operator."""
    return operator == "contains" or operator in _RELATIONS or operator.removeprefix("c").removeprefix("i") in _TESTS
