"""Real Lucene: events searched with queries by ``Search.java``, which is compiled when it is first needed."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from builder.paths import ROOT

SOURCE = Path(__file__).resolve().parent / "Search.java"
JARS = Path("/usr/share/java")
NEEDED = ("core", "queryparser", "analyzers-common", "misc")

#: Fields of an index that are no keywords.
TYPES = {
    **dict.fromkeys(("source.ip", "destination.ip"), "ip"),
    **dict.fromkeys(
        ("process.pid", "process.parent.pid", "process.thread.id", "source.port", "destination.port"), "long"
    ),
}

#: A field's name -> its values.
Document = Mapping[str, Sequence[str]]
#: The positions of the events that a query finds.
Found = frozenset[int]

# A term of Lucene's has no more bytes than this.
_LONGEST_TERM = 32_766


@cache
def _classes() -> tuple[str, ...]:
    """Where the program and Lucene are; skips the test where there is no Lucene."""
    jars = [path for name in NEEDED for path in sorted(JARS.glob(f"lucene-{name}-8*.jar"))[-1:]]
    if len(jars) < len(NEEDED) or not shutil.which("java") or not shutil.which("javac"):
        pytest.skip("needs java, javac and Lucene 8 (Debian: liblucene8-java), which are not here")
    folder = ROOT / "build" / f"lucene-{sha256(SOURCE.read_bytes()).hexdigest()[:16]}"
    path = [*map(str, jars)]
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            subprocess.run(["javac", "-cp", ":".join(path), "-d", made, str(SOURCE)], check=True)
            # Another process may have been faster.
            shutil.copytree(made, folder, dirs_exist_ok=True)
    return (str(folder), *path)


def search(queries: Sequence[str], events: Iterable[Document], *, leading_wildcards: bool = True) -> list[Found | str]:
    """What each query finds, or why it cannot be run. Values that are longer than a term are left out."""
    classes = _classes()
    packed = bytearray(struct.pack(">ii", leading_wildcards, len(TYPES)))
    for name, kind in TYPES.items():
        packed += _text(name) + _text(kind)
    documents = [_document(event) for event in events]
    packed += struct.pack(">i", len(documents)) + b"".join(documents)
    packed += struct.pack(">i", len(queries)) + b"".join(map(_text, queries))
    done = subprocess.run(
        ["java", "-Xmx2g", "-cp", ":".join(classes), "Search"],
        input=bytes(packed),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-5000:]
    answers = [_answer(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert len(answers) == len(queries)
    return answers


def _text(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack(">i", len(data)) + data


def _document(event: Document) -> bytes:
    pairs = [
        _text(name) + _text(value)
        for name, values in event.items()
        for value in values
        if len(value.encode("utf-8")) <= _LONGEST_TERM
    ]
    return struct.pack(">i", len(pairs)) + b"".join(pairs)


def _answer(line: str) -> Found | str:
    kind, *rest = line.split(" ", 1)
    if kind == "error":
        return rest[0]
    assert kind == "found"
    return frozenset(map(int, rest[0].split())) if rest else frozenset()
