"""SigmaHQ's rules as commands of grep: on recorded attacks, and on events made from the rules' own values.

A command finds the lines that the engine matches, and no others; there is no exception.
"""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

from builder.events import read_events
from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.queries.events import Asked, FieldProfile, asked
from builder.queries.grep import TARGET
from builder.queries.language import REASONS, RefusedError
from builder.rulefiles import RuleFolder
from sigmaengine.fields import Columns, clean_name, make_cell
from sigmaengine.matcher import Matcher
from sigmaengine.numbers import parse_number
from sigmaengine.rule import Rule
from sigmaengine.ruleset import from_rules
from tests.support.derived import event_for
from tests.support.greps import found, json_line, needs_grep, write_lines, xml_line, xml_text
from tests.support.shared import json_lines, shared
from tests.test_expectations import sigmahq

from .oracles import EVERYTHING, examples

__all__ = ["sigmahq"]

#: Of the rules every so many are taken, on recorded events and on made ones.
RULES, MADE_FOR = (1, 4) if EVERYTHING else (96, 96)
#: Lines of JSON say the same as those of XML, so that fewer rules and lines are enough for them.
JSON_RULES, JSON_LINES = (16, 1) if EVERYTHING else (1, 8)
EVENTS_OF_A_RULE = 8
ATTACKS = "data/attack-events.jsonl.gz"

Pairs = set[tuple[int, str]]


def command_of(rule: Rule, mappings: Mappings, form: str) -> str:
    """The command of a rule, none if it is refused."""
    try:
        return TARGET.write(Outcome("r.yml", 1, rule=rule), mappings, {"line-format": form, "pattern-file": ""}).text
    except RefusedError:
        return ""


def found_by(rules: Sequence[Rule], mappings: Mappings, form: str, file: Path) -> tuple[Pairs, set[str]]:
    """The pairs of a line and a rule that the rules' commands find, and the rules that have one."""
    commands = {rule.id: command for rule in rules if (command := command_of(rule, mappings, form))}

    def run(rule_id: str) -> Pairs:
        return {(number, rule_id) for number in found(commands[rule_id], file)}

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return set().union(*pool.map(run, commands)), set(commands)


def matches(matcher: Matcher, event: Mapping[str, Any]) -> set[str]:
    cells = [value if isinstance(value, str) else make_cell(value) for value in event.values()]
    return {match.info.id for match in matcher.match(Columns(list(event)), cells)}


def windows_rules(folder: RuleFolder) -> list[Rule]:
    return [rule for rule in folder.rules if rule.logsource.product == "windows"]


@pytest.fixture(scope="module")
def attacks() -> list[str]:
    """The XML of recorded attacks, a line each: what is no line of its own is written as XML can write it."""
    events = json_lines(shared(ATTACKS))
    return [event["_raw"].replace("\r", "&#13;").replace("\n", "&#10;") for event in events]


@pytest.fixture(scope="module")
def matched(sigmahq: RuleFolder, mappings: Mappings) -> Pairs:
    """What the engine matches of the recorded attacks, with Splunk's fields."""
    rules = windows_rules(sigmahq)[::RULES]
    matcher = Matcher(from_rules(rules, mappings.routing), profile="windows_xml")
    events = enumerate(read_events([shared(ATTACKS)], []))
    return {(number, one) for number, event in events if event for one in matches(matcher, event)}


def test_recorded_attacks(
    sigmahq: RuleFolder, mappings: Mappings, attacks: list[str], matched: Pairs, tmp_path: Path
) -> None:
    needs_grep()
    rules = windows_rules(sigmahq)[::RULES]
    pairs, converted = found_by(rules, mappings, "xml", write_lines(tmp_path / "lines", attacks))
    assert pairs == {pair for pair in matched if pair[1] in converted}
    assert len(pairs) > examples(10, 3000)
    assert len(converted) > 0.99 * len(rules)


def nested(line: str) -> str:
    """An event's XML as evtx_dump writes it in JSON."""
    root = ET.fromstring(line)  # noqa: S314 - of the test data
    return json.dumps({"Event": {_local(child): _member(child) for child in root}}, ensure_ascii=False)


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _member(element: ET.Element) -> Any:
    if _local(element) == "EventData":
        named = [(one.get("Name"), one.text) for one in element if one.get("Name")]
        unnamed = [one.text for one in element if _local(one) == "Data" and not one.get("Name")]
        others = {_local(one): one.text for one in element if _local(one) != "Data"}
        texts: dict[str, Any] = {}
        for name, text in named:
            texts[str(name)] = [*texts[str(name)], text] if str(name) in texts else [text]
        values = {name: several if len(several) > 1 else several[0] for name, several in texts.items()}
        return {**values, **({"Data": {"#text": unnamed}} if unnamed else {}), **others}
    if len(element):
        return {_local(one): _member(one) for one in element}
    attributes = {"#attributes": dict(element.attrib)} if element.attrib else {}
    text: Any = element.text
    if _local(element) == "EventID":
        text = int(str(text))
    return {**attributes, **({"#text": text} if text else {})} if attributes else text


