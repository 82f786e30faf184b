"""What a search with lookups is told, and what else they change; correlations."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from builder.replay import rows
from tests.support.apps import Row
from tests.support.builds import ANY, rule
from tests.support.lookups import (
    BOTH,
    BROKEN,
    CUSTOM,
    IDS,
    NOTHING,
    PLINK,
    RUN,
    SEVEN,
    TUNNEL,
    Editor,
    custom,
    exceptions,
    log_sources,
    placeholders,
    settings,
    titles,
)
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.test_layers import loaded

# --- what a search is told ----------------------------------------------------------------------

EVERYTHING = {
    **exceptions([IDS["tunnel"], "User", "AD\\s*"], ["Seven", "User", "AD\\adm"]),
    **settings([IDS["plink"], "", "critical", "7"], ["Servers", "true", "", "0.0"]),
    **custom(CUSTOM, BROKEN),
    **placeholders(["Servers", "pc*"]),
    **log_sources(product="linux", category="process_creation", sourcetype="my:*"),
}


@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
def test_all_lookups_in_a_process_of_its_own(version: str, editor: Editor) -> None:
    editor.write(EVERYTHING)
    events: list[Row] = [BOTH, SEVEN, NOTHING, {"sourcetype": "my:own", "Image": "/bin/nc"}]
    result = editor.search(events, python=splunk_python(version))
    assert titles(result) == [[RUN, "Servers"], [], ["Eight"], ["Netcat"]]
    row = next(rows(result.bodies[0]))
    assert row["sigma_level"] == ["critical", "low"]
    assert row["sigma_severity"] == "critical"
    assert row["sigma_risk_score"] == "7"
    assert [json.loads(text)["score"] for text in row["sigma_match"]] == [7, 0]
    assert len(result.told("WARN")) == 1
    (lookups,) = [text for text in result.told("INFO") if "lookups in use" in text]
    assert re.sub(r"\b[0-9a-f]{12}\b", "HASH", lookups) == (
        "sigmamatch: lookups in use: sigma_log_sources HASH (1 row);"
        " sigma_placeholders HASH (1 row, 2 rules expanded); sigma_custom_rules HASH (2 rows, 1 in use);"
        " sigma_rule_settings HASH (2 rows); sigma_exceptions HASH (2 rows)"
    )
    (suppressed,) = [text for text in result.told("INFO") if "suppressed" in text]
    assert suppressed.endswith("2 matches suppressed by exceptions: 1 by row 1 (Tunnel, Reverse); 1 by row 2 (Seven)")
    figures = result.figures
    assert (figures["matched"], figures["suppressed"]) == (3, 2)
    assert (figures["sigma_exceptions"], figures["sigma_custom_rules"]) == (2, 2)


def test_the_hash_is_that_of_the_file(editor: Editor) -> None:
    # printf 'rule,field,pattern\n' | sha256sum
    editor.write({"sigma_exceptions": b"rule,field,pattern\n"})
    told = [text for text in editor.search([SEVEN]).told("INFO") if "lookups" in text]
    assert told == ["sigmamatch: lookups in use: sigma_exceptions 275d8e55e061 (0 rows)"]


def test_filter_mode_drops_events_without_another_match(editor: Editor) -> None:
    editor.write(exceptions(["Plink Run", "User", "*"]))
    result = editor.search([PLINK, BOTH], "mode=filter")
    assert titles(result) == [[TUNNEL]]
    assert result.figures["matched"] == 1


def test_rule_text_knows_no_exceptions(editor: Editor) -> None:
    editor.write({**exceptions(["*", "User", "*"]), **settings(["*", "false", "", ""])})
    result = editor.search([SEVEN], "selection={number: 7}")
    assert titles(result) == [["{number: 7}"]]


def test_a_search_for_rules_that_are_off_goes_on_and_says_so(editor: Editor) -> None:
    editor.write(settings(["Seven", "false", "", ""]))
    result = editor.search([SEVEN], "rules=Seven")
    assert titles(result) == [[]]
    assert result.told("WARN") == ["sigmamatch: nothing can match: all rules that the options select are switched off"]


def test_required_fields_take_in_those_of_exceptions(editor: Editor) -> None:
    editor.write({**exceptions(["*", "User", "*"], ["*", "Image", "x"]), **log_sources(product="windows", index="a")})
    result = editor.search([SEVEN], "required=auto", "rules=Tunnel*reverse")
    fields = result.replies[0][0]["required_fields"]
    assert {"User", "Image", "New_Process_Name", "index"} <= set(fields)


def test_without_a_lookup_nothing_of_them_is_loaded(edited_app: Path) -> None:
    """A search's start may not pay for what is not there."""
    program = f"""
import sys; sys.path.insert(0, {str(edited_app / "bin")!r})
from sigmaengine import overrides, ruleset
found = overrides.Overrides({str(edited_app / "lookups")!r})
found.apply(ruleset.load({str(edited_app / "bin" / "ruleset")!r}))
"""
    names = {name.rpartition(".")[2] for name in loaded(program) if name.startswith("sigmaengine.")}
    assert "overrides" in names
    assert names.isdisjoint({"exceptions", "rulesettings", "customrules", "expanding", "filters", "ruletext"})
    assert "yaml" not in names


