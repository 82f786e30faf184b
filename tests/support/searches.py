"""Searches with the packaged command: what splunkd sends, to a child process, and what it answers."""

from __future__ import annotations

import atexit
import functools
import io
import json
import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from builder.replay import stream_of
from sigmaengine import chunks
from tests.support.pythons import SPLUNK_PYTHONS, interpreter

#: A command that has not ended by then hangs.
TIMEOUT = 30
DEFAULT_PYTHON = next(filter(None, map(interpreter, SPLUNK_PYTHONS)), sys.executable)

SYSMON = "Microsoft-Windows-Sysmon/Operational"
PROCESS_CREATION = {"product": "windows", "category": "process_creation"}


class Run(NamedTuple):
    """What a command did with a stream: its exit status, its replies and what it wrote to stderr."""

    status: int
    replies: list[tuple[dict[str, Any], bytes]]
    stderr: str

    @property
    def messages(self) -> list[tuple[str, str]]:
        """The messages of all replies, in order."""
        inspectors = [metadata.get("inspector") or {} for metadata, _ in self.replies]
        return [(level, text) for inspector in inspectors for level, text in inspector.get("messages", ())]

    def told(self, level: str) -> list[str]:
        """The messages of one level."""
        return [text for found, text in self.messages if found == level]

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of the replies to chunks of events."""
        return [body for _, body in self.replies[1:]]

    @property
    def figures(self) -> dict[str, int]:
        """The metrics of the last reply, by short name: the count that went in."""
        inspector = self.replies[-1][0]["inspector"]
        return {name.rpartition(".")[2]: value[2] for name, value in inspector.items() if name != "messages"}


#: Starts the packaged command as splunkd does, but imports it once: each search is a fork of that process.
FORKING = r"""
import io, json, os, sys, traceback
app = sys.argv[1]
sys.argv = [os.path.join(app, "bin", "sigmamatch.py")]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
import sigmamatch
for line in sys.stdin:
    files, folder = json.loads(line)
    child = os.fork()
    if not child:
        for number, (name, flags) in enumerate(zip(files, (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY))):
            os.dup2(os.open(name, flags), number)
        os.chdir(folder)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")
        status = 0
        try:
            sigmamatch.dispatch(sigmamatch.SigmaMatchCommand, module_name="__main__")
        except SystemExit as end:
            status = end.code or 0
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    # Killed by signal N: -N, as subprocess says it.
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@functools.cache
def _forking(app: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [DEFAULT_PYTHON, "-c", FORKING, str(app)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    with process:
        process.kill()


def run_bytes(app: Path, stream: bytes, folder: Path, python: str = "") -> Run:
    """The command fed with any bytes; fails the test if it hangs or answers with no chunks.

    With a ``python``, in a process of its own, as on a server.
    """
    if python:
        command = [python, str(app / "bin" / "sigmamatch.py")]
        process = subprocess.run(command, input=stream, capture_output=True, check=False, cwd=folder, timeout=TIMEOUT)
        status, output, errors = process.returncode, process.stdout, process.stderr
    else:
        files = [folder / f"sigmamatch.{name}" for name in ("in", "out", "err")]
        for path in files:
            path.write_bytes(stream if path is files[0] else b"")
        forking = _forking(app)
        pipes = forking.stdin, forking.stdout
        assert pipes[0] is not None
        assert pipes[1] is not None
        pipes[0].write(json.dumps([[str(path) for path in files], str(folder)]) + "\n")
        pipes[0].flush()
        assert select.select([pipes[1]], [], [], TIMEOUT)[0], "the command hangs"
        status = int(pipes[1].readline())
        output, errors = (path.read_bytes() for path in files[1:])
    replies = list(iter(functools.partial(chunks.read_chunk, io.BytesIO(output)), None))
    return Run(status, replies, errors.decode("utf-8", "replace"))


def run(app: Path, options: Sequence[str], bodies: Sequence[bytes], folder: Path, python: str = "") -> Run:
    """One search: the options, then the bodies of its chunks."""
    return run_bytes(app, stream_of(options, bodies, str(folder)), folder, python)


def assert_one_error(result: Run, *texts: str) -> None:
    """The search ended with one error, which says ``texts`` and is no report of a crash."""
    assert result.status == 1, result.messages
    errors = result.told("ERROR")
    assert len(errors) == 1, result.messages
    for text in texts:
        assert text in errors[0]
    assert "Traceback" not in result.stderr
    assert ".py" not in errors[0]
