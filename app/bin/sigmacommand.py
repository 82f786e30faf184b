"""What the app's search commands share: whole chunks instead of records, errors, messages.

splunklib reads the options and the search's metadata and writes errors; what passes is read and
written by ``sigmaengine``, which keeps every byte that is not ours.
"""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from typing import IO, Any

BIN = os.path.dirname(os.path.abspath(__file__))
# The packaged app has its libraries here; a checkout has them installed.
sys.path.insert(0, os.path.join(BIN, "lib"))

from sigmaengine import chunks, problems, ruleset  # noqa: E402 - after the path is set

RULESET = os.path.join(BIN, "ruleset")
LOOKUPS = os.path.join(os.path.dirname(BIN), "lookups")
#: The options that select what is packaged, and what they are where they are not given.
SELECTING = {"rules": "*", "level": "informational", "status": "", "tags": ""}
# A message names this many and counts the rest.
_EXAMPLES = 3


class OptionError(Exception):
    """The options of the search cannot be carried out; the message is for its author."""


class ChunkCommand:
    """Mixed into a command of splunklib, before its class. ``NAME``: what messages begin with."""

    NAME = ""

    _record_writer: Any
    record: Any
    fieldnames: Any

    @abstractmethod
    def set_up(self) -> None:
        """Read the options. Raises OptionError, RuleSetError."""

    @abstractmethod
    def answer(self, body: bytes, finished: bool) -> bytes | bytearray:
        """The answer to one chunk's table. Raises RuleSetError."""

    def prepare(self) -> None:
        """Read the options before splunkd sends events. A fault ends the search with a message."""
        try:
            self._refuse_others()
            self.set_up()
        except (OptionError, ruleset.RuleSetError) as error:
            self.write_error(f"{self.NAME}: {error}")
            sys.exit(1)
        except Exception:  # noqa: BLE001 - nothing is swallowed: it is told and ends the search
            # Here, because splunklib answers getinfo before it writes such an error, and loses it.
            self._report_unexpected_error()  # type: ignore[attr-defined]
            sys.exit(1)

    def _refuse_others(self) -> None:
        if self.record:
            raise OptionError("record= cannot be used: this command writes no files")
        if self.fieldnames:
            raise OptionError(f"unexpected argument '{self.fieldnames[0]}'; options are written name=value")

    def _execute(self, ifile: Any, process: Any) -> None:  # noqa: ARG002 - splunklib's signature
        """Answer each chunk of events with one chunk; called by splunklib after getinfo."""
        try:
            self._answer_chunks(self._as_binary_stream(ifile))  # type: ignore[attr-defined]
        except (chunks.ChunkError, ruleset.RuleSetError) as error:
            self.write_error(f"{self.NAME}: {error}")
            sys.exit(1)

    def _answer_chunks(self, stream: IO[bytes]) -> None:
        while True:
            # As long as a chunk is unanswered, splunklib's finish() has to answer it with the error.
            self._record_writer.is_flushed = False
            chunk = chunks.read_chunk(stream)
            if chunk is None:
                self._record_writer.is_flushed = True
                return
            metadata, body = chunk
            if metadata.get("action") != "execute":
                raise chunks.ChunkError(f"expected an execute chunk, not {metadata.get('action')!r}")
            finished = bool(metadata.get("finished", False))
            answer = self.answer(body, finished)
            self._write_answer(answer, finished)
            # What a chunk takes, tens of megabytes, is not to be held while the next one is read.
            del chunk, body, answer

    def _write_answer(self, body: bytes | bytearray, finished: bool) -> None:
        """One chunk, with the messages and metrics that splunklib's writer has collected.

        splunklib would encode the body itself and refuse the bytes that are no UTF-8.
        """
        writer = self._record_writer
        metadata = {"inspector": writer._inspector or None, "finished": finished}  # noqa: SLF001 - see docstring
        stream: IO[bytes] = writer.ofile
        chunks.write_chunk(stream, {name: value for name, value in metadata.items() if value is not None}, body)
        writer._clear()  # noqa: SLF001
        writer.is_flushed = True

    # splunklib formats messages, and fills them itself with what the user wrote: text with braces is text.

    def write_error(self, message: str, *args: Any) -> None:
        """As splunklib's, but text with braces in it is text."""
        super().write_error("{}", message.format(*args) if args else message)  # type: ignore[misc]

    def write_warning(self, message: str, *args: Any) -> None:
        """As splunklib's, but text with braces in it is text."""
        super().write_warning("{}", message.format(*args) if args else message)  # type: ignore[misc]

    def write_info(self, message: str, *args: Any) -> None:
        """As splunklib's, but text with braces in it is text."""
        super().write_info("{}", message.format(*args) if args else message)  # type: ignore[misc]


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raises OptionError if an option has a value that does not exist."""
    if value not in choices:
        raise OptionError(f"{name}={value}: there are {', '.join(choices)}")


def refuse_selection(command: Any, kind: str, text: str) -> None:
    """Raises OptionError if an option selects packaged things (``kind``) beside ``text`` in the search."""
    given = [name for name, default in SELECTING.items() if getattr(command, name) != default]
    if given:
        raise OptionError(f"{given[0]}= selects packaged {kind} and cannot be combined with {text}")


def listed(texts: list[str]) -> str:
    """The first of several texts, and how many more there are."""
    return problems.listed(texts, _EXAMPLES)
