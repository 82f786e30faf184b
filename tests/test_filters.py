"""Filters: which rules they reach, what they change, and what the report says of them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from sigmaengine import filters
from sigmaengine.adhoc import read_rule_text
from sigmaengine.filters import apply_filters, filtered, read_filter
from sigmaengine.plain import PlainRule
from sigmaengine.rule import Rule, read_rule
from tests.support.builds import ANY, UUID, matched, report_of, rule, run, write
from tests.support.filtertexts import checked, filter_text
from tests.support.rulefiles import folder_of, places


def events_file(folder: Path, *events: dict[str, Any]) -> Path:
    """These events as a file."""
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events), "utf-8")
    return path


# --- what a filter reaches ------------------------------------------------------

R = f"{UUID}01"

#: The filter, what it is changed from (rules: by number, with the log source), the rules it changes.
REACH: dict[str, tuple[str, dict[str, str], list[str], list[str]]] = {
    "any": ("any", {"logsource": "{product: windows}"}, ["a", "b", "c"], []),
    "any in capitals": ("Any", {"logsource": "{product: windows}"}, ["a", "b", "c"], []),
    "any of a category": ("any", {"logsource": "{category: process_creation, product: windows}"}, ["b"], []),
    "any of a category of every product": ("any", {"logsource": "{category: process_creation}"}, ["b", "d"], []),
    "any of what no rule has": ("any", {"logsource": "{product: macos}"}, [], ["filter-unused"]),
    "an id": (f"[{R}]", {}, ["a"], []),
    "an id in capitals": (f"['{R.upper()}']", {}, ["a"], []),
    "an id as text": (R, {}, ["a"], []),
    "a name": ("[rule_b]", {}, ["b"], []),
    "a name in other case": ("[Rule_B]", {}, [], ["filter-rule-unknown"]),
    "a title": ("[Rule 1]", {}, [], ["filter-rule-unknown"]),
    "id and name": (f"[{R}, rule_b, rule_b]", {}, ["a", "b"], []),
    "one known, one not": (f"[{R}, nope]", {}, ["a"], ["filter-rule-unknown"]),
    "any beside an id": (f"[any, {R}]", {}, ["a"], ["filter-rule-unknown"]),
    "a rule of another log source": (f"[{R}, {UUID}04]", {}, ["a"], ["filter-logsource"]),
    "a rule of a wider log source": (f"[{R}]", {"logsource": "{product: windows, service: x}"}, [],
                                     ["filter-logsource"]),
    "a refused rule": (f"[{UUID}05]", {}, [], ["filter-rule-unknown"]),
    "the filter itself": (f"[{UUID}90]", {}, [], ["filter-rule-unknown"]),
}  # fmt: skip


@pytest.mark.parametrize("name", REACH)
def test_reach(tmp_path: Path, name: str) -> None:
    rules, said, expected, warnings = REACH[name]
    folder = folder_of(
        tmp_path,
        a=rule(1),
        b=rule(2, name="rule_b", logsource="{product: windows, category: process_creation}"),
        c=rule(3, logsource="{product: Windows, service: security}"),
        d=rule(4, logsource="{product: linux, category: process_creation}"),
        e=rule(5, "A|foo: x"),
        f=filter_text(rules=rules, **said),
    )
    assert [Path(one.path).stem for one in folder.outcomes if one.filters] == expected
    assert [code for _, _, code in places(folder.findings, "warning")] == warnings
    assert all(one.filters in ([], [f"{UUID}90"]) for one in folder.outcomes)


# --- what a filtered rule matches -----------------------------------------------

EVENTS = [{"Image": image, "User": user} for image in ("x", "y") for user in ("adm", "bob", "")]


def expected_of(condition: Any) -> list[int]:
    """The events with Image x for which the filter's condition holds."""
    return [n for n, event in enumerate(EVENTS) if event["Image"] == "x" and condition(event["User"])]


MEANING: dict[str, tuple[str, str, Any]] = {
    "not": ("own: {User: adm}", "not own", lambda user: user != "adm"),
    "not 1 of": ("own_1: {User: adm}\nown_2: {User: bob}", "not 1 of own_*", lambda user: not user),
    "not 1 of them": ("own_1: {User: adm}\nown_2: {User: bob}", "not 1 of them", lambda user: not user),
    "all of them": ("own_1: {User|startswith: a}\nown_2: {User|endswith: m}", "not all of them",
                    lambda user: user != "adm"),
    "positive": ("own: {User: adm}", "own", lambda user: user == "adm"),
    "neq": ("own: {User|neq: adm}", "own", lambda user: user != "adm"),
    "or": ("a: {User: adm}\nb: {User: bob}", "not (a or b)", lambda user: not user),
    "the rule's own identifier's name": ("selection: {User: adm}", "not selection", lambda user: user != "adm"),
    "keywords": ("own: [adm]", "not own", lambda user: user != "adm"),
}  # fmt: skip


