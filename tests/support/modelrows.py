"""Events as an accelerated data model holds them.

What add-ons and CIM make of an event is written here from their documentation: the table of
``mappings/datamodels`` gives the names alone.
"""

from __future__ import annotations

import re

from builder.searches.modelfields import ModelSource
from sigmaengine.fields import Event, FieldView, Values

#: CIM fills what has no value. These it leaves without: `NOT field=value` holds for them.
_NOT_FILLED = {
    "process_path", "parent_process_path", "process_current_directory", "process_integrity_level", "process_guid",
    "parent_process_guid", "process_hash", "direction",
}  # fmt: skip
# transforms.conf of the Splunk Add-on for Sysmon: what stands in parentheses after one word.
_DETAILS = re.compile(r"\w+\s\((.+)\)")
_ACTIONS = {"11": "created", "13": "modified", "14": "modified", "23": "deleted"}


def model_row(event: Event, view: FieldView, source: ModelSource) -> dict[str, list[str]]:
    """The fields of an event in its dataset. Values hold XML entities where the event does."""
    plain = FieldView(view.aliases, view.profile, xml=False)
    found = {place.name: list(plain.values(event, field)) for field, place in source.fields.items()}
    found |= _calculated(event, found)
    filled = {name: values or ([] if name in _NOT_FILLED else ["unknown"]) for name, values in found.items()}
    return {f"{source.dataset.prefix}.{name}": values for name, values in filled.items() if values}


def _calculated(event: Event, found: dict[str, list[str]]) -> dict[str, list[str]]:
    code, kind = _first(event.column("EventCode")), _first(event.column("EventType"))
    if code == "3":
        return {"direction": ["outbound" if _first(event.column("Initiated")) == "true" else "inbound"]}
    if code == "12":
        return {"action": ["created" if kind == "CreateKey" else "deleted"]}
    if code in _ACTIONS:
        data = [
            wrapped[1] if (wrapped := _DETAILS.fullmatch(text)) else text
            for text in found.get("registry_value_data", ())
        ]
        return {"action": [_ACTIONS[code]]} | ({"registry_value_data": data} if data else {})
    return {}


def _first(values: Values) -> str:
    return values[0] if values else ""
