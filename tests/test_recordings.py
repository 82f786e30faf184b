"""Streams recorded from real splunkd processes pass through the packaged command unchanged."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sigmaengine import chunks
from sigmaengine.results import FIELDS
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.support.shared import SHARED, shared

FOLDER = "splunkd-recordings"
RECORDINGS = sorted(path.name for path in (SHARED / FOLDER).glob("*.gz")) or ["recordings"]
ADDED = [column for name in FIELDS for column in (name, chunks.MV_PREFIX + name)]


def parts(stream: bytes) -> list[tuple[dict[str, Any], bytes]]:
    """The chunks of a stream."""
    file = io.BytesIO(stream)
    return list(iter(lambda: chunks.read_chunk(file), None))


def table(body: bytes) -> list[list[str]]:
    """The cells of a body, header first."""
    return [chunks.parse_record(record.removesuffix("\r")) for record in chunks.split_records(chunks.decode(body))]


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
@pytest.mark.parametrize("name", RECORDINGS)
def test_annotate_passes_every_row_and_field(name: str, version: str, app: Path, tmp_path: Path) -> None:
    (getinfo, _), *sent = parts(gzip.decompress(shared(f"{FOLDER}/{name}").read_bytes()))
    getinfo["searchinfo"].update(args=["mode=annotate"], raw_args=["mode=annotate"], dispatch_dir=str(tmp_path))
    stream = io.BytesIO()
    for metadata, body in [(getinfo, b""), *sent]:
        chunks.write_chunk(stream, metadata, body)
    run = subprocess.run(
        [splunk_python(version), str(app / "bin" / "sigmamatch.py")],
        input=stream.getvalue(),
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    (answer, _), *received = parts(run.stdout)
    assert answer["type"] == "streaming"
    assert len(received) == len(sent)
    rows = 0
    for (metadata, body), (told, answered) in zip(sent, received, strict=True):
        assert told["finished"] == metadata["finished"]
        before, after = table(body), table(answered)
        if before:
            width = len(before[0])
            assert after[0] == before[0] + ADDED
            assert [row[:width] for row in after] == before
            assert all(len(row) == width + len(ADDED) for row in after)
            rows += len(before) - 1
    assert rows > 0
    messages = received[-1][0]["inspector"]["messages"]
    assert any(f"{rows} events" in text for _, text in messages), json.dumps(messages)
