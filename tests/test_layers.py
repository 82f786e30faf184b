"""Which layer may import which, and what a search's start may load.

``sigmaengine`` runs inside Splunk on every indexer; ``builder`` runs on the
machine that builds the app and may use ``sigmaengine``, never the reverse. The
first half reads the import statements, all of them, those inside functions and
under conditions too; the second half starts child processes and looks at what
they really loaded.
"""

from __future__ import annotations

import ast
import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
APP_BIN = ROOT / "app" / "bin"

STANDARD_LIBRARY = frozenset(sys.stdlib_module_names)

# What a search may not load at its start: each costs more time than the engine
# itself, or (yaml) is needed by few searches.
HEAVY = ("yaml", "logging", "dataclasses", "ssl")

# The engine's modules that may load yaml: rule text passed to a search is YAML.
# The command imports them only for such a search.
FOR_RULE_TEXT = {"sigmaengine.ruletext", "sigmaengine.adhoc", "sigmaengine.adhoccorrelation"}


class Layer(NamedTuple):
    """One layer: where its modules lie, and the top-level packages they may import."""

    name: str
    folder: Path
    pattern: str
    allowed: frozenset[str]
    exceptions: dict[str, frozenset[str]]


LAYERS = {
    layer.name: layer
    for layer in (
        Layer(
            "sigmaengine",
            APP_BIN,
            "sigmaengine/**/*.py",
            STANDARD_LIBRARY | {"sigmaengine"},
            {"sigmaengine.ruletext": frozenset({"yaml"})},
        ),
        Layer(
            "commands",
            APP_BIN,
            "sigma*.py",
            STANDARD_LIBRARY | {"splunklib", "sigmaengine"},
            dict.fromkeys(("sigmamatch", "sigmacorrelate"), frozenset({"sigmacommand"})),
        ),
        Layer(
            "builder",
            ROOT,
            "builder/**/*.py",
            STANDARD_LIBRARY | {"builder", "sigmaengine", "click", "evtx", "yaml", "sigma"},
            {},
        ),
    )
}


def modules(layer: Layer) -> dict[str, Path]:
    """Dotted name -> file of every module of the layer; never empty."""
    found = {}
    for path in sorted(layer.folder.glob(layer.pattern)):
        parts = path.relative_to(layer.folder).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    assert found, f"no module matches {layer.pattern} in {layer.folder}"
    return found


@functools.cache
def imports(name: str, path: Path) -> frozenset[str]:
    """Dotted names that the module ``name`` at ``path`` imports.

    ``from a import b`` gives ``a`` and ``a.b``, for b may be a module.
    """
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *([base] if base else [])])
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return frozenset(found)


MODULES = {
    f"{layer.name}: {name}": (layer, name, path) for layer in LAYERS.values() for name, path in modules(layer).items()
}


@pytest.mark.parametrize(("layer", "name", "path"), MODULES.values(), ids=MODULES)
def test_a_module_imports_only_what_its_layer_may(layer: Layer, name: str, path: Path) -> None:
    allowed = layer.allowed | layer.exceptions.get(name, frozenset())
    foreign = {imported for imported in imports(name, path) if imported.split(".")[0] not in allowed}
    assert foreign == set()


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """Some cycle of the graph as the list of its nodes, the first repeated at the end; empty without one."""
    done: set[str] = set()

    def visit(node: str, trail: list[str]) -> list[str]:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        if node in done:
            return []
        for following in sorted(graph[node]):
            if found := visit(following, [*trail, node]):
                return found
        done.add(node)
        return []

    return next((found for node in sorted(graph) if (found := visit(node, []))), [])


CYCLES = {
    "none": ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
    "self": ({"a": {"a"}}, ["a", "a"]),
    "far": ({"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"b"}}, ["b", "c", "d", "b"]),
}


@pytest.mark.parametrize(("graph", "expected"), CYCLES.values(), ids=CYCLES)
def test_the_search_for_cycles_finds_them(graph: dict[str, set[str]], expected: list[str]) -> None:
    assert cycle(graph) == expected


@pytest.mark.parametrize("layer", [LAYERS["sigmaengine"], LAYERS["builder"]], ids=lambda layer: layer.name)
def test_no_import_cycles(layer: Layer) -> None:
    names = modules(layer)
    graph = {name: {other for other in imports(name, path) if other in names} for name, path in names.items()}
    # `from . import x` in a module names the package as well as x; only x is meant.
    for name, others in graph.items():
        if name != layer.name:
            others.discard(layer.name)
    assert cycle(graph) == []


def loaded(statement: str) -> set[str]:
    """Names of all modules that a fresh interpreter has loaded after ``statement``."""
    program = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["PYTHONPATH"] = str(APP_BIN)
    run = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    return set(json.loads(run.stdout))


def heavy(names: set[str]) -> set[str]:
    """Those of the modules that belong to a package a search's start may not load."""
    return {name for name in names if name.lstrip("_").split(".")[0] in HEAVY}


ENGINE_MODULES = sorted(set(modules(LAYERS["sigmaengine"])) - FOR_RULE_TEXT)


@pytest.mark.parametrize("name", ENGINE_MODULES)
def test_an_engine_module_loads_nothing_heavy(name: str) -> None:
    assert heavy(loaded(f"import {name}") - loaded_by_nothing()) == set()


@functools.cache
def loaded_by_nothing() -> frozenset[str]:
    """What the interpreter loads by itself; an environment's site hooks may add to it."""
    return frozenset(loaded("pass"))


@pytest.mark.parametrize("command", ["sigmamatch", "sigmacorrelate"])
def test_the_command_loads_nothing_heavy_beyond_the_sdk(command: str) -> None:
    sdk = loaded("import splunklib.searchcommands")
    assert heavy(loaded(f"import {command}") - sdk) == set()


def test_the_measure_sees_heavy_modules() -> None:
    assert heavy(loaded("import dataclasses, logging.handlers, ssl, yaml")) >= set(HEAVY)


def test_the_engines_table_of_modules_is_complete_and_in_order() -> None:
    """Each module imports only from those that the package's docstring lists above it."""
    package = LAYERS["sigmaengine"]
    text = ast.get_docstring(ast.parse((APP_BIN / "sigmaengine" / "__init__.py").read_text(encoding="utf-8"))) or ""
    table = text[text.index("=" * 10) :]
    listed = [f"sigmaengine.{line.split()[0]}" for line in table.splitlines() if line[:1].isalpha()]
    found = modules(package)
    assert sorted(listed) == sorted(name for name in found if name != "sigmaengine")
    wrong = {
        name: sorted(above)
        for place, name in enumerate(listed)
        if (above := imports(name, found[name]) & set(listed[place:]))
    }
    assert wrong == {}
