"""``| sigmacorrelate`` in a child process: bytes, options, messages, and what it cannot use."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from builder.mappings import Mappings
from builder.package import app_files, unpack
from builder.replay import CORRELATE, Command, event_chunk, rows, stream_of
from sigmaengine import chunks, correlatepath, ruleset
from sigmaengine.alertrows import ALERT_FIELDS, number_text
from sigmaengine.basematches import BaseMatches
from sigmaengine.correlation import Correlation, read_correlation
from sigmaengine.correlationplan import CorrelationPlan
from sigmaengine.correlationrefs import resolve
from sigmaengine.results import FIELDS
from sigmaengine.timesort import TimeSorter
from sigmaengine.timestamps import parse_time, time_text
from sigmaengine.views import Views
from tests.support.apps import Row, rule_of
from tests.support.correlating import alerts_in, inputs_of, run
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.support.searches import DEFAULT_PYTHON

UUID = "00000000-0000-4000-8000-0000000000"
FAIL, GOOD, MANY, BOTH, SHOWN = (UUID + number for number in ("f1", "f2", "c1", "c2", "c3"))


def _rule(rule_id: str, title: str, level: str, value: str) -> Any:
    return rule_of(
        {"level": level, "status": "test", "detection": {"s": {"act": value}, "condition": "s"}}, rule_id, title
    )


RULES = [_rule(FAIL, "Failed", "informational", "fail"), _rule(GOOD, "Good", "low", "good")]


def _correlation(rule_id: str, title: str, level: str, content: dict[str, Any], **more: Any) -> Correlation:
    read, problems = read_correlation({"title": title, "id": rule_id, "level": level, "correlation": content, **more})
    assert read is not None, problems
    return read


COUNT = {"type": "event_count", "rules": [FAIL], "timespan": "10s", "condition": {"gte": 2}}
CORRELATIONS = [
    _correlation(MANY, "Many {0}", "high", {**COUNT, "group-by": ["user"]}, tags=["attack.t1110"], author="Zo\u00eb"),
    _correlation(SHOWN, "Shown", "low", {**COUNT, "rules": [GOOD]}, generate=True, status="test"),
]


@pytest.fixture(scope="module")
def app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with two rules, one correlation that hides its rule and one that shows its own."""
    resolved, problems = resolve(CORRELATIONS, RULES)
    assert len(resolved) == 2, problems
    return unpack(app_files(inputs_of(RULES, resolved, mappings)), tmp_path_factory.mktemp("correlate"))


def matched(time: object, rules: Sequence[str], **fields: str | list[str]) -> Row:
    """An event as sigmamatch has passed it."""
    titles = {FAIL: ("Failed", "informational", 1), GOOD: ("Good", "low", 10)}
    told = [
        {"id": one, "title": titles[one][0], "level": titles[one][1], "score": titles[one][2], "author": "", "tags": []}
        for one in rules
    ]
    row: Row = {"_time": str(time), **fields}
    lists = {
        "sigma_rule_id": list(rules),
        "sigma_rule_title": [str(one["title"]) for one in told],
        "sigma_level": [str(one["level"]) for one in told],
        "sigma_tags": [],
        "sigma_severity": [str(told[0]["level"])] if told else [],
        "sigma_risk_score": [str(sum(int(str(one["score"])) for one in told))] if told else [],
        "sigma_match": [json.dumps(one) for one in told],
    }
    return {**row, **{name: one[0] if len(one) == 1 else one for name, one in lists.items()}}


