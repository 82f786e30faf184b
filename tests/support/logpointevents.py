"""Windows events as Logpoint normalises them, by the names that mappings/targets/logpoint.yml gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from builder.paths import MAPPINGS

_NAMESPACE = re.compile(r"\{[^}]*\}")


@cache
def _profile() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((MAPPINGS / "targets" / "logpoint.yml").read_text("utf-8"))
    return content


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name).strip("_").lower()


def _local(element: ET.Element) -> str:
    return _NAMESPACE.sub("", element.tag)


def _natives(root: ET.Element) -> Iterator[tuple[str, str]]:
    for part in root:
        for element in part if _local(part) != "UserData" else part.iter():
            text = (element.text or "") if len(element) == 0 else ""
            yield element.get("Name", _local(element)) if _local(part) != "System" else _local(element), text
            if _local(part) == "System" and _local(element) == "Provider":
                yield "Provider_Name", element.get("Name", "")


def normalised(xml: str) -> dict[str, list[str]]:
    """The fields of an event; of two that have one name, all values."""
    natives = list(_natives(ET.fromstring(xml)))  # noqa: S314 - events of the tests' own, and recorded ones
    # The System part comes first.
    of_system = dict(reversed(natives))
    channel = of_system.get("Channel", "")
    profile = _profile()
    table = next((one for key, one in profile["channels"].items() if key.lower() == channel.lower()), {})
    names = {
        **profile["names"],
        **table.get("names", {}),
        **table.get("events", {}).get(int(of_system["EventID"] or 0), {}),
    }
    event: dict[str, list[str]] = {}
    for native, text in natives:
        if native == "Hashes":
            for algorithm, value in re.findall(r"(\w+)=(\w+)", text):
                event.setdefault(table.get("hashes", {}).get(algorithm, "other_hash"), []).append(value)
        elif text not in ("", "-"):
            event.setdefault(names.get(native) or _snake(native), []).append(text)
    for name, text in table.get("where", {}).items():
        event.setdefault(name, [text])
    return event
