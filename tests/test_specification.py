"""The checklist: each row has cases, each known fault of other engines too, and the page says so."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import click.testing

from builder import docs_specification
from builder.docs_specification import cases, checklist
from builder.paths import ROOT

CASES, CHECKLIST = cases(), checklist()
LEAST = 5


def test_rows_are_1_to_35() -> None:
    rows = [row["row"] for row in CHECKLIST["rows"]]
    assert rows == list(range(1, 36))
    assert all(set(row) <= {"row", "topic", "supported", "others", "decision"} for row in CHECKLIST["rows"])


def test_each_case_is_of_a_row_and_has_a_name_of_its_own() -> None:
    assert {case.row for case in CASES} <= set(range(1, 36))
    ids = sorted((case.table, case.id) for case in CASES)
    assert [one for one, other in pairwise(ids) if one == other] == []


def test_each_row_has_cases() -> None:
    counts = Counter(case.row for case in CASES)
    assert {row: counts[row] for row in range(1, 36) if counts[row] < LEAST} == {}
    assert len(CASES) >= 400


def test_each_known_fault_of_other_engines_has_a_case() -> None:
    rows = {entry["name"]: entry["row"] for entry in CHECKLIST["known"]}
    marked = {case.known: case.row for case in CASES if case.known}
    assert marked == rows


def test_the_page_is_what_the_generator_writes() -> None:
    written = (ROOT / "docs" / "specification.md").read_text("utf-8")
    assert written == docs_specification.page(), "python -m builder.docs_specification --write"


def test_the_generator_checks_the_page() -> None:
    result = click.testing.CliRunner().invoke(docs_specification.main, ["--check"])
    assert result.exit_code == 0, result.output
