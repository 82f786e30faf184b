"""Fails under CI for a skipped test whose reason is not in the written list.

A skip is honest on a user's machine, which may lack a tool; in CI, where nothing
is lacking, it hides a check that no longer runs.

Usage: python -m tests.packaging.check_skips JUNIT.xml ALLOWED.txt; ``CI=true`` in the
environment makes it strict. Exit 0 all well, 1 a skip that is not allowed or no test at all.
"""

from __future__ import annotations

import os
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.packaging.allowlist import read_patterns


def skips(report: Path) -> tuple[int, list[tuple[str, str]]]:
    """The number of tests in pytest's JUnit report, and (test, reason) of each that was skipped.

    An expected failure is written as a skip of another type and is none.
    """
    # The report was written a moment ago by our own pytest.
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314
    return len(cases), [
        (f"{case.get('classname')}::{case.get('name')}", skipped.get("message", ""))
        for case in cases
        for skipped in case.iter("skipped")
        if skipped.get("type") == "pytest.skip"
    ]


def main(report: Path, allowed: Path) -> int:
    """Print what is wrong; the exit status."""
    if os.environ.get("CI") != "true":
        return 0
    total, skipped = skips(report)
    if not total:
        print(f"{report}: no test ran")  # noqa: T201
        return 1
    patterns = read_patterns(allowed)
    faults = [(test, why) for test, why in skipped if not any(pattern.fullmatch(why) for pattern in patterns)]
    for test, why in faults:
        print(f"skipped, which CI does not accept: {test}: {why}")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
