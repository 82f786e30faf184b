"""Elasticsearch's Watcher, as far as its documentation says what it takes and does with a watch.

Written from the Elasticsearch Reference 8.x (put watch API, search input, interval schedule, compare condition,
email, webhook, index and logging actions, "Using templates", search templates: "toJson", sections), and from
nothing of the project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema

_TEXT = {"type": "string", "minLength": 1}
#: Watcher's time values and intervals.
_PERIOD = {"type": "string", "pattern": "^[1-9][0-9]*[smhdw]$"}
_TEXTS = {"type": "array", "minItems": 1, "items": _TEXT}


def _object(required: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """An object of these members and no others."""
    return {
        "type": "object",
        "properties": {**required, **more},
        "required": list(required),
        "additionalProperties": False,
    }


_TRANSFORM = _object({"script": _object({"source": _TEXT}, lang={"const": "painless"})})
_ACTIONS = {
    "email": _object(
        {"to": _TEXTS, "subject": _TEXT, "body": _object({"text": _TEXT})},
        priority={"enum": ["lowest", "low", "normal", "high", "highest"]},
    ),
    "webhook": _object(
        {"url": _TEXT},
        method={"enum": ["head", "get", "post", "put", "delete"]},
        headers={"type": "object", "additionalProperties": _TEXT},
        body=_TEXT,
    ),
    "index": _object({"index": _TEXT}, execution_time_field=_TEXT),
    "logging": _object({"text": _TEXT}, level={"enum": ["error", "warn", "info", "debug", "trace"]}),
}
#: The documented structure, narrowed to what is used of it.
SCHEMA = _object(
    {
        "metadata": {"type": "object"},
        "trigger": _object({"schedule": _object({"interval": _PERIOD})}),
        "input": _object(
            {
                "search": _object(
                    {
                        "request": _object(
                            {
                                "indices": _TEXTS,
                                "rest_total_hits_as_int": {"const": True},
                                "body": _object(
                                    {
                                        "size": {"type": "integer", "minimum": 1, "maximum": 10_000},
                                        # A count is a number only where all hits are counted.
                                        "track_total_hits": {"const": True},
                                        "sort": {"type": "array", "minItems": 1, "maxItems": 1},
                                        "query": _object({"bool": _object({"filter": {"type": "array"}})}),
                                    }
                                ),
                            }
                        )
                    }
                )
            }
        ),
        "condition": _object({"compare": _object({"ctx.payload.hits.total": _object({"gt": {"const": 0}})})}),
        "actions": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "type": "object",
                "properties": {**_ACTIONS, "throttle_period": _PERIOD, "transform": _TRANSFORM},
                "required": ["throttle_period"],
                "minProperties": 2,
                "additionalProperties": False,
            },
        },
    }
)


def check(watch: Any) -> None:
    """Raises jsonschema.ValidationError for what the documentation does not describe."""
    jsonschema.Draft202012Validator(SCHEMA).validate(watch)


# --- templates -------------------------------------------------------------------------------------

_TAG = re.compile(r"\{\{([#/]?)([^{}]+)\}\}")


def rendered(template: str, context: Mapping[str, Any], *, is_json: bool = False) -> str:
    """A Mustache template with its values: variables, sections over lists, ``toJson``.

    ``is_json``: values are escaped for JSON texts, as in the body of a search. Anything else between ``{{``
    raises ValueError, and so does a variable that there is not.
    """
    escape: Callable[[str], str] = (lambda text: json.dumps(text)[1:-1]) if is_json else str
    return _rendered(template, [context], escape)


def _rendered(template: str, scopes: list[Any], escape: Callable[[str], str]) -> str:
    found, at = [], 0
    while tag := _TAG.search(template, at):
        found.append(_plain(template[at : tag.start()]))
        kind, name = tag[1], tag[2]
        at = tag.end()
        if kind == "#":
            close = template.index("{{/" + name + "}}", at)
            inner, at = template[at:close], close + len(name) + 5
            if name == "toJson":
                found.append(json.dumps(_value(inner, scopes)))
            else:
                found += [_rendered(inner, [*scopes, one], escape) for one in _value(name, scopes)]
        elif kind:
            raise ValueError(f"{{{{/{name}}}}} ends nothing")
        else:
            found.append(escape(str(_value(name, scopes))))
    return "".join([*found, _plain(template[at:])])


def _plain(text: str) -> str:
    if "{{" in text:
        raise ValueError(f"a tag is not known: {text!r}")
    return text


def _value(name: str, scopes: list[Any]) -> Any:
    first, *rest = name.split(".")
    holder = next((scope for scope in reversed(scopes) if first in scope), None)
    if holder is None:
        raise ValueError(f"there is no {name}")
    value = holder[first]
    for step in rest:
        value = value.get(step, "")
    return value
