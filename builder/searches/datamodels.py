"""A rule -> a search over an accelerated data model (``tstats``), or why there is none.

Nobody decides after ``tstats`` has aggregated, so a rule gets such a search only where the ``where``
clause says every test as the rule means it; what a model cannot tell apart (kinds of events, mostly)
makes the search wider than the rule, never narrower. ``docs/datamodels.md`` says what is assumed.

Sources: Search Reference, "tstats", "search"; CIM manual, "Data models".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from builder.spl.bounds import Bounds, all_of, any_of, between, exactly, negated
from builder.spl.expressions import FALSE, And, Equals, Expression, Not, Or, conjunction, disjunction, negation, quoted
from builder.spl.values import search_values
from sigmaengine.modifiers import Test
from sigmaengine.patterns import ANY, ONE, as_text, is_plain, plain_text
from sigmaengine.predicates import compile_test
from sigmaengine.problems import shown
from sigmaengine.rule import Item, Rule

from .modelfields import DataModelError, DataModels, ModelField, ModelSource, read_datamodels

__all__ = [
    "LAG",
    "REASONS",
    "DataModelError",
    "DataModels",
    "Refusal",
    "TstatsQuery",
    "read_datamodels",
    "tstats_query",
]

#: Summaries are up to date only so far: by default they are built every five minutes, and a run takes time.
LAG = "10m"
#: What fields without a value hold in the model (most of them), and what ``tstats`` shows for the rest.
UNKNOWN = "unknown"
#: Lists longer than this make a search that Splunk does not read well.
MAX_VALUES = 500

#: Why a rule has no search over a data model: code -> what it means.
REASONS = {
    "log source": "no data model has these events",
    "field": "the data model does not have a field as the rule asks for it",
    "keywords": "a data model holds fields, not the text of events",
    "presence": "fields without a value hold 'unknown' in a data model, so whether there is one cannot be asked",
    "unknown": "the value would find 'unknown' (or 0), which stands for no value in a data model",
    "regex": "tstats has no regular expressions",
    "case": "tstats ignores case",
    "question mark": "tstats has no wildcard for one character",
    "star": "a literal * cannot be written",
    "character": "a character cannot be written in a search, or not without doubt",
    "variants": "the value stands for too many texts",
    "field reference": "tstats cannot compare two fields",
    "comparison": "fields of a data model are compared as text",
    "part of a time": "tstats cannot take times apart",
    "number": "a number that can be written in several ways",
    "IPv6": "an IPv6 network cannot be written",
    "words": "the data model has words of its own for the field's values, and none for this one",
    "form": "the value asks for the form in which the event writes it, which the model does not keep",
    "long list": f"the item has more than {MAX_VALUES} values",
}


class TstatsQuery(NamedTuple):
    """``search``: the search, whose rows have ``fields``; ``where``: its condition; ``dataset``: Model.Dataset."""

    search: str
    dataset: str
    fields: tuple[str, ...]
    where: str


class Refusal(NamedTuple):
    """``reason``: one of REASONS; ``message``: for a user, with what of the rule is at fault."""

    reason: str
    message: str


def tstats_query(rule: Rule, table: DataModels) -> TstatsQuery | Refusal:
    """A rule's search over the data model that has its events."""
    source = table.source(rule.logsource)
    if source is None:
        return Refusal("log source", f"{REASONS['log source']}: {rule.logsource}")
    try:
        found = _Writer(rule, source).condition(rule.condition)
    except _RefusedError as refused:
        return Refusal(refused.reason, str(refused))
    never = [negation(disjunction(Equals(field, value) for value in values)) for field, values in source.never.items()]
    where = _written(conjunction([found.upper, *never]), source.dataset.prefix)
    fields = tuple(dict.fromkeys([*source.dataset.by, *_used(rule, source)]))
    return TstatsQuery(_search(source, where, fields), source.dataset.name, fields, where)


def _used(rule: Rule, source: ModelSource) -> list[str]:
    return [source.fields[field].name for field in rule.fields()]


