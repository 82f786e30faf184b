"""Every chain of up to three modifiers: what pySigma takes we take, what it refuses we refuse by name.

Both tables of differences say which decision they rest on; an entry that explains no chain fails the test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import pytest

from sigmaengine.problems import ERROR
from sigmaengine.rule import read_rule

from .oracles import EVERYTHING, Oracle


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


#: The specification's modifiers, each name; and one name for each kind of which there are several alike.
MODIFIERS = words(
    "all base64 base64offset cased cidr contains day dotall endswith exists expand fieldref gt gte hour i ignorecase lt"
    " lte m minute month multiline neq re s startswith utf16 utf16be utf16le week wide windash year"
)
ALIKE = words(
    "all base64 base64offset cased cidr contains endswith exists expand fieldref gt hour i neq re utf16 utf16le"
    " windash year"
)

#: A chain is possible if it can be applied to any of them.
VALUES = ["abc def", "10.0.0.0/8", 5, True]

ANCHORS = {"contains", "startswith", "endswith"}
ENCODINGS = {"base64", "base64offset", "utf16", "utf16le", "utf16be", "wide"}
WIDE = {"utf16", "utf16le", "utf16be", "wide"}
PARTS = {"minute", "hour", "day", "week", "month", "year"}
COMPARISONS = {"lt", "lte", "gt", "gte"}
#: What may stand anywhere.
ANYWHERE = {"all", "neq", "cased"}
#: Needs an unmodified value in pySigma, for which what stands anywhere is a modification.
FIRST_IN_PYSIGMA = {"re", "cidr", "exists"}

Chain = tuple[str, ...]


class Reason(NamedTuple):
    """Why an answer differs, and for which chains that is so."""

    why: str
    holds: Callable[[Chain], bool]


def _pairs(chain: Chain, before: set[str], after: set[str]) -> bool:
    """True if one of ``before`` stands anywhere before one of ``after``."""
    return any(one in before and set(chain[place + 1 :]) & after for place, one in enumerate(chain))


#: pySigma takes the chain, we do not.
ONLY_PYSIGMA = {
    "two-anchors": Reason(
        "at most one of contains, startswith, endswith, also after fieldref",
        lambda chain: _pairs(chain, ANCHORS, ANCHORS),
    ),
    "two-parts-of-a-time": Reason("at most one part of a time", lambda chain: _pairs(chain, PARTS, PARTS)),
    "encoding-last": Reason(
        "base64 and utf16 before contains, startswith, endswith: they take text without wildcards",
        lambda chain: _pairs(chain, ANCHORS, ENCODINGS),
    ),
    "anchored-expression": Reason(
        "at most one of contains, startswith, endswith and re: an expression is searched for anywhere as it is",
        lambda chain: _pairs(chain, {"re"}, ANCHORS),
    ),
    "modified-reference": Reason(
        "cased, fieldref, then an anchor (row 19): a field's name is neither encoded nor has it dashes or placeholders",
        lambda chain: _pairs(chain, {*ENCODINGS, *ANCHORS, "windash", "expand"}, {"fieldref"}),
    ),
}

#: We take the chain, pySigma does not.
ONLY_OURS = {
    "utf16le": Reason("the specification has utf16le, pySigma does not know it", lambda chain: "utf16le" in chain),
    "cased-anywhere": Reason(
        "cased may stand anywhere (fine print of row 35); pySigma applies it to text alone",
        lambda chain: "cased" in chain,
    ),
    "anywhere-before-re-cidr-exists": Reason(
        "all and neq may stand anywhere; pySigma takes re, cidr and exists as first modifier alone",
        lambda chain: _pairs(chain, {"all", "neq"}, FIRST_IN_PYSIGMA),
    ),
    "encoded-bytes": Reason(
        "pySigma keeps encoded bytes as text, in which a second encoding finds a byte order mark beyond ASCII",
        lambda chain: _pairs(chain, WIDE, WIDE),
    ),
}


def chains() -> list[Chain]:
    """All chains of up to two modifiers, or three; of four where kinds alike are left out."""
    longest = 3 if EVERYTHING else 2
    found = [chain for length in range(1, longest + 1) for chain in product(MODIFIERS, repeat=length)]
    return found + list(product(ALIKE, repeat=longest + 1))


def refused_by_us(chain: Chain) -> list[str]:
    """The errors about a chain that none of the values suits; none if it can be used."""
    said = []
    for value in VALUES:
        detection = {"x": {f"Field|{'|'.join(chain)}": value}, "condition": "x"}
        rule, problems = read_rule({"title": "t", "logsource": {}, "detection": detection})
        if rule is not None:
            return []
        said += [problem.message for problem in problems if problem.severity == ERROR]
    return said


@pytest.fixture(scope="module")
def answers(oracle: Oracle) -> dict[Chain, tuple[list[str], bool]]:
    """For each chain our errors, and whether pySigma refuses it."""
    found = chains()
    ours: dict[Chain, list[str]] = {}
    theirs: set[str] = set()
    for start in range(0, len(found), 1000):
        some = found[start : start + 1000]
        oracle.ask(do="chains", chains=["|".join(chain) for chain in some], values=VALUES)
        ours.update((chain, refused_by_us(chain)) for chain in some)
        theirs.update(oracle.answer()["refused"])
    return {chain: (errors, "|".join(chain) in theirs) for chain, errors in ours.items()}


def test_every_modifier_of_pysigma_is_known(oracle: Oracle) -> None:
    oracle.ask(do="chains", chains=[], values=[])
    assert set(oracle.answer()["modifiers"]) | {"utf16le"} == set(MODIFIERS)


def unexplained(found: Iterator[Chain], reasons: dict[str, Reason]) -> set[str]:
    """The chains that no reason explains, and the reasons that explain no chain, marked with *."""
    used: set[str] = set()
    left = set()
    for chain in found:
        holding = {name for name, reason in reasons.items() if reason.holds(chain)}
        used |= holding
        if not holding:
            left.add("|".join(chain))
    return left | {f"*{name}" for name in reasons if name not in used}


def test_what_pysigma_takes_we_take(answers: dict[Chain, tuple[list[str], bool]]) -> None:
    differ = (chain for chain, (ours, theirs) in answers.items() if ours and not theirs)
    assert unexplained(differ, ONLY_PYSIGMA) == set()


def test_what_pysigma_refuses_we_refuse(answers: dict[Chain, tuple[list[str], bool]]) -> None:
    differ = (chain for chain, (ours, theirs) in answers.items() if theirs and not ours)
    assert unexplained(differ, ONLY_OURS) == set()


def test_each_refusal_names_the_chain(answers: dict[Chain, tuple[list[str], bool]]) -> None:
    refused = {"|".join(chain): errors for chain, (errors, _) in answers.items() if errors}
    assert len(refused) > 800
    assert [chain for chain, errors in refused.items() if not any(f"'{chain}'" in error for error in errors)] == []
