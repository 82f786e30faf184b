"""The rules of one log source, compiled for matching by masks.

Every conjunction of every rule has a *bit*. For each field, the values of an event leave some bits
standing and rule out the others; the bits that every field leaves standing are the conjunctions
that hold. A program is JSON (it is written by the build and read by a search)::

    {"rules": number of rules,
     "bits": number of bits,
     "owners": {bit: rule's position},   bits whose standing makes a rule match
     "blockers": {bit: [bits]},          bits that must not hold for this one to hold
     "recheck": [rule's positions],      rules to be evaluated plainly when a bit of theirs holds
     "fields": [{"field": name or null (keywords), "other": the field that it is compared with or null,
                 "tests": {test's position: test (see modifiers)} of those that may have to be run,
                 "texts": number of texts in the index, "is_text": whether they are most of the tests,
                 "literals": [[tests' positions], ...], of which one test has to pass,
                 "indexed", "stands", "backs", "falls", "further", "gates": see anchors,
                 "index": see indexing, of the tests of the indexed literals,
                 "signs": of keywords: texts of which one is in every event that passes a test, or null}, ...]}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .anchors import choose_anchors
from .conjunctions import Conjunction, Literal, Reference, Subject, TooManyError, conjunctions_of
from .indexing import Rarity, build_index, is_run, signs_of, texts_of_test
from .modifiers import Test
from .rule import Rule

Program = dict[str, Any]


def compile_program(rules: Sequence[Rule]) -> Program:
    """The program of some rules; positions in it are positions in ``rules``."""
    compiler = _Compiler()
    for position, rule in enumerate(rules):
        compiler.add(position, rule)
    return {
        "rules": len(rules),
        "bits": compiler.bits,
        "owners": compiler.owners,
        "blockers": compiler.blockers,
        "recheck": compiler.recheck,
        "fields": [field.to_json(subject) for subject, field in compiler.fields.items()],
    }


def _dump(test: Test) -> str:
    return json.dumps(test, separators=(",", ":"))


class _Field:
    """Tests and literals of one field, numbered as they come."""

    def __init__(self) -> None:
        self.tests: dict[str, int] = {}
        self.literals: dict[Literal, list[Any]] = {}

    def literal(self, literal: Literal) -> list[Any]:
        known = self.literals.get(literal)
        if known is None:
            positions = [self.tests.setdefault(test, len(self.tests)) for test in literal.tests]
            known = self.literals[literal] = [positions, [], []]
        return known

    def to_json(self, subject: Subject) -> dict[str, Any]:
        tests = [json.loads(test) for test in self.tests]
        literals = list(self.literals.values())
        rarity = Rarity(text for test in tests for text in texts_of_test(test) or ())
        anchors = choose_anchors(tests, literals, rarity)
        indexed = set(anchors["indexed"])
        looked_up = {place for literal in indexed for place in literals[literal][0]}
        asked = {place for number, literal in enumerate(literals) if number not in indexed for place in literal[0]}
        texts = sum(len(texts_of_test(tests[place]) or ()) for place in looked_up)
        return {
            "field": subject.field if isinstance(subject, Reference) else subject,
            "other": subject.other if isinstance(subject, Reference) else None,
            # Of others the index says all.
            "tests": {str(place): test for place, test in enumerate(tests) if place in asked or is_run(test)},
            "texts": texts,
            "is_text": 2 * texts > len(tests),
            "literals": [positions for positions, _, _ in literals],
            **anchors,
            "index": build_index(tests, sorted(looked_up), rarity),
            "signs": signs_of(tests) if subject is None else None,
        }


class _Compiler:
    def __init__(self) -> None:
        self.bits = 0
        self.owners: dict[str, int] = {}
        self.blockers: dict[str, list[int]] = {}
        self.recheck: list[int] = []
        self.fields: dict[Subject, _Field] = {}

    def add(self, position: int, rule: Rule) -> None:
        """Give the rule its bits."""
        try:
            conjunctions = conjunctions_of(rule, _dump)
        except TooManyError:
            conjunctions = [Conjunction()]
            self.recheck.append(position)
        for conjunction in conjunctions:
            self.owners[str(self._bit(conjunction))] = position

    def _bit(self, conjunction: Conjunction) -> int:
        bit = self.bits
        self.bits += 1
        for literals, slot in ((conjunction.needed, 1), (conjunction.refused, 2)):
            for literal in sorted(literals, key=repr):
                field = self.fields.setdefault(literal.subject, _Field())
                field.literal(literal)[slot].append(bit)
        if conjunction.blockers:
            self.blockers[str(bit)] = [self._bit(blocker) for blocker in conjunction.blockers]
        return bit
