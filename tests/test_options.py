"""Every option of ``| sigmamatch``, through the packaged command in a child process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from builder.mappings import Mappings
from builder.replay import event_chunk, rows
from sigmaengine import chunks
from sigmaengine.fields import PROFILES
from sigmaengine.results import EXPLAIN_FIELD, FIELDS
from tests.support.apps import Row, app_of, rule_of
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.test_command import PROCESS_CREATION, SYSMON, Run, assert_one_error, run

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


@pytest.fixture(scope="module")
def options_app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with RULES."""
    rules = [rule_of(document, IDS[letter]) for letter, document in RULES.items()]
    return app_of(rules, mappings, tmp_path_factory.mktemp("options"))


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


# --- which rules --------------------------------------------------------------------------------

CHOICES: dict[str, tuple[list[str], str]] = {
    "all": ([], ALL),
    "star": (["rules=*"], ALL),
    "empty-options": (["rules=", "level=", "status=", "tags=", "logsource="], ALL),
    "id": ([f"rules={IDS['P']}"], "P P P P - -"),
    "id-upper-case": ([f"rules={IDS['P'].upper()}"], "P P P P - -"),
    "title": (["rules=Plink Run"], "P P P P - -"),
    "title-other-case": (["rules=pLINK rUN"], "P P P P - -"),
    "title-part-is-no-match": (["rules=Plink*,Plin"], "P P P P - -"),
    "title-with-a-comma-by-glob": (["rules=tunnel*reverse"], "R R R R - -"),
    "title-non-ascii-other-case": (["rules=grÖßE {0} {}"], "G G G G - -"),
    "glob": (["rules=*run*"], "P P P P - -"),
    "glob-of-ids": (["rules=00000000-*-000000000050"], "P P P P - -"),
    "question-mark-is-itself": (["rules=Plink?Run,Netcat"], "- - - - - -"),
    "several-with-blanks": (["rules= Plink Run ,, everywhere "], "P P P P E -"),
    "star-among-others": (["rules=Netcat,*"], ALL),
    "level-low": (["level=low"], "GRP GRP GRP GRP - -"),
    "level-high-upper-case": (["level=HIGH"], "GR GR GR GR - -"),
    "level-critical": (["level=critical"], "G G G G - -"),
    "status": (["status=stable"], "R R R R - -"),
    "statuses-in-any-case": (["status=Stable, EXPERIMENTAL"], "GR GR GR GR - -"),
    "tag": (["tags=attack.t1572"], "RP RP RP RP - -"),
    "tag-glob-in-any-case": (["tags=ATTACK.C*"], "P P P P - -"),
    "tags-any-of-them": (["tags=car.*,attack.command-and-control"], "P P P P E -"),
    "all-of-the-options": (["rules=*e*", "level=low", "status=stable,test", "tags=attack.*"], "R R R R - -"),
    "logsource-two-parts": (["logsource=windows/process_creation"], "GRP GRP GRP GRP PE -"),
    "logsource-three-parts": (["logsource=Windows/ Process_Creation /*"], "GRP GRP GRP GRP PE -"),
    "logsource-other": (["logsource=linux/process_creation/"], "- - - - E N"),
    "logsource-unknown": (["logsource=toaster//crumbs"], "- - - - E -"),
    "logsource-any-product": (["logsource=*/process_creation"], "- - - - E -"),
    "profile-auto": (["fields=auto"], ALL),
    "profile-windows_xml": (["fields=windows_xml"], "GRP GRP R - E -"),
    "profile-windows_classic": (["fields=windows_classic"], "GRP R GRP - E -"),
    "profile-sysmon": (["fields=sysmon"], "GRP R - - E -"),
    "profile-cim": (["fields=cim"], "GRP R - GRP E -"),
    "profile-native": (["fields=native"], "GRP R - - E -"),
    "profile-none": (["fields=none"], "GRP R - - E -"),
    "required-auto": (["required=auto"], ALL),
}


@pytest.mark.parametrize(("options", "expected"), CHOICES.values(), ids=CHOICES)
def test_choice(options: list[str], expected: str, options_app: Path, tmp_path: Path) -> None:
    result = run(options_app, ["mode=annotate", *options], [BODY], tmp_path)
    assert result.status == 0, result.messages
    assert letters(result.bodies[0]) == expected


