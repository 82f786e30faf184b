"""What the files of lookups may look like, through the packaged command."""

from __future__ import annotations

import os

import pytest

from tests.support.lookups import (
    BOTH,
    CUSTOM,
    IDS,
    NOTHING,
    SEVEN,
    TUNNEL,
    Editor,
    custom,
    exceptions,
    settings,
    titles,
)

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
