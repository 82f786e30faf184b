"""Random rules as commands of grep, on lines of XML and of JSON: they find what the engine matches.

What the writer takes for granted holds for these lines too (docs/queries-grep.md): XML has the five
named entities and numeric ones of characters that are not printed, and writes integers in one way.
"""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.queries.grep import TARGET
from builder.queries.language import RefusedError
from sigmaengine.fields import Columns, make_cell
from sigmaengine.matcher import Matcher
from sigmaengine.numbers import parse_number
from sigmaengine.rule import Rule, read_rule
from sigmaengine.ruleset import from_rules
from tests.support.derived import event_for
from tests.support.eventfiles import read
from tests.support.greps import found, json_line, write_lines, xml_line, xml_text
from tests.support.randomrules import PLACEHOLDERS, rule

EFFORT = int(os.environ.get("SIGMA_MATCH_EFFORT", "1"))
SEEDS, RULES, EVENTS = 3 * EFFORT, 25, 30
counted: Counter[str] = Counter()

#: Stands in lines in which a field has several values, of which a reference takes one alone.
SEVERAL = "several"
#: Entities of characters that are not printed: in Splunk these are the characters, for its events have several lines.
_CONTROL = re.compile("&#(?:0*(9|10|13)|[xX]0*([9aAdD]));")
CHANNEL = "Microsoft-Windows-Bits-Client/Operational"


def rules_of(random: Random, logsource: dict[str, str]) -> list[tuple[dict[str, Any], Rule]]:
    read_rules = []
    for number in range(RULES):
        document = {**rule(random, number), "logsource": logsource}
        one, problems = read_rule(document, PLACEHOLDERS)
        assert one is not None, problems
        read_rules.append((document, one))
    return read_rules


def compare(
    rules: list[Rule], mappings: Mappings, form: str, lines: list[str], wanted: set[tuple[int, str]], folder: Path
) -> None:
    """Each rule's command finds the lines that it should."""
    file = write_lines(folder / "lines", lines)
    for one in rules:
        settings = {"line-format": form, "pattern-file": ""}
        try:
            command = TARGET.write(Outcome("r.yml", 1, rule=one), mappings, settings).text
        except RefusedError as reason:
            counted[reason.reason] += 1
            continue
        refers = any(test[0] == "ref" for item in one.items for test in item.tests)
        judged = {number for number, line in enumerate(lines) if not (refers and SEVERAL in line)}
        expected = {number for number, rule_id in wanted if rule_id == one.id} & judged
        numbers = found(command, file) & judged
        counted["pairs"] += len(expected)
        counted["commands"] += 1
        wrong = {number: lines[number] for number in numbers ^ expected}
        assert wrong == {}, f"{one.detections} {one.items} {numbers} {expected} {shlex.split(command)[-1]}"


def matched(matcher: Matcher, event: dict[str, Any]) -> set[str]:
    cells = [value if isinstance(value, str) else make_cell(value) for value in event.values()]
    return {match.info.id for match in matcher.match(Columns(list(event)), cells)}


def xml_value(value: str, random: Random) -> str:
    if parse_number(value) is not None:
        return "10"
    # Digits of a line break's entity would be text for this command, which is told of in the documentation.
    return xml_text(value.replace("\n", "\t"), random)


