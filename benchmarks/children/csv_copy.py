"""csv.reader -> csv.writer over the chunks of a search: what a command costs that parses and writes rows."""

from __future__ import annotations

import csv
import io
import json
import sys


def main() -> None:
    """Answer every chunk of stdin with its own rows."""
    csv.field_size_limit(2**31 - 1)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while True:
        line = source.readline()
        if not line:
            return
        metadata_length, body_length = map(int, line.split(b",")[1:])
        metadata = json.loads(source.read(metadata_length))
        text = source.read(body_length).decode("utf-8", "replace")
        written = io.StringIO()
        if text:
            csv.writer(written, lineterminator="\n").writerows(csv.reader(io.StringIO(text, newline="")))
        body = written.getvalue().encode()
        finished = {"finished": bool(metadata.get("finished"))}
        head = json.dumps({"type": "streaming"} if metadata["action"] == "getinfo" else finished).encode()
        target.write(b"chunked 1.0,%d,%d\n" % (len(head), len(body)) + head + body)
        target.flush()


if __name__ == "__main__":
    main()
