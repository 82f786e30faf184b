"""The lookup ``sigma_custom_rules``: Sigma rules as YAML, a row each. Loads PyYAML where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .aggregation import has_aggregation
from .documents import CORRELATION, FILTER, RULE, Resolved, resolved
from .filters import Filter, apply_filters, read_filter
from .lookupfiles import LookupFile, Row, read_truth
from .modifiers import Placeholders
from .problems import WARNING, Problem, shown
from .rule import Rule, read_rule

#: YAML values of all rules together: what a search reads at its start, it reads in every process.
MAX_VALUES = 200_000
# What is missing in a rule of one's own is no news to its author.
_UNASKED = ("id-missing", "id-no-uuid", "title-missing", "level-missing", "status-missing", "logsource-missing")
_ELSEWHERE = {
    CORRELATION: "a correlation has to be given to the build, it cannot be a custom rule",
    "aggregation": "a rule that counts (an aggregation) has to be given to the build, it cannot be a custom rule",
}


def read_custom_rules(file: LookupFile, placeholders: Placeholders) -> list[Rule]:
    """The rules of the rows that are enabled, each id once; what is wrong is told in ``file.problems``."""
    reader = _Reader(file, placeholders)
    enabled = [row for row in file.rows if _is_enabled(file, row)]
    for row in enabled:
        reader.read(row)
    if len(enabled) < len(file.rows):
        file.notes.append(f"{len(file.rows) - len(enabled)} not enabled")
    return reader.filtered()


def _is_enabled(file: LookupFile, row: Row) -> bool:
    text = row.text("enabled")
    truth = read_truth(text)
    if text and truth is None:
        file.refuse(row, f"enabled is true or false, not {shown(text)}; the rule is not used")
        return False
    if not row.text("rule"):
        file.refuse(row, "there is no rule in it")
        return False
    return truth is not False


class _Reader:
    def __init__(self, file: LookupFile, placeholders: Placeholders) -> None:
        self.file, self.placeholders = file, placeholders
        self.rules: dict[str, Rule] = {}
        self.rows: dict[str, Row] = {}
        self.filters: list[tuple[Row, Any, Filter]] = []
        self.warnings: list[str] = []
        self.values = 0

    def read(self, row: Row) -> None:
        from .ruletext import TextError, read_documents

        if self.values > MAX_VALUES:
            self.file.refuse(row, f"not used: the rows before it hold over {MAX_VALUES} YAML values")
            return
        try:
            for one in resolved(self._counted(read_documents("\n".join(row.values("rule"))))):
                self._take(row, one)
        except TextError as error:
            self.file.refuse(row, f"line {error.line}: {error}")

    def _counted(self, documents: Iterator[Any]) -> Iterator[Any]:
        for document in documents:
            self.values += _size(document)
            yield document

    def _take(self, row: Row, one: Resolved) -> None:
        kind = "aggregation" if one.kind == RULE and has_aggregation(one.document) else one.kind
        problems = list(one.problems)
        if kind == RULE:
            rule, found = read_rule(one.document, self.placeholders)
            problems += found
            if rule is not None:
                self._add(row, rule)
        elif kind == FILTER:
            read, found = read_filter(one.document, self.placeholders)
            problems += found
            if read is not None:
                self.filters.append((row, one.document, read))
        elif kind in _ELSEWHERE:
            self.file.refuse(row, _titled(one.document, _ELSEWHERE[kind]))
        self.tell(row, one.document, problems)

    def _add(self, row: Row, rule: Rule) -> None:
        key = rule.id.lower()
        earlier = self.rows.get(key)
        if earlier is not None:
            self.file.refuse(row, f"{shown(rule.title)}: the id {rule.id} is that of row {earlier.number} already")
            return
        self.rows[key] = row
        self.rules[key] = rule if rule.author else rule._replace(author=row.text("author"))

    def tell(self, row: Row, document: Any, problems: list[Problem]) -> None:
        from .ruletext import line_of

        for problem in problems:
            text = f"line {line_of(document, problem.where)}: {problem.message}"
            if problem.severity != WARNING:
                self.file.refuse(row, _titled(document, text))
            elif problem.code not in _UNASKED:
                self.warnings.append(f"row {row.number}: {_titled(document, text)} (a warning)")

    def filtered(self) -> list[Rule]:
        """The rules, with the filters that reach them. What keeps a rule from being used is told first."""
        rules, problems = apply_filters(list(self.rules.values()), [one for _, _, one in self.filters])
        for (row, document, _), found in zip(self.filters, problems):
            self.tell(row, document, found)
        self.file.problems += self.warnings
        return rules


def _titled(document: Any, text: str) -> str:
    title = document.get("title") if isinstance(document, Mapping) else None
    return f"{shown(title)}, {text}" if isinstance(title, str) else text


def _size(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(1 + _size(inner) for inner in value.values())
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1
