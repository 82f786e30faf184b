"""Event files for ``build.py match``: what becomes of each record, and what a faulty one is told.

Windows event logs are written by ``evtxfile``, so no sample of others is needed.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from evtx import PyEvtxParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builder import events as module
from builder.events import Event, read_events
from builder.findings import Finding


def _load_evtxfile() -> ModuleType:
    """Test folders are no packages, so a module beside the tests is loaded by its path."""
    spec = importlib.util.spec_from_file_location("evtxfile", Path(__file__).with_name("evtxfile.py"))
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    sys.modules["evtxfile"] = loaded
    spec.loader.exec_module(loaded)
    return loaded


evtxfile = _load_evtxfile()
element = evtxfile.element


def read(path: Path, content: bytes | str | None = None) -> tuple[list[Event | None], list[str]]:
    """The events of a file, and its findings without the file's folder."""
    if content is not None:
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    findings: list[Finding] = []
    events = list(read_events([path], findings))
    return events, [str(finding).replace(f"{path.parent.as_posix()}/", "") for finding in findings]


# JSON lines

JSON_EVENTS: dict[str, tuple[bytes | str, list[Event | None]]] = {
    "texts": ('{"a":"x","b":" y "}\n', [{"a": "x", "b": " y "}]),
    "no_line_end_at_the_end": ('{"a":"x"}\n{"a":"y"}', [{"a": "x"}, {"a": "y"}]),
    "windows_line_ends": ('{"a":"x"}\r\n{"a":"y"}\r\n', [{"a": "x"}, {"a": "y"}]),
    "blank_lines_are_not_counted": ('\n{"a":"x"}\n  \t\n\r\n{"a":"y"}\n\n', [{"a": "x"}, {"a": "y"}]),
    "byte_order_mark": (b'\xef\xbb\xbf{"a":"x"}\n', [{"a": "x"}]),
    "empty_file": ("", []),
    "empty_object_is_an_event": ("{}\n", [{}]),
    "line_separators_of_unicode_end_no_line": ('{"a":"x\u2028y\x85z"}\n', [{"a": "x\u2028y\x85z"}]),
    "escaped_line_break": ('{"a":"x\\ny"}\n', [{"a": "x\ny"}]),
    "null_and_empty_text_are_absent": ('{"a":null,"b":"","c":[],"d":{},"e":"x"}\n', [{"e": "x"}]),
    "booleans": ('{"a":true,"b":false}\n', [{"a": "true", "b": "false"}]),
    "numbers_as_written": (
        '{"a":1,"b":-0,"c":1.50,"d":1E5,"e":0.1e-7,"f":123456789012345678901234567890}\n',
        [{"a": "1", "b": "-0", "c": "1.50", "d": "1E5", "e": "0.1e-7", "f": "123456789012345678901234567890"}],
    ),
    "number_of_many_digits": (f'{{"a":{"7" * 10_000}}}\n', [{"a": "7" * 10_000}]),
    "no_numbers": ('{"a":NaN,"b":Infinity,"c":-Infinity}\n', [{"a": "NaN", "b": "Infinity", "c": "-Infinity"}]),
    "nested_objects": ('{"a":{"b":{"c":1},"d":"x"}}\n', [{"a.b.c": "1", "a.d": "x"}]),
    "arrays": ('{"a":["x",1,true],"b":["x"]}\n', [{"a": ["x", "1", "true"], "b": "x"}]),
    "empty_members_are_dropped": ('{"a":[null,"x","",[],"y"]}\n', [{"a": ["x", "y"]}]),
    "nested_arrays_are_joined": ('{"a":[["x",["y"]],"z"]}\n', [{"a": ["x", "y", "z"]}]),
    "arrays_of_objects": ('{"a":[{"b":1},{"b":2,"c":"x"}]}\n', [{"a.b": ["1", "2"], "a.c": "x"}]),
    "array_of_objects_and_scalars": ('{"a":["x",{"b":1}]}\n', [{"a": "x", "a.b": "1"}]),
    "repeated_names_keep_every_value": (
        '{"a":"x","a":"y","b.c":1,"b":{"c":2}}\n',
        [{"a": ["x", "y"], "b.c": ["1", "2"]}],
    ),
    "nameless_field": ('{"":"x","a":"y"}\n', [{"a": "y"}]),
    "names_as_splunk_shows_arrays": ('{"a{}.b":["x","y"]}\n', [{"a{}.b": ["x", "y"]}]),
    "characters_beyond_the_first_plane": ('{"a":"\\ud83d\\ude00","b":"😀"}\n', [{"a": "😀", "b": "😀"}]),
    "half_a_character": (
        '{"\\udc00":"x\\ud83dy","b":["\\udfff","z"]}\n',
        [{"\ufffd": "x\ufffdy", "b": ["\ufffd", "z"]}],
    ),
    "nul": ('{"a":"x\\u0000y"}\n', [{"a": "x\0y"}]),
    "deep_but_allowed": (f'{{"a":{"[" * 99}1{"]" * 99}}}\n', [{"a": "1"}]),
}


