r"""The packaged command as splunkd runs it: a child process, fed the chunked protocol.

What splunkd sends is known from recordings of it: all fields, then the ``__mv_`` twin of each,
cells in quotes unless alphanumeric, ``\\n`` as line end, multivalue cells joined by newlines.
"""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sigmaengine import chunks

from .events import Event

#: splunkd sends up to this many rows a chunk.
CHUNK_ROWS = 10_000

#: The app's commands.
MATCH, CORRELATE = "sigmamatch", "sigmacorrelate"


class CommandError(Exception):
    """The command ended with an error; the text is what a user sees in the search."""


@dataclass
class Answers:
    """What the command said besides rows."""

    messages: list[tuple[str, str]] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)

    def take(self, metadata: dict[str, Any]) -> None:
        """Take the inspector's part of one chunk."""
        inspector = metadata.get("inspector") or {}
        self.messages += [(level, text) for level, text in inspector.get("messages", ())]
        self.metrics.update({key: value for key, value in inspector.items() if key.startswith("metric.")})

    @property
    def errors(self) -> list[str]:
        """The messages that end a search."""
        return [text for level, text in self.messages if level in ("ERROR", "FATAL")]


def getinfo(options: Sequence[str], dispatch_dir: str, command: str = MATCH) -> dict[str, Any]:
    """The metadata of splunkd's first chunk for ``| sigmamatch OPTIONS``, or another ``command``."""
    return {
        "action": "getinfo",
        "preview": False,
        "streaming_command_will_restart": False,
        "searchinfo": {
            "args": list(options),
            "raw_args": list(options),
            "dispatch_dir": dispatch_dir,
            "sid": "1700000000.1",
            "app": "sigma_match",
            "owner": "admin",
            "username": "admin",
            "session_key": "",
            "splunkd_uri": "https://127.0.0.1:8089",
            "splunk_version": "10.0.0",
            "search": f"search%20index%3D%2A%20%7C%20{command}",
            "command": command,
            "maxresultrows": 50000,
            "earliest_time": "0",
            "latest_time": "0",
        },
    }


def event_chunk(events: Sequence[Event], extra: Sequence[str] = ()) -> bytes:
    """A chunk's body as splunkd writes it: the union of the events' fields, then their twins."""
    names = list(dict.fromkeys([*extra, *(name for event in events for name in event)]))
    lines = [chunks.write_record([*names, *(chunks.MV_PREFIX + name for name in names)])]
    for event in events:
        cells = [_cells(event.get(name, "")) for name in names]
        lines.append(chunks.write_record([*(plain for plain, _ in cells), *(twin for _, twin in cells)]))
    return chunks.encode("\n".join([*lines, ""]))


def _cells(value: str | list[str]) -> tuple[str, str]:
    return (value, "") if isinstance(value, str) else chunks.encode_multivalue(value)


def batches(events: Iterable[Event], rows: int = CHUNK_ROWS) -> Iterator[list[Event]]:
    """Events in groups of at most ``rows``."""
    batch: list[Event] = []
    for event in events:
        batch.append(event)
        if len(batch) == rows:
            yield batch
            batch = []
    if batch:
        yield batch


