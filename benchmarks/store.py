"""What is made once and kept in ``build/bench``: made anew when what it is made from has changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from .places import BUILT, CHILDREN, ROOT, SHARED, NotRunError, shared
from .processes import run_child

_PROJECT = ("app", "builder", "mappings", "build.py", "rules", "LICENSE", "NOTICE", "CHANGELOG.md")
_FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting")


def kept(name: str, made_from: str, make: Callable[[Path], None]) -> Path:
    """The file or folder ``name``; ``make`` is called with its path unless it is there, of the same origin."""
    path = BUILT / name
    stamp = BUILT / f"{name}.stamp"
    if path.exists() and stamp.exists() and stamp.read_text("utf-8") == made_from:
        return path
    print(f"  making {name}", file=sys.stderr, flush=True)
    stamp.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)
    stamp.write_text(made_from, "utf-8")
    return path


def digest(paths: Iterable[Path]) -> str:
    """A hash of files and folders: their names and contents."""
    found = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                found.update(f"{file.relative_to(path.parent).as_posix()}\0".encode())
                found.update(file.read_bytes())
    return found.hexdigest()[:16]


def identity(path: Path) -> str:
    """What a file of the shared data is known by: its name and size."""
    return f"{path.relative_to(SHARED)} {path.stat().st_size}"


@cache
def snapshot() -> Path:
    """A copy of the project's code as it is now, so that a run measures one state of it."""
    sources = [ROOT / name for name in _PROJECT]

    def make(target: Path) -> None:
        for source in sources:
            if source.is_dir():
                shutil.copytree(source, target / source.name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.mkdir(exist_ok=True)
                shutil.copy(source, target)

    return kept("snapshot", digest(sources), make)


@cache
def code() -> str:
    """The hash of the code that is measured."""
    return digest([snapshot() / name for name in _PROJECT[:5]])


@cache
def sigmahq() -> list[Path]:
    """SigmaHQ's folders of complete rules, unpacked. Raises NotRunError."""
    archive = shared("data/sigmahq-rules.tar.gz")

    def make(target: Path) -> None:
        shutil.unpack_archive(archive, target, filter="data")

    unpacked = kept("sigmahq", identity(archive), make)
    return [unpacked / "sigma" / name for name in _FOLDERS]


def _compiled(name: str, **wanted: Any) -> Path:
    """Something compiled of SigmaHQ's rules."""
    return _compiled_of(sigmahq(), identity(shared("data/sigmahq-rules.tar.gz")), name, **wanted)


def _compiled_of(rules: list[Path], source: str, name: str, **wanted: Any) -> Path:
    varied = digest([CHILDREN / "varied.py", CHILDREN / "compiled.py"])

    def make(target: Path) -> None:
        run_child("compiled", sys.executable, snapshot=snapshot(), rules=rules, make=[{"out": str(target), **wanted}])

    return kept(name, f"{code()} {varied} {source} {wanted}", make)


@cache
def app() -> Path:
    """The app with all of SigmaHQ's rules, and the empty command beside its own. Raises NotRunError."""
    folder = _compiled("app", kind="app") / "sigma_match"
    shutil.copy(CHILDREN / "noop.py", folder / "bin" / "noop.py")
    return folder


@cache
def any_app() -> tuple[Path, str]:
    """The app with all of SigmaHQ's rules, or, without the shared data, with the project's own; what it holds."""
    try:
        return app(), "all of SigmaHQ"
    except NotRunError:
        own = _compiled_of([snapshot() / "rules"], "own", "app-own", kind="app") / "sigma_match"
        shutil.copy(CHILDREN / "noop.py", own / "bin" / "noop.py")
        return own, "the project's own rules"


@cache
def windows_rules() -> Path:
    """The compiled 2,858 rules for Windows that other engines' results are known of. Raises NotRunError."""
    index = shared("data/windows-rules.index.json")

    def ids(target: Path) -> None:
        target.write_text(json.dumps(sorted(json.loads(index.read_text("utf-8")))), "utf-8")

    return _compiled("rules-windows", kind="rules", ids=str(kept("windows-ids.json", identity(index), ids)))


@cache
def rules_of(count: int) -> Path:
    """``count`` compiled rules: chosen evenly of SigmaHQ's, or, if there are too few, varied too."""
    return _compiled(f"rules-{count}", kind="rules", count=count)


@cache
def process_creation_rules() -> list[str]:
    """The files of SigmaHQ's rules for process creations on Windows. Raises NotRunError."""
    index = json.loads(shared("data/windows-rules.index.json").read_text("utf-8"))
    root = sigmahq()[0].parent
    wanted = (entry["path"] for entry in index.values() if entry["logsource"].get("category") == "process_creation")
    return sorted(str(root / path) for path in wanted)


@cache
def windows_rule_files() -> list[str]:
    """The files of the rules that ``windows_rules`` compiles. Raises NotRunError."""
    index = json.loads(shared("data/windows-rules.index.json").read_text("utf-8"))
    return sorted(str(sigmahq()[0].parent / entry["path"]) for entry in index.values())
