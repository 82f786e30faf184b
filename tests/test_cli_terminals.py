"""What ``build.py`` shows on terminals and in pipes, in every encoding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.builds import BUILD, DEMO, UUID, anything_rule, event_files, run, start


@pytest.fixture(scope="module")
def anything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One rule that every event matches whose Image is not ``zzz``."""
    return anything_rule(tmp_path_factory.mktemp("any"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Event files: three of three events each, of which the middle one does not match."""
    return event_files(tmp_path)


def test_a_table_is_safe_on_a_terminal(anything: Path, files: Path) -> None:
    result = run("match", "--rules", anything, "--via", "engine", files / "a.jsonl", color=True)
    assert [line for line in result.stdout[:-1].split("\n") if not line.isprintable()] == []
    assert "T\u00eftle \U0001f600" in result.stdout


ENCODINGS: dict[str, dict[str, str]] = {
    "C": {"LC_ALL": "C"},
    "C without UTF-8 mode": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ASCII": {"PYTHONIOENCODING": "ascii"},
    "Latin-1": {"PYTHONIOENCODING": "latin-1"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_json_lines_are_json_in_every_encoding(anything: Path, files: Path, name: str) -> None:
    arguments = ["match", "--rules", anything, "--via", "engine", "--format", "jsonl", files / "a.jsonl"]
    done = start(*arguments, env=ENCODINGS[name])
    assert done.returncode == 0
    # JSON is UTF-8 (RFC 8259); ASCII with escapes is that too.
    titles = [json.loads(line)["title"] for line in done.stdout.decode("utf-8").splitlines()]
    assert titles == ["T\u00eftle \U0001f600 \x1b[31m \x9b \u202e"] * 2


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_table_is_printed_in_every_encoding(anything: Path, files: Path, name: str) -> None:
    arguments = ["match", "--rules", anything, "--via", "engine", files / "a.jsonl"]
    done = start(*arguments, env=ENCODINGS[name])
    assert done.returncode == 0
    assert done.stdout.count(f"{UUID}31".encode()) == 2


CLOSED: dict[str, Sequence[object]] = {
    "table": ["match", "--via", "engine", DEMO],
    "jsonl": ["match", "--format", "jsonl", "--via", "engine", DEMO],
    "jsonl by the command": ["match", "--format", "jsonl", DEMO],
    "help": ["--help"],
}


@pytest.mark.parametrize("name", CLOSED)
def test_a_pipe_that_nobody_reads_ends_quietly(name: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = start(*CLOSED[name], capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    finally:
        os.close(writing)
    assert b"BrokenPipe" not in done.stderr
    assert b"Exception" not in done.stderr


def test_the_reader_of_a_pipe_may_stop_after_a_line(tmp_path: Path) -> None:
    many = tmp_path / "many.jsonl"
    many.write_bytes(DEMO.read_bytes() * 20)
    command = [sys.executable, str(BUILD), "match", "--format", "jsonl", "--via", "engine", str(many)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["event"] >= 0
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode != 0
    assert b"Traceback" not in errors
    assert b"BrokenPipe" not in errors


pty = pytest.importorskip("pty", reason="needs a system with terminals")


def on_terminal(*arguments: object, stdout: int | None = subprocess.PIPE) -> tuple[bytes, bytes]:
    """(what a pipe got, what the terminal showed) where stderr, and stdout if it is None, is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, str(BUILD), *map(str, arguments)], stdout=theirs if stdout is None else stdout, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        # Linux says EIO when the last writer is gone. Little enough comes through the pipe to wait in it.
        while part := _read_terminal(ours):
            shown += part
        piped = process.stdout.read() if process.stdout else b""
    os.close(ours)
    return piped, shown


def _read_terminal(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""


def test_progress_shows_on_a_terminal_and_not_in_a_pipe(anything: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text('{"Image":"zzz"}\n' * 2_500 + '{"Image":"a"}\n', "utf-8")
    arguments = ["match", "--rules", anything, "--via", "engine", "--format", "jsonl", events]
    piped, shown = on_terminal(*arguments)
    assert [json.loads(line)["event"] for line in piped.splitlines()] == [2_500]
    assert b"100%" in shown
    assert b"2000 events" in shown
    done = start(*arguments)
    assert done.stdout == piped
    assert b"100%" not in done.stderr
    assert b"\r" not in done.stderr
    assert done.stderr.decode().splitlines() == ["INFO 2501 events, 2501 routed, 1 matched"]


def test_progress_does_not_run_into_lines_on_the_same_terminal(anything: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text('{"Image":"zzz"}\n' * 1_500 + '{"Image":"a"}\n', "utf-8")
    arguments = ["match", "--rules", anything, "--via", "engine", "--format", "jsonl", events]
    _, shown = on_terminal(*arguments, stdout=None)
    (line,) = [line for line in shown.splitlines() if b'"rule_id"' in line]
    # What a terminal shows of the row: a carriage return goes back to its start.
    before, _, _ = line.partition(b'{"event"')
    row = b""
    for part in before.split(b"\r"):
        row = part + row[len(part) :]
    assert row.strip() == b""
