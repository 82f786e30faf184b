"""SigmaHQ's Windows rules as queries of Elasticsearch and Graylog, run by real Lucene on real and on made events.

The events are made into documents by code that shares nothing with the writer of the queries.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

import pytest

from builder.converting import RefusedError, convert, settings_of
from builder.events import read_events
from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.rulefiles import RuleFolder
from sigmaengine.fields import FieldView
from sigmaengine.matcher import Matcher
from sigmaengine.numbers import parse_number
from sigmaengine.routing import RoutingTable
from sigmaengine.ruleset import from_rules
from tests.support.derived import event_for
from tests.support.lucene import Document, search
from tests.support.lucene.documents import ecs, graylog, winlogbeat
from tests.support.shared import json_lines, shared
from tests.support.splqueries import matched_ids
from tests.test_expectations import EVENTS, events_of, expected, numbers_of, sigmahq

from .oracles import EVERYTHING, examples

__all__ = ["sigmahq"]

#: Target, its options, what makes its documents.
TARGETS: dict[str, tuple[str, dict[str, str], Callable[[str], Document]]] = {
    "es-qs ecs_windows": ("es-qs", {"fields": "ecs_windows"}, ecs),
    "es-qs winlogbeat": ("es-qs", {"fields": "winlogbeat"}, winlogbeat),
    "graylog winlogbeat": ("graylog", {"fields": "winlogbeat"}, graylog),
}
#: Of the rules every so many are taken; of the events some that match each rule and every so many of the rest.
RULES = 1 if EVERYTHING else 100
STRIDE = 50 if EVERYTHING else 8
MATCHES_OF_A_RULE = 4
MOST_REAL = None if EVERYTHING else 1500
EVENTS_OF_A_RULE = examples(4, 1)

Queries = Mapping[str, str]


def queries(outcomes: Sequence[Outcome], target: str, options: Mapping[str, str], mappings: Mappings) -> Queries:
    """The query of each rule that is not refused, by the rule's id."""
    settings = settings_of(target, options)
    found = {}
    for outcome in outcomes:
        try:
            found[outcome.id] = convert(outcome, target, mappings, settings).text
        except RefusedError:
            continue
    assert len(found) > len(outcomes) / 2
    return found


def differing(
    wanted: Mapping[str, set[int]], asked: Queries, documents: Sequence[Document], *, leading_wildcards: bool
) -> tuple[list[Any], int]:
    """(rule, events that are lost, events too many) of each query that does not find what its rule matches; pairs."""
    answers = search(list(asked.values()), documents, leading_wildcards=leading_wildcards)
    wrong: list[Any] = []
    pairs = 0
    for rule_id, answer in zip(asked, answers, strict=True):
        if isinstance(answer, str):
            wrong.append((rule_id, answer[:200], answer[-200:]))
            continue
        want = wanted.get(rule_id, set())
        pairs += len(want & answer)
        if want != answer:
            wrong.append((rule_id, sorted(want - answer)[:5], sorted(answer - want)[:5]))
    return wrong, pairs


@pytest.fixture(scope="module")
def outcomes(sigmahq: RuleFolder, mappings: Mappings) -> list[Outcome]:
    """The rules for Windows of which it is known which events they mean."""
    known = mappings.windows.is_mapped
    windows = [one for one in sigmahq.outcomes if one.rule and one.rule.logsource.product == "windows"]
    return [one for one in windows if one.rule and known(one.rule.logsource)][RULES // 2 :: RULES]


# --- events made of the rules' own values -----------------------------------------------------------


def made(outcome: Outcome, windows: RoutingTable, random: Random) -> tuple[str, dict[str, str]] | None:
    """An event of the rule's log source: its XML, and as Splunk shows it; None: it cannot be written in XML."""
    assert outcome.rule is not None
    fitting = windows.contributors(outcome.rule.logsource, range(len(windows.alternatives)))
    if not fitting:
        return None
    alternative = windows.alternatives[random.choice(fitting)]
    view = FieldView(alternative.aliases, "windows_xml", alternative.xml)
    system = {key: random.choice(globs) for key, globs in alternative.when}
    values = event_for({**outcome.document, "logsource": {}}, random)
    values.pop("_raw", None)
    data = {view.candidates(field)[0][0]: value for field, value in values.items()}
    event_id = system.get("event_id") or data.get("EventID", "1")
    channel = system.get("channel", data.get("Channel", "x"))
    provider = data.get("Provider_Name", "P")
    data = {name: _plain(value) for name, value in data.items() if name not in _SYSTEM}
    if event_id == "4688":
        data = {name: value for name, value in data.items() if name not in _NOT_IN_4688}
    data = {name: value for name, value in data.items() if re.fullmatch(_POSSIBLE.get(name, ".*"), value, re.DOTALL)}
    if not _is_xml("".join((event_id, channel, provider, *data.values()))) or not event_id.isdigit() or "*" in channel:
        return None
    raw = _xml(channel, event_id, provider, data)
    flat = {name.replace(" ", "_"): value for name, value in data.items()}
    named = {"Channel": channel, "EventCode": event_id, "Provider": provider, "_raw": raw}
    return raw, {**flat, **named, "source": f"XmlWinEventLog:{channel}", "sourcetype": "XmlWinEventLog"}


_SYSTEM = (
    "Channel",
    "EventID",
    "Provider_Name",
    "Provider_Guid",
    "Computer",
    "EventRecordID",
    "Version",
    "Level",
    "Keywords",
    "Task",
    "Opcode",
)


def _plain(value: str) -> str:
    """Whole numbers are written in one way."""
    number = parse_number(value)
    return value if number is None else str(int(number))


def _is_xml(text: str) -> bool:
    return text.isprintable()


def _xml(channel: str, event_id: str, provider: str, data: Mapping[str, str]) -> str:
    named = "".join(f"<Data Name={quoteattr(name)}>{escape(value)}</Data>" for name, value in data.items())
    body = f"<EventData>{named}</EventData>"
    if channel in _USER_DATA or (channel, event_id) in _USER_DATA:
        elements = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in data.items())
        body = f"<UserData><E xmlns='x'>{elements}</E></UserData>"
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        f"<Provider Name={quoteattr(provider)}/><EventID>{event_id}</EventID><Channel>{escape(channel)}</Channel>"
        f"</System>{body}</Event>"
    )


