"""Value modifiers: a key's chain and a value -> the tests that an event's value has to pass.

Two tables hold all of it. ``_ROLES`` says what kind of modifier each name is, ``_STEPS`` which
kind may follow which; a chain that has no path through ``_STEPS`` is impossible and is refused
by name. ``_TEXT_STEPS`` holds what the modifiers that rewrite text do to it.

A *test* is a JSON list, the compiled form of one value (see ``predicates`` for what each does)::

    ["str", cased, parts]      ["num", text]       ["re", flags, expression]
    ["cidr", network]          ["cmp", op, text]   ["part", unit, op, text]
    ["null"]                   ["exists", bool]    ["ref", anchor, cased, field]
    ["any", test, ...]         what one value stands for, where the item needs all values

Source: Sigma specification v2.1.0, "Modifiers" appendix.
"""

from __future__ import annotations

import re
import warnings
from base64 import b64encode
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import product
from typing import Any, Callable, NamedTuple, Union

from . import patterns
from .patterns import ANY, DASH, DASHES, Parts
from .placeholders import Placeholders, expanded, expanded_expressions
from .problems import RuleError, Where, shown

Test = list[Any]
_ROLES: dict[str, str] = {
    "contains": "anchor", "startswith": "anchor", "endswith": "anchor",
    "base64": "encode", "base64offset": "encode",
    "utf16": "encode", "utf16le": "encode", "utf16be": "encode", "wide": "encode",
    "windash": "windash", "expand": "expand",
    "re": "re", "i": "flag", "m": "flag", "s": "flag",
    "ignorecase": "flag", "multiline": "flag", "dotall": "flag",
    "cidr": "cidr", "exists": "exists", "fieldref": "fieldref",
    "lt": "compare", "lte": "compare", "gt": "compare", "gte": "compare",
    "minute": "part", "hour": "part", "day": "part", "week": "part", "month": "part", "year": "part",
    "all": "anywhere", "neq": "anywhere", "cased": "anywhere",
}  # fmt: skip

# (what the value is so far, role of the next modifier) -> what it is then.
_STEPS: dict[tuple[str, str], str] = {
    ("text", "anchor"): "text with wildcards",
    ("text", "windash"): "text with windash",
    ("text", "encode"): "encoded text",
    ("text", "expand"): "text with placeholders",
    ("text with placeholders", "anchor"): "text with wildcards",
    ("text with placeholders", "windash"): "text with windash",
    ("text with placeholders", "encode"): "encoded text",
    ("text with placeholders", "expand"): "text with placeholders",
    ("text with windash", "anchor"): "text with wildcards",
    ("text with windash", "encode"): "encoded text",
    ("text with windash", "expand"): "text with windash",
    ("text with windash", "windash"): "text with windash",
    ("encoded text", "encode"): "encoded text",
    ("encoded text", "windash"): "encoded text",
    ("encoded text", "expand"): "encoded text",
    ("encoded text", "anchor"): "text with wildcards",
    ("text with wildcards", "windash"): "text with wildcards",
    ("text with wildcards", "expand"): "text with wildcards",
    ("text", "re"): "regular expression",
    ("regular expression", "flag"): "regular expression",
    ("regular expression", "expand"): "regular expression",
    ("text", "cidr"): "network",
    ("text", "exists"): "presence",
    ("text", "fieldref"): "field reference",
    ("field reference", "anchor"): "anchored field reference",
    ("text", "compare"): "comparison",
    ("text", "part"): "part of a time",
    ("part of a time", "compare"): "comparison with a part of a time",
}
TEXT_KINDS = ("text", "text with placeholders", "text with windash", "encoded text", "text with wildcards")

# Each windash position multiplies the strings to encode by five.
_MAX_ENCODED_VARIANTS = 5**4


class Chain(NamedTuple):
    """A key's modifiers, checked. ``kind`` is what they make of a value (see ``_STEPS``)."""

    names: tuple[str, ...]
    kind: str

    @property
    def all(self) -> bool:
        """All listed values are needed, not one of them."""
        return "all" in self.names

    @property
    def neq(self) -> bool:
        """The item holds where it would not hold without ``neq``."""
        return "neq" in self.names

    @property
    def cased(self) -> bool:
        """Text is compared as it stands."""
        return "cased" in self.names

    @property
    def expands(self) -> bool:
        """Values may hold placeholders: what an encoding has made holds none."""
        if "expand" not in self.names:
            return False
        return not any(_ROLES[name] == "encode" for name in self.names[: self.names.index("expand")])

    def first_of(self, role: str) -> str:
        """The first modifier with this role, or an empty string."""
        return next((name for name in self.names if _ROLES[name] == role), "")


