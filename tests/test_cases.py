"""Every case of the tables, by the plain evaluator, by the engine and by the packaged command."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from builder.mappings import Mappings
from builder.paths import RULES
from builder.rulefiles import read_folders
from sigmaengine.fields import Columns, make_cell
from sigmaengine.matcher import Matcher
from sigmaengine.problems import ERROR, WARNING
from sigmaengine.ruleset import from_rules
from tests.support.apps import Row, app_of, search
from tests.support.cases import Case, rule_cases, table_cases
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python

TABLES: dict[str, Callable[[], list[Case]]] = {
    "semantics": lambda: table_cases("semantics"),
    "mappings": lambda: table_cases("mappings"),
    "rules": rule_cases,
}
ALL = [case for table in TABLES.values() for case in table()]
USABLE = [case for case in ALL if not case.error]
REFUSED = [case for case in ALL if case.error]
WARNED = [case for case in ALL if case.warning]


def ids(cases: list[Case]) -> list[str]:
    """Their names in pytest's output."""
    return [case.id for case in cases]


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_not_empty(table: str) -> None:
    assert len(TABLES[table]()) >= 28


def test_each_own_rule_has_a_case() -> None:
    tested = {case.text["id"] for case in rule_cases()}
    assert tested == {rule.id for rule in read_folders([RULES]).rules}


def matched(case: Case, mappings: Mappings, how: str) -> list[int]:
    """The events of a case that its rule matches, in this process."""
    matcher = Matcher(from_rules([case.rule()], mappings.routing))
    found = []
    for position, event in enumerate(case.events):
        columns = Columns(list(event))
        cells = [value if isinstance(value, str) else make_cell(value) for value in event.values()]
        if getattr(matcher, how)(columns, cells):
            found.append(position)
    assert not matcher.left_out
    return found


@pytest.mark.parametrize("case", USABLE, ids=ids(USABLE))
def test_plain_evaluator(case: Case, mappings: Mappings) -> None:
    assert matched(case, mappings, "match_plainly") == case.match


@pytest.mark.parametrize("case", USABLE, ids=ids(USABLE))
def test_engine(case: Case, mappings: Mappings) -> None:
    assert matched(case, mappings, "match") == case.match


@pytest.fixture(scope="module")
def command(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[list[str]]]:
    """Runs the packaged command with every case's rule on every case's events; the ids matched, event by event."""
    app = app_of([case.rule() for case in USABLE], mappings, tmp_path_factory.mktemp("cases"))

    @cache
    def run(version: str) -> list[list[str]]:
        events: list[Row] = [event for case in USABLE for event in case.events]
        # Chunks of a size that divides nothing, so that cases lie across their borders.
        chunks = [events[start : start + 101] for start in range(0, len(events), 101)]
        rows = search(app, ["mode=annotate"], chunks, splunk_python(version))
        assert len(rows) == len(events)
        return [as_list(row["sigma_rule_id"]) for row in rows]

    return run


def as_list(value: str | list[str]) -> list[str]:
    """The values of a field."""
    return value if isinstance(value, list) else [value] if value else []


FIRST_EVENT: dict[str, int] = {}
_count = 0
for _case in USABLE:
    FIRST_EVENT[_case.id] = _count
    _count += len(_case.events)


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
@pytest.mark.parametrize("case", USABLE, ids=ids(USABLE))
def test_packaged_command(case: Case, version: str, command: Callable[[str], list[list[str]]]) -> None:
    start = FIRST_EVENT[case.id]
    found = command(version)[start : start + len(case.events)]
    assert [position for position, ids in enumerate(found) if case.rule_id in ids] == case.match


@pytest.mark.parametrize("case", REFUSED, ids=ids(REFUSED))
def test_refused_with_a_reason(case: Case) -> None:
    rule, problems = case.read()
    assert rule is None
    errors = [f"{problem.code}: {problem.message}".lower() for problem in problems if problem.severity == ERROR]
    assert any(case.error.lower() in error for error in errors), errors


@pytest.mark.parametrize("case", WARNED, ids=ids(WARNED))
def test_warned(case: Case) -> None:
    _, problems = case.read()
    warnings = [f"{problem.code}: {problem.message}".lower() for problem in problems if problem.severity == WARNING]
    assert any(case.warning.lower() in warning for warning in warnings), warnings


# Keywords search every field of events without _raw, and Splunk's events have it.
BY_FIELD = [case for case in USABLE if not case.rule().has_keywords]


@pytest.mark.parametrize("case", BY_FIELD, ids=ids(BY_FIELD))
def test_field_names_are_needed(case: Case, mappings: Mappings) -> None:
    """What ``required=auto`` asks splunkd for is enough to match."""
    needed = set(Matcher(from_rules([case.rule()], mappings.routing)).fields())
    stripped = [{name: value for name, value in event.items() if name in needed} for event in case.events]
    assert matched(case._replace(events=stripped), mappings, "match") == case.match
