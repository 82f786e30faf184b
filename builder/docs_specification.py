"""``docs/specification.md``, from the checklist, the tables of cases and the masks of the comparison.

``python -m builder.docs_specification`` prints the page, ``--write`` writes it, ``--check`` exits with
1 if the page in the checkout is another one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "app" / "bin")]

from builder.docpages import page_command  # noqa: E402 - after the path is set
from sigmaengine.ruletext import read_documents  # noqa: E402 - after the path is set

PAGE = ROOT / "docs" / "specification.md"
TESTS = ROOT / "tests"
CHECKLIST = TESTS / "cases" / "checklist.yml"
MASKS = TESTS / "conformance" / "masks.yml"

_INTRODUCTION = """\
# The specification, row by row

What of the [Sigma specification](https://github.com/SigmaHQ/sigma-specification) 2.1.0 is supported, the cases that
show it, and every decision where engines differ. This page is written by
`python -m builder.docs_specification --write` from `tests/cases/checklist.yml` and the tables of cases; a test compares
it with them. [What rules mean](semantics.md) says it in full.

## Checklist

- *Cases*: entries of the tables under `tests/` that carry the row's number, each a rule or whole files, events, and
  what must match or be said. They run through the plain evaluator, the engine and the packaged command. *faults* are
  those of them in which a rule must be refused.
"""

_DIFFERENCES = """\
## Where engines differ

What other engines do, and what is right here, where the specification leaves room or is deviated from.
"""

_KNOWN = """\
## What other engines are known to get wrong

Each of these has a case that carries its name as `known`.
"""

_COMPARED = """\
## Compared with another engine

`make conformance` compares this engine with one that shares nothing with it: pySigma, its SQLite backend and SQLite, in
a process and an environment of their own (`requirements-conformance.txt`), with routing of its own. All rules of
SigmaHQ run on real events (through the packaged command) and on events derived from their own values, random rules over
the whole grammar on near misses of them, and every chain of up to three modifiers is tried. `make test` does a part of
it. A difference fails the comparison unless one of these masks excuses it, and so does a mask that excuses nothing.
"""


class Case(NamedTuple):
    """An entry of a table: where it stands, and whether it is about a rule that must be refused."""

    id: str
    row: int
    known: str
    fault: bool
    table: str


def cases() -> list[Case]:
    """All entries with a row in the tables under ``tests/``."""
    return [
        Case(entry["id"], int(entry["row"]), entry.get("known", ""), "error" in entry, path.parent.name)
        for path in sorted(TESTS.glob("*/*.yml"))
        for document in read_documents(path.read_bytes())
        if isinstance(document, list)
        for entry in document
        if isinstance(entry, dict) and "row" in entry and "id" in entry
    ]


def checklist() -> dict[str, Any]:
    """The checklist: ``rows`` and ``known``."""
    content: Any = _document(CHECKLIST)
    return {"rows": content["rows"], "known": content["known"]}


def _document(path: Path) -> Any:
    (content,) = read_documents(path.read_bytes())
    return content


def page() -> str:
    """The page's text."""
    found, known = checklist(), cases()
    parts = [
        (_INTRODUCTION, _rows(found["rows"], known)),
        (_DIFFERENCES, _decisions(found["rows"])),
        (_KNOWN, _known(found["known"], known)),
        (_COMPARED, _masks()),
    ]
    return "\n".join("\n".join([text, *table, ""]) for text, table in parts)


def _rows(rows: list[dict[str, Any]], known: list[Case]) -> Iterator[str]:
    yield "| # | topic | supported | cases | tables |"
    yield "|---|---|---|---|---|"
    for row in rows:
        mine = [case for case in known if case.row == row["row"]]
        faults = sum(case.fault for case in mine)
        counted = f"{len(mine)}, {faults} faults" if faults else f"{len(mine)}"
        tables = ", ".join(f"`tests/{table}`" for table in sorted({case.table for case in mine}))
        yield f"| {row['row']} | {_cell(row['topic'])} | {row.get('supported', 'yes')} | {counted} | {tables} |"


def _decisions(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| # | topic | other engines | here |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| {row['row']} | {_cell(row['topic'])} | {_cell(row.get('others', ''))} | {_cell(row['decision'])} |"


def _known(entries: list[dict[str, Any]], known: list[Case]) -> Iterator[str]:
    yield "| # | behaviour | who gets it wrong | cases |"
    yield "|---|---|---|---|"
    for entry in entries:
        mine = ", ".join(f"`{case.id}`" for case in known if case.known == entry["name"])
        yield f"| {entry['row']} | {_cell(entry['behaviour'])} | {_cell(entry['who'])} | {mine} |"


def _masks() -> Iterator[str]:
    yield "| mask | # | over | reason |"
    yield "|---|---|---|---|"
    for entry in _document(MASKS):
        yield f"| {entry['name']} | {entry['row']} | {', '.join(entry['over'])} | {_cell(entry['reason'])} |"


def _cell(text: str) -> str:
    """``text`` for a table's cell: ``|`` ends none, and outside code nothing is Markdown's."""
    parts = re.split(r"(`[^`]*`)", text.replace("|", "\\|"))
    return "".join(part if part.startswith("`") else re.sub(r"([*<\[\]])", r"\\\1", part) for part in parts)


main = page_command(PAGE, "builder.docs_specification", page)


if __name__ == "__main__":
    main()