def read_chain(names: Sequence[str], where: Where) -> Chain:
    """Check a chain of modifier names. Raises RuleError: an unknown name, an impossible chain."""
    kind = "text"
    for name in names:
        role = _ROLES.get(name)
        if role is None:
            raise RuleError("modifier-unknown", f"{_unknown(name)} (in '{'|'.join(names)}')", where)
        if role == "anywhere":
            continue
        step = _STEPS.get((kind, role))
        if step is None:
            raise RuleError(
                "modifier-chain",
                f"impossible modifier chain '{'|'.join(names)}': '{name}' cannot be applied to a {kind}",
                where,
            )
        kind = step
    return Chain(tuple(names), kind)


def _unknown(name: str) -> str:
    from difflib import get_close_matches  # rarely needed, and not cheap to load

    close = get_close_matches(name.lower(), _ROLES, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(sorted(_ROLES))}"
    return f"unknown modifier {shown(name)}; {hint}"


def value_tests(value: object, chain: Chain, placeholders: Placeholders, where: Where) -> list[Test]:
    """The tests for one scalar value; an event's value need pass one of them.

    ``value``: str, int, Decimal, bool or None. Raises RuleError where the value does not suit the chain.
    """
    if value is None:
        if chain.kind == "text":
            return [["null"]]
        raise RuleError("value-type", f"null cannot be used with '{'|'.join(chain.names)}'", where)
    if chain.kind in TEXT_KINDS:
        return list(_text_tests(value, chain, placeholders, where))
    if chain.expands and chain.kind == "regular expression":
        return [_regex(text, chain, where) for text in expanded_expressions(scalar_text(value), placeholders, where)]
    return [_MAKERS[chain.kind](value, chain, where)]


# --- text ---------------------------------------------------------------------------------------


def _text_tests(value: object, chain: Chain, placeholders: Placeholders, where: Where) -> Iterator[Test]:
    if chain.kind == "text" and isinstance(value, bool):
        yield ["str", False, ["true" if value else "false"]]
        return
    if chain.kind == "text" and isinstance(value, (int, Decimal)):
        yield ["num", str(value)]
        return
    text = scalar_text(value)
    variants = expanded(text, placeholders, where) if chain.expands else [patterns.parse(text)]
    for name in chain.names:
        step = _TEXT_STEPS.get(name)
        if step is not None:
            variants = [result for parts in variants for result in step(parts, where)]
    for parts in variants:
        if parts:
            yield ["str", chain.cased, list(parts if chain.cased else patterns.folded(parts))]
        else:
            yield ["null"]  # '' is no value


def scalar_text(value: object) -> str:
    """The text of a scalar: booleans as true and false, numbers as they are written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return getattr(value, "written", None) or str(value)


def _contains(parts: Parts, _: Where) -> list[Parts]:
    return [patterns.join((ANY, *parts, ANY))]


def _startswith(parts: Parts, _: Where) -> list[Parts]:
    return [patterns.join((*parts, ANY))]


def _endswith(parts: Parts, _: Where) -> list[Parts]:
    return [patterns.join((ANY, *parts))]


def _windash(parts: Parts, _: Where) -> list[Parts]:
    return [patterns.with_windash(parts)]


class _Bytes(str):
    """Text each of whose characters stands for a byte: what utf16 and its kin make."""

    __slots__ = ()


def _encoded_with(codec: str) -> Callable[[Parts, Where], list[Parts]]:
    """Text in which each character stands for a byte of ``codec``'s encoding."""

    def step(parts: Parts, where: Where) -> list[Parts]:
        return [(_Bytes(text.encode(codec).decode("latin-1")),) for text in _plain_variants(parts, where)]

    return step


def _utf16(parts: Parts, where: Where) -> list[Parts]:
    # A byte order mark, then little endian, as the specification says.
    return [
        (_Bytes((b"\xff\xfe" + text.encode("utf-16-le")).decode("latin-1")),) for text in _plain_variants(parts, where)
    ]


def _bytes(text: str) -> bytes:
    """What to encode: the bytes that utf16 and its kin made, else UTF-8."""
    return text.encode("latin-1" if isinstance(text, _Bytes) else "utf-8")


def _base64(parts: Parts, where: Where) -> list[Parts]:
    return [(b64encode(_bytes(text)).decode("ascii"),) for text in _plain_variants(parts, where)]


def _base64offset(parts: Parts, where: Where) -> list[Parts]:
    """What base64 text holds of the value at each of the three offsets it can have in the plain text.

    The characters at both ends that depend on what stands beside the value are cut off.
    """
    found: list[Parts] = []
    for text in _plain_variants(parts, where):
        data = _bytes(text)
        if len(data) < 2:
            raise RuleError(
                "value-encoding",
                f"{shown(text)} is too short for base64offset: at some offset no whole character is left of it",
                where,
            )
        for offset, start in enumerate((0, 2, 3)):
            end = (None, -3, -2)[(len(data) + offset) % 3]
            found.append((b64encode(b" " * offset + data)[start:end].decode("ascii"),))
    return found


