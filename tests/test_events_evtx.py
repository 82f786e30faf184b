"""Windows event logs for ``build.py match``: what becomes of each record, and what a damaged one is told.

The logs are written by ``tests.support.evtxfile``, so no sample of others is needed.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from evtx import PyEvtxParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builder.events import Event
from tests.support import evtxfile
from tests.support.eventfiles import read
from tests.support.evtxfile import element

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
