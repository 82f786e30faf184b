"""What a Windows event's XML holds and Splunk's add-on does not make a field of.

The Splunk Add-on for Microsoft Windows extracts ``<Data Name='X'>`` and the ``<System>`` part of
XmlWinEventLog events. Unnamed ``<Data>`` elements and the children of ``<UserData>`` stay in
``_raw`` alone, and entities in values stay as they are.
"""

from __future__ import annotations

import re

_ENTITY = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_UNNAMED_DATA = re.compile(r"<Data>([^<]*)</Data>")
_USER_DATA = re.compile(r"<UserData>(.*)</UserData>", re.DOTALL)
_LEAF = re.compile(r"<([A-Za-z_][\w.:-]*)(?:\s[^<>]*)?>([^<]*)</\1>")


def decode_entities(text: str) -> str:
    """``text`` with the entities of XML decoded once; anything else that begins with ``&`` stays."""
    return _ENTITY.sub(_decoded, text) if "&" in text else text


def _decoded(found: re.Match[str]) -> str:
    name, decimal, hexadecimal = found.groups()
    if name:
        return _NAMED[name]
    code_point = int(decimal) if decimal else int(hexadecimal, 16)
    # Neither zero nor half a surrogate pair is a character.
    is_character = 0 < code_point < 0xD800 or 0xDFFF < code_point <= 0x10FFFF
    return chr(code_point) if is_character else found.group()


# After System comes EventData or UserData, and the data of an event all have names or none has (of 208,699
# recorded events that begin so, none holds the one and the other).
_NAMED_DATA = "</System><EventData><Data Name="


def may_have_unextracted(raw: str) -> bool:
    """False if ``unextracted_fields`` of an event's XML are none; quick."""
    return _NAMED_DATA not in raw and ("<Data>" in raw or "<UserData>" in raw)


def unextracted_fields(raw: str) -> dict[str, tuple[str, ...]]:
    """Unnamed data (as ``Data``) and the leaves of the user data of one event's XML: name -> values.

    Empty elements make no value. Text that is no event XML gives an empty dict.
    """
    found: dict[str, list[str]] = {}
    if not may_have_unextracted(raw) or not raw.lstrip().startswith("<Event"):
        return {}
    if "<Data>" in raw:
        found["Data"] = _UNNAMED_DATA.findall(raw)
    user_data = _USER_DATA.search(raw) if "<UserData>" in raw else None
    if user_data:
        for name, value in _LEAF.findall(user_data.group(1)):
            found.setdefault(name, []).append(value)
    return {
        name: values
        for name, texts in found.items()
        if (values := tuple(decode_entities(text) for text in texts if text))
    }
