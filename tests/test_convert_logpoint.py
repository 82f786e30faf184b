"""``convert --target logpoint``: what is written (tests/convert/logpoint.yml), and what it finds."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from builder.converting import convert, settings_of
from builder.mappings import MappingError, Mappings
from builder.queries.language import RefusedError
from builder.queries.logpointnames import read_profile
from builder.rulefiles import read_folders
from sigmaengine.fields import Columns
from sigmaengine.matcher import Matcher
from sigmaengine.numbers import parse_number
from sigmaengine.routing import RoutingTable
from sigmaengine.ruleset import from_rules
from tests.support.builds import run, write
from tests.support.conversions import Answer, answers, rule_of
from tests.support.derived import event_for
from tests.support.logpoint import LogpointError, parse
from tests.support.logpointevents import normalised
from tests.support.powershellevents import xml_of
from tests.support.randomrules import rule as random_rule
from tests.test_convert_powershell import HOSTILE, ROWS, TUNNELS

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "convert" / "logpoint.yml").read_text("utf-8"))
ANY = {"product": "any"}
EFFORT = int(os.environ.get("SIGMA_MATCH_EFFORT", "1"))


def document(case: dict[str, Any], number: int = 1, **said: str) -> str:
    """The rule of a case."""
    detection = case.get("detection") or {"selection": case["selection"], "condition": "selection"}
    return rule_of(number, detection, case.get("logsource", ANY), **said)


@pytest.fixture(scope="module")
def searches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """What becomes of the cases."""
    rules = [document(case, number) for number, case in enumerate(CASES, 1)]
    found = answers("logpoint", rules, tmp_path_factory.mktemp("cases"))
    return dict(zip([case["id"] for case in CASES], found, strict=True))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_searches(case: dict[str, Any], searches: dict[str, Answer]) -> None:
    query, refused = searches[case["id"]]
    if "refused" in case or refused:
        assert refused.partition(" (")[0] == case.get("refused", "").partition(" (")[0]
        return
    assert query == case["query"]
    parse(query)


def test_other_log_sources_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, rule=document({"selection": {"a": "x"}})) / "rule.yml"
    result = run("convert", "--target", "logpoint", path)
    assert result.stdout == 'a="x"\n'
    assert "note: nothing says what Logpoint calls the events of any/*/*" in result.stderr


def test_tunnels(tmp_path: Path) -> None:
    (answer,) = answers("logpoint", [document(TUNNELS)], tmp_path)
    finds = parse(answer.query)
    found = [
        name for name, (channel, id_, fields, _) in ROWS.items() if finds(normalised(xml_of(channel, id_, fields)))
    ]
    assert found == [name for name, row in ROWS.items() if row[3]]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_nothing_of_a_rule_leaves_its_quotes(text: str, tmp_path: Path) -> None:
    escaped = text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    selections = [
        {"a": escaped},
        {"a|startswith": [escaped, "other"]},
        {f"n{text}": "x"},
        {"a|windash": f"-x{escaped}"},
    ]
    said = {"title": f"T{text}", "description": text, "author": text}
    rules = [document({"selection": one}, number, **said) for number, one in enumerate(selections, 1)]
    for place, answer in enumerate(answers("logpoint", rules, tmp_path)):
        if answer.refused:
            assert answer.refused.startswith(("characters that", "a field whose name", "a literal '*'"))
            continue
        finds = parse(answer.query)
        assert not finds({"a": ["z"]})
        assert finds({"a": [text]}) or place > 1


def test_the_evaluator_refuses_what_it_does_not_know() -> None:
    for text in ('a="x" | chart count()', 'a="x', "a", 'a IN "x"', "(a=x", 'a="x" // b', "a=[x]"):
        with pytest.raises(LogpointError):
            parse(text)


WRONG = {
    "no mapping": ("[]", "1: error mapping: a mapping is expected"),
    "no YAML": ("{", "error yaml-syntax"),
    "two documents": ("a: 1\n---\nb: 2", "one document is expected"),
    "a key that is not known": ("version: 1\nnames: {}\nchannels: {}\nmore: 1", "4: error mapping: unknown key 'more'"),
    "a key that is missing": ("version: 1\nnames: {}", "'channels' is missing"),
    "another version": ("version: 2\nnames: {}\nchannels: {}", "'version' must be 1"),
    "a name that is none": ("version: 1\nnames:\n  A: b c\nchannels: {}", "3: error mapping: 'b c' is no name"),
    "names that are no mapping": ("version: 1\nnames: x\nchannels: {}", "a mapping is expected"),
    "a channel without where": ("version: 1\nnames: {}\nchannels:\n  X: {names: {}}", "4: error mapping: 'where' is"),
    "a key of a channel": ("version: 1\nnames: {}\nchannels: {X: {where: {}, what: 1}}", "unknown key 'what'"),
    "a name of an event": ("version: 1\nnames: {}\nchannels: {X: {where: {}, events: {1: {A: 5}}}}", "'5' is no name"),
    "a number for a channel": ("version: 1\nnames: {}\nchannels: {X: {where: {norm_id: 1}}}", "a text is expected"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_faulty_profile(text: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, profile=text) / "profile.yml"
    with pytest.raises(MappingError) as raised:
        read_profile(path)
    assert message in str(raised.value)


# --- random rules ------------------------------------------------------------------------------------


def one_way(value: str) -> str:
    """A number as an integer without a fraction, as what Logpoint is asked for."""
    number = parse_number(value)
    return value if number is None else str(int(number))


@pytest.mark.parametrize("seed", range(6 * EFFORT))
def test_random_rules(seed: int, mappings: Mappings, tmp_path: Path) -> None:
    random = Random(seed)  # noqa: S311 - the same in every run
    documents = [{**random_rule(random, number), "status": "test"} for number in range(40)]
    texts = {f"r{number}": json.dumps(one, ensure_ascii=False) for number, one in enumerate(documents)}
    pairs = 0
    for outcome in read_folders([write(tmp_path, **texts)], {"p": ["ab", "x*"], "q": ["10"]}).accepted:
        assert outcome.rule is not None
        try:
            finds = parse(convert(outcome, "logpoint", mappings, settings_of("logpoint", {})).text)
        except RefusedError:
            continue
        bare = outcome.rule._replace(logsource=outcome.rule.logsource._replace(product=None))
        matcher = Matcher(from_rules([bare], RoutingTable({"keys": {}, "alternatives": []})), profile="none")
        for _ in range(10):
            event = {
                name: one_way(value) for name, value in event_for(outcome.document, random).items() if value != "-"
            }
            matched = bool(list(matcher.match(Columns(list(event)), list(event.values()))))
            fields: dict[str, Sequence[str]] = {name: [value] for name, value in event.items()}
            assert finds(fields) == matched, (outcome.document, event)
            pairs += matched
    assert pairs
