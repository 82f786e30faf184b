"""Faults of filters and what is probably not meant by them: the code, the line, the words."""

from __future__ import annotations

from pathlib import Path

import pytest

from sigmaengine import filters
from tests.support.builds import ANY, UUID, rule, write
from tests.support.filtertexts import checked, filter_text
from tests.support.rulefiles import HERE, folder_of, of_case

R = f"{UUID}01"

#: A filter, the line of whose fault ends in HERE; the code; what the message says.
FAULTS: dict[str, tuple[str, str, str]] = {
    "no log source": (filter_text(logsource=""), "logsource-missing", "needs a log source"),
    "log source as text": (filter_text(logsource="windows" + HERE), "logsource", "mapping"),
    "filter as text": ("title: F\nfilter: x" + HERE + "\n", "filter", "text"),
    "filter as nothing": ("title: F\nfilter:" + HERE + "\n", "filter", "nothing"),
    "detection beside it": (filter_text(detection="{}" + HERE), "filter", "'detection'"),
    "no rules": (filter_text(rules="").replace("filter:\n", f"filter:{HERE}\n"), "filter-rules", "missing"),
    "rules as an empty list": (filter_text(rules="[]" + HERE), "filter-rules", "any"),
    "rules as a mapping": (filter_text(rules="{a: b}" + HERE), "filter-rules", "a mapping"),
    "rules with a number": (filter_text(rules="[a, 5]" + HERE), "filter-rules", "a number"),
    "rules with a blank": (filter_text(rules="[a, ' ']" + HERE), "filter-rules", "empty"),
    "no condition": (filter_text(condition="").replace("filter:\n", f"filter:{HERE}\n"), "condition-missing", "filter"),
    "condition as a list": (filter_text(condition="[not own]" + HERE), "condition-type", "a list"),
    "condition with an unknown name": (filter_text(condition="not nope" + HERE), "condition-syntax", "'nope'"),
    "condition that names the rule's": (filter_text(condition="not selection" + HERE), "condition-syntax", "own"),
    "condition with an aggregation": (
        filter_text(condition="own | count() > 5" + HERE), "condition-aggregation", "correlation"),
    "unknown modifier": (filter_text("own: {User|foo: x}" + HERE), "modifier-unknown", "foo"),
    "bad regex": (filter_text("own: {User|re: '('}" + HERE), "regex", "("),
    "undefined placeholder": (filter_text("own: {User|expand: '%a%'}" + HERE), "placeholder-undefined", "%a%"),
    "the id of a rule": (filter_text(id=f"{UUID}02" + HERE), "id-duplicate", "this filter is left out"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_filter_is_an_error_of_its_own(tmp_path: Path, name: str) -> None:
    text, code, fragment = FAULTS[name]
    content, line = of_case(text) if HERE in text else (text.encode(), 1)
    write(tmp_path, f=content.decode(), a=rule(1, logsource=ANY), b=rule(2, logsource=ANY))
    found = checked(tmp_path)
    errors = [one for one in found if one[2] == "error"]
    assert [(one[0], one[1], one[3]) for one in errors] == [("f", line, code)], found
    assert fragment in errors[0][4]
    # The rules run unfiltered, and that is said.
    assert [(one[0], one[3]) for one in found if one[2] == "warning" and one[0] == "f"][-1:] == [
        ("f", "filter-not-applied")
    ]
    folder = folder_of(tmp_path)
    assert [Path(one.path).stem for one in folder.accepted] == ["a", "b"]
    assert [one.filters for one in folder.accepted] == [[], []]


def test_rules_that_a_faulty_filter_names_are_told(tmp_path: Path) -> None:
    write(
        tmp_path,
        a=rule(1),
        b=rule(2, name="rule_b"),
        c=rule(3),
        f=filter_text("own: {User|foo: x}", rules=f"['{R}', rule_b, nope]"),
    )
    found = checked(tmp_path)
    assert [one[:4] for one in found] == [
        ("a", 1, "warning", "filter-not-applied"),
        ("b", 1, "warning", "filter-not-applied"),
        ("f", 6, "error", "modifier-unknown"),
    ]
    assert f"{tmp_path}/f.yml:1" in found[0][4]


WARNINGS: dict[str, tuple[str, str, str]] = {
    "no not": (filter_text(condition="own" + HERE), "filter-without-not", "is a 'not' missing"),
    "not not": (filter_text(condition="not not own" + HERE), "filter-without-not", ""),
    "no title": (filter_text(title=""), "title-missing", "the filter has no title"),
    "no id": (filter_text(id=""), "id-missing", "the filter has no id"),
    "id that is no UUID": (filter_text(id="abc" + HERE), "id-no-uuid", "abc"),
    "unused identifier": (
        filter_text("own: {User: x}\nmore: {User: y}" + HERE), "identifier-unused", "'more'"),
    "unknown rule": (filter_text(rules="\n  - nope" + HERE), "filter-rule-unknown", "'nope' is no rule that was read"),
    "any beside a rule": (
        filter_text(rules=f"\n  - {UUID}02\n  - any" + HERE), "filter-rule-unknown",
        "'any' is no rule that was read (every rule is 'rules: any', without a list)"),
    "any in capitals in front of a rule": (
        filter_text(rules=f"\n  - ANY{HERE}\n  - {UUID}02"), "filter-rule-unknown",
        "'ANY' is no rule that was read (every rule is 'rules: any', without a list)"),
    "any alone in a list": (
        filter_text(rules=f"[any]{HERE}"), "filter-rule-unknown", "(every rule is 'rules: any', without a list)"),
    "refused rule": (
        filter_text(rules=f"\n  - {UUID}03" + HERE), "filter-rule-unknown", "a rule that cannot be used"),
    "a filter": (filter_text(rules=f"\n  - {UUID}90" + HERE), "filter-rule-unknown", "a filter, not a rule"),
    "another log source": (
        filter_text(rules="\n  - rule_b" + HERE, logsource="{product: linux}"), "filter-logsource", "(linux/*/*)"),
    "no rule of the log source": (
        filter_text(logsource="{product: linux}" + HERE), "filter-unused", "linux/*/*"),
    "empty log source": (filter_text(logsource="{}" + HERE), "logsource-empty", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", WARNINGS)
def test_what_is_probably_not_meant_is_a_warning(tmp_path: Path, name: str) -> None:
    text, code, fragment = WARNINGS[name]
    content, line = of_case(text) if HERE in text else (text.encode(), 1)
    write(tmp_path, f=content.decode(), b=rule(2, name="rule_b"), c=rule(3, "A|foo: x"))
    found = [one for one in checked(tmp_path) if one[0] == "f"]
    assert [one[1:4] for one in found] == [(line, "warning", code)]
    assert fragment in found[0][4]


def test_a_filter_that_would_make_rules_too_large_changes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "MAX_ADDED", 3)
    write(tmp_path, a=rule(1), b=rule(2), f=filter_text("own: {User: [x, y]}"), g=filter_text(id=f"{UUID}91"))
    found = checked(tmp_path)
    assert ("f", 4, "error", "filter-size") in [one[:4] for one in found]
    assert [one.filters for one in folder_of(tmp_path).accepted] == [[], []]
