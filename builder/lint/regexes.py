"""Checks of regular expressions, from their parse tree.

A *tree* is what Python's own parser gives: a list of (operator, argument).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from sigmaengine.modifiers import REGEX_FLAGS
from sigmaengine.problems import Problem, shown

from .detections import Item
from .subject import Subject, warning

_UNBOUNDED = 100
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT")
#: Endings of file names before which a dot stands as such.
_EXTENSIONS = (
    "bat", "cmd", "com", "dll", "doc", "docm", "docx", "exe", "hta", "htm", "html", "iso", "jar", "jpg", "js", "jse",
    "lnk", "msi", "pdf", "php", "png", "ps1", "psm1", "py", "reg", "scr", "sh", "sys", "tmp", "txt", "vbe", "vbs",
    "xls", "xlsm", "xlsx", "xml", "wsf", "zip",
)  # fmt: skip
_PLAIN = re.compile(r"(?:\\[^\w\s]|[^\\.^$*+?{}\[\]|()])*\Z")

Tree = list[tuple[Any, Any]]


def check_regexes(subject: Subject) -> Iterator[Problem]:
    """Expressions that say less than they could, match more than they should, or can take for ever."""
    for item in subject.detection.items() if subject.detection is not None else ():
        if item.chain.kind == "regular expression":
            yield from _item(item)


def _item(item: Item) -> Iterator[Problem]:
    for value in item.values:
        ((_, flags, expression),) = value.tests
        tree = _parse(expression, flags)
        for code, message in _faults(tree, expression, flags):
            yield warning(code, message, value.where)


def _faults(tree: Tree, expression: str, flags: str) -> Iterator[tuple[str, str]]:
    said = shown(expression, 60)
    if _PLAIN.match(expression):
        literal = re.sub(r"\\(.)", r"\1", expression)
        instead = "contains" if "i" in flags else "contains|cased"
        yield "regex-plain", f"{said} is plain text: '{instead}' with {shown(literal, 60)} says the same"
        return
    for place, repeat in (("begins", tree[:1]), ("ends", tree[-1:])):
        if repeat and _is_anything(repeat[0]):
            message = f"{said} {place} with '.*', which an expression that is searched for anywhere does not need"
            yield "regex-needless", message
            break
    if _explodes(tree):
        yield "regex-slow", f"{said} repeats what repeats itself: on some texts the time doubles with every character"
    for extension in sorted(set(_loose_dots(tree))):
        message = f"the dot before '{extension}' in {said} stands for any character; '\\.{extension}' is a dot"
        yield "regex-dot", message


def _parse(expression: str, flags: str) -> Tree:
    """The parse tree of an expression that compiles."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sre_parse is deprecated where re._parser exists; odd sets are the author's
        try:
            from re import _parser as parser  # type: ignore[attr-defined]  # noqa: PLC0415
        except ImportError:
            import sre_parse as parser  # noqa: PLC0415 - Python 3.10
        return list(parser.parse(expression, sum(REGEX_FLAGS[flag] for flag in flags)))


def _is_anything(node: tuple[Any, Any]) -> bool:
    """``.*``, greedy or not."""
    operator, argument = node
    return str(operator) in _REPEATS and argument[0] == 0 and _is_unbounded(argument) and _is_dot(list(argument[2]))


def _is_unbounded(argument: Any) -> bool:
    return bool(int(argument[1]) >= _UNBOUNDED)


def _is_dot(tree: Tree) -> bool:
    return len(tree) == 1 and str(tree[0][0]) == "ANY"


# --- repetitions inside each other --------------------------------------------------------------------


def _explodes(tree: Tree) -> bool:
    """True if an unbounded repetition repeats something that is one itself and needs nothing beside it: ``(a+)*``.

    One text can then be cut into repetitions in exponentially many ways, all of which are tried
    where what follows does not match.
    """
    for operator, argument in tree:
        if str(operator) in _REPEATS and _is_unbounded(argument) and any(map(_is_loose, _branches(argument[2]))):
            return True
        if any(map(_explodes, _inside(operator, argument))):
            return True
    return False


def _is_loose(tree: Tree) -> bool:
    """True if a tree is an unbounded repetition, and everything beside it may be missing."""
    for index, (operator, argument) in enumerate(tree):
        if str(operator) in _REPEATS and _is_unbounded(argument):
            others = tree[:index] + tree[index + 1 :]
            if all(_may_be_empty(*node) for node in others):
                return True
    return False


def _branches(tree: Iterable[tuple[Any, Any]]) -> Iterator[Tree]:
    """What a group stands for: its alternatives, without the group around them."""
    nodes = list(tree)
    if len(nodes) == 1 and str(nodes[0][0]) == "SUBPATTERN":
        yield from _branches(nodes[0][1][-1])
    elif len(nodes) == 1 and str(nodes[0][0]) == "BRANCH":
        for branch in nodes[0][1][1]:
            yield from _branches(branch)
    else:
        yield nodes


def _may_be_empty(operator: Any, argument: Any) -> bool:
    name = str(operator)
    if name in _REPEATS:
        return bool(argument[0] == 0)
    if name == "SUBPATTERN":
        return all(_may_be_empty(*node) for node in argument[-1])
    return name in ("AT", "ASSERT", "ASSERT_NOT")


def _inside(operator: Any, argument: Any) -> Iterator[Tree]:
    """The trees directly inside a node."""
    name = str(operator)
    if name in _REPEATS:
        yield list(argument[2])
    elif name == "SUBPATTERN":
        yield list(argument[-1])
    elif name == "BRANCH":
        yield from map(list, argument[1])
    elif name in ("ASSERT", "ASSERT_NOT"):
        yield list(argument[1])


# --- dots in file names -------------------------------------------------------------------------------


def _loose_dots(tree: Tree) -> Iterator[str]:
    """Extensions of files that stand behind a bare dot, with a name before and nothing of a name behind."""
    for index, (operator, argument) in enumerate(tree):
        for inner in _inside(operator, argument):
            yield from _loose_dots(inner)
        if str(operator) != "ANY" or index == 0 or not _ends_name(tree[index - 1]):
            continue
        following = _literal(tree[index + 1 :])
        if following.lower() in _EXTENSIONS:
            yield following


def _ends_name(node: tuple[Any, Any]) -> bool:
    """True if a node stands for a letter or a digit, or for a run of them."""
    operator, argument = node
    if str(operator) == "LITERAL":
        return chr(argument).isalnum()
    if str(operator) in _REPEATS:
        return not _is_dot(list(argument[2]))
    return str(operator) == "IN"


def _literal(tree: Tree) -> str:
    """The letters and digits that a tree begins with; nothing if something of unknown length follows them."""
    found = ""
    for operator, argument in tree:
        if str(operator) != "LITERAL":
            return found if str(operator) in ("AT", "IN", "CATEGORY") else ""
        if not chr(argument).isalnum():
            break
        found += chr(argument)
    return found