def test_filter_keeps_order_and_rows(options_app: Path, tmp_path: Path) -> None:
    everything = run(options_app, ["mode=annotate"], [BODY], tmp_path).bodies[0].splitlines()
    filtered = run(options_app, ["mode=filter"], [BODY], tmp_path).bodies[0].splitlines()
    default = run(options_app, [], [BODY], tmp_path).bodies[0].splitlines()
    assert filtered == default == everything[:-1]


def test_a_pattern_that_is_no_rule_is_a_warning(options_app: Path, tmp_path: Path) -> None:
    result = run(options_app, ["mode=annotate", "rules=Plink Run,{0} Nöne,other*"], [BODY], tmp_path)
    assert letters(result.bodies[0]) == "P P P P - -"
    assert result.told("WARN") == ["sigmamatch: rules=: no rule has the id or title {0} nöne; other*"]


# --- faults in options --------------------------------------------------------------------------

FAULTS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "rules-none": (["rules=Nöne {}"], ("the options select no rule",)),
    "level-excludes-all": (["rules=Everywhere", "level=high"], ("the options select no rule",)),
    "level": (["level=loud {0}"], ("level=loud {0}", "informational, low, medium, high, critical")),
    "status": (["status=stable,{}"], ("status={}", "stable, test")),
    "tags-none": (["tags=attack.t9999"], ("the options select no rule", "tags=")),
    "logsource-four-parts": (["logsource=a/b/c/{d}"], ("logsource=", "a/b/c/{d}")),
    "logsource-stars": (["logsource=*/*/"], ("logsource=", "product/category/service")),
    "mode": (["mode=FILTER"], ("mode=FILTER", "filter, annotate")),
    "mode-braces": (["mode={0.__class__}"], ("mode={0.__class__}",)),
    "mode-empty": (["mode="], ("mode=", "filter, annotate")),
    "fields": (["fields=CIM é"], ("fields=CIM é", *PROFILES)),
    "required": (["required=some"], ("required=some", "all, auto")),
    "explain": (["explain={}"], ("explain={}",)),
    "explain-empty": (["explain=maybe"], ("explain=maybe",)),
    "unknown-option": (["levels={0}"], ("levels={0}",)),
    "unknown-option-non-ascii": (["größe=ä"], ("größe=ä",)),
    "positional": (["Plink {0}"], ("Plink {0}", "name=value")),
    "positional-after-options": (["level=high", "rules"], ("'rules'",)),
    "rule-and-selection": (["rule=a: b", "selection=a: b"], ("rule=", "selection=")),
    "rule-and-condition": (["rule=a: b", "condition=s"], ("rule=", "condition=")),
    "condition-alone": (["condition=s"], ("condition= needs selection=",)),
    "rule-and-rules": (["rule=a: b", "rules=Plink*"], ("rules=", "rule text")),
    "selection-and-level": (["selection=a: b", "level=high"], ("level=", "rule text")),
    "selection-and-status": (["selection=a: b", "status=test"], ("status=", "rule text")),
    "selection-and-tags": (["selection=a: b", "tags=x"], ("tags=", "rule text")),
    "selection-is-a-list-with-condition": (["selection=[a, b]", "condition=s"], ("selection= is a YAML mapping",)),
    "rule-is-no-yaml": (["rule=title: x\ndetection: {s: [a, b}"], ("rule=, line 2", "no YAML")),
    "rule-blank": (["rule= \n"], ("rule= must hold one YAML document, not 0",)),
    "rule-is-a-correlation": (
        ["rule=title: x\ncorrelation: {type: event_count}"],
        ("rule=, line 2", "correlation= of sigmacorrelate"),
    ),
    "rule-two-documents": (["rule=a: 1\n---\na: 2"], ("rule= must hold one YAML document, not 2",)),
    "rule-is-a-list": (["rule=[a]"], ("a rule is a mapping",)),
    "rule-without-detection": (["rule=title: x"], ("'detection'",)),
    "rule-unknown-modifier": (
        ["rule=title: x\ndetection:\n  s:\n    a: 1\n    b|contians: '{0}'\n  condition: s"],
        ("rule=, line 5", "unknown modifier 'contians'"),
    ),
    "rule-all-faults-at-once": (
        ["rule=detection:\n  s:\n    b|foo: 1\n  t:\n    c|bar: 2\n  condition: s and t"],
        ("rule=, line 3", "'foo'", "rule=, line 5", "'bar'"),
    ),
    "rule-unknown-level": (
        ["rule=level: loud\ndetection: {s: {a: b}, condition: s}"],
        ("rule=, line 1", "'loud' is no level"),
    ),
    "rule-unknown-identifier": (["rule=detection: {s: {a: b}, condition: s and {t}}"], ("rule=, line 1",)),
    "rule-condition-names-nothing": (["rule=detection:\n  s: {a: b}\n  condition: s and t"], ("rule=, line 3", "'t'")),
    "rule-duplicate-key": (["rule=title: x\ntitle: y"], ("rule=, line 2", "'title'", "twice")),
    "rule-tag": (["rule=!!python/object/apply:os.system ['true']"], ("rule=, line 1", "tag")),
    "rule-bomb": (["rule=a: &a [x, x]\nb: &b [*a, *a]\nc: *nothing"], ("rule=, line 3", "nothing")),
    "rule-deep": ([f"rule={'[' * 20_000}"], ("rule=, line 1", "levels")),
    "rule-escape-beyond-unicode": (['rule=title: x\nid: "\\UFFFFFFFF"'], ("rule=, line ",)),
    "rule-nul": (["rule=title: a\0b"], ("rule=, line 1",)),
    "rule-broken-regex": (["rule=detection:\n  s:\n    a|re: '('\n  condition: s"], ("rule=, line 3",)),
    "selection-unknown-modifier": (["selection=a: 1\nb|foo: 2"], ("selection=, line 2", "unknown modifier 'foo'")),
    "selection-second-identifier": (
        ["selection=s:\n  a: 1\nt:\n  b|foo: 2", "condition=s or t"],
        ("selection=, line 4", "unknown modifier 'foo'"),
    ),
    "selection-is-no-yaml": (["selection={a: b\nc: [}"], ("selection=, line 2", "no YAML")),
    "selection-nested-mapping": (["selection={a: {b: c}}"], ("selection=", "a mapping cannot be a value")),
    "condition-syntax": (["selection={s: {a: b}}", "condition=s and"], ("condition=",)),
    "condition-unknown": (["selection={s: {a: b}}", "condition=s or {0}"], ("condition=", "{0}")),
}