def in_splunk(text: str) -> str:
    return _CONTROL.sub(lambda one: chr(int(one[1]) if one[1] else int(one[2], 16)), text)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_xml(seed: int, mappings: Mappings, tmp_path: Path) -> None:
    random = Random(seed)  # noqa: S311 - the same in every run
    rules = rules_of(random, {"product": "windows", "service": "bits-client"})
    matcher = Matcher(from_rules([one for _, one in rules], mappings.routing), profile="windows_xml")
    lines: list[str] = []
    wanted: set[tuple[int, str]] = set()
    for number in range(EVENTS):
        made = event_for(random.choice(rules)[0], random)
        made["a"] = made.get("a", "") + " " + made.pop("_raw", "")
        data: dict[str, Any] = {name: xml_value(value, random) for name, value in made.items() if value.strip()}
        if data and random.random() < 0.2:
            name = random.choice(list(data))
            data[name] = [data[name], xml_text(random.choice(["ab", "b&c", "10"]), random)]
            data[SEVERAL] = "x"
        channel = random.choice([CHANNEL, CHANNEL, CHANNEL.upper(), "Security"])
        system = {"EventID": str(random.choice([1, 10, 4688])), "Channel": channel}
        line = xml_line(system, data, random)
        lines.append(line)
        event = {
            name: in_splunk(value) if isinstance(value, str) else [in_splunk(one) for one in value]
            for name, value in data.items()
        }
        event |= {"_raw": in_splunk(line), "source": f"XmlWinEventLog:{channel}", "sourcetype": "XmlWinEventLog"}
        event |= {"EventCode": system["EventID"], "Channel": channel}
        wanted |= {(number, one) for one in matched(matcher, event)}
    compare([one for _, one in rules], mappings, "xml", lines, wanted, tmp_path)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_json(seed: int, mappings: Mappings, tmp_path: Path) -> None:
    random = Random(seed)  # noqa: S311 - the same in every run
    rules = rules_of(random, {})
    matcher = Matcher(from_rules([one for _, one in rules], mappings.routing))
    lines: list[str] = []
    for _ in range(EVENTS):
        event: dict[str, Any] = event_for(random.choice(rules)[0], random)
        event["text"] = event.pop("_raw", "")
        if random.random() < 0.2:
            name = random.choice(list(event))
            event[name] = [event[name], random.choice(["ab", "b&c", "10"])]
            event[SEVERAL] = "x"
        lines.append(json_line(event, random))
    events, findings = read(tmp_path / "e.jsonl", "".join(f"{line}\n" for line in lines))
    assert findings == []
    wanted = {(number, one) for number, event in enumerate(events) for one in matched(matcher, event or {})}
    compare([one for _, one in rules], mappings, "json", lines, wanted, tmp_path)


EXPRESSIONS = [
    "a.b", "a.*b.*c", "^a?b$", "[^a]b", "[^&]{2}", "(?:a|&|<)+;", "\\w+\\s\\W", "^\\S{3,9}$", "\\d{2}", "x\\b",
    "(?i:aB)c", "\\n.", "^.{4}$", "[a-f<>]{3}", "a(?=&)", "a(?!;)", "(?<!x)b", "\\\\[^\\\\]+\\\\", "'\"", '^[^\\s"]+$',
    "é|É", "[é-ï]", "a.+?b\\Z", "(a|b.){3,}", "lt;", "&amp", "[\\w.]+@", "\\D\\d\\D", "^$", "(?s:a.b)", "(?:\\\\|/)x",
    "[\\W_]a", "[^\\d\\s]{3}",
]  # fmt: skip
PIECES = [*"ab&<>;'\"\n\t \\/.x1é_@", "a", "b", "ab", "&lt;", "&amp;", "aB", "12", "amp"]


@pytest.mark.parametrize("form", ["xml", "json"])
@pytest.mark.parametrize("flags", ["", "|i", "|s"])
def test_expressions(form: str, flags: str, mappings: Mappings, tmp_path: Path) -> None:
    random = Random(f"{form}{flags}")  # noqa: S311 - the same in every run
    logsource = {"product": "windows", "service": "bits-client"} if form == "xml" else {}
    rules = []
    for number, expression in enumerate(EXPRESSIONS):
        detection = {"selection": {f"f|re{flags}": expression}, "condition": "selection"}
        document = {"id": f"00000000-0000-4000-8000-{number:012}", "title": "T", "logsource": logsource}
        one, problems = read_rule({**document, "detection": detection})
        assert one is not None, problems
        rules.append(one)
    matcher = Matcher(from_rules(rules, mappings.routing), profile="windows_xml" if form == "xml" else "none")
    lines, wanted = [], set()
    for number in range(150 * EFFORT):
        value = "".join(random.choice(PIECES) for _ in range(random.randint(1, 9)))
        written = xml_text(value, random)
        system = {"EventID": "1", "Channel": CHANNEL}
        lines.append(xml_line(system, {"f": written}, random) if form == "xml" else json_line({"f": value}, random))
        event = {"f": in_splunk(written), "sourcetype": "XmlWinEventLog", "source": f"XmlWinEventLog:{CHANNEL}"}
        wanted |= {(number, one) for one in matched(matcher, event if form == "xml" else {"f": value})}
    compare(rules, mappings, form, lines, wanted, tmp_path)


def test_much_was_compared() -> None:
    assert counted["pairs"] > 50 * SEEDS
    assert counted["commands"] > 30 * SEEDS