# --- correlations -------------------------------------------------------------------------------

COUNTING = """
id: 00000000-0000-4000-8000-0000000000{id}
title: {title}
correlation: {{type: event_count, rules: [{rule}], timespan: 10m, condition: {{gte: 2}}}}
"""
TIMED: list[Row] = [{**SEVEN, "_time": str(1_700_000_000 + second)} for second in (0, 60)]
#: Lookups -> titles, severity and risk score of the rows behind sigmacorrelate.
CORRELATED: dict[str, tuple[dict[str, str], list[tuple[str, str, str]]]] = {
    "none": ({}, [("Often seven", "high", "60")]),
    "level-and-score": (settings(["often seven", "", "critical", "5"]), [("Often seven", "critical", "5")]),
    "off": (settings(["Often seven", "no", "", ""]), [("Seven", "low", "10")] * 2),
    "custom-about-a-packaged-rule": (
        custom(COUNTING.format(id="c2", title="Own", rule=IDS["seven"])),
        [("Often seven", "high", "60"), ("Own", "medium", "30")],
    ),
    "custom-about-a-packaged-rule-by-name": (
        custom(COUNTING.format(id="c2", title="Own", rule="seven")),
        [("Often seven", "high", "60"), ("Own", "medium", "30")],
    ),
    "custom-about-a-name-that-a-custom-rule-has-too": (
        custom(
            rule(60, "number: 8", title="Mine", logsource=ANY, name="seven"),
            COUNTING.format(id="c2", title="Own", rule="seven"),
        ),
        [("Often seven", "high", "60")],
    ),
    "custom-about-custom-rules": (
        custom(
            rule(60, "number: 7", title="Mine", logsource=ANY, name="mine"),
            COUNTING.format(id="c2", title="Own", rule="mine"),
        ),
        [("Often seven", "high", "60"), ("Own", "medium", "30")],
    ),
    "custom-in-place-of-a-packaged-one": (
        custom(COUNTING.format(id="c1", title="Own", rule=IDS["seven"])),
        [("Own", "medium", "30")],
    ),
    "custom-of-sigma-1": (
        custom(
            rule(60, "number: 7", "selection | count() > 1", title="Old", logsource=ANY).replace(
                "detection:\n", "detection:\n  timeframe: 10m\n"
            )
        ),
        [("Often seven", "high", "60"), ("Old", "low", "10")],
    ),
    "exception-of-what-it-counts": (exceptions(["Seven", "User", "*"]), []),
}


@pytest.mark.parametrize(("lookups", "expected"), CORRELATED.values(), ids=CORRELATED)
def test_correlations(lookups: dict[str, str], expected: list[tuple[str, str, str]], editor: Editor) -> None:
    editor.write(lookups)
    result = editor.correlate(TIMED)
    assert result.status == 0, result.messages
    found = list(rows(result.bodies[0]))
    assert sorted((row["sigma_rule_title"], row["sigma_severity"], row["sigma_risk_score"]) for row in found) == sorted(
        expected
    )
    assert any("lookups in use" in text for text in result.told("INFO")) == bool(lookups)
