"""``build.py`` started in a test, rules and events for it, and what it wrote."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from builder.cli import main
from builder.paths import ROOT

BUILD = ROOT / "build.py"
DEMO = ROOT / "demo" / "events.jsonl"
UUID = "00000000-0000-4000-8000-0000000000"
FINDING = re.compile(
    r"(?P<path>.+):(?P<line>[1-9]\d*): (?P<severity>error|warning) (?P<code>[a-z0-9-]+): (?P<text>\S.*)"
)


def rule(number: int, selection: str = "Image: x", condition: str = "selection", **said: str) -> str:
    """A rule without a log source in the way; ``said``: further lines."""
    lines = {"title": f"Rule {number}", "status": "test", "level": "low", "logsource": "{product: windows}", **said}
    return (
        f"id: {UUID}{number:02}\n"
        + "".join(f"{key}: {value}\n" for key, value in lines.items())
        + f"detection:\n  selection:\n    {selection}\n  condition: {condition}\n"
    )


#: Applies to every event, so that events need no log source.
ANY = "{definition: any}"


def write(folder: Path, **files: str) -> Path:
    """``folder`` with these .yml files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text, "utf-8")
    return folder


def run(*arguments: object, **options: Any) -> Result:
    """``build.py`` inside this process; an exception that it does not turn into a message is raised."""
    return CliRunner().invoke(main, [str(one) for one in arguments], catch_exceptions=False, **options)


def start(
    *arguments: object, cwd: Path = ROOT, env: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """``build.py`` as a process of its own."""
    done: subprocess.CompletedProcess[bytes] = subprocess.run(
        [sys.executable, str(BUILD), *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        check=False,
        timeout=60,
        **{"capture_output": True, **options},
    )
    assert b"Traceback" not in (done.stderr or b""), (done.stderr or b"").decode()
    return done


def report_of(out: Path) -> dict[str, Any]:
    """The build report."""
    content: dict[str, Any] = json.loads((out / "build-report.json").read_text("utf-8"))
    return content


def members(out: Path) -> dict[str, bytes]:
    """The files of the package, by their path in the app."""
    (archive,) = out.glob("sigma_match-*.tar.gz")
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member) for member in tar.getmembers() if member.isfile()}
        return {name.removeprefix("sigma_match/"): stream.read() for name, stream in files.items() if stream}


def anything_rule(folder: Path) -> Path:
    """``folder`` with one rule that every event matches whose Image is not ``zzz``."""
    title = '"T\u00eftle \U0001f600 \\e[31m \\x9b \\u202e"'
    return write(folder, rule=rule(31, "Image: zzz", "not selection", logsource=ANY, title=title))


def matched(*arguments: object) -> list[dict[str, Any]]:
    """The lines of ``match --format jsonl``, which must have come to its end: else nothing looks like no match."""
    result = run("match", "--format", "jsonl", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def positions(*arguments: object) -> list[int]:
    """The events of these lines."""
    return [line["event"] for line in matched(*arguments)]


ROWS = ['{"Image":"a"}', '{"Image":"zzz"}', '{"Image":"b"}']


def event_files(folder: Path) -> Path:
    """``folder`` with event files: three of three events each, of which the middle one does not match."""
    (folder / "a.jsonl").write_text("\n".join(ROWS), "utf-8")
    (folder / "b.csv").write_text('Image,Other\na,"1,2"\nzzz,"x\ny"\n\u00fc,\n', "utf-8")
    (folder / "c.jsonl.gz").write_bytes(gzip.compress("\n".join(ROWS).encode()))
    (folder / "d.CSV.GZ").write_bytes(gzip.compress(b"Image\na\nzzz\nb\n"))
    (folder / "empty.jsonl").write_bytes(b"")
    (folder / "bad.jsonl").write_text("\n".join([ROWS[0], "no JSON", "[1]", *ROWS[1:]]), "utf-8")
    (folder / "events.txt").write_text("\n".join(ROWS), "utf-8")
    return folder
