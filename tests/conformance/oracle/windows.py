"""Events as Splunk shows them -> the fields of the Windows log, read with an XML parser of its own."""

from __future__ import annotations

import html
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

#: Splunk's metadata and the notes of the test data: no fields of the event.
_NO_FIELDS = ("host", "source", "sourcetype")
#: The System block's names, where Splunk's add-on has others.
_SYSTEM = {"EventID": "EventCode", "Provider_Name": "Provider", "ComputerName": "Computer"}


def fields(event: Mapping[str, Any], cleaned: Mapping[str, str]) -> dict[str, str]:
    """The event's fields. ``cleaned``: Splunk's name of a field -> that of the Windows log."""
    found = {name: value for name, value in event.items() if not name.startswith("_") and name not in _NO_FIELDS}
    for name, ours in _SYSTEM.items():
        if ours in found:
            found[name] = found[ours]
    for name, windows in cleaned.items():
        if name in found:
            found.setdefault(windows.replace(" ", ""), found[name])
    found = {name: html.unescape(value) if "&" in value else value for name, value in found.items()}
    return {**_from_xml(event.get("_raw", "")), **found}


def text(event: Mapping[str, Any]) -> str:
    """What keywords search: the event as it is stored, and with its entities decoded."""
    raw: str = event.get("_raw", "")
    return f"{raw}\n{html.unescape(raw)}" if "&" in raw else raw


def _from_xml(raw: str) -> dict[str, str]:
    """Unnamed data and the leaves of the user data, which the add-on does not extract."""
    if "<Data>" not in raw and "<UserData>" not in raw:
        return {}
    values: dict[str, list[str]] = {}
    try:
        root = ET.fromstring(raw)  # noqa: S314 - test data
    except ET.ParseError:
        return {}
    for element in root.iter():
        parent, _, name = element.tag.rpartition("}")
        del parent
        if name == "Data" and "Name" not in element.attrib and element.text:
            values.setdefault("Data", []).append(element.text)
    for data in root:
        if data.tag.endswith("UserData"):
            for leaf in data.iter():
                if not len(leaf) and leaf.text:
                    values.setdefault(leaf.tag.rpartition("}")[2], []).append(leaf.text)
    return {name: "\n".join(found) for name, found in values.items()}