#: Channels, and channels with an event's id, whose events have no <EventData>.
_USER_DATA = {
    ("Security", "1102"),
    ("System", "104"),
    "Microsoft-Windows-WMI-Activity/Operational",
    "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
    *(f"Microsoft-Windows-PrintService/{name}" for name in ("Admin", "Operational")),
    *(f"Microsoft-Windows-AppLocker/{name}" for name in ("EXE and DLL", "MSI and Script")),
    *(f"Microsoft-Windows-AppLocker/Packaged app-{name}" for name in ("Deployment", "Execution")),
}
#: Of the fields of Sysmon's event 1 those that Security 4688 does not have.
_NOT_IN_4688 = ("OriginalFileName", "ParentCommandLine", "CurrentDirectory", "Hashes", "User")
#: What values of these fields look like; made ones mostly do not.
_POSSIBLE = {
    "Hashes": r"(?:(?:MD5|SHA1|SHA256|IMPHASH)=[0-9A-Fa-f]+,?)+",
    "Hash": r"(?:(?:MD5|SHA1|SHA256|IMPHASH)=[0-9A-Fa-f]+,?)+",
    "User": r"[^\\]+\\[^\\]+",
    "Initiated": "true|false",
    **dict.fromkeys(("SourceIp", "DestinationIp", "IpAddress"), r"\d{1,2}(?:\.\d{1,2}){3}|[0-9a-f]{4}::[0-9a-f]{1,4}"),
    **dict.fromkeys(("SourcePort", "DestinationPort", "IpPort", "ProcessId", "ParentProcessId"), r"\d{1,5}"),
    **dict.fromkeys(("IsExecutable", "Archived", "SourceIsIpv6", "DestinationIsIpv6"), "true|false"),
}


# --- the comparison ---------------------------------------------------------------------------------


class Judged(NamedTuple):
    """The XML of events, and the positions of those in which the engine finds a rule."""

    texts: list[str]
    wanted: dict[str, set[int]]


@pytest.fixture(scope="module")
def judged(outcomes: list[Outcome], mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Events of set c, and made ones."""
    matcher = Matcher(from_rules([one.rule for one in outcomes if one.rule], mappings.routing), profile="windows_xml")
    found = Judged([], {})
    for raw, event in (*real(tmp_path_factory.mktemp("c")), *made_of(outcomes, mappings)):
        for rule_id in matched_ids(matcher, event):
            found.wanted.setdefault(rule_id, set()).add(len(found.texts))
        found.texts.append(raw)
    return found


def real(folder: Path) -> Iterator[tuple[str, Any]]:
    """Events of set c: some that match each rule, and every so many others."""
    expecting: dict[int, list[str]] = {}
    for number, rule_id in expected("c")[0]:
        expecting.setdefault(number, []).append(rule_id)
    events = zip(
        numbers_of("c"),
        (event["_raw"] for event in json_lines(shared(EVENTS["c"]))),
        read_events([events_of("c", folder)], []),
        strict=True,
    )
    had: Counter[str] = Counter()
    for place, (number, raw, event) in enumerate(islice(events, MOST_REAL)):
        rules = expecting.get(number, ())
        if place % STRIDE == 0 or any(had[rule_id] < MATCHES_OF_A_RULE for rule_id in rules):
            had.update(rules)
            yield raw, event


def made_of(outcomes: Iterable[Outcome], mappings: Mappings) -> Iterator[tuple[str, Any]]:
    """Made events of each rule."""
    for outcome in outcomes:
        random = Random(outcome.id)  # noqa: S311 - the same events in every run
        for _ in range(EVENTS_OF_A_RULE):
            found = made(outcome, mappings.windows, random)
            if found is not None:
                yield found


# Graylog's names are Winlogbeat's, written otherwise.
@pytest.mark.parametrize("name", [name for name in TARGETS if EVERYTHING or name != "es-qs winlogbeat"])
def test_queries_find_what_rules_match(name: str, outcomes: list[Outcome], judged: Judged, mappings: Mappings) -> None:
    target, options, document = TARGETS[name]
    asked = outcomes[::8] if name == "es-qs winlogbeat" else outcomes
    wrong, pairs = differing(
        judged.wanted,
        queries(asked, target, options, mappings),
        list(map(document, judged.texts)),
        leading_wildcards=target != "graylog",
    )
    assert wrong == []
    assert pairs > len(asked) / 2
