"""Rules and events for the options of ``| sigmamatch``, and how its answers are read."""

from __future__ import annotations

from typing import Any

from builder.replay import event_chunk, rows
from tests.support.apps import Row
from tests.support.searches import PROCESS_CREATION, SYSMON, Run

IDS = {letter: f"00000000-0000-4000-8000-0000000000{ord(letter):x}" for letter in "EGNPR"}

#: By the letter that the tables below call them by, the highest level first as results are.
RULES: dict[str, dict[str, Any]] = {
    "G": {
        "title": "Größe {0} {}",
        "level": "critical",
        "status": "experimental",
        "logsource": PROCESS_CREATION,
        "detection": {"s": {"ProcessId": ["4660", "0x1234"]}, "condition": "s"},
    },
    "R": {
        "title": "Tunnel, Reverse",
        "level": "high",
        "status": "stable",
        "author": "Zoë",
        "tags": ["attack.t1572"],
        "logsource": PROCESS_CREATION,
        "detection": {"s": {"CommandLine|contains": "-R "}, "condition": "s"},
    },
    "N": {
        "title": "Netcat",
        "level": "medium",
        "status": "deprecated",
        "logsource": {"product": "linux", "category": "process_creation"},
        "detection": {"s": {"Image|endswith": "/nc"}, "condition": "s"},
    },
    "P": {
        "title": "Plink Run",
        "level": "low",
        "status": "test",
        "tags": ["attack.command-and-control", "attack.t1572"],
        "logsource": PROCESS_CREATION,
        "detection": {"s": {"Image|endswith": "\\plink.exe"}, "condition": "s"},
    },
    "E": {
        "title": "Everywhere",
        "level": "informational",
        "status": "test",
        "tags": ["car.2013-05-004"],
        "detection": {"keywords": ["needle"], "condition": "keywords"},
    },
}

PLINK, COMMAND = "C:\\t\\plink.exe", 'plink -R "8080:x"'
EVENTS: list[Row] = [
    {"Channel": SYSMON, "EventCode": "1", "Image": PLINK, "CommandLine": COMMAND, "ProcessId": "4660"},
    {
        "Channel": "Security",
        "EventCode": "4688",
        "NewProcessName": PLINK,
        "CommandLine": COMMAND,
        "NewProcessId": "0x1234",
        "ProcessId": "0x10",
    },
    {
        "LogName": "Security",
        "EventCode": "4688",
        "New_Process_Name": PLINK,
        "Process_Command_Line": COMMAND,
        "New_Process_ID": "0x1234",
    },
    {"Channel": SYSMON, "EventCode": "1", "process_path": PLINK, "process": COMMAND, "process_id": "4660"},
    {"Image": PLINK, "CommandLine": "plink", "_raw": "a Needle in a haystack"},
    {"Image": "/bin/nc", "CommandLine": "nc"},
]
BODY = event_chunk(EVENTS)
ALL = "GRP GRP GRP GRP E -"


def values(cell: str | list[str]) -> list[str]:
    """The values of a field."""
    return cell if isinstance(cell, list) else [cell] if cell else []


def letters(body: bytes) -> str:
    """For each row the letters of the rules that matched it, in the order of the results."""
    names = {rule_id: letter for letter, rule_id in IDS.items()}
    found = ["".join(names.get(rule_id, "?") for rule_id in values(row["sigma_rule_id"])) for row in rows(body)]
    return " ".join(one or "-" for one in found)


def titles(result: Run) -> list[list[str]]:
    """For each row of the first chunk the titles of the rules that matched it."""
    return [values(row["sigma_rule_title"]) for row in rows(result.bodies[0])]
