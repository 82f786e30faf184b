"""Tables through the data path: what is not ours comes back byte for byte, what is ours is right."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.mappings import Mappings, read_mappings
from builder.paths import MAPPINGS
from builder.replay import rows
from sigmaengine import chunks, ruleset
from sigmaengine.datapath import DataPath
from sigmaengine.matcher import Matcher
from sigmaengine.results import EXPLAIN_FIELD, FIELDS
from sigmaengine.routing import RoutingTable
from tests.support.apps import app_of, rule_of
from tests.support.csvtables import BODIES, cells, records
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.support.searches import Run, run

RULES = [
    rule_of(document, rule_id, title)
    for rule_id, title, document in (
        ("low-1", "Low", {"level": "low", "tags": ["t.low"], "detection": {"s": {"a": "x"}, "condition": "s"}}),
        (
            "high-1",
            "High",
            {"level": "high", "tags": ["t.high"], "detection": {"s": {"b|contains": "y"}, "condition": "s"}},
        ),
        ("null-1", "Nothing", {"level": "medium", "detection": {"s": {"a": None, "c|re": "z+$"}, "condition": "s"}}),
        ("word-1", "A needle", {"level": "informational", "detection": {"words": ["needle"], "condition": "words"}}),
    )
]
MAPPED = read_mappings(MAPPINGS)


def path(*, explain: bool = False, keep_all: bool = True) -> DataPath:
    """A data path with nothing remembered yet."""
    return DataPath(Matcher(ruleset.from_rules(RULES, RoutingTable(MAPPED.table))), keep_all, explain)


# --- what comes back -----------------------------------------------------------------------------


def results(body: bytes) -> list[dict[str, list[str]]]:
    """The result fields of each row, by the columns' names."""
    header, *found = [[cell.decode("utf-8", "surrogateescape") for cell in cells(record)] for record in records(body)]
    ours = []
    for record in found:
        row = dict(zip(header, record, strict=False))
        ours.append({name: _values(row, name) for name in (*FIELDS, EXPLAIN_FIELD) if name in row})
    return ours


def _values(row: dict[str, str], name: str) -> list[str]:
    twin = row.get(chunks.MV_PREFIX + name, "")
    several = [value.replace("$$", "$") for value in twin[1:-1].split("$;$")] if twin else []
    return several or ([row[name]] if row[name] else [])


def assert_passed(before: bytes, after: bytes, added: Sequence[str]) -> None:
    """Every cell of every row is there, and the columns that were added stand behind them."""
    sent, received = records(before), records(after)
    assert len(received) == len(sent)
    width = len(cells(sent[0]))
    assert cells(received[0])[width:] == [name.encode() for name in added]
    for one, other in zip(sent, received, strict=True):
        assert other.startswith(one)
        assert len(cells(other)) == width + len(added)
        assert cells(other)[: len(cells(one))] == cells(one)


ADDED = [column for name in FIELDS for column in (name, chunks.MV_PREFIX + name)]
EXPLAINED = [*ADDED, EXPLAIN_FIELD, chunks.MV_PREFIX + EXPLAIN_FIELD]


@pytest.fixture(scope="module")
def datapath_app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged command with RULES."""
    return app_of(RULES, mappings, tmp_path_factory.mktemp("datapath"))


@pytest.fixture(scope="module", params=SPLUNK_PYTHONS)
def all_bodies(request: pytest.FixtureRequest, datapath_app: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All BODIES as the chunks of one search, in a process of Splunk's Python."""
    folder = tmp_path_factory.mktemp("bodies")
    python = splunk_python(request.param)
    return run(datapath_app, ["mode=annotate", "explain=t"], [*BODIES.values()], folder, python)


@pytest.mark.parametrize("name", BODIES)
def test_bytes_pass_the_command(name: str, all_bodies: Run) -> None:
    assert all_bodies.status == 0, all_bodies.messages
    assert_passed(BODIES[name], all_bodies.bodies[list(BODIES).index(name)], EXPLAINED)


