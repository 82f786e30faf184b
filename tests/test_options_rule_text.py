"""Rule text in a search (``rule=``, ``selection=``, ``condition=``), through the packaged command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builder.replay import rows
from sigmaengine.results import FIELDS
from tests.support.optionrules import BODY, titles
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.support.searches import assert_one_error, run

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
