"""The documents of one file -> what each of them means.

A document with ``action`` changes others of its file:

==========  ====================================================================================
``global``  what it says holds for every rule behind it, up to a reset; several add up
``reset``   ends that
``repeat``  the rule before it once more, with what this document says
==========  ====================================================================================

Mappings are merged at every depth, lists and scalars are replaced; what stands nearer to the rule
wins. Filters and correlations are left as they stand. Source: Sigma specification, "Rule
Collections" (version 1; version 2 leaves it to the implementation).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from typing import Any, NamedTuple

from .problems import ERROR, Problem, Problems, RuleError, kind_of, shown

RULE, FILTER, CORRELATION, NOTHING = "rule", "filter", "correlation", ""

#: What stands in a document of a kind and in no other.
_KINDS = {"correlation": CORRELATION, "filter": FILTER}
_ACTIONS = ("global", "reset", "repeat")
# Each document behind a global one is as large as that: the sum is bounded.
MAX_MERGED = 2_000_000


class Resolved(NamedTuple):
    """One document: a rule, a filter or a correlation, or NOTHING where only ``problems`` are told."""

    document: Any
    kind: str
    problems: list[Problem]


def kind_of_document(document: object) -> str:
    """What a document is by its keys; whatever is neither a filter nor a correlation is read as a rule."""
    if not isinstance(document, Mapping):
        return RULE
    return next((kind for key, kind in _KINDS.items() if key in document), RULE)


def resolved(documents: Iterable[object]) -> Iterator[Resolved]:
    """The rules, filters and correlations that the documents of a file are.

    Never raises on any content; what ``documents`` raises is passed on, after what stood before it.
    """
    reader = _Reader()
    for document in documents:
        yield from reader.take(document)
    yield from reader.unused()


class _Reader:
    def __init__(self) -> None:
        self.shared: Mapping[Any, Any] = {}
        self.previous: Mapping[Any, Any] | None = None
        # The global documents that no rule has taken yet.
        self.waiting: list[Mapping[Any, Any]] = []
        # Of the last "action" document that could not be used: it may be meant to change the rules behind it.
        self.broken: Mapping[Any, Any] | None = None
        self.merged = 0

    def take(self, document: object) -> Iterator[Resolved]:
        """What a document means, taken with those before it."""
        try:
            yield from self._take(document)
        except RuleError as error:
            yield Resolved(document, NOTHING, [error.problem])

    def _take(self, document: object) -> Iterator[Resolved]:
        if not isinstance(document, Mapping):
            yield Resolved(document, RULE, [])
        elif "action" in document:
            yield from self._act(document, document["action"])
        elif kind_of_document(document) != RULE:
            yield Resolved(document, kind_of_document(document), [])
        else:
            yield self._rule(self._merge(self.shared, document) if self.shared else document)

    def _rule(self, document: Mapping[Any, Any]) -> Resolved:
        self.previous, self.waiting = document, []
        if self.broken is not None:
            line = getattr(self.broken, "line", 0)
            message = "the 'action' document before this rule" + (f" (line {line})" if line else "")
            message += " cannot be used; whether it changes this rule cannot be told"
            return Resolved(document, NOTHING, [Problem(ERROR, "action-broken", message)])
        return Resolved(document, RULE, [])

    def _act(self, document: Mapping[Any, Any], action: object) -> Iterator[Resolved]:
        try:
            yield from self._acted(document, action)
        except RuleError:
            if action not in ("reset", "repeat"):
                self.broken = document
            raise

    def _acted(self, document: Mapping[Any, Any], action: object) -> Iterator[Resolved]:
        where = ("action",)
        if not isinstance(action, str) or action not in _ACTIONS:
            told = shown(action) if isinstance(action, str) else kind_of(action)
            raise RuleError("action-unknown", f"'action' is {', '.join(_ACTIONS)}, not {told}", where)
        said = _without(document, "action")
        for key in _KINDS:
            if key in said:
                raise RuleError(
                    "action-document", f"'action: {action}' is about rules; a {key} stands in a document alone", (key,)
                )
        if action == "reset":
            yield from self._reset(said)
        elif action == "global":
            self.shared = self._merge(self.shared, said)
            self.waiting.append(document)
        elif self.previous is None:
            raise RuleError("action-repeat", "there is no rule before this that could be repeated", where)
        else:
            yield self._rule(self._merge(self.previous, said))

    def _reset(self, said: Mapping[Any, Any]) -> Iterator[Resolved]:
        yield from self.unused()
        self.shared, self.broken = {}, None
        if said:
            raise RuleError(
                "action-document",
                f"a document with 'action: reset' says nothing else; put {shown(next(iter(said)))} and what follows"
                " into a document of its own",
                ("action",),
            )

    def unused(self) -> Iterator[Resolved]:
        """The global documents behind which no rule stands."""
        for document in self.waiting:
            problems = Problems()
            problems.error("action-unused", "no rule stands behind this document that it could change", ("action",))
            yield Resolved(document, NOTHING, problems.found)
        self.waiting = []

    def _merge(self, base: Mapping[Any, Any], over: Mapping[Any, Any]) -> Mapping[Any, Any]:
        result = merged(base, over)
        self.merged += _size(result)
        if self.merged > MAX_MERGED:
            message = f"with what they share, the documents of this file have over {MAX_MERGED} values; split the file"
            raise RuleError("document-size", message)
        return result


def merged(base: Mapping[Any, Any], over: Mapping[Any, Any]) -> dict[Any, Any]:
    """``base`` with what ``over`` says; both stay as they are. Lines, where they are known, are kept."""
    result: dict[Any, Any] = _copied(over)
    result.clear()
    result.update(base)
    for key, value in over.items():
        earlier = result.get(key)
        both = isinstance(earlier, Mapping) and isinstance(value, Mapping)
        result[key] = merged(earlier, value) if both else value  # type: ignore[arg-type]
    _set_lines(result, {**getattr(base, "lines", {}), **getattr(over, "lines", {})})
    return result


def _without(mapping: Mapping[Any, Any], key: str) -> dict[Any, Any]:
    result = _copied(mapping)
    del result[key]
    return result


def _copied(mapping: Mapping[Any, Any]) -> dict[Any, Any]:
    """A mapping of the same kind and line, which may be changed."""
    result = copy(mapping) if isinstance(mapping, dict) else dict(mapping)
    _set_lines(result, getattr(mapping, "lines", {}))
    return result


def _set_lines(mapping: dict[Any, Any], lines: Mapping[Any, int]) -> None:
    # A plain dict knows no lines. (YAML's mappings do; they are not named here, for PyYAML need not be loaded.)
    if hasattr(mapping, "lines"):
        mapping.lines = dict(lines)


def _size(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(1 + _size(inner) for inner in value.values())
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1