@pytest.mark.parametrize("name", BODIES)
def test_bytes_pass_the_engine_as_the_command(name: str, all_bodies: Run) -> None:
    """Another Python, with nothing remembered: the same bytes as in a process that had seen all the rest."""
    assert path(explain=True).process(BODIES[name]) == all_bodies.bodies[list(BODIES).index(name)]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_cells_pass_beside_earlier_results(body: bytes) -> None:
    """With a result column in front rows are written anew: each cell is the same, if not its quotes."""
    earlier = b"".join(
        (b"sigma_rule_id," if not number else b",") + one + b"\n" for number, one in enumerate(records(body))
    )
    plain, merged = path().process(body), path().process(earlier)
    assert [cells(one) for one in records(merged)] == [cells(one) for one in records(plain)]


def test_empty_body_stays_empty() -> None:
    assert path().process(b"") == b""


MATCHES: dict[str, str] = {
    # the rules of each row, by first letter: low-1, high-1, null-1, word-1
    "plain": "hl - -",
    "crlf": "hl -",
    "quotes": "hl -",
    "nul": "h -",
    "no-utf8": "- hl",
    "overlong": "h",
    "one-column": "l - - -",
    "rows-shorter": "l - hl",
    "duplicate-columns": "hl hl",
    "twins-after": "hl",
    "twins-with-dollars": "l l",
    "twin-of-one-value": "l",
    "twin-that-is-none": "l - -",
    "twin-without-column": "h",
    "chunked-idx": "l -",
    "names-with-commas-and-quotes": "hw",
    "unneeded-quotes": "hl -",
    "surrogates-as-utf8": "h",
}


@pytest.mark.parametrize(("name", "expected"), MATCHES.items(), ids=MATCHES)
def test_matches(name: str, expected: str) -> None:
    found = ["".join(rule_id[0] for rule_id in row["sigma_rule_id"]) for row in results(path().process(BODIES[name]))]
    assert " ".join(one or "-" for one in found) == expected


def test_bytes_that_are_no_utf8_pass_through_an_explanation() -> None:
    (row,) = results(path(explain=True).process(b'b\n"\xff""y\xed\xa0\x80\n"\n'))
    assert json.loads(row[EXPLAIN_FIELD][0])["items"][0]["value"].encode("utf-8", "surrogateescape") == (
        b'\xff"y\xed\xa0\x80\n'
    )


#: A body and the rule ids of its one row.
UNEVEN: dict[str, tuple[bytes, list[bytes]]] = {
    "longer": (b"a,b\nx,y,more\n", [b"high-1", b"low-1"]),
    "longer-beside-earlier-results": (b"a,b,sigma_rule_id\nx,y,,more\n", [b"high-1", b"low-1"]),
    "only-our-columns": (b"sigma_tags,__mv_sigma_tags\n,\n", [b""]),
    "only-our-columns-and-earlier-rules": (b"sigma_rule_id,__mv_sigma_rule_id\nfoo,\n", [b"foo"]),
    "twin-of-ours-alone": (b"a,b,__mv_sigma_rule_id\nx,y,\n", [b"high-1", b"low-1"]),
    "ours-twice": (b"a,sigma_rule_id,sigma_rule_id,b\nx,foo,,y\n", [b"high-1", b"foo", b"low-1"]),
}


@pytest.mark.parametrize(("body", "rule_ids"), UNEVEN.values(), ids=UNEVEN)
def test_results_stand_under_their_names(body: bytes, rule_ids: list[bytes]) -> None:
    header, row = map(cells, records(path().process(body)))
    assert len(header) == len(set(header))
    named = dict(zip(header, row, strict=False))
    assert named[b"sigma_rule_id"].split(b"\n") == rule_ids


# --- time ---------------------------------------------------------------------------------------

SLOW: dict[str, bytes] = {
    "long-value": b"$" + b"a" * 2_000_000 + b"$;$x$",
    "many-values": b"$a$;" * 300_000 + b"$x$",
    "dollars": b"$" + b"$$" * 500_000 + b"$;$x$",
    "dollars-that-are-no-values": b"$" * 20_001 + b"a",
    "openings-that-are-no-values": b"$a" * 20_000,
}


@pytest.mark.parametrize("twin", SLOW.values(), ids=SLOW)
def test_multivalue_cells_cost_time_by_their_length(twin: bytes) -> None:
    began = time.process_time()
    path().process(b"a,__mv_a\nq," + twin + b"\n")
    assert time.process_time() - began < 3