@pytest.mark.parametrize(("options", "texts"), FAULTS.values(), ids=FAULTS)
def test_fault_is_one_error_before_any_event(
    options: list[str], texts: tuple[str, ...], options_app: Path, tmp_path: Path
) -> None:
    result = run(options_app, options, [BODY], tmp_path)
    assert_one_error(result, *texts)
    assert [body for _, body in result.replies] == [b""]


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
@pytest.mark.parametrize("name", ["positional", "unknown-option-non-ascii", "rule-is-no-yaml", "level"])
def test_fault_on_both_pythons(name: str, version: str, options_app: Path, tmp_path: Path) -> None:
    options, texts = FAULTS[name]
    assert_one_error(run(options_app, options, [BODY], tmp_path, splunk_python(version)), *texts)


def test_each_unknown_option_is_told(options_app: Path, tmp_path: Path) -> None:
    result = run(options_app, ["foo=1", "bar={}"], [BODY], tmp_path)
    assert result.status == 1
    assert len(result.told("ERROR")) == 2


# --- rule text in the search --------------------------------------------------------------------

WHOLE_RULE = r"""
title: "Quotes \"and\" {braces} {0} \\ ünïcode"
level: high
author: 'It''s me'
tags: [attack.t1]
logsource: {category: process_creation, product: windows}
detection:
  s:
    Image|endswith: '\plink.exe'
    CommandLine|contains|all:
      - '"8080'
      - "-R "
  condition: s
"""
SIDE_BY_SIDE = "s: {Image: '*\\plink.exe'}\nt: {CommandLine|contains: '-R '}"
#: What each event of EVENTS matches: whether the rule in the search does.
TEXTS: dict[str, tuple[list[str], str]] = {
    "rule": ([f"rule={WHOLE_RULE}"], "yyyynn"),
    "rule-crlf": ([f"rule={WHOLE_RULE}".replace("\n", "\r\n")], "yyyynn"),
    "rule-json": (['rule={"detection": {"s": {"Image": "*\\\\plink.exe"}, "condition": "s"}}'], "yyyyyn"),
    "rule-with-its-log-source-by-option": ([f"rule={WHOLE_RULE}", "logsource=windows/process_creation"], "yyyynn"),
    "selection-mapping": (["selection={Image|endswith: ['\\plink.exe', /nc]}"], "yyyyyy"),
    "selection-list": (["selection=[{Image: /bin/nc}, {ProcessId: 4660}]"], "ynnyny"),
    "selection-keywords": (["selection=[needle, haystack]"], "nnnnyn"),
    "selection-one-keyword": (["selection=needle"], "nnnnyn"),
    "selection-all-keywords": (["selection={'|all': [needle, haystack]}"], "nnnnyn"),
    "selection-null": (["selection={ProcessId: null}"], "nnnnyy"),
    "selection-with-equals-sign": (["selection={CommandLine|re: '^(?!x=y)plink$'}"], "nnnnyn"),
    "selection-fields-of-a-log-source": (
        ["selection={Image: '*\\plink.exe'}", "logsource=windows/process_creation"],
        "yyyyyn",
    ),
    "condition": ([f"selection={SIDE_BY_SIDE}", "condition=s and not t"], "nnnnyn"),
    "condition-x-of": ([f"selection={SIDE_BY_SIDE}", "condition=1 of them"], "yyyyyn"),
}


