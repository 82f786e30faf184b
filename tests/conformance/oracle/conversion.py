"""Rules -> SQLite queries, by pySigma and its SQLite backend as they are published."""

from __future__ import annotations

from typing import Any

from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import FieldFunctionTransformation, ValueListPlaceholderTransformation

FULLTEXT = "fulltext"


def column(field: str | None) -> str:
    """The column of a field. SQLite's names ignore case, Sigma's fields do not: hence the hexadecimal."""
    return f"f_{(field or '').encode().hex()}"


def field_of(name: str) -> str:
    """The field of a column."""
    return bytes.fromhex(name[2:]).decode()


class Converter:
    """pySigma with the one thing set that a table of events needs: the names of its columns."""

    def __init__(self, placeholders: dict[str, list[str]] | None = None) -> None:
        pipeline = ProcessingPipeline(
            items=[
                ProcessingItem(ValueListPlaceholderTransformation()),
                ProcessingItem(FieldFunctionTransformation({}, column)),
            ],
            vars=placeholders or {},
        )
        self.backend = sqliteBackend(processing_pipeline=pipeline, fulltext_field=FULLTEXT)

    def convert(self, rule: Any) -> tuple[str, list[str]]:
        """One rule (YAML text or a mapping): its WHERE clause and the fields it looks at.

        Raises whatever pySigma raises of a rule that it refuses.
        """
        collection = SigmaCollection.from_yaml(rule) if isinstance(rule, str) else SigmaCollection.from_dicts([rule])
        queries = [str(query) for query in self.backend.convert(collection)]
        clauses = [query.split(" WHERE ", 1)[1] for query in queries]
        # The conversion has renamed the fields in the rule itself.
        names = self.backend.required_fields(collection.rules[0])
        fields = [field_of(name) for name in names if name != FULLTEXT]
        return " OR ".join(f"({clause})" for clause in clauses), fields