class Command:
    """A running command of an unpacked app. Use as a context manager.

    ``options`` are the search's, one ``name=value`` each; ``python`` the interpreter to run it with;
    ``command`` which of the app's. Raises CommandError if the command ends with an error, be it behind
    its last answer, when the context is left.
    """

    def __init__(self, app: Path, options: Sequence[str], python: str = sys.executable, command: str = MATCH) -> None:
        self._command = command
        self._temporary = tempfile.TemporaryDirectory()
        self.answers = Answers()
        self._errors: list[bytes] = []
        self._process = subprocess.Popen(
            [python, str(app / "bin" / f"{command}.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._temporary.name,
        )
        # Read all along: a child that fills the pipe would wait for ever.
        self._reader = threading.Thread(target=lambda: self._errors.append(self._pipe("stderr").read()))
        self._reader.start()
        self.configuration = self._ask(getinfo(options, self._temporary.name, command), b"")[0]

    def send(self, body: bytes, *, finished: bool) -> bytes:
        """One chunk of events and the body of its answer."""
        return self._ask({"action": "execute", "finished": finished}, body)[1]

    def _ask(self, metadata: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        with suppress(BrokenPipeError):  # why it ended is in its last answer
            chunks.write_chunk(self._pipe("stdin"), metadata, body)
        try:
            answer = chunks.read_chunk(self._pipe("stdout"))
        except chunks.ChunkError as fault:
            raise self._failed(f"wrote no answer ({fault})") from None
        if answer is None:
            raise self._failed("ended without an answer")
        self.answers.take(answer[0])
        if self.answers.errors:
            self.close()
            raise CommandError("; ".join(self.answers.errors))
        return answer

    def _failed(self, how: str) -> CommandError:
        """The error that says how the command failed, how the process ended, and what it wrote to standard error."""
        status = self.close()
        ended = f"killed by signal {-status} ({signal.strsignal(-status)})" if status < 0 else f"exit status {status}"
        return CommandError(f"{self._command} {how}; {ended}: {self._said() or 'nothing on standard error'}")

    def _said(self) -> str:
        """What the process, which has ended, wrote to standard error."""
        return b"".join(self._errors).decode("utf-8", "replace").strip()

    def _pipe(self, name: str) -> IO[bytes]:
        pipe: IO[bytes] = getattr(self._process, name)
        return pipe

    def finish(self) -> None:
        """End the process behind its last answer. Raises CommandError unless it had no more to say and ends well.

        Without this, what goes wrong behind the last answer would pass for a search that found no more.
        """
        if self._process.returncode is not None:
            return
        self._close("stdin")
        more = 0
        try:
            while chunk := chunks.read_chunk(self._pipe("stdout")):
                more += 1
                self.answers.take(chunk[0])
        except chunks.ChunkError as fault:
            raise self._failed(f"wrote what is no answer behind its last one ({fault})") from None
        if self.answers.errors:
            self.close()
            raise CommandError("; ".join(self.answers.errors))
        if more:
            raise self._failed(f"wrote {more} answers more than it was asked for")
        if self.close():
            raise self._failed("failed behind its last answer")
        if self._said():
            self.answers.messages.append(("WARN", f"{self._command} wrote to standard error: {self._said()}"))

    def _close(self, name: str) -> None:
        with suppress(BrokenPipeError):  # it did not read all of its input
            self._pipe(name).close()

    def close(self) -> int:
        """End the process, whatever it has to say, and return its exit status (-N: killed by signal N)."""
        for name in ("stdin", "stdout"):
            self._close(name)
        status = self._process.wait()
        self._reader.join()
        self._pipe("stderr").close()
        self._temporary.cleanup()
        return status

    def __enter__(self) -> Command:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.finish()
        elif self._process.returncode is None:
            self.close()


def rows(body: bytes) -> Iterator[dict[str, str | list[str]]]:
    """The rows of an answer: field -> value, a list where it is multivalue; twins are not shown."""
    records = chunks.split_records(chunks.decode(body))
    if not records:
        return
    header = chunks.parse_record(records[0])
    for record in records[1:]:
        cells = dict(zip(header, chunks.parse_record(record), strict=True))
        yield {
            name: chunks.decode_multivalue(twin) if (twin := cells.get(chunks.MV_PREFIX + name)) else value
            for name, value in cells.items()
            if not name.startswith(chunks.MV_PREFIX)
        }


def stream_of(options: Sequence[str], bodies: Sequence[bytes], dispatch_dir: str, command: str = MATCH) -> bytes:
    """All that splunkd sends for one search, as bytes."""
    stream = io.BytesIO()
    chunks.write_chunk(stream, getinfo(options, dispatch_dir, command), b"")
    for number, body in enumerate(bodies, 1):
        chunks.write_chunk(stream, {"action": "execute", "finished": number == len(bodies)}, body)
    return stream.getvalue()
