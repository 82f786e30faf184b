"""YAML text as rules have it: scalars of the YAML 1.2 core schema, structure."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sigmaengine.ruletext import TextError, read_documents
from sigmaengine.scalars import resolve
from tests.support.yamltexts import fault_of, read, typed

# --- scalars -------------------------------------------------------------------

SAME = object()
SCALARS: dict[str, Any] = {
    # What YAML 1.1 takes for booleans, dates, times, sexagesimals and numbers.
    **dict.fromkeys(("yes", "Yes", "no", "NO", "on", "On", "off", "OFF", "y", "Y", "n", "N"), SAME),
    **dict.fromkeys(("2024-01-01", "2024/01/01", "12:30:00", "2024-01-01T00:00:00Z", "190:20:30"), SAME),
    **dict.fromkeys(("1_000", "0b11", "0O17", "0X1F", "-0x1", "+0o7", "0o8", "0xg", "1,000", "1.2.3", "1 2"), SAME),
    **dict.fromkeys(("tRUE", "fALSE", "nUll", "none", "None", "True.", "nil", "=", "+", ".", "..", "1e", "e1"), SAME),
    # Numbers that no event's number equals.
    **dict.fromkeys((".inf", "-.INF", "+.Inf", ".nan", ".NaN", "inf", "nan", "Infinity"), SAME),
    # Digits of other scripts.
    **dict.fromkeys(("\u0663", "\uff11", "\u00b2"), SAME),
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "0": 0,
    "-0": 0,
    "17": 17,
    "017": 17,
    "-017": -17,
    "09": 9,
    "+1": 1,
    "0o17": 15,
    "0x17": 23,
    "0xfF": 255,
    "9007199254740993": 9007199254740993,
    "1e3": Decimal(1000),
    "1E+3": Decimal(1000),
    "1e-3": Decimal("0.001"),
    ".5": Decimal("0.5"),
    "-.5": Decimal("-0.5"),
    "5.": Decimal(5),
    "1.0": Decimal("1.0"),
    "0.1": Decimal("0.1"),
    "1.10": Decimal("1.10"),
    # Quoted and block scalars are text.
    "'1'": "1",
    '"true"': "true",
    "'~'": "~",
    "''": "",
    '"a\\x41\\u263A\\U0001F600\\/\\0"': "aA\u263a\U0001f600/\0",
    "'it''s \\x41'": "it's \\x41",
    "|\n    1": "1",
    "|+\n    1\n": "1\n",
    ">-\n    true": "true",
    # Tags.
    "!!str 1": "1",
    "!!str": "",
    "!!str ~": "~",
    "!!str true": "true",
    "!<tag:yaml.org,2002:str> 1": "1",
    "! 1": "1",
    "! true": "true",
    '!!int "1"': 1,
    "!!int 0x10": 16,
    "!!float 1": 1,
    '!!float "1.5"': Decimal("1.5"),
    '!!bool "true"': True,
    '!!null ""': None,
    "!!null null": None,
}


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_by_the_core_schema(text: str) -> None:
    expected = text if SCALARS[text] is SAME else SCALARS[text]
    assert typed(read(f"key: {text}")["key"]) == typed(expected)


@pytest.mark.parametrize("text", ["1e3", "1.10", "0.1", "017", "true", "1e999999999"])
def test_a_number_is_finite_and_exact(text: str) -> None:
    assert typed(resolve(text)) == typed(SCALARS.get(text, Decimal("1e999999999")))


def test_more_digits_than_python_converts_are_text() -> None:
    assert resolve("9" * 5_000) == "9" * 5_000


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    "text",
    [
        "!!int x",
        "!!int 1.5",
        "!!float x",
        "!!bool yes",
        "!!null x",
        "!!binary aGk=",
        "!!timestamp 2024-01-01",
        "!!set {a}",
        "!!omap [a: b]",
        "!!python/object/apply:os.system ['true']",
        "!!python/name:os.system",
        "!local x",
        "!<tag:example.org,2000:x> {a: b}",
        "!!map [a]",
        "!!seq {a: b}",
        "!!str {a: b}",
    ],
)
def test_a_tag_that_cannot_be_used(text: str) -> None:
    fault = fault_of(f"first: 1\nkey: {text}\n")
    assert (fault.problem.code, fault.line) == ("yaml-tag", 2)


# --- structure -----------------------------------------------------------------


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: &x {b: 1}\nc: *x\n", {"a": {"b": 1}, "c": {"b": 1}}, id="alias of a mapping"),
        pytest.param("a: &x 1\nb: &x 2\nc: *x\n", {"a": 1, "b": 2, "c": 2}, id="anchor given anew"),
        pytest.param("&k a: b\nc: *k\n", {"a": "b", "c": "a"}, id="anchor at a key"),
        pytest.param("a: &k b\n*k : c\n", {"a": "b", "b": "c"}, id="alias as a key"),
        pytest.param("? a\n: b\n", {"a": "b"}, id="explicit key"),
        pytest.param("{a: b, c}", {"a": "b", "c": None}, id="flow key without a value"),
        pytest.param("a: x#c # d\n", {"a": "x#c"}, id="comment"),
        pytest.param("{'a':1,\"b\":[x]}", {"a": 1, "b": ["x"]}, id="JSON without blanks"),
        pytest.param("a: {b:1}", {"a": {"b:1": None}}, id="colon without a blank"),
        pytest.param("\ufeffa: b\n", {"a": "b"}, id="byte order mark"),
        pytest.param(b"\xef\xbb\xbfa: b\n", {"a": "b"}, id="byte order mark in bytes"),
        pytest.param("a: \u00fc\n".encode("utf-16"), {"a": "\u00fc"}, id="UTF-16"),
        pytest.param(b"a: b\r\nc: d\r\n", {"a": "b", "c": "d"}, id="CRLF"),
        pytest.param("'<<': {a: b}\nc: <<\n", {"<<": {"a": "b"}, "c": "<<"}, id="merge key in quotes, or no key"),
        pytest.param("&k 017: b\nc: *k\n", {"017": "b", "c": 17}, id="key and value"),
        pytest.param("a: &k True\n*k : d\n", {"a": True, "True": "d"}, id="alias as a key, as written"),
        pytest.param("True: a\ntrue: b\nTRUE: c\n", {"True": "a", "true": "b", "TRUE": "c"}, id="keys as written"),
        pytest.param("%YAML 1.2\n---\na: b\n...\n", {"a": "b"}, id="directive"),
    ],
)
def test_a_structure(text: str | bytes, expected: object) -> None:
    assert typed(read(text)) == typed(expected)


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("text", ["1: a\ntrue: b\n", "true: a\n1: b\n", "0: a\nfalse: b\n", "1: a\n1.0: b\n"])
def test_keys_that_differ_in_yaml_are_no_duplicates(text: str) -> None:
    # In Python they are one key; whatever is made of them, both values have to be there.
    assert sorted(read(text).values()) == ["a", "b"]


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    "text", ["", "\n\n", "# a\n# b\n", "---\n", "---\n---\n", "--- ~\n", "\ufeff", b"\xef\xbb\xbf"]
)
def test_a_text_that_says_nothing_has_no_documents(text: str | bytes) -> None:
    assert list(read_documents(text)) == []


@pytest.mark.usefixtures("loader")
def test_documents_before_a_fault_are_given() -> None:
    documents = read_documents("a: 1\n---\nb: 2\n---\nc: @\n")
    assert [next(documents), next(documents)] == [{"a": 1}, {"b": 2}]
    with pytest.raises(TextError):
        next(documents)


@pytest.mark.usefixtures("loader")
def test_an_anchor_ends_with_its_document() -> None:
    fault = fault_of("--- &a x\n--- *a\n")
    assert (fault.problem.code, fault.line) == ("yaml-alias", 2)


# --- properties ----------------------------------------------------------------

TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    [text for text in SCALARS if "\n" not in text]
)
# What a YAML reader takes as it stands (breaks of lines in quotes are folded, control characters refused).
JSON_TEXT = st.text(
    alphabet=st.characters(exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp"), exclude_characters="\ufeff")
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def structures(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Mappings of plain JSON."""
    leaves = st.none() | st.booleans() | NUMBERS | text
    inner = st.recursive(
        leaves, lambda part: st.lists(part, max_size=4) | st.dictionaries(text, part, max_size=4), max_leaves=12
    )
    return st.dictionaries(text, inner, max_size=5)