def _search(source: ModelSource, where: str, fields: Sequence[str]) -> str:
    dataset = source.dataset
    by = " ".join(f"{dataset.prefix}.{field}" for field in fields)
    return (
        f'| tstats summariesonly=true allow_old_summaries=true fillnull_value="{UNKNOWN}" count'
        f" min(_time) as firstTime max(_time) as lastTime from datamodel={dataset.name} where ({where})"
        f" by _time span=1s {by} | rename {dataset.prefix}.* as * | eval host={source.host}"
    )


class _RefusedError(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{REASONS[reason]}: {detail}")
        self.reason = reason


class _Writer:
    def __init__(self, rule: Rule, source: ModelSource) -> None:
        self.rule, self.source = rule, source

    def condition(self, expression: Any) -> Bounds:
        operator, *operands = expression
        if operator == "id":
            return self.detection(self.rule.detections[operands[0]])
        if operator == "not":
            return negated(self.condition(operands[0]))
        return _COMBINED[operator](map(self.condition, operands))

    def detection(self, expression: Any) -> Bounds:
        if isinstance(expression, int):
            return self.item(self.rule.items[expression])
        operator, *operands = expression
        return _COMBINED[operator](map(self.detection, operands))

    def item(self, item: Item) -> Bounds:
        if item.field is None:
            raise _RefusedError("keywords", item.selection)
        place = self.source.fields.get(item.field)
        if place is None:
            why = self.source.missing.get(item.field, f"{self.source.dataset.name} has none")
            raise _RefusedError("field", f"{item.field}: {why}")
        if len(item.tests) > MAX_VALUES:
            raise _RefusedError("long list", item.key)
        tests = [self.test(item, place, test) for test in item.tests]
        found = all_of(tests) if item.all else any_of(tests)
        return negated(found) if item.neq else found

    def test(self, item: Item, place: ModelField, test: Test) -> Bounds:
        kind, *arguments = test
        if kind == "any":
            return any_of(self.test(item, place, one) for one in arguments)
        if kind in _IMPOSSIBLE:
            raise _RefusedError(_IMPOSSIBLE[kind], item.key)
        detail = f"{item.key}: {shown(_value_of(test))}"
        if compile_test(test)(UNKNOWN) or (kind == "num" and compile_test(test)("0")):
            raise _RefusedError("presence" if arguments[-1] == [ANY] else "unknown", detail)
        return _TESTS[kind](_Asked(place, self.source.xml, detail), arguments)


def _value_of(test: Test) -> str:
    return as_text(tuple(test[2])) if test[0] == "str" else str(test[-1])


_COMBINED: dict[str, Callable[[Iterator[Bounds]], Bounds]] = {"and": all_of, "or": any_of}
_IMPOSSIBLE = {
    "null": "presence",
    "exists": "presence",
    "re": "regex",
    "ref": "field reference",
    "cmp": "comparison",
    "part": "part of a time",
}

# --- tests ---------------------------------------------------------------------------------------


class _Asked(NamedTuple):
    """What a test asks of: a field, whose values may hold XML entities, and how a message shows the test."""

    place: ModelField
    xml: bool
    detail: str


def _text(asked: _Asked, arguments: list[Any]) -> Bounds:
    cased, parts = arguments
    if cased:
        raise _RefusedError("case", asked.detail)
    if ONE in parts:
        raise _RefusedError("question mark", asked.detail)
    if asked.place.words:
        return _word(asked, plain_text(tuple(parts)) if is_plain(tuple(parts)) else "")
    if not asked.place.unwrapped:
        return exactly(_equals(asked, parts))
    kept, exact = _unwrapped(parts, asked.detail)
    found = _equals(asked, kept)
    return exactly(found) if exact else between(FALSE, found, "form")


def _equals(asked: _Asked, parts: Sequence[Any]) -> Expression:
    values = search_values(parts, cased=False, xml=asked.xml)
    if values.reasons:
        reason = min(values.reasons)
        raise _RefusedError(reason if reason in REASONS else "character", asked.detail)
    return disjunction(Equals(asked.place.name, value) for value in values.upper)


def _word(asked: _Asked, value: str) -> Bounds:
    """A value for which the model has a word of its own, perhaps one for several values."""
    word = asked.place.words.get(value)
    if word is None:
        raise _RefusedError("words", asked.detail)
    found = Equals(asked.place.name, word)
    alone = list(asked.place.words.values()).count(word) == 1
    return exactly(found) if alone else between(FALSE, found, "words")


_WRAPPED = re.compile(r"\w+ \((.+)\)\Z")
_WRAPPERS = ("dword (", "qword (")
_NUMERALS = frozenset("0123456789abcdefx-")


def _unwrapped(parts: Sequence[Any], detail: str) -> tuple[Sequence[Any], bool]:
    """The pattern for what stands in the parentheses of ``DWORD (0x00000001)``, and whether it says the same.

    Other values than numbers stand in the model as in the event.
    """
    literals = [part for part in parts if isinstance(part, str)]
    if is_plain(tuple(parts)):
        text = plain_text(tuple(parts))
        wrapped = _WRAPPED.match(text)
        return ([wrapped[1]], True) if wrapped else (parts, not text.startswith("0x"))
    if any(map(_touches_wrapper, literals)):
        raise _RefusedError("form", detail)
    of_numbers = all(_NUMERALS.issuperset(literal) for literal in literals)
    return parts, not of_numbers or parts[0] == parts[-1] == ANY


def _touches_wrapper(literal: str) -> bool:
    if literal.endswith(")"):
        return True
    return any(
        literal in wrapper or any(literal.startswith(wrapper[start:]) for start in range(len(wrapper)))
        for wrapper in _WRAPPERS
    )


def _number(asked: _Asked, arguments: list[Any]) -> Bounds:
    text = arguments[0]
    if asked.place.words:
        return _word(asked, text)
    if not text.isdigit() or text != str(int(text)):
        raise _RefusedError("number", asked.detail)
    return exactly(Equals(asked.place.name, text))


def _network(asked: _Asked, arguments: list[Any]) -> Bounds:
    network = arguments[0]
    if ":" in network:
        raise _RefusedError("IPv6", asked.detail)
    # IPv4 addresses can be written as IPv6 ones.
    found = Equals(asked.place.name, network)
    return between(found, disjunction([found, Equals(asked.place.name, "*:*")]), "IPv6")


_TESTS: dict[str, Callable[[_Asked, list[Any]], Bounds]] = {
    "str": _text,
    "num": _number,
    "cidr": _network,
}

# --- text ----------------------------------------------------------------------------------------


def _written(expression: Expression, prefix: str) -> str:
    """The expression as a where clause: as in a search, but for the names of a data model's fields, never quoted."""
    if isinstance(expression, Equals):
        return f"{prefix}.{expression.field}={quoted(expression.value)}"
    if isinstance(expression, Not):
        return f"NOT {_operand(expression.operand, prefix)}"
    if isinstance(expression, And):
        return " AND ".join(_operand(operand, prefix) for operand in expression.operands)
    if isinstance(expression, Or):
        return " OR ".join(_alternatives(expression, prefix))
    raise TypeError(f"{expression!r} is no part of a where clause")


def _operand(expression: Expression, prefix: str) -> str:
    written = _written(expression, prefix)
    bare = isinstance(expression, (Equals, Not)) or (
        isinstance(expression, Or) and len(_alternatives(expression, prefix)) == 1
    )
    return written if bare else f"({written})"


def _alternatives(expression: Or, prefix: str) -> list[str]:
    """The operands of an OR; several values of one field are a list."""
    values: dict[str, list[str]] = {}
    others: list[str] = []
    for operand in expression.operands:
        if isinstance(operand, Equals):
            values.setdefault(operand.field, []).append(operand.value)
        else:
            others.append(_operand(operand, prefix))
    lists = [
        f"{prefix}.{field} IN ({', '.join(map(quoted, listed))})"
        if len(listed) > 1
        else f"{prefix}.{field}={quoted(listed[0])}"
        for field, listed in values.items()
    ]
    return [*lists, *others]
