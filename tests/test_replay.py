"""How a packaged command is run as a child process: however it fails, nothing passes for an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder import matching
from builder.replay import Command, CommandError
from tests.support.builds import ANY, rule, run, write

#: A command that answers ``answers`` chunks as Splunk's protocol asks, then does what ``end`` says.
_CHILD = """\
import json, os, signal, sys, time
def answer(metadata, body=b""):
    head = json.dumps(metadata).encode()
    sys.stdout.buffer.write(b"chunked 1.0,%d,%d\\n" % (len(head), len(body)) + head + body)
    sys.stdout.buffer.flush()
for _ in range({answers}):
    sizes = sys.stdin.buffer.readline().split(b",")[1:]
    sys.stdin.buffer.read(sum(map(int, sizes)))
    answer({{}})
{end}
"""
#: How it ends: a child's code and how many chunks it answers before -> what is told.
ENDS: dict[str, tuple[str, int, str]] = {
    "no answer at all": ("sys.exit(3)", 0, "sigmamatch ended without an answer; exit status 3: nothing on standard"),
    "a traceback": ("raise ValueError('why')", 1, "sigmamatch ended without an answer; exit status 1: Traceback"),
    "killed": (
        "os.kill(os.getpid(), signal.SIGKILL)", 1, "sigmamatch ended without an answer; killed by signal 9"),
    "no chunk": ("print('x')", 1, "sigmamatch wrote no answer (expected a chunk's header, got b'x\\n'); exit status 0"),
    "half a chunk": ("print('chunked 1.0,2,9\\n{}')", 1, "sigmamatch wrote no answer (the stream ends inside a chunk"),
    "a status behind the last answer": ("sys.exit(3)", 2, "sigmamatch failed behind its last answer; exit status 3:"),
    "killed behind the last answer": (
        "os.kill(os.getpid(), signal.SIGKILL)", 2, "sigmamatch failed behind its last answer; killed by signal 9"),
    "one answer too many": ("answer({})", 2, "sigmamatch wrote 1 answers more than it was asked for; exit status 0:"),
    "an error behind the last answer": (
        "answer({'inspector': {'messages': [['ERROR', 'too late']]}})", 2, "too late"),
    "no chunk behind the last answer": ("print('x')", 2, "sigmamatch wrote what is no answer behind its last one"),
}  # fmt: skip


def fake_app(folder: Path, end: str, answers: int) -> Path:
    """An app whose command is that child."""
    path = folder / "bin" / "sigmamatch.py"
    path.parent.mkdir(parents=True)
    path.write_text(_CHILD.format(answers=answers, end=end), "utf-8")
    return folder


def ask(app: Path) -> Command:
    """One search of one chunk; the command, which has ended."""
    with Command(app, []) as command:
        assert command.send(b"", finished=True) == b""
    return command


@pytest.mark.parametrize("name", ENDS)
def test_a_command_that_fails_is_an_error(tmp_path: Path, name: str) -> None:
    end, answers, told = ENDS[name]
    with pytest.raises(CommandError) as error:
        ask(fake_app(tmp_path / "app", end, answers))
    assert str(error.value).startswith(told)


def test_a_command_that_ends_well_is_none(tmp_path: Path) -> None:
    assert ask(fake_app(tmp_path / "app", "", 2)).answers.messages == []


def test_what_it_writes_to_standard_error_is_told(tmp_path: Path) -> None:
    command = ask(fake_app(tmp_path / "app", "print('careful', file=sys.stderr)", 2))
    assert command.answers.messages == [("WARN", "sigmamatch wrote to standard error: careful")]


@pytest.mark.parametrize("form", ["jsonl", "table"])
@pytest.mark.parametrize("name", ENDS)
def test_match_never_takes_a_failure_for_no_match(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, form: str
) -> None:
    end, answers, told = ENDS[name]
    # One answer for getinfo, one for the events, one for the end of the search.
    app = fake_app(tmp_path / "app", end, answers + (answers == 2))
    monkeypatch.setattr(matching, "unpack", lambda files, folder: app)
    write(tmp_path / "rules", r=rule(1, logsource=ANY))
    (tmp_path / "events.jsonl").write_text('{"Image": "y"}\n', "utf-8")
    result = run("match", "--rules", tmp_path / "rules", "--format", form, tmp_path / "events.jsonl")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(told.split(" (")[0])
