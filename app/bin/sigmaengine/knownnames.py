"""Rules by what lookups call them: an id, a title, or a glob over both; case does not matter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Callable

from .condition import glob_matcher
from .folding import fold
from .selection import RuleInfo

#: Each is compared with every rule: more of them in one lookup would slow down the start of searches.
MAX_GLOBS = 500


def is_glob(pattern: str) -> bool:
    """True if a pattern can name several rules."""
    return "*" in pattern


def names_of(info: RuleInfo) -> tuple[str, str]:
    """What a rule is called by patterns: its id and its title, folded."""
    return fold(info.id), fold(info.title)


def glob_test(pattern: str) -> Callable[[tuple[str, str]], bool]:
    """A function that says whether a glob names a rule of these ``names_of``."""
    test = glob_matcher(fold(pattern))
    return lambda names: test(names[0]) or test(names[1])


class KnownNames:
    """The ids and titles of rules."""

    def __init__(self, infos: Iterable[RuleInfo]) -> None:
        self._names = {name for info in infos for name in names_of(info)}
        self._all = "\n".join(sorted(self._names))

    def has(self, pattern: str) -> bool:
        """True if the pattern names one of the rules."""
        folded = fold(pattern)
        if not is_glob(folded):
            return folded in self._names
        # Of the globs that name nothing most are found out here.
        if max(folded.split("*"), key=len) not in self._all:
            return False
        return any(map(glob_matcher(folded), self._names))
