"""Several documents in a file: what ``action`` makes of them, and where their faults stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sigmaengine import documents
from sigmaengine.documents import CORRELATION, FILTER, NOTHING, RULE, resolved
from sigmaengine.ruletext import line_of, read_documents
from tests.support.builds import positions
from tests.support.rulefiles import HERE, UUID, folder_of, of_case, places, rule, write

GLOBAL, REPEAT, RESET = {"action": "global"}, {"action": "repeat"}, {"action": "reset"}


def said(found: list[Any]) -> list[tuple[str, Any]]:
    """(kind, document) of what was resolved, or (code, what) of what was not."""
    return [(one.problems[0].code if one.problems else one.kind, one.document) for one in found]


A, B = {"detection": {"a": 1}}, {"detection": {"b": 2}}

#: The documents of a file, and what they are.
MERGED: dict[str, tuple[list[Any], list[tuple[str, Any]]]] = {
    "no action": ([A, B], [(RULE, A), (RULE, B)]),
    "global": ([GLOBAL | {"level": "low"}, A, B], [(RULE, {"level": "low", **A}), (RULE, {"level": "low", **B})]),
    "the document overrides": (
        [GLOBAL | {"level": "low", "title": "t"}, A | {"level": "high"}],
        [(RULE, {"level": "high", "title": "t", **A})],
    ),
    "mappings at every depth": (
        [
            GLOBAL | {"detection": {"s": {"x": {"deep": 1, "kept": 2}}, "condition": "s"}},
            {"detection": {"s": {"x": {"deep": 3}, "y": 4}}},
        ],
        [(RULE, {"detection": {"s": {"x": {"deep": 3, "kept": 2}, "y": 4}, "condition": "s"}})],
    ),
    "lists are replaced": ([GLOBAL | {"tags": ["a", "b"]}, A | {"tags": ["c"]}], [(RULE, {"tags": ["c"], **A})]),
    "a list for a mapping": ([GLOBAL | {"detection": {"a": {"x": 1}}}, {"detection": {"a": ["y"]}}],
                             [(RULE, {"detection": {"a": ["y"]}})]),
    "a mapping for a scalar": ([GLOBAL | {"detection": {"a": 0}}, {"detection": {"a": {"x": 1}}}],
                               [(RULE, {"detection": {"a": {"x": 1}}})]),
    "null replaces": ([GLOBAL | {"level": "low"}, A | {"level": None}], [(RULE, {"level": None, **A})]),
    "several globals": (
        [GLOBAL | {"level": "low", "x": {"a": 1}}, GLOBAL | {"status": "test", "x": {"b": 2}}, A],
        [(RULE, {"level": "low", "status": "test", "x": {"a": 1, "b": 2}, **A})],
    ),
    "a later global overrides": ([GLOBAL | {"level": "low"}, A, GLOBAL | {"level": "high"}, B],
                                 [(RULE, {"level": "low", **A}), (RULE, {"level": "high", **B})]),
    "a rule in front of a global": ([A, GLOBAL | {"level": "low"}, B], [(RULE, A), (RULE, {"level": "low", **B})]),
    "reset": ([GLOBAL | {"level": "low"}, A, RESET, B], [(RULE, {"level": "low", **A}), (RULE, B)]),
    "reset without a global": ([RESET, A], [(RULE, A)]),
    "repeat": ([A, REPEAT | {"title": "t"}], [(RULE, A), (RULE, {"title": "t", **A})]),
    "repeat merges deep": (
        [{"detection": {"s": {"x": 1, "y": 2}}}, REPEAT | {"detection": {"s": {"y": 3}}}],
        [(RULE, {"detection": {"s": {"x": 1, "y": 2}}}), (RULE, {"detection": {"s": {"x": 1, "y": 3}}})],
    ),
    "repeat of a repeat": (
        [A, REPEAT | {"title": "t"}, REPEAT | {"level": "low"}],
        [(RULE, A), (RULE, {"title": "t", **A}), (RULE, {"title": "t", "level": "low", **A})],
    ),
    "repeat takes what the global gave": (
        [GLOBAL | {"level": "low"}, A, RESET, REPEAT | {"title": "t"}],
        [(RULE, {"level": "low", **A}), (RULE, {"level": "low", "title": "t", **A})],
    ),
    "repeat takes no later global": (
        [A, GLOBAL | {"level": "low"}, REPEAT | {"title": "t"}],
        [(RULE, A), (RULE, {"title": "t", **A})],
    ),
    "repeat skips what is no rule": ([A, {"filter": {}}, REPEAT], [(RULE, A), (FILTER, {"filter": {}}), (RULE, A)]),
    "filters and correlations take no global": (
        [GLOBAL | {"level": "low"}, {"filter": {}}, {"correlation": {}}, A],
        [(FILTER, {"filter": {}}), (CORRELATION, {"correlation": {}}), (RULE, {"level": "low", **A})],
    ),
    "a list between": ([GLOBAL | {"level": "low"}, ["a"], A], [(RULE, ["a"]), (RULE, {"level": "low", **A})]),
    "repeat without a rule": ([REPEAT | A, B], [("action-repeat", REPEAT | A), (RULE, B)]),
    "repeat behind a filter alone": ([{"filter": {}}, REPEAT], [(FILTER, {"filter": {}}), ("action-repeat", REPEAT)]),
    "unknown action": ([{"action": "globe"}, A], [("action-unknown", {"action": "globe"}), ("action-broken", A)]),
    "action in capitals": ([{"action": "Global"}], [("action-unknown", {"action": "Global"})]),
    "action as a list": ([{"action": ["global"]}], [("action-unknown", {"action": ["global"]})]),
    "behind an unknown action and a reset": (
        [{"action": "x"}, RESET, A],
        [("action-unknown", {"action": "x"}), (RULE, A)],
    ),
    "global with a filter": ([GLOBAL | {"filter": {}}, A],
                             [("action-document", GLOBAL | {"filter": {}}), ("action-broken", A)]),
    "reset with a rule": ([RESET | A, B], [("action-document", RESET | A), (RULE, B)]),
    "global at the end": ([A, GLOBAL], [(RULE, A), ("action-unused", GLOBAL)]),
    "global in front of a reset": ([GLOBAL, RESET, A], [("action-unused", GLOBAL), (RULE, A)]),
    "global alone": ([GLOBAL], [("action-unused", GLOBAL)]),
}  # fmt: skip


@pytest.mark.parametrize("name", MERGED)
def test_actions(name: str) -> None:
    given, expected = MERGED[name]
    before = repr(given)
    found = list(resolved(given))
    assert said(found) == expected
    assert [one.kind for one in found if one.problems] == [NOTHING for one in found if one.problems]
    assert repr(given) == before, "documents are left as they were"


SHARED = "action: global\nlevel: low\nlogsource:\n  product: windows\ndetection:\n  one:\n    Image: x\n"
RULES = "---\nid: a\ndetection:\n  two:\n    User: y\n  condition: one and two\n---\naction: repeat\nid: b\n"


def test_lines_are_those_of_the_document_that_said_it() -> None:
    first, second = (one.document for one in resolved(read_documents(SHARED + RULES)))
    places = {
        ("level",): 2, ("logsource", "product"): 4, ("detection", "one", "Image"): 7,
        ("detection", "two", "User"): 12, ("detection", "condition"): 13,
    }  # fmt: skip
    for document, own in ((first, 9), (second, 15)):
        assert {where: line_of(document, where) for where in places} == places
        assert document.line == own
    assert (line_of(first, ("id",)), line_of(second, ("id",))) == (9, 16)


PIECES = {
    "shared": "action: global\nlevel: low\nstatus: test\nlogsource: {definition: any}\n",
    "one": f"title: One\nid: {UUID[:-1]}1\ndetection: {{s: {{A: x}}, condition: s}}\n",
    "again": f"action: repeat\ntitle: Again\nid: {UUID[:-1]}2\ndetection: {{s: {{A: z}}}}\n",
}


@pytest.mark.parametrize("via", ["engine", "command"])
def test_merged_rules_match(tmp_path: Path, via: str) -> None:
    write(tmp_path / "rules", several="---\n".join(PIECES.values()))
    events = tmp_path / "events.jsonl"
    events.write_text('{"A": "x"}\n{"A": "y"}\n{"A": "z"}\n', "utf-8")
    assert positions("--rules", tmp_path / "rules", "--via", via, events) == [0, 2]


#: A file, the line of whose fault ends in HERE; the code.
FAULTS: dict[str, tuple[str, str]] = {
    "in the global document": (
        f"action: global\nlevel: loud{HERE}\n---\n" + rule(level=""),
        "level-unknown",
    ),
    "in the rule": ("action: global\nstatus: test\n---\n" + rule("    A|foo: x" + HERE), "modifier-unknown"),
    "in the rule that is repeated": (
        rule() + f"---\naction: repeat\nid: {UUID[:-1]}3\ndetection:\n  selection:\n    A|re: '('{HERE}\n",
        "regex",
    ),
    "repeated with the same id": (rule() + f"---\naction: repeat{HERE}\nlevel: high\n", "id-duplicate"),
    "the id in the global document": (
        f"action: global\nid: {UUID}\n---\n" + rule(id="") + "---\n" + rule(id="", title=f"title: B{HERE}\n"),
        "id-duplicate",
    ),
    "unknown action": (f"title: T\naction: globl{HERE}\n", "action-unknown"),
    "repeat without a rule": (f"title: T\naction: repeat{HERE}\n", "action-repeat"),
    "global without a rule": (f"title: T\naction: global{HERE}\n", "action-unused"),
    "reset that says more": (f"action: reset{HERE}\n" + rule(), "action-document"),
    "global with a correlation": (f"action: global\ncorrelation: {{}}{HERE}\n", "action-document"),
    "rule behind an unknown action": (f"action: x\n---\ntitle: T{HERE}\n", "action-broken"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_reported_in_the_document_that_holds_it(tmp_path: Path, name: str) -> None:
    text, code = FAULTS[name]
    content, line = of_case(text)
    folder = folder_of(tmp_path, faulty=content, good=rule(rule_id=UUID[:-1] + "9"))
    assert ("faulty.yml", line, code) in places(folder.findings)
    assert all(outcome.findings for outcome in folder.refused)
    assert Path(folder.accepted[-1].path).name == "good.yml"


SHARED_ID = f"action: global\nid: {UUID}\n---\n" + rule(id="")
#: A file with an inherited id that another document has -> the line of the heir, of the id, of the other.
INHERITED: dict[str, tuple[str, int, int, int]] = {
    "from a global document": (SHARED_ID + "---\n" + rule(id="", title="title: B\n"), 15, 2, 4),
    "from the rule that is repeated": (rule() + "---\naction: repeat\ntitle: B\n", 13, 2, 1),
    "from a global document, through repeat": (SHARED_ID + "---\naction: repeat\ntitle: B\n", 15, 2, 4),
    "from a global document, the other says it itself": (rule() + "---\n" + SHARED_ID, 16, 14, 1),
}


@pytest.mark.parametrize("name", INHERITED)
def test_an_inherited_id_is_told_with_both_documents(tmp_path: Path, name: str) -> None:
    text, heir, said_at, other = INHERITED[name]
    folder = folder_of(tmp_path, several=text)
    (found,) = [finding for finding in folder.findings if finding.code == "id-duplicate"]
    path = tmp_path / "several.yml"
    assert (found.path, found.line) == (str(path), heir)
    assert found.message == (
        f"this rule ({path}:{heir}) inherits the id {UUID} from line {said_at}, and {path}:{other} has it already;"
        " this rule is left out: write an 'id' of its own into it"
    )


def test_an_own_id_is_told_where_it_stands(tmp_path: Path) -> None:
    (found,) = folder_of(tmp_path, several=rule() + "---\n" + rule()).findings
    assert (found.line, found.code) == (14, "id-duplicate")
    assert "inherits" not in found.message


def test_documents_in_front_of_a_syntax_error_are_read(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, several="---\n".join([*PIECES.values(), "a: [\n"]))
    assert [outcome.title for outcome in folder.accepted] == ["One", "Again"]
    assert [code for _, _, code in places(folder.findings)] == ["yaml-syntax"]


def test_what_documents_share_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_MERGED", 1_000)
    shared = GLOBAL | {"tags": ["t"] * 100}
    found = list(resolved([shared, *[dict(A) for _ in range(20)]]))
    codes = [code for code, _ in said(found)]
    assert codes[:8] == [RULE] * 8
    assert codes[-1] == "document-size"


def test_a_rule_keeps_its_log_source(tmp_path: Path) -> None:
    text = "action: global\nlogsource: {product: windows}\n---\n" + rule(logsource="logsource: {service: system}\n")
    (found,) = folder_of(tmp_path, a=text).rules
    assert str(found.logsource) == "windows/*/system"
