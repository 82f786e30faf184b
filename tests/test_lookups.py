"""Lookups that analysts edit in Splunk: CSV files in the app's folder, and the packaged command that reads them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from builder.mappings import Mappings
from builder.package import app_files, compile_inputs, unpack
from builder.replay import event_chunk, rows
from builder.rulefiles import read_folders
from sigmaengine.results import EXPLAIN_FIELD
from tests.support.apps import Row
from tests.support.builds import ANY, UUID, rule, write
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.test_command import SYSMON, Run, run
from tests.test_layers import loaded

PROCESS_CREATION = "{product: windows, category: process_creation}"
FILTER = """
title: Not the laboratory
id: 00000000-0000-4000-8000-0000000000f1
logsource: {product: windows}
filter:
  rules: [servers, admins]
  selection: {Computer: lab*}
  condition: not selection
"""
FILES = {
    "plink": rule(1, "Image|endswith: \\plink.exe", title="Plink Run", logsource=PROCESS_CREATION),
    "tunnel": rule(2, "CommandLine|contains: '-R '", title="Tunnel, Reverse", level="high", logsource=PROCESS_CREATION),
    "seven": rule(3, "number: 7", title="Seven", logsource=ANY),
    "servers": rule(4, "Computer|expand: '%Servers%'", title="Servers", name="servers"),
    "admins": rule(5, "User|expand: '%Admins%'", title="Admins", name="admins"),
    # Numbers that are text here: 0x17 is compared as it is written, 1.50 too.
    "written": rule(
        6, "{User|expand: '%Servers%-%Admins%', number|contains: [0x17, 1.50], size: 0x17}", title="Written"
    ),
    "netcat": rule(7, "Image|endswith: /nc", title="Netcat", logsource="{product: linux, category: process_creation}"),
    "toast": rule(8, "crumbs: many", title="Toast", logsource="{product: toaster, service: crumbs}"),
    "filter": FILTER,
}
IDS = {name: f"{UUID}{number:02}" for number, name in enumerate(FILES, 1) if name != "filter"}

PLINK: Row = {"Channel": SYSMON, "EventCode": "1", "Image": "C:\\t\\plink.exe", "User": "AD\\svc", "Computer": "pc1"}
BOTH: Row = {**PLINK, "CommandLine": "plink -R 8080"}
CLASSIC: Row = {"LogName": "Security", "EventCode": "4688", "New_Process_Name": "C:\\t\\plink.exe", "User": "AD\\svc"}
SEVEN: Row = {"number": "7", "User": ["AD\\svc", "AD\\adm"]}
NOTHING: Row = {"number": "8"}


def table(*rows_of_cells: Sequence[str], newline: str = "\n") -> str:
    """CSV as outputlookup writes it: a header and rows, cells in quotes."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=newline).writerows(rows_of_cells)
    return text.getvalue()


def exceptions(*rows_of_cells: Sequence[str]) -> dict[str, str]:
    """The lookup of exceptions with these rows: rule, field, pattern, expiry."""
    padded = [[*cells, *[""] * (4 - len(cells))] for cells in rows_of_cells]
    return {"sigma_exceptions": table(["rule", "field", "pattern", "expiry"], *padded)}


def settings(*rows_of_cells: Sequence[str]) -> dict[str, str]:
    """The lookup of settings with these rows: id, enabled, level, risk_score."""
    return {"sigma_rule_settings": table(["id", "enabled", "level", "risk_score"], *rows_of_cells)}


def custom(*texts: str) -> dict[str, str]:
    """The lookup of custom rules with these."""
    return {"sigma_custom_rules": table(["rule"], *([text] for text in texts))}


def placeholders(*rows_of_cells: Sequence[str]) -> dict[str, str]:
    """The lookup of placeholders with these rows: name, value."""
    return {"sigma_placeholders": table(["name", "value"], *rows_of_cells)}


def log_sources(**cells: str) -> dict[str, str]:
    """The lookup of log sources with one row."""
    return {"sigma_log_sources": table(list(cells), list(cells.values()))}


