"""A rule's ``detection`` as it is written: each value with its place and the tests that it becomes.

``sigmaengine.rule`` reads the same for matching, and forgets where things stood. The pieces that
decide what something means (``read_chain``, ``value_tests``, ``parse_condition``) are the engine's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sigmaengine.condition import Expression, parse_condition
from sigmaengine.modifiers import Chain, Test, read_chain, scalar_text, value_tests
from sigmaengine.patterns import ANY, join
from sigmaengine.problems import Problems, RuleError, Where

_NO_IDENTIFIERS = ("condition", "timeframe")
_ANCHORED = "text with wildcards"


class Value(NamedTuple):
    """One value. An event's value has to pass one of ``tests``."""

    where: Where
    raw: object
    tests: tuple[Test, ...]


@dataclass(frozen=True, eq=False)
class Item:
    """One detection item; ``field`` is None for keywords."""

    where: Where
    field: str | None
    chain: Chain
    values: tuple[Value, ...]

    @property
    def key(self) -> str:
        """The item's key as it is written, or an empty text."""
        return "|".join([self.field or "", *self.chain.names])


@dataclass(frozen=True, eq=False)
class Group:
    """Nodes that must hold together ("and") or of which one must ("or")."""

    where: Where
    operator: str
    nodes: tuple[Node, ...]


Node = Item | Group


@dataclass(frozen=True)
class Detection:
    """Identifiers by name, and the condition over them."""

    identifiers: dict[str, Node]
    condition: Expression
    where: Where = field(default=("detection", "condition"))

    def items(self) -> Iterator[Item]:
        """Every item, in the order in which they are written."""
        for node in self.identifiers.values():
            yield from items_of(node)


def items_of(node: Node) -> Iterator[Item]:
    """The items of a node."""
    if isinstance(node, Item):
        yield node
    else:
        for one in node.nodes:
            yield from items_of(one)


def read_detection(document: Mapping[Any, Any], placeholders: Mapping[str, Sequence[str]]) -> Detection | None:
    """The detection of a rule's document, or None if it has a fault, which the rule's parser reports."""
    content = document.get("detection")
    if not isinstance(content, Mapping):
        return None
    try:
        reader = _Reader(placeholders)
        identifiers = {
            str(name): reader.identifier(value, ("detection", name))
            for name, value in content.items()
            if name not in _NO_IDENTIFIERS
        }
        return Detection(identifiers, _condition(content.get("condition"), list(identifiers)))
    except RuleError:
        return None


def _condition(content: object, names: list[str]) -> Expression:
    texts = content if isinstance(content, list) else [content]
    # Behind a pipe stands what Sigma 1 counts; what is counted stands before it.
    parsed = [parse_condition(str(text).split("|")[0], names, Problems()) for text in texts]
    return parsed[0] if len(parsed) == 1 else ["or", *parsed]


class _Reader:
    def __init__(self, placeholders: Mapping[str, Sequence[str]]) -> None:
        self.placeholders = placeholders

    def identifier(self, content: object, where: Where) -> Node:
        if isinstance(content, Mapping):
            return self._mapping(content, where)
        if not isinstance(content, list):
            return self._item("", [content], [where], where)
        nodes: list[Node] = []
        keywords = [index for index, value in enumerate(content) if not isinstance(value, Mapping)]
        if keywords:
            places: list[Where] = [(*where, index) for index in keywords]
            nodes.append(self._item("", [content[index] for index in keywords], places, where))
        for index, value in enumerate(content):
            if isinstance(value, Mapping):
                nodes.append(self._mapping(value, (*where, index)))
        return nodes[0] if len(nodes) == 1 else Group(where, "or", tuple(nodes))

    def _mapping(self, content: Mapping[Any, object], where: Where) -> Node:
        nodes: list[Node] = []
        for key, value in content.items():
            place = (*where, key)
            values = value if isinstance(value, list) else [value]
            places: list[Where] = [(*place, index) if values is value else place for index in range(len(values))]
            nodes.append(self._item(scalar_text(key), values, places, place))
        return nodes[0] if len(nodes) == 1 else Group(where, "and", tuple(nodes))

    def _item(self, key: str, values: list[object], places: list[Where], where: Where) -> Item:
        name, *modifiers = key.split("|")
        chain = read_chain(modifiers, where)
        read = (
            Value(place, value, self._tests(name, chain, value, place))
            for value, place in zip(values, places, strict=True)
        )
        return Item(where, name or None, chain, tuple(read))

    def _tests(self, name: str, chain: Chain, value: object, where: Where) -> tuple[Test, ...]:
        if isinstance(value, (list, Mapping)):
            raise RuleError("value-type", "a list or a mapping is no value", where)
        if name:
            return tuple(_told_apart(test, value) for test in value_tests(value, chain, self.placeholders, where))
        tests = value_tests(scalar_text(value), chain, self.placeholders, where)
        return tuple(test if chain.kind == _ANCHORED else _anywhere(test) for test in tests)


def _anywhere(test: Test) -> Test:
    """A keyword's test: it is looked for anywhere in the text."""
    return [test[0], test[1], list(join((ANY, *test[2], ANY)))] if test[0] == "str" else test


def _told_apart(test: Test, value: object) -> Test:
    """'' and null mean the same to Sigma Match and not to others: a rule that has both repeats nothing."""
    return ["null", "''" if value == "" else "null"] if test[0] == "null" else test