@pytest.mark.parametrize(("options", "expected"), TEXTS.values(), ids=TEXTS)
def test_rule_text(options: list[str], expected: str, options_app: Path, tmp_path: Path) -> None:
    result = run(options_app, ["mode=annotate", *options], [BODY], tmp_path)
    assert result.status == 0, result.messages
    assert "".join("y" if found else "n" for found in titles(result)) == expected
    assert result.figures["rules"] == 1
    assert result.told("WARN") == []


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
def test_what_is_said_of_rule_text(version: str, options_app: Path, tmp_path: Path) -> None:
    result = run(options_app, [f"rule={WHOLE_RULE}"], [BODY], tmp_path, splunk_python(version))
    row = next(rows(result.bodies[0]))
    title = 'Quotes "and" {braces} {0} \\ ünïcode'
    assert [row[name] for name in FIELDS[:-1]] == ["adhoc", title, "high", "attack.t1", "high", "60"]
    assert json.loads(str(row["sigma_match"])) == {
        "id": "adhoc",
        "title": title,
        "level": "high",
        "score": 60,
        "author": "It's me",
        "tags": ["attack.t1"],
    }


DEFAULTS: dict[str, tuple[str, dict[str, str]]] = {
    "nothing-said": (
        "detection: {s: {Image: /bin/nc}, condition: s}",
        {"sigma_rule_id": "adhoc", "sigma_level": "medium", "sigma_risk_score": "30"},
    ),
    "title-is-the-text": (
        "detection:\n  s: {Image: /bin/nc}\n  condition: s",
        {"sigma_rule_title": "detection: s: {Image: /bin/nc} condition: s"},
    ),
    "id-and-title-kept": (
        "{id: my-id, title: My title, detection: {s: {Image: /bin/nc}, condition: s}}",
        {"sigma_rule_id": "my-id", "sigma_rule_title": "My title"},
    ),
    "title-null": (
        "{id: my-id, title: null, detection: {s: {Image: /bin/nc}, condition: s}}",
        {"sigma_rule_title": "my-id"},
    ),
}


@pytest.mark.parametrize(("text", "expected"), DEFAULTS.values(), ids=DEFAULTS)
def test_defaults_of_rule_text(text: str, expected: dict[str, str], options_app: Path, tmp_path: Path) -> None:
    result = run(options_app, [f"rule={text}"], [BODY], tmp_path)
    row = next(rows(result.bodies[0]))
    assert {name: row[name] for name in expected} == expected


def test_warnings_about_rule_text_are_told_once(options_app: Path, tmp_path: Path) -> None:
    text = "rule=detection:\n  s: {Image: /bin/nc}\n  unused: {a: b}\n  condition: s"
    result = run(options_app, [text], [BODY, BODY], tmp_path)
    assert [len(list(rows(body))) for body in result.bodies] == [1, 1]
    assert result.told("WARN") == ["sigmamatch: rule=, line 3: the condition never uses 'unused'"]


def test_text_that_cannot_be_written_passes(options_app: Path, tmp_path: Path) -> None:
    """YAML can name half of a surrogate pair, which no UTF-8 can hold."""
    text = 'rule=title: "half \\uD83D"\ndetection: {s: {Image: /bin/nc}, condition: s}'
    result = run(options_app, [text], [BODY], tmp_path)
    if result.status:
        assert_one_error(result, "rule=, line 1")
    else:
        assert len(titles(result)) == 1


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
