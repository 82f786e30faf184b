"""The oracle: a program that evaluates Sigma rules by pySigma and SQLite and shares nothing with this project.

Runs in an environment of its own (``requirements-conformance.txt``). Reads requests, one JSON object a
line, and answers each with a line: ``{"do": "each" | "events" | "chains", ...}``; see ``REQUESTS``.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import windows
import yaml
from conversion import FULLTEXT, Converter
from routing import ANYTHING, Alternative, Map
from sigma.modifiers import modifier_mapping
from sigma.rule import SigmaDetectionItem
from tables import Query, matches

#: Events in a table at a time: what keeps the memory bounded.
BATCH = 30_000


def _numbered(events: list[dict[str, str]]) -> list[tuple[int, dict[str, str], str | None]]:
    """Events with their numbers and what keywords search: ``_raw``, or the values of all fields where it is missing."""
    texts = (event.get("_raw") or "\x1f".join(event.values()) or None for event in events)
    return [(number, event, text) for number, (event, text) in enumerate(zip(events, texts, strict=True))]


def _query(converter: Converter, rule_id: str, rule: Any) -> Query | str:
    """The rule as SQL, or why pySigma refuses it."""
    try:
        where, names = converter.convert(rule)
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is reported as the reason
        return f"{type(fault).__name__}: {fault}"
    return Query(rule_id, where, names, FULLTEXT in where)


def each_rule_on_its_events(request: dict[str, Any]) -> dict[str, Any]:
    """``cases``: [a rule, its events]; for each the positions of those that match, or why the rule is refused."""
    converter = Converter(request.get("placeholders"))
    found: list[list[int] | str] = []
    for rule, events in request["cases"]:
        query = _query(converter, "", rule)
        if isinstance(query, str):
            found.append(query)
        else:
            found.append(sorted(number for number, _ in matches(_numbered(events), [query])))
    return {"found": found}


def sets_of_events(request: dict[str, Any]) -> dict[str, Any]:
    """The rule files ``rules`` on those events of the file ``events`` whose number is ``part`` modulo ``parts``.

    ``map``: the log sources; ``cleaned``: the field names. Gives pairs of an event's number and a rule's id.
    """
    refused, by_alternative = _converted(request["rules"], Map(Path(request["map"])))
    found: list[tuple[int, str]] = []
    for batch in _batches(request):
        for alternative, queries in by_alternative.items():
            events = [
                (number, _seen(event, alternative), text) for number, event, text in batch if alternative.takes(event)
            ]
            if events:
                found += matches(events, queries)
    return {"pairs": sorted(set(found)), "refused": refused}


def _converted(paths: list[str], routes: Map) -> tuple[dict[str, str], dict[Alternative, list[Query]]]:
    converter = Converter()
    refused: dict[str, str] = {}
    by_alternative: dict[Alternative, list[Query]] = {}
    for path in paths:
        text = Path(path).read_text("utf-8")
        rule = yaml.safe_load(text)
        query = _query(converter, rule["id"], text)
        if isinstance(query, str):
            refused[rule["id"]] = query
            continue
        for alternative in routes.alternatives(rule.get("logsource") or {}):
            by_alternative.setdefault(alternative, []).append(query)
    return refused, by_alternative


def _batches(request: dict[str, Any]) -> Iterator[list[tuple[int, dict[str, str], str]]]:
    cleaned = json.loads(Path(request["cleaned"]).read_text("utf-8"))
    batch: list[tuple[int, dict[str, str], str]] = []
    with gzip.open(request["events"]) as lines:
        for number, line in enumerate(lines):
            if number % request["parts"] != request["part"]:
                continue
            event = json.loads(line)
            batch.append((number, windows.fields(event, cleaned), windows.text(event)))
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _seen(event: dict[str, str], alternative: Alternative) -> dict[str, str]:
    if alternative is ANYTHING or not alternative.fields:
        return event
    return {**event, **{name: event[theirs] for name, theirs in alternative.fields if theirs in event}}


def modifier_chains(request: dict[str, Any]) -> dict[str, Any]:
    """Which of ``chains`` pySigma takes with any of ``values``, and why it refuses the others."""
    refused = {}
    for chain in request["chains"]:
        reasons = []
        for value in request["values"]:
            try:
                SigmaDetectionItem.from_mapping(f"Field|{chain}" if chain else "Field", value)
            except Exception as fault:  # noqa: BLE001 - whatever it is, the chain is not taken
                reasons.append(f"{type(fault).__name__}: {fault}")
            else:
                break
        else:
            refused[chain] = reasons
    return {"refused": refused, "modifiers": sorted(modifier_mapping)}


REQUESTS = {
    "each": each_rule_on_its_events,
    "events": sets_of_events,
    "chains": modifier_chains,
}


def main() -> None:
    """Answer requests until there are no more."""
    for line in sys.stdin:
        request = json.loads(line)
        answer = REQUESTS[request["do"]](request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
