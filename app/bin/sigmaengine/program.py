"""The rules of one log source, compiled for matching by masks.

Every conjunction of every rule has a *bit*. For each field, the values of an event leave some bits
standing and rule out the others; the bits that every field leaves standing are the conjunctions
that hold. A program is JSON (it is written by the build and read by a search)::

    {"rules": number of rules,
     "bits": number of bits,
     "owners": {bit: rule's position},   bits whose standing makes a rule match
     "blockers": {bit: [bits]},          bits that must not hold for this one to hold
     "recheck": [rule's positions],      rules to be evaluated plainly when a bit of theirs holds
     "fields": [[field or null, tests, literals, index], ...]}

``tests`` are described in ``modifiers``, the index over them in ``indexing``; ``literals`` are
``[tests' positions, bits that need it, bits that refuse it]``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .conjunctions import Conjunction, Literal, TooManyError, conjunctions_of, needs_recheck
from .indexing import build_index
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
        "fields": [field.to_json(name) for name, field in compiler.fields.items()],
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

    def to_json(self, name: str | None) -> list[Any]:
        tests = [json.loads(test) for test in self.tests]
        return [name, tests, list(self.literals.values()), build_index(tests)]


class _Compiler:
    def __init__(self) -> None:
        self.bits = 0
        self.owners: dict[str, int] = {}
        self.blockers: dict[str, list[int]] = {}
        self.recheck: list[int] = []
        self.fields: dict[str | None, _Field] = {}

    def add(self, position: int, rule: Rule) -> None:
        """Give the rule its bits."""
        try:
            conjunctions = conjunctions_of(rule, _dump)
            recheck = needs_recheck(rule)
        except TooManyError:
            conjunctions, recheck = [Conjunction()], True
        if recheck:
            self.recheck.append(position)
        for conjunction in conjunctions:
            self.owners[str(self._bit(conjunction))] = position

    def _bit(self, conjunction: Conjunction) -> int:
        bit = self.bits
        self.bits += 1
        for literals, slot in ((conjunction.needed, 1), (conjunction.refused, 2)):
            for literal in sorted(literals, key=repr):
                field = self.fields.setdefault(literal.field, _Field())
                field.literal(literal)[slot].append(bit)
        if conjunction.blockers:
            self.blockers[str(bit)] = [self._bit(blocker) for blocker in conjunction.blockers]
        return bit
