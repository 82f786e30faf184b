"""``build.py convert --target grep``: what the commands find (tests/convert/grep.yml), by a real grep."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from builder.paths import ROOT
from sigmaengine.folding import fold
from sigmaengine.predicates import compile_test
from tests.support.builds import UUID, run, write
from tests.support.greps import found, write_lines, xml_line

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "convert" / "grep.yml").read_text("utf-8"))
CHANNEL = "Microsoft-Windows-Bits-Client/Operational"
WINDOWS = {"product": "windows", "service": "bits-client"}


def document(detection: Any, logsource: Any = None, number: int = 1, **said: str) -> str:
    """A rule."""
    content = {"id": f"{UUID}{number:02}", "title": "T", "status": "test", "level": "low", **said}
    return json.dumps({**content, "logsource": logsource or WINDOWS, "detection": detection}, ensure_ascii=False)


def detection_of(case: dict[str, Any]) -> Any:
    return case.get("detection") or {"selection": case["selection"], "condition": "selection"}


def line_of(said: Any) -> str:
    """A line of a case: as it is, or an event by its data."""
    if isinstance(said, str):
        return said
    system = {"Channel": said.get("Channel", CHANNEL), "EventID": str(said.get("EventID", 1))}
    texts = {
        name: value if isinstance(value, list) else str(value) for name, value in said.items() if name not in system
    }
    return xml_line(system, texts, Random(1))  # noqa: S311 - the same in every run


def converted(path: Path, *options: str) -> str:
    """The command for a rule."""
    result = run("convert", "--target", "grep", *options, path)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("case", [case for case in CASES if "finds" in case], ids=lambda case: case["id"])
def test_finds(case: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path, rule=document(detection_of(case), case.get("logsource"))) / "rule.yml"
    result = run("convert", "--target", "grep", *case.get("options", []), path)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("\n") == 1
    assert case.get("notes", "") in result.stderr
    assert bool(result.stderr) == (case.get("logsource", WINDOWS)["product"] != "windows")
    assert case["finds"]
    assert case["misses"]
    lines = [line_of(said) for said in [*case["finds"], *case["misses"]]]
    numbers = found(result.stdout, write_lines(tmp_path / "lines", lines))
    assert [lines[number] for number in sorted(numbers)] == lines[: len(case["finds"])]


@pytest.mark.parametrize("case", [case for case in CASES if "refused" in case], ids=lambda case: case["id"])
def test_refuses(case: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path, rule=document(detection_of(case), case.get("logsource"))) / "rule.yml"
    result = run("convert", "--target", "grep", *case.get("options", []), path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"error grep: {case['refused']}" in result.stderr


# --- the rule with which it all began -----------------------------------------------------------------

TOOLS = ("plink", "socat", "stunnel", "httptunnel")
SYSMON = "Microsoft-Windows-Sysmon/Operational"
TUNNELS = {
    "selection": {"Image|endswith": [f"\\{tool}.exe" for tool in TOOLS]},
    "condition": "selection",
}
RIGHT = [
    *[(SYSMON, "1", {"Image": f"C:\\tools\\{tool}.exe"}) for tool in TOOLS],
    *[("Security", "4688", {"NewProcessName": f"C:\\tools\\{tool}.exe"}) for tool in TOOLS],
    (SYSMON, "1", {"Image": "C:\\PLINK.EXE", "CommandLine": "plink &amp; more"}),
    (SYSMON.upper(), "1", {"CommandLine": "", "Image": "C:\\a&amp;b\\Plink.exe"}),
]
NEAR = [
    (SYSMON, "1", {"Image": "C:\\xplink.exe"}),
    (SYSMON, "1", {"Image": "C:\\plink.exe.bak"}),
    (SYSMON, "1", {"Image": "C:\\Alink.exe"}),
    (SYSMON, "1", {"Image": "C:\\plinkXexe"}),
    (SYSMON, "1", {"Image": "plink.exe"}),
    (SYSMON, "1", {"Image": "C:\\cmd.exe", "ParentImage": "C:\\plink.exe"}),
    (SYSMON, "1", {"Image": "C:\\cmd.exe", "CommandLine": "C:\\plink.exe"}),
    (SYSMON, "1", {"Image": "C:\\plink.exe\\", "CommandLine": "Image&gt;C:\\plink.exe"}),
    (SYSMON, "3", {"Image": "C:\\plink.exe"}),
    (SYSMON, "11", {"Image": "C:\\plink.exe"}),
    ("Security", "4689", {"NewProcessName": "C:\\plink.exe"}),
    ("Security", "4688", {"Image": "C:\\plink.exe"}),
    ("Security", "4688", {"ParentProcessName": "C:\\plink.exe", "NewProcessName": "C:\\cmd.exe"}),
    ("System", "1", {"Image": "C:\\plink.exe"}),
]


@pytest.mark.parametrize("form", ["xml", "json"])
def test_the_tunnels_of_the_first_rule(form: str, tmp_path: Path) -> None:
    path = write(tmp_path, rule=document(TUNNELS, {"category": "process_creation", "product": "windows"})) / "rule.yml"
    random = Random(1)  # noqa: S311 - the same in every run
    lines = []
    for channel, event_id, data in [*RIGHT, *NEAR]:
        if form == "xml":
            lines.append(xml_line({"Channel": channel, "EventID": event_id}, data, random))
        else:
            lines.append(json.dumps({"Channel": channel, "EventID": int(event_id), **data}))
    command = converted(path, "--line-format", form)
    assert found(command, write_lines(tmp_path / "lines", lines)) == set(range(len(RIGHT)))


PAGE = ROOT / "docs" / "queries-grep.md"


def test_the_page_tells_how_to_make_a_line_of_an_event(tmp_path: Path) -> None:
    (command,) = re.findall(r"^    (sed -z .*) events\.xml$", PAGE.read_text("utf-8"), re.MULTILINE)
    events = [line_of({"a": "x\r\ny\n&lt;Event z"}), line_of({"a": "\n"}), line_of({"a": "<Eventx>"})]
    for end in ("\n", "\r\n"):
        (tmp_path / "events.xml").write_bytes("".join(f"{event}{end}" for event in events).encode())
        done = subprocess.run(["sh", "-c", f"{command} events.xml"], cwd=tmp_path, capture_output=True, check=True)
        expected = [event.replace("\r", "&#13;").replace("\n", "&#10;") for event in events]
        assert done.stdout.decode().splitlines() == expected


# --- a stranger's rule ------------------------------------------------------------------------------

HOSTILE = [
    "'; touch pwned; '", "$(touch pwned)", "`touch pwned`", "${IFS}touch", "-f /etc/passwd", '" -e x "', "a\\'b",
    "END_OF_PATTERN", "x\nEND_OF_PATTERN\ntouch pwned", "\\E(?{x})\\Q", "(*UTF)(*LIMIT_MATCH=1)", "\\", "'\\''", "!!",
    "a\tb", "\x1b[31m", "%s%n", "(?#x)", "]]>", "\\x{41}", "🙂", "\u2028", "~/x", "a'b'c",
]  # fmt: skip


@pytest.mark.parametrize("options", [[], ["--pattern-file", "-a 'b' $(touch pwned).txt"]], ids=["argument", "file"])
@pytest.mark.parametrize("form", ["xml", "json"])
def test_nothing_of_a_rule_is_run(form: str, options: list[str], tmp_path: Path) -> None:
    said = {"title": "'; touch pwned #", "description": "`touch pwned`\nx"}
    values = [text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?") for text in HOSTILE]
    commands = all_converted(tmp_path, [("a", value) for value in values], "--line-format", form, *options, **said)
    file = write_lines(tmp_path / "lines", [_hostile_line(form, text) for text in HOSTILE])
    kept = {"lines", "rules"} | ({options[1]} if options else set())
    for number, command in enumerate(commands):
        assert found(command, file, tmp_path) == {number}
        assert {one.name for one in tmp_path.iterdir()} == kept


def all_converted(
    folder: Path, selections: list[tuple[str, Any]], *options: str, logsource: Any = None, **said: str
) -> list[str]:
    """The command of a rule for each of these items."""
    documents = [
        document({"selection": {field: value}, "condition": "selection"}, logsource, number, **said)
        for number, (field, value) in enumerate(selections, 1)
    ]
    text = converted(write(folder / "rules", rules="\n---\n".join(documents)) / "rules.yml", *options)
    commands = re.findall(r"(?:(?!LC_ALL=).*\n)*LC_ALL=.*\n", text)
    assert len(commands) == len(selections)
    return commands


def _hostile_line(form: str, text: str) -> str:
    if form == "json":
        return json.dumps({"Channel": CHANNEL, "a": text})
    escapes = {"&": "&amp;", "<": "&lt;", "\n": "&#10;", "\x1b": "&#27;"}
    written = "".join(escapes.get(one, one) for one in text)
    return line_of({"a": written})


def test_a_command_is_one_word_and_takes_names_of_files(tmp_path: Path) -> None:
    path = write(tmp_path, rule=document({"selection": {"a": "it's"}, "condition": "selection"})) / "rule.yml"
    words = shlex.split(converted(path))
    assert words[:5] == ["LC_ALL=C.UTF-8", "grep", "-a", "-P", "-e"]
    assert len(words) == 6
    lines = converted(path, "--pattern-file", "p").splitlines()
    assert lines == ["cat >'p' <<'END_OF_PATTERN'", words[5], "END_OF_PATTERN", "LC_ALL=C.UTF-8 grep -a -P -f 'p'"]
    assert run("convert", "--target", "grep", "--pattern-file", "a\nb", path).exit_code == 1


# --- limits ------------------------------------------------------------------------------------------

LONG = {
    "contains": {"a|contains|all": ["x1", "y2", "z3"]},
    "globs": {"a": "*aa*ab*ba*c"},
    "regex": {"a|re": "b\\s.*C:.*q"},
    "one of many": {"a|endswith": [f"{number}x" for number in range(200)]},
    "keywords": {"b|contains": "z", "a|contains": "?q"},
}


@pytest.mark.parametrize("form", ["xml", "json"])
@pytest.mark.parametrize("selection", LONG.values(), ids=LONG)
def test_long_lines_stay_within_the_limits_of_pcre(form: str, selection: Any, tmp_path: Path) -> None:
    detection = {
        "selection": selection,
        "filter": {"a|contains": "never*never*n?ver"},
        "condition": "selection and not filter",
    }
    path = write(tmp_path, rule=document(detection)) / "rule.yml"
    text = "abab nevern &amp; C:\\x " * 20_000
    lines = (
        [line_of({"a": text, "b": text})] if form == "xml" else [json.dumps({"Channel": CHANNEL, "a": text, "b": text})]
    )
    assert found(converted(path, "--line-format", form), write_lines(tmp_path / "lines", lines)) == set()


def test_what_pcre_cannot_compile_is_refused(tmp_path: Path) -> None:
    values = [f"value number {number}" for number in range(2_500)]
    path = write(tmp_path, rule=document({"selection": {"a": values}, "condition": "selection"})) / "rule.yml"
    result = run("convert", "--target", "grep", path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the query would be longer than the language takes (PCRE compiles 64 KiB at most)" in result.stderr


# --- numbers and addresses against the engine -----------------------------------------------------------

NUMBERS = [
    sign + text + fraction
    for sign in ("", "-", "+")
    for text in ("0", "00", "1", "7", "9", "10", "11", "99", "0100", "101", "255", "1000", "65535", "")
    for fraction in ("", ".", ".0", ".5", ".05")
] + ["x", "1x", "0x10", "--1", "1..2", " 1", "1 ", "true"]  # fmt: skip
LIMITS = (-100, -10, -1, 0, 1, 7, 10, 99, 100, 255, 1000)
ADDRESSES = [
    *(f"{one}.{two}.3.{three}" for one in (10, 172, 127) for two in (0, 1, 15, 16, 31, 32, 255) for three in (0, 256)),
    *(
        address
        for a in ("fe80", "FEC0", "febf", "fc00", "fdff", "2620", "0", "00", "1", "")
        for b in ("83", "0083", "8001", "0", "ffff")
        for address in (
            f"{a}:{b}:8000::1", f"{a}::{b}", f"{a}:{b}:8000:1:2:3:4:5", f"::{a}:{b}",
            f"{a}:{b}::10.0.3.4", f"::ffff:{a}:{b}",
            f"{a}:{b}:8000:0:0:0:0:1%e", f"0:0:0:0:0:ffff:{a}:{b}", f"{a}:0:0:0:0:0:0:{b}", f"0::0:{a}:{b}",
        )
    ),
    "::", "::1", "::ffff:10.1.3.4", "0::ffff:10.1.3.4", "0:0:0:0:0::ffff:10.1.3.4", "::ffff:172.16.3.4", "1.2.3",
    "10.0.0.0/8", "::ffff:0a01:0304", "::ffff:ac1f:ffff", "0:0:0:0:0:0:0:0:1", "::10.1.3.4",
]  # fmt: skip
NETWORKS = [
    "10.0.0.0/8", "172.16.0.0/12", "127.0.0.0/8", "10.1.3.4/32", "0.0.0.0/0", "10.0.0.0/15", "fe80::/10", "fc00::/7",
    "::1/128", "2620:83:8000::/48", "::/0", "::ffff:10.0.0.0/104", "::/96", "::ffff:0:0/96", "0:80::/25",
]  # fmt: skip


@pytest.mark.parametrize("form", ["xml", "json"])
def test_numbers_and_addresses(form: str, tmp_path: Path) -> None:
    asked = [
        (f"a|{operator}", limit, ["cmp", operator, str(limit)])
        for operator in ("lt", "lte", "gt", "gte")
        for limit in LIMITS
    ]
    asked += [("a|cidr", network, ["cidr", network]) for network in NETWORKS]
    if form == "json":
        asked += [("a", number, ["num", str(number)]) for number in (*LIMITS, 1.5, 0.05, -0.5)]
    values = [*NUMBERS, *ADDRESSES]
    lines = [line_of({"a": value}) if form == "xml" else json.dumps({"a": value}) for value in values]
    file = write_lines(tmp_path / "lines", lines)
    commands = all_converted(
        tmp_path, [one[:2] for one in asked], logsource=WINDOWS if form == "xml" else {"product": "zeek"}
    )
    for command, (_, _, test) in zip(commands, asked, strict=True):
        holds = compile_test(test)
        expected = {number for number, one in enumerate(values) if one and holds(one)}
        assert {values[number] for number in found(command, file) ^ expected} == set(), (test, command)


#: Pairs that are one letter since Unicode 15.1, and not yet to every PCRE.
NEWER = {"\u0390\u1fd3", "\u03b0\u1fe3", "\ufb05\ufb06"}


def test_pcre_and_the_engine_agree_on_case(tmp_path: Path) -> None:
    letters = [one for one in map(chr, range(128, 0x1F000)) if one.lower() != one or one.upper() != one]
    pairs = {
        one + other
        for one in [*letters, *"kKsSiI"]
        for other in {one.lower(), one.upper(), one.title(), one.casefold(), fold(one)} | SIMILAR.get(fold(one), set())
        if len(other) == 1 and one != other
    }
    lines = sorted(pairs | {pair[::-1] for pair in pairs})
    command = "LC_ALL=C.UTF-8 grep -a -P -e '^(.)(?i:\\1)$'"
    alike = {lines[number] for number in found(command, write_lines(tmp_path / "lines", lines))}
    expected = {pair for pair in lines if fold(pair[0]) == fold(pair[1])}
    assert alike ^ expected <= NEWER | {pair[::-1] for pair in NEWER}
    assert len(alike) > 2_500


SIMILAR = {"k": {"\u212a"}, "s": {"\u017f"}, "i": {"\u0130", "\u0131"}, "\u03c3": {"\u03c2"}, "\u0390": {"\u1fd3"}}
