"""Events through pySigma's SQLite queries: all events into a table in memory, then every query once.

``via``: ``zargunlite``, the engine of that name, or ``sqlite3``, the standard library alone with all
rows inserted at once and nothing fetched but their numbers, which is as fast as it gets.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import answer, cpu, peer_event, read_events, settle, specification

Queries = "list[tuple[str, list[str]]]"
Rows = "list[dict[str, str]]"
#: (position of the event, rule id) pairs.
Pairs = "list[tuple[int, str]]"


def by_zargunlite(events: Rows, queries: Queries) -> Pairs:
    """Insert and query with zargunlite."""
    from zargunlite.core import ZargunCore  # noqa: PLC0415 - only where it is installed

    with ZargunCore() as core:
        core.load_data(events, strict_field_name=False)
        return [
            (row["row_id"] - 1, rule)
            for rule, texts in queries
            for text in texts
            for row in core.execute_sqlite_query(text)
        ]


def _regexp(pattern: str, value: Any) -> int:
    return 0 if value is None else int(re.search(pattern, str(value)) is not None)


def by_sqlite3(events: Rows, queries: Queries) -> Pairs:
    """Insert and query with the standard library."""
    names = list({name.lower(): name for event in events for name in event}.values())
    places = {name.lower(): place for place, name in enumerate(names, 1)}
    database = sqlite3.connect(":memory:")
    database.create_function("regexp", 2, _regexp)
    columns = ", ".join(f"`{name}` TEXT COLLATE NOCASE" for name in names)
    database.execute(f"CREATE TABLE logs (row_id INTEGER PRIMARY KEY, {columns})")

    def rows() -> Any:
        for number, event in enumerate(events):
            row: list[Any] = [None] * (len(names) + 1)
            row[0] = number
            for name, value in event.items():
                row[places[name.lower()]] = value
            yield row

    marks = ",".join("?" * (len(names) + 1))
    database.executemany(f"INSERT INTO logs VALUES ({marks})", rows())  # noqa: S608 - question marks alone
    found = []
    for rule, texts in queries:
        for text in texts:
            try:
                numbers = database.execute(text.replace("SELECT *", "SELECT row_id", 1)).fetchall()
            except sqlite3.OperationalError as error:
                if "no such column" not in str(error):  # as zargunlite does: no event has the field
                    raise
            else:
                found += [(number, rule) for (number,) in numbers]
    return found


VIA: dict[str, Callable[[Any, Any], Any]] = {"zargunlite": by_zargunlite, "sqlite3": by_sqlite3}


def main() -> None:
    """Measure one table of events."""
    spec = specification()
    queries = json.loads(Path(spec["queries"]).read_text("utf-8"))
    read = list(read_events(spec))
    events = [peer_event(event) for _, event in read]
    match = VIA[spec["via"]]
    match(events[:1], queries[:1])  # whatever is prepared once
    settle()
    start = cpu()
    found = match(events, queries)
    spent = cpu() - start
    pairs = sorted({(read[place][0], rule) for place, rule in found})
    if spec.get("pairs"):
        Path(spec["pairs"]).write_text(json.dumps(pairs), "ascii")
    answer(events=len(events), cold=spent, pairs=len(pairs), rules=len(queries))


if __name__ == "__main__":
    main()
