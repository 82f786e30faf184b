"""Writes the chunks of a search with any number of rows and of distinct command lines, a chunk at a time.

``templates`` is a file of JSON: getinfo's bytes, the header and rows in which ``mark`` stands where
the command line has a number.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Write ``events`` rows with ``distinct`` command lines in chunks of ``rows``."""
    spec = json.loads(sys.argv[1])
    with open(spec["templates"], encoding="utf-8") as file:  # noqa: PTH123
        known = json.load(file)
    target = sys.stdout.buffer
    target.write(known["getinfo"].encode())
    templates, mark = known["rows"], known["mark"]
    events, rows, distinct = spec["events"], spec["rows"], spec["distinct"]
    for start in range(0, events, rows):
        numbers = (number % distinct for number in range(start, min(start + rows, events)))
        lines = [templates[number % len(templates)].replace(mark, f"{number:08}") for number in numbers]
        body = "".join([known["header"], *lines]).encode()
        head = json.dumps({"action": "execute", "finished": start + rows >= events}).encode()
        target.write(b"chunked 1.0,%d,%d\n" % (len(head), len(body)) + head + body)
    target.flush()


if __name__ == "__main__":
    main()
