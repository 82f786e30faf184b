"""``convert --target powershell``: what is written (tests/convert/powershell.yml), and what it finds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from builder.converting import convert, settings_of
from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.queries.language import REASONS, RefusedError
from builder.rulefiles import read_folders
from sigmaengine.fields import Columns, make_cell
from sigmaengine.matcher import Matcher
from sigmaengine.routing import RoutingTable
from sigmaengine.ruleset import from_rules
from tests.support.builds import run, start, write
from tests.support.conversions import Answer, answers, rule_of
from tests.support.derived import event_for
from tests.support.powershell import Command, PowerShellError, WinEvent, parse
from tests.support.powershell.commands import found
from tests.support.powershellevents import events, xml_of
from tests.support.randomrules import rule as random_rule

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "convert" / "powershell.yml").read_text("utf-8"))
WINDOWS = {"product": "windows", "service": "bits-client"}
BITS = "Microsoft-Windows-Bits-Client/Operational"
SYSMON = "Microsoft-Windows-Sysmon/Operational"
EFFORT = int(os.environ.get("SIGMA_MATCH_EFFORT", "1"))


def document(case: dict[str, Any], number: int = 1, **said: str) -> str:
    """The rule of a case."""
    detection = case.get("detection") or {"selection": case["selection"], "condition": "selection"}
    return rule_of(number, detection, case.get("logsource", WINDOWS), **said)


def converted(folder: Path, text: str, *options: str) -> str:
    """The command of a rule."""
    (answer,) = answers("powershell", [text], folder, *options)
    assert not answer.refused
    return answer.query


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """What becomes of the cases."""
    rules = [document(case, number) for number, case in enumerate(CASES, 1)]
    return dict(
        zip([case["id"] for case in CASES], answers("powershell", rules, tmp_path_factory.mktemp("cases")), strict=True)
    )


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_commands(case: dict[str, Any], commands: dict[str, Answer]) -> None:
    command, refused = commands[case["id"]]
    if "refused" in case or refused:
        assert refused.startswith(f"{case.get('refused')} (")
        return
    assert command.isascii()
    parse(command)
    head, _, block = command.partition(" | Where-Object ")
    assert "reads" not in case or head == f"Get-WinEvent -FilterHashtable {case['reads']}"
    assert block.endswith((f";{case['asks']}}}", f"({case['asks']})}}", f"{{{case['asks']}}}"))


def test_every_reason_has_a_case() -> None:
    told = {case["refused"] for case in CASES if "refused" in case}
    assert {key for key, words in REASONS.items() if words in told} == {
        "comparison", "field name", "log source", "network", "number", "part of a time", "regex",
    }  # fmt: skip


def test_a_whole_command(tmp_path: Path) -> None:
    command = converted(tmp_path, document({"selection": {"a": "x"}}))
    assert command == (
        f"Get-WinEvent -FilterHashtable @{{LogName='{BITS}'}} | Where-Object {{$xml=$null;$xml=[xml]$_.ToXml();"
        '$data=[hashtable]::new();foreach($node in $xml.SelectNodes(\'/*/*[local-name()="EventData"]/*'
        "|/*/*[local-name()=\"UserData\"]//*[not(*)]')){$name=$node.GetAttribute('Name');if($name.Length -eq 0){$name="
        "$node.LocalName};if($node.InnerText.Length -gt 0){if(-not $data.ContainsKey($name)){$data[$name]=@()};"
        "$data[$name]+=$node.InnerText}};($data['a'] -ilike '`x')}"
    )


def test_as_a_process_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, rule=document({"selection": {"a": "\u2019"}})) / "rule.yml"
    done = start("convert", "--target", "powershell", path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"($data['a'] -imatch '\\A\\u2019\\z')}\n")


# --- the rule of Atomic Threat Coverage -----------------------------------------------------------

TUNNELS = {
    "logsource": {"product": "windows", "category": "process_creation"},
    "selection": {"Image|endswith": ["\\plink.exe", "\\socat.exe", "\\stunnel.exe", "\\httptunnel.exe"]},
}
ROWS: dict[str, tuple[str, str, dict[str, str], bool]] = {
    "plink": (SYSMON, "1", {"Image": "C:\\t\\plink.exe"}, True),
    "socat": (SYSMON, "1", {"Image": "C:\\t\\socat.exe"}, True),
    "stunnel": (SYSMON, "1", {"Image": "C:\\t\\stunnel.exe"}, True),
    "httptunnel": (SYSMON, "1", {"Image": "C:\\t\\httptunnel.exe"}, True),
    "upper case": (SYSMON, "1", {"Image": "C:\\T\\PLINK.EXE"}, True),
    "no folder's name before": (SYSMON, "1", {"Image": "C:\\t\\xplink.exe"}, False),
    "another character": (SYSMON, "1", {"Image": "C:\\t\\Alink.exe"}, False),
    "something behind": (SYSMON, "1", {"Image": "C:\\t\\plink.exe.bak"}, False),
    "a slash": (SYSMON, "1", {"Image": "C:/t/plink.exe"}, False),
    "the parent": (SYSMON, "1", {"Image": "C:\\a.exe", "ParentImage": "C:\\t\\plink.exe"}, False),
    "the command line": (SYSMON, "1", {"Image": "C:\\a.exe", "CommandLine": "C:\\t\\plink.exe"}, False),
    "4688": ("Security", "4688", {"NewProcessName": "C:\\t\\plink.exe"}, True),
    "4688 in another case": ("security", "4688", {"NewProcessName": "C:\\t\\Plink.exe"}, True),
    "4688's parent": ("Security", "4688", {"ParentProcessName": "C:\\t\\plink.exe"}, False),
    "Image is no field of 4688": ("Security", "4688", {"Image": "C:\\t\\plink.exe"}, False),
    "NewProcessName is none of Sysmon": (SYSMON, "1", {"NewProcessName": "C:\\t\\plink.exe"}, False),
    "an event of another id": (SYSMON, "5", {"Image": "C:\\t\\plink.exe"}, False),
    "an event of another channel": ("Application", "1", {"Image": "C:\\t\\plink.exe"}, False),
    "no data": (SYSMON, "1", {}, False),
}


@pytest.mark.parametrize("options", [(), ("--evtx", "C:\\a'b.evtx;c.evtx")], ids=["logs", "files"])
def test_tunnels(options: tuple[str, ...], tmp_path: Path) -> None:
    command = parse(converted(tmp_path, document(TUNNELS), *options))
    rows = list(ROWS.values())
    places = found(command, events(row[:3] for row in rows))
    assert [list(ROWS)[place] for place in places] == [name for name, row in ROWS.items() if row[3]]


def test_files_are_read_instead_of_logs(tmp_path: Path) -> None:
    command = converted(tmp_path, document(TUNNELS), "--evtx", "C:\\a'b.evtx;c.evtx")
    tables = "@{Path='C:\\a''b.evtx','c.evtx';Id=1,4688}"
    assert command.startswith(f"Get-WinEvent -FilterHashtable {tables} | Where-Object {{")
    anything = {"logsource": {"product": "windows"}, "selection": {"a": "x"}}
    assert converted(tmp_path, document(anything), "--evtx", "a").startswith(
        "Get-WinEvent -FilterHashtable @{Path='a'} "
    )
    path = write(tmp_path, rule=document(TUNNELS)) / "rule.yml"
    # In a file that Windows PowerShell 5.1 reads as cp1252, a part of the Cyrillic letter is a quotation mark.
    for evtx in ("a\nb", "\u0442};calc;#"):
        result = run("convert", "--target", "powershell", "--evtx", evtx, path)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "--evtx takes paths of printable ASCII" in result.stderr


def test_a_long_command_is_told(tmp_path: Path) -> None:
    values = [f"value {number}" for number in range(400)]
    path = write(tmp_path, rule=document({"selection": {"a": values}})) / "rule.yml"
    result = run("convert", "--target", "powershell", path)
    assert "note: the command is longer than 8,000 characters" in result.stderr
    command = parse(result.stdout[:-1])
    assert command.finds(WinEvent(xml_of(BITS, "1", {"a": "VALUE 399"})))
    assert not command.finds(WinEvent(xml_of(BITS, "1", {"a": "value 400"})))


SYSTEM: dict[str, tuple[dict[str, Any], bool]] = {
    "id": ({"EventID": 7}, True),
    "id as text": ({"EventID|startswith": "7"}, True),
    "another id": ({"EventID": 77}, False),
    "provider": ({"Provider_Name": "p"}, True),
    "provider, with case": ({"Provider_Name|cased": "p"}, False),
    "provider by an expression": ({"Provider_Name|re": "^P$"}, True),
    "level": ({"Level": 4}, True),
    "level compared": ({"Level|gt": 3}, True),
    "level compared with more": ({"Level|gt": 4}, False),
    "opcode is none": ({"Opcode": None}, True),
    "opcode exists": ({"Opcode|exists": True}, False),
    "opcode by an expression for nothing": ({"Opcode|re": "^$"}, False),
    "opcode referred to": ({"Level|fieldref|contains": "Opcode"}, False),
    "computer referred to": ({"a|fieldref|endswith": "Computer"}, True),
    "keywords": ({"Keywords|startswith": "0X8"}, True),
    "computer": ({"Computer|endswith": ".lan"}, True),
    "no data of these names": ({"Level": 9}, False),
}


@pytest.mark.parametrize("name", SYSTEM)
def test_the_system_part(name: str, asking: dict[str, Command]) -> None:
    command, matched = asking[name], SYSTEM[name][1]
    fields = {"a": "on pc.lan", "Level": "9", "Opcode": "1"}
    xml = xml_of(BITS, "7", fields, "P", Level="4", Keywords="0x80", Computer="PC.lan")
    assert command.finds(WinEvent(xml)) is matched


VALUES: dict[str, tuple[dict[str, Any], list[str], bool]] = {
    "any of several": ({"a": "x"}, ["y", "X"], True),
    "none of several": ({"a|neq": "x"}, ["y", "X"], False),
    "number": ({"a": 10}, ["10.0"], True),
    "number with an exponent": ({"a": 10}, ["+1e1"], True),
    "nought, which is false alone": ({"a": 0}, ["0"], True),
    "nought compared": ({"a|lte": 0}, ["-0.5", "x"], True),
    "no number": ({"a": 10}, [" 10", "0x0a", "1O", "", "10,0"], False),
    "text that is no number compared": ({"a|gt": 1}, ["abc"], False),
    "network": ({"a|cidr": "10.0.0.0/8"}, ["10.1.2.3"], True),
    "network by its other notation": ({"a|cidr": "10.0.0.0/8"}, ["::ffff:10.1.2.3"], True),
    "network with a zone": ({"a|cidr": "fe80::/10"}, ["FEBF::1%3"], True),
    "another network": (
        {"a|cidr": "10.0.0.0/8"},
        ["11.0.0.1", "10", "010.0.0.1", "10.evil", "0x0a.1", "10.0.0.1.2"],
        False,
    ),
    "network that ends within an octet": ({"a|cidr": "192.168.4.0/22"}, ["192.168.7.255"], True),
    "network that ended before": ({"a|cidr": "192.168.4.0/22"}, ["192.168.8.0"], False),
    "a character that .NET has as two": ({"a": "x?y"}, ["x\U0001f600y"], True),
    "two such characters": ({"a": "x?y"}, ["x\U0001f600\U0001f600y"], False),
    "half of one": ({"a": "x??y"}, ["x\U0001f600y"], False),
    "line breaks": ({"a": "x*y"}, ["x\n\ny"], True),
    "letters of other scripts": ({"a": "\u03c3\u03ac"}, ["\u03a3\u0386"], True),
    "a value of several is empty": ({"a": None}, ["", "x"], False),
    "a soft hyphen, which is nothing to a language": ({"a|exists": True}, ["\u00ad"], True),
    "a soft hyphen within": ({"a": "xy"}, ["x\u00ady"], False),
    "all values are empty": ({"a": None}, ["", ""], True),
}


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Command]:
    """The commands of SYSTEM and VALUES."""
    selections = [one[0] for one in (*SYSTEM.values(), *VALUES.values())]
    rules = [document({"selection": one}, number) for number, one in enumerate(selections, 1)]
    found = answers("powershell", rules, tmp_path_factory.mktemp("asking"))
    return dict(zip([*SYSTEM, *VALUES], [parse(answer.query) for answer in found], strict=True))


@pytest.mark.parametrize("name", VALUES)
def test_values(name: str, asking: dict[str, Command]) -> None:
    _, values, matched = VALUES[name]
    assert asking[name].finds(WinEvent(xml_of(BITS, "7", {"a": values}))) is matched


def test_what_has_no_name_and_user_data(tmp_path: Path) -> None:
    selection = {"Data|contains": "x", "Binary": "00"}
    command = parse(converted(tmp_path, document({"selection": selection})))
    xml = xml_of(BITS, "7", {}).replace("<EventData>", "<EventData><Data>a</Data><Data>bxc</Data><Binary>00</Binary>")
    assert command.finds(WinEvent(xml))
    user = xml.replace("EventData", "UserData").replace("<UserData>", "<UserData><E xmlns='n'><F>q</F></E>")
    assert parse(converted(tmp_path, document({"selection": {"F": "q"}}))).finds(WinEvent(user))
    assert not parse(converted(tmp_path, document({"selection": {"E": "q"}}))).finds(WinEvent(user))


# --- rules of strangers ----------------------------------------------------------------------------

HOSTILE = [
    "'); calc; ('", "'; calc #", "$(calc)", "`'$(calc)", "\u2018; calc; \u2019", "\u201a\u201b'", "a\nb'; calc",
    '"; calc; "', "${env:x}", "a`", "\\'", "''", "@'\ncalc\n'@", "\r\ncalc\r\n", "\u2028calc", "x]}; calc; @{[",
    "*?[a-z]`*", "\x00'",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_nothing_of_a_rule_leaves_its_quotes(text: str, tmp_path: Path) -> None:
    escaped = text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    expression = "".join(f"[{one}]" if one.isalnum() else f"\\{one}" for one in text)
    finding = [
        {"a": escaped},
        {"a|contains|cased": escaped},
        {"a|re": expression},
        {"a|startswith": [escaped, "other"]},
    ]
    others = [{"a|windash": f"-x{escaped}"}, {f"n{text}": "x"}, {"b|fieldref": f"n{text}"}]
    said = {"title": f"T{text}", "description": text, "author": text}
    rules = [document({"selection": one}, number, **said) for number, one in enumerate(finding + others, 1)]
    # Each command is one line, and anything but the subset is an error: calc is no part of it.
    commands = [parse(answer.query) for answer in answers("powershell", rules, tmp_path) if not answer.refused]
    assert len(commands) >= len(finding) + 1
    nothing = WinEvent(xml_of(BITS, "1", {"a": "z"}))
    assert not any(command.finds(nothing) for command in commands)
    if "\x00" not in text and "\r" not in text:
        event = WinEvent(xml_of(BITS, "1", {"a": text}))
        assert [command.finds(event) for command in commands[: len(finding)]] == [True] * len(finding)


def test_the_evaluator_refuses_what_would_run() -> None:
    for text in ("calc", "{calc}", '"x"', "$(calc)", "'a' `n", "'a' # b", "'a'; 'b'", "[scriptblock]::Create('x')"):
        with pytest.raises((PowerShellError, KeyError)):
            parse(f"Get-WinEvent -FilterHashtable @{{LogName='x'}} | Where-Object {{1}} {text}")


# --- random rules ------------------------------------------------------------------------------------


def outcome_of(folder: Path, text: str) -> Outcome | None:
    """A rule that can match, read as the command line reads it."""
    accepted = read_folders([write(folder, rule=text)], {"p": ["ab", "x*"], "q": ["10"]}).accepted
    return accepted[0] if accepted else None


@pytest.mark.parametrize("seed", range(8 * EFFORT))
def test_random_rules(seed: int, mappings: Mappings, tmp_path: Path) -> None:
    random = Random(seed)  # noqa: S311 - the same in every run
    written = pairs = 0
    for number in range(12):
        content = {**random_rule(random, number), "logsource": WINDOWS, "status": "test"}
        outcome = outcome_of(tmp_path / str(number), json.dumps(content))
        if outcome is None or outcome.rule is None:
            continue
        try:
            command = parse(convert(outcome, "powershell", mappings, settings_of("powershell", {})).text)
        except RefusedError:
            continue
        written += 1
        rule = outcome.rule._replace(logsource=outcome.rule.logsource._replace(product=None, service=None))
        matcher = Matcher(from_rules([rule], RoutingTable({"keys": {}, "alternatives": []})), profile="none")
        for _ in range(10):
            fields = {name: value for name, value in event_for(content, random).items() if "\r" not in value}
            words = fields.pop("_raw", "")
            values: dict[str, Any] = {
                name: [value, random.choice(["ab", "10"])] if random.random() < 0.2 else value
                for name, value in fields.items()
            }
            xml = xml_of(BITS, "7", {**values, "Words": words})
            cells = [value if isinstance(value, str) else make_cell(value) for value in values.values()]
            matched = list(matcher.match(Columns([*values, "_raw"]), [*cells, xml]))
            assert command.finds(WinEvent(xml)) == bool(matched), (content, xml)
            pairs += bool(matched)
    assert written > 3
    assert pairs > 3


@pytest.mark.parametrize("channel", ["x\u0442};calc.exe;#", "Foo[1]", r"a\*b"], ids=["not-ascii", "brackets", "star"])
def test_names_of_logs_that_cannot_be_given_are_not(channel: str, tmp_path: Path) -> None:
    asks = {"logsource": {"product": "windows"}, "selection": {"Channel": channel, "EventID": 5}}
    path = write(tmp_path, rule=document(asks)) / "rule.yml"
    result = run("convert", "--target", "powershell", path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "names no event log of Windows" in result.stderr