BY_COMMAND = ("not 1 of", "the rule's own identifier's name")


@pytest.mark.parametrize(("name", "via"), [(name, "engine") for name in MEANING] + [(n, "command") for n in BY_COMMAND])
def test_meaning(tmp_path: Path, name: str, via: str) -> None:
    identifiers, condition, holds = MEANING[name]
    write(
        tmp_path / "rules",
        r=rule(1, logsource=ANY),
        f=filter_text(identifiers, condition, logsource=ANY),
    )
    events = events_file(tmp_path, *EVENTS)
    found = matched("--rules", tmp_path / "rules", "--via", via, events)
    assert [one["event"] for one in found] == expected_of(holds)
    assert {one["rule_id"] for one in found} == {R}


#: Conditions of a rule with the identifiers sel_1 (Image x) and sel_2 (Image y) that a filter's must not get into.
OF = {
    "1 of them": ["x", "y"],
    "all of them": [],
    "1 of sel_*": ["x", "y"],
    "1 of *": ["x", "y"],
    "sel_1": ["x"],
    "not 1 of sel_*": ["z"],
}


@pytest.mark.parametrize("condition", OF)
@pytest.mark.parametrize("name", ["sel_3", "sel_1", "a"])
def test_identifiers_never_collide(tmp_path: Path, condition: str, name: str) -> None:
    text = (
        f"title: R\nid: {R}\nlevel: low\nstatus: test\nlogsource: {ANY}\n"
        f"detection:\n  sel_1: {{Image: x}}\n  sel_2: {{Image: y}}\n  condition: {condition}\n"
    )
    one = filter_text(f"{name}: {{User: adm}}", f"not {name}", logsource=ANY)
    write(tmp_path / "rules", r=text, f=one, g=one.replace(f"{UUID}90", f"{UUID}91").replace("adm", "bob"))
    values = [(image, user) for image in ("x", "y", "z") for user in ("adm", "bob", "eve")]
    events = events_file(tmp_path, *({"Image": image, "User": user} for image, user in values))
    found = [values[one["event"]] for one in matched("--rules", tmp_path / "rules", "--via", "engine", events)]
    assert found == [(image, "eve") for image in OF[condition]]


def test_identifiers_with_the_filters_own_prefix_are_told_apart() -> None:
    one = filter_of(filter_mapping())
    crowded = rule_of({"detection": {"F/own": {"A": "x"}, f"F ({UUID}90)/own": {"A": "y"}, "condition": "1 of F*"}})
    result = filtered(crowded, [one, one])
    first, second = f"F ({UUID}90 1)/own", f"F ({UUID}90 2)/own"
    assert list(result.detections) == [*crowded.detections, first, second]
    assert result.condition == ["and", crowded.condition, ["not", ["id", first]], ["not", ["id", second]]]
    assert [item.selection for item in result.items[2:]] == [first, second]


def test_many_filters_on_a_rule_are_no_deeper_than_one() -> None:
    base = rule_of({"detection": {"selection": {"Image": "x"}, "condition": "selection"}})
    several = [
        filter_of({**filter_mapping(own={"User": f"u{number}"}), "title": f"{number}"}) for number in range(3000)
    ]
    (result,), _ = apply_filters([base], several)
    plain = PlainRule(result)
    answers = [plain.matches({"Image": ["x"], "User": [user]}.__getitem__, list) for user in ("u0", "u2999", "u3000")]
    assert answers == [False, False, True]


# --- evidence -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ("not own", ["selection"]),
        ("not (not own)", ["selection"]),
        ("own", ["selection", "F/own"]),
        ("own or not own", ["selection", "F/own"]),
    ],
)
def test_what_a_filter_denies_is_no_evidence(condition: str, shown: list[str]) -> None:
    base = rule_of({"detection": {"selection": {"Image": "x"}, "condition": "selection"}})
    one = filter_of(filter_mapping(condition=condition))
    user = "bob" if condition == "not own" else "adm"
    event = {"Image": ["x"], "User": [user]}
    plain = PlainRule(filtered(base, [one]))
    assert plain.matches(event.__getitem__, list)
    assert [found.item.selection for found in plain.evidence(event.__getitem__, list)] == shown


# --- several filters, several folders, order ------------------------------------


