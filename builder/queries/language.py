"""How a query language says the parts of a rule.

A target is a ``Language`` that overrides what it can say. Everything else is refused, so that no
query is wider or narrower than its rule.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from builder.texts import escaped
from sigmaengine.modifiers import Test
from sigmaengine.patterns import Parts

#: A part of a query: text, or what a target makes of it.
Said = TypeVar("Said")


class RefusedError(Exception):
    """A language cannot say a rule. ``reason``: a key of ``REASONS``; ``detail``: what of the rule it is."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(REASONS[reason] + (f" ({escaped(detail)})" if detail else ""))
        self.reason = reason


#: Why rules are refused, in words for their authors. Reports count rules by these.
REASONS = {
    "case": "'cased': the language compares without case",
    "comparison": "a comparison of numbers",
    "correlation": "a correlation of several events",
    "fields of text": "a field, of which a line of text tells nothing",
    "field name": "a field whose name the language cannot write",
    "field reference": "'fieldref': the language cannot compare two fields",
    "keyword": "a keyword, which is looked for in the whole event",
    "id": "an id that no search can name; give it a UUID",
    "inexact": "a Splunk search cannot say it exactly",
    "length": "the query would be longer than the language takes",
    "literal wildcard": "a literal '*' or '?', which nothing escapes in the language",
    "log source": "a log source that the target does not read",
    "names": "events of several kinds whose fields have different names",
    "network": "a network (cidr)",
    "number": "a number, which may be written in several ways",
    "part of a time": "a part of a time",
    "place": "a value that the target holds otherwise, or not at all",
    "question mark": "'?', for which the language has no wildcard",
    "regex": "a regular expression that the language reads otherwise",
    "star": "a literal '*', which nothing escapes in the language",
    "text": "characters that the language cannot write",
    "unknown name": "a field of which no name in the target is known",
    "value": "a field that has a value, or has none",
}


class Language(ABC, Generic[Said]):
    """What one language says. ``name`` is always the field's name in the target's events.

    Parts that are joined are never none, and may be one.
    """

    @abstractmethod
    def all_of(self, parts: Sequence[Said]) -> Said:
        """All of them hold."""

    @abstractmethod
    def any_of(self, parts: Sequence[Said]) -> Said:
        """One of them holds."""

    @abstractmethod
    def negated(self, part: Said) -> Said:
        """It does not hold, for a field without a value too: Sigma has two truth values."""

    @abstractmethod
    def text(self, name: str, cased: bool, parts: Parts) -> Said:
        """A value is, as a whole, what a Sigma string (``sigmaengine.patterns``) means. Raises RefusedError."""

    def number(self, name: str, text: str) -> Said:
        """A value is a number, or where ``text`` is none, this text without case. Raises RefusedError."""
        raise RefusedError("number", text)

    def regex(self, name: str, flags: str, expression: str) -> Said:
        """A regular expression of Python's is found in a value; ``flags`` of ``ims``. Raises RefusedError."""
        raise RefusedError("regex", expression)

    def network(self, name: str, network: str) -> Said:
        """A value is an address within a network. Raises RefusedError."""
        raise RefusedError("network", network)

    def compared(self, name: str, operator: str, text: str) -> Said:
        """A value is a number and lt, lte, gt, gte than this one. Raises RefusedError."""
        raise RefusedError("comparison", f"{operator} {text}")

    def time_part(self, name: str, unit: str, operator: str, text: str) -> Said:
        """A part of a value that is a time is eq, lt, ... than this number. Raises RefusedError."""
        raise RefusedError("part of a time", unit)

    def has_value(self, name: str) -> Said:
        """The field has a value that is not empty. Raises RefusedError."""
        raise RefusedError("value", name)

    def reference(self, name: str, anchor: str, cased: bool, other: str) -> Said:
        """A value is, starts with, ... a value of another field. Raises RefusedError."""
        raise RefusedError("field reference", f"{name}, {other}")

    def keyword(self, test: Test) -> Said:
        """The event's text has what a keyword's test asks for; texts have ``*`` at both ends. Raises RefusedError."""
        raise RefusedError("keyword")

    def any_value(self, name: str, tests: Sequence[Test]) -> Said:
        """A value passes one of the tests: a target may say lists in another way than one by one."""
        return self.any_of([self.test(name, test) for test in tests])

    def test(self, name: str, test: Test) -> Said:
        """A value passes a test (``sigmaengine.modifiers``), which stands for one thing alone."""
        kind, *arguments = test
        if kind == "null":
            return self.negated(self.has_value(name))
        if kind == "exists":
            return self.has_value(name) if arguments[0] else self.negated(self.has_value(name))
        said: Said = getattr(self, _METHODS[kind])(name, *arguments)
        return said


_METHODS = {
    "str": "text",
    "num": "number",
    "re": "regex",
    "cidr": "network",
    "cmp": "compared",
    "part": "time_part",
    "ref": "reference",
}
