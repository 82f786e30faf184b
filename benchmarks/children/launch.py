"""Runs one search command and reads its answers as splunkd would, as fast as they come.

A process of its own between the benchmark and the command: on Linux a child's peak memory is at
least its parent's at the time of the start, and this one is small.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import IO, Any

_PIECE = 1 << 20
_F_SETPIPE_SZ = 1031


def _read_answers(stream: IO[bytes]) -> dict[str, Any]:
    """Count the answers; keep the inspector's part of all, and nothing of the bodies but their size."""
    chunks, size = 0, 0
    inspector: dict[str, Any] = {}
    messages: list[Any] = []
    while True:
        line = stream.readline()
        if not line:
            return {"chunks": chunks, "bytes": size, "inspector": inspector, "messages": messages}
        head, body = map(int, line.split(b",")[1:])
        told = json.loads(stream.read(head)).get("inspector") or {}
        messages += told.pop("messages", [])
        inspector.update(told)
        chunks, size = chunks + 1, size + body
        while body:
            body -= len(stream.read(min(body, _PIECE)))


def _widen(pipe: IO[bytes]) -> None:
    try:
        import fcntl  # noqa: PLC0415 - not on every system

        fcntl.fcntl(pipe.fileno(), _F_SETPIPE_SZ, _PIECE)
    except (ImportError, OSError):  # a smaller pipe is slower for both sides of a ratio
        pass


def main() -> None:
    """Run ``argv`` with stdin from ``stdin`` (a file) or from the program ``feed``."""
    spec = json.load(sys.stdin)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    start = time.monotonic()
    feeder = subprocess.Popen(spec["feed"], stdout=subprocess.PIPE) if spec.get("feed") else None
    source = feeder.stdout if feeder else open(spec["stdin"], "rb")  # noqa: PTH123, SIM115 - the command reads it
    assert source is not None  # noqa: S101 - for the type checker
    process = subprocess.Popen(spec["argv"], stdin=source, stdout=subprocess.PIPE, cwd=spec["cwd"], env=environment)
    source.close()
    assert process.stdout is not None  # noqa: S101
    _widen(process.stdout)
    told = _read_answers(process.stdout)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if feeder:
        feeder.wait()
    told.update(
        status=status,
        cpu=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss,
        wall=time.monotonic() - start,
    )
    sys.stdout.write("\n" + json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
