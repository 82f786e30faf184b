"""What an event's XML holds that no field shows."""

from __future__ import annotations

import pytest

from sigmaengine.windowsxml import may_have_unextracted, unextracted_fields

SYSTEM = "<Event xmlns='x'><System><EventID>1</EventID></System>"
NAMED = "<EventData><Data Name='A'>a</Data></EventData>"
CASES: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "named": (f"{SYSTEM}{NAMED}</Event>", {}),
    "unnamed": (f"{SYSTEM}<EventData><Data>a</Data><Data>b</Data></EventData></Event>", {"Data": ("a", "b")}),
    "empty-unnamed": (f"{SYSTEM}<EventData><Data></Data></EventData></Event>", {}),
    "user-data": (f"{SYSTEM}<UserData><x xmlns='y'><B>b</B></x></UserData></Event>", {"B": ("b",)}),
    "entities": (f"{SYSTEM}<EventData><Data>&lt;a&gt;</Data></EventData></Event>", {"Data": ("<a>",)}),
    "markup-in-a-value": (
        f"{SYSTEM}<EventData><Data Name='A'>&lt;Data&gt;a&lt;/Data&gt;</Data></EventData></Event>",
        {},
    ),
    "no-event": ("<x><Data>a</Data></x>", {}),
    "no-xml": ("<Data>a</Data>", {}),
}


@pytest.mark.parametrize("name", CASES)
def test_unextracted_fields(name: str) -> None:
    raw, expected = CASES[name]
    assert unextracted_fields(raw) == expected
    assert may_have_unextracted(raw) or not expected
