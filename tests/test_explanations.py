"""``explain=true``: which items matched, with the values of the event and the patterns of the rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builder.replay import rows
from sigmaengine.results import EXPLAIN_FIELD
from tests.support.apps import Row
from tests.support.builds import UUID
from tests.support.lookups import (
    BOTH,
    CUSTOM,
    IDS,
    NOTHING,
    Editor,
    custom,
    exceptions,
    placeholders,
    settings,
    values,
)

EVERYTHING = {
    **exceptions([IDS["tunnel"], "User", "AD\\s*"]),
    **settings([IDS["plink"], "", "critical", "7"]),
    **custom(CUSTOM),
    **placeholders(["Servers", "pc*"]),
}
LONG = "x" * 1000
EXPLAINED: dict[str, tuple[str, Row, list[dict[str, Any]]]] = {
    "the-value-that-matched": (
        "{User|endswith: adm}",
        {"User": ["AD\\svc", "AD\\adm", "X\\adm"]},
        [{"field": "User", "value": "AD\\adm", "pattern": "*adm"}],
    ),
    "all-each-with-its-value": (
        "{User|contains|all: [s, m]}",
        {"User": ["as", "am"]},
        [{"value": "as", "pattern": "*s*"}, {"value": "am", "pattern": "*m*"}],
    ),
    "regex-of-several-values": (
        "{User|re|i: 'A[0-9]'}",
        {"User": ["a", "a1"]},
        [{"value": "a1", "pattern": "/A[0-9]/i"}],
    ),
    "reference-shows-both": (
        "{One|fieldref|endswith: Other}",
        {"One": ["x", "by"], "Other": ["z", "Y"]},
        [{"field": "One", "value": "by", "pattern": "endswith field Other", "other_value": "Y"}],
    ),
    "reference-to-the-same": (
        "{One|fieldref: Other}",
        {"One": ["a", "b"], "Other": "B"},
        [{"value": "b", "pattern": "field Other", "other_value": "B"}],
    ),
    "keyword-in-raw": (
        "[nothing, needle]",
        {"_raw": f"{LONG}A Needle{LONG}"},
        [{"field": "", "value": f"...{LONG[:98]}A Needle{LONG[:294]}...", "pattern": "*needle*"}],
    ),
    "keyword-by-regex": (
        "{'|re': 'n..dle'}",
        {"_raw": f"{LONG}needle"},
        [{"value": f"...{LONG[:100]}needle", "pattern": "/n..dle/"}],
    ),
    "keyword-in-a-field": (
        "{'|all': [needle, hay]}",
        {"a": "the needle", "b": "in the hay"},
        [{"value": "the needle", "pattern": "*needle*"}, {"value": "in the hay", "pattern": "*hay*"}],
    ),
    "neq-is-negative": ("{a: 1, b|neq: 2}", {"a": "1", "b": "3"}, [{"field": "a", "value": "1"}]),
    "number": ("{a: 1.0}", {"a": ["x", "1"]}, [{"value": "1", "pattern": "1.0"}]),
    "compared": ("{a|gte: 5}", {"a": ["1", "7"]}, [{"value": "7", "pattern": ">= 5"}]),
    "network": ("{a|cidr: 10.0.0.0/8}", {"a": ["x", "10.1.1.1"]}, [{"value": "10.1.1.1", "pattern": "10.0.0.0/8"}]),
    "exists": ("{a|exists: true}", {"a": ["x", "y"]}, [{"value": "x", "pattern": "has a value"}]),
}


@pytest.mark.parametrize(("selection", "event", "items"), EXPLAINED.values(), ids=EXPLAINED)
def test_explanation(selection: str, event: Row, items: list[dict[str, Any]], editor: Editor) -> None:
    result = editor.search([event], f"selection={selection}", "explain=true")
    (row,) = rows(result.bodies[0])
    found = json.loads(str(row[EXPLAIN_FIELD]))["items"]
    assert [{key: item[key] for key in expected} for item, expected in zip(found, items, strict=True)] == items


def test_explanation_of_what_lookups_have_changed(editor: Editor) -> None:
    editor.write(EVERYTHING)
    explained = [
        [json.loads(text) for text in values(row[EXPLAIN_FIELD])]
        for row in rows(editor.search([BOTH, NOTHING], "explain=true").bodies[0])
    ]
    assert [[one["rule"] for one in found] for found in explained] == [[IDS["plink"], IDS["servers"]], [f"{UUID}60"]]
    assert explained[0][1]["items"] == [
        {"selection": "selection", "item": "Computer|expand", "field": "Computer", "value": "pc1", "pattern": "pc*"}
    ]
    assert explained[1][0]["items"][0]["pattern"] == "8"