@pytest.mark.parametrize("case", JSON_EVENTS)
def test_json_lines_become_events(tmp_path: Path, case: str) -> None:
    content, expected = JSON_EVENTS[case]
    assert read(tmp_path / "e.jsonl", content) == (expected, [])


# Each line stands between two good ones; the finding is that of line 2.
FAULTY_LINES: dict[str, tuple[bytes | str, str]] = {
    "no_json": ("oops", "event-json: column 1: is no JSON (Expecting value); write one JSON object a line"),
    "missing_comma": ('  {"a":1 "b":2}', "event-json: column 10: is no JSON (Expecting ',' delimiter)"),
    "cut_off": ('{"a":', "event-json: column 6: is no JSON (Expecting value)"),
    "two_on_a_line": ('{"a":1} {"a":2}', "event-json: column 9: is no JSON (Extra data)"),
    "control_character": ('{"a":"x\ty"}', "event-json: column 8: is no JSON (Invalid control character at)"),
    "column_counts_characters": ('{"ü":"漢😀" 1}', "event-json: column 11: is no JSON"),
    "array": ('  [{"a":1}]', "event-not-object: column 3: is JSON but no object; write one event a line"),
    "text": ('"a"', "event-not-object: column 1:"),
    "number": ("1", "event-not-object: column 1:"),
    "null": ("null", "event-not-object: column 1:"),
    "no_utf8": (b'{"\xc3\xbc":"\xff"}', "event-encoding: column 7: byte 0xff is no UTF-8; save the file as UTF-8"),
    "utf8_cut_off": (b'{"a":"\xc3', "event-encoding: column 7: byte 0xc3 is no UTF-8"),
    "surrogate_in_utf8": (b'{"a":"\xed\xa0\x80"}', "event-encoding: column 7: byte 0xed is no UTF-8"),
    "too_deep": (
        f'{{"[]\\"[":[[]],"a":{"[" * 100}1{"]" * 100}}}',
        "event-too-deep: column 118: objects and arrays lie",
    ),
    "far_too_deep_arrays": (f'{{"a":{"[" * 200_000}', "event-too-deep: column 105: objects and arrays lie"),
    "far_too_deep_objects": ('{"a":' * 200_000, "event-too-deep: column 501: objects and arrays lie"),
}


@pytest.mark.parametrize("case", FAULTY_LINES)
def test_faulty_json_line_is_a_finding_and_the_others_go_on(tmp_path: Path, case: str) -> None:
    line, expected = FAULTY_LINES[case]
    data = line.encode() if isinstance(line, str) else line
    events, findings = read(tmp_path / "e.jsonl", b'{"a":"x"}\n' + data + b'\n{"a":"y"}\n')
    assert events == [{"a": "x"}, None, {"a": "y"}]
    assert len(findings) == 1
    assert findings[0].startswith(f"e.jsonl:2: error {expected}")


@pytest.mark.parametrize(
    "content",
    ['{\n  "a": 1\n}\n', '[\n  {"a": 1},\n  {"a": 2}\n]\n', '[{"a":1},\n{"a":2}]\n', '\n[\n{"a":1}\n]\n'],
    ids=["object", "array", "array_with_events_on_lines", "array_behind_a_blank_line"],
)
def test_json_over_several_lines_is_one_finding(tmp_path: Path, content: str) -> None:
    events, findings = read(tmp_path / "e.json", content)
    assert events == []
    line = 2 if content.startswith("\n") else 1
    message = "is JSON over several lines; write one event a line (jq -c . or jq -c '.[]' does)"
    assert findings == [f"e.json:{line}: error event-json: {message}"]


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
_EVENTS = st.dictionaries(_TEXTS, _TEXTS | st.lists(_TEXTS, min_size=2), max_size=5)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(_EVENTS, max_size=4), escaped=st.booleans(), marked=st.booleans())
def test_json_lines_round_trip(tmp_path: Path, events: list[Event], *, escaped: bool, marked: bool) -> None:
    content = "".join(json.dumps(event, ensure_ascii=escaped) + "\n" for event in events)
    assert read(tmp_path / "e.jsonl", ("\ufeff" if marked else "") + content) == (events, [])


_VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.dictionaries(st.text(), _VALUES, max_size=4))
def test_any_json_object_is_an_event_of_texts_that_are_not_empty(tmp_path: Path, value: dict[str, Any]) -> None:
    (event,), findings = read(tmp_path / "e.jsonl", json.dumps(value))
    assert findings == []
    assert event is not None
    for name, values in event.items():
        assert name
        texts = values if isinstance(values, list) else [values]
        assert all(texts)
        assert len(texts) > 1 or values == texts[0]
        assert all(text.encode() for text in [name, *texts])


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(), suffix=st.sampled_from([".jsonl", ".csv", ".evtx", ".jsonl.gz", ".csv.gz"]))
def test_no_bytes_raise_an_exception(tmp_path: Path, data: bytes, suffix: str) -> None:
    path = tmp_path / f"e{suffix}"
    path.write_bytes(data)
    events, findings = read(path)
    # Each record is an event or is told of.
    assert events.count(None) <= len(findings)
    assert all(event is None or isinstance(event, dict) for event in events)


# CSV

CSV_EVENTS: dict[str, tuple[bytes | str, list[Event | None]]] = {
    "plain": ("a,b\nx,1\ny,2\n", [{"a": "x", "b": "1"}, {"a": "y", "b": "2"}]),
    "windows_line_ends": ("a,b\r\nx,1\r\n", [{"a": "x", "b": "1"}]),
    "byte_order_mark": (b'\xef\xbb\xbf"a",b\nx,1\n', [{"a": "x", "b": "1"}]),
    "quotes": ('a,b\n"x,""y""",z\n', [{"a": 'x,"y"', "b": "z"}]),
    "quote_inside_an_unquoted_cell": ('a,b\n5" disk,z\n', [{"a": '5" disk', "b": "z"}]),
    "newlines_in_quotes": ('a,b\n"x\ny\r\n\nz",1\n', [{"a": "x\ny\r\n\nz", "b": "1"}]),
    "header_with_a_newline": ('"a\nb",c\nx,y\n', [{"a\nb": "x", "c": "y"}]),
    "blank_lines_are_not_counted": ("\na\n\nx\n\r\ny\n", [{"a": "x"}, {"a": "y"}]),
    "empty_cells_are_absent": ("a,b\n,x\n,\n", [{"b": "x"}, {}]),
    "short_rows": ("a,b,c\nx\n", [{"a": "x"}]),
    "header_alone": ("a,b\n", []),
    "blanks_stay": ("a, b\n x ,y\n", [{"a": " x ", " b": "y"}]),
    "column_twice": ("a,a\nx,y\n,z\n", [{"a": ["x", "y"]}, {"a": "z"}]),
    "multivalue_twin": ('a,__mv_a\n"x\ny","$x$;$y$"\nz,\n', [{"a": ["x", "y"]}, {"a": "z"}]),
    "twin_before_its_column": ('__mv_a,a\n"$x$;$y$","x\ny"\n', [{"a": ["x", "y"]}]),
    "dollars_in_a_twin": ('a,__mv_a\nx,"$1$$;$;$$$$$x$"\n', [{"a": ["1$;", "$$x"]}]),
    "empty_values_in_a_twin": ('a,__mv_a\nx,"$$;$x$;$$"\n', [{"a": "x"}]),
    "twin_that_says_nothing": ("a,__mv_a\nx,oops\n", [{"a": "x"}]),
    "twin_alone": ("__mv_a,b\n$x$;$y$,z\n", [{"a": ["x", "y"], "b": "z"}]),
    "twin_of_nothing": ("a,__mv_\nx,$y$\n", [{"a": "x"}]),
    "large_cell": (f"a\n{'x' * 200_000}\n", [{"a": "x" * 200_000}]),
    "no_ascii": ("ä\n漢😀\n", [{"ä": "漢😀"}]),
}


@pytest.mark.parametrize("case", CSV_EVENTS)
def test_csv_rows_become_events(tmp_path: Path, case: str) -> None:
    content, expected = CSV_EVENTS[case]
    assert read(tmp_path / "e.csv", content) == (expected, [])