@pytest.fixture(scope="module")
def edited_app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app built from FILES with a value for one of their two placeholders."""
    folder = write(tmp_path_factory.mktemp("rules"), **FILES)
    inputs = compile_inputs(read_folders([folder], {"Admins": ["root"]}), mappings)
    return unpack(app_files(inputs), tmp_path_factory.mktemp("edited"))


class Editor:
    """Writes lookups into an app and searches with it."""

    def __init__(self, app: Path, folder: Path) -> None:
        self.app, self.folder = app, folder
        self.lookups = app / "lookups"

    def write(self, lookups: Mapping[str, str | bytes]) -> None:
        """Put lookups there."""
        for name, content in lookups.items():
            data = content if isinstance(content, bytes) else content.encode()
            (self.lookups / f"{name}.csv").write_bytes(data)

    def search(self, events: Sequence[Row], *options: str, python: str = "") -> Run:
        """``| sigmamatch mode=annotate OPTIONS`` on events; fails if the search does."""
        result = run(self.app, ["mode=annotate", *options], [event_chunk(events)], self.folder, python)
        assert result.status == 0, result.messages
        assert result.stderr == ""
        return result


@pytest.fixture
def editor(edited_app: Path, tmp_path: Path) -> Iterator[Editor]:
    """An editor of the app; what it wrote is removed after the test."""
    kept = set((edited_app / "lookups").iterdir())
    yield Editor(edited_app, tmp_path)
    for path in set((edited_app / "lookups").iterdir()) - kept:
        path.rmdir() if path.is_dir() else path.unlink()


def values(cell: str | list[str]) -> list[str]:
    """The values of a field."""
    return cell if isinstance(cell, list) else [cell] if cell else []


def titles(result: Run) -> list[list[str]]:
    """For each event the titles of the rules that matched."""
    return [values(row["sigma_rule_title"]) for row in rows(result.bodies[0])]


class Case(NamedTuple):
    """Lookups, events and options; the titles that match each event, and what messages must say."""

    lookups: dict[str, str]
    events: list[Row]
    expected: list[list[str]]
    told: Sequence[str] = ()
    options: Sequence[str] = ()


TUNNEL, RUN = "Tunnel, Reverse", "Plink Run"
CUSTOM = rule(60, "number: 8", title="Eight", logsource=ANY, level="critical")
BROKEN = rule(61, "number|nosuch: 8", title="Broken one", logsource=ANY)
DAY = 86_400

CASES: dict[str, Case] = {
    "no-lookup": Case({}, [BOTH, SEVEN, NOTHING], [[TUNNEL, RUN], ["Seven"], []]),
    # --- exceptions
    "exception-by-id": Case(
        exceptions([IDS["plink"].upper(), "User", "ad\\SVC"]),
        [BOTH, SEVEN],
        [[TUNNEL], ["Seven"]],
        [
            "lookups in use: sigma_exceptions",
            "1 match suppressed by exceptions: 1 by row 1 (Plink Run)",
        ],
    ),
    "exception-by-title": Case(exceptions(["plink run", "User", "AD\\svc"]), [BOTH], [[TUNNEL]]),
    "exception-by-glob": Case(exceptions(["*-0000000000*", "User", "AD\\svc"]), [BOTH], [[]]),
    "exception-of-another-value": Case(exceptions(["*", "User", "AD\\adm"]), [BOTH], [[TUNNEL, RUN]]),
    "exception-is-the-whole-value": Case(exceptions(["*", "User", "svc"]), [BOTH], [[TUNNEL, RUN]]),
    "exception-any-value-of-several": Case(exceptions(["Seven", "User", "*\\adm"]), [SEVEN], [[]]),
    "exception-question-mark": Case(exceptions(["*", "User", "AD?sv?"]), [BOTH], [[]]),
    "exception-escaped-star": Case(exceptions(["*", "User", "AD\\\\\\*"]), [BOTH], [[TUNNEL, RUN]]),
    "exception-escaped-star-literal": Case(exceptions(["*", "User", "a\\*"]), [{"number": "7", "User": "a*"}], [[]]),
    "exception-without-a-value": Case(exceptions(["*", "Nowhere", "*"]), [BOTH], [[TUNNEL, RUN]]),
    "exception-by-the-rules-name-of-a-field": Case(
        exceptions(["*", "Image", "*\\plink.exe"]), [CLASSIC, PLINK], [[], []]
    ),
    "exception-on-raw": Case(exceptions(["Seven", "_raw", "*lab*"]), [{"number": "7", "_raw": "in the LAB"}], [[]]),
    "exception-non-ascii-case": Case(exceptions(["*", "User", "ÄÖÜ"]), [{"number": "7", "User": "äöü"}], [[]]),
    "exception-with-several-patterns": Case(
        {"sigma_exceptions": 'rule,field,pattern,__mv_pattern\nSeven,User,"x\ny","$x$;$AD\\svc$"\n'}, [SEVEN], [[]]
    ),
    "exception-of-profile-none": Case(
        exceptions(["*", "Image", "*"]), [{**CLASSIC, "Image": ""}], [[]], options=["fields=none"]
    ),
    "exception-expired": Case(
        exceptions(
            ["*", "User", "*", "2020-01-01"],
            ["*", "User", "*", "2020-01-01T10:00:00+02:00"],
            ["*", "User", "*", "1577836800"],
        ),
        [BOTH],
        [[TUNNEL, RUN]],
        ["sigma_exceptions", "(3 rows, 3 expired)"],
    ),
    "exception-not-yet-expired": Case(exceptions(["*", "User", "*", "2999-12-31"]), [BOTH], [[]]),
    "exception-expires-by-epoch": Case(exceptions(["*", "User", "*", "32503680000.5"]), [BOTH], [[]]),
    "exception-expires-by-milliseconds": Case(
        exceptions(["*", "User", "*", "1577836800000"]), [BOTH], [[TUNNEL, RUN]], ["1 expired"]
    ),
    "exception-expiry-unreadable": Case(
        exceptions(["*", "User", "*", "next week"], ["*", "User", "*", "2020-13-01"], ["*", "User", "*", "20300101"]),
        [BOTH],
        [[TUNNEL, RUN]],
        ["row 1: the expiry 'next week' is no date", "row 2: the expiry '2020-13-01'", "row 3: the expiry '20300101'"],
    ),
    "exception-without-a-pattern": Case(
        exceptions(["Seven", "User", ""], ["Seven", "", "x"], ["", "User", "x"], ["Seven", "sigma_level", "x"]),
        [SEVEN],
        [["Seven"]],
        [
            "row 1: it has no pattern; a rule as a whole is switched off in the lookup sigma_rule_settings",
            "row 2: it has no field",
            "row 3: it names no rule",
            "row 4: 'sigma_level' is no field of events",
        ],
    ),
    "exception-of-no-rule": Case(
        exceptions(["Sevem", "User", "*"], ["*nothing*", "User", "*"], ["Seven", "User", "*"]),
        [SEVEN],
        [[]],
        ["row 1: no rule has the id or title 'Sevem'; row 2: no rule has the id or title '*nothing*'"],
    ),
    # --- settings
    "rule-off": Case(
        settings([IDS["plink"], "false", "", ""]), [BOTH], [[TUNNEL]], ["sigma_rule_settings", "1 rule switched off"]
    ),
    "rule-off-by-glob-but-one": Case(
        settings(["Tunnel, Reverse", "YES", "", ""], ["*", "0", "", ""]), [BOTH, SEVEN], [[TUNNEL], []]
    ),
    "later-row-counts": Case(settings(["Seven", "no", "", ""], ["Seven", "1", "", ""]), [SEVEN], [["Seven"]]),
    "level-orders": Case(settings([IDS["plink"], "", "Critical", ""]), [BOTH], [[RUN, TUNNEL]]),
    "level-selects": Case(settings([IDS["plink"], "", "critical", ""]), [BOTH], [[RUN]], options=["level=critical"]),
    "level-selects-no-more": Case(
        settings([IDS["tunnel"], "", "low", ""], [IDS["seven"], "", "high", ""]), [BOTH], [[]], (), ["level=high"]
    ),
    "settings-that-say-nothing-usable": Case(
        settings(
            ["Seven", "maybe", "severe", "101"],
            ["", "false", "", ""],
            ["Unknown", "false", "", ""],
            ["Seven", "", "", "1e1"],
        ),
        [SEVEN],
        [["Seven"]],
        [
            "row 1: enabled is true or false, not 'maybe'",
            "row 1: 'severe' is no level; there are informational",
            "row 1: risk_score is a number from 0 to 100, not '101'",
            "row 2: it names no rule",
            "row 3: no rule has the id or title 'Unknown'",
            "row 4: risk_score",
        ],
    ),
    # --- custom rules
    "custom-rule": Case(custom(CUSTOM), [NOTHING, SEVEN], [["Eight"], ["Seven"]], ["sigma_custom_rules", "1 in use"]),
    "custom-rule-of-a-packaged-log-source": Case(
        custom(rule(60, "User: AD\\svc", title="Own", logsource=PROCESS_CREATION)), [BOTH], [[TUNNEL, RUN, "Own"]]
    ),
    "custom-rule-in-place-of-a-packaged-one": Case(
        custom(rule(1, "Image|endswith: \\nothing.exe", title="Plink Mine", logsource=PROCESS_CREATION)),
        [BOTH],
        [[TUNNEL]],
        [f"1 in the place of packaged ones: Plink Run ({IDS['plink']})"],
    ),
    "custom-rules-broken-and-not": Case(
        custom(BROKEN, CUSTOM, "title: [", "- a list", rule(60, "x: y", title="Again"), "a: 1\n---\nb: 2"),
        [NOTHING],
        [["Eight"]],
        [
            "row 1: 'Broken one', line 8: unknown modifier 'nosuch'",
            "row 3: line 1: this is no YAML",
            "row 4: line 1: a rule is a mapping",
            f"row 5: 'Again': the id {UUID}60 is that of row 2 already",
            "row 6: line 1: there is no 'detection' in it",
            "row 6: line 3: there is no 'detection' in it",
        ],
    ),
    "custom-rules-several-documents-and-a-filter": Case(
        custom(
            CUSTOM
            + "---\n"
            + rule(62, "number: 8", title="Second", logsource=ANY, name="second")
            + "---\ntitle: F\nlogsource: {definition: x}\n"
            + "filter: {rules: [second], s: {User: root}, condition: not s}\n"
        ),
        [NOTHING, {**NOTHING, "User": "root"}],
        [["Eight", "Second"], ["Eight"]],
    ),
    "custom-rules-action-global": Case(
        custom("action: global\nlevel: high\n---\n" + CUSTOM.replace("level: critical\n", "")), [NOTHING], [["Eight"]]
    ),
    "custom-rule-that-counts": Case(
        custom(
            rule(63, "number: 8", "selection | count() > 3", title="Counts", logsource=ANY).replace(
                "detection:\n", "detection:\n  timeframe: 1m\n"
            ),
            "title: C\ncorrelation: {type: event_count, rules: [x], timespan: 1m, condition: {gt: 1}}",
        ),
        [NOTHING],
        [[]],
        [
            "row 1: 'Counts', a rule that counts (an aggregation) has to be given to the build",
            "row 2: 'C', a correlation",
        ],
    ),
    "custom-rules-not-enabled": Case(
        {"sigma_custom_rules": table(["enabled", "rule"], ["false", CUSTOM], ["perhaps", CUSTOM], ["true", ""])},
        [NOTHING],
        [[]],
        ["row 2: enabled is true or false, not 'perhaps'", "row 3: there is no rule in it", "3 not enabled, 0 in use"],
    ),
    "custom-rule-selected-by-options": Case(
        custom(CUSTOM), [{"number": "7"}, NOTHING], [[], ["Eight"]], (), ["rules=E*"]
    ),
    "custom-rule-excepted-and-set": Case(
        {**custom(CUSTOM), **exceptions(["Eight", "User", "root"]), **settings(["Eight", "", "low", ""])},
        [NOTHING, {**NOTHING, "User": "root"}],
        [["Eight"], []],
    ),
    "custom-rule-with-a-placeholder-of-the-build": Case(
        custom(rule(60, "User|expand: '%Admins%'", title="Own", logsource=ANY)), [{"User": "root"}], [["Own"]]
    ),
    "custom-rule-with-a-placeholder-of-the-lookup": Case(
        {
            **custom(rule(60, "User|expand: '%Own%'", title="Own", logsource=ANY)),
            **placeholders(["Own", "me*"]),
        },
        [{"User": "Melinda"}],
        [["Own"]],
    ),
    # --- placeholders
    "placeholder-of-the-build": Case(
        {},
        [{**PLINK, "Image": "x", "User": "root"}],
        [["Admins"]],
        ["2 rules wait for placeholders: %Servers% (2)"],
    ),
    "placeholder-defined": Case(
        placeholders(["Servers", "srv-*"], ["%Servers%", "db?"]),
        [{**PLINK, "Image": "x", "Computer": name} for name in ("SRV-1", "db1", "db", "lab")],
        [["Servers"], ["Servers"], [], []],
        ["2 rules expanded"],
    ),
    "placeholder-redefined": Case(
        placeholders(["Admins", "boss"]),
        [{**PLINK, "Image": "x", "User": name} for name in ("root", "BOSS")],
        [[], ["Admins"]],
        ["1 rule expanded", "2 rules wait for placeholders: %Servers% (2)"],
    ),
    "placeholder-and-the-filter-of-the-build": Case(
        placeholders(["Servers", "l*"]),
        [{**PLINK, "Image": "x", "Computer": name} for name in ("lab1", "lap1")],
        [[], ["Servers"]],
    ),
    "placeholder-and-numbers-as-written": Case(
        placeholders(["Servers", "s"]),
        [
            {**PLINK, "Image": "x", "User": "s-root", "number": "a0x17", "size": "23"},
            {**PLINK, "Image": "x", "User": "s-root", "number": "a1.50", "size": "23.0"},
            {**PLINK, "Image": "x", "User": "s-root", "number": "a1.5", "size": "23"},
            {**PLINK, "Image": "x", "User": "s-root", "number": "a23", "size": "23"},
        ],
        [["Written"], ["Written"], [], []],
    ),
    "placeholder-faults": Case(
        placeholders(["a b", "x"], ["Servers", ""], ["Unused", "x"], ["", "x"]),
        [SEVEN],
        [["Seven"]],
        [
            "row 1: 'a b' is no placeholder's name",
            "row 2: the placeholder 'Servers' has no value there",
            "row 4: '' is no placeholder's name",
            "no rule uses the placeholder %Unused%",
        ],
    ),
    "placeholder-in-rule-text": Case(
        placeholders(["Own", "me*"]), [{"a": "Melinda"}, {"a": "x"}], [["adhoc"], []], (), ["rule=@"]
    ),
    # --- log sources
    "sourcetype-renamed": Case(
        log_sources(product="linux", category="process_creation", sourcetype="ACME:sysmon*"),
        [{"sourcetype": "acme:sysmon:linux", "Image": "/bin/nc"}, {"sourcetype": "acme", "Image": "/bin/nc"}],
        [["Netcat"], []],
    ),
    "renamed-keeps-field-names": Case(
        log_sources(product="windows", category="process_creation", index="edr", event_code="4688"),
        [
            {"index": "edr", "EventCode": "4688", "New_Process_Name": "C:\\plink.exe"},
            {"index": "edr", "EventCode": "1", "New_Process_Name": "C:\\plink.exe"},
            {"index": "other", "EventCode": "4688", "New_Process_Name": "C:\\plink.exe"},
        ],
        [[RUN], [], []],
    ),
    "renamed-of-several-kinds": Case(
        log_sources(product="windows", category="process_creation", source="*edr"),
        [
            {"source": "my edr", "New_Process_Name": "C:\\plink.exe"},
            {"source": "my edr", "process_path": "C:\\plink.exe"},
            {"source": "my edr", "Image": "C:\\plink.exe"},
        ],
        [[RUN], [RUN], [RUN]],
    ),
    "log-source-without-a-mapping": Case(
        log_sources(product="Toaster", service="crumbs", index="kitchen"),
        [{"index": "kitchen", "crumbs": "many"}, {"crumbs": "many"}],
        [["Toast"], []],
    ),
    "log-source-faults": Case(
        {
            "sigma_log_sources": table(
                ["product", "category", "index"], ["", "", "a"], ["windows", "", ""], ["vax", "vms", "a"]
            )
        },
        [SEVEN],
        [["Seven"]],
        [
            "row 1: it names no log source",
            "row 2: it does not say which events are windows/*/*",
            "row 3: no rule asks for vax/vms/*",
        ],
    ),
}
ADHOC = "rule=" + rule(70, "a|expand: '%Own%'", title="adhoc", logsource=ANY)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_lookups(case: Case, editor: Editor) -> None:
    editor.write(case.lookups)
    result = editor.search(case.events, *(ADHOC if option == "rule=@" else option for option in case.options))
    assert titles(result) == case.expected
    told = "\n".join(text for _, text in result.messages)
    for text in case.told:
        assert text in told


# --- what a file may look like ------------------------------------------------------------------

ROW = '"Seven","User","AD\\svc"'
HEAD = "rule,field,pattern"
#: Files whose one exception is in force.
READABLE: dict[str, bytes] = {
    "plain": f"{HEAD}\n{ROW}\n".encode(),
    "no-line-end": f"{HEAD}\n{ROW}".encode(),
    "crlf": f"{HEAD}\r\n{ROW}\r\n".encode(),
    "bom": f"\ufeff{HEAD}\n{ROW}\n".encode(),
    "bom-and-quotes": b'\xef\xbb\xbf"rule","field","pattern"\r\n' + ROW.encode(),
    "columns-in-another-order": b'pattern,rule,field\n"AD\\svc",Seven,User\n',
    "columns-of-splunk": b'_key,_user,rule,field,pattern,__mv_rule,extra\n1,nobody,Seven,User,"AD\\svc",,\n',
    "empty-rows": f"{HEAD}\n\n,,\n\r\n{ROW}\n\n".encode(),
    "blanks-around-names": b'Rule , FIELD,pattern\n Seven , User ,"AD\\svc"\n',
    "cells-missing-at-the-end": b'rule,field,pattern,comment,expiry\nSeven,User,"AD\\svc"\n',
    "comment-over-lines": f'{HEAD},comment\n{ROW},"a ""b"", c\r\nd\ne"\n'.encode(),
    "nul-in-a-comment": f"{HEAD},comment\n{ROW},a\0b\n".encode(),
}


@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE)
def test_a_file_that_can_be_read(content: bytes, editor: Editor) -> None:
    editor.write({"sigma_exceptions": content})
    result = editor.search([SEVEN])
    assert titles(result) == [[]]
    assert result.told("WARN") == []


def _other_rows(count: int) -> bytes:
    return f"{HEAD}\n{ROW}\n".encode() + b"Seven,User,never\n" * count


#: Files that are wrong: what is said, and whether the exception in them is in force.
FAULTY: dict[str, tuple[bytes, str, bool]] = {
    "empty": (b"", "is not used: it has no column rule; there are rule, field, pattern, comment", False),
    "column-missing": (b"rule,field\nSeven,User\n", "it has no column pattern", False),
    "no-table": (b"\x00\x01\x02" * 100, "it has no column rule", False),
    "utf-16": (f"{HEAD}\n{ROW}\n".encode("utf-16"), "is not used: it is UTF-16; save it as UTF-8", False),
    "latin-1-row": (f"{HEAD}\n{ROW}\n*,User,f\u00fcr\n".encode("latin-1"), "row 2: '*,User,f?r' is no UTF-8", True),
    "cells-too-many": (f"{HEAD}\n{ROW}\nSeven,User,a,b\n".encode(), "row 2: it has 4 cells and the header 3", True),
    "quote-open": (f'{HEAD}\n{ROW}\nSeven,User,"a\nx,y,z\n'.encode(), "row 2: a quote is opened and never", True),
    "rows-too-many": (_other_rows(10_005), "rows from 10001 on are not used: 10000 are read at most", True),
    "too-large": (_other_rows(300_000), "is not used: it has 5100043 bytes, 4000000 are read at most", False),
    "globs-too-many": (_other_rows(0) + b"Sev*,User,x\n" * 501, "row 502: it names rules by a glob, as over 500", True),
}


@pytest.mark.parametrize(("content", "message", "used"), FAULTY.values(), ids=FAULTY)
def test_a_faulty_file_is_told_once_and_what_can_be_used_is(
    content: bytes, message: str, used: bool, editor: Editor
) -> None:
    editor.write({"sigma_exceptions": content, **settings([IDS["plink"], "false", "", ""])})
    result = editor.search([SEVEN, BOTH])
    assert titles(result) == [[] if used else ["Seven"], [TUNNEL]]
    (warning,) = result.told("WARN")
    assert warning.startswith("sigmamatch: sigma_exceptions: ")
    assert message in warning


def test_what_is_no_file_is_told(editor: Editor) -> None:
    (editor.lookups / "sigma_exceptions.csv").mkdir()
    os.mkfifo(editor.lookups / "sigma_placeholders.csv")
    result = editor.search([SEVEN])
    assert titles(result) == [["Seven"]]
    assert sorted(result.told("WARN")) == [
        "sigmamatch: sigma_exceptions: is no file",
        "sigmamatch: sigma_placeholders: is no file",
    ]


def test_many_faults_are_one_message_that_counts(editor: Editor) -> None:
    editor.write(exceptions(*[["Seven", "", "x"]] * 25))
    (warning,) = editor.search([SEVEN]).told("WARN")
    assert warning.count("it has no field") == 10
    assert warning.endswith("; and 15 more")


BOUNDED = {
    "aliases": (
        "x: &a [" + "1," * 50_000 + "]\ny: [*a, *a, *a]\n",
        "row 2: not used: the rows before it hold over 200000",
    ),
    "depth": ("[" * 100, "row 1: line 1: more than 40 levels"),
}


@pytest.mark.parametrize(("text", "message"), BOUNDED.values(), ids=BOUNDED)
def test_custom_rules_are_bounded(text: str, message: str, editor: Editor) -> None:
    editor.write(custom(text, CUSTOM))
    (warning,) = editor.search([NOTHING]).told("WARN")
    assert message in warning


# --- what a search is told ----------------------------------------------------------------------

EVERYTHING = {
    **exceptions([IDS["tunnel"], "User", "AD\\s*"], ["Seven", "User", "AD\\adm"]),
    **settings([IDS["plink"], "", "critical", "7"], ["Servers", "true", "", "0.0"]),
    **custom(CUSTOM, BROKEN),
    **placeholders(["Servers", "pc*"]),
    **log_sources(product="linux", category="process_creation", sourcetype="my:*"),
}


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
def test_all_lookups_in_a_process_of_its_own(version: str, editor: Editor) -> None:
    editor.write(EVERYTHING)
    events: list[Row] = [BOTH, SEVEN, NOTHING, {"sourcetype": "my:own", "Image": "/bin/nc"}]
    result = editor.search(events, python=splunk_python(version))
    assert titles(result) == [[RUN, "Servers"], [], ["Eight"], ["Netcat"]]
    row = next(rows(result.bodies[0]))
    assert row["sigma_level"] == ["critical", "low"]
    assert row["sigma_severity"] == "critical"
    assert row["sigma_risk_score"] == "7"
    assert [json.loads(text)["score"] for text in row["sigma_match"]] == [7, 0]
    assert len(result.told("WARN")) == 1
    (lookups,) = [text for text in result.told("INFO") if "lookups in use" in text]
    assert re.sub(r"\b[0-9a-f]{12}\b", "HASH", lookups) == (
        "sigmamatch: lookups in use: sigma_log_sources HASH (1 row);"
        " sigma_placeholders HASH (1 row, 2 rules expanded); sigma_custom_rules HASH (2 rows, 1 in use);"
        " sigma_rule_settings HASH (2 rows); sigma_exceptions HASH (2 rows)"
    )
    (suppressed,) = [text for text in result.told("INFO") if "suppressed" in text]
    assert suppressed.endswith("2 matches suppressed by exceptions: 1 by row 1 (Tunnel, Reverse); 1 by row 2 (Seven)")
    figures = result.figures
    assert (figures["matched"], figures["suppressed"]) == (3, 2)
    assert (figures["sigma_exceptions"], figures["sigma_custom_rules"]) == (2, 2)


def test_the_hash_is_that_of_the_file(editor: Editor) -> None:
    # printf 'rule,field,pattern\n' | sha256sum
    editor.write({"sigma_exceptions": b"rule,field,pattern\n"})
    told = [text for text in editor.search([SEVEN]).told("INFO") if "lookups" in text]
    assert told == ["sigmamatch: lookups in use: sigma_exceptions 275d8e55e061 (0 rows)"]


def test_filter_mode_drops_events_without_another_match(editor: Editor) -> None:
    editor.write(exceptions(["Plink Run", "User", "*"]))
    result = editor.search([PLINK, BOTH], "mode=filter")
    assert titles(result) == [[TUNNEL]]
    assert result.figures["matched"] == 1


def test_rule_text_knows_no_exceptions(editor: Editor) -> None:
    editor.write({**exceptions(["*", "User", "*"]), **settings(["*", "false", "", ""])})
    result = editor.search([SEVEN], "selection={number: 7}")
    assert titles(result) == [["{number: 7}"]]


def test_a_search_for_rules_that_are_off_says_so(editor: Editor) -> None:
    editor.write(settings(["Seven", "false", "", ""]))
    result = run(editor.app, ["rules=Seven"], [event_chunk([SEVEN])], editor.folder)
    assert result.status == 1
    assert "; 1 rule switched off or replaced by lookups" in result.told("ERROR")[0]


def test_required_fields_take_in_those_of_exceptions(editor: Editor) -> None:
    editor.write({**exceptions(["*", "User", "*"], ["*", "Image", "x"]), **log_sources(product="windows", index="a")})
    result = editor.search([SEVEN], "required=auto", "rules=Tunnel*reverse")
    fields = result.replies[0][0]["required_fields"]
    assert {"User", "Image", "New_Process_Name", "index"} <= set(fields)


def test_without_a_lookup_nothing_of_them_is_loaded(edited_app: Path) -> None:
    """A search's start may not pay for what is not there."""
    program = f"""
import sys; sys.path.insert(0, {str(edited_app / "bin")!r})
from sigmaengine import overrides, ruleset
found = overrides.Overrides({str(edited_app / "lookups")!r})
found.apply(ruleset.load({str(edited_app / "bin" / "ruleset")!r}))
"""
    names = {name.rpartition(".")[2] for name in loaded(program) if name.startswith("sigmaengine.")}
    assert "overrides" in names
    assert names.isdisjoint({"exceptions", "rulesettings", "customrules", "expanding", "filters", "ruletext"})
    assert "yaml" not in names