EVENTS = [matched(time, [FAIL], user="p", _cd=f"7:{time}", _bkt="main~7~A") for time in (103, 102, 101)]


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
def test_an_alerts_row(app: Path, tmp_path: Path, version: str) -> None:
    result = run(app, [], [event_chunk(EVENTS)], tmp_path, splunk_python(version))
    assert (result.status, result.stderr) == (0, "")
    assert result.replies[0][0]["type"] == "events"
    (row,) = rows(result.bodies[0])
    events = [json.loads(text) for text in row.pop("sigma_events")]
    assert events == [
        {"_time": "101", "_bkt": "main~7~A", "_cd": "7:101", "rules": [FAIL]},
        {"_time": "102", "_bkt": "main~7~A", "_cd": "7:102", "rules": [FAIL]},
    ]
    assert json.loads(str(row.pop("sigma_match"))) == {
        "id": MANY, "title": "Many {0}", "level": "high", "score": 60, "author": "Zo\u00eb", "tags": ["attack.t1110"],
    }  # fmt: skip
    assert {name: value for name, value in row.items() if value} == {
        "_time": "102",
        "user": "p",
        "sigma_rule_id": MANY,
        "sigma_rule_title": "Many {0}",
        "sigma_level": "high",
        "sigma_tags": "attack.t1110",
        "sigma_severity": "high",
        "sigma_risk_score": "60",
        "sigma_correlation_type": "event_count",
        "sigma_window_start": "92",
        "sigma_window_end": "102",
        "sigma_value": "2",
        "sigma_group": '{"user":"p"}',
        "sigma_event_count": "2",
        "sigma_base_rules": FAIL,
    }


BODIES: dict[str, list[bytes]] = {
    "one-chunk": [event_chunk(EVENTS)],
    "a-row-a-chunk": [event_chunk([event]) for event in EVENTS],
    "a-header-last": [event_chunk(EVENTS), event_chunk([], list(EVENTS[0]))],
    "nothing-last": [event_chunk(EVENTS), b""],
    "nothing-first": [b"", event_chunk(EVENTS)],
    "another-header-last": [event_chunk(EVENTS), b"x,y\n1,2\n"],
}


@pytest.mark.parametrize("bodies", BODIES.values(), ids=BODIES)
def test_chunks_change_nothing(app: Path, tmp_path: Path, bodies: list[bytes]) -> None:
    result = run(app, [], bodies, tmp_path)
    assert (result.status, result.stderr) == (0, "")
    assert len(result.bodies) == len(bodies)
    (alert,) = alerts_in(result)
    assert (alert["_time"], alert["user"], alert["sigma_event_count"]) == ("102", "p", "2")
    for body in filter(None, result.bodies):
        header = chunks.parse_record(chunks.split_records(chunks.decode(body))[0])
        assert set(header) > {"_time", *FIELDS, *ALERT_FIELDS, "user"}
        assert len(set(header)) == len(header)


def test_other_events_pass_byte_for_byte(app: Path, tmp_path: Path) -> None:
    header = b'sigma_rule_id,"odd ""name""",\xff,_chunked_idx'
    lines = [b',"a ""b"", c\nd",\xfe\xff,0', b'%s,"",,1' % GOOD.encode(), b",short", b",,,,too,many", b""]
    body = b"\r\n".join([header, *lines, b""])
    result = run(app, ["rules=Many*"], [body], tmp_path)
    written, *_ = result.bodies
    added = len([*FIELDS[1:], *ALERT_FIELDS, "_time", "user"]) * 2
    nothing = b"," * added
    passed = written.split(b"\r\n")
    expected = [lines[0], lines[1], lines[2] + b",,", b",,,", b",,,"]
    assert b"\r\n".join(passed[1:]) == b"\r\n".join([*(line + nothing for line in expected), b""])
    assert passed[0].startswith(header + b",_time,__mv__time,sigma_rule_title,")


def test_a_row_keeps_what_other_rules_have_matched(app: Path, tmp_path: Path) -> None:
    events = [
        matched(1, [GOOD, FAIL], user="p", note='a "b", c'),
        matched(2, [GOOD]),
        matched(3, []),
        matched(4, [FAIL], user="q"),
    ]
    result = run(app, ["rules=Many*"], [event_chunk(events)], tmp_path)
    found = list(rows(result.bodies[0]))
    assert [row["_time"] for row in found] == ["1", "2", "3"]
    first = {name: value for name, value in found[0].items() if value}
    match = json.loads(str(first.pop("sigma_match")))
    assert (match["id"], match["score"]) == (GOOD, 10)
    assert first == {
        "_time": "1", "user": "p", "note": 'a "b", c', "sigma_rule_id": GOOD, "sigma_rule_title": "Good",
        "sigma_level": "low", "sigma_severity": "low", "sigma_risk_score": "10",
    }  # fmt: skip