FAULTY_CSV: dict[str, tuple[bytes | str, list[Event | None], list[str]]] = {
    "too_many_cells": (
        'a,b\n"x\ny",1\nx,y,z\nx,y\n',
        [{"a": "x\ny", "b": "1"}, None, {"a": "x", "b": "y"}],
        ["4: error event-csv-cells: 3 cells, the header has 2; quote cells that hold commas"],
    ),
    "text_behind_a_quote": (
        'a,b\n"x"y,1\nx,y\n',
        [None, {"a": "x", "b": "y"}],
        ["2: error event-csv: the record that begins here is no CSV (',' expected after '\"'); quote cells as RFC"],
    ),
    "quote_left_open": (
        'a,b\nx,y\n"x,1\nx,y\n',
        [{"a": "x", "b": "y"}, None],
        ["3: error event-csv: the record that begins here is no CSV (unexpected end of data)"],
    ),
    "no_utf8": (
        b"a,b\nx,\xff\nx,y\n",
        [None, {"a": "x", "b": "y"}],
        ["2: error event-encoding: the cell b is no UTF-8; save the file as UTF-8"],
    ),
    "empty_file": ("", [], ["1: error event-csv-header: there is no header; write the fields' names into the first"]),
    "blank_lines_alone": ("\n\n", [], ["1: error event-csv-header: there is no header"]),
    "empty_header": (",,\nx,y,z\n", [], ["1: error event-csv-header: there is no header"]),
    "header_is_no_csv": ('"a"b\nx\n', [], ["1: error event-csv-header: there is no header (',' expected after"]),
    "header_is_no_utf8": (b"\xff\nx\n", [], ["1: error event-encoding: the header is no UTF-8"]),
    "column_without_a_name": (
        ",a\n0,x\n",
        [{"a": "x"}],
        ["1: warning event-csv-header: column 1 has no name and is left out; name it in the first row"],
    ),
}


@pytest.mark.parametrize("case", FAULTY_CSV)
def test_faulty_csv_is_a_finding_and_the_others_go_on(tmp_path: Path, case: str) -> None:
    content, expected, beginnings = FAULTY_CSV[case]
    events, findings = read(tmp_path / "e.csv", content)
    assert events == expected
    assert len(findings) == len(beginnings)
    for finding, beginning in zip(findings, beginnings, strict=True):
        assert finding.startswith(f"e.csv:{beginning}")


def test_csv_record_that_does_not_end_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CSV_RECORD", 50)
    events, findings = read(tmp_path / "e.csv", 'a\n"x\n' + "y\n" * 30 + "x,y\n")
    assert events[0] is None
    assert events[-1] is None
    assert events[1:-1] == [{"a": "y"}] * (len(events) - 2)
    assert findings[0].startswith("e.csv:2: error event-csv: the record that begins here is no CSV (the record has")
    assert findings[1].startswith("e.csv:33: error event-csv-cells:")


# Files

UNUSABLE_FILES: dict[str, tuple[str, bytes | None, str]] = {
    "missing": ("none.jsonl", None, "event-file-unreadable: cannot be read: No such file or directory; name a file"),
    "missing_log": ("none.evtx", None, "event-file-unreadable: cannot be read: No such file or directory"),
    "missing_of_no_kind": ("none", None, "event-file-unreadable: cannot be read: No such file or directory"),
    "unknown_suffix": ("e.txt", b"x", "event-file-unknown: is no kind of event file that is known; name one that ends"),
    "no_suffix": ("e", b"x", "event-file-unknown:"),
    "gz_alone": ("e.gz", b"x", "event-file-unknown:"),
    "suffix_alone": (".jsonl", b"x", "event-file-unknown:"),
    "no_gzip": ("e.jsonl.gz", b'{"a":1}', "event-file-damaged: is damaged or no gzip file (Not a gzipped file"),
    "gzip_cut_off": ("e.csv.gz", gzip.compress(b"")[:9], "event-file-damaged: is damaged or no gzip file (Compressed"),
    "gzip_damaged": ("e.json.gz", gzip.compress(b"")[:10] + b"\xff" * 9, "event-file-damaged: is damaged or no gzip"),
    "zipped_log_is_no_gzip": ("e.evtx.gz", b"ElfFile\0", "event-file-damaged: is damaged or no gzip file (Not a"),
    "utf16": ("e.jsonl", '{"a":1}'.encode("utf-16"), "event-encoding: is UTF-16; save it as UTF-8"),
    "utf16_csv": ("e.csv", b"\xfe\xff" + "a\nx".encode("utf-16-be"), "event-encoding: is UTF-16; save it as UTF-8"),
    "log_is_empty": ("e.evtx", b"", "event-file-unreadable: cannot be read:"),
    "log_is_no_log": ("e.evtx", b"hello" * 2_000, "event-file-damaged: is no Windows event log (EVTX):"),
}


