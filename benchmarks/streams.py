"""Files of all that splunkd sends for one search, whose options can be changed in place."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from builder.replay import event_chunk, getinfo
from sigmaengine import chunks

from .places import BUILT

# The metadata of the first chunk are padded to this length, so that other options fit in.
_METADATA = 4096


def first_chunk(options: Sequence[str]) -> bytes:
    """The getinfo chunk, always of the same length."""
    text = json.dumps(getinfo(options, str(BUILT / "dispatch"))).encode("ascii")
    return b"chunked 1.0,%d,0\n" % _METADATA + text.ljust(_METADATA)


def set_options(stream: Path, options: Sequence[str]) -> None:
    """Change the options of the search in a file that ``write_stream`` wrote."""
    with stream.open("r+b") as file:
        file.write(first_chunk(options))


def write_stream(target: Path, bodies: Iterable[bytes]) -> None:
    """Write a search's chunks; the last is marked as such."""
    with target.open("wb") as file:
        file.write(first_chunk([]))
        waiting: bytes | None = None
        for body in bodies:
            if waiting is not None:
                _write(file, waiting, finished=False)
            waiting = body
        _write(file, waiting or b"", finished=True)


def _write(file: io.BufferedWriter, body: bytes, *, finished: bool) -> None:
    chunks.write_chunk(file, {"action": "execute", "finished": finished}, body)


def bodies_of(recording: Iterable[tuple[dict[str, object], bytes]]) -> Iterable[bytes]:
    """The bodies of a recorded search's chunks of events."""
    return (body for metadata, body in recording if metadata["action"] == "execute")


__all__ = ["bodies_of", "event_chunk", "first_chunk", "set_options", "write_stream"]
