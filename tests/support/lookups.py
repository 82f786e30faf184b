"""Lookups that analysts edit: files for an app, the app that they are written into, searches with it."""

from __future__ import annotations

import csv
import functools
import io
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from builder.replay import event_chunk, rows, stream_of
from sigmaengine import chunks
from tests.support.apps import Row
from tests.support.builds import ANY, UUID, rule
from tests.support.searches import DEFAULT_PYTHON, SYSMON, Run, run

PROCESS_CREATION = "{product: windows, category: process_creation}"
FILTER = """
title: Not the laboratory
id: 00000000-0000-4000-8000-0000000000f1
logsource: {product: windows}
filter:
  rules: [servers, admins]
  selection: {Computer: lab*}
  condition: not selection
"""
CORRELATION = """
title: Often seven
id: 00000000-0000-4000-8000-0000000000c1
level: high
correlation:
  type: event_count
  rules: [00000000-0000-4000-8000-000000000003]
  timespan: 10m
  condition: {gte: 2}
"""
FILES = {
    "plink": rule(1, "Image|endswith: \\plink.exe", title="Plink Run", logsource=PROCESS_CREATION),
    "tunnel": rule(2, "CommandLine|contains: '-R '", title="Tunnel, Reverse", level="high", logsource=PROCESS_CREATION),
    "seven": rule(3, "number: 7", title="Seven", name="seven", logsource=ANY),
    "servers": rule(4, "Computer|expand: '%Servers%'", title="Servers", name="servers"),
    "admins": rule(5, "User|expand: '%Admins%'", title="Admins", name="admins"),
    # Numbers that are text here: 0x17 is compared as it is written, 1.50 too.
    "written": rule(
        6, "{User|expand: '%Servers%-%Admins%', number|contains: [0x17, 1.50], size: 0x17}", title="Written"
    ),
    "netcat": rule(7, "Image|endswith: /nc", title="Netcat", logsource="{product: linux, category: process_creation}"),
    "toast": rule(8, "crumbs: many", title="Toast", logsource="{product: toaster, service: crumbs}"),
    "filter": FILTER,
    "often": CORRELATION,
}
IDS = {name: f"{UUID}{number:02}" for number, name in enumerate(FILES, 1) if name not in ("filter", "often")}

PLINK: Row = {"Channel": SYSMON, "EventCode": "1", "Image": "C:\\t\\plink.exe", "User": "AD\\svc", "Computer": "pc1"}
BOTH: Row = {**PLINK, "CommandLine": "plink -R 8080"}
CLASSIC: Row = {"LogName": "Security", "EventCode": "4688", "New_Process_Name": "C:\\t\\plink.exe", "User": "AD\\svc"}
SEVEN: Row = {"number": "7", "User": ["AD\\svc", "AD\\adm"]}
NOTHING: Row = {"number": "8"}


def table(*rows_of_cells: Sequence[str], newline: str = "\n") -> str:
    """CSV as outputlookup writes it: a header and rows, cells in quotes."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=newline).writerows(rows_of_cells)
    return text.getvalue()


def exceptions(*rows_of_cells: Sequence[str]) -> dict[str, str]:
    """The lookup of exceptions with these rows: rule, field, pattern, expiry."""
    padded = [[*cells, *[""] * (4 - len(cells))] for cells in rows_of_cells]
    return {"sigma_exceptions": table(["rule", "field", "pattern", "expiry"], *padded)}


def settings(*rows_of_cells: Sequence[str]) -> dict[str, str]:
    """The lookup of settings with these rows: id, enabled, level, risk_score."""
    return {"sigma_rule_settings": table(["id", "enabled", "level", "risk_score"], *rows_of_cells)}


def custom(*texts: str) -> dict[str, str]:
    """The lookup of custom rules with these."""
    return {"sigma_custom_rules": table(["rule"], *([text] for text in texts))}


def placeholders(*rows_of_cells: Sequence[str]) -> dict[str, str]:
    """The lookup of placeholders with these rows: name, value."""
    return {"sigma_placeholders": table(["name", "value"], *rows_of_cells)}


def log_sources(**cells: str) -> dict[str, str]:
    """The lookup of log sources with one row."""
    return {"sigma_log_sources": table(list(cells), list(cells.values()))}


class Editor:
    """Writes lookups into an app and searches with it."""

    def __init__(self, app: Path, folder: Path) -> None:
        self.app, self.folder = app, folder
        self.lookups = app / "lookups"

    def write(self, lookups: Mapping[str, str | bytes]) -> None:
        """Put lookups there."""
        for name, content in lookups.items():
            data = content if isinstance(content, bytes) else content.encode()
            (self.lookups / f"{name}.csv").write_bytes(data)

    def correlate(self, events: Sequence[Row], *options: str) -> Run:
        """``| sigmacorrelate OPTIONS`` on what sigmamatch gives."""
        matched = list(rows(self.search(events, "mode=filter").bodies[0]))
        stream = stream_of(options, [event_chunk(matched)], str(self.folder), "sigmacorrelate")
        command = [DEFAULT_PYTHON, str(self.app / "bin" / "sigmacorrelate.py")]
        process = subprocess.run(command, input=stream, capture_output=True, check=False, cwd=self.folder, timeout=30)
        replies = list(iter(functools.partial(chunks.read_chunk, io.BytesIO(process.stdout)), None))
        return Run(process.returncode, replies, process.stderr.decode())

    def search(self, events: Sequence[Row], *options: str, python: str = "") -> Run:
        """``| sigmamatch mode=annotate OPTIONS`` on events; fails if the search does."""
        result = run(self.app, ["mode=annotate", *options], [event_chunk(events)], self.folder, python)
        assert result.status == 0, result.messages
        assert result.stderr == ""
        return result


def values(cell: str | list[str]) -> list[str]:
    """The values of a field."""
    return cell if isinstance(cell, list) else [cell] if cell else []


def titles(result: Run) -> list[list[str]]:
    """For each event the titles of the rules that matched."""
    return [values(row["sigma_rule_title"]) for row in rows(result.bodies[0])]


TUNNEL, RUN = "Tunnel, Reverse", "Plink Run"
CUSTOM = rule(60, "number: 8", title="Eight", logsource=ANY, level="critical")
BROKEN = rule(61, "number|nosuch: 8", title="Broken one", logsource=ANY)
