"""The options of ``| sigmamatch`` that choose rules, and faults in options, through the packaged command."""

from __future__ import annotations

from pathlib import Path

import pytest

from sigmaengine.fields import PROFILES
from tests.support.optionrules import ALL, BODY, IDS, letters
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.support.searches import assert_one_error, run

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