def test_generate_shows_what_the_correlation_counts(app: Path, tmp_path: Path) -> None:
    events = [matched(time, [GOOD]) for time in (1, 2)]
    result = run(app, [], [event_chunk(events)], tmp_path)
    ids = [row["sigma_rule_id"] for row in rows(result.bodies[0])]
    assert ids == [GOOD, GOOD, SHOWN]


def test_a_second_one_does_not_double_its_columns(app: Path, tmp_path: Path) -> None:
    first = run(app, [], [event_chunk(EVENTS)], tmp_path)
    second = run(app, [], first.bodies, tmp_path)
    assert second.bodies == first.bodies


SELECTED: dict[str, tuple[list[str], list[str]]] = {
    "all": ([], ["Many {0}", "Shown"]),
    "title": (["rules=many {0}"], ["Many {0}"]),
    "id": ([f"rules={SHOWN}"], ["Shown"]),
    "level": (["level=high"], ["Many {0}"]),
    "status": (["status=test"], ["Shown"]),
    "tags": (["tags=attack.*"], ["Many {0}"]),
    "own-names": (["fields=none"], ["Many {0}", "Shown"]),
    "logsource": (["logsource=windows/process_creation"], ["Many {0}", "Shown"]),
}


@pytest.mark.parametrize(("options", "titles"), SELECTED.values(), ids=SELECTED)
def test_options_choose_correlations(app: Path, tmp_path: Path, options: list[str], titles: list[str]) -> None:
    events = [matched(time, [GOOD, FAIL], user="p") for time in (1, 2)]
    result = run(app, options, [event_chunk(events)], tmp_path)
    assert sorted(str(row["sigma_rule_title"]) for row in alerts_in(result)) == titles


WRONG: dict[str, tuple[list[str], str]] = {
    "level": (["level=huge"], "level=huge: there are informational"),
    "status": (["status=old"], "status=old: there are stable"),
    "fields": (["fields=mine"], "fields=mine: there are auto"),
    "logsource": (["logsource=a/b/c/d"], "logsource=: a log source is written"),
    "nothing-left": (["level=critical"], "the options select no correlation"),
    "no-option": (["mode=filter"], "mode"),
    "braces": (["rules={0}", "level={1}"], "level={1}"),
}


@pytest.mark.parametrize(("options", "text"), WRONG.values(), ids=WRONG)
def test_wrong_options_end_the_search_with_a_message(app: Path, tmp_path: Path, options: list[str], text: str) -> None:
    result = run(app, options, [event_chunk(EVENTS)], tmp_path)
    (error,) = result.told("ERROR")
    assert text in error
    assert result.status == 1
    assert "Traceback" not in result.stderr


def test_what_it_tells(app: Path, tmp_path: Path) -> None:
    events = [*EVENTS, matched("", [FAIL], user="p"), matched("yesterday", [FAIL], user="p"), matched(9, [])]
    result = run(app, ["rules=*{0},nobody*"], [event_chunk(events)], tmp_path)
    (info,) = result.told("INFO")
    assert info == (
        "sigmacorrelate: 6 events, 3 of them for 1 correlation: 1 alert;"
        " 5 events left out that only count for correlations"
    )
    assert result.told("WARN") == [
        "sigmacorrelate: rules=: no correlation has the id or title nobody*",
        "sigmacorrelate: 2 matches took no part: _time is missing or no time",
    ]
    assert result.figures == {
        "events": 6, "matches": 3, "dropped": 5, "alerts": 1, "correlations": 1, "untimed": 2, "spilled": 0,
    }  # fmt: skip


