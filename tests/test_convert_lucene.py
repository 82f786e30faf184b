"""``convert --target es-qs`` and ``graylog``: queries in Lucene's syntax (tests/convert/lucene.yml), run by Lucene."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import pytest
import yaml

from builder.mappings import MappingError
from builder.paths import RULES
from builder.queries.lucenefields import read_profiles
from tests.support.builds import UUID, run, write
from tests.support.lucene import search
from tests.support.lucene.documents import ecs, graylog, winlogbeat

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "convert" / "lucene.yml").read_text("utf-8"))
TARGETS = ("es-qs", "graylog")


def document(case: dict[str, Any], **said: Any) -> str:
    """The rule of a case."""
    detection = case.get("detection") or {"selection": case["selection"], "condition": "selection"}
    content = {"id": f"{UUID}01", "title": "T", "status": "test", "level": "low", **said}
    return json.dumps({**content, "logsource": case.get("logsource", {"product": "nowhere"}), "detection": detection})


class Said(NamedTuple):
    """What the command says of one rule: its query, if there is one, and its lines on stderr."""

    query: str | None
    messages: str


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Said]:
    """What is said of each case, by the target and the case's id; one run for all that have the same options."""
    found: dict[tuple[str, str], Said] = {}
    for target, fields in {(target, case.get("fields", "")) for target in TARGETS for case in CASES}:
        cases = [case for case in CASES if case.get("target", target) == target and case.get("fields", "") == fields]
        folder = tmp_path_factory.mktemp("cases")
        for number, case in enumerate(cases):
            write(folder, **{f"{number:03}": document(case, id=f"00000000-0000-4000-8000-{number:012}")})
        result = run("convert", "--target", target, *(["--fields", fields] if fields else []), folder)
        queries = iter(result.stdout.splitlines())
        for number, case in enumerate(cases):
            messages = "".join(line for line in result.stderr.splitlines() if f"/{number:03}.yml:" in line)
            found[target, case["id"]] = Said(None if " error " in messages else next(queries), messages)
        assert list(queries) == []
    return found


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_cases(case: dict[str, Any], target: str, said: dict[tuple[str, str], Said]) -> None:
    if case.get("target", target) != target:
        assert (target, case["id"]) not in said
        return
    query, messages = said[target, case["id"]]
    assert case.get("refused", "") in messages
    assert (query is None) == ("refused" in case), messages
    assert query == case.get("query", query)
    assert case.get("has", "") in (query or "")
    assert case.get("note", "") in messages
    assert "note" in case or "refused" in case or "regular expression" not in messages


@pytest.mark.parametrize("target", TARGETS)
def test_lucene_reads_every_query(target: str, said: dict[tuple[str, str], Said]) -> None:
    queries = [query for (of, _), (query, _) in said.items() if of == target and query is not None]
    assert len(queries) > 40
    answers = search(queries, [{"a": ["x"]}], leading_wildcards=target == "es-qs")
    assert [answer for answer in answers if isinstance(answer, str)] == []


def test_what_is_refused_ends_with_1(tmp_path: Path) -> None:
    result = run("convert", "--target", "graylog", write(tmp_path, rule=document({"selection": ["x"]})) / "rule.yml")
    assert (result.exit_code, result.stdout) == (1, "")


# --- the rule with which all began ------------------------------------------------------------------

SEED = RULES / "windows" / "proc_creation_win_exfiltration_and_tunneling_tools.yml"
SYSMON, SECURITY = "Microsoft-Windows-Sysmon/Operational", "Security"


def event(channel: str, event_id: int, **data: str) -> str:
    """The XML of an event."""
    inner = "".join(f"<Data Name='{name}'>{escape(value)}</Data>" for name, value in data.items())
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='P'/>"
        f"<EventID>{event_id}</EventID><Channel>{channel}</Channel></System><EventData>{inner}</EventData></Event>"
    )


