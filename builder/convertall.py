"""``convert --all``: every rule in every language, as files, and a report of what became of each.

``DIR/<target>/<name>.<extension of the target>``, the name being the path of the rule's file below the folder
that was given, without ``.yml``. A file of several rules gives ``name``, ``name-2``, ``name-3``; so do files
whose names would be one, or differ by case alone.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from .converting import TARGETS, RefusedError, convert, settings_of
from .mappings import Mappings
from .outcomes import Outcome, RuleFolder
from .queries.language import REASONS
from .queries.target import Settings
from .tables import table
from .texts import escaped, json_bytes

REPORT = "conversion-report.json"
# Bytes of a file's name, of the 255 that file systems take.
_LONGEST = 230
# How many files that are not of this run are named before they are counted.
_SHOWN = 10


class OutputError(Exception):
    """The folder holds what was not written by ``convert --all``."""


def settings_of_each(targets: Sequence[str], given: Settings) -> dict[str, Settings]:
    """The settings of targets. Raises OptionError.

    Each target gets the options that it has; of several that have an option of one name with other choices,
    those that have the choice.
    """
    # Of an option that none takes the first that could have taken it says why.
    taken = {
        name: [one for one in targets if _takes(one, name, value)]
        or [one for one in targets if name in TARGETS[one].options]
        or targets[:1]
        for name, value in given.items()
    }
    return {
        target: settings_of(target, {name: value for name, value in given.items() if target in taken[name]})
        for target in targets
    }


def _takes(target: str, name: str, value: Any) -> bool:
    option = TARGETS[target].options.get(name)
    return option is not None and (not option.choices or value in option.choices)


class Conversions:
    """Every rule and correlation of a folder in every language.

    ``folders``: as they were given to ``read_folders``; ``settings``: of each target.
    """

    def __init__(
        self, folder: RuleFolder, folders: Sequence[Path], mappings: Mappings, settings: Mapping[str, Settings]
    ) -> None:
        self.folder, self.folders, self.mappings, self.settings = folder, folders, mappings, settings
        self.converted: Counter[str] = Counter()
        self.refused: dict[str, Counter[str]] = {target: Counter() for target in settings}
        self._rules: list[dict[str, Any]] = []
        self._files: set[Path] = set()

    def write(self, out: Path, progress: Callable[[int, int], None]) -> None:
        """Write the files and the report. Raises OutputError before it writes anything, and OSError."""
        _check(out)
        out.mkdir(parents=True, exist_ok=True)
        # Whatever ends the work before its end: the folder is known to be one of ours.
        self._write_report(out)
        accepted = self.folder.accepted
        names = dict(zip(map(id, accepted), _names(accepted, self.folders), strict=True))
        for done, outcome in enumerate(self.folder.outcomes, 1):
            name = names.get(id(outcome))
            targets = {target: self._one(outcome, target, name, out) for target in self.settings} if name else {}
            self._rules.append(_entry(outcome, targets))
            progress(done, len(self.folder.outcomes))
        self._write_report(out)

    def _write_report(self, out: Path) -> None:
        (out / REPORT).write_bytes(json_bytes(self.report(), indent=1) + b"\n")

    def _one(self, outcome: Outcome, target: str, name: str, out: Path) -> dict[str, Any]:
        try:
            found = convert(outcome, target, self.mappings, self.settings[target], self.folder)
        except RefusedError as fault:
            self.refused[target][fault.reason] += 1
            return {"status": "refused", "reason": fault.reason, "why": str(fault)}
        file = f"{target}/{name}.{TARGETS[target].extension}"
        path = out / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((found.text.rstrip("\n") + "\n").encode())
        self._files.add(path)
        self.converted[target] += 1
        return {"status": "converted", "file": file, "notes": list(found.notes)}

    def report(self) -> dict[str, Any]:
        """The report as JSON. Holds no time and no machine, so that two runs write the same."""
        return {
            "summary": {
                target: {
                    "converted": self.converted[target],
                    "refused": sum(self.refused[target].values()),
                    "reasons": dict(sorted(self.refused[target].items())),
                }
                for target in self.settings
            },
            "folders": [{"path": finding.path, "findings": [finding.as_json()]} for finding in self.folder.unread],
            "rules": self._rules,
        }

    def summary_lines(self) -> Iterator[str]:
        """The summary for people."""
        rows = []
        for target in self.settings:
            reasons = self.refused[target]
            rows.append((target, str(self.converted[target]), str(sum(reasons.values())), ""))
            rows += [("", "", str(count), REASONS[reason]) for reason, count in _by_count(reasons)]
        yield from table(("target", "converted", "refused", "because of"), rows)

    def others(self, out: Path) -> Iterator[str]:
        """Lines about files in the folders of these targets that this run has not written, and that stay."""
        found = sorted(
            path.relative_to(out).as_posix()
            for target in self.settings
            for path in (out / target).rglob("*")
            if path.is_file() and path not in self._files
        )
        if found:
            yield f"{len(found)} files in {escaped(str(out))} are not of this run, and stay:"
            yield from (f"  {escaped(name)}" for name in found[:_SHOWN])
        if len(found) > _SHOWN:
            yield f"  and {len(found) - _SHOWN} more"


def _entry(outcome: Outcome, targets: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": outcome.kind,
        "path": outcome.path,
        "line": outcome.line,
        "id": outcome.id,
        "title": outcome.title,
        "status": "accepted" if outcome.meant else "refused",
        "findings": [finding.as_json() for finding in outcome.findings],
        "targets": targets,
    }


def _by_count(reasons: Counter[str]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda one: (-one[1], one[0]))


def _check(out: Path) -> None:
    """Raises OutputError for a folder that is not empty, nor of an earlier run: what stands there is a user's."""
    if not out.exists() or not any(out.iterdir()):
        return
    try:
        is_ours = "summary" in json.loads((out / REPORT).read_bytes())
    except (OSError, ValueError, TypeError):
        is_ours = False
    if not is_ours:
        raise OutputError(f"{out} is not empty, and there is no {REPORT} of an earlier run in it: nothing is written")


# --- names of files ------------------------------------------------------------------------------


def _names(outcomes: Sequence[Outcome], folders: Sequence[Path]) -> list[str]:
    """The name of each document's files, without an extension; no two are one for any file system."""
    taken: set[str] = set()
    names = []
    for outcome in outcomes:
        wanted = _short(_below(PurePosixPath(outcome.path), folders).with_suffix(""))
        name, number = wanted, 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _short(path: PurePosixPath) -> str:
    """A path whose last part leaves room for a number and an extension."""
    name = path.name.encode("utf-8", "surrogateescape")
    if len(name) <= _LONGEST:
        return path.as_posix()
    digest = hashlib.sha256(name).hexdigest()[:16]
    return path.with_name(f"{name[: _LONGEST - 17].decode('utf-8', 'ignore')}-{digest}").as_posix()


def _below(path: PurePosixPath, folders: Sequence[Path]) -> PurePosixPath:
    """A rule file's path below the folder that it was found in, which never leads out of a folder."""
    for folder in folders:
        given = folder.as_posix()
        if path.is_relative_to(given):
            below = path.relative_to(given)
            if below.parts and ".." not in below.parts:
                return below
    return PurePosixPath(path.name)
