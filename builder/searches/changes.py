"""The changelog between two builds, from their reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from builder.outcomes import Outcome
from builder.texts import escaped, json_bytes, one_line

from .conf import is_stanza_name

FILE = "build-changes.json"
# How many of a kind the summary for people names before it refers to the file.
_SHOWN = 10
#: Keys of a rule in the report -> what changes of them are called. ``logic`` is a hash.
_COMPARED = {"title": "title", "level": "level", "rule_status": "status", "logic": "logic", "search": "search"}
# What documents say that changes nothing of what they match.
_NO_LOGIC = ("id", "title", "level", "status", "author", "tags", "name", "score", "enabled")
Report = Mapping[str, Any]


class PreviousReportError(Exception):
    """What was given as the last build's report is none."""


def read_previous(path: Path) -> Report:
    """The report of the last build. Raises PreviousReportError."""
    hint = "give the build-report.json of the last build"
    try:
        report = json.loads(path.read_bytes())
    except OSError as fault:
        raise PreviousReportError(f"{path}: cannot be read: {fault.strerror or fault}") from None
    except (ValueError, RecursionError) as fault:
        line = getattr(fault, "lineno", 1)
        raise PreviousReportError(
            f"{path}:{line}: error report: this is no JSON: {one_line(str(fault))}; {hint}"
        ) from None
    if not _is_report(report):
        raise PreviousReportError(f"{path}:1: error report: this is no build report; {hint}")
    return report  # type: ignore[no-any-return]


def _is_report(report: object) -> bool:
    if not isinstance(report, dict) or not isinstance(report.get("app"), dict):
        return False
    rules, searches = report.get("rules"), report.get("searches", {})
    if not isinstance(rules, list) or not isinstance(searches, dict):
        return False
    names, gone = searches.get("names", []), searches.get("retired", [])
    return (
        isinstance(names, list)
        and isinstance(gone, list)
        and all(isinstance(one, str) and is_stanza_name(one) for one in names)
        and all(_is_entry(one, "name", "since") and is_stanza_name(one["name"]) for one in gone)
        and all(_is_entry(one, "id", "title", "status") for one in rules)
    )


def _is_entry(value: object, *keys: str) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), str) for key in keys)


# --- what the report has to say for the next build -----------------------------------------------


def logic_hash(outcome: Outcome) -> str:
    """A hash of what a document matches, whatever it is called: equal as long as its logic is."""
    meant: Any = outcome.meant
    if meant is None:
        return ""
    parts: list[Any] = [_logic(meant)]
    if outcome.rule is not None and meant is not outcome.rule:
        parts.append(_logic(outcome.rule))
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _logic(meant: Any) -> dict[str, Any]:
    return {key: value for key, value in meant._asdict().items() if key not in _NO_LOGIC}


# --- the changelog --------------------------------------------------------------------------------


def changes(previous: Report, report: Report) -> dict[str, Any]:
    """What has become of each rule since the last build."""
    before, now = _accepted(previous), _accepted(report)
    refused = _refused(report)
    gone = [entry for one, entry in sorted(before.items()) if one not in now]
    return {
        "from": previous["app"],
        "to": report["app"],
        "new": [_told(entry) for one, entry in sorted(now.items()) if one not in before],
        "changed": [
            {**_told(entry), "changes": found}
            for one, entry in sorted(now.items())
            if one in before and (found := _compared(before[one], entry))
        ],
        "removed": [
            {**_told(entry), "why": "the rule is no longer there"} for entry in gone if _key(entry) not in refused
        ],
        "refused": [
            {**_told(entry), "path": _path(refused[_key(entry)]), "why": _reasons(refused[_key(entry)])}
            for entry in gone
            if _key(entry) in refused
        ],
        "retired": report["searches"]["retired"],
    }


def _key(entry: Mapping[str, Any]) -> str:
    return str(entry["id"]).lower()


def _path(entry: Mapping[str, Any]) -> str:
    return f"{entry.get('path', '')}:{entry.get('line', 1)}"


def _accepted(report: Report) -> dict[str, Mapping[str, Any]]:
    return {_key(entry): entry for entry in report["rules"] if entry["status"] == "accepted"}


def _refused(report: Report) -> dict[str, Mapping[str, Any]]:
    return {_key(entry): entry for entry in report["rules"] if entry["status"] == "refused" and entry["id"]}


def _told(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": entry["id"], "title": entry["title"], "kind": entry.get("kind", "rule")}


def _reasons(entry: Mapping[str, Any]) -> list[str]:
    return [f"{one['code']}: {one['message']}" for one in entry.get("findings", []) if one["severity"] == "error"]


def _compared(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, str]]:
    """What of a rule is another; what a report of an earlier version does not tell is not compared."""
    return [
        {"what": what, "from": before[key], "to": now[key]}
        for key, what in _COMPARED.items()
        if key in before and before[key] != now[key]
    ]


def write_changes(found: Mapping[str, Any]) -> bytes:
    """The changelog's file."""
    return json_bytes(found, indent=1) + b"\n"


_KINDS = {"new": "new", "changed": "changed", "removed": "removed", "refused": "refused now"}


def change_lines(found: Mapping[str, Any]) -> list[str]:
    """The changelog for people."""
    counts = ", ".join(f"{len(found[key])} {called}" for key, called in _KINDS.items())
    lines = [f"since the build of version {escaped(str(found['from'].get('version', '')))}: {counts}"]
    told = [_line(key, entry) for key in _KINDS for entry in found[key]]
    lines += told[:_SHOWN]
    if len(told) > _SHOWN:
        lines.append(f"  and {len(told) - _SHOWN} more, see {FILE}")
    return lines


def _line(key: str, entry: Mapping[str, Any]) -> str:
    what = ""
    if key == "changed":
        what = f" ({', '.join(one['what'] for one in entry['changes'])})"
    elif key == "refused":
        what = f" ({'; '.join(entry['why'])})"
    return f"  {_KINDS[key]}: {one_line(entry['title'])}{one_line(what) and ' ' + one_line(what)}"
