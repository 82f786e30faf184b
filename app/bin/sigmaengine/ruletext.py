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
from typing import Any, NamedTuple

import yaml

from .problems import RuleError, Where, shown
from .scalars import resolve

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 40
MAX_NODES = 400_000

_TAG = "tag:yaml.org,2002:"
# What YAML text may not hold unless escaped (YAML 1.2.2, 5.1): control characters and halves of characters.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile("\r\n|\r|\n")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


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
    builder = _Builder()
    for event in _events(_printable(text)):
        if builder.take(event):
            yield builder.document


def _printable(text: str | bytes) -> str:
    """The text of a file. Raises TextError at what no YAML holds: libyaml and PyYAML would say so without its line."""
    decoded = _decoded(text) if isinstance(text, bytes) else text
    found = _UNPRINTABLE.search(decoded)
    if found:
        line = _line_after(decoded[: found.start()])
        raise _no_yaml(f"the character U+{ord(found[0]):04X} cannot stand in it", line)
    return decoded


def _decoded(data: bytes) -> str:
    codec = "utf-16" if data.startswith(_UTF16_MARKS) else "utf-8"
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        line = _line_after(data[: error.start].decode(codec, "replace"))
        byte = f"the byte 0x{data[error.start]:02x} is no {codec.upper()}"
        raise _no_yaml(f"{byte}; save the file as UTF-8", line) from None


def _line_after(text: str) -> int:
    return 1 + len(_LINE_END.findall(text))


def _events(text: str) -> Iterator[Any]:
    """The parser's events, by libyaml where PyYAML was installed with it. Raises TextError."""
    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    except yaml.MarkedYAMLError as error:
        context, problem = error.context or "", error.problem or ""
        mark = error.problem_mark or error.context_mark
        if "quoted scalar" in context and "unexpected" in problem:
            mark = error.context_mark  # a quote is missing: where it was opened says more than where the text ends
        raise _no_yaml(" ".join(filter(None, (context, problem))), mark.line + 1 if mark else 1) from None
    except yaml.YAMLError as error:
        raise _no_yaml(str(error), 1) from None
    except (ValueError, OverflowError) as error:  # PyYAML's own parser on "\UFFFFFFFF", which libyaml refuses
        raise _no_yaml(str(error), parser.get_mark().line + 1) from None
    finally:
        parser.dispose()


def _no_yaml(reason: str, line: int) -> TextError:
    return TextError("yaml-syntax", f"this is no YAML: {reason}", line)


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


class _Node(NamedTuple):
    """A value, and the name that it is as a mapping's key; None for what cannot be one."""

    value: Any
    name: str | None = None


class _Builder:
    """Builds one document after the other from parser events."""

    def __init__(self) -> None:
        self.document: Any = None
        self._open: list[Any] = []
        # Of each open mapping the key whose value comes next, or None where a key does.
        self._keys: list[str | None] = []
        self._anchors: dict[str, _Node] = {}
        self._nodes = 0

    def take(self, event: Any) -> bool:
        """Take one event; True if it ended a document that says something."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
            self.document = None
        elif isinstance(event, yaml.ScalarEvent):
            if event.value == "<<" and not event.style and event.tag is None and self._awaits_key():
                raise TextError("yaml-merge-key", "the merge key '<<' is no part of YAML 1.2; write the keys out", line)
            value = _scalar(event, line)
            # A key is a name as it is written: 1, 1.0 and true are three, which Python hashes alike.
            self._add(_Node(value, None if value is None else event.value), line, event.anchor)
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
        value: Any = YamlMapping(line) if is_mapping else YamlList(line)
        self._add(_Node(value), line, event.anchor)
        self._open.append(value)
        self._keys.append(None)

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1], YamlMapping) and self._keys[-1] is None

    def _add(self, node: _Node, line: int, anchor: str | None) -> None:
        self._count(1, line)
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self.document = node.value
            return
        parent = self._open[-1]
        if isinstance(parent, YamlList):
            parent.append(node.value)
            parent.lines.append(line)
        elif self._keys[-1] is None:
            self._keys[-1] = self._checked_key(parent, node, line)
        else:
            parent[self._keys[-1]] = node.value
            self._keys[-1] = None

    def _checked_key(self, parent: YamlMapping, node: _Node, line: int) -> str:
        if isinstance(node.value, (YamlMapping, YamlList)):
            raise TextError("yaml-key", "a mapping or a list cannot be a key", line)
        if node.name is None:
            raise TextError("yaml-key", "nothing stands before the colon: a key cannot be null", line)
        if node.name in parent.lines:
            earlier = parent.lines[node.name]
            raise TextError("yaml-duplicate-key", f"the key {shown(node.name)} is there twice (line {earlier})", line)
        parent.lines[node.name] = line
        return node.name

    def _aliased(self, event: Any, line: int) -> _Node:
        if event.anchor not in self._anchors:
            raise TextError("yaml-alias", f"the alias '*{event.anchor}' has no anchor", line)
        node = self._anchors[event.anchor]
        if any(node.value is outer for outer in self._open):
            raise TextError("yaml-alias", f"the alias '*{event.anchor}' stands inside what it names", line)
        # Aliases of aliases grow without bound: each counts as all that it stands for.
        self._count(_size(node.value), line)
        return node

    def _count(self, nodes: int, line: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise TextError("yaml-size", f"more than {MAX_NODES} values", line)


def _size(value: Any) -> int:
    if isinstance(value, YamlMapping):
        return 1 + sum(1 + _size(inner) for inner in value.values())
    return 1 + sum(map(_size, value)) if isinstance(value, YamlList) else 1


def _scalar(event: Any, line: int) -> Any:
    plain, quoted = event.implicit
    text: str = event.value
    if event.style == '"' and _SURROGATE.search(text):  # by an escape; libyaml refuses it itself
        raise _no_yaml("an escape stands for half a character", line)
    if event.tag not in (None, "!"):
        return _tagged(event.tag, text, line)
    # "!" says that the scalar is what it would be in quotes.
    if event.tag or quoted or not plain or event.style:
        return text
    return resolve(text)


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
