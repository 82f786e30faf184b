"""The packaged command in a child process: protocol, errors, messages and figures."""

from __future__ import annotations

import gc
import io
import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.mappings import Mappings
from builder.replay import event_chunk, rows, stream_of
from sigmaengine import chunks, ruleset
from sigmaengine.datapath import DataPath
from sigmaengine.matcher import Matcher, _Table
from sigmaengine.results import FIELDS
from sigmaengine.routing import RoutingTable
from tests.support.apps import app_of, rule_of
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.support.searches import (
    DEFAULT_PYTHON,
    PROCESS_CREATION,
    SYSMON,
    Run,
    assert_one_error,
    run,
    run_bytes,
)


@pytest.fixture(scope="module")
def small_app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with three rules: one log source, all events, and one that no event is known to be of."""
    rules = [
        rule_of(
            {
                "logsource": PROCESS_CREATION,
                "detection": {"s": {"Image|endswith": "\\plink.exe"}, "condition": "s"},
                "level": "low",
            },
            "00000000-0000-0000-0000-00000000000a",
            "Plink",
        ),
        rule_of({"detection": {"s": {"id": "7"}, "condition": "s"}}, "00000000-0000-0000-0000-00000000000b", "Seven"),
        rule_of(
            {"logsource": {"product": "toaster"}, "detection": {"s": {"id": "7"}, "condition": "s"}},
            "00000000-0000-0000-0000-00000000000c",
            "Toast",
        ),
    ]
    return app_of(rules, mappings, tmp_path_factory.mktemp("small"))


def plink(**more: str) -> dict[str, str | list[str]]:
    """An event that the first rule matches."""
    return {"Channel": SYSMON, "EventCode": "1", "Image": "C:\\t\\plink.exe", **more}


# --- the stream ---------------------------------------------------------------------------------

EXECUTE = b'{"action":"execute"}'
BROKEN_STREAMS = {
    "no-header": b"nonsense\n",
    "no-line": b"chunked",
    "header-cut": b"chunked 1.0,20",
    "long-line": b"x" * 100_000,
    "version-2": b"chunked 2.0,20,0\n" + EXECUTE,
    "negative-length": b"chunked 1.0,-1,0\n",
    "crlf-header": b"chunked 1.0,20,0\r\n" + EXECUTE,
    "body-cut": b"chunked 1.0,20,10\n" + EXECUTE + b"a\n",
    "body-missing": b"chunked 1.0,20,10\n" + EXECUTE,
    "metadata-cut": b'chunked 1.0,20,10\n{"act',
    "metadata-no-json": b"chunked 1.0,3,0\n{x}",
    "metadata-no-utf8": b"chunked 1.0,4,0\n{\xff\xfe}",
    "metadata-a-list": b"chunked 1.0,2,0\n[]",
    "metadata-too-deep": b"chunked 1.0,100000,0\n" + b"[" * 100_000,
    "metadata-empty": b"chunked 1.0,0,2\na\n",
    "no-action": b"chunked 1.0,2,2\n{}a\n",
    "other-action": b'chunked 1.0,17,0\n{"action":"quit"}',
    "getinfo-again": stream_of([], [], "x"),
    "huge-body": b"chunked 1.0,20,2147483647\n" + EXECUTE + b"a\n",
    "too-huge-body": b"chunked 1.0,20,2147483648\n" + EXECUTE + b"a\n",
    "far-too-huge-body": b"chunked 1.0,20,99999999999999999999\n" + EXECUTE,
    "huge-metadata": b'chunked 1.0,67108864,0\n{"action"',
    "junk-after-a-chunk": b"chunked 1.0,20,4\n" + EXECUTE + b"a\nx\njunk",
}


@pytest.mark.parametrize("tail", BROKEN_STREAMS.values(), ids=BROKEN_STREAMS)
def test_broken_stream_is_one_error(tail: bytes, small_app: Path, tmp_path: Path) -> None:
    result = run_bytes(small_app, stream_of([], [], str(tmp_path)) + tail, tmp_path)
    assert_one_error(result, "sigmamatch: ")
    assert result.replies[0][0] == {"type": "streaming"}


BROKEN_STARTS = {
    "nothing": b"",
    "no-header": b"hello\n",
    "execute-first": b"chunked 1.0,20,0\n" + EXECUTE,
    "metadata-a-list": b"chunked 1.0,2,0\n[]",
    "metadata-cut": stream_of([], [], "x")[:100],
}


@pytest.mark.parametrize("stream", BROKEN_STARTS.values(), ids=BROKEN_STARTS)
def test_broken_start_is_an_error(stream: bytes, small_app: Path, tmp_path: Path) -> None:
    result = run_bytes(small_app, stream, tmp_path)
    assert result.status == 1
    assert len(result.told("ERROR")) == 1


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
def test_input_that_ends_after_getinfo_is_no_error(version: str, small_app: Path, tmp_path: Path) -> None:
    result = run(small_app, [], [], tmp_path, splunk_python(version))
    assert result == Run(0, [({"type": "streaming"}, b"")], "")


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
def test_each_chunk_gets_one_reply(version: str, small_app: Path, tmp_path: Path) -> None:
    bodies = [b"", b"id\n", b"id", b"id\r\n7\r\n", b"id\n7\n7", b"", b"id,other\n1,2\n"]
    result = run(small_app, ["mode=annotate"], bodies, tmp_path, splunk_python(version))
    assert result.status == 0
    assert result.stderr == ""
    assert [[row.get("sigma_rule_id", "").rpartition("-")[2] for row in rows(body)] for body in result.bodies] == [
        [],
        [],
        [],
        ["00000000000b"],
        ["00000000000b", "00000000000b"],
        [],
        [""],
    ]
    assert [metadata["finished"] for metadata, _ in result.replies[1:]] == [False] * 6 + [True]


def test_rows_may_follow_in_another_shape(small_app: Path, tmp_path: Path) -> None:
    bodies = [event_chunk([plink()]), event_chunk([{"id": "7"}]), event_chunk([plink(id="7")])]
    result = run(small_app, [], bodies, tmp_path)
    found = [row["sigma_rule_title"] for body in result.bodies for row in rows(body)]
    assert found == ["Plink", "Seven", ["Seven", "Plink"]]


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
def test_large_chunk(version: str, small_app: Path, tmp_path: Path) -> None:
    """One field over 10 MiB, and rows enough for 16 MB in all."""
    events = [plink(_raw="x" * (11 * 1024 * 1024), id=""), *({"_raw": f"{n} " * 100, "id": "7"} for n in range(9000))]
    body = event_chunk(events)
    assert len(body) > 16_000_000
    result = run(small_app, [], [body], tmp_path, splunk_python(version))
    assert result.status == 0
    found = list(rows(result.bodies[0]))
    assert [row["_raw"] for row in found] == [event["_raw"] for event in events]
    assert {row["sigma_rule_title"] for row in found[1:]} == {"Seven"}


# --- the rule set -------------------------------------------------------------------------------


def _written(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def _cut(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:50]) and None


def _changed(name: str, change: Callable[[Any], object]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        content = json.loads((folder / name).read_text("utf-8"))
        change(content)
        (folder / name).write_text(json.dumps(content), "utf-8")

    return changed


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "folder-missing": shutil.rmtree,
    **{
        f"{name}-missing": (lambda folder, name=name: (folder / name).unlink())
        for name in ("index.json", "routing.json")
    },
    "masks-missing": lambda folder: [path.unlink() for path in folder.glob("masks-*.json")],
    "rules-missing": lambda folder: [path.unlink() for path in folder.glob("rules-*.json")],
    "index-cut": _cut("index.json"),
    "index-empty": _written("index.json", b""),
    "index-no-utf8": _written("index.json", b"\xff"),
    "index-a-list": _written("index.json", b"[]"),
    "index-of-another-version": _changed("index.json", lambda index: index.update(version=99)),
    "index-without-shards": _changed("index.json", lambda index: index.pop("shards")),
    "index-without-hash": _changed("index.json", lambda index: index.pop("hash")),
    "index-with-no-level": _changed("index.json", lambda index: index["shards"][0]["rules"][0].__setitem__(2, "loud")),
    "routing-cut": _cut("routing.json"),
    "routing-a-list": _written("routing.json", b"[]"),
    "routing-empty-object": _written("routing.json", b"{}"),
    "masks-cut": lambda folder: [_cut(path.name)(folder) for path in folder.glob("masks-*.json")],
    "masks-empty-object": lambda folder: [path.write_bytes(b"{}") for path in folder.glob("masks-*.json")],
    "masks-a-list": lambda folder: [path.write_bytes(b"[]") for path in folder.glob("masks-*.json")],
    "rules-cut": lambda folder: [_cut(path.name)(folder) for path in folder.glob("rules-*.json")],
    "rules-a-list": lambda folder: [path.write_bytes(b"[]") for path in folder.glob("rules-*.json")],
    "rules-of-numbers": lambda folder: [path.write_bytes(b"[1]") for path in folder.glob("rules-*.json")],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_rule_set_is_one_error(damage: Callable[[Path], Any], small_app: Path, tmp_path: Path) -> None:
    app = Path(shutil.copytree(small_app, tmp_path / "app"))
    damage(app / "bin" / "ruleset")
    result = run(app, ["explain=true"], [event_chunk([plink(id="7")])], tmp_path, DEFAULT_PYTHON)
    assert result.status == 1
    errors = result.told("ERROR")
    assert len(errors) == 1
    assert errors[0].startswith("sigmamatch: ")
    assert "install the app again" in errors[0]
    assert "Traceback" not in result.stderr


def test_unused_files_of_the_rule_set_are_not_read(small_app: Path, tmp_path: Path) -> None:
    """A search pays for the log sources that it meets alone."""
    app = Path(shutil.copytree(small_app, tmp_path / "app"))
    for path in (app / "bin" / "ruleset").glob("rules-*.json"):
        path.unlink()
    result = run(app, [], [event_chunk([plink(id="7")])], tmp_path)
    assert (result.status, result.figures["matched"]) == (0, 1)


# --- messages and figures -----------------------------------------------------------------------


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
def test_figures(version: str, small_app: Path, tmp_path: Path) -> None:
    """Sums over all chunks; every event has a rule to try here, as one rule is for all events."""
    bodies = [event_chunk([plink(), {"id": "7"}, {"id": "8"}]), b"", event_chunk([plink(id="7")])]
    result = run(small_app, [], bodies, tmp_path, splunk_python(version))
    assert result.figures == {
        "events": 4,
        "routed": 4,
        "unrouted": 0,
        "matched": 3,
        "rules": 3,
        "rules_left_out": 0,
    }
    events = result.replies[-1][0]["inspector"]["metric.sigmamatch.events"]
    assert events == [None, None, 4, 3]


def test_unrouted_events_are_counted(small_app: Path, tmp_path: Path) -> None:
    events = [plink(), {"id": "7"}, {"Channel": SYSMON, "EventCode": "3", "Image": "C:\\t\\plink.exe"}]
    result = run(small_app, ["rules=Plink"], [event_chunk(events)], tmp_path)
    assert result.figures == {
        "events": 3,
        "routed": 1,
        "unrouted": 2,
        "matched": 1,
        "rules": 1,
        "rules_left_out": 0,
    }
    (text,) = result.told("INFO")
    assert text.startswith("sigmamatch: 3 events (1 of a log source with rules, 2 of none), 1 matched; 1 rule")


def test_unmapped_and_blind_rules_are_told_once(small_app: Path, tmp_path: Path) -> None:
    bodies = [event_chunk([{"Channel": SYSMON, "EventCode": "1", "id": "1"}])] * 3
    result = run(small_app, [], bodies, tmp_path)
    assert [metadata.get("inspector") for metadata, _ in result.replies[:-1]] == [None] * 3
    unmapped = [text for text in result.told("INFO") if "can match nothing" in text]
    assert len(unmapped) == 1
    assert "Toast (00000000-0000-0000-0000-00000000000c)" in unmapped[0]


def test_a_blind_rule_is_named_with_its_fields(mappings: Mappings, tmp_path: Path) -> None:
    rules = [
        rule_of({"detection": {"s": {"never": "1", "id": "7"}, "condition": "s"}}, "blind-1", "Blind"),
        rule_of({"detection": {"s": {"never": None, "id": "7"}, "condition": "s"}}, "sees-1", "Sees"),
        rule_of({"detection": {"s": {"never": "1"}, "t": {"id": "9"}, "condition": "s or t"}}, "sees-2", "Sees too"),
    ]
    app = app_of(rules, mappings, tmp_path)
    result = run(app, [], [event_chunk([{"id": "7"}])], tmp_path)
    (blind,) = [text for text in result.told("INFO") if "never had a value" in text]
    assert blind.startswith("sigmamatch: 1 rule")
    assert blind.endswith("never had a value: blind-1 (never)")
    result = run(app, [], [event_chunk([{"id": "7"}]), event_chunk([{"never": "1"}])], tmp_path)
    assert not [text for text in result.told("INFO") if "never had a value" in text]


def test_a_field_that_only_the_xml_shows_was_there(mappings: Mappings, tmp_path: Path) -> None:
    source = {"product": "windows", "category": "ps_classic_start"}
    detection = {"s": {"Data|contains": "x", "EventID": 600}, "condition": "s"}
    app = app_of([rule_of({"logsource": source, "detection": detection}, "xml-1", "XML")], mappings, tmp_path)
    raw = "<Event><System><EventID>400</EventID></System><EventData><Data>y</Data></EventData></Event>"
    event = {"Channel": "Windows PowerShell", "EventCode": "400", "source": "XmlWinEventLog:Windows PowerShell"}
    event |= {"sourcetype": "XmlWinEventLog", "_raw": raw}
    told = run(app, [], [event_chunk([event])], tmp_path).told("INFO")
    assert told[0].startswith("sigmamatch: 1 events (1 of a log source with rules")
    assert not [text for text in told if "Data" in text]


def test_no_report_before_the_finished_chunk(small_app: Path, tmp_path: Path) -> None:
    stream = io.BytesIO(stream_of([], [], str(tmp_path)))
    stream.seek(0, io.SEEK_END)
    chunks.write_chunk(stream, {"action": "execute", "finished": False}, event_chunk([plink()]))
    result = run_bytes(small_app, stream.getvalue(), tmp_path)
    assert result.status == 0
    assert result.messages == []
    assert result.replies[-1][0] == {"finished": False}


def test_many_examples_are_counted_not_listed(mappings: Mappings, tmp_path: Path) -> None:
    rules = [
        rule_of(
            {"logsource": {"product": "toaster"}, "detection": {"s": {"id": n}, "condition": "s"}}, f"id-{n}", f"T{n}"
        )
        for n in range(9)
    ]
    result = run(app_of(rules, mappings, tmp_path), [], [b"id\n7\n"], tmp_path)
    assert "9 rules can match nothing" in result.told("INFO")[-1]
    assert result.told("INFO")[-1].endswith("T0 (id-0); T1 (id-1); T2 (id-2); and 6 more")
    assert result.figures["routed"] == 0


@pytest.mark.parametrize("options", [[], ["explain=true"]], ids=["", "explain"])
def test_rules_that_this_python_cannot_run_are_left_out(options: list[str], mappings: Mappings, tmp_path: Path) -> None:
    """A regular expression that another Python understood; it is met late, and in one alternative alone."""
    detection = {"s": {"id": "7"}, "t": {"text|re": "needle[0-9]+$"}, "condition": "s or t"}
    rules = [
        rule_of({"detection": detection, "level": "high"}, "broken-1", "Broken"),
        rule_of({"detection": {"s": {"id": "7"}, "condition": "s"}}, "sound-1", "Sound"),
    ]
    app = app_of(rules, mappings, tmp_path)
    for file in (app / "bin" / "ruleset").glob("*-*.json"):
        file.write_text(file.read_text("utf-8").replace("[0-9]+$", "[0-9++$"), "utf-8")
    bodies = [b"id,text\n7,x\n", b"id,text\n7,needle\n7,needles\n", b"id,text\n7,needle\n"]
    result = run(app, options, bodies, tmp_path)
    assert result.status == 0, result.messages
    assert result.figures["rules_left_out"] == 1
    (warning,) = result.told("WARN")
    assert " left out: Broken (broken-1): " in warning
    assert [row["sigma_rule_id"] for row in rows(result.bodies[2])] == ["sound-1"]


# --- a long search ------------------------------------------------------------------------------


def test_memory_does_not_grow_with_chunks_of_one_shape(mappings: Mappings) -> None:
    """A search over a day sends thousands of chunks with the same header."""
    rules = [rule_of({"detection": {"s": {"id": "7"}, "condition": "s"}})]
    path = DataPath(Matcher(ruleset.from_rules(rules, RoutingTable(mappings.table))), keep_all=True, explain=False)
    for number in range(50):
        path.process(b"id,source\n7,%d\n" % number)
    gc.collect()
    tables = [found for found in gc.get_objects() if isinstance(found, _Table) and found.matcher is path.matcher]
    assert len(tables) <= 10


# --- splunklib's own options --------------------------------------------------------------------


@pytest.mark.parametrize("option", ["record=true", "logging_level=DEBUG", "show_configuration=true"])
def test_options_of_the_library_break_nothing(option: str, small_app: Path, tmp_path: Path) -> None:
    """They pass the events, or the search is told that they cannot be used."""
    result = run(small_app, [option], [event_chunk([plink()])], tmp_path)
    if result.status:
        assert_one_error(result)
    else:
        assert len(list(rows(result.bodies[0]))) == 1


def test_result_fields_are_in_every_header(small_app: Path, tmp_path: Path) -> None:
    columns = ",".join(f"{name},{chunks.MV_PREFIX}{name}" for name in FIELDS)
    for option in ("mode=filter", "mode=annotate"):
        result = run(small_app, [option], [b"id\n", b"id\n1\n"], tmp_path)
        assert [body.split(b"\n")[0].decode() for body in result.bodies] == [f"id,{columns}"] * 2


def test_a_killed_command_is_not_taken_for_one_that_ended_well(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    killing = (
        "import os, signal\n"
        "SigmaMatchCommand = None\n"
        "dispatch = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "bin" / "sigmamatch.py").write_text(killing, "utf-8")
    assert run_bytes(tmp_path, b"", tmp_path).status == -signal.SIGKILL
