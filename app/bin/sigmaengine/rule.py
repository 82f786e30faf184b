"""A rule's mapping -> ``Rule``, with every fault in it reported.

The mapping is what YAML text gives (``ruletext``), or a dict of anyone's making: str, int, float,
``decimal.Decimal``, bool, None, list, dict. Source: Sigma specification v2.1.0, "Rules".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from . import condition as conditions
from .condition import Expression
from .metadata import Metadata
from .modifiers import TEXT_KINDS, Chain, Test, read_chain, scalar_text, value_tests
from .patterns import ANY, join
from .placeholders import PLACEHOLDER, Placeholders
from .problems import Problem, Problems, RuleError, Where, kind_of, shown

MAX_VALUES = 200_000

#: An item's index, or ``["and", ...]`` / ``["or", ...]`` over such.
DetectionExpression = Any


class LogSource(NamedTuple):
    """Lower case; an empty string where the rule does not say."""

    product: str = ""
    category: str = ""
    service: str = ""

    def __str__(self) -> str:
        return "/".join(part or "*" for part in self)

    def within(self, other: LogSource) -> bool:
        """True if everything this log source says is said by ``other`` too."""
        return all(not mine or mine == theirs for mine, theirs in zip(self, other))


class Item(NamedTuple):
    """One detection item: a field and the tests that its values have to pass.

    ``field`` is None for keywords. It holds if any test passes (``all``: every test), each for at
    least one value of the field; ``neq`` turns the answer round.
    """

    selection: str
    key: str
    field: str | None
    all: bool
    neq: bool
    tests: list[Test]


class Rule(NamedTuple):
    """A rule that can be matched. JSON turns it into lists and back (``from_json``)."""

    id: str
    title: str
    level: str
    status: str
    author: str
    tags: list[str]
    logsource: LogSource
    items: list[Item]
    detections: dict[str, DetectionExpression]
    condition: Expression
    #: The specification's ``name``, by which correlations and filters may refer to the rule.
    name: str = ""

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Rule:
        """The rule that was written as a JSON list of its fields."""
        rule = cls(*values)
        return rule._replace(logsource=LogSource(*rule.logsource), items=[Item(*item) for item in rule.items])

    def fields(self) -> list[str]:
        """Every event field that the rule looks at, field references included, sorted."""
        named = {item.field for item in self.items if item.field is not None}
        named.update(test[3] for item in self.items for test in item.tests if test[0] == "ref")
        return sorted(named)

    @property
    def has_keywords(self) -> bool:
        """True if the rule searches the whole event."""
        return any(item.field is None for item in self.items)


def read_rule(mapping: object, placeholders: Placeholders | None = None) -> tuple[Rule | None, list[Problem]]:
    """Read one rule document.

    Returns the rule, or None if an error was found, and everything that was found. Never raises on
    any content of ``mapping``.
    """
    problems = Problems()
    try:
        rule = _read(mapping, problems, placeholders or {})
    except RuleError as error:
        problems.caught(error)
        rule = None
    return (None if problems.fatal else rule), problems.found


def _read(mapping: object, problems: Problems, placeholders: Placeholders) -> Rule:
    if not isinstance(mapping, Mapping):
        raise RuleError("not-a-rule", f"a rule is a mapping, this is {kind_of(mapping)}")
    for key, message in _OTHER_DOCUMENTS.items():
        if key in mapping:
            raise RuleError("document-kind", message, (key,))
    if "detection" not in mapping:
        raise RuleError("not-a-rule", "there is no 'detection' in it: this is no Sigma rule")
    metadata = Metadata(mapping, problems)
    logsource = read_logsource(mapping.get("logsource"), problems)
    detection = mapping["detection"]
    reader = DetectionReader(problems, placeholders)
    detections, condition = reader.read(detection, ("detection",), ("condition", "timeframe"))
    if "timeframe" in detection:
        problems.warn("timeframe", "'timeframe' without an aggregation has no meaning", ("detection", "timeframe"))
    return Rule(
        id=metadata.id,
        title=metadata.title,
        level=metadata.level,
        status=metadata.status,
        author=metadata.author,
        tags=metadata.tags,
        logsource=logsource,
        items=reader.items,
        detections=detections,
        condition=condition,
        name=metadata.name,
    )


class DetectionReader:
    """Reads a mapping of identifiers and a condition; ``items`` are the items of all that were read."""

    def __init__(self, problems: Problems, placeholders: Placeholders) -> None:
        self.problems, self.placeholders = problems, placeholders
        self.items: list[Item] = []
        self.values_seen = 0

    def read(
        self, detection: object, where: Where, others: Sequence[str]
    ) -> tuple[dict[str, DetectionExpression], Expression]:
        """The identifiers and the condition at ``where``; ``others``: the keys that are no identifiers.

        Raises RuleError.
        """
        if not isinstance(detection, Mapping):
            raise RuleError(str(where[-1]), f"'{where[-1]}' is a mapping, this is {kind_of(detection)}", where)
        detections = {}
        for name, content in detection.items():
            if name in others:
                continue
            try:
                detections[str(name)] = self._identifier(str(name), content, (*where, name))
            except RuleError as error:
                self.problems.caught(error)
                detections[str(name)] = ["or"]  # so that the condition is checked all the same
        if "condition" not in detection:
            raise RuleError("condition-missing", f"'{where[-1]}' has no 'condition'", where)
        condition = self._condition(detection["condition"], list(detections), (*where, "condition"))
        used = set(conditions.identifiers(condition))
        for name in detections:
            if name not in used:
                self.problems.warn("identifier-unused", f"the condition never uses {shown(name)}", (*where, name))
        return detections, condition

    def _condition(self, content: object, names: list[str], where: Where) -> Expression:
        if isinstance(content, str):
            return conditions.parse_condition(content, names, self.problems, where)
        if isinstance(content, list) and content and all(isinstance(text, str) for text in content):
            parsed = [
                conditions.parse_condition(text, names, self.problems, (*where, index))
                for index, text in enumerate(content)
            ]
            return parsed[0] if len(parsed) == 1 else ["or", *parsed]
        raise RuleError("condition-type", f"'condition' is text or a list of texts, not {kind_of(content)}", where)

    # An identifier is a mapping (AND), a list of mappings and keywords (OR), or one keyword.

    def _identifier(self, name: str, content: object, where: Where) -> DetectionExpression:
        if isinstance(content, Mapping):
            return self._mapping(name, content, where)
        if isinstance(content, list):
            if not content:
                raise RuleError("detection-empty", f"{shown(name)} is an empty list", where)
            return self._alternatives(name, content, where)
        return self._item(name, "", content, where)

    def _alternatives(self, name: str, content: list[object], where: Where) -> DetectionExpression:
        alternatives: list[DetectionExpression] = []
        keywords = [value for value in content if not isinstance(value, Mapping)]
        if keywords:
            # One item for all the keywords: their places in the list stay those of the list.
            values = [_ELSEWHERE if isinstance(value, Mapping) else value for value in content]
            alternatives.append(self._item(name, "", values, where))
        for index, value in enumerate(content):
            if isinstance(value, Mapping):
                alternatives.append(self._mapping(name, value, (*where, index)))
        return alternatives[0] if len(alternatives) == 1 else ["or", *alternatives]

    def _mapping(self, name: str, content: Mapping[Any, object], where: Where) -> DetectionExpression:
        if not content:
            raise RuleError("detection-empty", f"{shown(name)} is an empty mapping", where)
        needed: list[DetectionExpression] = []
        for key, value in content.items():
            try:
                needed.append(self._item(name, scalar_text(key), value, (*where, key)))
            except RuleError as error:
                self.problems.caught(error)
        return needed[0] if len(needed) == 1 else ["and", *needed]

    def _item(self, selection: str, key: str, content: object, where: Where) -> int:
        """Read one item into ``self.items`` and return its index there."""
        field, *names = key.split("|")
        chain = read_chain(names, where)
        values = content if isinstance(content, list) else [content]
        self._check_values(field, chain, content, where)
        if "expand" in names:
            self._warn_without_placeholder(key, values if chain.expands else (), where)
        tests: list[Test] = []
        for index, value in enumerate(values):
            if value is _ELSEWHERE:
                continue
            place = (*where, index) if values is content else where
            if value is None and values is content:
                raise RuleError("value-null-in-list", "null cannot stand in a list; write 'Field: null' apart", place)
            found = self._tests(field, chain, value, place)
            # With "all", each value is needed, but of what one value stands for one is enough.
            tests += [["any", *found]] if chain.all and len(found) > 1 else found
        if not values:
            self.problems.warn("value-empty-list", f"'{key}' has an empty list: it means no value", where)
            tests = [["null"]]
        self.items.append(Item(selection, key, field or None, chain.all, chain.neq, _once(tests)))
        return len(self.items) - 1

    def _check_values(self, field: str, chain: Chain, content: object, where: Where) -> None:
        if isinstance(content, Mapping):
            raise RuleError("value-type", "a mapping cannot be a value", where)
        size = len(content) if isinstance(content, list) else 1
        self.values_seen += size
        if self.values_seen > MAX_VALUES:
            raise RuleError("rule-size", f"the rule has over {MAX_VALUES} values", where)
        if chain.all and (not isinstance(content, list) or size == 1):
            self.problems.warn("modifier-all-single", "'all' with a single value has no effect", where)
        if isinstance(content, list) and chain.kind == "presence":
            raise RuleError("value-type", "'exists' takes one value, not a list", where)
        if not field and chain.kind not in _KEYWORD_KINDS:
            raise RuleError("keyword-modifier", f"'{'|'.join(chain.names)}' needs a field", where)

    def _tests(self, field: str, chain: Chain, value: object, where: Where) -> list[Test]:
        if isinstance(value, (list, Mapping)):
            raise RuleError("value-type", f"{kind_of(value)} cannot be a value in a list", where)
        value = _number_without_float(value)
        self._warn_about(chain, value, where)
        if field:
            return value_tests(value, chain, self.placeholders, where)
        return [
            _keyword_test(test, chain, where) for test in value_tests(_keyword(value), chain, self.placeholders, where)
        ]

    def _warn_about(self, chain: Chain, value: object, where: Where) -> None:
        if value == "" and chain.kind == "text with wildcards":
            self.problems.warn(
                "value-empty", f"an empty text with '{'|'.join(chain.names)}' holds for every value", where
            )
        if chain.kind == "network" and _has_host_bits(str(value)):
            self.problems.warn("cidr-host-bits", f"{shown(value)} has host bits set; they are ignored", where)
        for found in _BACKSLASHED.finditer(scalar_text(value) if chain.expands else ""):
            if name := found["name"]:
                message = (
                    f"'\\%{name}%' is the text '%{name}%'; a backslash and the placeholder are written '\\\\%{name}%'"
                )
                self.problems.warn("placeholder-backslash", message, where)

    def _warn_without_placeholder(self, key: str, values: Sequence[object], where: Where) -> None:
        texts = [scalar_text(value) for value in values if value is not _ELSEWHERE]
        if not any(found["name"] for text in texts for found in PLACEHOLDER.finditer(text)):
            message = (
                f"no value of '{key}' has a placeholder, a name between percent signs such as %admins%, where 'expand'"
                " is applied"
            )
            self.problems.warn("placeholder-none", message, where)


#: Stands for the mappings of a list that holds keywords too.
_ELSEWHERE: Any = object()
_KEYWORD_KINDS = (*TEXT_KINDS, "regular expression")
#: What looks like a placeholder behind a backslash; as in ``modifiers``, two backslashes are one.
_BACKSLASHED = re.compile(r"\\\\|\\%(?P<name>[\w-]+)%")
#: Kinds of documents that are told apart before a rule is read (see ``documents``).
_OTHER_DOCUMENTS = {
    "correlation": "a correlation document is no rule: it counts what rules have matched",
    "filter": "a filter document is no rule: it changes the rules of a build",
    "action": "'action' has a meaning only where several documents stand in one file",
}


def _keyword(value: object) -> object:
    """Keywords are text, whatever YAML made of them."""
    return value if value is None else scalar_text(value)


def _keyword_test(test: Test, chain: Chain, where: Where) -> Test:
    """A keyword is looked for anywhere in the text, unless its chain anchors it."""
    if test[0] == "null":
        raise RuleError("keyword-empty", "a keyword cannot be empty", where)
    if test[0] == "str" and chain.kind != "text with wildcards":
        return [test[0], test[1], list(join((ANY, *test[2], ANY)))]
    return test


def _once(tests: list[Test]) -> list[Test]:
    """``tests`` without repetitions, in their order."""
    seen = {repr(test): test for test in tests}
    return list(seen.values())


def _number_without_float(value: object) -> object:
    """Floats, which only a dict not made from YAML can hold, as the decimal number they print as."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def _has_host_bits(text: str) -> bool:
    from ipaddress import ip_interface

    try:
        interface = ip_interface(text.strip())
    except ValueError:
        return False  # reported as an error where the network is read
    return "/" in text and interface.ip != interface.network.network_address


def read_logsource(content: object, problems: Problems) -> LogSource:
    """The log source of a rule or a filter. Raises RuleError."""
    where: Where = ("logsource",)
    if content is None:
        problems.warn("logsource-missing", "the rule has no log source: it applies to every event")
        return LogSource()
    if not isinstance(content, Mapping):
        raise RuleError("logsource", f"'logsource' is a mapping, this is {kind_of(content)}", where)
    parts = []
    for key in LogSource._fields:
        value = content.get(key)
        if value is not None and not isinstance(value, str):
            raise RuleError("logsource", f"'{key}' is text, not {kind_of(value)}", (*where, key))
        parts.append((value or "").strip().lower())
    if not any(parts):
        problems.warn("logsource-empty", "the log source names no product, category or service", where)
    return LogSource(*parts)
