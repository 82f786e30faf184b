"""Event files of text for ``build.py match``: what becomes of each record, and what a faulty one is told."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builder import events as module
from builder.events import Event, read_events
from builder.findings import Finding
from tests.support.eventfiles import read

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
