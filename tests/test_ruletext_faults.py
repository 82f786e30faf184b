"""YAML text that is refused: what is said of it and of which line, and limits."""

from __future__ import annotations

import time

import pytest

from sigmaengine.ruletext import MAX_BYTES, MAX_DEPTH, MAX_NODES, line_of, read_documents
from tests.support.yamltexts import fault_of, read

# A test runs for less than a second; a hostile text must not take much longer.
SECONDS = 10


# --- faults and their lines ----------------------------------------------------

# A text; the code; the line of the fault.
FAULTS: dict[str, tuple[str | bytes, str, int]] = {
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "yaml-duplicate-key", 3),
    "duplicate key, quoted": ("a: 1\n'a': 3\n", "yaml-duplicate-key", 2),
    "duplicate key, a number": ("16: 1\n16: 3\n", "yaml-duplicate-key", 2),
    "duplicate key, inner": ("a:\n- b: 1\n  c: 2\n  b: 3\n", "yaml-duplicate-key", 4),
    "duplicate key, flow": ("x: 1\na: {b: 1,\n  b: 2}\n", "yaml-duplicate-key", 3),
    "mapping as key": ("x: 1\n? {a: b}\n: c\n", "yaml-key", 2),
    "list as key": ("x: 1\n[a]: c\n", "yaml-key", 2),
    "alias without an anchor": ("a: 1\nb: *nope\n", "yaml-alias", 2),
    "alias inside its anchor": ("x: 1\na: &a\n- b\n- *a\n", "yaml-alias", 4),
    "tab as indentation": ("a:\n  b: 1\n\tc: 2\n", "yaml-syntax", 3),
    "reserved character": ("x: 1\na: @b\n", "yaml-syntax", 2),
    "two colons": ("x: 1\na: b: c\n", "yaml-syntax", 2),
    "quote that is not closed": ("x: 1\na: 'b\nc: d\ne: f\n", "yaml-syntax", 2),
    "double quote that is not closed": ('x: 1\na: "b\nc: d\ne: f\n', "yaml-syntax", 2),
    "bracket that is not closed": ("x: 1\na: [b\nc: d\n", "yaml-syntax", 3),
    "bad escape": ('x: 1\na: "\\q"\n', "yaml-syntax", 2),
    "half a character": ('x: 1\na: "\\ud800"\n', "yaml-syntax", 2),
    "no character": ('x: 1\na: "\\U00110000"\n', "yaml-syntax", 2),
    "no character, far": ('x: 1\na: "\\UFFFFFFFF"\n', "yaml-syntax", 2),
    "quote that a document's end does not close": ("x: 1\na: 'b\nc\n---\nd: 'e'\n", "yaml-syntax", 2),
    "merge key": ("x: &x {a: b}\ny:\n  <<: *x\n", "yaml-merge-key", 3),
    "merge key, explicit": ("x: 1\ny: {? << : {}}\n", "yaml-merge-key", 2),
    "merge key by its tag": ("x: 1\n!!merge <<: {}\n", "yaml-tag", 2),
    "surrogate in text": ("x: 1\na: \udcff\n", "yaml-syntax", 2),
    "NUL": ("x: 1\ny: 2\na: b\0\n", "yaml-syntax", 3),
    "form feed": ("x: 1\ny: 2\na: b\x0c\n", "yaml-syntax", 3),
    "DEL": (b"x: 1\ny: 2\na: b\x7f\n", "yaml-syntax", 3),
    "Latin-1": ("x: 1\ny: 2\na: caf\xe9\nb: c\n".encode("latin-1"), "yaml-syntax", 3),
    "Latin-1 at the end": (b"x: 1\ny: 2\na: caf\xe9", "yaml-syntax", 3),
    "Latin-1 behind other characters": ("x: \u20ac\u20ac\u20ac\u20ac\n".encode() + b"y: \xe9\n", "yaml-syntax", 2),
    "surrogate in UTF-8": (b"x: 1\ny: 2\na: \xed\xa0\x80\n", "yaml-syntax", 3),
    "UTF-16 without a mark": ("a: b\n".encode("utf-16-le"), "yaml-syntax", 1),
    "UTF-32": ("a: b\n".encode("utf-32"), "yaml-syntax", 1),
    "binary": (b"\x7fELF\x02\x01\x01" + bytes(9), "yaml-syntax", 1),
    "directive of another version": ("%YAML 3.0\n---\na: b\n", "yaml-syntax", 1),
    "text behind the end": ("a: b\n...\nc: d\n", "yaml-syntax", 3),
}


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_its_code_and_line(name: str) -> None:
    text, code, line = FAULTS[name]
    fault = fault_of(text)
    assert (fault.problem.code, fault.line) == (code, line)
    assert fault.problem.message


