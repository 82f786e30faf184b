"""Lookups that analysts edit in Splunk: CSV files in the app's folder, and the packaged command that reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from tests.support.apps import Row
from tests.support.builds import ANY, UUID, rule
from tests.support.lookups import (
    BOTH,
    BROKEN,
    CLASSIC,
    CUSTOM,
    IDS,
    NOTHING,
    PLINK,
    PROCESS_CREATION,
    RUN,
    SEVEN,
    TUNNEL,
    Editor,
    custom,
    exceptions,
    log_sources,
    placeholders,
    settings,
    table,
    titles,
)


class Case(NamedTuple):
    """Lookups, events and options; the titles that match each event, and what messages must say."""

    lookups: dict[str, str]
    events: list[Row]
    expected: list[list[str]]
    told: Sequence[str] = ()
    options: Sequence[str] = ()


CASES: dict[str, Case] = {
    "no-lookup": Case({}, [BOTH, SEVEN, NOTHING], [[TUNNEL, RUN], ["Seven"], []]),
    # --- exceptions
    "exception-by-id": Case(
        exceptions([IDS["plink"].upper(), "User", "ad\\SVC"]),
        [BOTH, SEVEN],
        [[TUNNEL], ["Seven"]],
        [
            "lookups in use: sigma_exceptions",
            "1 match suppressed by exceptions: 1 by row 1 (Plink Run)",
        ],
    ),
    "exception-by-title": Case(exceptions(["plink run", "User", "AD\\svc"]), [BOTH], [[TUNNEL]]),
    "exception-by-glob": Case(exceptions(["*-0000000000*", "User", "AD\\svc"]), [BOTH], [[]]),
    "exception-of-another-value": Case(exceptions(["*", "User", "AD\\adm"]), [BOTH], [[TUNNEL, RUN]]),
    "exception-is-the-whole-value": Case(exceptions(["*", "User", "svc"]), [BOTH], [[TUNNEL, RUN]]),
    "exception-any-value-of-several": Case(exceptions(["Seven", "User", "*\\adm"]), [SEVEN], [[]]),
    "exception-question-mark": Case(exceptions(["*", "User", "AD?sv?"]), [BOTH], [[]]),
    "exception-escaped-star": Case(exceptions(["*", "User", "AD\\\\\\*"]), [BOTH], [[TUNNEL, RUN]]),
    "exception-escaped-star-literal": Case(exceptions(["*", "User", "a\\*"]), [{"number": "7", "User": "a*"}], [[]]),
    "exception-without-a-value": Case(exceptions(["*", "Nowhere", "*"]), [BOTH], [[TUNNEL, RUN]]),
    "exception-by-the-rules-name-of-a-field": Case(
        exceptions(["*", "Image", "*\\plink.exe"]), [CLASSIC, PLINK], [[], []]
    ),
    "exception-on-raw": Case(exceptions(["Seven", "_raw", "*lab*"]), [{"number": "7", "_raw": "in the LAB"}], [[]]),
    "exception-non-ascii-case": Case(exceptions(["*", "User", "ÄÖÜ"]), [{"number": "7", "User": "äöü"}], [[]]),
    "exception-with-several-patterns": Case(
        {"sigma_exceptions": 'rule,field,pattern,__mv_pattern\nSeven,User,"x\ny","$x$;$AD\\svc$"\n'}, [SEVEN], [[]]
    ),
    "exception-of-profile-none": Case(
        exceptions(["*", "Image", "*"]), [{**CLASSIC, "Image": ""}], [[]], options=["fields=none"]
    ),
    "exception-expired": Case(
        exceptions(
            ["*", "User", "*", "2020-01-01"],
            ["*", "User", "*", "2020-01-01T10:00:00+02:00"],
            ["*", "User", "*", "1577836800"],
        ),
        [BOTH],
        [[TUNNEL, RUN]],
        ["sigma_exceptions", "(3 rows, 3 expired)"],
    ),
    "exception-not-yet-expired": Case(exceptions(["*", "User", "*", "2999-12-31"]), [BOTH], [[]]),
    "exception-expires-by-epoch": Case(exceptions(["*", "User", "*", "32503680000.5"]), [BOTH], [[]]),
    "exception-expires-by-milliseconds": Case(
        exceptions(["*", "User", "*", "1577836800000"]), [BOTH], [[TUNNEL, RUN]], ["1 expired"]
    ),
    "exception-expiry-unreadable": Case(
        exceptions(["*", "User", "*", "next week"], ["*", "User", "*", "2020-13-01"], ["*", "User", "*", "20300101"]),
        [BOTH],
        [[TUNNEL, RUN]],
        ["row 1: the expiry 'next week' is no date", "row 2: the expiry '2020-13-01'", "row 3: the expiry '20300101'"],
    ),
    "exception-without-a-pattern": Case(
        exceptions(["Seven", "User", ""], ["Seven", "", "x"], ["", "User", "x"], ["Seven", "sigma_level", "x"]),
        [SEVEN],
        [["Seven"]],
        [
            "row 1: it has no pattern; a rule as a whole is switched off in the lookup sigma_rule_settings",
            "row 2: it has no field",
            "row 3: it names no rule",
            "row 4: 'sigma_level' is no field of events",
        ],
    ),
    "exception-of-no-rule": Case(
        exceptions(["Sevem", "User", "*"], ["*nothing*", "User", "*"], ["Seven", "User", "*"]),
        [SEVEN],
        [[]],
        ["row 1: no rule has the id or title 'Sevem'; row 2: no rule has the id or title '*nothing*'"],
    ),
    # --- settings
    "rule-off": Case(
        settings([IDS["plink"], "false", "", ""]), [BOTH], [[TUNNEL]], ["sigma_rule_settings", "1 rule switched off"]
    ),
    "rule-off-by-glob-but-one": Case(
        settings(["Tunnel, Reverse", "YES", "", ""], ["*", "0", "", ""]), [BOTH, SEVEN], [[TUNNEL], []]
    ),
    "later-row-counts": Case(settings(["Seven", "no", "", ""], ["Seven", "1", "", ""]), [SEVEN], [["Seven"]]),
    "level-orders": Case(settings([IDS["plink"], "", "Critical", ""]), [BOTH], [[RUN, TUNNEL]]),
    "level-selects": Case(settings([IDS["plink"], "", "critical", ""]), [BOTH], [[RUN]], options=["level=critical"]),
    "level-selects-no-more": Case(
        settings([IDS["tunnel"], "", "low", ""], [IDS["seven"], "", "high", ""]), [BOTH], [[]], (), ["level=high"]
    ),
    "settings-that-say-nothing-usable": Case(
        settings(
            ["Seven", "maybe", "severe", "101"],
            ["", "false", "", ""],
            ["Unknown", "false", "", ""],
            ["Seven", "", "", "1e1"],
        ),
        [SEVEN],
        [["Seven"]],
        [
            "row 1: enabled is true or false, not 'maybe'",
            "row 1: 'severe' is no level; there are informational",
            "row 1: risk_score is a number from 0 to 100, not '101'",
            "row 2: it names no rule",
            "row 3: no rule has the id or title 'Unknown'",
            "row 4: risk_score",
        ],
    ),
    # --- custom rules
    "custom-rule": Case(custom(CUSTOM), [NOTHING, SEVEN], [["Eight"], ["Seven"]], ["sigma_custom_rules", "1 in use"]),
    "custom-rule-of-a-packaged-log-source": Case(
        custom(rule(60, "User: AD\\svc", title="Own", logsource=PROCESS_CREATION)), [BOTH], [[TUNNEL, RUN, "Own"]]
    ),
    "custom-rule-in-place-of-a-packaged-one": Case(
        custom(rule(1, "Image|endswith: \\nothing.exe", title="Plink Mine", logsource=PROCESS_CREATION)),
        [BOTH],
        [[TUNNEL]],
        [f"1 in the place of packaged ones: Plink Run ({IDS['plink']})"],
    ),
    "custom-rules-broken-and-not": Case(
        custom(BROKEN, CUSTOM, "title: [", "- a list", rule(60, "x: y", title="Again"), "a: 1\n---\nb: 2"),
        [NOTHING],
        [["Eight"]],
        [
            "row 1: 'Broken one', line 8: unknown modifier 'nosuch'",
            "row 3: line 1: this is no YAML",
            "row 4: line 1: a rule is a mapping",
            f"row 5: 'Again': the id {UUID}60 is that of row 2 already",
            "row 6: line 1: there is no 'detection' in it",
            "row 6: line 3: there is no 'detection' in it",
        ],
    ),
    "custom-rules-several-documents-and-a-filter": Case(
        custom(
            CUSTOM
            + "---\n"
            + rule(62, "number: 8", title="Second", logsource=ANY, name="second")
            + "---\ntitle: F\nlogsource: {definition: x}\n"
            + "filter: {rules: [second], s: {User: root}, condition: not s}\n"
        ),
        [NOTHING, {**NOTHING, "User": "root"}],
        [["Eight", "Second"], ["Eight"]],
    ),
    "custom-rules-action-global": Case(
        custom("action: global\nlevel: high\n---\n" + CUSTOM.replace("level: critical\n", "")), [NOTHING], [["Eight"]]
    ),
    "custom-rule-that-counts": Case(
        custom(
            rule(63, "number: 8", "selection | count() > 3", title="Counts", logsource=ANY).replace(
                "detection:\n", "detection:\n  timeframe: 1m\n"
            ),
            "title: C\ncorrelation: {type: event_count, rules: [x], timespan: 1m, condition: {gt: 1}}",
        ),
        [NOTHING],
        [["Counts"]],
        [
            "row 1: 'Counts', line 10: this aggregation of Sigma 1 is read as a correlation of the type event_count",
            "row 2: 'C', line 2: ",
            "1 in use",
        ],
    ),
    "custom-rules-not-enabled": Case(
        {"sigma_custom_rules": table(["enabled", "rule"], ["false", CUSTOM], ["perhaps", CUSTOM], ["true", ""])},
        [NOTHING],
        [[]],
        ["row 2: enabled is true or false, not 'perhaps'", "row 3: there is no rule in it", "3 not enabled, 0 in use"],
    ),
    "custom-rule-selected-by-options": Case(
        custom(CUSTOM), [{"number": "7"}, NOTHING], [[], ["Eight"]], (), ["rules=E*"]
    ),
    "custom-rule-excepted-and-set": Case(
        {**custom(CUSTOM), **exceptions(["Eight", "User", "root"]), **settings(["Eight", "", "low", ""])},
        [NOTHING, {**NOTHING, "User": "root"}],
        [["Eight"], []],
    ),
    "custom-rule-with-a-placeholder-of-the-build": Case(
        custom(rule(60, "User|expand: '%Admins%'", title="Own", logsource=ANY)), [{"User": "root"}], [["Own"]]
    ),
    "custom-rule-with-a-placeholder-of-the-lookup": Case(
        {
            **custom(rule(60, "User|expand: '%Own%'", title="Own", logsource=ANY)),
            **placeholders(["Own", "me*"]),
        },
        [{"User": "Melinda"}],
        [["Own"]],
    ),
    # --- placeholders
    "placeholder-of-the-build": Case(
        {},
        [{**PLINK, "Image": "x", "User": "root"}],
        [["Admins"]],
        ["2 rules wait for placeholders: %Servers% (2)"],
    ),
    "placeholder-defined": Case(
        placeholders(["Servers", "srv-*"], ["%Servers%", "db?"]),
        [{**PLINK, "Image": "x", "Computer": name} for name in ("SRV-1", "db1", "db", "lab")],
        [["Servers"], ["Servers"], [], []],
        ["2 rules expanded"],
    ),
    "placeholder-redefined": Case(
        placeholders(["Admins", "boss"]),
        [{**PLINK, "Image": "x", "User": name} for name in ("root", "BOSS")],
        [[], ["Admins"]],
        ["1 rule expanded", "2 rules wait for placeholders: %Servers% (2)"],
    ),
    "placeholder-and-the-filter-of-the-build": Case(
        placeholders(["Servers", "l*"]),
        [{**PLINK, "Image": "x", "Computer": name} for name in ("lab1", "lap1")],
        [[], ["Servers"]],
    ),
    "placeholder-and-numbers-as-written": Case(
        placeholders(["Servers", "s"]),
        [
            {**PLINK, "Image": "x", "User": "s-root", "number": "a0x17", "size": "23"},
            {**PLINK, "Image": "x", "User": "s-root", "number": "a1.50", "size": "23.0"},
            {**PLINK, "Image": "x", "User": "s-root", "number": "a1.5", "size": "23"},
            {**PLINK, "Image": "x", "User": "s-root", "number": "a23", "size": "23"},
        ],
        [["Written"], ["Written"], [], []],
    ),
    "placeholder-faults": Case(
        placeholders(["a b", "x"], ["Servers", ""], ["Unused", "x"], ["", "x"]),
        [SEVEN],
        [["Seven"]],
        [
            "row 1: 'a b' is no placeholder's name",
            "row 2: the placeholder 'Servers' has no value there",
            "row 4: '' is no placeholder's name",
            "no rule uses the placeholder %Unused%",
        ],
    ),
    "placeholder-in-rule-text": Case(
        placeholders(["Own", "me*"]), [{"a": "Melinda"}, {"a": "x"}], [["adhoc"], []], (), ["rule=@"]
    ),
    # --- log sources
    "sourcetype-renamed": Case(
        log_sources(product="linux", category="process_creation", sourcetype="ACME:sysmon*"),
        [{"sourcetype": "acme:sysmon:linux", "Image": "/bin/nc"}, {"sourcetype": "acme", "Image": "/bin/nc"}],
        [["Netcat"], []],
    ),
    "renamed-keeps-field-names": Case(
        log_sources(product="windows", category="process_creation", index="edr", event_code="4688"),
        [
            {"index": "edr", "EventCode": "4688", "New_Process_Name": "C:\\plink.exe"},
            {"index": "edr", "EventCode": "1", "New_Process_Name": "C:\\plink.exe"},
            {"index": "other", "EventCode": "4688", "New_Process_Name": "C:\\plink.exe"},
        ],
        [[RUN], [], []],
    ),
    "renamed-of-several-kinds": Case(
        log_sources(product="windows", category="process_creation", source="*edr"),
        [
            {"source": "my edr", "New_Process_Name": "C:\\plink.exe"},
            {"source": "my edr", "process_path": "C:\\plink.exe"},
            {"source": "my edr", "Image": "C:\\plink.exe"},
        ],
        [[RUN], [RUN], [RUN]],
    ),
    "log-source-without-a-mapping": Case(
        log_sources(product="Toaster", service="crumbs", index="kitchen"),
        [{"index": "kitchen", "crumbs": "many"}, {"crumbs": "many"}],
        [["Toast"], []],
    ),
    "log-source-faults": Case(
        {
            "sigma_log_sources": table(
                ["product", "category", "index"], ["", "", "a"], ["windows", "", ""], ["vax", "vms", "a"]
            )
        },
        [SEVEN],
        [["Seven"]],
        [
            "row 1: it names no log source",
            "row 2: it does not say which events are windows/*/*",
            "row 3: no rule asks for vax/vms/*",
        ],
    ),
}
ADHOC = "rule=" + rule(70, "a|expand: '%Own%'", title="adhoc", logsource=ANY)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_lookups(case: Case, editor: Editor) -> None:
    editor.write(case.lookups)
    result = editor.search(case.events, *(ADHOC if option == "rule=@" else option for option in case.options))
    assert titles(result) == case.expected
    told = "\n".join(text for _, text in result.messages)
    for text in case.told:
        assert text in told