# --- explanations -------------------------------------------------------------------------------

LONG = "x" * 1000
EXPLAINED: dict[str, tuple[str, Row, list[dict[str, Any]]]] = {
    "the-value-that-matched": (
        "{User|endswith: adm}",
        {"User": ["AD\\svc", "AD\\adm", "X\\adm"]},
        [{"field": "User", "value": "AD\\adm", "pattern": "*adm"}],
    ),
    "all-each-with-its-value": (
        "{User|contains|all: [s, m]}",
        {"User": ["as", "am"]},
        [{"value": "as", "pattern": "*s*"}, {"value": "am", "pattern": "*m*"}],
    ),
    "regex-of-several-values": (
        "{User|re|i: 'A[0-9]'}",
        {"User": ["a", "a1"]},
        [{"value": "a1", "pattern": "/A[0-9]/i"}],
    ),
    "reference-shows-both": (
        "{One|fieldref|endswith: Other}",
        {"One": ["x", "by"], "Other": ["z", "Y"]},
        [{"field": "One", "value": "by", "pattern": "endswith field Other", "other_value": "Y"}],
    ),
    "reference-to-the-same": (
        "{One|fieldref: Other}",
        {"One": ["a", "b"], "Other": "B"},
        [{"value": "b", "pattern": "field Other", "other_value": "B"}],
    ),
    "keyword-in-raw": (
        "[nothing, needle]",
        {"_raw": f"{LONG}A Needle{LONG}"},
        [{"field": "", "value": f"...{LONG[:98]}A Needle{LONG[:294]}...", "pattern": "*needle*"}],
    ),
    "keyword-by-regex": (
        "{'|re': 'n..dle'}",
        {"_raw": f"{LONG}needle"},
        [{"value": f"...{LONG[:100]}needle", "pattern": "/n..dle/"}],
    ),
    "keyword-in-a-field": (
        "{'|all': [needle, hay]}",
        {"a": "the needle", "b": "in the hay"},
        [{"value": "the needle", "pattern": "*needle*"}, {"value": "in the hay", "pattern": "*hay*"}],
    ),
    "neq-is-negative": ("{a: 1, b|neq: 2}", {"a": "1", "b": "3"}, [{"field": "a", "value": "1"}]),
    "number": ("{a: 1.0}", {"a": ["x", "1"]}, [{"value": "1", "pattern": "1.0"}]),
    "compared": ("{a|gte: 5}", {"a": ["1", "7"]}, [{"value": "7", "pattern": ">= 5"}]),
    "network": ("{a|cidr: 10.0.0.0/8}", {"a": ["x", "10.1.1.1"]}, [{"value": "10.1.1.1", "pattern": "10.0.0.0/8"}]),
    "exists": ("{a|exists: true}", {"a": ["x", "y"]}, [{"value": "x", "pattern": "has a value"}]),
}


@pytest.mark.parametrize(("selection", "event", "items"), EXPLAINED.values(), ids=EXPLAINED)
def test_explanation(selection: str, event: Row, items: list[dict[str, Any]], editor: Editor) -> None:
    result = editor.search([event], f"selection={selection}", "explain=true")
    (row,) = rows(result.bodies[0])
    found = json.loads(str(row[EXPLAIN_FIELD]))["items"]
    assert [{key: item[key] for key in expected} for item, expected in zip(found, items, strict=True)] == items


def test_explanation_of_what_lookups_have_changed(editor: Editor) -> None:
    editor.write(EVERYTHING)
    explained = [
        [json.loads(text) for text in values(row[EXPLAIN_FIELD])]
        for row in rows(editor.search([BOTH, NOTHING], "explain=true").bodies[0])
    ]
    assert [[one["rule"] for one in found] for found in explained] == [[IDS["plink"], IDS["servers"]], [f"{UUID}60"]]
    assert explained[0][1]["items"] == [
        {"selection": "selection", "item": "Computer|expand", "field": "Computer", "value": "pc1", "pattern": "pc*"}
    ]
    assert explained[1][0]["items"][0]["pattern"] == "8"
