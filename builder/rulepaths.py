"""Folders and files as they were given -> the rule files in them, each once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from .findings import Finding, error

SUFFIXES = (".yml", ".yaml")


class RulePaths:
    """Rule files, in an order that no file system decides."""

    def __init__(self) -> None:
        self.files: list[Path] = []
        self.faults: list[Finding] = []
        self._seen: set[str] = set()

    def add(self, path: Path) -> None:
        """Find what lies under ``path``."""
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            self._fault(path, "no-rules", "there is no such folder or file")
        except OSError as fault:
            self._fault(path, "no-rules", f"cannot be read: {fault.strerror}")
        else:
            self._add_files(self._files_in(path) if stat.S_ISDIR(mode) else [path])

    def _files_in(self, folder: Path) -> list[Path]:
        files: list[Path] = []
        faults_before = len(self.faults)
        walked: set[str] = set()
        for place, folders, names in os.walk(folder, onerror=self._unlistable, followlinks=True):
            # Links may lead to where they lie, and on in a circle.
            folders[:] = [] if _is_repeated(place, walked) else sorted(name for name in folders if name[0] != ".")
            files += [Path(place, name) for name in names if Path(name).suffix.lower() in SUFFIXES and name[0] != "."]
        if not files and len(self.faults) == faults_before:
            self._fault(folder, "no-rules", "there is no rule file (.yml, .yaml) in it")
        return sorted(files, key=Path.as_posix)

    def _add_files(self, paths: Iterable[Path]) -> None:
        self.files += [path for path in paths if not _is_repeated(path, self._seen)]

    def _unlistable(self, fault: OSError) -> None:
        self._fault(Path(fault.filename), "folder-unreadable", f"cannot be listed: {fault.strerror}")

    def _fault(self, path: Path, code: str, message: str) -> None:
        self.faults.append(error(path.as_posix(), 1, code, message))


def _is_repeated(path: Path | str, seen: set[str]) -> bool:
    """True if ``path`` leads to what is in ``seen``, where it is from now on."""
    real = os.path.realpath(path)
    repeated = real in seen
    seen.add(real)
    return repeated
