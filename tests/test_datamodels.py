"""Rules as searches over accelerated data models: what they say, and that they lose nothing."""

from __future__ import annotations

import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.mappings import Mappings
from builder.paths import ROOT
from builder.rulefiles import read_folders
from builder.searches import datamodels
from builder.searches.datamodels import DataModelError, DataModels, Refusal, TstatsQuery, read_datamodels, tstats_query
from sigmaengine.fields import Columns, Event
from sigmaengine.plain import PlainRule
from sigmaengine.routing import Router
from sigmaengine.rule import Rule
from sigmaengine.ruletext import read_documents
from sigmaengine.views import Views
from tests.support.apps import rule_of
from tests.support.modelrows import model_row
from tests.support.rulefiles import of_case
from tests.support.shared import json_lines, shared
from tests.support.spl import parse

TABLE = ROOT / "mappings" / "datamodels" / "cim.yml"


def _cases(name: str) -> list[dict[str, Any]]:
    (cases,) = read_documents((ROOT / "tests" / "datamodels" / f"{name}.yml").read_bytes())
    return list(cases)


CASES = {case["id"]: case for case in _cases("queries")}


@pytest.fixture(scope="module")
def table() -> DataModels:
    return read_datamodels(TABLE)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_rule_is_a_search_or_is_refused_with_the_reason(case: dict[str, Any], table: DataModels) -> None:
    answer = tstats_query(rule_of({"logsource": case["logsource"], "detection": case["detection"]}), table)
    if "where" in case:
        assert isinstance(answer, TstatsQuery), answer
        assert answer.where == case["where"]
    else:
        assert isinstance(answer, Refusal), answer
        assert answer.reason == case["refused"]
        assert case.get("says", "") in answer.message


def test_a_list_that_is_too_long_is_refused(table: DataModels) -> None:
    detection = {"s": {"CommandLine": [f"a{number}" for number in range(501)]}, "condition": "s"}
    answer = tstats_query(rule_of({"logsource": _PROCESSES, "detection": detection}), table)
    assert isinstance(answer, Refusal)
    assert answer.reason == "long list"


def test_every_reason_has_a_case() -> None:
    assert {case["refused"] for case in CASES.values() if "refused" in case} | {"long list"} == set(datamodels.REASONS)


_PROCESSES = {"product": "windows", "category": "process_creation"}


def test_the_whole_search(table: DataModels) -> None:
    detection = {"s": {"OriginalFileName": "a.exe"}, "condition": "s"}
    answer = tstats_query(rule_of({"logsource": _PROCESSES, "detection": detection}), table)
    assert isinstance(answer, TstatsQuery)
    assert answer.dataset == "Endpoint.Processes"
    fields = (
        "dest", "user", "parent_process_path", "parent_process", "process_path", "process", "process_id",
        "process_guid", "original_file_name",
    )  # fmt: skip
    assert answer.fields == fields
    assert answer.search == (
        '| tstats summariesonly=true allow_old_summaries=true fillnull_value="unknown" count min(_time) as firstTime'
        " max(_time) as lastTime from datamodel=Endpoint.Processes where"
        ' (Processes.original_file_name="a.exe") by _time span=1s'
        f" {' '.join(f'Processes.{field}' for field in fields)} | rename Processes.* as * | eval host=dest"
    )


# --- the table ------------------------------------------------------------------------------------

FAULTS = {fault["id"]: fault for fault in _cases("faults")}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_table_is_told_with_its_line(fault: dict[str, str], tmp_path: Path) -> None:
    content, line = of_case(fault["text"])
    path = tmp_path / "cim.yml"
    path.write_bytes(content)
    with pytest.raises(DataModelError) as caught:
        read_datamodels(path)
    (finding,) = caught.value.findings
    assert (finding.line, finding.severity) == (line, "error")
    assert fault["says"] in finding.message


def test_fields_of_the_table_are_those_that_the_mappings_know(mappings: Mappings, table: DataModels) -> None:
    """A log source of the table has events that the mappings take."""
    unmapped = {str(source.logsource) for source in table.sources if not mappings.routing.is_mapped(source.logsource)}
    assert unmapped == set()


# --- SigmaHQ --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rule]:
    """All of SigmaHQ's rules by id."""
    folder = tmp_path_factory.mktemp("sigmahq")
    with tarfile.open(shared("data/sigmahq-rules.tar.gz")) as tar:
        tar.extractall(folder, filter="data")
    return {rule.id: rule for rule in read_folders([folder]).rules}


#: Searches by dataset, refusals by reason.
SEARCHES = {
    "Endpoint.Processes": 1359,
    "Endpoint.Registry": 244,
    "Endpoint.Filesystem": 231,
    "Web.Web": 50,
    "Network_Resolution.DNS": 28,
    "Network_Traffic.All_Traffic": 22,
}
REFUSALS = {
    "log source": 1390,
    "field": 268,
    "regex": 80,
    "presence": 54,
    "character": 28,
    "IPv6": 16,
    "keywords": 13,
    "star": 11,
    "question mark": 9,
    "form": 7,
    "long list": 6,
    "unknown": 3,
    "field reference": 2,
    "variants": 1,
}