def test_without_sigmamatch_it_says_so(app: Path, tmp_path: Path) -> None:
    result = run(app, [], [b"_time,user\n1,p\n"], tmp_path)
    assert [text for text in result.told("WARN") if "put sigmamatch before this command" in text]
    assert next(rows(result.bodies[0]))["user"] == "p"


def test_an_app_without_correlations_passes_everything(mappings: Mappings, tmp_path: Path) -> None:
    app = unpack(app_files(inputs_of(RULES, [], mappings)), tmp_path)
    result = run(app, [], [event_chunk(EVENTS)], tmp_path)
    assert len(list(rows(result.bodies[0]))) == 3
    assert [text for text in result.told("WARN") if "without correlations" in text]


HOSTILE: dict[str, bytes] = {
    "missing-columns": b"sigma_rule_id\n%s\n" % FAIL.encode(),
    "an-id-that-is-none": b"_time,sigma_rule_id,sigma_match\n1,x,{\n2,\xff,[]\n",
    "an-open-quote": b'_time,sigma_rule_id\n1,"%s\n' % FAIL.encode(),
    "nul": b"_time,user,sigma_rule_id\n1,p\0,%s\n\0,p,%s\n" % (FAIL.encode(), FAIL.encode()),
    "a-huge-time": b"_time,user,sigma_rule_id\n%s,p,%s\n-99999999999999,p,%s\n"
    % (b"9" * 400, FAIL.encode(), FAIL.encode()),
    "duplicate-columns": b"_time,_time,user,sigma_rule_id\n,1,p,%s\n" % FAIL.encode(),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_tables(app: Path, tmp_path: Path, body: bytes) -> None:
    result = run(app, [], [body], tmp_path)
    assert (result.status, result.stderr, result.told("ERROR")) == (0, "", [])
    assert len(result.bodies) == 1


def test_a_stream_that_ends_early_is_told(app: Path, tmp_path: Path) -> None:
    stream = stream_of([], [event_chunk(EVENTS)], str(tmp_path), CORRELATE)[:-5]
    command = [DEFAULT_PYTHON, str(app / "bin" / "sigmacorrelate.py")]
    done = subprocess.run(command, input=stream, capture_output=True, check=False, timeout=30)
    assert done.returncode == 1
    assert b"the stream ends inside a chunk" in done.stdout


def test_sigmamatch_lets_base_rules_of_selected_correlations_through(app: Path) -> None:
    events: list[Row] = [{"_time": "1", "act": act, "user": "p"} for act in ("fail", "good")]
    with Command(app, ["level=high"]) as command:
        found = list(rows(command.send(event_chunk(events), finished=True)))
    assert [row["sigma_rule_id"] for row in found] == [FAIL]


# --- inside this process ------------------------------------------------------------------------


def correlated(mappings: Mappings, bodies: Sequence[bytes], buffer: int) -> tuple[list[bytes], int]:
    """What the command writes, with a buffer of this size, and how many matches it wrote to disk."""
    resolved, _ = resolve(CORRELATIONS, RULES)
    loaded = ruleset.from_rules(RULES, mappings.routing, resolved)
    plan = CorrelationPlan(loaded.correlations, lambda _: True)
    sorter = TimeSorter(buffer)
    path = correlatepath.CorrelatePath(BaseMatches(plan, loaded.logsources(plan.fields), Views(loaded.routing), sorter))
    written = [bytes(path.process(body, number == len(bodies))) for number, body in enumerate(bodies, 1)]
    sorter.close()
    return written, sorter.spilled


def test_sorting_on_disk_changes_nothing(mappings: Mappings) -> None:
    events = [
        matched(1000 - place % 97 - place / 8, [FAIL], user=str(place % 3), _cd=f"1:{place}") for place in range(300)
    ]
    bodies = [event_chunk(events[start : start + 70]) for start in range(0, 300, 70)]
    in_memory, _ = correlated(mappings, bodies, 10_000_000)
    on_disk, spilled = correlated(mappings, bodies, 2_000)
    assert on_disk == in_memory
    assert spilled > 200
    assert sum(row.get("sigma_correlation_type") == "event_count" for row in rows(in_memory[-1])) > 5


def test_an_event_in_too_many_groups_is_counted(mappings: Mappings) -> None:
    body = event_chunk([matched(1, [FAIL], user=[f"u{n}" for n in range(1500)]), matched(2, [FAIL], user="u7")])
    ((written,), _) = correlated(mappings, [body], 10_000_000)
    assert [row["user"] for row in rows(written)] == ["u7"]


TIMES = {
    "whole": ("1700000000", 1700000000_000000000),
    "fraction": ("1700000000.000000001", 1700000000_000000001),
    "more-digits-are-cut": ("1.0000000019", 1_000000001),
    "thirteen-digits-are-milliseconds": ("1704067200123", 1704067200_123000000),
    "negative": ("-1.5", -1_500000000),
    "no-digits-behind-the-point": ("5.", 5_000000000),
    "iso": ("1970-01-01T00:00:01.25Z", 1_250000000),
    "iso-with-a-zone": ("1970-01-01 01:00:00+01:00", 0),
    "iso-behind-utc": ("1969-12-31T19:00:00-0500", 0),
    "iso-without-seconds": ("1970-01-01T00:01", 60_000000000),
}


@pytest.mark.parametrize(("text", "time"), TIMES.values(), ids=TIMES)
def test_times(text: str, time: int) -> None:
    assert parse_time(text) == time
    assert parse_time(time_text(time)) == time


@pytest.mark.parametrize(
    "text", ["", "now", "1e3", "0x10", "1970-13-01T00:00:00Z", "1970-01-01", "\u0661", "nan", "1_0", "9" * 400]
)
def test_no_times(text: str) -> None:
    assert parse_time(text) is None


def test_numbers_in_digits() -> None:
    cases = {
        "3": 3, "0.5": Fraction(1, 2), "0.333333333333333": Fraction(1, 3), "-2": Decimal("-2.00"),
        "100": Decimal("1e2"), "0.1": Decimal("0.10"), "1E+300": Decimal("1e300"), "0": Decimal("0e5"),
    }  # fmt: skip
    assert {text: number_text(value) for text, value in cases.items()} == {text: text for text in cases}


def test_a_narrower_search_shows_no_match_that_is_hidden(app: Path, tmp_path: Path) -> None:
    """Whether a rule's own matches are seen is the correlations' business, and not the selection's."""
    for options in ([], ["rules=Shown"], ["rules=Many*"], ["level=high"]):
        result = run(app, options, [event_chunk(EVENTS[:1])], tmp_path)
        assert list(rows(result.bodies[0])) == [], options
        assert result.figures["dropped"] == 1


def test_what_chains_need_is_worked_out_once_for_each_link() -> None:
    links = [_correlation(f"{UUID}{place:02}", f"k{place}", "low", COUNT) for place in range(60)]
    chain = [
        one._replace(rules=[FAIL] if place < 2 else [links[place - 1].id, links[place - 2].id], group_by=[f"f{place}"])
        for place, one in enumerate(links)
    ]
    assert CorrelationPlan(chain, lambda _: True).fields == {FAIL: sorted(f"f{place}" for place in range(60))}


@pytest.mark.parametrize("body", [event_chunk(EVENTS), b""], ids=["with-rows", "alerts-alone"])
def test_a_group_field_with_a_name_of_ours_is_one_column(mappings: Mappings, tmp_path: Path, body: bytes) -> None:
    count = _correlation(MANY, "Many", "high", {**COUNT, "group-by": ["_time", "user"]})
    resolved, _ = resolve([count], RULES)
    app = unpack(app_files(inputs_of(RULES, resolved, mappings)), tmp_path)
    seen = [matched(time, [FAIL], user="p") for time in (101, 101)]
    result = run(app, [], [event_chunk(seen), body], tmp_path)
    for answered in result.bodies:
        header = answered.split(b"\n")[0].split(b",")
        assert len(header) == len(set(header))
    assert len(alerts_in(result)) == 1
