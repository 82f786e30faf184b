"""Faults of a mapping file: each is reported with its line, and no file is taken for what it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.mappings import MappingError, Mappings, read_mappings
from sigmaengine.routing import RoutingTable

GOOD = """\
version: 1
logsources:
  - product: windows
    category: process_creation
    source: Splunk Add-on for Microsoft Windows, sourcetypes
    events:
      - when: {channel: Security, EventID: [1, 2]}
        decode: xml
        use: [common]
        fields:
          Image:
            own: false
            windows_xml: [NewProcessName, {field: Name, unquote: true}]
            cim: {field: process, nth: 2}
"""
SHARED = """\
version: 1
keys:
  channel: [Channel, {field: source, prefix: ["WinEventLog:"]}]
fieldsets:
  common:
    User: {cim: user}
"""


def read(folder: Path, **files: str | bytes) -> Mappings:
    """The mappings of files that are written into ``folder``."""
    for name, text in files.items():
        (folder / f"{name}.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_mappings(folder)


def faults(folder: Path, **files: str | bytes) -> list[tuple[str, int, str]]:
    """(file name, line, message) of every fault."""
    with pytest.raises(MappingError) as caught:
        read(folder, **files)
    assert str(caught.value)
    assert all(finding.severity == "error" for finding in caught.value.findings)
    return [(Path(finding.path).name, finding.line, str(finding)) for finding in caught.value.findings]


def test_good_files_compile_whatever_their_order(tmp_path: Path) -> None:
    # "a" uses what "b" holds.
    mappings = read(tmp_path, a=GOOD, b=SHARED)
    assert isinstance(mappings.routing, RoutingTable)
    assert [(str(one.logsource), Path(one.path).name, one.line) for one in mappings.sources] == [
        ("windows/process_creation/*", "a.yml", 3)
    ]
    assert mappings.table == {
        "keys": {"channel": [["Channel"], ["source", "prefix", ["WinEventLog:"]]]},
        "alternatives": [
            [
                ["windows", "process_creation", ""],
                [["channel", ["security"]], ["EventID", ["1", "2"]]],
                True,
                {
                    "Image": [
                        False,
                        [
                            ["windows_xml", ["NewProcessName"]],
                            ["windows_xml", ["Name", "unquote", True]],
                            ["cim", ["process", "nth", 2]],
                        ],
                    ],
                    "User": [True, [["cim", ["user"]]]],
                },
            ]
        ],
    }


# What is replaced in GOOD, by what, the line of the fault, and what its message names.
FAULTS: dict[str, tuple[str, str, int, str]] = {
    "unknown key of the file": ("version: 1\n", "version: 1\nlogsource: []\n", 2, "'logsource'"),
    "no version": ("version: 1\n", "", 1, "version"),
    "another version": ("version: 1", "version: 2", 1, "version"),
    "version as text": ("version: 1", "version: '1'", 1, "version"),
    "version as boolean": ("version: 1", "version: true", 1, "version"),
    "log sources as a mapping": (GOOD.split("\n", 1)[1], "logsources: {a: b}\n", 2, "logsources"),
    "log sources as text": (GOOD.split("\n", 1)[1], "logsources: abc\n", 2, "logsources"),
    "log source as text": (GOOD.split("\n", 1)[1], "logsources:\n  - abc\n", 3, "mapping"),
    "unknown key of a log source": ("    category:", "    categroy:", 4, "'categroy'"),
    "log source that is none": (
        "product: windows\n    category: process_creation\n    source",
        "source",
        3,
        "product, a category or a service",
    ),
    "product as a number": ("product: windows", "product: 5", 3, "product"),
    "product as a list": ("product: windows", "product: [windows]", 3, "product"),
    "no source": ("    source: Splunk Add-on for Microsoft Windows, sourcetypes\n", "", 3, "source"),
    "empty source": ("source: Splunk Add-on for Microsoft Windows, sourcetypes", "source: ' '", 3, "source"),
    "no events": (GOOD[GOOD.index("    events") :], "", 3, "events"),
    "empty events": (GOOD[GOOD.index("    events") :], "    events: []\n", 3, "events"),
    "event as text": (GOOD[GOOD.index("      - when") :], "      - abc\n", 7, "mapping"),
    "unknown key of an event": ("        fields:", "        felds:", 10, "'felds'"),
    "no when": ("when: {channel: Security, EventID: [1, 2]}", "name: x", 7, "when"),
    "empty when": ("{channel: Security, EventID: [1, 2]}", "{}", 7, "when"),
    "when as text": ("{channel: Security, EventID: [1, 2]}", "Security", 7, "when"),
    # Would be compared with the texts "None" and "{'a': 'b'}".
    "when with null": ("EventID: [1, 2]", "EventID: null", 7, "EventID"),
    "when with null in a list": ("EventID: [1, 2]", "EventID: [1, null]", 7, "EventID"),
    "when with a mapping": ("EventID: [1, 2]", "EventID: {a: b}", 7, "EventID"),
    "when with a list in a list": ("EventID: [1, 2]", "EventID: [[1]]", 7, "EventID"),
    # No event could ever be of it.
    "when with an empty list": ("EventID: [1, 2]", "EventID: []", 7, "EventID"),
    "unknown decode": ("decode: xml", "decode: json", 8, "decode"),
    "unknown field set": ("use: [common]", "use: [comon]", 9, "'comon'"),
    "unknown field set in a list": ("use: [common]", "use:\n          - common\n          - comon", 11, "'comon'"),
    "field set as a mapping": ("use: [common]", "use: {common: 1}", 9, "field set"),
    "field set as a list in a list": ("use: [common]", "use: [[common]]", 9, "field set"),
    "field set as empty text": ("use: [common]", "use: ''", 9, "field set"),
    "fields as empty text": (GOOD[GOOD.index("        fields:") :], "        fields: ''\n", 10, "fields"),
    "fields as a list": (GOOD[GOOD.index("        fields:") :], "        fields: [a]\n", 10, "fields"),
    "field as text": (GOOD[GOOD.index("          Image") :], "          Image: cmd\n", 11, "profile"),
    "unknown profile": ("cim:", "cmi:", 14, "'cmi'"),
    "own as a number": ("own: false", "own: 0", 12, "own"),
    "candidate as a number": ("{field: process, nth: 2}", "5", 14, "5"),
    "no candidate": ("{field: process, nth: 2}", "", 14, "name"),
    "empty candidate": ("{field: process, nth: 2}", "''", 14, "name"),
    "empty list of candidates": ("{field: process, nth: 2}", "[]", 14, "name"),
    "candidate with an unknown operation": ("nth: 2", "first: 2", 14, "first"),
    "candidate without an operation": (", nth: 2", "", 14, "field"),
    "nth of zero": ("nth: 2", "nth: 0", 14, "nth"),
    "nth as a boolean": ("nth: 2", "nth: true", 14, "nth"),
    "unquote false": ("unquote: true", "unquote: false", 13, "unquote"),
    "one candidate of several": (
        "cim: {field: process, nth: 2}",
        "cim:\n              - process\n              - {field: process, nth: 0}",
        16,
        "nth",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_reported_with_its_line(tmp_path: Path, name: str) -> None:
    old, new, line, fragment = FAULTS[name]
    assert GOOD.count(old) == 1
    found = faults(tmp_path, a=GOOD.replace(old, new), b=SHARED)
    assert [(file, number) for file, number, _ in found] == [("a.yml", line)]
    assert fragment in found[0][2]


SHARED_FAULTS: dict[str, tuple[str, str, int, str]] = {
    "keys as a list": (
        'keys:\n  channel: [Channel, {field: source, prefix: ["WinEventLog:"]}]',
        "keys: [a]",
        2,
        "'keys'",
    ),
    "key with an unknown operation": ("prefix:", "suffix:", 3, "suffix"),
    "prefix as text": ('["WinEventLog:"]', "WinEventLog", 3, "prefix"),
    "prefix as an empty list": ('["WinEventLog:"]', "[]", 3, "prefix"),
    "key without candidates": ('[Channel, {field: source, prefix: ["WinEventLog:"]}]', "", 3, "name"),
    "field sets as text": ("fieldsets:\n  common:\n    User: {cim: user}", "fieldsets: common", 4, "fieldsets"),
    "field set as text": ("common:\n    User: {cim: user}", "common: abc", 5, "fields"),
    "unknown profile in a field set": ("cim: user", "auto: user", 6, "'auto'"),
}


@pytest.mark.parametrize("name", SHARED_FAULTS)
def test_a_fault_of_what_is_shared_is_reported_with_its_line(tmp_path: Path, name: str) -> None:
    old, new, line, fragment = SHARED_FAULTS[name]
    assert SHARED.count(old) == 1
    found = [one for one in faults(tmp_path, a=GOOD, b=SHARED.replace(old, new)) if one[0] == "b.yml"]
    assert [number for _, number, _ in found] == [line]
    assert fragment in found[0][2]


@pytest.mark.parametrize(
    ("part", "line"),
    [
        pytest.param("fieldsets:\n  common:\n    User: {cim: src_user}\n", 3, id="field set"),
        pytest.param("keys:\n  channel: LogName\n", 3, id="key"),
    ],
)
def test_a_name_that_two_files_give_is_a_fault_of_the_second(tmp_path: Path, part: str, line: int) -> None:
    found = faults(tmp_path, a=GOOD, b=SHARED, c="version: 1\n" + part)
    assert [(file, number) for file, number, _ in found] == [("c.yml", line)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("version: 1\nlogsources: [\nkeys: {\n", None, id="syntax"),
        pytest.param("version: 1\nversion: 1\n", 2, id="duplicate key"),
        pytest.param("version: 1\n\tkeys: {}\n", 2, id="tab"),
        pytest.param("version: 1\n# caf\xe9\nkeys: {}\n".encode("latin-1"), 2, id="Latin-1"),
        pytest.param("version: 1\nkeys: !!python/none {}\n", 2, id="tag"),
        pytest.param("- version: 1\n", 1, id="list"),
        pytest.param("version\n", 1, id="scalar"),
    ],
)
def test_a_file_that_is_no_mapping_is_reported(tmp_path: Path, text: str | bytes, line: int | None) -> None:
    found = faults(tmp_path, a=GOOD, b=SHARED, c=text)
    assert {file for file, _, _ in found} == {"c.yml"}
    assert line is None or [number for _, number, _ in found] == [line]


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path, a=GOOD.replace("cim", "cmi").replace("decode: xml", "decode: 1"), b="version: 2\n", c="a: [\n"
    )
    # The field set "common" is missing too, since b.yml does not hold it.
    assert {(file, line) for file, line, _ in found} >= {("a.yml", 8), ("a.yml", 9), ("a.yml", 14), ("b.yml", 1)}
    assert any(file == "c.yml" for file, _, _ in found)


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "folder.yml").mkdir()
    found = faults(tmp_path, a=GOOD, b=SHARED)
    assert [(file, line) for file, line, _ in found] == [("folder.yml", 1)]