def test_how_many_of_sigmahq_have_a_search(rules: dict[str, Rule], table: DataModels) -> None:
    answers = [tstats_query(rule, table) for rule in rules.values()]
    assert Counter(answer.dataset for answer in answers if isinstance(answer, TstatsQuery)) == SEARCHES
    assert Counter(answer.reason for answer in answers if isinstance(answer, Refusal)) == REFUSALS


def test_the_page_tells_the_figures_and_every_reason() -> None:
    page = (ROOT / "docs" / "datamodels.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    told = {row[0]: int(row[2]) for row in rows if row[0] in SEARCHES}
    reasons = {row[0]: (int(row[1]), row[2]) for row in rows if row[0] in datamodels.REASONS}
    assert told == SEARCHES
    assert reasons == {reason: (REFUSALS.get(reason, 0), why) for reason, why in datamodels.REASONS.items()}
    searches, rules = sum(SEARCHES.values()), sum(SEARCHES.values()) + sum(REFUSALS.values())
    assert f"Of {rules:,} rules of SigmaHQ {searches:,} have such a search" in page
    assert f"none of {sum(PAIRS.values())} matches is lost" in page


#: Matches of rules that have a search, by dataset: of real events.
PAIRS = {
    "Endpoint.Processes": 650,
    "Endpoint.Filesystem": 69,
    "Endpoint.Registry": 58,
    "Network_Traffic.All_Traffic": 9,
}


class Rows:
    """Events as rows of the model, with what the engine sees of them."""

    def __init__(self, mappings: Mappings, table: DataModels) -> None:
        self.router, self.views, self.table = Router(mappings.routing), Views(mappings.routing), table

    def judged(self, event: Event, rule: Rule) -> tuple[bool, dict[str, list[str]]] | None:
        """Whether a rule matches an event, and the event in the rule's dataset; None if it is not of the log source."""
        source = self.table.source(rule.logsource)
        contributing = self.views.contributing(rule.logsource, self.router.route(event))
        if source is None or not contributing:
            return None
        view = self.views.view(rule.logsource, self.router.route(event))
        matches = PlainRule(rule).matches(lambda field: view.values(event, field), event.texts)
        return matches, model_row(event, view, source)


def event_of(cells: dict[str, Any]) -> Event:
    """An event of the shared data; what begins with ``_`` is a note about it, but for its text."""
    row = {name: value for name, value in cells.items() if not name.startswith("_") or name == "_raw"}
    row |= {name: tuple(values) for name, values in cells.get("_mv", {}).items()}
    return Event(Columns(list(row)), list(row.values()))


def attacks() -> dict[int, Event]:
    """Set c."""
    return {cells["_idx"]: event_of(cells) for cells in json_lines(shared("data/attack-events.jsonl.gz"))}


def expected_pairs() -> Iterator[tuple[str, Event]]:
    """(rule, event that it matches): what the oracles found in set c, and SigmaHQ's own tests of its rules."""
    events = attacks()
    for one in json_lines(shared("data/expected/expected-c.jsonl.gz")):
        yield one["rule_id"], events[one["idx"]]
    for test in json_lines(shared("data/expected/regression.jsonl.gz")):
        for cells in test["events"]:
            yield test["rule_id"], event_of(cells)


@pytest.fixture(scope="module")
def searches(rules: dict[str, Rule], table: DataModels) -> dict[str, tuple[TstatsQuery, Any]]:
    """The rules that have a search: it, and its condition as Splunk reads it."""
    answers = {rule.id: tstats_query(rule, table) for rule in rules.values()}
    return {
        rule_id: (answer, parse(answer.where)) for rule_id, answer in answers.items() if isinstance(answer, TstatsQuery)
    }


def test_no_match_is_lost(
    rules: dict[str, Rule], searches: dict[str, tuple[TstatsQuery, Any]], mappings: Mappings, table: DataModels
) -> None:
    rows = Rows(mappings, table)
    found, lost = Counter[str](), []
    for rule_id, event in expected_pairs():
        judged = rows.judged(event, rules[rule_id]) if rule_id in searches else None
        if judged is None or not judged[0]:
            continue  # of another rule, or of a test's events one that does not match
        query, where = searches[rule_id]
        found[query.dataset] += 1
        if not where.matches(judged[1]):
            lost.append((rules[rule_id].title, query.where, judged[1]))
    assert lost == []
    assert found == PAIRS


def test_nothing_else_is_found_among_events_of_the_log_source(
    rules: dict[str, Rule], searches: dict[str, tuple[TstatsQuery, Any]], mappings: Mappings, table: DataModels
) -> None:
    rows = Rows(mappings, table)
    pairs, different = 0, []
    for number, event in attacks().items():
        if number % 150:
            continue
        for rule_id, (_, where) in searches.items():
            judged = rows.judged(event, rules[rule_id])
            if judged is None:
                continue
            pairs += 1
            if where.matches(judged[1]) != judged[0]:
                different.append((number, rules[rule_id].title, judged))
    assert different == []
    assert pairs > 10_000
