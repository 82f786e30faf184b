"""Near misses of the checks, and cases beyond the example of each code: a part of a rule -> the codes it yields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from builder.attack import read_attack
from builder.lint import CHECKS
from builder.lint.registry import codes, completed
from builder.lint.subject import Knowledge, Subject
from builder.mappings import Mappings
from sigmaengine.ruletext import read_documents

Codes = Callable[..., list[str]]


@pytest.fixture
def found(mappings: Mappings) -> Codes:
    """The codes that the checks give for a document's text, completed."""
    knowledge = Knowledge(mappings.routing, read_attack(), {})

    def check(text: str, path: str = "rules/proc_creation_win_example.yml") -> list[str]:
        (document,) = read_documents(completed(codes()["file-name"], text))
        subject = Subject(path, document, used=True, knowledge=knowledge)
        return [problem.code for one in CHECKS for problem in one(subject)]

    return check


def item(line: str) -> str:
    return f"detection:\n    selection:\n        {line}\n    condition: selection\n"


#: A detection item -> codes.
ITEMS: dict[str, list[str]] = {
    # values beside each other
    r"Image|endswith: ['\a.exe', '\b.exe']": [],
    r"Image|endswith: ['\a.exe', 'a.exe']": ["value-redundant"],
    r"Image: ['a', 'a*']": ["value-redundant"],
    r"CommandLine|contains|all: [' -enc ', 'enc']": ["value-redundant"],
    r"CommandLine|contains|cased: ['Ab', 'aB']": [],
    r"CommandLine|contains: ['Ab', 'aB']": ["value-duplicate"],
    r"CommandLine|re: ['ab+', 'AB+']": [],
    r"CommandLine|re: ['ab+', 'ab+']": ["value-duplicate"],
    r"SourceIp|cidr: ['10.0.0.0/8', '10.1.0.0/16']": ["value-redundant"],
    r"SourceIp|cidr: ['10.0.0.0/8', '192.168.0.0/16']": [],
    r"EventID: [1, '1']": ["value-redundant"],
    r"EventID: [1, 11]": [],
    r"User: ['', 'a']": [],
    # wildcards
    r"Image: 'C:\\*\a.exe'": [],
    r"Image: ['*\a.exe', 'b.exe']": [],
    r"Image: ['*\a.exe', '*\b.exe']": ["wildcard-for-modifier"],
    r"Image: '*a?b*'": [],
    r"Image|contains: 'a*b'": [],
    r"Image|contains: 'ab\*'": [],
    r"Image|startswith: '*ab'": ["wildcard-undoes-modifier"],
    r"Image|endswith: '*ab'": ["wildcard-needless"],
    r"Image: 'a\*\*b'": [],
    r"Image: '?*'": [],
    # backslashes
    r"Image: 'C:\a\\*\b.exe'": [],
    r"CommandLine|contains: 'attrib C:\a\\\*.bat'": [],
    r"CommandLine|contains: 'select \* from'": [],
    r"CommandLine|contains: '%TEMP%\*'": ["backslash-before-wildcard"],
    r"Image|startswith: '\\\\server'": [],
    r"Image|startswith: '\server'": [],
    r"Image: '\\server\share\a.exe'": ["backslash-unc"],
    r"Image|contains: '\\server'": [],
    # other values
    r"CommandLine|contains: ' x'": [],
    r"CommandLine|contains: ['x', 'abc']": ["value-short"],
    r"CommandLine|contains|all: ['x', 'abc']": [],
    r"CommandLine|contains: '^'": [],
    "CommandLine|contains: '\u0445'": [],  # a Cyrillic letter is seldom there
    r"qtype: NULL": [],
    r"qtype: 'NULL'": [],
    r"CommandLine|contains: 'a\tb'": [],
    # regular expressions
    r"CommandLine|re: '^abc$'": [],
    r"CommandLine|re: 'ab|cd'": [],
    r"CommandLine|re|i: 'abc'": ["regex-plain"],
    r"CommandLine|re: 'a.*b'": [],
    r"CommandLine|re: '^.*a+b'": [],
    r"CommandLine|re: 'a+b.*'": ["regex-needless"],
    r"CommandLine|re: '(a+b)+c'": [],
    r"CommandLine|re: '(a+)+c'": ["regex-slow"],
    r"CommandLine|re: '(?:x|[a-z]*)*c'": ["regex-slow"],
    r"CommandLine|re: '([a-z]{2,5})+c'": [],
    r"Image|re: '\\\w+\.exe$'": [],
    r"Image|re: '\\\w+.exe$'": ["regex-dot"],
    r"Image|re: 'a.example$'": [],
    r"Image|re: '\\.+exe$'": [],
    r"Image|re: 'a.+\.dll$'": [],
}


