"""YAML text -> mappings with their line numbers, by the YAML 1.2 core schema.

Needs PyYAML, and uses no more of it than its event parser: composing and constructing are done
here, because Sigma rules want other scalars than YAML 1.1 gives (``yes``, ``on`` and dates are
text, ``017`` is 17), duplicate keys are faults, and depth and size of what a stranger's file may
ask for are bounded. No tag makes an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml

from .modifiers import scalar_text
from .numbers import parse_number
from .problems import RuleError, Where, shown

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 40
MAX_NODES = 400_000

_TAG = "tag:yaml.org,2002:"
_INTEGERS = {
    re.compile(r"[-+]?[0-9]+\Z"): 10,
    re.compile(r"0o[0-7]+\Z"): 8,
    re.compile(r"0x[0-9a-fA-F]+\Z"): 16,
}
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Python refuses to convert longer digit strings (and they are no number anyone compares with).
_MAX_DIGITS = 4_000


class YamlMapping(dict[Any, Any]):
    """A mapping of names that knows the line (1-based) of each key and its own."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[Any, int] = {}


class YamlList(list[Any]):
    """A list that knows the line (1-based) of each value and its own."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


class TextError(RuleError):
    """YAML that cannot be read. ``line`` is 1-based."""

    def __init__(self, code: str, message: str, line: int) -> None:
        super().__init__(code, message)
        self.line = line


def read_documents(text: str | bytes) -> Iterator[Any]:
    """The documents of a YAML text: mappings, lists and scalars. Empty documents are left out.

    Raises TextError at the first fault; documents before it have been given.
    """
    if len(text) > MAX_BYTES:
        raise TextError("yaml-size", f"the text is longer than {MAX_BYTES} bytes", 1)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=loader):
            if builder.take(event):
                yield builder.document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(part for part in (error.context, error.problem) if part)
        raise TextError("yaml-syntax", f"this is no YAML: {message}", mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TextError("yaml-syntax", f"this is no YAML: {error}", 1) from None


def line_of(document: Any, where: Where) -> int:
    """The line of the place that a path leads to; where it leads nowhere, of the last place it reaches."""
    line = getattr(document, "line", 1)
    for step in where:
        lines = getattr(document, "lines", None)
        try:
            line, document = lines[step], document[step]  # type: ignore[index]
        except (TypeError, KeyError, IndexError):
            break
    return int(line)


class _Builder:
    """Builds one document after the other from parser events."""

    def __init__(self) -> None:
        self.document: Any = None
        self._open: list[Any] = []
        self._keys: list[Any] = []
        self._anchors: dict[str, Any] = {}
        self._nodes = 0

    def take(self, event: Any) -> bool:
        """Take one event; True if it ended a document that says something."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
            self.document = None
        elif isinstance(event, yaml.ScalarEvent):
            self._add(_scalar(event, line), line, event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._aliased(event, line), line, None)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._begin(event, line)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._open.pop()
            self._keys.pop()
        return isinstance(event, yaml.DocumentEndEvent) and self.document is not None

    def _begin(self, event: Any, line: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise TextError("yaml-size", f"more than {MAX_DEPTH} levels inside each other", line)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if is_mapping else "seq")):
            raise TextError("yaml-tag", f"the tag {shown(event.tag)} cannot be used", line)
        node: Any = YamlMapping(line) if is_mapping else YamlList(line)
        self._add(node, line, event.anchor)
        self._open.append(node)
        self._keys.append(_NO_KEY)

    def _add(self, value: Any, line: int, anchor: str | None) -> None:
        self._count(1, line)
        if anchor:
            self._anchors[anchor] = value
        if not self._open:
            self.document = value
            return
        parent = self._open[-1]
        if isinstance(parent, YamlList):
            parent.append(value)
            parent.lines.append(line)
        elif self._keys[-1] is _NO_KEY:
            self._keys[-1] = self._checked_key(parent, value, line)
        else:
            parent[self._keys[-1]] = value
            self._keys[-1] = _NO_KEY

    def _checked_key(self, parent: YamlMapping, key: Any, line: int) -> Any:
        if isinstance(key, (YamlMapping, YamlList)):
            raise TextError("yaml-key", "a mapping or a list cannot be a key", line)
        if key is None:
            raise TextError("yaml-key", "nothing stands before the colon: a key cannot be null", line)
        # A key is a name, whatever it looks like: 1, 1.0 and true are three, which Python hashes alike.
        name = scalar_text(key)
        if name in parent.lines:
            raise TextError(
                "yaml-duplicate-key", f"the key {shown(name)} is there twice (line {parent.lines[name]})", line
            )
        parent.lines[name] = line
        return name

    def _aliased(self, event: Any, line: int) -> Any:
        if event.anchor not in self._anchors:
            raise TextError("yaml-alias", f"the alias '*{event.anchor}' has no anchor", line)
        value = self._anchors[event.anchor]
        if any(value is node for node in self._open):
            raise TextError("yaml-alias", f"the alias '*{event.anchor}' stands inside what it names", line)
        # Aliases of aliases grow without bound: each counts as all that it stands for.
        self._count(_size(value), line)
        return value

    def _count(self, nodes: int, line: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise TextError("yaml-size", f"more than {MAX_NODES} values", line)


_NO_KEY = object()


def _size(value: Any) -> int:
    if isinstance(value, YamlMapping):
        return 1 + sum(1 + _size(inner) for inner in value.values())
    return 1 + sum(map(_size, value)) if isinstance(value, YamlList) else 1


def _scalar(event: Any, line: int) -> Any:
    plain, quoted = event.implicit
    text: str = event.value
    if event.tag not in (None, "!"):
        return _tagged(event.tag, text, line)
    if quoted or not plain or event.style:
        return text
    return resolve(text)


def resolve(text: str) -> Any:
    """A plain scalar by the core schema. Numbers with a fraction or exponent are Decimal, as written.

    ``.inf`` and ``.nan`` stay text: no event's number equals them.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "-+.0123456789" or len(text) > _MAX_DIGITS:
        return text
    for pattern, base in _INTEGERS.items():
        if pattern.match(text):
            return _WrittenInteger(int(text.replace("0o", ""), base), text)
    number = parse_number(text)
    return text if number is None else _WrittenDecimal(number, text)


class _WrittenInteger(int):
    """An integer that knows how it was written: with a string modifier, ``0x17`` is that text."""

    written: str

    def __new__(cls, value: int, written: str) -> _WrittenInteger:
        number = super().__new__(cls, value)
        number.written = written
        return number


class _WrittenDecimal(Decimal):
    """A number with a fraction or an exponent that knows how it was written."""

    written: str

    def __new__(cls, value: Decimal, written: str) -> _WrittenDecimal:
        number = super().__new__(cls, value)
        number.written = written
        return number


_TAGGED: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (int, Decimal),
}


def _tagged(tag: str, text: str, line: int) -> Any:
    name = tag[len(_TAG) :] if tag.startswith(_TAG) else ""
    if name == "str":
        return text
    if name in _TAGGED:
        value = resolve(text)
        if isinstance(value, _TAGGED[name]):
            return value
        raise TextError("yaml-tag", f"{shown(text)} is no {name}", line)
    raise TextError("yaml-tag", f"the tag {shown(tag)} cannot be used", line)