def exact(value: Any) -> Any:
    """``value`` with the decimals that floats print as."""
    if isinstance(value, dict):
        return {key: exact(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [exact(inner) for inner in value]
    return Decimal(repr(value)) if isinstance(value, float) else value


def texts(value: Any) -> list[str]:
    """Every text in ``value``, keys too."""
    if isinstance(value, dict):
        return [*value, *(text for inner in value.values() for text in texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@QUICK
@given(structures(TEXT), st.sampled_from([None, "'", '"']), st.booleans())
def test_what_yaml_dumps_reads_back_equal(structure: dict[str, Any], style: str | None, flow: bool) -> None:
    if style is None:
        # PyYAML leaves text plain that is a number in YAML 1.2 only, such as 0o17.
        assume(all(resolve(text) == text for text in texts(structure)))
    text = yaml.safe_dump(structure, default_style=style, default_flow_style=flow, sort_keys=False)
    assert typed(read(text)) == typed(exact(structure))


@QUICK
@given(structures(JSON_TEXT), st.sampled_from([None, 1]))
def test_json_reads_back_equal(structure: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(structure, ensure_ascii=False, indent=indent)
    assert typed(read(text)) == typed(exact(structure))


@QUICK
@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@#? \n\t~0.", max_size=40) | st.binary(max_size=40))
def test_any_text_is_read_or_refused_with_a_line(text: str | bytes) -> None:
    fault = None
    try:
        documents = list(read_documents(text))
    except TextError as refused:
        fault, documents = refused, []
    assert fault is None or 1 <= fault.line <= len(text) + 1
    assert fault is None or fault.problem.code.startswith("yaml-")
    assert None not in documents


@QUICK
@given(st.text(alphabet="0123456789+-.eExo_abfn~", max_size=8))
def test_a_plain_scalar_that_is_no_number_is_its_text(text: str) -> None:
    value = resolve(text)
    if not isinstance(value, str):
        assert value is None or isinstance(value, (bool, int, Decimal))
        return
    assert value == text
