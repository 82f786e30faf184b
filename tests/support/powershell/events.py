"""Events as Get-WinEvent gives them, and the part of XML and XPath that commands use."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

from .tokens import PowerShellError

_SPACE = re.compile(r"\{[^}]*\}")


def local(name: str) -> str:
    """A name without its namespace."""
    return _SPACE.sub("", name)


class Node:
    """An element."""

    def __init__(self, element: ET.Element) -> None:
        self.element = element

    def member(self, name: str) -> Any:
        """A property: of the element's own, of an attribute, of a child."""
        if name == "LocalName":
            return local(self.element.tag)
        if name == "InnerText":
            return "".join(self.element.itertext())
        if name in self.element.attrib:
            return self.element.attrib[name]
        found = [shown(child) for child in self.element if local(child.tag) == name]
        return found if len(found) > 1 else found[0] if found else None

    def call(self, name: str, arguments: list[Any]) -> Any:
        """A method."""
        if name != "GetAttribute":
            raise PowerShellError(name)
        return self.element.attrib.get(arguments[0], "")


def shown(element: ET.Element) -> Any:
    """What PowerShell gives for a child: text alone if it has nothing else."""
    if element.attrib or len(element):
        return Node(element)
    return element.text or ""


class Document:
    """A document."""

    def __init__(self, text: str) -> None:
        self.root = ET.fromstring(text)  # noqa: S314 - events of the tests' own
        self._selected: dict[str, list[Node]] = {}

    def member(self, name: str) -> Any:
        """The root, by its name."""
        return Node(self.root) if local(self.root.tag) == name else None

    def call(self, name: str, arguments: list[Any]) -> Any:
        """SelectNodes."""
        if name != "SelectNodes":
            raise PowerShellError(name)
        (path,) = arguments
        if path not in self._selected:
            self._selected[path] = select(self.root, path)
        return self._selected[path]


_STEP = re.compile(r"(//?)\*((?:\[[^\]]*\])*)")
_NAMED = re.compile(r'\[local-name\(\)="(\w+)"\]')


def select(root: ET.Element, path: str) -> list[Node]:
    """The nodes of an XPath of steps ``/*`` and ``//*``, in the order of the document."""
    chosen: set[int] = set()
    for one in path.split("|"):
        above = ET.Element("above")
        above.append(root)
        nodes = [above]
        position = 0
        while position < len(one):
            step = _STEP.match(one, position)
            if step is None:
                raise PowerShellError(path)
            nodes = [node for parent in nodes for node in _below(parent, step[1]) if _holds(node, step[2])]
            position = step.end()
        chosen |= set(map(id, nodes))
    return [Node(node) for node in root.iter() if id(node) in chosen]


def _below(parent: ET.Element, axis: str) -> list[ET.Element]:
    return list(parent) if axis == "/" else [node for node in parent.iter() if node is not parent]


def _holds(node: ET.Element, predicates: str) -> bool:
    for predicate in re.findall(r"\[[^\]]*\]", predicates):
        named = _NAMED.fullmatch(predicate)
        if named is None and predicate != "[not(*)]":
            raise PowerShellError(predicate)
        if (local(node.tag) != named[1]) if named else len(node):
            return False
    return True


class WinEvent:
    """One event: its XML, and what is made of its System part."""

    def __init__(self, xml: str) -> None:
        self.xml = xml
        self.document = Document(xml)
        #: What the beginnings of blocks have assigned, by their source.
        self.prepared: dict[str, dict[str, Any]] = {}
        (system,) = select(self.document.root, '/*/*[local-name()="System"]')
        texts = {local(child.tag): child.text for child in system.element}
        provider = next((child.attrib.get("Name") for child in system.element if local(child.tag) == "Provider"), None)
        self.members: dict[str, Any] = {
            "LogName": texts.get("Channel"),
            "MachineName": texts.get("Computer"),
            "ProviderName": provider,
            "Id": int(texts["EventID"] or 0),
            "RecordId": _number(texts.get("EventRecordID")),
            **{name: _number(texts.get(name)) for name in ("Level", "Opcode", "Task", "Version")},
        }

    def member(self, name: str) -> Any:
        """A property of EventLogRecord."""
        if name not in self.members:
            raise PowerShellError(name)
        return self.members[name]

    def call(self, name: str, arguments: list[Any]) -> Any:
        """ToXml."""
        if name != "ToXml" or arguments:
            raise PowerShellError(name)
        return self.xml


def _number(text: str | None) -> int | None:
    return int(text) if text else None


@cache
def parsed(xml: str) -> Document:
    """[xml] of a text; the same for each command that reads it."""
    return Document(xml)
