"""A rule as a query of another language: the targets of ``build.py convert``."""

from __future__ import annotations

from builder.queries import es_qs, graylog, grep, logpoint, powershell, xpack_watcher
from builder.queries.language import RefusedError
from builder.queries.target import Converted, Settings, Target
from builder.spl import conversion as splunk

from .mappings import Mappings
from .outcomes import Outcome, RuleFolder

TARGETS: dict[str, Target] = {
    "es-qs": es_qs.TARGET,
    "graylog": graylog.TARGET,
    "grep": grep.TARGET,
    "logpoint": logpoint.TARGET,
    "powershell": powershell.TARGET,
    "splunk": splunk.TARGET,
    "xpack-watcher": xpack_watcher.TARGET,
}


class OptionError(Exception):
    """An option was given that a target does not have, or a value that it does not take."""


def convert(
    outcome: Outcome, target: str, mappings: Mappings, settings: Settings, folder: RuleFolder | None = None
) -> Converted:
    """What a document that can match is in another language. Raises RefusedError.

    ``settings``: as ``settings_of`` gives them; ``folder``: holds what correlations refer to.
    """
    row = TARGETS[target]
    if outcome.correlation is None:
        return row.write(outcome, mappings, settings)
    if row.correlate is None or folder is None:
        raise RefusedError("correlation")
    return row.correlate(outcome, folder, mappings, settings)


def settings_of(target: str, given: Settings) -> Settings:
    """The settings of a target: what was given, and defaults. Raises OptionError."""
    row = TARGETS[target]
    for name, value in given.items():
        if name not in row.options:
            having = ", ".join(one for one, other in TARGETS.items() if name in other.options)
            raise OptionError(f"--{name} is no option of {target} (it is one of {having})")
        choices = row.options[name].choices
        if choices and value not in choices:
            raise OptionError(f"--{name} of {target} is one of {', '.join(choices)}, not {value!r}")
    defaults = {name: False if option.flag else option.default for name, option in row.options.items()}
    settings = {**defaults, **given}
    fault = row.fault(settings)
    if fault:
        raise OptionError(fault)
    return settings


__all__ = ["TARGETS", "OptionError", "RefusedError", "convert", "settings_of"]
