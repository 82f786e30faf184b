"""docs/lookups.md: its columns and bounds are the command's, its searches make lookups that can be used."""

from __future__ import annotations

import re

import pytest

from builder.paths import ROOT
from sigmaengine.lookupfiles import LOOKUPS
from tests.support.lookups import SEVEN, Editor, table

PAGE = (ROOT / "docs" / "lookups.md").read_text("utf-8")
HEADINGS = {
    "sigma_exceptions": "Exceptions",
    "sigma_rule_settings": "Rule settings",
    "sigma_custom_rules": "Custom rules",
    "sigma_placeholders": "Placeholders",
    "sigma_log_sources": "Log sources",
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_the_page_has_the_columns_and_bounds(name: str) -> None:
    lookup = LOOKUPS[name]
    section = PAGE.split(f"\n## {HEADINGS[name]}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    assert {column for cell in cells for column in re.findall(r"`(\w+)`", cell)} == {*lookup.required, *lookup.optional}
    assert f"| `{name}` | {lookup.max_rows} | {lookup.max_bytes} |" in PAGE


#: (what it evaluates, columns, lookup) of the searches that make one.
MADE = re.findall(
    r"^\| makeresults \| eval (.+) \| fields (.+?) \| outputlookup (?:append=true )?(\w+)$", PAGE, re.MULTILINE
)


def test_the_page_has_a_search_that_makes_each() -> None:
    assert sorted(name for *_, name in MADE) == sorted(LOOKUPS)


@pytest.mark.parametrize(("evaluated", "columns", "name"), MADE, ids=[name for *_, name in MADE])
def test_what_a_search_makes_can_be_used(evaluated: str, columns: str, name: str, editor: Editor) -> None:
    cells = dict(re.findall(r'(\w+)="([^"]*)"', evaluated))
    assert columns.split() == list(cells)
    editor.write({name: table(list(cells), list(cells.values()))})
    result = editor.search([SEVEN])
    # Rules and placeholders of SigmaHQ are not in the app of these tests.
    strange = [text for text in result.told("WARN") if "no rule" not in text]
    assert strange == []
    assert any(f"lookups in use: {name}" in text and "(1 row" in text for text in result.told("INFO"))
