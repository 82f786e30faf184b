"""What each fault of a rule file is told, and where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from builder.cli import main
from tests.support.rulefiles import HERE, UUID, folder_of, of_case, places, rule, write

UNLISTED = "title: T\nlogsource: {product: windows}\n"
LOOPED = "loop: &loop [*loop]  #!\n" + rule()

# A rule whose line at fault ends in HERE, or (text, line); the code; what the message says.
FAULTS: dict[str, tuple[str | tuple[str | bytes, int], str, str]] = {
    # Modifiers and values.
    "unknown modifier": (rule("    A: x\n    B|contians: y" + HERE), "modifier-unknown", "'contains'"),
    "empty modifier": (rule("    A|: x" + HERE), "modifier-unknown", "unknown modifier ''"),
    "modifier in capitals": (rule("    A|Contains: x" + HERE), "modifier-unknown", "'contains'"),
    "impossible chain": (rule("    A|re|contains: x" + HERE), "modifier-chain", "re|contains"),
    "two anchors": (rule("    A|startswith|endswith: x" + HERE), "modifier-chain", "startswith|endswith"),
    "bad regex": (rule("    A|re:\n      - ok\n      - 'a('" + HERE), "regex", "a("),
    "regex with a late flag": (rule("    A|re: 'a(?i)b'" + HERE), "regex", "a(?i)b"),
    "regex of Python 3.11, possessive": (rule("    A|re: 'a++b'" + HERE), "regex", "3.11"),
    "regex of Python 3.11, possessive range": (rule("    A|re: 'a{1,2}+b'" + HERE), "regex", "3.11"),
    "regex of Python 3.11, atomic": (rule("    A|re: '(?>a)b'" + HERE), "regex", "3.11"),
    "regex as an endless parenthesis": (rule("    A|re: '" + "(" * 5_000 + "'" + HERE), "regex", "((("),
    "no network": (rule("    A|cidr:\n      - 10.0.0.0/8\n      - 10.0.0.0/33" + HERE), "cidr", "10.0.0.0/33"),
    "network as a name": (rule("    A|cidr: localhost" + HERE), "cidr", "localhost"),
    "exists with text": (rule("    A|exists: maybe" + HERE), "value-type", "maybe"),
    "exists with a list": (rule("    A|exists: [true]" + HERE), "value-type", "list"),
    "comparison with text": (rule("    A|lt: abc" + HERE), "value-type", "abc"),
    "comparison with a boolean": (rule("    A|lt: true" + HERE), "value-type", "True"),
    "field reference to a number": (rule("    A|fieldref: 5" + HERE), "value-type", "5"),
    "null with a modifier": (rule("    A|contains:" + HERE), "value-type", "null"),
    "null in a list": (rule("    A:\n      - a\n      - null" + HERE), "value-null-in-list", "null"),
    "empty member of a list": (rule("    A:\n      - a\n      -" + HERE), "value-null-in-list", "null"),
    "list in a list": (rule("    A:\n      - a\n      - [b, c]" + HERE), "value-type", "list"),
    "mapping in a list": (rule("    A:\n      - a\n      - b: c" + HERE), "value-type", "mapping"),
    "mapping as a value": (rule("    A:" + HERE + "\n      b: c"), "value-type", "mapping"),
    "wildcard that is encoded": (rule("    A|base64: 'a*'" + HERE), "value-encoding", "a*"),
    "too short for base64offset": (rule("    A|base64offset|contains: a" + HERE), "value-encoding", "'a'"),
    "too many dashes to encode": (rule("    A|windash|base64: '-a -b -c -d -e'" + HERE), "value-encoding", "windash"),
    "undefined placeholder": (
        rule("    A|expand:\n      - a\n      - '%nope%'" + HERE),
        "placeholder-undefined",
        "%nope%",
    ),
    "keyword with a comparison": (rule("    '|lt': 5" + HERE), "keyword-modifier", "lt"),
    # Conditions.
    "condition names nothing": (rule(condition="selection and nope" + HERE), "condition-syntax", "'nope'"),
    "condition names nothing by a glob": (rule(condition="1 of filter_*" + HERE), "condition-syntax", "filter_*"),
    "condition names nothing, beside faulty items": (
        (rule("    A|foo: x\n    B|bar: y", condition="nope"), 12),
        "condition-syntax",
        "'nope'",
    ),
    "condition with two operators": (rule(condition="selection and or" + HERE), "condition-syntax", "or"),
    "condition that ends early": (rule(condition="selection and" + HERE), "condition-syntax", "missing"),
    "condition with two names": (rule(condition="selection selection" + HERE), "condition-syntax", "expected"),
    "condition with an open parenthesis": (rule(condition="(selection" + HERE), "condition-syntax", "')'"),
    "condition with a closed parenthesis": (rule(condition="selection)" + HERE), "condition-syntax", "')'"),
    "condition of many parentheses": (
        rule(condition="(" * 100 + "selection" + ")" * 100 + HERE),
        "condition-syntax",
        "parentheses",
    ),
    "condition of many words": (
        rule(condition=" and ".join(["selection"] * 3_000) + HERE),
        "condition-size",
        "words",
    ),
    "condition as empty text": (rule(condition="''" + HERE), "condition-empty", "empty"),
    "condition as nothing": (rule(condition=HERE), "condition-type", "nothing"),
    "condition as a mapping": (rule(condition="{a: b}" + HERE), "condition-type", "mapping"),
    "condition as an empty list": (rule(condition="[]" + HERE), "condition-type", "list"),
    "one condition of several": (
        rule(condition="\n    - selection\n    - nope" + HERE),
        "condition-syntax",
        "'nope'",
    ),
    "near of Sigma 1": (rule(condition="selection | near other" + HERE), "condition-aggregation", "temporal"),
    "no condition": (rule(detection="detection:" + HERE + "\n  selection: {A: b}\n"), "condition-missing", "condition"),
    # Detections.
    "no detection": (
        "title: T" + HERE + f"\nid: {UUID}\nlevel: low\nstatus: test\n",
        "not-a-rule",
        "detection",
    ),
    "detection as text": (rule(detection="detection: selection" + HERE + "\n"), "detection", "text"),
    "detection as a list": (rule(detection="detection:" + HERE + "\n  - a\n"), "detection", "list"),
    "detection as nothing": (rule(detection="detection:" + HERE + "\n"), "detection", "nothing"),
    "empty mapping": (
        rule(detection="detection:\n  s: {}" + HERE + "\n  condition: s\n"),
        "detection-empty",
        "'s'",
    ),
    "empty list": (rule(detection="detection:\n  s: []" + HERE + "\n  condition: s\n"), "detection-empty", "'s'"),
    "identifier as nothing": (
        rule(detection="detection:\n  s:" + HERE + "\n  condition: s\n"),
        "keyword-empty",
        "empty",
    ),
    "empty keyword": (
        rule(detection="detection:\n  s:\n    - a\n    - ''" + HERE + "\n  condition: s\n"),
        "keyword-empty",
        "empty",
    ),
    # A merge key is no part of YAML 1.2; what it would have merged must not be missing in silence.
    "merge key in a selection": (
        "x: &x {Image: a}\n" + rule(detection="detection:\n  s:\n    <<: *x" + HERE + "\n  condition: s\n"),
        "yaml-merge-key",
        "<<",
    ),
    "merge key in the log source": (
        "x: &x {product: windows}\n" + rule(logsource="logsource:\n  <<: *x" + HERE + "\n"),
        "yaml-merge-key",
        "<<",
    ),
    "merge key of the rule": ("<<: {author: a}" + HERE + "\n" + rule(), "yaml-merge-key", "<<"),
    # What is said about the rule.
    "unknown level": (rule(level="level: terrible" + HERE + "\n"), "level-unknown", "terrible"),
    "log source as text": (rule(logsource="logsource: windows" + HERE + "\n"), "logsource", "text"),
    "product as a number": (rule(logsource="logsource:\n  product: 5" + HERE + "\n"), "logsource", "product"),
    "service as a list": (rule(logsource="logsource:\n  service: [a]" + HERE + "\n"), "logsource", "service"),
    # Documents that are no rules.
    "correlation": (
        f"title: T\nid: {UUID}\ncorrelation:\n  type: event_coun" + HERE + "\n",
        "correlation-type",
        "event_count",
    ),
    "filter": (
        "title: T\nlogsource: {product: windows}\nfilter:" + HERE + "\n  rules: any\n",
        "condition-missing",
        "'filter' has no 'condition'",
    ),
    "action": ("title: T\naction: global" + HERE + "\n", "action-unused", "no rule stands behind"),
    "list": ("- a" + HERE + "\n- b\n", "not-a-rule", "list"),
    "text": ("hello" + HERE + "\n", "not-a-rule", "text"),
    "number": ("17" + HERE + "\n", "not-a-rule", "number"),
    "empty file": (("", 1), "not-a-rule", "empty"),
    "comments alone": (("# a\n# b\n", 1), "not-a-rule", ""),
    "null": (("--- ~\n", 1), "not-a-rule", ""),
    # YAML.
    "null as a key": (rule("    A: x\n    null: y" + HERE), "yaml-key", "null"),
    "quote that is not closed": ((rule("    A: 'x"), 10), "yaml-syntax", "quoted scalar"),
    "tab": ((rule("\tA: x"), 10), "yaml-syntax", "no YAML"),
    "duplicate key": (rule("    A: x\n    A: y" + HERE), "yaml-duplicate-key", "line 10"),
    "duplicate identifier": (rule("    A: x\n  selection: {A: y}" + HERE), "yaml-duplicate-key", "'selection'"),
    "duplicate title": (rule() + "title: U" + HERE + "\n", "yaml-duplicate-key", "'title'"),
    "Python object": (rule("    A: !!python/object/apply:os.system ['true']" + HERE), "yaml-tag", "python"),
    "alias without an anchor": (rule("    A: *nope" + HERE), "yaml-alias", "nope"),
    "alias in its own anchor": (LOOPED.replace("#!", HERE), "yaml-alias", "loop"),
    "many levels": ((rule("    A: " + "[" * 100_000), 10), "yaml-size", "levels"),
    "alias bomb": (
        ("a: &a [" + "x, " * 999 + "x]\nb: &b [" + "*a, " * 999 + "*a]\n" + rule(), 2),
        "yaml-size",
        "values",
    ),
    "very long": ((rule("    A: " + "x" * 9_000_000), 1), "yaml-size", "bytes"),
    "binary": ((b"\x7fELF\x02\x01\x01" + bytes(9), 1), "yaml-syntax", "no YAML"),
    "Latin-1": ((rule("    A: x\n    B: caf\xe9").encode("latin-1"), 11), "yaml-syntax", "UTF-8"),
    "NUL": ((rule("    A: x\n    B: 'a\0b'"), 11), "yaml-syntax", ""),
    "control character": ((rule("    A: x\n    B: 'a\x1b[31mb'"), 11), "yaml-syntax", ""),
    "UTF-16 without a mark": ((rule().encode("utf-16-le"), 1), "yaml-syntax", ""),
    # The line counts in files with other line ends, marks and encodings too.
    "CRLF": (
        (rule("    A: x\n    B|foo: y").replace("\n", "\r\n"), 11),
        "modifier-unknown",
        "'foo'",
    ),
    "CR": ((rule("    A: x\n    B|foo: y").replace("\n", "\r"), 11), "modifier-unknown", "'foo'"),
    "byte order mark": ((b"\xef\xbb\xbf" + rule("    B|foo: y").encode(), 10), "modifier-unknown", "'foo'"),
    "UTF-16": ((rule("    A: \u00e9\n    B|foo: y").encode("utf-16"), 11), "modifier-unknown", "'foo'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_reported_where_it_stands(tmp_path: Path, name: str) -> None:
    case, code, fragment = FAULTS[name]
    content, line = of_case(case)
    folder = folder_of(tmp_path, faulty=content, good=rule(rule_id=UUID[:-1] + "2"))
    errors = [finding for finding in folder.findings if finding.severity == "error" and finding.code == code]
    assert places(errors) == [("faulty.yml", line, code)], "\n".join(map(str, folder.findings))
    assert fragment in errors[0].message
    # The others are built all the same.
    assert [Path(outcome.path).name for outcome in folder.accepted] == ["good.yml"]


@pytest.mark.parametrize("loader", ["libyaml", "pure Python"])
def test_check_lists_every_fault_on_a_line(tmp_path: Path, loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if loader == "pure Python":  # as where PyYAML was installed without libyaml
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    cases = {f"{number:03}": of_case(case)[0] for number, (case, *_) in enumerate(FAULTS.values())}
    for number, content in cases.items():
        if len(content) < 100_000:
            write(tmp_path, **{number: content.replace(UUID.encode(), f"{UUID[:-3]}{number}".encode())})
    result = CliRunner().invoke(main, ["check", "--rules", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    form = re.compile(r"(.+/\d\d\d\.yml):[1-9]\d*: (?:error|warning) [a-z0-9-]+: \S.*")
    assert [line for line in lines if not form.fullmatch(line) or not line.isprintable()] == []
    reported = {match[1] for line in lines if (match := form.fullmatch(line)) and ": error " in line}
    assert reported == {str(path) for path in tmp_path.glob("*.yml")}
    assert "Traceback" not in result.output


ODD_TEXT: dict[str, str] = {
    "modifier": rule('    "A|\\e[31mred\\nnew\\x07\\u202e": x'),
    "value": rule('    A|cidr: "10.0.0.0\\n/8\\e]0;title\\a\\u2028"'),
    "regex": rule('    A|re: "(\\r\\n\\e[2J"'),
    "condition": rule(condition='"selection and \\e[2J\\n\\x9bfoo"'),
    "level": rule(level='level: "a\\nb\\e[31m"\n'),
    "id": rule(rule_id='"a\\nb\\e[31m"'),
    "key": rule('    "\\e[31m\\n": x\n    "\\e[31m\\n": y'),
    "placeholder": rule("    A|expand: '%a%'"),
    "tag": rule("    A: !\u0627\u0644 x"),
}


@pytest.mark.parametrize("name", ODD_TEXT)
def test_what_a_rule_holds_never_reaches_the_terminal(tmp_path: Path, name: str) -> None:
    write(tmp_path, faulty=ODD_TEXT[name])
    result = CliRunner().invoke(main, ["check", "--rules", str(tmp_path)], catch_exceptions=False, color=True)
    assert result.stdout.startswith(f"{tmp_path}/faulty.yml:")
    assert result.stdout.endswith("\n")
    for line in result.stdout[:-1].split("\n"):
        assert re.match(rf"{re.escape(str(tmp_path))}/faulty\.yml:\d+: (error|warning) \S+: \S", line)
        assert line.isprintable()
