"""YAML files -> documents; what is wrong with a file is a finding."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sigmaengine.ruletext import TextError, read_documents

from .findings import Finding, error


class YamlFileError(Exception):
    """A file, or what is left of it, cannot be used. ``finding`` says why and where."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def documents(path: Path, name: str) -> Iterator[Any]:
    """The documents of a YAML file, which findings call ``name``; empty ones are left out.

    Raises YamlFileError at the first fault; documents before it have been given.
    """
    try:
        # A pipe or a device of that name might be read for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise YamlFileError(error(name, 1, "file-unreadable", "is no regular file"))
        yield from read_documents(path.read_bytes())
    except TextError as fault:
        raise YamlFileError(error(name, fault.line, fault.problem.code, fault.problem.message)) from None
    except OSError as fault:
        raise YamlFileError(error(name, 1, "file-unreadable", f"cannot be read: {fault.strerror or fault}")) from None
