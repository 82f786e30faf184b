"""The lookup ``sigma_rule_settings``: whether a rule is used, its level and its risk score."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Callable, NamedTuple

from .folding import fold
from .knownnames import MAX_GLOBS, KnownNames, glob_test, is_glob, names_of
from .lookupfiles import LookupFile, Row, read_truth
from .metadata import LEVELS
from .problems import shown
from .selection import RuleInfo

_MAX_SCORE = 100
# Splunk may write a number that it has calculated with a fraction.
_SCORE = re.compile(r"([0-9]{1,3})(?:\.0*)?\Z")


class _Setting(NamedTuple):
    """What a row says; None where it says nothing."""

    enabled: bool | None
    level: str | None
    score: int | None


class RuleSettings:
    """What the lookup says of rules, and of whatever else has a RuleInfo.

    Of several rows about a rule, those that name it exactly count more than globs, and later rows more
    than earlier ones, column by column. ``infos``: what there is.
    """

    def __init__(self, file: LookupFile, infos: Sequence[RuleInfo]) -> None:
        self._exact: dict[str, list[_Setting]] = {}
        self._globs: list[tuple[Callable[[tuple[str, str]], bool], _Setting]] = []
        names = KnownNames(infos)
        for row in file.rows:
            name = row.text("id")
            if not name:
                file.refuse(row, "it names no rule (column id)")
                continue
            setting = _read(file, row)
            if not names.has(name):
                file.refuse(row, f"no rule has the id or title {shown(name)}")
            elif not is_glob(name):
                self._exact.setdefault(fold(name), []).append(setting)
            elif len(self._globs) < MAX_GLOBS:
                self._globs.append((glob_test(name), setting))
            else:
                file.refuse(row, f"it names rules by a glob, as {MAX_GLOBS} rows do already; name rules by their ids")

    def adjusted(self, infos: Sequence[RuleInfo]) -> list[RuleInfo]:
        """The same rules with what the lookup says of them."""
        return [self._adjusted(info) for info in infos]

    def _adjusted(self, info: RuleInfo) -> RuleInfo:
        names = names_of(info)
        said = [setting for test, setting in self._globs if test(names)]
        for name in reversed(names):
            said += self._exact.get(name, ())
        if not said:
            return info
        for setting in said:
            info = info._replace(
                level=info.level if setting.level is None else setting.level,
                score=info.score if setting.score is None else setting.score,
            )
        enabled = [setting.enabled for setting in said if setting.enabled is not None]
        return info._replace(enabled=info.enabled and all(enabled[-1:]))


def _read(file: LookupFile, row: Row) -> _Setting:
    enabled, level, score = row.text("enabled"), row.text("level").lower(), row.text("risk_score")
    truth, number = read_truth(enabled), _SCORE.match(score)
    if enabled and truth is None:
        file.refuse(row, f"enabled is true or false, not {shown(enabled)}")
    if level and level not in LEVELS:
        file.refuse(row, f"{shown(level)} is no level; there are {', '.join(LEVELS)}")
        level = ""
    if score and (number is None or int(number[1]) > _MAX_SCORE):
        file.refuse(row, f"risk_score is a number from 0 to {_MAX_SCORE}, not {shown(score)}")
        number = None
    return _Setting(truth, level or None, int(number[1]) if number else None)