def filter_mapping(**said: Any) -> dict[str, Any]:
    """A filter's document; ``said`` goes into ``filter``."""
    inner = {"rules": "any", "own": {"User": "adm"}, "condition": "not own", **said}
    return {"title": "F", "id": f"{UUID}90", "logsource": {"product": "windows"}, "filter": inner}


def filter_of(mapping: dict[str, Any]) -> filters.Filter:
    """The filter of a document that must be one."""
    found, problems = read_filter(mapping)
    assert found is not None, problems
    return found


def rule_of(document: dict[str, Any]) -> Rule:
    """The rule of a document that must be one, for Windows."""
    found, problems = read_rule({"title": "R", "id": R, "logsource": {"product": "windows"}, **document})
    assert found is not None, problems
    return found


def test_all_filters_that_reach_a_rule_hold_in_any_order() -> None:
    base = rule_of({"detection": {"selection": {"Image": "x"}, "condition": "selection"}})
    several = [filter_of({**filter_mapping(own={"User": user}), "title": user}) for user in ("a", "b", "c")]
    for order in itertools.permutations(several):
        (result,), problems = apply_filters([base], list(order))
        assert problems == [[], [], []]
        plain = PlainRule(result)
        answers = [plain.matches({"Image": ["x"], "User": [user]}.__getitem__, list) for user in "abcd"]
        assert answers == [False, False, False, True]
        assert base.items == result.items[:1]


def test_filters_reach_the_rules_of_every_folder(tmp_path: Path) -> None:
    write(tmp_path / "one", f=filter_text(rules=f"[{R}]", logsource=ANY))
    write(tmp_path / "two", r=rule(1, logsource=ANY))
    events = events_file(tmp_path, *EVENTS)
    for order in (("one", "two"), ("two", "one")):
        folders = [part for name in order for part in ("--rules", tmp_path / name)]
        found = [one["event"] for one in matched(*folders, "--via", "engine", events)]
        assert found == expected_of(lambda user: user != "adm")


def test_filters_of_the_build_leave_rule_text_in_a_search_alone() -> None:
    with pytest.raises(ValueError, match="a filter document is no rule"):
        read_rule_text(filter_text(), "", "")


# --- the report and what is said -------------------------------------------------


def test_the_report_says_which_filters_changed_which_rule(tmp_path: Path) -> None:
    write(
        tmp_path / "rules",
        a=rule(1),
        b=rule(2),
        c=rule(3, logsource="{product: linux}"),
        f=filter_text(rules=f"[{R}]", title="'F \u00fc'"),
        g=filter_text(rules="any", id=f"{UUID}91", title="G"),
        h=filter_text(rules="any", id=f"{UUID}92", condition="nope", title="H"),
    )
    result = run("package", "--rules", tmp_path / "rules", "--out", tmp_path / "out")
    assert result.exit_code == 1
    report = report_of(tmp_path / "out")
    assert {Path(entry["path"]).stem: (entry["kind"], entry["filters"]) for entry in report["rules"]} == {
        "a": ("rule", [f"{UUID}90", f"{UUID}91"]),
        "b": ("rule", [f"{UUID}91"]),
        "c": ("rule", []),
        **dict.fromkeys("fgh", ("filter", [])),
    }
    summary = report["summary"]
    assert [summary[key] for key in ("documents", "rules", "correlations", "filters")] == [6, 3, 0, 3]
    assert (summary["accepted"], summary["refused"]) == (5, 1)
    assert "3 rules, 3 filters in 6 files: 5 accepted, 1 refused\n" in result.stdout
    assert "  filter F \u00fc: changes 1 rules\n  filter G: changes 2 rules\n" in result.stdout


def test_filters_alone_build_nothing(tmp_path: Path) -> None:
    write(tmp_path / "rules", f=filter_text())
    result = run("package", "--rules", tmp_path / "rules", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "no rule can be used" in result.stderr
    assert not list((tmp_path / "out").glob("*.tar.gz"))


def test_placeholders_are_for_filters_too(tmp_path: Path) -> None:
    own = "own: {User|expand: '%admins%'}"
    write(tmp_path / "rules", r=rule(1, logsource=ANY), f=filter_text(own, logsource=ANY))
    values = tmp_path / "values.yml"
    values.write_text("admins: [a*, x]\n", "utf-8")
    events = events_file(tmp_path, *EVENTS)
    arguments = ("--rules", tmp_path / "rules", "--via", "engine", "--placeholders", values, events)
    assert [one["event"] for one in matched(*arguments)] == expected_of(lambda user: user != "adm")
    lines = checked(tmp_path / "rules")
    assert [line[2:4] for line in lines if line[2] == "error"] == [("error", "placeholder-undefined")]
