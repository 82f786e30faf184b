"""Matching by masks means what the plain evaluator says, on random rules and events."""

from __future__ import annotations

import os
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaengine import fieldmasks
from sigmaengine import matcher as matching
from sigmaengine.fields import Columns, make_cell
from sigmaengine.matcher import Matcher
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule, read_rule
from sigmaengine.ruleset import from_rules
from tests.support import randomrules as whole_grammar
from tests.support.derived import event_for

#: How much harder to try than a test run on every change does.
EFFORT = int(os.environ.get("SIGMA_MATCH_EFFORT", "1"))

# Few and short, so that rules do match; long enough in part for the four-byte groups.
WORDS = ["a", "ab", "abcd", "abcde", "\\x.exe", "ς", "ΣA", "K", "İ", "ß", "10", "10.0", "-a", "/ab", "\n", "&amp;", "&"]
FIELDS = ["A", "B", "C.d"]
XML = {
    "keys": {},
    "alternatives": [[["windows", "x", ""], [["kind", ["xml"]]], True, {"B": [False, [["cim", ["b"]]]]}]],
}

words = st.lists(st.sampled_from(WORDS), max_size=3).map("".join)
texts = st.lists(st.sampled_from([*WORDS, "*", "?", "\\*"]), max_size=4).map("".join)
TEXT_CHAINS = [
    "", "|contains", "|startswith", "|endswith", "|cased", "|contains|cased", "|contains|all", "|neq", "|windash",
    "|contains|windash", "|endswith|neq", "|contains|all|neq", "|windash|contains|all",
]  # fmt: skip
REGEXES = ["abc", "(?:ab|cd)e", "^a", "[0-9]+", "a.c", "(abcd|/ab)x?", "\\d", "b(?=c)", "(?i:AB)cd", "k", "i\u0307?"]


KINDS = ["text", "text", "text", "regex", "number", "null", "exists", "compare", "cidr", "ref"]


@st.composite
def items(draw: st.DrawFn) -> tuple[str, Any]:
    """A key and its value."""
    field = draw(st.sampled_from([*FIELDS, *FIELDS, ""]))
    if not field:
        chain = draw(st.sampled_from(["|all", "|contains", "|cased"]))
        return chain, draw(st.lists(words.filter(bool), min_size=1, max_size=2))
    kind = draw(
        st.sampled_from(["text", "text", "text", "regex", "number", "null", "exists", "compare", "cidr", "ref"])
    )
    if kind == "text":
        return field + draw(st.sampled_from(TEXT_CHAINS)), draw(st.lists(texts, min_size=1, max_size=3))
    if kind == "regex":
        return field + draw(st.sampled_from(["|re", "|re|i", "|re|s", "|re|neq"])), draw(st.sampled_from(REGEXES))
    return {
        "number": (field, draw(st.sampled_from([10, Decimal("10.0")]))),
        "null": (field, None),
        "exists": (field + "|exists", draw(st.booleans())),
        "compare": (field + draw(st.sampled_from(["|lt", "|gte"])), 10),
        "cidr": (field + "|cidr", "10.0.0.0/8"),
        "ref": (field + draw(st.sampled_from(["|fieldref", "|fieldref|contains", "|fieldref|neq"])), "A"),
    }[kind]