FOUND = [
    *(event(SYSMON, 1, Image=rf"C:\t\{tool}.exe") for tool in ("plink", "socat", "stunnel", "httptunnel")),
    event(SYSMON, 1, Image=r"C:\T\PLINK.EXE", ParentImage=r"C:\a.exe"),
    event(SYSMON, 1, Image=r"\plink.exe"),
    event(SECURITY, 4688, NewProcessName=r"C:\t\Socat.exe", ParentProcessName=r"C:\a.exe"),
    event("security", 4688, NewProcessName=r"C:\t\plink.exe"),
]
NEAR = [
    event(SYSMON, 1, Image=r"C:\t\xplink.exe"),
    event(SYSMON, 1, Image=r"C:\t\plink.exe.bak"),
    event(SYSMON, 1, Image=r"C:\t\plinkxexe"),
    event(SYSMON, 1, Image="C:/t/plink.exe"),
    event(SYSMON, 1, Image=r"C:\a.exe", ParentImage=r"C:\t\plink.exe", CommandLine=r"C:\t\plink.exe"),
    event(SYSMON, 5, Image=r"C:\t\plink.exe"),
    event(SECURITY, 4688, NewProcessName=r"C:\a.exe", ParentProcessName=r"C:\t\plink.exe"),
    event(SECURITY, 4689, ProcessName=r"C:\t\plink.exe"),
    event("Application", 1, Image=r"C:\t\plink.exe"),
]
DOCUMENTS = {
    "es-qs ecs_windows": ecs,
    "es-qs winlogbeat": winlogbeat,
    "graylog winlogbeat": graylog,
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_seeds_rule(name: str) -> None:
    target, fields = name.split()
    result = run("convert", "--target", target, "--fields", fields, SEED)
    assert (result.exit_code, result.stderr) == (0, "")
    documents = [DOCUMENTS[name](text) for text in FOUND + NEAR]
    (answer,) = search([result.stdout], documents, leading_wildcards=target == "es-qs")
    assert answer == frozenset(range(len(FOUND)))


# --- event definitions ------------------------------------------------------------------------------

HOSTILE = '"}, ${x} $(id) `id` </script> \\ \x1b[31m \u202e'


def definition(folder: Path, **said: Any) -> dict[str, Any]:
    """What is written of a rule."""
    path = write(folder, rule=document({"selection": {"a": 'x"\\'}}, **said)) / "rule.yml"
    result = run("convert", "--target", "graylog", "--format", "event-definition", path)
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def test_an_event_definition(tmp_path: Path) -> None:
    content = definition(tmp_path, title=HOSTILE, description=HOSTILE, level="critical")
    assert (content["title"], content["description"]) == (HOSTILE, HOSTILE)
    assert (content["priority"], content["alert"]) == (3, True)
    assert content["id"] == definition(tmp_path)["id"]
    assert len(bytes.fromhex(content["id"])) == 12
    config = content["config"]
    assert config["type"] == "aggregation-v1"
    assert config["query"] == r"a:/[xX]\"(\\)/"
    assert config["search_within_ms"] >= config["execute_every_ms"] > 0
    assert config["event_limit"] > 0
    # Without an aggregation there are no conditions either.
    assert (config["series"], config["group_by"], config["conditions"]) == ([], [], {"expression": None})
    assert set(content["key_spec"]) <= set(content["field_spec"])


@pytest.mark.parametrize(("level", "priority"), [("informational", 1), ("low", 1), ("medium", 2), ("high", 3)])
def test_priorities(level: str, priority: int, tmp_path: Path) -> None:
    assert definition(tmp_path, level=level)["priority"] == priority


def test_an_event_definition_of_a_rule_without_description_is_of_others_too(tmp_path: Path) -> None:
    one, other = definition(tmp_path), definition(tmp_path, id=f"{UUID}02")
    assert one["description"] == ""
    assert one["id"] != other["id"]


# --- tables of fields -------------------------------------------------------------------------------

FAULTS = {
    "no mapping": ("[]", 1, "expected a mapping, this is a list"),
    "no YAML": ("a: [", 2, "yaml-syntax"),
    "another version": ("version: 2\n", 1, "'version' must be 1"),
    "an unknown key": ("version: 1\nprofile: {}\n", 2, "unknown key 'profile'"),
    "profiles are no mapping": ("version: 1\nprofiles: []\n", 2, "'profiles' is a mapping, this is a list"),
    "no source": ("version: 1\nprofiles:\n  p:\n    data: 'x{}'\n", 3, "'source' must say"),
    "no place for the name": ("version: 1\nprofiles:\n  p:\n    source: s\n    data: x\n", 5, "a name with {} in it"),
    "like another": ("version: 1\nprofiles:\n  p: {source: s, like: q}\n", 3, "there is no profile 'q' above"),
    "an unknown kind": (
        "version: 1\nprofiles:\n  p:\n    source: s\n    names:\n      A: {date: x}\n",
        6,
        "a mapping of a kind",
    ),
    "too few names": (
        "version: 1\nprofiles:\n  p:\n    source: s\n    names:\n      A: {account: x}\n",
        6,
        "'account' takes 2 names",
    ),
    "a key too many": (
        "version: 1\nprofiles:\n  p:\n    source: s\n    names:\n      A: {ip: x, of: {}}\n",
        6,
        "'ip' has no other keys",
    ),
    "events are no list": ("version: 1\nprofiles:\n  p: {source: s, events: {}}\n", 3, "'events' is a list"),
    "events without channels": (
        "version: 1\nprofiles:\n  p:\n    source: s\n    events:\n      - {source: s, data: 'x{}'}\n",
        6,
        "'channels' is a list",
    ),
    "an event's id that is none": (
        "version: 1\nprofiles:\n  p:\n    source: s\n    events: [{source: s, channels: [c], event_ids: [[]]}]\n",
        5,
        "'event_ids' is a list of texts",
    ),
    "a dash": (
        "version: 1\nprofiles:\n  p:\n    source: s\n    events:\n      - {source: s, channels: [c], no_dash: 1}\n",
        6,
        "'no_dash' is true or false",
    ),
    "a group that is none": ("version: 1\nprofiles:\n  p:\n    source: s\n    events:\n      - x\n", 6, "a mapping"),
}


@pytest.mark.parametrize(("text", "line", "message"), FAULTS.values(), ids=FAULTS)
def test_faults_of_a_table(text: str, line: int, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text(text, "utf-8")
    with pytest.raises(MappingError) as caught:
        read_profiles("t", tmp_path)
    assert any(finding.line == line and message in str(finding) for finding in caught.value.findings), str(caught.value)


def test_a_missing_table(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"t\.yml:1: error file-unreadable"):
        read_profiles("t", tmp_path)