def _plain_variants(parts: Parts, where: Where) -> Iterator[str]:
    """The literal texts that ``parts`` stands for. Raises RuleError if there are wildcards or too many."""
    if any(part != DASH and not isinstance(part, str) for part in parts):
        raise RuleError(
            "value-encoding",
            f"{shown(patterns.as_text(parts))} holds a wildcard (or follows contains, startswith or endswith)"
            " and cannot be encoded; escape it, or put the encoding first",
            where,
        )
    if not parts:
        raise RuleError("value-encoding", "an empty text cannot be encoded", where)
    if len(parts) == 1 and isinstance(parts[0], str):
        return iter((parts[0],))
    choices: list[Sequence[str]] = [DASHES if part == DASH else (str(part),) for part in parts]
    if 5 ** sum(part == DASH for part in parts) > _MAX_ENCODED_VARIANTS:
        raise RuleError("value-encoding", "too many windash positions in a value that is encoded", where)
    return ("".join(choice) for choice in product(*choices))


_TEXT_STEPS: dict[str, Callable[[Parts, Where], list[Parts]]] = {
    "contains": _contains,
    "startswith": _startswith,
    "endswith": _endswith,
    "windash": _windash,
    "base64": _base64,
    "base64offset": _base64offset,
    "wide": _encoded_with("utf-16-le"),
    "utf16le": _encoded_with("utf-16-le"),
    "utf16be": _encoded_with("utf-16-be"),
    "utf16": _utf16,
}

# --- everything that is not text ----------------------------------------------------------------

_FLAGS = {"i": "i", "ignorecase": "i", "m": "m", "multiline": "m", "s": "s", "dotall": "s"}
REGEX_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


def _regex(value: object, chain: Chain, where: Where) -> Test:
    expression = scalar_text(value)
    flags = "".join(sorted({_FLAGS[name] for name in chain.names if name in _FLAGS}))
    fault = regex_fault(expression, flags)
    if fault:
        raise RuleError("regex", f"the regular expression {shown(expression)} cannot be used: {fault}", where)
    return ["re", flags, expression]


def compile_regex(expression: str, flags: str) -> re.Pattern[str]:
    """The compiled expression. Raises re.error, and what else ``re`` raises on odd input."""
    with warnings.catch_warnings():
        # "[[a" means what it always meant; that a later Python may read it otherwise is no news for a search.
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(expression, sum(REGEX_FLAGS[flag] for flag in flags))


def regex_fault(expression: str, flags: str) -> str | None:
    """Why an expression cannot be used on every supported Python, or None if it can."""
    with warnings.catch_warnings():
        # Python 3.9 only warns of what 3.11 refuses (a global flag inside the expression).
        warnings.simplefilter("error", DeprecationWarning)
        try:
            compile_regex(expression, flags)
        except (re.error, DeprecationWarning, OverflowError, RecursionError) as error:
            return str(error)
    # Python 3.11 takes what 3.9 refuses. "a++" inside a class or after a backslash is text.
    bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", expression, flags=re.DOTALL)
    if "(?>" in bare or re.search(r"(?:[*+?]|\{[0-9]*,?[0-9]*\})\+", bare):
        return "atomic groups and possessive quantifiers need Python 3.11, Splunk has 3.9"
    return None


def _network(value: object, _: Chain, where: Where) -> Test:
    import ipaddress  # only rules with cidr need it

    text = scalar_text(value)
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise RuleError("cidr", f"{shown(text)} is no IP network: {error}", where) from None
    return ["cidr", str(network)]


def _presence(value: object, _: Chain, where: Where) -> Test:
    if not isinstance(value, bool):
        raise RuleError("value-type", f"'exists' takes true or false, not {shown(value)}", where)
    return ["exists", value]


def _reference(value: object, chain: Chain, where: Where) -> Test:
    if not isinstance(value, str) or not value:
        raise RuleError("value-type", f"'fieldref' takes a field's name, not {shown(value)}", where)
    return ["ref", chain.first_of("anchor"), chain.cased, value]


def _number(value: object, chain: Chain, where: Where) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise RuleError("value-type", f"'{'|'.join(chain.names)}' takes a number, not {shown(value)}", where)
    return str(value)


def _comparison(value: object, chain: Chain, where: Where) -> Test:
    return ["cmp", chain.first_of("compare"), _number(value, chain, where)]


def _part(value: object, chain: Chain, where: Where) -> Test:
    return ["part", chain.first_of("part"), chain.first_of("compare") or "eq", _number(value, chain, where)]


_MAKERS: dict[str, Callable[[object, Chain, Where], Test]] = {
    "regular expression": _regex,
    "network": _network,
    "presence": _presence,
    "field reference": _reference,
    "anchored field reference": _reference,
    "comparison": _comparison,
    "part of a time": _part,
    "comparison with a part of a time": _part,
}

#: A scalar as a rule's mapping holds it.
Scalar = Union[str, int, Decimal, bool, None]