@pytest.mark.parametrize("line", ITEMS)
def test_items(found: Codes, line: str) -> None:
    assert found(item(line)) == ITEMS[line]


#: (identifiers, condition) -> codes.
DETECTIONS: dict[str, tuple[str, str, list[str]]] = {
    "filter of another field": ("s: {A: aa}\nf: {B: bb}", "s and not f", []),
    "filter within the selection": ("s: {A|endswith: a}\nf: {A: xa}", "s and not f", []),
    "filter that is the selection": ("s: {A: xa}\nf: {A|endswith: a}", "s and not f", ["rule-never-matches"]),
    "filter beside the selection": ("s: {A: aa}\nf: {A: bb}", "s and not f", ["filter-never-applies"]),
    "filter beside one of two": ("s: {A: [aa, bb]}\nf: {A: bb}", "s and not f", []),
    "one of two filters": ("s: {A: aa}\nf1: {A: bb}\nf2: {B: c}", "s and not 1 of f*", ["filter-never-applies"]),
    "filter beside either selection": (
        "s1: {A: aa}\ns2: {A: cc}\nf: {A: bb}", "1 of s* and not f", ["filter-never-applies"],
    ),
    "filter beside one of the selections": ("s1: {A: aa}\ns2: {B: cc}\nf: {A: bb}", "1 of s* and not f", []),
    "filter for no value where one is needed": (
        "s: {A|contains: aa}\nf: {A: null}", "s and not f", ["filter-never-applies"],
    ),
    "filter for null and for empty text": ("s: {B: b}\nf1: {A: null}\nf2: {A: ''}", "s and not 1 of f*", []),
    "filter for no value where it matters": ("s: {B: b}\nf: {A: null}", "s and not f", []),
    "two numbers": ("s1: {EventID: 1}\ns2: {EventID: 2}", "all of s*", ["rule-never-matches"]),
    "two numbers, either": ("s1: {EventID: 1}\ns2: {EventID: 2}", "1 of s*", []),
    "one implies the other, both": ("s1: {A: xa}\ns2: {A|endswith: a}", "all of s*", ["identifier-redundant"]),
    "one implies the other, either": ("s1: {A: xa}\ns2: {A|endswith: a}", "1 of s*", ["identifier-redundant"]),
    "the same twice": ("s1: {A: xa}\ns2: {A: XA}", "1 of s*", ["identifier-redundant"]),
    "one is part of the other": ("s1: {A: xa, B: bb}\ns2: {A: xa}", "all of s*", ["identifier-redundant"]),
    "exists and a value": ("s: {A|exists: true, A|contains: aa}", "s", ["item-redundant"]),
    "absent and a value": ("s: {A|exists: false, A|contains: aa}", "s", ["selection-never-matches"]),
    "alternatives": ("s: [{A: xa, B: bb}, {A: xa}]", "s", ["item-redundant"]),
    "alternative that cannot be": ("s: [{A: aa, A|endswith: b}, {B: bb}]", "s", ["selection-never-matches"]),
    "all of two whole values": ("s: {A|all: [aa, bb]}", "s", ["selection-never-matches"]),
    "all of two parts": ("s: {A|contains|all: [aa, bb]}", "s", []),
    "ranges": ("s: {A|gt: 5, A|lt: 4}", "s", ["selection-never-matches"]),
    "ranges that meet": ("s: {A|gte: 5, A|lte: 5}", "s", []),
    "a thing or its opposite": ("s: {A: aa}", "s or not s", ["rule-always-matches"]),
    "keywords": ("k1: [abc]\nk2: [abcd]", "k1 and not k2", []),
    "keywords within each other": ("k1: [abc]\nk2: [abcd]", "k1 or k2", ["identifier-redundant"]),
    "spelt in two ways": ("s: {Foo: aa}\nf: {foo: bb}", "s and not f", ["field-case"]),
}  # fmt: skip


