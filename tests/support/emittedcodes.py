"""The codes that the sources can emit, found in their syntax trees.

A code is the argument, at a known position, of a call that makes a finding. Where it is put
together (``f"{key}-missing"``), what the function is called with elsewhere in the module stands in
for the name. Calls that only pass on another finding's code give none.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

#: What makes a finding -> the position of its code.
MAKERS = {
    "RuleError": 0, "TextError": 0, "warn": 0, "error": 0, "warning": 0, "Problem": 1, "Finding": 3, "_fault": 1,
}  # fmt: skip
#: Of a problem (code, message, where), of a finding (path, line, code, message).
OF_FINDINGS = ("error", "warning")


def emitted_codes(paths: list[Path]) -> dict[str, list[str]]:
    """Code -> the places (``name:line``) at which it is emitted."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        for code, line in _Module(path).codes():
            found[code].append(f"{path.name}:{line}")
    return dict(found)


class _Module:
    def __init__(self, path: Path) -> None:
        self.tree = ast.parse(path.read_text("utf-8"))
        self.calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        self.functions = [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]
        self.constants = dict(self._constants())

    def _constants(self) -> Iterator[tuple[str, ast.expr]]:
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                yield node.targets[0].id, node.value
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                yield node.target.id, node.value

    def codes(self) -> Iterator[tuple[str, int]]:
        for call in self.calls:
            argument = self._code_of(call)
            if argument is not None:
                for text in self._texts(argument, call):
                    yield text, call.lineno

    def _code_of(self, call: ast.Call) -> ast.expr | None:
        name = _name(call.func)
        position = MAKERS.get(name)
        if name in OF_FINDINGS and len(call.args) == 4:
            position = 2
        if position is None or len(call.args) <= position:
            return None
        return call.args[position]

    def _texts(self, node: ast.expr, at: ast.AST, depth: int = 0) -> Iterator[str]:
        """The texts that an expression can be; none for what is only known when it runs."""
        if depth > 4:
            return
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.IfExp):
            yield from self._texts(node.body, at, depth)
            yield from self._texts(node.orelse, at, depth)
        elif isinstance(node, ast.JoinedStr):
            yield from self._joined(node, at, depth)
        elif isinstance(node, ast.Name):
            yield from self._named(node.id, at, depth)

    def _joined(self, node: ast.JoinedStr, at: ast.AST, depth: int) -> Iterator[str]:
        found = [""]
        for part in node.values:
            value = part.value if isinstance(part, ast.FormattedValue) else part
            texts = list(self._texts(value, at, depth + 1)) if isinstance(value, ast.expr) else []
            found = [before + text for before in found for text in texts]
        yield from found

    def _named(self, name: str, at: ast.AST, depth: int) -> Iterator[str]:
        """What a name can stand for: a loop's values, what its function is called with, or what a generator yields."""
        function = next((one for one in self.functions if any(node is at for node in ast.walk(one))), None)
        if function is None:
            return
        for loop in ast.walk(function):
            if isinstance(loop, ast.For):
                yield from self._loop(loop, name, at, depth)
        parameters = [argument.arg for argument in function.args.args if argument.arg != "self"]
        if name not in parameters:
            return
        for call in self.calls:
            if _name(call.func) == function.name and len(call.args) > parameters.index(name):
                yield from self._texts(call.args[parameters.index(name)], call, depth + 1)

    def _loop(self, loop: ast.For, name: str, at: ast.AST, depth: int) -> Iterator[str]:
        if isinstance(loop.target, ast.Name) and loop.target.id == name:
            values = self.constants.get(loop.iter.id) if isinstance(loop.iter, ast.Name) else loop.iter
            for value in values.elts if isinstance(values, (ast.Tuple, ast.List)) else ():
                yield from self._texts(value, at, depth + 1)
        is_pair = isinstance(loop.target, ast.Tuple) and [_name(one) for one in loop.target.elts][:1] == [name]
        if is_pair and isinstance(loop.iter, ast.Call):
            generator = next((one for one in self.functions if one.name == _name(loop.iter.func)), None)
            for node in ast.walk(generator) if generator else ():
                if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
                    yield from self._texts(node.value.elts[0], node, depth + 1)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