# --- independence -------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.sampled_from(
        ["", "", "x", "X", "y", "zz", "a needle", "$", "$;$", '"', ",", "\n", "\r\n", "\u2028", "\0", "x\n"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=6),
)
VALUES = st.one_of(TEXTS, st.lists(TEXTS, min_size=2, max_size=3))
NAMES = ("a", "b", "c", 'd,"')
ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES)), min_size=1, max_size=8)


def as_splunkd(events: Sequence[dict[str, Any]]) -> bytes:
    """All fields, then their twins, each cell in quotes."""
    lines = [[*NAMES, *(f"__mv_{name}" for name in NAMES)]]
    for event in events:
        pairs = [_pair(event[name]) for name in NAMES]
        lines.append([*(plain for plain, _ in pairs), *(twin for _, twin in pairs)])
    return _written(lines, "\n", csv.QUOTE_ALL)


def as_sdk(events: Sequence[dict[str, Any]]) -> bytes:
    """Each field with its twin, quoted where necessary, carriage returns before line feeds."""
    lines = [[column for name in NAMES for column in (name, f"__mv_{name}")]]
    lines += [[cell for name in NAMES for cell in _pair(event[name])] for event in events]
    return _written(lines, "\r\n", csv.QUOTE_MINIMAL)


def _pair(value: str | list[str]) -> tuple[str, str]:
    if isinstance(value, str):
        return value, ""
    return "\n".join(value), ";".join("$" + one.replace("$", "$$") + "$" for one in value)


def _written(lines: list[list[str]], end: str, quoting: Any) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end, quoting=quoting).writerows(lines)
    return file.getvalue().encode()


@settings(max_examples=80, deadline=None)
@given(events=ROWS, data=st.data())
def test_results_do_not_depend_on_chunks_or_order(events: list[dict[str, Any]], data: st.DataObject) -> None:
    """One chunk of all rows; chunks cut anywhere, in any order, in either writer's form; two processes."""
    alone = results(path().process(as_splunkd(events)))
    order = data.draw(st.permutations(range(len(events))))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(events)))) | {len(events)})
    processes = [path(), path()]
    found: dict[int, dict[str, list[str]]] = {}
    for first, last in zip([0, *cuts], cuts, strict=False):
        part = order[first:last]
        write = data.draw(st.sampled_from([as_splunkd, as_sdk]))
        process = data.draw(st.sampled_from(processes))
        body = write([events[index] for index in part])
        found.update(zip(part, results(process.process(body)), strict=True))
    assert [found[index] for index in range(len(events))] == alone


@settings(max_examples=60, deadline=None)
@given(events=ROWS, explain=st.booleans(), write=st.sampled_from([as_splunkd, as_sdk]))
def test_filter_is_annotate_without_the_rest(events: list[dict[str, Any]], explain: bool, write: Any) -> None:
    body = write(events)
    header, *annotated = records(path(explain=explain).process(body))
    names = cells(header)
    kept = [one for one in annotated if cells(one)[names.index(b"sigma_rule_id")]]
    assert records(path(explain=explain, keep_all=False).process(body)) == [header, *kept]


@settings(max_examples=60, deadline=None)
@given(events=ROWS, write=st.sampled_from([as_splunkd, as_sdk]))
def test_every_cell_passes(events: list[dict[str, Any]], write: Any) -> None:
    body = write(events)
    assert_passed(body, path().process(body), ADDED)


# --- an earlier sigmamatch ----------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(events=ROWS, explain=st.tuples(st.booleans(), st.booleans()), keep_all=st.booleans())
def test_a_second_run_changes_nothing(events: list[dict[str, Any]], explain: tuple[bool, bool], keep_all: bool) -> None:
    once = path(explain=explain[0], keep_all=keep_all).process(as_splunkd(events))
    twice = path(explain=explain[1], keep_all=keep_all).process(once)
    before, after = [cells(one) for one in records(once)], [cells(one) for one in records(twice)]
    if explain == (False, True):
        after = [row[: len(before[0])] for row in after]
    assert after == before


def entry(rule_id: str, level: str, score: int, tags: Sequence[str] = ()) -> str:
    """An object of sigma_match."""
    return json.dumps(
        {"id": rule_id, "title": f"T {rule_id}", "level": level, "score": score, "author": "A", "tags": [*tags]},
        separators=(",", ":"),
    )


