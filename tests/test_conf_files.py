"""What a conf file can hold: names of stanzas and macros, texts of rules, settings."""

from __future__ import annotations

import re

import pytest

from builder.searches.conf import conf, macro_word, prose, stanza_name
from tests.support.builds import UUID
from tests.test_savedsearches import stanzas

IDS = {
    "a UUID": (f"{UUID}01", f"Sigma Rule - {UUID}01"),
    "made by the build": ("noid-00ff", "Sigma Rule - noid-00ff"),
    "long": ("x" * 200, None),
    "brackets": ("a[b]", None),
    "other letters": ("r\u00e8gle", None),
    "empty": ("", None),
}


@pytest.mark.parametrize("case", IDS)
def test_names_of_stanzas(case: str) -> None:
    ident, expected = IDS[case]
    name = stanza_name("Rule", ident)
    assert name == (expected or name)
    assert re.fullmatch(r"Sigma Rule - [\w.-]{1,64}", name, re.ASCII)
    assert re.fullmatch(r"\w+", macro_word(ident), re.ASCII)
    assert stanza_name("Rule", ident + "x") != name


def test_ids_alike_in_letters_have_macros_of_their_own() -> None:
    assert len({macro_word(ident) for ident in ("acme.rule-1", "acme-rule-1", "acme_rule_1")}) == 3
    # Its hyphens stand where those of every other do.
    assert macro_word(f"{UUID}01") == f"{UUID}01".replace("-", "_")


#: What a rule may say, and what is left of it in a setting.
PROSE = {
    "lines": ("a\n\n b\tc", "a b c"),
    "a backslash at the end": ("C:\\dir\\", "C:\\dir"),
    "backslashes and a blank at the end": ("x \\ \\", "x"),
    "control characters": ("a\x1b[31mb\x00c", "a [31mb c"),
    "half a character": ("a\udc80b", "a b"),
    "other letters": ("\u00fcber \U0001f600", "\u00fcber \U0001f600"),
}


@pytest.mark.parametrize("case", PROSE)
def test_prose(case: str) -> None:
    text, expected = PROSE[case]
    assert prose(text) == expected
    assert stanzas(conf({"s": {"description": prose(text)}}, "h"))["s"]["description"] == expected


def test_prose_has_no_command_that_appinspect_refuses() -> None:
    assert not re.search(r"rm\s+-[rf]{2}", prose("runs rm -rf / and rm  -fr x"))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a]b", {}), ("", {}), ("x" * 100, {}), ("s", {"search": "a\\"}), ("s", {"search": " a"}),
        ("s", {"search": "a\x00b"}),
    ],
    ids=["bracket", "empty", "too long", "trailing backslash", "leading blank", "null"],
)  # fmt: skip
def test_what_splunk_would_read_otherwise_is_not_written(name: str, settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        conf({name: settings}, "h")
