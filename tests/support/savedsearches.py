"""Packages with saved searches, and their .conf files as Splunk reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.support.builds import members, run

Stanzas = dict[str, dict[str, str]]

#: A log source that the mappings know.
PROCESS = "{product: windows, category: process_creation}"


def read_conf(text: str) -> Stanzas:
    """The stanzas of a .conf file; a backslash at a line's end says that the value goes on."""
    found: Stanzas = {}
    stanza: dict[str, str] = {}
    for line in re.sub(r"\\\n", "\0", text).splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            assert line.endswith("]"), line
            assert line[1:-1] not in found, f"{line} is there twice"
            stanza = found.setdefault(line[1:-1], {})
        else:
            setting, _, value = line.partition(" = ")
            assert setting not in stanza, f"{setting} is there twice"
            stanza[setting] = value.replace("\0", "\n")
    return found


def confs(out: Path) -> dict[str, Stanzas]:
    """The .conf files of a package's default/, by name without the ending."""
    return {
        Path(name).stem: read_conf(content.decode())
        for name, content in members(out).items()
        if name.startswith("default/") and name.endswith(".conf")
    }


def built(folder: Path, rules: Mapping[str, str], config: str = "", *more: object, status: int = 0) -> Path:
    """The folder of a package of these rules, by file name, with this configuration."""
    for name, text in rules.items():
        path = folder / "rules" / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "config.yml").write_text(config or "{}", "utf-8")
    arguments = ["--rules", folder / "rules", "--config", folder / "config.yml", "--out", folder / "out", *more]
    result = run("package", *arguments)
    assert result.exit_code == status, result.output
    return folder / "out"
