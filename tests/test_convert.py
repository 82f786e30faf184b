"""``build.py convert``: what stands on stdout and stderr, and rules as searches (tests/convert/*.yml)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from builder.paths import RULES
from builder.spl.conversion import REASONS
from tests.support.builds import UUID, rule, run, start, write

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "convert" / "splunk.yml").read_text("utf-8"))
WINDOWS = {"product": "windows", "service": "bits-client"}


def document(case: dict[str, Any], number: int = 1) -> str:
    """The rule of a case."""
    detection = case.get("detection") or {"selection": case["selection"], "condition": "selection"}
    content = {"id": f"{UUID}{number:02}", "title": "T", "status": "test", "level": "low"}
    return json.dumps({**content, "logsource": case.get("logsource", WINDOWS), "detection": detection})


def events_of(case: dict[str, Any], folder: Path) -> str:
    """The search for the events of the case's log source, up to what the rule asks of them."""
    asks = document({**case, "detection": None, "selection": {"zz|exists": True}})
    text = run("convert", "--target", "splunk", write(folder, asks=asks) / "asks.yml").stdout
    return text[: min(place for place in (text.find("(zz"), text.find("zz=")) if place >= 0)]


def searched(events: str, asked: str) -> str:
    """The base search; nothing may be asked of the events."""
    if asked and not asked.startswith("|"):
        return events + asked
    alone = events.removesuffix(" AND ")
    return " ".join(filter(None, (alone[1:-1] if alone.startswith("(") else alone, asked)))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_splunk(case: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path, rule=document(case)) / "rule.yml"
    result = run("convert", "--target", "splunk", path)
    reasons = case.get("reasons", [])
    decide = f' | sigmamatch rules="{UUID}01"' if reasons else ""
    fields = " fields=windows_xml" if reasons and case.get("logsource", WINDOWS).get("product") == "windows" else ""
    assert result.stdout == searched(events_of(case, tmp_path), case["search"]) + decide + fields + "\n"
    assert result.exit_code == 0
    assert [text for text in REASONS.values() if text in result.stderr] == [REASONS[reason] for reason in reasons]
    exact = run("convert", "--target", "splunk", "--exact", path)
    assert (exact.exit_code, exact.stdout == "") == ((1, True) if reasons else (0, False))
    assert bool(reasons) == ("error splunk: a Splunk search cannot say it exactly" in exact.stderr)


def test_every_reason_has_a_case() -> None:
    told = {reason for case in CASES for reason in case.get("reasons", [])}
    # What stands in no case: names and nth need mappings (tests/test_spl_random.py), long lists more text.
    assert set(REASONS) - told == {"names", "nth", "long list"} | HIDDEN


#: Reasons that a where test takes away: they are left where a field has several names.
HIDDEN = {"backquote", "case", "dots between slashes", "keyword", "like a network", "star", "variants"}


def test_a_rule_of_the_project_as_a_process_of_its_own() -> None:
    done = start("convert", "--target", "splunk", RULES / "windows" / "proc_creation_win_certutil_download.yml")
    assert done.returncode == 0
    assert b'Image="*\\\\certutil.exe"' in done.stdout
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


def test_a_query_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    path = write(tmp_path, rule=rule(1, "Image|windash: -x")) / "rule.yml"
    done = start("convert", "--target", "splunk", path, env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": ""})
    assert done.returncode == 0
    assert "\u2013x" in done.stdout.decode("utf-8")


def test_targets_are_listed() -> None:
    result = run("convert", "--list")
    assert result.exit_code == 0
    assert "splunk" in result.stdout


WRONG: dict[str, tuple[list[str], int, str]] = {
    "no target": (["rule.yml"], 2, "Missing option '--target'"),
    "unknown target": (["--target", "kql", "rule.yml"], 2, "'kql' is not"),
    "no rule": (["--target", "splunk"], 2, "Missing argument 'RULE.yml'"),
    "missing file": (["--target", "splunk", "nope.yml"], 1, "nope.yml"),
    "faulty rule": (["--target", "splunk", "faulty.yml"], 1, "faulty.yml:"),
    "a correlation without its rules": (["--target", "splunk", "alone"], 1, "no rule or correlation in use has"),
}


@pytest.mark.parametrize(("arguments", "status", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_converted(arguments: list[str], status: int, message: str, tmp_path: Path) -> None:
    counts = {"type": "event_count", "rules": [f"{UUID}01"], "timespan": "1m", "condition": {"gte": 2}}
    correlation = json.dumps({"id": f"{UUID}02", "title": "C", "status": "test", "level": "low", "correlation": counts})
    write(tmp_path, rule=rule(1), faulty=rule(3, condition="nothing"))
    write(tmp_path / "alone", correlation=correlation)
    paths = [str(tmp_path / one) if one.endswith((".yml", "alone")) else one for one in arguments]
    result = run("convert", *paths)
    assert result.exit_code == status
    assert message in result.stderr


def test_a_log_source_without_mapping_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, rule=rule(1, "a: b?", logsource="{product: nowhere}")) / "rule.yml"
    result = run("convert", "--target", "splunk", path)
    assert result.stdout.endswith(f'| sigmamatch rules="{UUID}01" logsource="nowhere//"\n')
    assert "no mapping says which events nowhere/*/* means" in result.stderr


def test_kinds_with_other_fields_are_told_apart(tmp_path: Path) -> None:
    case = {
        "logsource": {"product": "windows", "category": "process_creation"},
        "selection": {"CommandLine|re": "x[0-9]y"},
    }
    query = run("convert", "--target", "splunk", "--exact", write(tmp_path, rule=document(case)) / "rule.yml").stdout
    test = 'isnotnull(mvfind({}, "x[0-9]y"))'
    own, classic = test.format("CommandLine"), test.format("Process_Command_Line")
    assert query.strip().split(" | where ")[1] == (
        f"(({_code('1')}) AND ({own})) OR (({_code('4688')}) AND (({own}) OR ((isnull(CommandLine)) AND ({classic}))))"
    )


def _code(value: str) -> str:
    found = f'isnotnull(mvfind({{}}, "(?is)^{value}(?![\\\\s\\\\S])"))'
    return f"({found.format('EventCode')}) OR ((isnull(EventCode)) AND ({found.format('EventID')}))"


@pytest.mark.parametrize("target", ["es-qs", "graylog", "grep", "logpoint", "powershell", "xpack-watcher"])
@pytest.mark.parametrize("field", ["UserID", "ThreadID", "SystemTime"])
def test_attributes_of_the_system_part_are_not_taken_for_data(target: str, field: str, tmp_path: Path) -> None:
    case = {"logsource": {"product": "windows", "service": "security"}, "selection": {f"{field}|contains": "5"}}
    result = run("convert", "--target", target, write(tmp_path, rule=document(case)) / "rule.yml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{field}, which can be an attribute of <System> or data of the event" in result.stderr
