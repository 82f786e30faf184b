"""Sorts records by time, in bounded memory.

Records are collected in a buffer. When it holds more than it may, it is sorted and written to a
temporary file as a *run*; in the end the runs and the buffer are merged. Input that is in order, or in
reverse order, is sorted in linear time. A record is a line of text: what is written is what was given.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

#: Characters of lines that the buffer may hold before it is written to disk.
BUFFER = 32_000_000

# What a record takes besides its text, roughly.
_OVERHEAD = 120
_BLOCK = 1 << 16

#: (time, text that orders records of one time, the record's position in the input).
Key = tuple[int, str, int]


class TimeSorter:
    """Takes records in any order and gives them back in the order of their keys.

    ``buffer``: see BUFFER; ``folder``: where the temporary file is made, the system's place if it is None.
    Writing and reading raise OSError where the disk does.
    """

    def __init__(self, buffer: int = BUFFER, folder: str | None = None) -> None:
        self._room, self._folder = buffer, folder
        self._buffer: list[tuple[int, str, int]] = []
        self._size = 0
        self._file: IO[bytes] | None = None
        self._runs: list[tuple[int, int]] = []
        self.count = self.spilled = 0

    def add(self, time: int, line: str, position: int) -> None:
        """Take one record: a line of ASCII without a line end, which orders records of one time."""
        self.count += 1
        self._buffer.append((time, line, position))
        self._size += len(line) + _OVERHEAD
        if self._size > self._room:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by ``close``
        self._buffer.sort()
        start = self._file.seek(0, 2)
        for time, line, position in self._buffer:
            self._file.write(f"{time} {position} {line}\n".encode("ascii"))
        self._file.flush()
        self._runs.append((start, self._file.tell()))
        self.spilled += len(self._buffer)
        self._buffer, self._size = [], 0

    def sorted(self) -> Iterator[Key]:
        """All records in order: by time, then by their text, then by their position. To be called once."""
        self._buffer.sort()
        if self._file is None:
            return iter(self._buffer)
        runs = [_run(self._file, start, end) for start, end in self._runs]
        return heapq.merge(*runs, self._buffer)

    def close(self) -> None:
        """Remove the temporary file. May be called more than once."""
        if self._file is not None:
            with suppress(OSError):  # it is removed with the process at the latest
                self._file.close()
            self._file = None
        self._buffer, self._runs = [], []


def _run(file: IO[bytes], start: int, end: int) -> Iterator[Key]:
    """The records of one run; several runs are read from the file by turns."""
    rest = b""
    while start < end:
        file.seek(start)
        block = file.read(min(_BLOCK, end - start))
        if not block:
            raise OSError("the temporary file of sorted matches ends too early")
        start += len(block)
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        for line in lines:
            time, position, text = line.decode("ascii").split(" ", 2)
            yield int(time), text, int(position)
