"""A rule as a query of another language: the targets of ``build.py convert``."""

from __future__ import annotations

from builder.queries import grep
from builder.queries.language import RefusedError
from builder.queries.target import Converted, Settings, Target
from builder.spl import conversion as splunk

from .mappings import Mappings
from .outcomes import Outcome

TARGETS: dict[str, Target] = {
    "splunk": splunk.TARGET,
    "grep": grep.TARGET,
}


class OptionError(Exception):
    """An option was given that a target does not have, or a value that it does not take."""


def convert(outcome: Outcome, target: str, mappings: Mappings, settings: Settings) -> Converted:
    """What a document that can match is in another language. Raises RefusedError.

    ``settings``: as ``settings_of`` gives them.
    """
    return TARGETS[target].write(outcome, mappings, settings)


def settings_of(target: str, given: Settings) -> Settings:
    """The settings of a target: what was given, and defaults. Raises OptionError."""
    options = TARGETS[target].options
    for name, value in given.items():
        if name not in options:
            having = ", ".join(one for one, other in TARGETS.items() if name in other.options)
            raise OptionError(f"--{name} is no option of {target} (it is one of {having})")
        if options[name].choices and value not in options[name].choices:
            raise OptionError(f"--{name} of {target} is one of {', '.join(options[name].choices)}, not {value!r}")
    return {name: given.get(name, False if option.flag else option.default) for name, option in options.items()}


__all__ = ["TARGETS", "OptionError", "RefusedError", "convert", "settings_of"]
