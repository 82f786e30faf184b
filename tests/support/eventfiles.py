"""Event files of a test's own, and what is read from them."""

from __future__ import annotations

import gzip
from pathlib import Path

from builder.events import Event, read_events
from builder.findings import Finding


def read(path: Path, content: bytes | str | None = None) -> tuple[list[Event | None], list[str]]:
    """The events of a file, and its findings without the file's folder."""
    if content is not None:
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    findings: list[Finding] = []
    events = list(read_events([path], findings))
    return events, [str(finding).replace(f"{path.parent.as_posix()}/", "") for finding in findings]
