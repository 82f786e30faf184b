"""Random rules over the whole grammar of detections, as mappings that any engine reads.

What is random comes from a ``random.Random``, which hypothesis can give and shrink.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

# Few and short, so that rules do match; long enough in part for the engine's four-byte groups.
WORDS = [
    "a", "ab", "AB", "abcd", "abcde", "\\x.exe", "ς", "ΣA", "K", "İ", "ß", "10", "10.0", "-1e1", "-a", "/ab",
    " \u2013b", "\n", "&amp;", "&", "%", "_", "[a]", "'", '"',
]  # fmt: skip
SPECIALS = ["*", "?", "\\*", "\\?", "\\\\*", "\\", "\\\\"]
FIELDS = ["A", "B", "C.d", "a", "D e"]
PLACEHOLDERS = {"p": ["ab", "x*"], "q": ["10"]}
REGEXES = [
    "abc", "(?:ab|cd)e", "^a", "b$", "[0-9]+", "a.c", "(abcd|/ab)x?", "\\d{2}", "b(?=c)", "(?i:AB)cd", "k", "a\\\\x",
    "'", "^$", "[^a]b",
]  # fmt: skip
NETWORKS = ["10.0.0.0/8", "192.168.4.0/22", "10.1.2.3/32", "0.0.0.0/0", "fe80::/10", "2001:db8::/32"]
NAMES = ["x", "x_2", "sel_x", "notx", "orb", "_u"]
ENCODINGS = [["base64"], ["base64offset"], ["wide", "base64offset"], ["wide", "base64"], ["utf16be", "base64offset"]]

Entry = tuple[str, Any]


def text(random: Random, *, plain: bool = False) -> str:
    """A Sigma string; ``plain``: without wildcards or escapes."""
    pieces = WORDS if plain else [*WORDS, *SPECIALS]
    return "".join(random.choice(pieces) for _ in range(random.choice([1, 1, 2, 3, 4])))


def _listed(random: Random, value: Callable[[], Any]) -> Any:
    values = [value() for _ in range(random.choice([1, 1, 2, 3]))]
    return values if len(values) > 1 or random.random() < 0.2 else values[0]


def _key(field: str, *modifiers: str) -> str:
    return "|".join([field, *(one for one in modifiers if one)])


def _text_item(field: str, random: Random) -> Entry:
    chain = [random.choice(["", "", "windash"]), random.choice(["", "contains", "startswith", "endswith"])]
    chain += [name for name in ("cased", "all", "neq") if random.random() < 0.15]
    random.shuffle(chain)
    return _key(field, *chain), _listed(random, lambda: text(random) if random.random() < 0.95 else "")


def _encoded_item(field: str, random: Random) -> Entry:
    chain = [*random.choice(ENCODINGS), "contains", *(["all"] if random.random() < 0.1 else [])]
    # Two characters at least, of one byte: pySigma's wide takes ASCII alone.
    return _key(field, *chain), _listed(random, lambda: random.choice(["ab", "abc", "cmd.exe", "-a b"]))


def _expanded_item(field: str, random: Random) -> Entry:
    anchor = random.choice(["", "contains", "endswith"])
    return _key(field, "expand", anchor), _listed(random, lambda: random.choice(["%p%", "%q%x", "a%p%", "%q%"]))


def _regex_item(field: str, random: Random) -> Entry:
    flags = [name for name in ("i", "m", "s") if random.random() < 0.3]
    return _key(field, "re", *flags), _listed(random, lambda: random.choice(REGEXES))


def _number_item(field: str, random: Random) -> Entry:
    return field, _listed(random, lambda: random.choice([10, 0, -1, 4688, 1.5]))


def _compared_item(field: str, random: Random) -> Entry:
    return _key(field, random.choice(["lt", "lte", "gt", "gte"])), random.choice([10, 1, -1, 1.5])


def _time_item(field: str, random: Random) -> Entry:
    part = random.choice(["minute", "hour", "day", "week", "month", "year"])
    return _key(field, part), random.choice([1, 5, 10, 2024])


def _reference_item(field: str, random: Random) -> Entry:
    anchor = random.choice(["", "", "contains", "startswith", "endswith"])
    return _key(field, "fieldref", anchor, random.choice(["", "", "neq"])), random.choice(FIELDS)


def _keyword_item(_: str, random: Random) -> Entry:
    return random.choice(["|all", "|contains", "|cased"]), [
        text(random, plain=True) for _ in range(random.choice([1, 2]))
    ]


_ITEMS: list[Callable[[str, Random], Entry]] = [
    *[_text_item] * 6,
    *[_number_item] * 2,
    _encoded_item,
    _expanded_item,
    _regex_item,
    _compared_item,
    _time_item,
    _reference_item,
    _keyword_item,
    lambda field, random: (_key(field, "exists"), random.random() < 0.5),
    lambda field, random: (_key(field, "cidr"), _listed(random, lambda: random.choice(NETWORKS))),
    lambda field, _: (field, None),
    lambda field, random: (field, random.random() < 0.5),
]


def _mapping(random: Random) -> dict[str, Any]:
    return dict(random.choice(_ITEMS)(random.choice(FIELDS), random) for _ in range(random.choice([1, 1, 2, 3])))


def detection(random: Random) -> Any:
    """One identifier's content: a mapping, a list of mappings, keywords."""
    kind = random.random()
    if kind < 0.65:
        return _mapping(random)
    if kind < 0.85:
        return [_mapping(random) for _ in range(random.choice([1, 2, 3]))]
    return [random.choice([text(random), 10]) for _ in range(random.choice([1, 2]))]


def condition(random: Random, names: list[str], depth: int = 3) -> str:
    """A condition that uses some of the identifiers."""
    kind = random.random()
    if depth and kind < 0.2:
        return f"not {condition(random, names, depth - 1)}"
    if depth and kind < 0.55:
        operator = random.choice(["and", "or"])
        parts = [condition(random, names, depth - 1) for _ in range(random.choice([2, 2, 3]))]
        joined = f" {operator} ".join(parts)
        return f"({joined})" if random.random() < 0.7 else joined
    if kind < 0.8:
        return random.choice(names)
    pattern = random.choice(["them", f"{random.choice(names)[:1]}*", "*x*"])
    taken = [name for name in names if _globbed(name, pattern)]
    return f"{random.choice(['1', 'all', 'any'])} of {pattern}" if taken else random.choice(names)


def _globbed(name: str, pattern: str) -> bool:
    if pattern == "them":
        return not name.startswith("_")
    if pattern.startswith("*"):
        return pattern.strip("*") in name and not name.startswith("_")
    return name.startswith(pattern[:-1])


def rule(random: Random, number: int = 0) -> dict[str, Any]:
    """A rule; ``number`` is the end of its id."""
    names = random.sample(NAMES, random.choice([1, 2, 3]))
    conditions = [condition(random, names) for _ in range(random.choice([1, 1, 1, 2]))]
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "title": f"Rule {number}",
        "level": random.choice(["low", "high"]),
        "logsource": {"product": "any"},
        "detection": {
            **{name: detection(random) for name in names},
            "condition": conditions if len(conditions) > 1 else conditions[0],
        },
    }
