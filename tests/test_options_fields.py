"""The fields that ``| sigmamatch`` asks for and those that it adds, through the packaged command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from builder.mappings import Mappings
from builder.replay import event_chunk, rows
from sigmaengine import chunks
from sigmaengine.results import EXPLAIN_FIELD, FIELDS
from tests.support.apps import Row, app_of, rule_of
from tests.support.optionrules import BODY, EVENTS, IDS, PLINK, RULES, titles
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.support.searches import PROCESS_CREATION, run

# --- required=auto ------------------------------------------------------------------------------

#: Rules that look where only one kind of events has something.
LOOKING: dict[str, dict[str, Any]] = {
    "cleaned-name": {"logsource": {"category": "proxy"}, "detection": {"s": {"c-uri": "/x"}, "condition": "s"}},
    "json-array": {"detection": {"s": {"request.items.cidr": "0.0.0.0/0"}, "condition": "s"}},
    "json-array-of-values": {"detection": {"s": {"tags": "x"}, "condition": "s"}},
    "dotted": {"detection": {"s": {"a.b": "x"}, "condition": "s"}},
    "reference": {"detection": {"s": {"one|fieldref": "other"}, "condition": "s"}},
    "keyword": {"detection": {"s": ["needle"], "condition": "s"}},
    "own-name-set-aside-elsewhere": {
        "logsource": PROCESS_CREATION,
        "detection": {"s": {"ProcessId": ["4660", "0x1234"]}, "condition": "s"},
    },
    "unnamed-data": {
        "logsource": {"product": "windows", "service": "application"},
        "detection": {"s": {"Data|contains": "x"}, "condition": "s"},
    },
}
XML = "<Event xmlns='x'><System/><EventData><Data>x</Data></EventData></Event>"
LOOKED_AT: dict[str, tuple[str, Row]] = {
    "cleaned-name": ("cleaned-name", {"c_uri": "/x"}),
    "json-array": ("json-array", {"request.items{}.cidr": "0.0.0.0/0"}),
    "json-array-of-values": ("json-array-of-values", {"tags{}": ["w", "x"]}),
    "dotted": ("dotted", {"a.b": "x"}),
    "dotted-cleaned": ("dotted", {"a_b": "x"}),
    "reference": ("reference", {"one": "same", "other": "SAME"}),
    "keyword": ("keyword", {"_raw": "a needle"}),
    "own-name": ("own-name-set-aside-elsewhere", EVENTS[0]),
    "alias-of-own-name": ("own-name-set-aside-elsewhere", EVENTS[1]),
    "unnamed-data": ("unnamed-data", {"source": "XmlWinEventLog:Application", "_raw": XML}),
}


@pytest.fixture(scope="module")
def looking_app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with the rules of LOOKING, their names as ids."""
    rules = [rule_of(document, name, name) for name, document in LOOKING.items()]
    return app_of(rules, mappings, tmp_path_factory.mktemp("looking"))


@pytest.mark.parametrize(("rule", "event"), LOOKED_AT.values(), ids=LOOKED_AT)
def test_required_columns_alone_give_the_same(rule: str, event: Row, looking_app: Path, tmp_path: Path) -> None:
    """As splunkd answers required_fields: those columns, as far as it has them, and its own index."""
    options = [f"rules={rule}", "required=auto", "mode=annotate"]
    if rule == "cleaned-name":
        options.append("logsource=/proxy")
    columns = run(looking_app, options, [], tmp_path).replies[0][0]["required_fields"]
    cut = {"_chunked_idx": "0", **{name: value for name, value in event.items() if name in columns}}
    result = run(looking_app, options, [event_chunk([event, cut])], tmp_path)
    assert titles(result)[0] == [rule]
    assert titles(result)[1] == [rule], f"of {sorted(event)} only {sorted(cut)} would be asked for"


@pytest.mark.parametrize("explain", [False, True], ids=["", "explain"])
def test_required_fields_name_what_is_added(explain: bool, options_app: Path, tmp_path: Path) -> None:
    added = [*FIELDS, EXPLAIN_FIELD] if explain else [*FIELDS]
    options = ["rules=Everywhere", "required=auto", f"explain={explain}"]
    columns = run(options_app, options, [], tmp_path).replies[0][0]["required_fields"]
    assert columns[-len(added) :] == added
    assert len(columns) == len(set(columns))
    assert {"_raw", "Channel", "EventCode", "sourcetype", "source"} <= set(columns)


def test_all_fields_are_asked_for_by_default(options_app: Path, tmp_path: Path) -> None:
    for options in ([], ["required=all"]):
        assert run(options_app, options, [], tmp_path).replies[0][0] == {"type": "streaming"}