@pytest.mark.parametrize("case", UNUSABLE_FILES)
def test_unusable_file_is_a_finding_and_the_next_file_is_read(tmp_path: Path, case: str) -> None:
    name, content, expected = UNUSABLE_FILES[case]
    path, good = tmp_path / name, tmp_path / "good.jsonl"
    if content is not None:
        path.write_bytes(content)
    good.write_text('{"a":"x"}\n')
    findings: list[Finding] = []
    assert list(read_events([path, good], findings)) == [{"a": "x"}]
    assert len(findings) == 1
    assert str(findings[0]).startswith(f"{path.as_posix()}:1: error {expected}")


def test_folder_is_no_event_file(tmp_path: Path) -> None:
    folder = tmp_path / "e.jsonl"
    folder.mkdir()
    events, findings = read(folder)
    assert events == []
    assert findings == [
        "e.jsonl:1: error event-file-unreadable: cannot be read: Is a directory; name a file that you may read"
    ]


def test_files_follow_one_another_in_the_order_given(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("b.NDJSON", "a.csv.gz", "c.json")]
    paths[0].write_text('{"a":"1"}\noops\n')
    paths[1].write_bytes(gzip.compress(b"a\n2\n"))
    paths[2].write_text('{"a":"3"}\n')
    findings: list[Finding] = []
    assert list(read_events(paths, findings)) == [{"a": "1"}, None, {"a": "2"}, {"a": "3"}]
    assert [finding.line for finding in findings] == [2]


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".json.gz", ".ndjson.GZ", ".JSONL"])
def test_suffixes_of_json_lines(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"e{suffix}"
    data = b'{"a":"x"}\n'
    path.write_bytes(gzip.compress(data) if suffix.lower().endswith(".gz") else data)
    assert read(path) == ([{"a": "x"}], [])


def test_damaged_gzip_gives_what_could_be_read(tmp_path: Path) -> None:
    lines = b"".join(b'{"a":"%s"}\n' % sha256(b"%d" % number).hexdigest().encode() for number in range(20_000))
    path = tmp_path / "e.jsonl.gz"
    path.write_bytes(gzip.compress(lines)[:-5_000])
    events, findings = read(path)
    assert 0 < len(events) < 20_000
    assert None not in events
    assert [finding.split(" (")[0] for finding in findings] == [
        "e.jsonl.gz:1: error event-file-damaged: is damaged or no gzip file"
    ]


def test_events_are_read_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_text('{"a":"x"}\noops\n')
    findings: list[Finding] = []
    reader = read_events([path], findings)
    assert next(reader) == {"a": "x"}
    assert findings == []
    assert next(reader) is None
    assert len(findings) == 1


# Windows event logs

MOMENT = datetime(2026, 11, 17, 9, 0, 8, 712_345, tzinfo=timezone.utc)
XMLNS = f"<Event xmlns='{evtxfile.EVENTS_NAMESPACE}'>"
SYSMON, AUDIT, SHELL = "Microsoft-Windows-Sysmon", "Microsoft-Windows-Security-Auditing", "Microsoft-Windows-PowerShell"


def log_event(  # noqa: PLR0913
    provider: str,
    event_id: str,
    channel: str | None,
    *parts: Any,
    guid: str | None = None,
    qualifiers: str | None = None,
    user: str | None = None,
    activity: str | None = None,
    time: Any = MOMENT,
    computer: str = "WS-0142.corp.example",
) -> Any:
    """An event with all that a system part holds."""
    system = [
        element("Provider", Name=provider, Guid=guid),
        element("EventID", event_id, Qualifiers=qualifiers),
        element("Version", "5"),
        element("Level", "4"),
        element("Task", "1"),
        element("Opcode", "0"),
        element("Keywords", "0x8000000000000000"),
        element("TimeCreated", SystemTime=time),
        element("EventRecordID", "48433"),
        element("Correlation", ActivityID=activity),
        element("Execution", ProcessID="3120", ThreadID="8310"),
        element("Channel", channel),
        element("Computer", computer),
        element("Security", UserID=user),
    ]
    return evtxfile.event(system, *parts)


def data(value: Any, name: str | None = None) -> Any:
    """``<Data>``, with a name or without."""
    return element("Data", value, Name=name) if name is not None else element("Data", value)


def common(provider: str, event_code: str, channel: str, raw: str) -> Event:
    """The fields that all events of ``log_event`` have."""
    return {
        "_time": "1794906008.712345",
        "_raw": raw,
        "host": "WS-0142",
        "source": f"XmlWinEventLog:{channel}",
        "sourcetype": "XmlWinEventLog",
        "Name": f"'{provider}'",
        "EventCode": event_code,
        "Version": "5",
        "Level": "4",
        "Task": "1",
        "Opcode": "0",
        "Keywords": "0x8000000000000000",
        "SystemTime": "'2026-11-17T09:00:08.7123450Z'",
        "EventRecordID": "48433",
        "RecordNumber": "48433",
        "ProcessID": "'3120'",
        "ThreadID": "'8310'",
        "Channel": channel,
        "Computer": "WS-0142.corp.example",
    }


def raw_system(provider: str, event_id: str, channel: str, correlation: str = "", security: str = "") -> str:
    """The system part as Windows renders it. ``provider`` and ``event_id``: the whole elements."""
    return (
        f"{XMLNS}<System>{provider}{event_id}<Version>5</Version><Level>4</Level><Task>1</Task><Opcode>0</Opcode>"
        "<Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime='2026-11-17T09:00:08.7123450Z'/>"
        f"<EventRecordID>48433</EventRecordID><Correlation{correlation}/><Execution ProcessID='3120' ThreadID='8310'/>"
        f"<Channel>{channel}</Channel><Computer>WS-0142.corp.example</Computer><Security{security}/></System>"
    )


def sysmon_case() -> tuple[Any, Event]:
    channel, guid = f"{SYSMON}/Operational", "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"
    fields = [
        data("", "RuleName"),
        data(r"C:\Windows\System32\cmd.exe", "Image"),
        data("cmd /c \"echo 1 > a & type ü漢😀.txt\" < 'in'\r\nnext\tline", "CommandLine"),
        data(r"CORP\j.ortiz", "User"),
    ]
    command = "cmd /c \"echo 1 &gt; a &amp; type ü漢😀.txt\" &lt; 'in'\r\nnext\tline"
    raw = raw_system(
        f"<Provider Name='{SYSMON}' Guid='{guid}'/>", "<EventID>1</EventID>", channel, security=" UserID='S-1-5-18'"
    ) + (
        r"<EventData><Data Name='RuleName'></Data><Data Name='Image'>C:\Windows\System32\cmd.exe</Data>"
        rf"<Data Name='CommandLine'>{command}</Data><Data Name='User'>CORP\j.ortiz</Data></EventData></Event>"
    )
    expected = common(SYSMON, "1", channel, raw) | {
        "Guid": f"'{guid}'",
        "EventID": "1",
        "UserID": "'S-1-5-18'",
        "Image": r"C:\Windows\System32\cmd.exe",
        "CommandLine": command,
        "User": r"CORP\j.ortiz",
    }
    return log_event(SYSMON, "1", channel, element("EventData", fields), guid=guid, user="S-1-5-18"), expected


def security_case() -> tuple[Any, Event]:
    activity = "{4b614503-5b69-e4d4-add3-fc66125a309b}"
    fields = [data(r"C:\x\plink.exe", "NewProcessName"), data("0x1f4", "ProcessId"), data(None, "CommandLine")]
    raw = raw_system(
        f"<Provider Name='{AUDIT}'/>", "<EventID>4688</EventID>", "Security", correlation=f" ActivityID='{activity}'"
    ) + (
        r"<EventData><Data Name='NewProcessName'>C:\x\plink.exe</Data><Data Name='ProcessId'>0x1f4</Data>"
        "<Data Name='CommandLine'></Data></EventData></Event>"
    )
    expected = common(AUDIT, "4688", "Security", raw) | {
        "EventID": "4688",
        "ActivityID": f"'{activity}'",
        "NewProcessName": r"C:\x\plink.exe",
        "ProcessId": "0x1f4",
    }
    return log_event(AUDIT, "4688", "Security", element("EventData", fields), activity=activity), expected


def application_case() -> tuple[Any, Event]:
    parts = element("EventData", [data("one & two"), data(""), element("Binary", "00FF")])
    raw = raw_system(
        "<Provider Name='Müller &amp; &apos;Co&apos;'/>", "<EventID Qualifiers='16384'>11707</EventID>", "Application"
    ) + ("<EventData><Data>one &amp; two</Data><Data></Data><Binary>00FF</Binary></EventData></Event>")
    expected = common("Müller &amp; &apos;Co&apos;", "11707", "Application", raw) | {"Qualifiers": "'16384'"}
    return log_event("Müller & 'Co'", "11707", "Application", parts, qualifiers="16384"), expected


def user_data_case() -> tuple[Any, Event]:
    inner = element("LogFileCleared", [element("SubjectUserName", "a<b"), element("BackupPath")], xmlns="urn:log")
    raw = raw_system(f"<Provider Name='{SHELL}'/>", "<EventID>1102</EventID>", "Security") + (
        "<UserData><LogFileCleared xmlns='urn:log'><SubjectUserName>a&lt;b</SubjectUserName>"
        "<BackupPath></BackupPath></LogFileCleared></UserData></Event>"
    )
    expected = common(SHELL, "1102", "Security", raw) | {"EventID": "1102"}
    return log_event(SHELL, "1102", "Security", element("UserData", [inner])), expected


LOG_CASES = {
    "sysmon_process_creation": sysmon_case,
    "security_process_creation": security_case,
    "application_with_qualifiers_and_unnamed_data": application_case,
    "user_data": user_data_case,
}


@pytest.mark.parametrize("case", LOG_CASES)
def test_record_becomes_the_event_that_splunk_shows(tmp_path: Path, case: str) -> None:
    written, expected = LOG_CASES[case]()
    path = evtxfile.write_evtx(tmp_path / "e.evtx", [written])
    assert read(path) == ([expected], [])


def test_zipped_log(tmp_path: Path) -> None:
    cases = [build() for build in LOG_CASES.values()]
    path = tmp_path / "e.EVTX.gz"
    expected = [event for _, event in cases]
    assert read(path, evtxfile.evtx_bytes([written for written, _ in cases])) == (expected, [])


def one(tmp_path: Path, written: Any) -> Event:
    """The event of a log with one record."""
    (event,), findings = read(evtxfile.write_evtx(tmp_path / "e.evtx", [written]))
    assert findings == []
    assert event is not None
    return event


FIELDS: dict[str, tuple[list[Any], dict[str, str | list[str] | None]]] = {
    "names_are_cleaned": (
        [data("x", "Threat Name"), data("y", "a-b.c/ü"), data("z", 'it\'s "q"')],
        {"Threat_Name": "x", "a_b_c__": "y", "it_apos_s__q_": "z"},
    ),
    "repeated_names": ([data("x", "a"), data("", "a"), data("y", "a"), data("z", "a")], {"a": ["x", "y", "z"]}),
    "names_that_become_one": ([data("x", "a b"), data("y", "a_b")], {"a_b": ["x", "y"]}),
    "name_of_a_system_field": (
        [data("x", "Name"), data("1", "ProcessID")],
        {"Name": ["'P'", "x"], "ProcessID": ["'3120'", "1"]},
    ),
    "names_that_differ_by_case": ([data("1", "ProcessId")], {"ProcessId": "1", "ProcessID": "'3120'"}),
    "splunks_own_fields_stay": (
        [data("x", "host"), data("x", "source"), data("x", "sourcetype"), data("x", "_time"), data("x", "__")],
        {"host": "WS-0142", "sourcetype": "XmlWinEventLog", "source": "XmlWinEventLog:C", "time": "x", "": None},
    ),
    "complex_data": (
        [element("ComplexData", "x", Name="a"), element("Data", "y", Name="b", Type="t"), element("Other", "z")],
        {"a": "x", "b": "y", "Other": None},
    ),
    "what_looks_like_markup_is_text": (
        [data("</Data><Data Name='b'>x", "a")],
        {"a": "&lt;/Data&gt;&lt;Data Name='b'&gt;x", "b": None},
    ),
    "blanks_stay": ([data("  x ", "a"), data(" ", "b")], {"a": "  x ", "b": " "}),
}


@pytest.mark.parametrize("case", FIELDS)
def test_fields_of_event_data(tmp_path: Path, case: str) -> None:
    children, expected = FIELDS[case]
    event = one(tmp_path, log_event("P", "1", "C", element("EventData", children)))
    assert {name: event.get(name) for name in expected} == expected


TIMES = {
    "microseconds": (MOMENT, "1794906008.712345", "'2026-11-17T09:00:08.7123450Z'"),
    "whole_seconds": (MOMENT.replace(microsecond=0), "1794906008.000000", "'2026-11-17T09:00:08.0000000Z'"),
    "rounding": (MOMENT.replace(microsecond=999_999), "1794906008.999999", "'2026-11-17T09:00:08.9999990Z'"),
    "before_1970": (
        datetime(1969, 12, 31, 23, 59, 58, 250_000, tzinfo=timezone.utc),
        "-1.750000",
        "'1969-12-31T23:59:58.2500000Z'",
    ),
    "no_time": (None, None, None),
    "text_that_is_no_time": ("2026-99-99T00:00:00.1Z", None, "'2026-99-99T00:00:00.1000000Z'"),
}


@pytest.mark.parametrize("case", TIMES)
def test_time_of_a_record(tmp_path: Path, case: str) -> None:
    moment, epoch, text = TIMES[case]
    event = one(tmp_path, log_event("P", "1", "C", time=moment))
    assert (event.get("_time"), event.get("SystemTime")) == (epoch, text)


def test_record_without_channel_and_with_a_short_computer_name(tmp_path: Path) -> None:
    event = one(tmp_path, log_event("P", "1", None, computer="WS-1"))
    assert "source" not in event
    assert "Channel" not in event
    assert event["host"] == "WS-1"


def test_forwarded_record_has_what_its_rendering_says(tmp_path: Path) -> None:
    rendering = element(
        "RenderingInfo", [element("Message", "A text"), element("Level", "Information")], Culture="en-US"
    )
    event = one(tmp_path, log_event("P", "1", "C", rendering))
    assert event["Message"] == "A text"
    assert event["Level"] == ["4", "Information"]
    assert "Culture" not in event


def test_event_without_a_system_part(tmp_path: Path) -> None:
    event = one(tmp_path, element("Event", [element("EventData", [data("x", "a")])]))
    assert event == {
        "sourcetype": "XmlWinEventLog",
        "_raw": "<Event><EventData><Data Name='a'>x</Data></EventData></Event>",
        "a": "x",
    }


def many_events(count: int) -> list[Any]:
    """Events that fill several chunks."""
    return [log_event("P", str(number), "C", element("EventData", [data("x" * 300, "a")])) for number in range(count)]


def codes(events: list[Event | None]) -> list[int | None]:
    """Their event codes."""
    return [event if event is None else int(str(event["EventCode"])) for event in events]


def test_log_of_several_chunks_keeps_its_order(tmp_path: Path) -> None:
    path = evtxfile.write_evtx(tmp_path / "e.evtx", many_events(150))
    assert path.stat().st_size > 4_096 + 2 * evtxfile.CHUNK_SIZE
    events, findings = read(path)
    assert codes(events) == list(range(150))
    assert findings == []


def test_damaged_records_are_findings_and_the_others_go_on(tmp_path: Path) -> None:
    content = evtxfile.evtx_bytes(many_events(5))
    for number in (2, 5):
        content = evtxfile.damage_record(content, number)
    events, findings = read(tmp_path / "e.evtx", content)
    assert codes(events) == [0, None, 2, 3, None]
    assert [finding.partition(" (")[0] for finding in findings] == [
        f"e.evtx:{number}: error event-record-damaged: record {number} is damaged and left out" for number in (2, 5)
    ]


def test_damage_that_hides_the_rest_of_a_chunk(tmp_path: Path) -> None:
    content = bytearray(evtxfile.evtx_bytes(many_events(150)))
    second = content.index(evtxfile.RECORD_MAGIC, content.index(evtxfile.RECORD_MAGIC) + 1)
    content[second] = 0
    events, findings = read(tmp_path / "e.evtx", bytes(content))
    found = codes(events)
    assert found[:2] == [0, None]
    assert found[2:] == list(range(150 - len(found) + 2, 150))
    assert len(findings) == 1
    assert findings[0].startswith("e.evtx:2: error event-record-damaged: behind record 1 the log is damaged (")


def test_log_that_is_cut_off(tmp_path: Path) -> None:
    content = evtxfile.evtx_bytes(many_events(150))[: 4_096 + evtxfile.CHUNK_SIZE + 1_000]
    events, findings = read(tmp_path / "e.evtx", content)
    assert 0 < len(events) < 150
    message = "the file is cut off, its last records may be missing; copy the log once more"
    assert findings == [f"e.evtx:1: error event-file-damaged: {message}"]


def test_log_without_records(tmp_path: Path) -> None:
    assert read(tmp_path / "e.evtx", evtxfile.evtx_bytes([])) == ([], [])


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 8_000), st.integers(0, 255)), min_size=1, max_size=8))
def test_no_damage_raises_an_exception(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    content = bytearray(evtxfile.evtx_bytes([build()[0] for build in LOG_CASES.values()]))
    for place, value in changes:
        content[place] = value
    events, findings = read(tmp_path / "e.evtx", bytes(content))
    assert events.count(None) <= len(findings)


def test_the_writers_files_are_sound(tmp_path: Path) -> None:
    path = evtxfile.write_evtx(tmp_path / "e.evtx", many_events(150))
    records = list(PyEvtxParser(str(path), validate_checksums=True).records())
    assert [record["event_record_id"] for record in records if record] == list(range(1, 151))
