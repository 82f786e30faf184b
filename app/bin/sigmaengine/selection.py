"""Which rules a search asks for: the options ``rules``, ``level``, ``status`` and ``tags``."""

from __future__ import annotations

from typing import Callable, NamedTuple

from .condition import glob_matcher
from .folding import fold
from .metadata import LEVELS, STATUSES


class RuleInfo(NamedTuple):
    """What is known of a rule without loading it.

    ``score``: its own risk score, where it is not the level's; ``enabled``: False for what is not to
    be used, whatever a search selects (see ``overrides``); ``name``: by which correlations may list it.
    """

    id: str
    title: str
    level: str
    status: str
    author: str
    tags: list[str]
    score: int | None = None
    enabled: bool = True
    name: str = ""


class Selection(NamedTuple):
    """``rules``: ids, titles or globs; ``statuses`` and ``tags``: any of them; empty means all."""

    rules: tuple[str, ...] = ()
    level: str = LEVELS[0]
    statuses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def unmatched(self, infos: list[RuleInfo]) -> list[str]:
        """The patterns of ``rules`` that are no rule's id or title."""
        return [
            pattern
            for pattern, test in zip(self.rules, _tests(self.rules))
            if not any(test(fold(info.id)) or test(fold(info.title)) for info in infos)
        ]

    def predicate(self) -> Callable[[RuleInfo], bool]:
        """A function that says whether a rule is selected."""
        names, tags = _tests(self.rules), _tests(self.tags)
        lowest = LEVELS.index(self.level)

        def selected(info: RuleInfo) -> bool:
            if LEVELS.index(info.level) < lowest:
                return False
            if self.statuses and info.status not in self.statuses:
                return False
            if names and not any(test(fold(info.id)) or test(fold(info.title)) for test in names):
                return False
            return not tags or any(test(tag) for test in tags for tag in info.tags)

        return selected


def read_selection(rules: str = "*", level: str = "", status: str = "", tags: str = "") -> Selection:
    """Read the options of a search; each but ``level`` is a comma-separated list.

    Raises ValueError with a message for the user: a level or a status that does not exist.
    """
    level = level.strip().lower() or LEVELS[0]
    if level not in LEVELS:
        raise ValueError(f"level={level}: there are {', '.join(LEVELS)}")
    statuses = _listed(status)
    for name in statuses:
        if name not in STATUSES:
            raise ValueError(f"status={name}: there are {', '.join(STATUSES)}")
    patterns = _listed(rules)
    return Selection(() if "*" in patterns else patterns, level, statuses, _listed(tags))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(fold(part.strip()) for part in (text or "").split(",") if part.strip())


def _tests(globs: tuple[str, ...]) -> list[Callable[[str], bool]]:
    return [glob_matcher(glob) if "*" in glob else glob.__eq__ for glob in globs]
