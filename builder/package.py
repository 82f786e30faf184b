"""The app: a folder of files, and that folder as an installable package.

``FILES`` is the table of contents: every part of the app that is not copied from ``app/`` has a
generator there. Nothing depends on the clock, the machine or the order of a file system.
"""

from __future__ import annotations

import configparser
import gzip
import io
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sigmaengine import ruleset

from . import editable, expanding, lookups
from .mappings import Mappings
from .outcomes import RuleFolder
from .paths import APP, APP_ID, ROOT
from .searches.configuration import Configuration
from .searches.context import Context
from .searches.plan import Searches
from .vendored import vendored_files

#: (path in the app, content) pairs.
Files = Iterator[tuple[str, bytes]]

_LEFT_OUT = ("__pycache__", ".DS_Store")
_TEXTS = ("LICENSE", "NOTICE", "CHANGELOG.md")


@dataclass(frozen=True)
class Inputs:
    """What an app is built from. ``digest``: the compiled rules' hash; ``compiled``: their files.

    ``previous``: the build report of an earlier package, if there was one.
    """

    folder: RuleFolder
    mappings: Mappings
    digest: str
    compiled: dict[str, bytes]
    configuration: Configuration
    previous: Mapping[str, Any] | None = None

    @cached_property
    def searches(self) -> Searches:
        """The saved searches."""
        context = Context(self.folder, self.mappings.routing, self.configuration)
        return Searches(context, app_version(), self.previous)


def compile_inputs(
    folder: RuleFolder,
    mappings: Mappings,
    configuration: Configuration | None = None,
    previous: Mapping[str, Any] | None = None,
) -> Inputs:
    """Compile the accepted rules and correlations."""
    with tempfile.TemporaryDirectory() as temporary:
        digest = ruleset.write(folder.rules, mappings.table, temporary, folder.correlations)
        compiled = {path.name: path.read_bytes() for path in sorted(Path(temporary).iterdir())}
    return Inputs(folder, mappings, digest, compiled, configuration or Configuration(), previous)


def _copied(_: Inputs) -> Files:
    for path in sorted(APP.rglob("*"), key=lambda path: path.as_posix()):
        name = path.relative_to(APP)
        if path.is_file() and not any(part in _LEFT_OUT or part.startswith(".") for part in name.parts):
            yield name.as_posix(), path.read_bytes()
    for text in _TEXTS:
        yield text, (ROOT / text).read_bytes()


def _libraries(_: Inputs) -> Files:
    for name, content in vendored_files():
        yield f"bin/lib/{name}", content


def _rules(inputs: Inputs) -> Files:
    for name, content in inputs.compiled.items():
        yield f"bin/ruleset/{name}", content


def _expanding(inputs: Inputs) -> Files:
    for name, text in expanding.files(inputs.folder):
        yield f"bin/ruleset/{name}", text.encode()


def _lookups(inputs: Inputs) -> Files:
    name = f"{lookups.LOOKUP}_{inputs.digest}.csv"
    yield f"lookups/{name}", lookups.rules_csv(inputs.folder.accepted).encode()
    yield "default/transforms.conf", (lookups.transforms_conf(name) + editable.STANZAS).encode()


def _searches(inputs: Inputs) -> Files:
    for name, text in inputs.searches.files().items():
        yield f"default/{name}", text.encode()


#: One generator for each part of the app.
FILES: dict[str, Callable[[Inputs], Files]] = {
    "copied": _copied,
    "libraries": _libraries,
    "rules": _rules,
    "expanding": _expanding,
    "lookups": _lookups,
    "searches": _searches,
}


def app_files(inputs: Inputs) -> dict[str, bytes]:
    """Every file of the app. Raises ValueError if two parts write the same one."""
    files: dict[str, bytes] = {}
    for part, generate in FILES.items():
        for name, content in generate(inputs):
            if name in files:
                raise ValueError(f"{part} writes {name}, which is there already")
            files[name] = content
    return dict(sorted(files.items()))


def app_version() -> str:
    """The app's version, from app.conf."""
    conf = configparser.ConfigParser(interpolation=None)
    conf.read_string((APP / "default" / "app.conf").read_text("utf-8"))
    return conf["launcher"]["version"]


def write_package(files: dict[str, bytes], folder: Path) -> Path:
    """Write ``sigma_match-VERSION.tar.gz`` into ``folder`` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{APP_ID}-{app_version()}.tar.gz"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in _folders(files):
            tar.addfile(_member(f"{APP_ID}/{name}".rstrip("/"), tarfile.DIRTYPE, 0o755, 0))
        for name, content in files.items():
            tar.addfile(_member(f"{APP_ID}/{name}", tarfile.REGTYPE, 0o644, len(content)), io.BytesIO(content))
    target.write_bytes(gzip.compress(archive.getvalue(), mtime=0))
    return target


def _folders(files: dict[str, bytes]) -> list[str]:
    found = {""}
    for name in files:
        parts = name.split("/")[:-1]
        found.update("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    return sorted(found)


def _member(name: str, kind: bytes, mode: int, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size, member.mtime = kind, mode, size, 0
    return member


def unpack(files: dict[str, bytes], folder: Path) -> Path:
    """Write the app's files as an installed app lies on a server; returns the app's folder."""
    app = folder / APP_ID
    for name, content in files.items():
        path = app / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return app
