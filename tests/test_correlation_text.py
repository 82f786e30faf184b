"""``| sigmacorrelate correlation="..."``: a correlation written into the search."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from builder.mappings import Mappings
from builder.package import app_files, unpack
from builder.replay import CORRELATE, Command, event_chunk, rows
from sigmaengine.correlation import Correlation, read_correlation
from sigmaengine.correlationrefs import resolve
from tests.support.apps import Row, rule_of
from tests.support.correlating import alerts_in, inputs_of, run
from tests.support.lookups import settings
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.support.searches import PROCESS_CREATION, Run, assert_one_error

UUID = "00000000-0000-4000-8000-0000000000"
FAIL, GOOD, TWIN, OTHER, TUNNEL, MANY, SHOWN = (UUID + n for n in ("f1", "f2", "f3", "f4", "f5", "c1", "c2"))


def _rule(rule_id: str, title: str, value: str, name: str, level: str = "low") -> Any:
    detection = {"s": {"act": value}, "condition": "s"}
    return rule_of({"level": level, "status": "test", "detection": detection, "name": name}, rule_id, title)


RULES = [
    _rule(FAIL, "Failed {0}", "fail", "logon_failed", "informational"),
    _rule(GOOD, "Good", "good", "logon_good"),
    _rule(TWIN, "Twin", "twin", "twin"),
    _rule(OTHER, "Other twin", "twin", "twin"),
    rule_of(
        {"logsource": PROCESS_CREATION, "detection": {"s": {"CommandLine|contains": "-R "}, "condition": "s"}},
        TUNNEL,
        "Tunnel",
    ),
]


def _correlation(rule_id: str, title: str, name: str, rules: list[str], **more: Any) -> Correlation:
    content = {"type": "event_count", "rules": rules, "timespan": "10s", "group-by": ["user"], "condition": {"gte": 2}}
    document = {"title": title, "id": rule_id, "name": name, "level": "high", "correlation": content, **more}
    read, problems = read_correlation(document)
    assert read is not None, problems
    return read


CORRELATIONS = [
    _correlation(MANY, "Many failures", "many", [FAIL]),
    _correlation(SHOWN, "Shown", "shown", [GOOD], generate=True),
]


@pytest.fixture(scope="module")
def app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with RULES and CORRELATIONS."""
    resolved, problems = resolve(CORRELATIONS, RULES)
    assert len(resolved) == 2, problems
    return unpack(app_files(inputs_of(RULES, resolved, mappings)), tmp_path_factory.mktemp("text"))


def matched(time: int, *rules: str, user: str = "p") -> Row:
    """An event as sigmamatch has passed it."""
    told = [{"id": one, "title": one, "level": "low", "score": 10, "author": "", "tags": []} for one in rules]
    lists = {
        "sigma_rule_id": list(rules),
        "sigma_rule_title": list(rules),
        "sigma_level": ["low" for _ in rules],
        "sigma_severity": ["low"],
        "sigma_risk_score": ["10"],
        "sigma_match": [json.dumps(one) for one in told],
    }
    return {
        "_time": str(time),
        "user": user,
        **{name: one[0] if len(one) == 1 else one for name, one in lists.items()},
    }


EVENTS = [
    matched(101, FAIL),
    matched(102, FAIL),
    matched(103, GOOD),
    matched(104, FAIL, user="q"),
    matched(105, "adhoc"),
    matched(106, "adhoc-b"),
]
COUNT = "type: event_count, timespan: 10s, condition: {gte: 2}"


def counting(rules: str, more: str = "", document: str = "") -> str:
    """A correlation that counts; ``more`` stands in it, ``document`` before it."""
    return "{" + document + "correlation: {" + COUNT + f", rules: {rules}" + more + "}}"


