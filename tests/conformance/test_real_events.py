"""SigmaHQ's rules on real events: the same matches as the oracle finds, but for what a mask excuses."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from builder.events import read_events
from builder.findings import Finding
from builder.mappings import Mappings
from builder.matching import VIA
from builder.package import compile_inputs
from builder.replay import Answers
from builder.rulefiles import read_folders
from tests.support.shared import json_lines, shared

from .masks import REAL, Difference
from .oracles import EVERYTHING, Oracle

#: Of SigmaHQ's rules these folders are complete rules.
FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting")
#: Both use "expand" and name a placeholder that only an organisation can fill.
WITHOUT_PLACEHOLDER = {"8b7e2c54-1f93-4a6d-b8e0-3c9d7f25a168", "c4a1f389-2e6b-4d9a-8f0c-b73e5a12d947"}

#: Rules that the masks are about: in every part of the rules.
MASKED = {
    "av_hacktool.yml",
    "create_remote_thread_win_susp_password_dumper_lsass.yml",
    "win_system_defender_disabled.yml",
    "zeek_rdp_public_listener.yml",
}

SETS = {"b": "", "c": "data/attack-events.jsonl.gz", "d": "data/baseline-events.jsonl.gz"}
PARTS = 2

Pairs = set[tuple[int, str]]


def sigmahq_files() -> list[tuple[Path, bytes]]:
    """(path in SigmaHQ's repository, content) of the rules; a part of them in ``make test``."""
    found = []
    with tarfile.open(shared("data/sigmahq-rules.tar.gz")) as tar:
        for member in tar.getmembers():
            path = Path(*Path(member.name).parts[1:])
            if member.isfile() and path.suffix == ".yml" and path.parts[0] in FOLDERS:
                content = tar.extractfile(member)
                assert content is not None
                found.append((path, content.read()))
    found.sort()
    return (
        found
        if EVERYTHING
        else [file for number, file in enumerate(found) if not number % 10 or file[0].name in MASKED]
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules as files."""
    root = tmp_path_factory.mktemp("sigmahq")
    for path, content in sigmahq_files():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


@pytest.fixture(scope="module")
def oracles() -> Iterator[list[Oracle]]:
    """As many processes as there are parts."""
    processes = [Oracle() for _ in range(PARTS)]
    yield processes
    for process in processes:
        process.close()


def events_file(name: str, folder: Path) -> Path:
    """The events of a set, a JSON object a line."""
    if SETS[name]:
        return shared(SETS[name])
    path = folder / "regression.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for test in json_lines(shared("data/expected/regression.jsonl.gz")):
            file.writelines(json.dumps(event) + "\n" for event in test["events"])
    return path


def asked(oracles: list[Oracle], rules: list[Path], events: Path) -> None:
    """Have the oracles begin: each has a part of the events."""
    for part, oracle in enumerate(oracles):
        oracle.ask(
            do="events",
            rules=[str(path) for path in rules],
            events=str(events),
            part=part,
            parts=len(oracles),
            map=str(shared("data/logsource-map.json")),
            cleaned=str(shared("data/field-clean-map.json")),
        )


def ours(folder: Path, events: Path, mappings: Mappings, via: str) -> Pairs:
    """The pairs that ``build.py match`` finds."""
    findings: list[Finding] = []
    inputs = compile_inputs(read_folders([folder]), mappings)
    refused = {outcome.document["id"] for outcome in inputs.folder.refused}
    assert refused <= WITHOUT_PLACEHOLDER
    matches = VIA[via](inputs, read_events([events], findings), Answers())
    pairs = {(match.event, match.rule_id) for match in matches}
    assert not findings
    return pairs


def differences(pairs: Pairs, theirs: Pairs, rules: list[Path], events: Path) -> dict[tuple[int, str], Difference]:
    """What only one of the two found."""
    wanted = pairs ^ theirs
    if not wanted:
        return {}
    by_id = {rule["id"]: rule for rule in (yaml.safe_load(path.read_bytes()) for path in rules)}
    numbers = {number for number, _ in wanted}
    shown = {number: event for number, event in enumerate(json_lines(events)) if number in numbers}
    return {pair: Difference(by_id[pair[1]], shown[pair[0]], pair in pairs) for pair in sorted(wanted)}


def compared(name: str, folder: Path, mappings: Mappings, oracles: list[Oracle]) -> dict[tuple[int, str], Difference]:
    """All differences on a set of events."""
    rules, events = sorted(folder.rglob("*.yml")), events_file(name, folder)
    asked(oracles, rules, events)
    pairs = ours(folder, events, mappings, "command")
    answers: list[dict[str, Any]] = [oracle.answer() for oracle in oracles]
    theirs = {(number, rule) for answer in answers for number, rule in answer["pairs"]}
    assert all(set(answer["refused"]) <= WITHOUT_PLACEHOLDER for answer in answers)
    assert len(pairs & theirs) >= (100 if name == "b" or not EVERYTHING else 3000)
    return differences(pairs, theirs, rules, events)


@pytest.mark.parametrize("name", SETS if EVERYTHING else ["c"])
def test_no_difference_without_a_reason(
    name: str, folder: Path, mappings: Mappings, oracles: list[Oracle], excused: set[str]
) -> None:
    unexplained = {}
    for pair, difference in compared(name, folder, mappings, oracles).items():
        masks = {mask.name for mask in REAL if mask.excuses(difference)}
        excused |= masks
        if not masks:
            unexplained[pair] = "only we" if difference.ours else "only the oracle"
    assert unexplained == {}


@pytest.fixture(scope="module")
def excused() -> set[str]:
    """The masks that excused something, over all sets."""
    return set()


def test_each_mask_is_needed(excused: set[str]) -> None:
    assert excused == {mask.name for mask in REAL}