@pytest.mark.usefixtures("loader")
def test_a_byte_that_is_no_utf8_is_named_as_such() -> None:
    message = fault_of("a: 1\nb: caf\xe9'\n".encode("latin-1")).problem.message
    assert "UTF-8" in message
    # The byte at fault, not the one behind it.
    assert "e9" in message.lower()


@pytest.mark.parametrize(("key", "text"), [("1.0", "1.0: a\n1.0: b\n"), ("true", "true: a\ntrue: b\n")])
def test_a_duplicate_key_is_shown_as_yaml_writes_it(key: str, text: str) -> None:
    assert f"'{key}'" in fault_of(text).problem.message


# --- lines ---------------------------------------------------------------------

LINES = """\
# a comment

title: T
detection:
  selection:
    Image|endswith:
      - a
      # another
      - b
    Other: c
  list:
  - - deep
    - {x: 1,
       y: 2}
  text: |
    one
    two
  after: &anchor
    key: value
  alias: *anchor
"""


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("where", "line"),
    [
        ((), 3),
        (("title",), 3),
        (("detection",), 4),
        (("detection", "selection"), 5),
        (("detection", "selection", "Image|endswith"), 6),
        (("detection", "selection", "Image|endswith", 0), 7),
        (("detection", "selection", "Image|endswith", 1), 9),
        (("detection", "selection", "Other"), 10),
        (("detection", "list", 0, 1), 13),
        (("detection", "list", 0, 1, "y"), 14),
        (("detection", "after"), 18),
        # A path that leads nowhere: the last place that it reaches.
        (("detection", "selection", "nope"), 5),
        (("detection", "selection", "Image|endswith", 7), 6),
        (("detection", "selection", "Other", "x", 3), 10),
        (("nope", "detection"), 3),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_line_of_a_place(where: tuple[str | int, ...], line: int, line_end: str) -> None:
    assert line_of(read(LINES.replace("\n", line_end)), where) == line


def test_lines_count_from_the_top_of_the_file_in_every_document() -> None:
    documents = list(read_documents("a: 1\n---\n\nb:\n  c: 1\n---\nd: 1\n"))
    assert [line_of(document, ()) for document in documents] == [1, 4, 7]
    assert line_of(documents[1], ("b", "c")) == 5


@pytest.mark.parametrize("document", [None, "text", 1, {"a": {"b": 1}}, [1, 2]])
def test_what_has_no_lines_is_on_line_1(document: object) -> None:
    assert line_of(document, ("a", "b", 0)) == 1


# --- limits --------------------------------------------------------------------


def _bomb(levels: int, width: int) -> str:
    lines = ["a0: &a0 [" + "x, " * width + "x]"]
    lines += [f"a{n}: &a{n} [" + f"*a{n - 1}, " * width + f"*a{n - 1}]" for n in range(1, levels)]
    return "\n".join(lines)


HOSTILE: dict[str, str | bytes] = {
    "brackets": "[" * 1_000_000,
    "braces": "{a: " * 100_000,
    "blocks": "".join(" " * depth + "a:\n" for depth in range(MAX_DEPTH + 10)),
    "one level too deep": "a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH,
    "billion laughs": _bomb(12, 9),
    "wide aliases": _bomb(3, 1_000),
    "bytes": b"a: " + b"x" * MAX_BYTES,
    "values": "[" + "x," * (MAX_NODES + 1) + "]",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_refused_soon(name: str) -> None:
    start = time.process_time()
    assert fault_of(HOSTILE[name]).problem.code == "yaml-size"
    assert time.process_time() - start < SECONDS


def test_the_deepest_text_that_is_taken() -> None:
    document = read("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))
    depth = 0
    value = document["a"]
    while value:
        (value,) = value
        depth += 1
    assert depth == MAX_DEPTH - 2
