"""Events made from a rule's own values: some that match it, and near misses of them."""

from __future__ import annotations

import ipaddress
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from .randomrules import PLACEHOLDERS
from .regexwords import word
from .rulefacts import Entry, entries

#: What stands for a wildcard, and what is put into a value.
FILLERS = ["", "x", "\\", " ", "a.exe", "\n", "é", "%", "_", "-", "ZZ"]
_UNESCAPED = re.compile(r"\\([*?\\])|([*?])")


def event_for(rule: Mapping[str, Any], random: Random) -> dict[str, str]:
    """An event with values for the fields of some of the rule's identifiers, some of them changed a little."""
    event: dict[str, str] = {}
    words: list[str] = []
    for name, content in rule["detection"].items():
        if name in ("condition", "timeframe"):
            continue
        # What is filtered is mostly called so, and seldom wanted in a match.
        wanted = 0.25 if name.startswith("filter") else 0.9
        if random.random() < wanted:
            _satisfy(content, event, words, random)
    if words:
        event["_raw"] = " ".join(words)
    for field in list(event):
        if random.random() < 0.15:
            event[field] = changed(event[field], random)
    if len(event) > 1 and random.random() < 0.1:
        del event[random.choice(list(event))]
    return {field: value for field, value in event.items() if value}


def _satisfy(content: Any, event: dict[str, str], words: list[str], random: Random) -> None:
    """Put values into the event with which one identifier holds, as far as others leave room."""
    if isinstance(content, list):
        mappings = [one for one in content if isinstance(one, Mapping)]
        if mappings:
            content = random.choice(mappings)
    for entry in entries(content):
        if entry.field:
            event[entry.field] = value_for(entry, random)
        else:
            texts = entry.values if "all" in entry.modifiers else [random.choice(entry.values or ("",))]
            words += [_filled(str(text), random) for text in texts]


def value_for(entry: Entry, random: Random) -> str:
    """A value that an item's values and modifiers ask for, mostly."""
    if not entry.values:
        return ""
    if "all" in entry.modifiers:
        return "".join(_one(entry, value, random) for value in entry.values)
    return _one(entry, random.choice(entry.values), random)


def _one(entry: Entry, value: Any, random: Random) -> str:
    modifiers = set(entry.modifiers)
    if value is None or "exists" in modifiers:
        return "" if value in (None, False) else "x"
    if not modifiers and not isinstance(value, str) and random.random() < 0.3:
        # Another spelling of the number, or of the boolean.
        return str(int(value)) if isinstance(value, bool) else f"{value}{'0' if '.' in str(value) else '.0'}"
    for name, make in _SPECIAL.items():
        if name in modifiers:
            return make(str(value), random)
    text = _encoded(_filled(_expanded(str(value), modifiers), random), entry.modifiers)
    if "windash" in modifiers and random.random() < 0.5:
        text = text.replace("-", random.choice("/\u2013\u2014\u2015"))
    before = random.choice(FILLERS) if modifiers & {"contains", "endswith"} else ""
    after = random.choice(FILLERS) if modifiers & {"contains", "startswith"} else ""
    return before + text + after


def _expanded(text: str, modifiers: set[str]) -> str:
    if "expand" not in modifiers:
        return text
    return re.sub("%(\\w+)%", lambda found: PLACEHOLDERS.get(found[1], ["x"])[0], text)


_CODECS = {"wide": "utf-16-le", "utf16le": "utf-16-le", "utf16": "utf-16", "utf16be": "utf-16-be"}


def _encoded(text: str, modifiers: tuple[str, ...]) -> str:
    """The text in base64, if an item asks for it, at the offset zero."""
    data = text.encode("utf-8", "replace")
    for name in modifiers:
        if name in _CODECS:
            data = text.encode(_CODECS[name])
        elif name.startswith("base64"):
            return b64encode(data).decode()
    return text


def _compared(text: str, random: Random) -> str:
    return str(float(text) + random.choice([-1, 0, 1])).removesuffix(".0")


def _time(text: str, _: Random) -> str:
    """A time of which a part is this number, if there is such a part."""
    number = int(float(text))
    year, month, day = (number, 1, 1) if number > 99 else (2024, max(1, min(number, 12)), max(1, min(number, 28)))
    return f"{year:04}-{month:02}-{day:02} {min(number, 23):02}:{min(number, 59):02}:00"


def _same(_: str, random: Random) -> str:
    """What two fields may both hold, so that a reference holds."""
    return random.choice(["ab", "ab", "AB", "abcab", "x%"])


def _address(network: str, random: Random) -> str:
    """One of a network, or the one behind it; behind the last of all comes the first."""
    addresses = ipaddress.ip_network(network, strict=False)
    number = int(addresses.network_address) + random.randrange(addresses.num_addresses + 1)
    return str(type(addresses.network_address)(number % (1 << addresses.max_prefixlen)))


#: Modifiers for which a value's text is not what an event holds -> what it may hold.
_SPECIAL: dict[str, Callable[[str, Random], str]] = {
    "re": word,
    "cidr": _address,
    "fieldref": _same,
    **dict.fromkeys(("minute", "hour", "day", "week", "month", "year"), _time),
    **dict.fromkeys(("lt", "lte", "gt", "gte"), _compared),
}


def _filled(text: str, random: Random) -> str:
    """A Sigma string with something in the place of its wildcards."""
    return _UNESCAPED.sub(lambda found: found[1] or random.choice(FILLERS if found[2] == "*" else "x\n\\"), text)


def changed(text: str, random: Random) -> str:
    """A near miss of a value, or another spelling of it."""
    place = random.randrange(len(text) + 1)
    return random.choice(
        [
            text.swapcase(),
            text.upper(),
            text[:place] + random.choice(FILLERS) + text[place:],
            text[:place] + text[place + 1 :],
            text[:place],
            text[place:],
            text.replace("\\", "/"),
            "",
        ]
    )