CRITICAL, INFO = entry("old-c", "critical", 7, ["t.old", "t.low"]), entry("old-i", "informational", 2)
#: Fields that the row had, and what result fields it has when the rule low-1 matched as well.
MERGED: dict[str, tuple[dict[str, list[str]], dict[str, list[str]]]] = {
    "higher-first-and-scores-of-then": (
        {"sigma_rule_id": ["old-c"], "sigma_match": [CRITICAL], "sigma_severity": ["critical"]},
        {
            "sigma_rule_id": ["old-c", "low-1"],
            "sigma_rule_title": ["T old-c", "Low"],
            "sigma_level": ["critical", "low"],
            "sigma_tags": ["t.old", "t.low"],
            "sigma_severity": ["critical"],
            "sigma_risk_score": ["17"],
        },
    ),
    "lower-last": (
        {"sigma_rule_id": ["old-i"], "sigma_match": [INFO]},
        {"sigma_rule_id": ["low-1", "old-i"], "sigma_risk_score": ["12"], "sigma_severity": ["low"]},
    ),
    "between-two": (
        {"sigma_match": [CRITICAL, INFO]},
        {"sigma_rule_id": ["old-c", "low-1", "old-i"], "sigma_risk_score": ["19"]},
    ),
    "match-dropped-by-the-search": (
        {"sigma_rule_id": ["o1", "o2"], "sigma_rule_title": ["T1", "T2"], "sigma_level": ["high", "low"]},
        {
            "sigma_rule_id": ["o1", "low-1", "o2"],
            "sigma_rule_title": ["T1", "Low", "T2"],
            "sigma_level": ["high", "low", "low"],
            "sigma_risk_score": ["80"],
        },
    ),
    "match-dropped-and-tags-kept": (
        {"sigma_rule_id": ["o1"], "sigma_level": ["high"], "sigma_tags": ["t.o1"]},
        {"sigma_rule_id": ["o1", "low-1"], "sigma_tags": ["t.low", "t.o1"]},
    ),
    "ids-alone": (
        {"sigma_rule_id": ["o1"]},
        {"sigma_rule_id": ["o1", "low-1"], "sigma_rule_title": ["o1", "Low"], "sigma_level": ["medium", "low"]},
    ),
    "match-expanded-to-a-row-each": (
        {"sigma_rule_id": ["old-c", "old-i"], "sigma_level": ["critical", "informational"], "sigma_match": [INFO]},
        {"sigma_rule_id": ["old-c", "low-1", "old-i"], "sigma_level": ["critical", "low", "informational"]},
    ),
    "the-same-rule-again": (
        {"sigma_rule_id": ["low-1"], "sigma_level": ["low"], "sigma_match": [entry("low-1", "low", 10)]},
        {"sigma_rule_id": ["low-1"], "sigma_risk_score": ["10"], "sigma_tags": ["t.low"]},
    ),
    "score-capped": (
        {"sigma_match": [entry("old-c", "critical", 95)]},
        {"sigma_rule_id": ["old-c", "low-1"], "sigma_risk_score": ["100"]},
    ),
    "explanations-stay": (
        {"sigma_match": [INFO], EXPLAIN_FIELD: ['{"rule":"old-i","items":[]}']},
        {EXPLAIN_FIELD: ['{"rule":"old-i","items":[]}']},
    ),
    "nothing-there": ({name: [] for name in FIELDS}, {"sigma_rule_id": ["low-1"], "sigma_risk_score": ["10"]}),
}


def table_of(earlier: dict[str, list[str]], a: str, *, twins: bool) -> bytes:
    """A row with these result fields between two of its own."""
    pairs = [(name, *_pair(value if len(value) > 1 else "".join(value))) for name, value in earlier.items()]
    header = ["a", *(name for name, _, _ in pairs), "b"]
    row = [a, *(plain for _, plain, _ in pairs), ""]
    if twins:
        header += [chunks.MV_PREFIX + name for name in header]
        row += ["", *(twin for _, _, twin in pairs), ""]
    return _written([header, row], "\n", csv.QUOTE_ALL)


@pytest.mark.parametrize("twins", [True, False], ids=["twins", "no-twins"])
@pytest.mark.parametrize(("earlier", "expected"), MERGED.values(), ids=MERGED)
def test_merged_with_earlier_results(
    earlier: dict[str, list[str]], expected: dict[str, list[str]], twins: bool
) -> None:
    """Splunk has the twins; another command of the SDK may leave the plain cell alone, its values on lines."""
    body = path().process(table_of(earlier, "x", twins=twins))
    (row,) = results(body)
    assert {name: row[name] for name in expected} == expected
    assert len(row["sigma_match"]) == len(row["sigma_rule_id"]) == len(row["sigma_level"])


