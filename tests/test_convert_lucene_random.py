"""Random rules on near misses: what Lucene finds with their queries is what the engine matches.

What is taken for granted of events holds for these too (docs/queries-lucene.md): numbers are written in one way, there
is no Kelvin sign and no dotted or dotless I, no line break where an expression has a dot, no letter beyond ASCII where
it has a class of letters, and what looks like an IPv6 address is one.
"""

from __future__ import annotations

import ipaddress
import os
import re
import warnings
from random import Random
from typing import Any

from builder.converting import RefusedError, convert, settings_of
from builder.kinds import Events
from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.queries.lucene import Lucene
from builder.queries.lucenefields import NONE
from sigmaengine.matcher import Matcher
from sigmaengine.modifiers import REGEX_FLAGS
from sigmaengine.numbers import parse_number
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import read_rule
from sigmaengine.ruleset import from_rules
from tests.support.derived import event_for
from tests.support.lucene import Document, search
from tests.support.randomrules import PLACEHOLDERS, rule
from tests.support.splqueries import matched_ids

EFFORT = int(os.environ.get("SIGMA_MATCH_EFFORT", "1"))
RULES, EVENTS = 150 * EFFORT, 2
#: No words that differ in a way that is taken for granted not to be there.
_LEFT_OUT = str.maketrans({"\u212a": "x", "\u0130": "x", "\n": " "})


def _value(value: str, random: Random) -> str | list[str]:
    value = value.translate(_LEFT_OUT)
    number = parse_number(value)
    if number is not None:
        return str(int(number)) if number == int(number) else f"{number.normalize():f}"
    if value.count(":") > 1 and not _is_address(value):
        return "x"
    return [value, "ab"] if random.random() < 0.1 else value


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def test_queries_find_what_rules_match(mappings: Mappings) -> None:
    random = Random(5)  # noqa: S311 - the same in every run
    rules, outcomes, events = [], [], []
    for number in range(RULES):
        content = {**rule(random, number), "logsource": {"product": "nowhere"}}
        read, problems = read_rule(content, PLACEHOLDERS)
        assert read is not None, problems
        rules.append(read)
        outcomes.append(Outcome("r.yml", 1, rule=read, document=content))
        for _ in range(EVENTS):
            made = event_for(content, random)
            made.pop("_raw", None)
            events.append({name: _value(value, random) for name, value in made.items()})
    queries = written(outcomes, mappings)
    matcher = Matcher(from_rules(rules, RoutingTable({"keys": {}, "alternatives": []})), logsource=rules[0].logsource)
    matched = [matched_ids(matcher, event) for event in events]
    answers = search(list(queries.values()), map(document, events), leading_wildcards=False)
    pairs = 0
    for rule_id, answer in zip(queries, answers, strict=True):
        assert isinstance(answer, frozenset), (queries[rule_id], answer)
        wanted = {place for place, ids in enumerate(matched) if rule_id in ids}
        pairs += len(wanted)
        assert answer == wanted, (queries[rule_id], [events[place] for place in answer ^ wanted][:3])
    assert len(queries) > RULES // 5
    assert pairs > RULES


def written(outcomes: list[Outcome], mappings: Mappings) -> dict[str, str]:
    """The queries of the rules that are not refused."""
    settings = settings_of("es-qs", {})
    found = {}
    for outcome in outcomes:
        try:
            found[outcome.id] = convert(outcome, "es-qs", mappings, settings).text
        except RefusedError:
            continue
    return found


def document(event: dict[str, Any]) -> Document:
    """The event in an index."""
    return {name: [value] if isinstance(value, str) else value for name, value in event.items()}


# --- expressions ------------------------------------------------------------------------------------

ATOMS = [
    "a", "b", "K", "é", " ", r"\\", r"\.", "/", '"', "<", "~", "&", "@", "#", r"\|", r"\{", "-", ".", "[ab]", "[^a]",
    "[b-d/]",
    r"[^\\\s]", r"\d", r"\w", r"\s", r"\W", "[-a]", r"[\]^]", "(?:a|b/)", "(ab|)", "(?i:aB)", "x*?", "1",
]  # fmt: skip
COUNTS = ["", "", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}"]
CHARACTERS = 'abABkKcdxéÉ \\./"<>~&@#|{}-_19^]'


def expression(random: Random) -> str:
    """An expression of Python's."""
    inner = "".join(random.choice(ATOMS) + random.choice(COUNTS) for _ in range(random.choice([1, 2, 3, 4])))
    if random.random() < 0.2:
        inner = f"{inner}|{random.choice(ATOMS)}"
    elif random.random() < 0.3:
        inner = random.choice(["^{}", "{}$", "^{}$"]).replace("{}", inner)
    return inner


def test_expressions_are_found_where_python_finds_them() -> None:
    random = Random(7)  # noqa: S311 - the same in every run
    texts = ["".join(random.choice(CHARACTERS) for _ in range(random.choice([1, 2, 3, 5, 8]))) for _ in range(600)]
    queries: dict[tuple[str, str], str] = {}
    for _ in range(300 * EFFORT):
        flags, text = random.choice(["", "i", "s"]), expression(random)
        try:
            queries[flags, text] = said(flags, text)
        except (RefusedError, re.error):
            continue
    assert len(queries) > 200
    answers = search(list(queries.values()), [{"a": [text]} for text in texts])
    for ((flags, text), query), answer in zip(queries.items(), answers, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            finds = re.compile(text, sum(REGEX_FLAGS[flag] for flag in flags)).search
        assert isinstance(answer, frozenset), (text, query, answer)
        # Classes are those of ASCII.
        asked = [place for place, one in enumerate(texts) if one.isascii() or not re.search(r"\\[dwsWS]", text)]
        wanted = {place for place in asked if finds(texts[place])}
        differing = answer.intersection(asked) ^ wanted
        assert not differing, (flags, text, query, [texts[place] for place in differing][:5])


def said(flags: str, text: str) -> str:
    """An item with an expression as a query."""
    language = Lucene(lambda name: NONE.places(name, Events(), None), re.compile("a"))
    return language.any_value("a", [["re", flags, text]]).alone
