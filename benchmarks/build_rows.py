"""What a build of the app costs, and where the command's time goes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from . import inputs, store
from .figures import Row, Sample
from .measures import Context, check
from .places import BUILT
from .processes import run_child, run_command
from .streams import set_options

_FUNCTIONS = 14


def build(context: Context) -> list[Row]:
    """``python build.py package`` of all of SigmaHQ: wall and CPU time."""
    version = ".".join(map(str, sys.version_info[:2]))
    wall, spent = [], []
    with tempfile.TemporaryDirectory() as folder:
        arguments = [part for path in store.sigmahq() for part in ("--rules", str(path))]
        argv = [sys.executable, str(store.snapshot() / "build.py"), "package", *arguments, "--out", folder]
        for _ in range(1 if context.quick else context.repeats):
            before, start = os.times(), time.monotonic()
            run = subprocess.run(argv, capture_output=True, check=False, cwd=store.snapshot())
            wall.append(time.monotonic() - start)
            after = os.times()
            spent.append(after.children_user - before.children_user + after.children_system - before.children_system)
            # 1: two rules that name a placeholder are left out, and the rest is built.
            check(run.returncode in (0, 1), f"the build ended with status {run.returncode}")
        size = sum(path.stat().st_size for path in Path(folder).glob("*.tar.gz")) / 1e6
        check(size > 0, "the build wrote no package")
    context.tables["package"] = {"megabytes": size}
    return [
        Row(
            "build",
            "build of all of SigmaHQ into a package",
            version,
            Sample("s", spent),
            better="lower",
            bar=30,
            beyond=10,
            sides={"CPU": Sample("s", spent), "wall": Sample("s", wall)},
            guard=f"a package of {size:.1f} MB",
            note="CPU time is judged; wall time is the machine's as it was",
        )
    ]


def profile(context: Context) -> list[Row]:
    """A profile (cProfile) of the whole command on a share of set d: the functions with most time of their own."""
    version, python = context.interpreters()[-1]
    mixed, new = inputs.mixed_stream(quick=True), inputs.new_stream(10_000)
    found: dict[str, Any] = {"python": version}
    for name, stream, mode in (
        ("filter", mixed, "filter"),
        ("annotate", mixed, "annotate"),
        ("filter, process creations all new", new, "filter"),
    ):
        target = BUILT / "profile"
        set_options(stream, [f"mode={mode}"])
        command = str(store.app() / "bin" / "sigmamatch.py")
        run_command([python, "-m", "cProfile", "-o", str(target), command], stdin=stream)
        found[name] = run_child("profiled", python, file=target, count=_FUNCTIONS)
    context.tables["profile"] = found
    return []