def test_explanations_of_two_runs() -> None:
    earlier = {EXPLAIN_FIELD: ['{"rule":"low-1","items":["stale"]}', '{"rule":"old-i","items":[]}', "not ours"]}
    (row,) = results(path(explain=True).process(table_of(earlier, "x", twins=True)))
    assert row[EXPLAIN_FIELD][:2] == ['{"rule":"old-i","items":[]}', "not ours"]
    assert [json.loads(text)["rule"] for text in row[EXPLAIN_FIELD][2:]] == ["low-1"]
    assert "stale" not in "".join(row[EXPLAIN_FIELD])


#: What else a field named like ours may hold.
FOREIGN: dict[str, str] = {
    "text": "not JSON",
    "number": "5",
    "null": "null",
    "list": "[]",
    "object": "{}",
    "level-unknown": '{"id":"i","title":"t","level":"loud","score":1,"author":"","tags":[]}',
    "level-a-list": '{"id":"i","title":"t","level":[],"score":1,"author":"","tags":[]}',
    "score-infinite": '{"id":"i","title":"t","level":"low","score":1e999,"author":""}',
    "score-nan": '{"id":"i","title":"t","level":"low","score":NaN,"author":""}',
    "score-negative": '{"id":"i","title":"t","level":"low","score":-5000,"author":""}',
    "score-of-5000-digits": '{"id":"i","title":"t","level":"low","score":' + "9" * 5000 + ',"author":""}',
    "half-of-a-pair": '{"id":"\\ud800","title":"\\udfff","level":"low","score":1,"author":""}',
    "tags-null": '{"id":"i","title":"t","level":"low","score":1,"author":"","tags":null}',
    "line-break": '{"id":"i\\nj","title":"t\\r\\n","level":"low","score":1,"author":"$;$"}',
    "deep": "[" * 50_000,
    "deep-object": '{"a":' * 50_000,
}


@pytest.mark.parametrize("field", ["sigma_match", EXPLAIN_FIELD])
@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_foreign_values_end_no_search(text: str, field: str) -> None:
    for a in ("x", ""):
        (row,) = results(path(explain=True).process(table_of({field: [text]}, a, twins=True)))
        assert ("low-1" in row["sigma_rule_id"]) == (a == "x")
        assert all(0 <= int(score) <= 100 for score in row["sigma_risk_score"])


@pytest.mark.parametrize("field", [*FIELDS, EXPLAIN_FIELD])
def test_a_row_that_matches_nothing_keeps_what_it_had(field: str) -> None:
    """A vendor may have a field of that name; where there is nothing to add, nothing is taken."""
    (row,) = results(path().process(table_of({field: ["5"]}, "q", twins=True)))
    assert row[field] == ["5"]


def test_keywords_do_not_search_earlier_results() -> None:
    earlier = {"sigma_rule_title": ["A needle"], "sigma_rule_id": ["old"], EXPLAIN_FIELD: ["needle"]}
    (row,) = results(path().process(table_of(earlier, "x", twins=True)))
    assert row["sigma_rule_id"] == ["old", "low-1"]


def test_two_runs_with_different_rules(datapath_app: Path, tmp_path: Path) -> None:
    """``| sigmamatch rules=Low mode=annotate | sigmamatch rules=High`` is ``rules=Low,High`` for what High matches."""
    body = b"_chunked_idx,a,b\n0,x,y\n1,x,\n2,,y\n3,,\n"
    first = run(datapath_app, ["mode=annotate", "rules=Low"], [body], tmp_path).bodies
    second = run(datapath_app, ["mode=annotate", "rules=High"], first, tmp_path).bodies
    both = run(datapath_app, ["mode=annotate", "rules=Low,High"], [body], tmp_path).bodies
    assert _rows(second[0]) == _rows(both[0])
    filtered = run(datapath_app, ["rules=High"], first, tmp_path).bodies
    assert [row["_chunked_idx"] for row in rows(filtered[0])] == ["0", "2"]


def _rows(body: bytes) -> list[dict[str, str | list[str]]]:
    found: Iterator[dict[str, str | list[str]]] = rows(body)
    return list(found)