mappings = st.lists(items(), min_size=1, max_size=3).map(dict)
detections = st.one_of(
    mappings, mappings, st.lists(mappings, min_size=1, max_size=2), st.lists(words.filter(bool), min_size=1)
)
conditions = st.recursive(
    st.sampled_from(["x", "y", "z", "1 of *", "all of x*", "all of them"]),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not {one}"),
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(lambda parts: f"({''.join(parts)})"),
    ),
    max_leaves=5,
)


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    """Some rules that can be used, of two log sources."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        document = {
            "id": f"00000000-0000-0000-0000-00000000000{number}",
            "title": "t",
            "level": draw(st.sampled_from(["low", "high"])),
            "logsource": draw(st.sampled_from([{"product": "windows", "category": "x"}, {}])),
            "detection": {
                "x": draw(detections),
                "y": draw(detections),
                "z": draw(detections),
                "condition": draw(conditions),
            },
        }
        rule, _ = read_rule(document)
        if rule is not None:
            found.append(rule)
    return found


cells = st.one_of(words, words, st.lists(words, max_size=3).map(make_cell))
events = st.fixed_dictionaries(
    {},
    optional={
        "A": cells,
        "B": cells,
        "b": cells,
        "C.d": cells,
        "C{}.d": cells,
        "C_d": cells,
        "_raw": words,
        "kind": st.sampled_from(["xml", ""]),
    },
)
raw_events = st.tuples(words, words).map(
    lambda data: {
        "kind": "xml",
        "_raw": f"<Event><EventData><Data>{data[0]}</Data></EventData>"
        f"<UserData><e><B>{data[1]}</B></e></UserData></Event>",
    }
)


@settings(max_examples=300 * EFFORT, deadline=None)
@given(
    rules(),
    st.lists(st.one_of(events, events, raw_events), min_size=1, max_size=5),
    st.sampled_from(["auto", "cim", "none"]),
)
def test_masks_mean_what_the_plain_evaluator_says(found: list[Rule], rows: list[dict[str, Any]], profile: str) -> None:
    matcher = Matcher(from_rules(found, RoutingTable(XML)), profile=profile)
    for event in rows * 2:  # the second time from memory
        columns, values = Columns(list(event)), list(event.values())
        fast = [match.info.id for match in matcher.match(columns, values)]
        assert fast == [match.info.id for match in matcher.match_plainly(columns, values)]


@settings(max_examples=60 * EFFORT, deadline=None)
@given(rules(), events, st.data())
def test_selecting_rules_changes_nothing_for_the_selected(
    found: list[Rule], event: dict[str, Any], data: st.DataObject
) -> None:
    everything = from_rules(found, RoutingTable(XML))
    ids = data.draw(st.sets(st.sampled_from([rule.id for rule in found]))) if found else set()
    columns, values = Columns(list(event)), list(event.values())
    all_matches = [match.info.id for match in Matcher(everything).match(columns, values)]
    some = Matcher(everything, lambda info: info.id in ids)
    assert [match.info.id for match in some.match(columns, values)] == [one for one in all_matches if one in ids]


# Literals enough to be found by their groups, of two bytes and of four, beside each other in one field.
LETTERS = "abAB.\\-\u00e4\u03c2"
many_words = st.lists(st.text(LETTERS, min_size=1, max_size=7), min_size=150, max_size=220, unique=True)


@settings(max_examples=15 * EFFORT, deadline=None)
@given(many_words, st.data())
def test_many_literals(literals: list[str], data: st.DataObject) -> None:
    found = []
    for number, words_of_rule in enumerate((literals[:60], literals[60:120], literals[120:])):
        document = {
            "id": f"00000000-0000-0000-0000-00000000000{number}",
            "title": "t",
            "logsource": {},
            "detection": {
                "x": {"A|contains": words_of_rule[: len(words_of_rule) // 2]},
                "y": {"A|contains|all": words_of_rule[:2], "B|endswith": words_of_rule},
                "z": {"A|contains": words_of_rule[len(words_of_rule) // 2 :], "B|contains": literals[number]},
                "condition": "(x and not z) or y or (z and not x)",
            },
        }
        rule, findings = read_rule(document)
        assert rule is not None, findings
        found.append(rule)
    matcher = Matcher(from_rules(found, RoutingTable(XML)))
    values = st.lists(st.one_of(st.sampled_from(literals), st.text(LETTERS, max_size=5), st.just("\n")), max_size=12)
    for _ in range(10):
        event = {"A": "".join(data.draw(values)), "B": "".join(data.draw(values))}
        columns, row = Columns(list(event)), list(event.values())
        fast = [match.info.id for match in matcher.match(columns, row)]
        assert fast == [match.info.id for match in matcher.match_plainly(columns, row)]


@settings(max_examples=40 * EFFORT, deadline=None)
@given(rules(), st.lists(events, min_size=2, max_size=8))
def test_what_is_forgotten_changes_nothing(found: list[Rule], rows: list[dict[str, Any]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # Room for hardly a value: diagrams are drawn anew again and again.
        patch.setattr(matching, "_ROOM", 500)
        patch.setattr(fieldmasks, "ROOM", 500)
        matcher = Matcher(from_rules(found, RoutingTable(XML)))
        for event in rows * 3:
            columns, values = Columns(list(event)), list(event.values())
            fast = [match.info.id for match in matcher.match(columns, values)]
            assert fast == [match.info.id for match in matcher.match_plainly(columns, values)]


def test_nodes_of_values_too_long_to_remember_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "_ROOM", 60_000)
    words_of_rules = [f"needle{number}x" for number in range(10)]
    found = []
    for number, word in enumerate(words_of_rules):
        rule, _ = read_rule(
            {
                "id": f"00000000-0000-0000-0000-00000000000{number}",
                "title": "t",
                "logsource": {},
                "detection": {"x": {"A|contains": word, "B": "b"}, "condition": "x"},
            }
        )
        assert rule is not None
        found.append(rule)
    matcher = Matcher(from_rules(found, RoutingTable(XML)))
    columns = Columns(["A", "B"])
    for chosen in range(2 ** len(words_of_rules)):
        held = [number for number in range(len(words_of_rules)) if chosen >> number & 1]
        text = " ".join(words_of_rules[number] for number in held).ljust(fieldmasks.LONG + 1)
        assert len(matcher.match(columns, [text, "b"])) == len(held)
        (kind,) = matcher._kinds.values()  # noqa: SLF001 - what is bounded
        assert len(kind.of_cells._diagram._nodes) <= 60  # noqa: SLF001


@settings(max_examples=40 * EFFORT, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_the_whole_grammar_on_near_misses(random: Random) -> None:
    documents = [whole_grammar.rule(random, number) for number in range(8)]
    read = [read_rule({**document, "logsource": {}}, whole_grammar.PLACEHOLDERS)[0] for document in documents]
    assert None not in read
    matcher = Matcher(from_rules([rule for rule in read if rule], RoutingTable(XML)))
    for _ in range(10):
        event: dict[str, Any] = dict(event_for(random.choice(documents), random))
        for field in list(event):
            if random.random() < 0.2:
                event[field] = make_cell([event[field], *event_for(random.choice(documents), random).values()])
        columns, values = Columns(list(event)), list(event.values())
        fast = [match.info.id for match in matcher.match(columns, values)]
        assert fast == [match.info.id for match in matcher.match_plainly(columns, values)]