# --- the fields that are added ------------------------------------------------------------------


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
def test_fields_of_several_matches(version: str, options_app: Path, tmp_path: Path) -> None:
    result = run(options_app, [], [event_chunk([{**EVENTS[0], "_raw": "needle"}])], tmp_path, splunk_python(version))
    row = next(rows(result.bodies[0]))
    chosen = ["G", "R", "P", "E"]
    assert row["sigma_rule_id"] == [IDS[letter] for letter in chosen]
    assert row["sigma_rule_title"] == [RULES[letter]["title"] for letter in chosen]
    assert row["sigma_level"] == ["critical", "high", "low", "informational"]
    assert row["sigma_tags"] == ["attack.t1572", "attack.command-and-control", "car.2013-05-004"]
    assert row["sigma_severity"] == "critical"
    assert row["sigma_risk_score"] == "100"  # 90 + 60 + 10 + 1, capped
    assert [json.loads(text) for text in row["sigma_match"]] == [
        {
            "id": IDS[letter],
            "title": RULES[letter]["title"],
            "level": RULES[letter]["level"],
            "score": score,
            "author": RULES[letter].get("author", ""),
            "tags": RULES[letter].get("tags", []),
        }
        for letter, score in zip(chosen, (90, 60, 10, 1), strict=True)
    ]


def test_plain_cells_and_twins_agree(options_app: Path, tmp_path: Path) -> None:
    """As splunkd writes them: several values on lines of the plain cell; a twin only then."""
    body = run(options_app, ["mode=annotate", "explain=true"], [BODY], tmp_path).bodies[0]
    header, *records = [chunks.parse_record(record) for record in chunks.split_records(chunks.decode(body))]
    assert len(records) == len(EVENTS)
    for record in records:
        cells = dict(zip(header, record, strict=True))
        for name in (*FIELDS, EXPLAIN_FIELD):
            several = chunks.decode_multivalue(cells[chunks.MV_PREFIX + name])
            assert len(several) != 1
            assert not several or cells[name] == "\n".join(several)


SCORES = {"E": "1", "P": "10", "N": "30", "R": "60", "G": "90"}


@pytest.mark.parametrize("letter", SCORES)
def test_score_and_severity_by_level(letter: str, options_app: Path, tmp_path: Path) -> None:
    events: list[Row] = [{**EVENTS[0], "_raw": "needle"}, EVENTS[5]]
    options = [f"rules={IDS[letter]}", *(["logsource=linux/process_creation"] if letter == "N" else [])]
    (row,) = rows(run(options_app, options, [event_chunk(events)], tmp_path).bodies[0])
    assert (row["sigma_risk_score"], row["sigma_severity"]) == (SCORES[letter], RULES[letter]["level"])


EXPLAINED: dict[str, tuple[Sequence[str], list[list[str]]]] = {
    # option(s) -> [selection, item, field, value, pattern] of each item
    "first-alternative-of-a-list": (
        ["selection={Image|endswith: [/x, /nc]}"],
        [["selection", "Image|endswith", "Image", "/bin/nc", "*/nc"]],
    ),
    "all-of-a-list": (
        ["selection={Image|contains|all: [bin, /n]}"],
        [
            ["selection", "Image|contains|all", "Image", "/bin/nc", "*bin*"],
            ["selection", "Image|contains|all", "Image", "/bin/nc", "*/n*"],
        ],
    ),
    "each-item": (
        ["selection={Image: /bin/nc, CommandLine: nc}"],
        [
            ["selection", "Image", "Image", "/bin/nc", "/bin/nc"],
            ["selection", "CommandLine", "CommandLine", "nc", "nc"],
        ],
    ),
    "no-negations": (
        ["selection={s: {Image|endswith: nc}, t: {CommandLine: x}}", "condition=s and not t"],
        [["s", "Image|endswith", "Image", "/bin/nc", "*nc"]],
    ),
    "regex": (["selection={Image|re: 'n.$'}"], [["selection", "Image|re", "Image", "/bin/nc", "/n.$/"]]),
    "no-value": (
        ["selection={Nothing: null, Image: /bin/nc}"],
        [["selection", "Nothing", "Nothing", "", "no value"], ["selection", "Image", "Image", "/bin/nc", "/bin/nc"]],
    ),
    "wildcards": (["selection={Image: '/*/n?'}"], [["selection", "Image", "Image", "/bin/nc", "/*/n?"]]),
}


@pytest.mark.parametrize(("options", "items"), EXPLAINED.values(), ids=EXPLAINED)
def test_explanation(options: list[str], items: list[list[str]], options_app: Path, tmp_path: Path) -> None:
    result = run(options_app, [*options, "explain=t"], [event_chunk(EVENTS[5:])], tmp_path)
    (row,) = rows(result.bodies[0])
    explained = json.loads(str(row[EXPLAIN_FIELD]))
    assert explained["rule"] == "adhoc"
    assert [
        [item[key] for key in ("selection", "item", "field", "value", "pattern")] for item in explained["items"]
    ] == items


def test_explanations_stand_in_the_order_of_the_rules(options_app: Path, tmp_path: Path) -> None:
    long = PLINK + " " * 1000 + "-R "
    result = run(options_app, ["explain=1"], [event_chunk([{**EVENTS[1], "CommandLine": long}])], tmp_path)
    (row,) = rows(result.bodies[0])
    explained = [json.loads(text) for text in row[EXPLAIN_FIELD]]
    assert [one["rule"] for one in explained] == row["sigma_rule_id"]
    assert explained[0]["items"][0]["value"] == "0x1234"  # by its alias, not the creator's id
    assert explained[1]["items"][0]["value"] == long[:400] + "..."