def test_recorded_attacks_as_json(
    sigmahq: RuleFolder, mappings: Mappings, attacks: list[str], matched: Pairs, tmp_path: Path
) -> None:
    needs_grep()
    rules = windows_rules(sigmahq)[::RULES][::JSON_RULES]
    lines = [nested(line) for line in attacks[::JSON_LINES]]
    found_pairs, converted = found_by(rules, mappings, "json", write_lines(tmp_path / "lines", lines))
    pairs = {(number * JSON_LINES, rule_id) for number, rule_id in found_pairs}
    assert pairs == {pair for pair in matched if pair[1] in converted and pair[0] % JSON_LINES == 0}
    assert pairs
    assert len(converted) > 0.9 * len(rules)


# --- events made from the rules' own values -----------------------------------------------------------

#: Splunk's names of what stands in <System>.
COLUMNS = {"EventID": "EventCode", "Provider_Name": "Provider", "EventRecordID": "RecordNumber"}


def windows_event(made: Mapping[str, str], kind: Asked, random: Random) -> tuple[str, dict[str, Any]]:
    """(the line, what Splunk shows of it)."""
    system, data = {"Channel": "Other", "EventID": "99"}, dict[str, str]()
    for whens in kind.events.taken:
        for key, globs in random.choice(whens).items():
            name = {"channel": "Channel", "event_id": "EventID"}.get(key, key)
            (system if name in (*system, "Provider_Name") else data)[name] = random.choice(globs).replace("*", "x")
    for field, value in made.items():
        name = kind.naming(field)
        plain = str(random.choice([3, 10])) if _is_odd_number(value) else value
        if name in ("EventID", "Provider_Name", "Channel", "Level", "Keywords"):
            text = "".join(one for one in plain if one not in "<>&'\"\n\r\t")
            system[name] = "1" if not text or _is_odd_number(text) else text
        elif name != "_raw":
            data[name] = xml_text(plain.replace("\n", " ").replace("\r", " "), random)
    line = xml_line(system, data, random)
    channel = system["Channel"]
    event = {clean_name(name): value.replace("&#9;", "\t") for name, value in data.items()}
    event |= {COLUMNS.get(name, name): value for name, value in {"Level": "4", "Provider_Name": "P", **system}.items()}
    return line, {**event, "_raw": line, "source": f"XmlWinEventLog:{channel}", "sourcetype": "XmlWinEventLog"}


def _is_odd_number(value: str) -> bool:
    return parse_number(value) is not None and not (value.isascii() and value.isdigit())


def made_for(document: Any, random: Random) -> Iterator[dict[str, str]]:
    for _ in range(EVENTS_OF_A_RULE):
        made = event_for({**document, "logsource": {}}, random)
        if "_raw" in made:
            made["zz"] = made.pop("_raw")
        yield {name: value for name, value in made.items() if value.strip()}


counted: Counter[bool] = Counter()


@pytest.mark.parametrize("windows", [True, False], ids=["xml", "json"])
def test_made_events(sigmahq: RuleFolder, mappings: Mappings, windows: bool, tmp_path: Path) -> None:
    needs_grep()
    outcomes = [one for one in sigmahq.outcomes if one.rule and (one.rule.logsource.product == "windows") == windows]
    wrong = []
    for outcome in outcomes[::MADE_FOR]:
        rule = outcome.rule
        assert rule is not None
        random = Random(rule.id)  # noqa: S311 - the same in every run
        command = command_of(rule, mappings, "xml" if windows else "json")
        if not command:
            continue
        made = list(made_for(outcome.document, random))
        # Where no mapping gives the log source, the command is for events that are known to be of it.
        said = None if windows and mappings.routing.is_mapped(rule.logsource) else rule.logsource
        profile = "windows_xml" if windows else "none"
        matcher = Matcher(from_rules([rule], mappings.routing), profile=profile, logsource=said)
        if windows:
            kinds = asked(rule, mappings, FieldProfile())
            both = [windows_event(one, random.choice(kinds), random) for one in made]
            lines, events = [line for line, _ in both], [event for _, event in both]
        else:
            lines = [json_line(one, random) for one in made]
            file = write_lines(tmp_path / "events.jsonl", lines)
            events = [dict(event or {}) for event in read_events([file], [])]
        expected = {number for number, event in enumerate(events) if matches(matcher, event)}
        numbers = found(command, write_lines(tmp_path / "lines", lines))
        counted[windows] += len(expected)
        wrong += [(outcome.path, number in expected, lines[number]) for number in numbers ^ expected]
    assert not wrong, json.dumps(wrong[:5], ensure_ascii=False)
    assert counted[windows] > len(outcomes) // MADE_FOR


def test_few_rules_are_refused(sigmahq: RuleFolder, mappings: Mappings) -> None:
    refused: Counter[str] = Counter()
    taken = sigmahq.accepted[:: examples(16, 1)]
    for outcome in taken:
        try:
            TARGET.write(outcome, mappings, {"line-format": "", "pattern-file": ""})
        except RefusedError as reason:
            refused[reason.reason] += 1
    assert set(refused) <= set(REASONS)
    assert refused.total() < 0.01 * len(taken)
    if EVERYTHING:
        # As docs/queries-grep.md says.
        assert refused == {"length": 5}
