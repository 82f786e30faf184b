r"""Wildcards and escapes against a slow definition, written from the words of the specification alone.

"``*`` for an unbounded number of characters, ``?`` for a single one. A backslash is plain, unless ``*``, ``?`` or a
backslash follows; before these it makes them plain."
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaengine.fields import Columns
from sigmaengine.matcher import Matcher
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import read_rule
from sigmaengine.ruleset import from_rules
from tests.conformance.oracles import examples

NOWHERE = RoutingTable({"keys": {}, "alternatives": []})


def symbols(text: str) -> list[tuple[str, bool]]:
    """(character, whether it is a wildcard) of a Sigma string."""
    if not text:
        return []
    if text[0] == "\\" and text[1:2] and text[1] in "*?\\":
        return [(text[1], False), *symbols(text[2:])]
    return [(text[0], text[0] in "*?"), *symbols(text[1:])]


def holds(pattern: list[tuple[str, bool]], value: str) -> bool:
    """Whether a value as a whole is of the pattern, by trying everything."""
    if not pattern:
        return not value
    (character, wildcard), rest = pattern[0], pattern[1:]
    if wildcard and character == "*":
        return any(holds(rest, value[start:]) for start in range(len(value) + 1))
    return bool(value) and (wildcard or same(character, value[0])) and holds(rest, value[1:])


def same(one: str, other: str) -> bool:
    """Equal without regard to case, for the letters used here."""
    return {one, other} <= {"\u03c3", "\u03c2", "\u03a3"} or one.lower() == other.lower()


ANY = ("*", True)
#: What a modifier puts around a value.
ANCHORS = {
    "": ([], []),
    "|contains": ([ANY], [ANY]),
    "|startswith": ([], [ANY]),
    "|endswith": ([ANY], []),
}

pieces = st.sampled_from(["a", "A", "b", "\u03c3", "\u03c2", "\u03a3", "*", "?", "\\", "\\*", "\\?", "\\\\", "%", "\n"])
texts = st.lists(pieces, min_size=1, max_size=7).map("".join)
values = st.lists(st.sampled_from(list("aAb\u03c3\u03c2\u03a3*?\\%\n")), min_size=1, max_size=8).map("".join)


@st.composite
def near(draw: st.DrawFn, text: str) -> str:
    """A value that is of a pattern, mostly: its wildcards filled, a character taken away or put in."""
    value = "".join(
        draw(values) * draw(st.integers(0, 1)) if wildcard and character == "*" else "b" if wildcard else character
        for character, wildcard in symbols(text)
    )
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(value)))
        value = value[:place] + draw(st.sampled_from(["", "a", "\\"])) + value[place + draw(st.integers(0, 1)) :]
    return value


@settings(max_examples=examples(300, 6_000), deadline=None)
@given(text=texts, anchor=st.sampled_from(list(ANCHORS)), data=st.data())
def test_wildcards_and_escapes(text: str, anchor: str, data: st.DataObject) -> None:
    rule, problems = read_rule(
        {"title": "t", "logsource": {}, "detection": {"x": {f"F{anchor}": text}, "condition": "x"}}
    )
    assert rule is not None, problems
    matcher = Matcher(from_rules([rule], NOWHERE), profile="none")
    before, after = ANCHORS[anchor]
    for value in (data.draw(values), data.draw(near(text)), data.draw(near(text))):
        expected = bool(value) and holds([*before, *symbols(text), *after], value)
        for how in (matcher.match, matcher.match_plainly):
            assert bool(how(Columns(["F"]), [value])) == expected, (text, anchor, value)
