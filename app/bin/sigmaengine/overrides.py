"""The lookups that people edit, as a search sees them: what they change, and what there is to tell.

Most often there is none. Then a search's start costs one look into a folder, and none of the modules
that read lookups is loaded.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Callable

from .problems import counted, listed
from .ruleset import RuleSet, RuleSetError
from .selection import RuleInfo

if TYPE_CHECKING:
    from .exceptions import Exceptions
    from .lookupchanges import Changes
    from .lookupfiles import LookupFile

#: What waits for placeholders, beside the compiled rules; small, as every search reads it in the end.
WAITING_FILE = "waiting.json"

# The one lookup that is packaged; its file is called by the hash of the rules.
_PACKAGED = "sigma_rules_"
# A message gives this many reasons, or names this many rules, and counts the rest.
_REASONS, _EXAMPLES = 10, 3


class Overrides:
    """The lookups in ``folder``. What is wrong with them is complete once they were applied."""

    def __init__(self, folder: str) -> None:
        self.files = _read_files(folder)
        self._changes: Changes | None = None

    def apply(self, loaded: RuleSet, *, to_rule_text: bool = False) -> RuleSet:
        """The rule set as the lookups change it. Raises RuleSetError."""
        if not self.files:
            return loaded
        from .lookupchanges import Changes

        self._changes = Changes(loaded, self.files)
        self._changes.apply(to_rule_text=to_rule_text)
        return self._changes.ruleset

    @property
    def exceptions(self) -> Exceptions | None:
        """The matches that are not wanted; None without the lookup."""
        return self._changes.exceptions if self._changes else None

    @property
    def placeholders(self) -> dict[str, list[str]]:
        """Values of placeholders."""
        return self._changes.placeholders if self._changes else {}

    def warnings(self) -> list[str]:
        """What is wrong with lookups, at most one message about each."""
        return [f"{file.name}: {listed(file.problems, _REASONS)}" for file in self.files.values() if file.problems]

    def figures(self) -> dict[str, int]:
        """Rows of each lookup that is there, and how many matches exceptions have suppressed."""
        figures = {f"lookup.{name}": len(file.rows) for name, file in self.files.items()}
        if self.exceptions:
            figures["suppressed"] = self.exceptions.suppressed
        return figures

    def report(self) -> list[str]:
        """Which lookups are in use, and what exceptions have suppressed."""
        told = []
        if self.files:
            told.append("lookups in use: " + "; ".join(map(str, self.files.values())))
        if self.exceptions and self.exceptions.suppressed:
            by_row = listed(self.exceptions.summary(), _EXAMPLES)
            told.append(f"{counted(self.exceptions.suppressed, 'match', 'matches')} suppressed by exceptions: {by_row}")
        return told

    def waiting(self, loaded: RuleSet, select: Callable[[RuleInfo], bool]) -> str:
        """The selected rules that cannot be used until a placeholder has a value; empty if there are none."""
        expanded = self._changes.expanded if self._changes else set()
        rules = [
            [name for name in names if name not in self.placeholders]
            for names, *info in _read_waiting(loaded.folder)
            if select(RuleInfo(*info)) and info[0] not in expanded
        ]
        by_name: dict[str, int] = {}
        for name in (name for names in rules for name in names):
            by_name[name] = by_name.get(name, 0) + 1
        named = listed([f"%{name}% ({count})" for name, count in sorted(by_name.items())], _REASONS)
        return f"{counted(len(rules), 'rule')} wait for placeholders: {named}" if rules else ""


def _read_files(folder: str) -> dict[str, LookupFile]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return {}
    except OSError:
        names = [""]  # each lookup will say why it cannot be read
    if all(name.startswith(_PACKAGED) for name in names):
        return {}
    from . import lookupfiles

    return lookupfiles.read_all(folder)


def _read_waiting(folder: str) -> Any:
    """(placeholders without a value, what is known of it ...) of each rule that waits. Raises RuleSetError."""
    path = os.path.join(folder, WAITING_FILE)
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise RuleSetError(f"cannot read {path}: {error}; install the app again") from None
