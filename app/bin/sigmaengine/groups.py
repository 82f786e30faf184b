"""The selected rules of one log source, ready to run: their program, and whose its bits are."""

from __future__ import annotations

from typing import Callable, NamedTuple

from .fieldmasks import BrokenTestError, FieldMasks, bits_of, field_masks, mask_of
from .fields import Event, FieldView, Values
from .metadata import LEVELS
from .plain import PlainRule
from .program import compile_program
from .rule import Rule
from .ruleset import RuleSet, Shard
from .selection import RuleInfo

# Below this share of a shard's rules, compiling the selected ones anew is cheaper than running all.
_FEW = 0.25


class Match(NamedTuple):
    """A rule that matches an event, and what is needed to say why."""

    info: RuleInfo
    plain: Callable[[], PlainRule]
    view: FieldView

    @property
    def order(self) -> tuple[int, str]:
        """Sorts as results do: highest level first, then by id."""
        return -LEVELS.index(self.info.level), self.info.id


class Group:
    """The selected rules of one shard: their program, ready to run.

    ``positions`` are the selected rules' places in the shard.
    """

    def __init__(
        self, ruleset: RuleSet, shard: Shard, positions: list[int], left_out: list[tuple[RuleInfo, str]]
    ) -> None:
        self._ruleset, self.shard, self.positions = ruleset, shard, positions
        self._left_out = left_out
        self._rules: list[Rule] | None = None
        self._plain: dict[int, PlainRule] = {}
        if len(positions) < _FEW * len(shard.infos):
            program = compile_program([self.rules[place] for place in positions])
            places = positions
        else:
            program, places = ruleset.program_of(shard), list(range(len(shard.infos)))
        chosen = set(positions)
        self.owners = {int(bit): places[owner] for bit, owner in program["owners"].items()}
        self.wanted = mask_of(bit for bit, owner in self.owners.items() if owner in chosen)
        self.blockers: dict[int, list[int]] = {int(bit): bits for bit, bits in program["blockers"].items()}
        self.recheck = {places[owner] for owner in program["recheck"]}
        self.fields = [field_masks(field, program["bits"]) for field in program["fields"]]
        self.bits: int = program["bits"]
        self.all = (1 << self.bits) - 1

    @property
    def rules(self) -> list[Rule]:
        """The shard's rules in full; read when first asked for."""
        if self._rules is None:
            self._rules = self._ruleset.rules_of(self.shard)
        return self._rules

    def plain(self, place: int) -> PlainRule:
        """The plain form of a rule."""
        found = self._plain.get(place)
        if found is None:
            found = self._plain[place] = PlainRule(self.rules[place])
        return found

    def match(self, place: int, view: FieldView) -> Match:
        """The match of a rule of the shard."""
        return Match(self.shard.infos[place], lambda: self.plain(place), view)

    def blockers_of(self, bits: int) -> int:
        """What can block some bits, and what can block that, and so on."""
        found, waiting = 0, bits
        while waiting:
            found |= waiting
            waiting = mask_of(other for bit in bits_of(waiting) for other in self.blockers.get(bit, ())) & ~found
        return found & ~bits

    def holds(self, bit: int, standing: int) -> bool:
        """Whether a standing bit's conjunction holds: none of its blockers may."""
        blockers = self.blockers.get(bit)
        return not blockers or not any(standing >> other & 1 and self.holds(other, standing) for other in blockers)

    def places(self, standing: int) -> list[int]:
        """Whose conjunctions hold, given the bits that an event leaves standing: the rules' places in the shard."""
        bits = bits_of(standing & self.wanted)
        return sorted({self.owners[bit] for bit in bits if self.holds(bit, standing)})

    def leave_out(self, field: FieldMasks, broken: BrokenTestError) -> None:
        """Take the rules that use a test which cannot be run out of service, and say so."""
        field.index.never_passes(broken.position)
        parents = {other: bit for bit, others in self.blockers.items() for other in others}
        for bit in field.bits_of_test(broken.position):
            owned = bit
            while owned not in self.owners:
                owned = parents[owned]
            owner = self.owners[owned]
            bits = mask_of(other for other, place in self.owners.items() if place == owner)
            if self.wanted & bits:
                self._left_out.append((self.shard.infos[owner], str(broken)))
            self.wanted &= ~bits

    def blind(self) -> dict[str, list[str]]:
        """See Matcher.blind."""
        unseen = [field for field in self.fields if field.name is not None and not field.seen]
        if len(unseen) == len(self.fields):
            return {}  # no event was tried
        possible = self.wanted
        for field in unseen:
            possible &= field.without_value
        masks: dict[int, int] = {}
        for bit in bits_of(self.wanted):
            masks[self.owners[bit]] = masks.get(self.owners[bit], 0) | 1 << bit
        return {
            self.shard.infos[place].id: sorted(str(field.name) for field in unseen if bits & ~field.without_value)
            for place, bits in masks.items()
            if not bits & possible
        }


def lookups(view: FieldView, event: Event) -> tuple[Callable[[str], Values], Callable[[], Values]]:
    """What a plain rule asks an event by: values of a field, and the texts that keywords search."""
    known: dict[str, Values] = {}

    def values(field: str) -> Values:
        found = known.get(field)
        if found is None:
            found = known[field] = view.values(event, field)
        return found

    return values, event.texts
