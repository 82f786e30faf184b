"""Events in a table in memory, and the queries of the rules on it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from conversion import FULLTEXT, column

#: What an event's fields are; one without a value is not there.
Event = Mapping[str, str]


class Query(NamedTuple):
    """A rule as SQL: where it holds, and the fields that this looks at."""

    rule: str
    where: str
    fields: list[str]
    keywords: bool


def _regexp(expression: str, value: object) -> int:
    return 0 if value is None else int(re.search(expression, str(value)) is not None)


def matches(events: Iterable[tuple[int, Event, str | None]], queries: Sequence[Query]) -> Iterator[tuple[int, str]]:
    """(event's number, rule) of every match. ``events``: number, fields, the text that keywords search.

    Events that no query can tell apart are one row.
    """
    fields = sorted({name for query in queries for name in query.fields})
    keywords = any(query.keywords for query in queries)
    rows: dict[tuple[str | None, ...], list[int]] = {}
    for number, event, text in events:
        row = tuple(event.get(name) or None for name in fields)
        rows.setdefault((*row, text if keywords else None), []).append(number)
    numbers = list(rows.values())
    for rule, row_id in _matching_rows(fields, rows, queries):
        for number in numbers[row_id - 1]:
            yield number, rule


def _matching_rows(
    fields: Sequence[str], rows: Iterable[Sequence[str | None]], queries: Sequence[Query]
) -> Iterator[tuple[str, int]]:
    database = sqlite3.connect(":memory:")
    database.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000_000)
    database.create_function("regexp", 2, _regexp, deterministic=True)
    columns = ", ".join(f"{column(name)} TEXT COLLATE NOCASE" for name in fields)
    database.execute(f"CREATE TABLE logs ({columns}{',' * bool(columns)} {FULLTEXT} TEXT COLLATE NOCASE)")
    marks = ",".join("?" * (len(fields) + 1))
    database.executemany(f"INSERT INTO logs VALUES ({marks})", rows)  # noqa: S608 - question marks alone
    for query in queries:
        # pySigma's own query text, with the rows' numbers instead of all columns.
        for (row_id,) in database.execute(f"SELECT rowid FROM logs WHERE {query.where}"):  # noqa: S608
            yield query.rule, row_id
    database.close()
