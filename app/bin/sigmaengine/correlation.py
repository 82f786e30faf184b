"""A correlation's mapping -> ``Correlation``, with every fault in it reported.

A correlation counts what rules have matched, within a window of time, for each group of events.
Source: Sigma specification v2.1.0, "Correlation rules"; where its schema allows more than its text
(several fields of a value_count), the schema is followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from .condition import Expression, parse_words
from .metadata import Metadata
from .modifiers import scalar_text
from .numbers import parse_number
from .problems import Problem, Problems, RuleError, Where, kind_of, shown
from .thresholds import OPERATORS, can_hold, is_computable

COUNTED, DISTINCT, SUM, AVERAGE = "event_count", "value_count", "value_sum", "value_avg"
PERCENTILE, MEDIAN, TEMPORAL, ORDERED = "value_percentile", "value_median", "temporal", "temporal_ordered"
KINDS = (COUNTED, DISTINCT, TEMPORAL, ORDERED, SUM, AVERAGE, PERCENTILE, MEDIAN)
TEMPORALS = (TEMPORAL, ORDERED)
#: The types that look at the values of a field.
VALUED = (DISTINCT, SUM, AVERAGE, PERCENTILE, MEDIAN)
DEFAULT_PERCENTILE = "50"

#: Seconds of a unit of time; a month and a year are those of the Gregorian calendar on average.
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 2_629_746, "y": 31_556_952}

MAX_RULES = 1_000
MAX_GROUP_BY = 50

_TIMESPAN = re.compile(r"([0-9]{1,9})([smhdwMy])\Z")
_NAME = re.compile(r"[^\s()|]+")
_KEYS = ("type", "rules", "group-by", "timespan", "aliases", "condition", "generate")
#: Keys of rules that a correlation does not have.
_OF_RULES = ("detection", "logsource")
_HERE: Where = ("correlation",)


class Condition(NamedTuple):
    """When a group emits: all of ``comparisons`` hold for its value, or the ``expression`` over its rules.

    ``comparisons``: (operator, number as text) pairs; ``fields``: whose values are taken, several only
    for a value_count, which then counts combinations; ``percentile``: a number as text. The words of the
    expression are references as ``rules`` are, and what follows "of" (see ``condition.parse_words``) is
    part of it, until they are resolved.
    """

    comparisons: list[tuple[str, str]]
    fields: list[str]
    percentile: str
    expression: Expression | None = None


class Correlation(NamedTuple):
    """A correlation that can be evaluated. JSON turns it into lists and back (``from_json``).

    ``rules``: references as written, ids once they are resolved (see ``correlationrefs``); until then
    there are none where the condition alone names them; ``timespan`` in seconds; ``aliases``: name ->
    rule -> field; ``generate``: what ``rules`` match is shown as well; ``score`` and ``enabled`` as in
    RuleInfo.
    """

    id: str
    title: str
    level: str
    status: str
    author: str
    tags: list[str]
    name: str
    kind: str
    rules: list[str]
    group_by: list[str]
    timespan: int
    aliases: dict[str, dict[str, str]]
    condition: Condition
    generate: bool
    score: int | None = None
    enabled: bool = True

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Correlation:
        """The correlation that was written as a JSON list of its fields."""
        read = cls(*values)
        comparisons, fields, percentile, expression = read.condition
        pairs = [(operator, number) for operator, number in comparisons]
        return read._replace(condition=Condition(pairs, fields, percentile, expression))

    def field_of(self, name: str, rule: str) -> str:
        """What the field ``name`` of ``group_by`` or ``condition`` is called in matches of a rule."""
        return self.aliases.get(name, {}).get(rule, name)


def read_correlation(mapping: object) -> tuple[Correlation | None, list[Problem]]:
    """Read one correlation document.

    Returns the correlation, or None if an error was found, and everything that was found. Never raises
    on any content of ``mapping``.
    """
    problems = Problems()
    correlation = None
    if not isinstance(mapping, Mapping) or "correlation" not in mapping:
        problems.error("not-a-rule", f"a correlation is a mapping with 'correlation', this is {kind_of(mapping)}")
        return None, problems.found
    try:
        correlation = _Reader(mapping, problems).read()
    except RuleError as error:
        problems.caught(error)
    return (None if problems.fatal else correlation), problems.found


class _Reader:
    def __init__(self, document: Mapping[Any, Any], problems: Problems) -> None:
        self.document, self.problems = document, problems
        content = document["correlation"]
        if not isinstance(content, Mapping):
            raise RuleError("correlation-type", f"'correlation' is a mapping, this is {kind_of(content)}", _HERE)
        self.content: Mapping[Any, Any] = content

    def read(self) -> Correlation:
        metadata = Metadata(self.document, self.problems, "correlation")
        for key in _OF_RULES:
            if key in self.document:
                message = f"a correlation has no {shown(key)}; write the rule as a document of its own, and list it"
                self.problems.error("correlation-document", message, (key,))
        for key in self.content:
            if key not in _KEYS:
                self._warn("correlation-key", f"{shown(key)} means nothing here; there are {', '.join(_KEYS)}", key)
        group_by, timespan = self._group_by(), self._timespan()
        aliases, generate = self._aliases(), self._generate()
        # Last what may end the reading: all faults are told.
        kind = self._kind()
        rules = self._rules(kind)
        condition = self._condition(kind, rules)
        return Correlation(
            metadata.id,
            metadata.title,
            metadata.level,
            metadata.status,
            metadata.author,
            metadata.tags,
            metadata.name,
            kind,
            rules,
            group_by,
            timespan,
            aliases,
            condition,
            generate,
        )

    def _error(self, code: str, message: str, *where: str | int) -> None:
        self.problems.error(code, message, (*_HERE, *where))

    def _warn(self, code: str, message: str, *where: str | int) -> None:
        self.problems.warn(code, message, (*_HERE, *where))

    def _kind(self) -> str:
        kind = self.content.get("type")
        if isinstance(kind, str) and kind in KINDS:
            return kind
        told = f"{shown(kind)} is no type of correlation" if "type" in self.content else "there is no 'type'"
        where = (*_HERE, "type") if "type" in self.content else _HERE
        raise RuleError("correlation-type", f"{told}; there are {', '.join(KINDS)}", where)

    def _texts(self, key: str, code: str, what: str, *, once: bool = False) -> list[str]:
        """A text or a list of texts, each once; faults are told. ``once``: a repetition is one."""
        value = self.content.get(key)
        values = value if isinstance(value, list) else [] if value is None else [value]
        found: dict[str, None] = {}
        for index, text in enumerate(values):
            where = (key, index) if values is value else (key,)
            if not isinstance(text, str) or not text.strip():
                self._error(code, f"'{key}' lists {what}, not {kind_of(text) if text else 'an empty text'}", *where)
            elif text.strip() in found and once:
                self._error(code, f"{shown(text)} is listed twice; in an order, each rule has one place", *where)
            elif text.strip() in found:
                self._warn(code, f"{shown(text)} is listed twice; once is enough", *where)
            else:
                found[text.strip()] = None
        return list(found)

    def _rules(self, kind: str) -> list[str]:
        rules = self._texts("rules", "correlation-rules", "ids or names of rules, as text", once=kind == ORDERED)
        if len(rules) > MAX_RULES:
            self._error("correlation-rules", f"there are over {MAX_RULES} rules", "rules")
        if not rules and not (kind in TEMPORALS and isinstance(self.content.get("condition"), str)):
            message = "there are no 'rules': list the ids or names of the rules whose matches are correlated"
            self._error("correlation-rules", message, *(["rules"] if "rules" in self.content else []))
        return rules

    def _group_by(self) -> list[str]:
        fields = self._texts("group-by", "correlation-group-by", "names of fields")
        if len(fields) > MAX_GROUP_BY:
            self._error("correlation-group-by", f"there are over {MAX_GROUP_BY} fields", "group-by")
        for field in fields:
            if field.startswith("sigma_") or (field.startswith("_") and field not in ("_raw", "_time")):
                message = f"{shown(field)} is no field of an event, so no event will be in a group"
                self._warn("correlation-group-by", message, "group-by")
        return fields

    def _timespan(self) -> int:
        value = self.content.get("timespan")
        found = _TIMESPAN.match(value.strip()) if isinstance(value, str) else None
        if found and int(found[1]):
            return int(found[1]) * UNITS[found[2]]
        told = "is missing" if value is None else f"cannot be {shown(scalar_text(value)) if _is_plain(value) else ''}"
        message = f"'timespan' {told}; it is a number above 0 and a unit ({', '.join(UNITS)}), such as 5m"
        self._error("correlation-timespan", message, *(["timespan"] if "timespan" in self.content else []))
        return 1

    def _aliases(self) -> dict[str, dict[str, str]]:
        value = self.content.get("aliases")
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            message = f"'aliases' maps a name to rules and their fields; this is {kind_of(value)}"
            self._error("correlation-aliases", message, "aliases")
            return {}
        found: dict[str, dict[str, str]] = {}
        for alias, fields in value.items():
            is_map = isinstance(fields, Mapping) and fields
            if not is_map or not all(isinstance(text, str) and text for pair in fields.items() for text in pair):
                message = f"the alias {shown(alias)} maps rules (id or name) to the name of a field in their events"
                self._error("correlation-aliases", message, "aliases", alias)
            else:
                found[scalar_text(alias)] = dict(fields)
        return found

    def _generate(self) -> bool:
        given = [
            (where, holder["generate"])
            for where, holder in (((), self.document), (_HERE, self.content))
            if "generate" in holder
        ]
        for where, value in given:
            if not isinstance(value, bool):
                message = f"'generate' is true or false, not {kind_of(value)}"
                self.problems.error("correlation-generate", message, (*where, "generate"))
        if len(given) > 1 and given[0][1] != given[1][1]:
            self._error("correlation-generate", "'generate' is there twice, and they differ; keep one", "generate")
        return any(value is True for _, value in given)

    # --- the condition --------------------------------------------------------------------------

    def _condition(self, kind: str, rules: list[str]) -> Condition:
        value = self.content.get("condition")
        if isinstance(value, str):
            return Condition([], [], "", self._expression(kind, value, rules))
        if isinstance(value, Mapping):
            return self._comparing(kind, value, len(rules))
        if "condition" not in self.content and kind in TEMPORALS:
            return Condition([("gte", str(len(rules)))], [], "")
        told = kind_of(value) if "condition" in self.content else "nothing"
        message = f"'condition' is a mapping such as 'gte: 10'; this is {told}"
        where = (*_HERE, "condition") if "condition" in self.content else _HERE
        raise RuleError("correlation-condition", message, where)

    def _expression(self, kind: str, text: str, rules: list[str]) -> Expression:
        where = (*_HERE, "condition")
        if kind not in TEMPORALS:
            message = f"a condition in words needs the type {' or '.join(TEMPORALS)}; for {kind} write 'gte: 10'"
            raise RuleError("correlation-condition", message, where)
        words = [name.lower() for name in _NAME.findall(text)]
        if not rules and "of" in words:
            message = "'of' speaks of the rules that are listed; list them in 'rules'"
            raise RuleError("correlation-condition", message, where)
        return parse_words(text, rules, self.problems, where)

    def _comparing(self, kind: str, content: Mapping[Any, Any], rules: int) -> Condition:
        known = (*OPERATORS, "field", "percentile")
        for key in content:
            if key not in known:
                message = f"{shown(key)} is nothing that a condition holds; there are {', '.join(known)}"
                self._error("correlation-condition", message, "condition", key)
        comparisons = [(name, self._number(name, content[name])) for name in OPERATORS if name in content]
        if not comparisons:
            message = f"there is nothing to compare with; write one or more of {', '.join(OPERATORS)}"
            self._error("correlation-condition", message, "condition")
        elif not can_hold(
            [(name, Decimal(number)) for name, number in comparisons],
            counts=kind not in VALUED or kind == DISTINCT,
            # A group is judged at times of its own events, of which there is then one at least.
            least=0 if kind == DISTINCT else 1,
            most=rules if kind in TEMPORALS else None,
        ):
            self._warn("correlation-condition", "no value can satisfy this; no alert will come", "condition")
        fields = self._fields(kind, content)
        return Condition(comparisons, fields, self._percentile(kind, content))

    def _number(self, key: str, value: object) -> str:
        text = _number_text(value)
        number = parse_number(text)
        if number is None or not is_computable(number):
            told = kind_of(value) if value is None or isinstance(value, (list, Mapping)) else shown(scalar_text(value))
            message = f"'{key}' compares with a number that is not beyond 1e308, not with {told}"
            self._error("correlation-condition", message, "condition", key)
            return "0"
        return text

    def _fields(self, kind: str, content: Mapping[Any, Any]) -> list[str]:
        value = content.get("field")
        fields = value if isinstance(value, list) else [] if value is None else [value]
        if kind not in VALUED:
            if fields:
                self._warn("correlation-field", f"'field' has no meaning for {kind}", "condition", "field")
            return []
        where = ["condition", *(["field"] if "field" in content else [])]
        if not fields:
            message = f"{kind} needs 'field' inside 'condition': the field whose values it takes"
            self._error("correlation-field", message, *where)
        elif not all(isinstance(field, str) and field for field in fields):
            self._error("correlation-field", "'field' is the name of a field, as text", *where)
        elif len(fields) > 1 and kind != DISTINCT:
            self._error("correlation-field", f"{kind} takes the values of one field, not of several", *where)
        return list(dict.fromkeys(field for field in fields if isinstance(field, str)))

    def _percentile(self, kind: str, content: Mapping[Any, Any]) -> str:
        if "percentile" not in content:
            return DEFAULT_PERCENTILE if kind in (PERCENTILE, MEDIAN) else ""
        if kind != PERCENTILE:
            self._warn("correlation-percentile", f"'percentile' has no meaning for {kind}", "condition", "percentile")
            return DEFAULT_PERCENTILE if kind == MEDIAN else ""
        value = content["percentile"]
        text = _number_text(value)
        number = parse_number(text)
        if number is None or not 0 <= number <= 100 or not is_computable(number):
            message = f"'percentile' is a number from 0 to 100, not {shown(value)}"
            self._error("correlation-percentile", message, "condition", "percentile")
        return text


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float, Decimal))


def _number_text(value: object) -> str:
    """A number in digits, however YAML wrote it (0x10); empty for what is none."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return ""
    return str(int(value)) if isinstance(value, int) else str(Decimal(str(value)))
