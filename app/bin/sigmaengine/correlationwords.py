"""Whom references mean: ids and names of rules and correlations, also as words of a correlation's condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from .condition import Expression, chosen, joined
from .problems import listed, shown

#: What is said of a reference to nothing.
UNKNOWN = "no rule or correlation in use has the id or the name {}; correct it, or read the file that it is in too"

# A message names this many rules and counts the rest.
_EXAMPLES = 12


class Named(Protocol):
    """A rule or a correlation as references know it."""

    @property
    def id(self) -> str:
        """Its id, which is unique in any case of letters."""

    @property
    def name(self) -> str:
        """Its name, or nothing."""


class Names:
    """Who is meant by an id (in any case) or a name.

    ``others``: ids and names of what cannot be referred to -> what they mean, in words; ``unknown``: what
    is said of any other, with ``{}`` where it stands.
    """

    def __init__(self, known: Sequence[Named], others: Mapping[str, str], unknown: str = UNKNOWN) -> None:
        self._others, self._unknown = others, unknown
        self.by_id = {one.id.lower(): one.id for one in known}
        self.by_name: dict[str, list[str]] = {}
        self.name_of = {one.id: one.name for one in known}
        for one in known:
            if one.name:
                self.by_name.setdefault(one.name, []).append(one.id)

    def ids(self, reference: str) -> list[str]:
        """Everything that has this id, or else this name."""
        by_id = self.by_id.get(reference.lower())
        return [by_id] if by_id is not None else self.by_name.get(reference, [])

    def why_none(self, reference: str) -> str:
        """What is wrong with a reference to nothing."""
        other = self._others.get(reference) or self._others.get(reference.lower())
        if other:
            return f"{shown(reference)} is {other}"
        return self._unknown.format(shown(reference))

    @staticmethod
    def why_several(reference: str, found: Sequence[str]) -> str:
        """What is wrong with a name that several have."""
        return f"{len(found)} rules have the name {shown(reference)}; refer to the one that is meant by its id"


class Words:
    """The words of one correlation's condition.

    ``references``: the rules that the correlation lists; ``listed``: the id that each of them means, without
    those that mean none, which are ``unknown``. A word means a rule that is listed, by its id or its name
    however the list has it; where none is listed, any. ``faults``: what is wrong with words, each told once.
    """

    def __init__(self, references: Sequence[str], listed: Mapping[str, str], names: Names) -> None:
        self.references, self.listed, self.names = references, listed, names
        self.unknown = [reference for reference in references if reference not in listed]
        self._faults: dict[str, None] = {}

    @property
    def faults(self) -> list[str]:
        """What was wrong with words that were met."""
        return list(self._faults)

    def meant(self, expression: Expression) -> Expression:
        """An expression of words as one of ids; a word that means no rule stays."""
        operator, *operands = expression
        if operator == "id":
            return ["id", self._id(operands[0])]
        if operator == "of":
            return self._of(*operands)
        return [operator, *map(self.meant, operands)]

    def _id(self, word: str) -> str:
        if word in self.unknown:
            return word  # that has been told
        known = self.names.ids(word)
        ids = set(self.listed.values())
        found = [one for one in known if one in ids] if self.references else known
        if len(found) == 1:
            return found[0]
        if found:
            fault = self.names.why_several(word, found)
        elif self.references:
            fault = f"the condition names {shown(word)}, which 'rules' does not list; it lists {self._listed()}"
        else:
            fault = self.names.why_none(word)
        self._faults[fault] = None
        return word

    def _of(self, operator: str, target: str) -> Expression:
        if target != "them" and "*" not in target:
            return ["id", self._id(target)]
        found = [rule for reference, rule in self.listed.items() if chosen(target, self._spellings(target, reference))]
        if not found:
            if not self.unknown:
                self._faults[f"nothing that 'rules' lists matches {shown(target)}; it lists {self._listed()}"] = None
            return ["id", target]
        return joined(operator, list(dict.fromkeys(found)))

    def _spellings(self, target: str, reference: str) -> list[str]:
        """What a rule of the list is called; "them" goes by what the list calls it."""
        rule = self.listed[reference]
        return [reference] if target == "them" else [reference, rule, self.names.name_of[rule]]

    def _listed(self) -> str:
        return listed(list(self.references), _EXAMPLES)