#: The text -> (time, value) of its alerts.
TEXTS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "by-id": (counting(f"[{FAIL}]"), [("102", "2")]),
    "by-id-in-upper-case": (counting(FAIL.upper()), [("102", "2")]),
    "by-name": (counting("[logon_failed, logon_good]"), [("102", "2")]),
    "group-by": (
        "{correlation: {type: event_count, rules: logon_failed, group-by: user, timespan: 10s, condition: {eq: 1}}}",
        [("101", "1"), ("104", "1")],
    ),
    "several-lines": (
        f"correlation:\r\n  type: temporal_ordered\r\n  rules:\r\n    - {FAIL}\r\n    - logon_good\r\n  timespan: 1m",
        [("103", "2")],
    ),
    "json": (
        json.dumps({"correlation": {"type": "temporal", "rules": [FAIL, "logon_good"], "timespan": "1m"}}),
        [("103", "2")],
    ),
    "inner-by-name": (
        "{correlation: {type: temporal_ordered, rules: [many, logon_good], group-by: [user], timespan: 1m}}",
        [("103", "2")],
    ),
    "inner-by-id": (
        "{correlation: {type: event_count, timespan: 1m, condition: {gte: 1}, rules: " + MANY + "}}",
        [("102", "1")],
    ),
    "words": (
        "{correlation: {type: temporal, timespan: 1m, rules: [FAIL, logon_good], condition: logon_failed and GOOD}}"
        .replace("FAIL", FAIL).replace("GOOD", GOOD),
        [("103", "2")],
    ),
    "rule-text-without-an-id": (counting("[adhoc, logon_good]"), [("105", "2")]),
    "rule-text-with-ids": (
        "{correlation: {type: temporal_ordered, timespan: 1m, condition: adhoc and adhoc-b}}",
        [("106", "2")],
    ),
    "id-of-a-packaged-one": (
        counting("[logon_good, logon_failed]", document=f"id: {MANY}, "),
        [("102", "2")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_text(text: str, expected: list[tuple[str, str]], app: Path, tmp_path: Path) -> None:
    result = run(app, [f"correlation={text}"], [event_chunk(EVENTS)], tmp_path)
    assert (result.status, result.stderr) == (0, ""), result.messages
    assert [(row["_time"], row["sigma_value"]) for row in alerts_in(result)] == expected
    assert result.told("WARN") == []


WORDED = counting("[logon_failed]")


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
def test_what_an_alert_says(version: str, app: Path, tmp_path: Path) -> None:
    result = run(app, [f"correlation={WORDED}"], [event_chunk(EVENTS)], tmp_path, splunk_python(version))
    (row,) = alerts_in(result)
    said = {name: row[name] for name in ("sigma_rule_id", "sigma_rule_title", "sigma_level", "sigma_risk_score")}
    assert said == {
        "sigma_rule_id": "adhoc-correlation",
        "sigma_rule_title": WORDED[:80],
        "sigma_level": "medium",
        "sigma_risk_score": "30",
    }
    assert row["sigma_base_rules"] == FAIL


def test_what_the_text_says_is_kept(app: Path, tmp_path: Path) -> None:
    text = counting("[logon_failed]", document="title: 'My {0}', id: mine, level: high, tags: [attack.t1], ")
    (row,) = alerts_in(run(app, [f"correlation={text}"], [event_chunk(EVENTS)], tmp_path))
    names = ("sigma_rule_title", "sigma_rule_id", "sigma_level", "sigma_tags")
    assert [row[name] for name in names] == ["My {0}", "mine", "high", "attack.t1"]


def left(result: Run) -> list[str]:
    """The times of the events that stay in the output."""
    return [str(row["_time"]) for row in rows(result.bodies[0]) if not row["sigma_correlation_type"]]


def test_only_it_is_evaluated_and_what_it_counts_is_left_out(app: Path, tmp_path: Path) -> None:
    text = counting("[adhoc]")
    result = run(app, [f"correlation={text}"], [event_chunk(EVENTS)], tmp_path)
    assert alerts_in(result) == []
    # What packaged correlations hide is hidden whichever is evaluated.
    assert left(result) == ["103", "106"]
    assert result.figures["correlations"] == 1
    shown = run(
        app, ["correlation=" + counting("[adhoc]", document="generate: true, ")], [event_chunk(EVENTS)], tmp_path
    )
    assert left(shown) == ["103", "105", "106"]


# --- faults -------------------------------------------------------------------------------------

FAULTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "blank": (" \n", ("correlation= must hold one YAML document, the correlation, not 0",)),
    "two-documents": (
        "{detection: {s: {a: b}, condition: s}}\n---\n" + counting("[logon_failed]"),
        ("correlation= must hold one YAML document, the correlation, not 2", "rule= of sigmamatch"),
    ),
    "no-yaml": ("correlation:\n  rules: [a, b}", ("correlation=, line 2", "no YAML")),
    "deep": ("[" * 20_000, ("correlation=, line 1", "levels")),
    "tag": ("!!python/object/apply:os.system ['true']", ("correlation=, line 1", "tag")),
    "duplicate-key": ("correlation: {}\ncorrelation: {}", ("correlation=, line 2", "twice")),
    "list": ("[a]", ("correlation=, line 1", "a list", "'correlation'")),
    "text": ("'{0}x'", ("correlation=, line 1", "'correlation'")),
    "a-rule": (
        "{title: x, detection: {s: {a: b}, condition: s}}",
        ("correlation=, line 1: this is a rule", "rule= of sigmamatch", "adhoc"),
    ),
    "a-filter": ("{title: x, filter: {rules: any}}", ("correlation=, line 1: this is a filter",)),
    "without-the-key": (
        "{type: event_count, rules: [logon_failed], timespan: 5m, condition: {gte: 2}}",
        ("correlation=, line 1: ", "under 'correlation'"),
    ),
    "with-a-detection": (
        counting("[logon_failed]", document="detection: {s: {a: b}}, "), ("a correlation has no 'detection'",),
    ),
    "all-faults-at-once": (
        "correlation:\n  type: event_count\n  rules: 5\n  timespan: soon\n  condition: {gte: x}",
        ("correlation=, line 3", "correlation=, line 4", "'soon'", "correlation=, line 5"),
    ),
    "level": (counting("[logon_failed]", document="level: loud, "), ("correlation=, line 1", "'loud' is no level")),
    "unknown-rule": (
        f"correlation:\n  {COUNT.replace(', ', chr(10) + '  ', 2)}\n  rules:\n    - logon_failed\n    - '{{0}} nobody'",
        (
            "correlation=, line 7: '{0} nobody' is the id or the name of no packaged rule or correlation",
            "begins with 'adhoc'",
        ),
    ),
    "name-of-two": (counting("[twin]"), ("2 rules have the name 'twin'", "by its id")),
    "title-is-no-name": (counting("[Good]"), ("'Good' is the id or the name of no",)),
    "unknown-word": (
        "{correlation: {type: temporal, timespan: 5m, condition: logon_good and nobody}}",
        ("correlation=, line 1", "'nobody' is the id or the name of no packaged rule"),
    ),
    "itself": (counting("[adhoc-correlation]"), ("no first one",)),
    "in-a-circle": (
        counting("[many]", document=f"id: {MANY}, name: many, "),
        ("list each other", "no first one"),
    ),
    "alias-of-another": (
        counting("[logon_good]", ", group-by: [a], aliases: {a: {twin: b}}"),
        ("'twin'", "none of the correlation's rules"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "texts"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_error_before_any_event(text: str, texts: tuple[str, ...], app: Path, tmp_path: Path) -> None:
    result = run(app, [f"correlation={text}"], [event_chunk(EVENTS)], tmp_path)
    assert_one_error(result, *texts)
    assert [body for _, body in result.replies] == [b""]


@pytest.mark.parametrize("option", ["rules=Many*", "level=high", "status=test", "tags=x"])
def test_it_is_not_combined_with_what_selects_packaged_ones(option: str, app: Path, tmp_path: Path) -> None:
    result = run(app, [f"correlation={WORDED}", option], [event_chunk(EVENTS)], tmp_path)
    assert_one_error(result, option.partition("=")[0] + "= selects packaged correlations", "correlation text")


def test_defaults_may_be_written_out(app: Path, tmp_path: Path) -> None:
    options = ["rules=*", "level=informational", "status=", "logsource=windows/process_creation", "fields=none"]
    result = run(app, [f"correlation={WORDED}", *options], [event_chunk(EVENTS)], tmp_path)
    assert len(alerts_in(result)) == 1
    empty = run(app, ["correlation="], [event_chunk(EVENTS)], tmp_path)
    assert [row["sigma_rule_title"] for row in alerts_in(empty)] == ["Many failures"]


# --- what is told -------------------------------------------------------------------------------


def test_warnings_are_told(app: Path, tmp_path: Path) -> None:
    text = counting("[logon_failed]", ", grouped: [user]")
    result = run(app, [f"correlation={text}"], [event_chunk(EVENTS)], tmp_path)
    (warning,) = result.told("WARN")
    assert warning.startswith("sigmacorrelate: correlation=, line 1: 'grouped' means nothing here")


def test_rules_that_never_came_are_told(app: Path, tmp_path: Path) -> None:
    text = counting(f"[many, logon_good, {TWIN}, adhoc-x]")
    result = run(app, [f"correlation={text}"], [event_chunk(EVENTS)], tmp_path)
    _, told = result.told("INFO")
    assert told == (
        f"sigmacorrelate: no event was matched by 2 rules that the correlation counts: Twin ({TWIN}); adhoc-x;"
        " nothing matched, or sigmamatch left them out (rules=, level=), or rule text has another id"
    )
    every = run(app, [f"correlation={WORDED}"], [event_chunk(EVENTS)], tmp_path)
    assert len(every.told("INFO")) == 1


def test_a_rule_that_is_switched_off_is_told(app: Path, tmp_path: Path) -> None:
    path = app / "lookups" / "sigma_rule_settings.csv"
    path.write_text(settings([FAIL, "false", "", ""])["sigma_rule_settings"], "utf-8")
    try:
        text = counting("[many, logon_good]")
        result = run(app, [f"correlation={text}"], [event_chunk(EVENTS)], tmp_path)
    finally:
        path.unlink()
    assert result.told("WARN") == [
        f"sigmacorrelate: correlation=: switched off by the lookup sigma_rule_settings: Failed {{0}} ({FAIL})"
    ]


# --- both commands ------------------------------------------------------------------------------

RAW: list[Row] = [
    {"_time": "1", "act": "fail", "account": "p", "code": "7"},
    {"_time": "2", "act": "none", "account": "p", "code": "8"},
    {"_time": "3", "EventCode": "4688", "Channel": "Security", "NewProcessName": "p", "CommandLine": "-R "},
    {"_time": "4", "act": "twin"},
]
LOWER = "{correlation: {type: event_count, timespan: 1m, condition: {gte: 1}, rules: " + TWIN + "}}"
WINDOWS = "logsource: {product: windows, category: process_creation}"
BOTH: dict[str, tuple[list[list[str]], str, list[tuple[str, ...]]]] = {
    # Options of each sigmamatch, the correlation, (time, group) of its alerts.
    "packaged": (
        [["rules=Failed*,Tunnel"]],
        ("{correlation: {type: temporal, rules: [logon_failed, TUNNEL], group-by: [who], timespan: 1m,"
         " aliases: {who: {logon_failed: account, TUNNEL: Image}}}}").replace("TUNNEL", TUNNEL),
        [("3", "p")],
    ),
    "level-too-high": (
        [["level=medium"]],
        LOWER,
        [],
    ),
    "level-low-enough": (
        [["level=low"]],
        LOWER,
        [("4",)],
    ),
    "rule-text": (
        [["selection={code: [7, 8]}"]],
        "{correlation: {type: event_count, rules: [adhoc], group-by: [account], timespan: 1m, condition: {gte: 2}}}",
        [("2", "p")],
    ),
    "rule-text-and-packaged": (
        [["mode=annotate"], ["mode=annotate", "selection={code: 8}"]],
        "{correlation: {type: temporal_ordered, rules: [logon_failed, adhoc], group-by: [account], timespan: 1m}}",
        [("2", "p")],
    ),
    "two-rule-texts": (
        [
            ["mode=annotate", "rule={id: adhoc-7, detection: {s: {code: 7}, condition: s}}"],
            ["mode=annotate", f"rule={{id: adhoc-p, detection: {{s: {{Image: p}}, condition: s}}, {WINDOWS}}}"],
        ],
        ("{correlation: {type: temporal, timespan: 1m, group-by: [who], condition: adhoc-7 and adhoc-p,"
         " aliases: {who: {adhoc-7: account, adhoc-p: Image}}}}"),
        [("3", "p")],
    ),
}  # fmt: skip


def searched(app: Path, matches: Sequence[Sequence[str]], text: str, python: str) -> list[dict[str, Any]]:
    """The alerts of ``| sigmamatch ... | sigmacorrelate correlation="TEXT"`` over RAW."""
    body = event_chunk(RAW)
    for options in matches:
        with Command(app, options, python) as match:
            body = match.send(body, finished=True)
    with Command(app, [f"correlation={text}"], python, CORRELATE) as correlate:
        found = rows(correlate.send(body, finished=True))
        return [row for row in found if row.get("sigma_correlation_type")]


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
@pytest.mark.parametrize(("matches", "text", "expected"), BOTH.values(), ids=BOTH)
def test_behind_sigmamatch(
    matches: list[list[str]], text: str, expected: list[tuple[str, ...]], version: str, app: Path
) -> None:
    found = searched(app, matches, text, splunk_python(version))
    groups = [(str(row["_time"]), *json.loads(str(row["sigma_group"])).values()) for row in found]
    assert groups == expected