@pytest.mark.parametrize("name", DETECTIONS)
def test_detections(found: Codes, name: str) -> None:
    identifiers, condition, expected = DETECTIONS[name]
    lines = "".join(f"    {line}\n" for line in identifiers.splitlines())
    assert found(f"detection:\n{lines}    condition: {condition}\n") == expected


#: Other parts of a rule -> codes.
PARTS: dict[str, list[str]] = {
    "title: Service Created via sc.exe and reg_add": [],
    "date: 2024-02-29": [],
    "date: 2023-02-29": ["date-invalid"],
    "date: '20240229'": ["date-invalid"],
    "date: 2024/2/9": ["date-slashes"],
    "custom_field: a": [],
    "x-internal: a": [],
    "falsepositves: [a]": [],  # the right one is there too
    "references: [Internal Research]": [],
    "references: ['https://example.org/a b']": ["reference-no-url"],
    "level: Low\nstatus: Test": ["value-case", "value-case"],
    "logsource: {product: Windows, category: process_creation}": ["value-case"],
    "logsource: {product: windows, kategory: process_creation}": ["logsource-key"],
    "logsource: {product: acme}": ["logsource-unmapped"],
    "tags: [attack.g0007, attack.s0039, attack.t1059.001, attack.ta0002, attack.m1026, attack.ds0009]": [],
    "tags: [attack.t9999, attack.s9999, attack.g9999]": [],  # perhaps of a later version
    "tags: [attack.t0866]": [],  # of another domain
    "tags: [attack.t1004.001, attack.s0000, attack.lateral]": ["attack-unknown"] * 3,
    "tags: [attack.defense-evasion, attack.t1043, attack.t1562.001]": ["attack-retired"] * 3,
    "tags: [attack.t1059.1]": ["attack-unknown"],
    "tags: [cve.2021-44228, car.2016-04-005, tlp.amber-strict, stp.3u, detection.threat-hunting, d3fend.d3-am]": [],
    "tags: [tlp.blue, detection.hunt]": ["tag-name", "tag-name"],
    "tags: [Attack.t1059]": ["tag-form"],
    "tags: [misp.x]": ["tag-namespace"],
}


@pytest.mark.parametrize("text", PARTS)
def test_parts(found: Codes, text: str) -> None:
    assert found(text + "\n") == PARTS[text]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("win_susp_service.yml", []),
        ("win_susp.yml", ["file-name"]),
        ("Win_Susp_Service.yml", ["file-name"]),
        ("winsuspservice.yml", ["file-name"]),
        ("win_susp_service.yaml", ["file-name"]),
    ],
)
def test_file_names(found: Codes, name: str, expected: list[str]) -> None:
    assert found("level: low\n", f"rules/{name}") == expected


def test_a_field_is_compared_with_those_of_the_log_source(found: Codes, mappings: Mappings) -> None:
    aliases: dict[str, Any] = {
        name: alternative.logsource for alternative in mappings.routing.alternatives for name in alternative.aliases
    }
    name, source = next((name, source) for name, source in aliases.items() if name != name.lower())
    logsource = ", ".join(f"{key}: {value}" for key, value in source._asdict().items() if value)
    text = f"logsource: {{{logsource}}}\n"
    assert found(text + item(f"{name}: abc")) == []
    assert found(text + item(f"{name.lower()}: abc")) == ["field-case"]
