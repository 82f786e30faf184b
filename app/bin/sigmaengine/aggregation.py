"""Aggregations of Sigma 1: a rule that counts -> a rule, and the correlation that counts its matches.

In version 1 a condition may end in an aggregation, over the time that ``timeframe`` gives::

    condition   = condition "|" aggregation        (the condition in front: see ``condition``)
    aggregation = function "(" [ field ] ")" [ "by" field { "," field } ] comparison number
                | "near" ...
    function    = "count" | "sum" | "avg" | "min" | "max"
    comparison  = ">" | ">=" | "<" | "<=" | "=" | "=="
    timeframe   = digits ( "s" | "m" | "h" | "d" | "w" | "M" | "y" )

Keywords in upper case are accepted with a warning. ``count()`` is an event_count, ``count(field)`` a
value_count, ``sum`` and ``avg`` are value_sum and value_avg. ``min``, ``max`` and ``near`` have no
correlation of the same meaning and are refused. Source: Sigma specification 1.0, "Aggregations";
v2.1.0, "Correlation rules".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from decimal import Decimal
from typing import Any, NamedTuple

from .condition import marked
from .metadata import Metadata
from .numbers import parse_number
from .placeholders import Placeholders
from .problems import Problem, Problems, RuleError, Where, kind_of, shown
from .rule import Rule, read_rule

#: Ends the id of the rule whose matches are counted; what counts them has the document's id.
EVENTS = "#events"

_CONDITION: Where = ("detection", "condition")
_TIMEFRAME: Where = ("detection", "timeframe")

# (function, whether it names a field) -> the type of correlation.
_TYPES = {
    ("count", False): "event_count",
    ("count", True): "value_count",
    ("sum", True): "value_sum",
    ("avg", True): "value_avg",
}
_NO_TYPES = {
    "near": "say what must come together as a correlation of the type temporal over one rule for each part",
    "min": "a correlation has sums, averages and percentiles; for a value below a number use 'lt' in a rule",
    "max": "a correlation has sums, averages and percentiles; for a value above a number use 'gt' in a rule",
}
_FUNCTIONS = ("count", "sum", "avg")
_KEYWORDS = (*_FUNCTIONS, *_NO_TYPES, "by")
_COMPARISONS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "=": "eq", "==": "eq"}
_TOKEN = re.compile(r"[<>=!]+|[(),|]|[^\s(),|<>=!]+")
_DURATION = re.compile(r"[0-9]{1,9}[smhdwMy]\Z")
_MAX_LENGTH = 10_000
# Python refuses to convert digit strings that are far longer.
_MAX_DIGITS = 100


class Aggregated(NamedTuple):
    """What a document with an aggregation is: a rule, and a correlation document of version 2 about it."""

    rule: Rule
    correlation: dict[str, Any]


def has_aggregation(mapping: object) -> bool:
    """True if a condition of this document holds an aggregation, or begins one."""
    detection = mapping.get("detection") if isinstance(mapping, Mapping) else None
    condition = detection.get("condition") if isinstance(detection, Mapping) else None
    texts = condition if isinstance(condition, list) else [condition]
    return any(isinstance(text, str) and "|" in text for text in texts)


def read_aggregated(
    mapping: Mapping[Any, Any], placeholders: Placeholders | None = None
) -> tuple[Aggregated | None, list[Problem]]:
    """Read a document of which ``has_aggregation`` is true.

    Returns what it is, or None if an error was found, and everything that was found. The places in the
    correlation document that problems may name lie, in this document, where ``place`` says.
    """
    problems = Problems()
    detection = mapping["detection"]
    before, counted = detection["condition"], None
    try:
        text = _condition(before)
        before, _, behind = text.partition("|")
        counted = _Parser(text, len(text) - len(behind), problems).parse()
    except RuleError as error:
        problems.caught(error)
    if counted is not None:
        counted["timespan"] = _timespan(detection, problems)
    rule, found = read_rule(_rule_document(mapping, before), placeholders)
    # Of an aggregation that cannot be read enough is said.
    unread = () if counted else ("condition-aggregation", "identifier-unused")
    problems.found += [problem for problem in found if problem.code not in unread]
    if rule is None or counted is None or problems.fatal:
        return None, problems.found
    message = f"this aggregation of Sigma 1 is read as a correlation of the type {counted['type']}"
    problems.warn("condition-aggregation", message, _CONDITION)
    # The id of a document without one is made from all of it, which the rule does not hold.
    known = Metadata(mapping, Problems())
    rule = rule._replace(id=known.id + EVENTS, name=known.name + EVENTS if known.name else "")
    document = {key: mapping[key] for key in _SHARED if key in mapping}
    document.update(id=known.id, correlation={"rules": [rule.id], **counted})
    return Aggregated(rule, document), problems.found


#: What the correlation says about itself as the document does.
_SHARED = ("title", "name", "status", "level", "author", "tags")


def place(where: Where) -> Where:
    """Where in a document with an aggregation stands what its correlation document has at ``where``."""
    if where[:1] != ("correlation",):
        return where
    return _TIMEFRAME if where[1:2] == ("timespan",) else _CONDITION


def _rule_document(mapping: Mapping[Any, Any], condition: object) -> dict[Any, Any]:
    """The document without its aggregation; its lines, where they are known, are kept."""
    detection = copy(mapping["detection"])
    detection["condition"] = condition
    detection.pop("timeframe", None)
    document: dict[Any, Any] = copy(dict(mapping) if not isinstance(mapping, dict) else mapping)
    document["detection"] = detection
    return document


def _condition(condition: object) -> str:
    """The one condition of the document. Raises RuleError if there are several."""
    if isinstance(condition, list) and len(condition) == 1:
        condition = condition[0]
    if not isinstance(condition, str):
        message = "an aggregation cannot be one of several conditions; write a rule for each"
        raise RuleError("condition-aggregation", message, _CONDITION)
    if len(condition) > _MAX_LENGTH:
        message = f"a condition with an aggregation has over {_MAX_LENGTH} characters"
        raise RuleError("condition-size", message, _CONDITION)
    return condition


def _timespan(detection: Mapping[Any, Any], problems: Problems) -> str:
    if "timeframe" not in detection:
        message = "an aggregation needs a 'timeframe', the time over which it counts, such as 5m"
        problems.error("timeframe-missing", message, _CONDITION)
        return ""
    timeframe = detection["timeframe"]
    text = timeframe.strip() if isinstance(timeframe, str) else ""
    if not _DURATION.match(text) or not int(text[:-1]):
        told = shown(timeframe) if isinstance(timeframe, (str, int)) else kind_of(timeframe)
        message = f"'timeframe' is a number and a unit (s, m, h, d, w, M, y), such as 5m, not {told}"
        problems.error("timeframe", message, _TIMEFRAME)
    return text


class _Parser:
    """Parses the aggregation that begins at ``start``."""

    def __init__(self, text: str, start: int, problems: Problems) -> None:
        self.text, self.problems = text, problems
        self.tokens = list(_TOKEN.finditer(text, start))
        self.position = 0

    def parse(self) -> dict[str, Any]:
        """What it says of a correlation: type, group-by and condition. Raises RuleError."""
        function = self._keyword(_KEYWORDS[:-1], f"one of {', '.join(_FUNCTIONS)}")
        if function in _NO_TYPES:
            message = f"'{function}' has no meaning as a correlation; {_NO_TYPES[function]}"
            raise RuleError("condition-aggregation", message, _CONDITION)
        self._expect("(")
        field = "" if self._peek() == ")" else self._name("a field or ')'")
        self._expect(")")
        kind = _TYPES.get((function, bool(field)))
        if kind is None:
            raise self._error(f"'{function}' needs the field whose values it takes", -1)
        group_by = self._fields() if self._peek().lower() == "by" else []
        condition: dict[str, Any] = {"field": field} if field else {}
        comparison = self._comparison()
        condition[comparison] = self._number()
        if self._peek():
            raise self._error("expected nothing behind the number")
        return {"type": kind, **({"group-by": group_by} if group_by else {}), "condition": condition}

    def _peek(self) -> str:
        return self.tokens[self.position].group() if self.position < len(self.tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self.position += 1
        return token

    def _keyword(self, keywords: tuple[str, ...], expected: str) -> str:
        token = self._peek()
        keyword = token.lower()
        if keyword not in keywords:
            raise self._error(f"expected {expected}")
        if keyword != token:
            self.problems.warn("condition-case", f"'{token}' should be written '{keyword}'", _CONDITION)
        self.position += 1
        return keyword

    def _expect(self, token: str) -> None:
        if self._peek() != token:
            raise self._error(f"expected '{token}'")
        self.position += 1

    def _name(self, expected: str) -> str:
        if not self._peek() or self._peek()[0] in "(),|<>=!":
            raise self._error(f"expected {expected}")
        name = self._peek()
        if name == "*":
            raise self._error("'*' is no field; events are counted by 'count()'")
        if name[0] in "\"'":
            raise self._error("a field is written without quotes")
        return self._next()

    def _fields(self) -> list[str]:
        self._keyword(("by",), "'by'")
        fields = [self._name("a field")]
        while self._peek() == ",":
            self.position += 1
            fields.append(self._name("a field"))
        return list(dict.fromkeys(fields))

    def _comparison(self) -> str:
        comparison = _COMPARISONS.get(self._peek())
        if comparison is None:
            known = ", ".join(_COMPARISONS)
            raise self._error(f"expected {'' if self._after_fields() else 'by, '}a comparison ({known})")
        self.position += 1
        return comparison

    def _after_fields(self) -> bool:
        return any(token.group().lower() == "by" for token in self.tokens[: self.position])

    def _number(self) -> int | Decimal:
        number = parse_number(self._peek())
        if number is None:
            raise self._error("expected a number")
        token = self._next()
        return int(token) if token.isdigit() and len(token) <= _MAX_DIGITS else number

    def _error(self, message: str, back: int = 0) -> RuleError:
        position = self.position + back
        start = self.tokens[position].start() if position < len(self.tokens) else len(self.text.rstrip())
        return RuleError("aggregation-syntax", f"{message}; here: {marked(self.text, start)}", _CONDITION)
