"""The third-party packages inside the app: which of their files, from the build's own environment.

pip has put them there, pinned by ``constraints.txt``; nothing of theirs is edited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import NamedTuple


class VendorError(Exception):
    """A package that the app needs is not installed, or not in the version that it is built with."""


class _Vendored(NamedTuple):
    version: str
    wanted: Callable[[PurePosixPath], bool]


def _of_splunk_sdk(path: PurePosixPath) -> bool:
    # splunklib/ai needs packages that Splunk does not have; METADATA names the version for AppInspect.
    in_package = path.parts[0] == "splunklib" and path.suffix == ".py" and "ai" not in path.parts
    return in_package or (path.parts[0].startswith("splunk_sdk-") and path.name == "METADATA")


def _of_pyyaml(path: PurePosixPath) -> bool:
    # Pure Python alone: AppInspect refuses libraries in machine code.
    return path.parts[0] == "yaml" and path.suffix == ".py"


_PACKAGES = {
    "splunk-sdk": _Vendored("2.1.1", _of_splunk_sdk),
    "PyYAML": _Vendored("6.0.3", _of_pyyaml),
}


def vendored_files() -> Iterator[tuple[str, bytes]]:
    """(path below bin/lib, content) of every file, in a fixed order. Raises VendorError."""
    for name, package in _PACKAGES.items():
        installed = _distribution(name, package.version)
        for path in sorted(installed.files or [], key=str):
            if ".." not in path.parts and package.wanted(PurePosixPath(path)):
                yield str(path), Path(str(installed.locate_file(path))).read_bytes()


def _distribution(name: str, version: str) -> Distribution:
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        raise VendorError(f"{name} {version} is not installed; run 'make env'") from None
    if installed.version != version:
        raise VendorError(f"the app is built with {name} {version}, installed is {installed.version}; run 'make env'")
    return installed
