"""The lookup ``sigma_custom_rules``: Sigma rules as YAML, a row each. Loads PyYAML where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable, NamedTuple

from .aggregation import has_aggregation, place, read_aggregated
from .correlation import Correlation, read_correlation
from .correlationrefs import resolve
from .correlationwords import Named
from .documents import CORRELATION, FILTER, RULE, Resolved, resolved
from .filters import Filter, apply_filters, read_filter
from .lookupfiles import LookupFile, Row, read_truth
from .placeholders import Placeholders
from .problems import ERROR, WARNING, Problem, shown
from .rule import Rule, read_rule
from .selection import RuleInfo

#: YAML values of all rules together: what a search reads at its start, it reads in every process.
MAX_VALUES = 200_000
# What is missing in a rule of one's own is no news to its author.
_UNASKED = ("id-missing", "id-no-uuid", "title-missing", "level-missing", "status-missing", "logsource-missing")


class CustomRules(NamedTuple):
    """Rules, with the filters that reach them; ``correlations``: the packaged ones too, all resolved.

    ``own``: the ids of those of the correlations that are custom rules.
    """

    rules: list[Rule]
    correlations: list[Correlation]
    own: set[str]


def read_custom_rules(
    file: LookupFile, placeholders: Placeholders, packaged: Iterable[RuleInfo], correlations: Sequence[Correlation]
) -> CustomRules:
    """What the enabled rows hold, each id once; what is wrong is told in ``file.problems``.

    ``packaged``: the rules, ``correlations``: the correlations of the package.
    """
    reader = _Reader(file, placeholders)
    enabled = [row for row in file.rows if _is_enabled(file, row)]
    for row in enabled:
        reader.read(row)
    if len(enabled) < len(file.rows):
        file.notes.append(f"{len(file.rows) - len(enabled)} not enabled")
    return reader.joined(list(packaged), correlations)


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
        self.correlations: list[tuple[Row, Any, Correlation]] = []
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
        kind = _AGGREGATION if one.kind == RULE and has_aggregation(one.document) else one.kind
        reader = _READERS.get(kind)
        self.tell(row, one.document, [*one.problems, *(reader(self, row, one.document) if reader else ())])

    def rule(self, row: Row, document: Any) -> list[Problem]:
        rule, problems = read_rule(document, self.placeholders)
        if rule is not None and self._is_new(row, rule):
            self._add(row, rule)
        return problems

    def filter(self, row: Row, document: Any) -> list[Problem]:
        read, problems = read_filter(document, self.placeholders)
        if read is not None:
            self.filters.append((row, document, read))
        return problems

    def correlation(self, row: Row, document: Any) -> list[Problem]:
        correlation, problems = read_correlation(document)
        if correlation is not None and self._is_new(row, correlation):
            self.correlations.append((row, document, correlation))
        return problems

    def aggregated(self, row: Row, document: Any) -> list[Problem]:
        aggregated, problems = read_aggregated(document, self.placeholders)
        if aggregated is None:
            return problems
        correlation, more = read_correlation(aggregated.correlation)
        if correlation is not None and self._is_new(row, correlation):
            self._add(row, aggregated.rule)
            self.correlations.append((row, document, correlation))
        said = [problem for problem in more if problem.severity == ERROR]
        return problems + [problem._replace(where=place(problem.where)) for problem in said]

    def _is_new(self, row: Row, read: Rule | Correlation) -> bool:
        earlier = self.rows.get(read.id.lower())
        if earlier is not None:
            self.file.refuse(row, f"{shown(read.title)}: the id {read.id} is that of row {earlier.number} already")
            return False
        self.rows[read.id.lower()] = row
        return True

    def _add(self, row: Row, rule: Rule) -> None:
        self.rules[rule.id.lower()] = rule if rule.author else rule._replace(author=row.text("author"))

    def tell(self, row: Row, document: Any, problems: list[Problem]) -> None:
        from .ruletext import line_of

        for problem in problems:
            text = f"line {line_of(document, problem.where)}: {problem.message}"
            if problem.severity != WARNING:
                self.file.refuse(row, _titled(document, text))
            elif problem.code not in _UNASKED:
                self.warnings.append(f"row {row.number}: {_titled(document, text)} (a warning)")

    def joined(self, packaged: list[RuleInfo], packaged_correlations: Sequence[Correlation]) -> CustomRules:
        """What was read, with what it is to each other. What keeps a rule from being used is told first."""
        rules, problems = apply_filters(list(self.rules.values()), [one for _, _, one in self.filters])
        for (row, document, _), found in zip(self.filters, problems):
            self.tell(row, document, found)
        # A name that a packaged rule has as well means the custom one.
        own = {rule.name for rule in rules} | {one.name for _, _, one in self.correlations}
        others: list[Named] = [
            info._replace(name="") if info.name in own else info
            for info in packaged
            if info.id.lower() not in self.rows
        ]
        kept = [one for one in packaged_correlations if one.id.lower() not in self.rows]
        usable, problems = resolve([*(one for _, _, one in self.correlations), *kept], [*rules, *others])
        for (row, document, _), found in zip(self.correlations, problems):
            self.tell(row, document, found)
        for one, found in zip(kept, problems[len(self.correlations) :]):
            # What a custom rule has replaced may be what these count.
            errors = [problem.message for problem in found if problem.severity == ERROR]
            self.file.problems += [f"the packaged correlation {shown(one.title)}: {message}" for message in errors]
        self.file.problems += self.warnings
        return CustomRules(rules, usable, {one.id for one in usable if one.id.lower() in self.rows})


_AGGREGATION = "aggregation"
_READERS: dict[str, Callable[[_Reader, Row, Any], list[Problem]]] = {
    RULE: _Reader.rule,
    FILTER: _Reader.filter,
    CORRELATION: _Reader.correlation,
    _AGGREGATION: _Reader.aggregated,
}


def _titled(document: Any, text: str) -> str:
    title = document.get("title") if isinstance(document, Mapping) else None
    return f"{shown(title)}, {text}" if isinstance(title, str) else text


def _size(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(1 + _size(inner) for inner in value.values())
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1
