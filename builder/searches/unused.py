"""What a configuration says of searches that the package does not have: warnings, as it fits other rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from builder.findings import Finding, warning
from builder.yamlfiles import documents
from sigmaengine.problems import Where
from sigmaengine.ruletext import line_of

from .context import Context
from .correlations import alerting_correlations


def unused(path: Path, context: Context) -> list[Finding]:
    """Warnings for the file of a context's configuration, by line."""
    name = path.as_posix()
    document: Any = next(iter(documents(path, name)), None)
    found = [
        warning(name, line_of(document, where), "config", f"'{'.'.join(map(_step, where))}': {message}")
        for where, message in _unused(context)
    ]
    return sorted(found)


def _step(step: Any) -> str:
    return str(step + 1) if isinstance(step, int) else str(step)


def _unused(context: Context) -> Iterator[tuple[Where, str]]:
    configuration = context.configuration
    yield from _streams(context, ("enable", "streams"), configuration.enable.streams)
    alone = [one for one in context.folder.accepted if one.id in context.alone]
    own = [*alone, *alerting_correlations(context)]
    for number, schedule in enumerate(configuration.schedules):
        where = ("schedules", number)
        yield from _streams(context, (*where, "streams"), schedule.streams)
        if schedule.choice and not schedule.choice.chosen(own):
            yield where, "none of these rules has a search of its own; name them in by_rule, or give streams"


def _streams(context: Context, where: Where, names: tuple[str, ...]) -> Iterator[tuple[Where, str]]:
    there = {stream.name for stream in context.layout.streams}
    for name in names:
        if name not in there:
            yield where, f"the package has no search of the stream {name}: no rule that alerts is tried on its events"
