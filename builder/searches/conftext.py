"""Stanzas -> the text of a .conf file.

A value with several lines is written with a backslash before each line end, as Splunk reads it.
"""

from __future__ import annotations

from collections.abc import Mapping

_HEADER = "# Written by the build; what is changed in local/ counts before this.\n"


def conf_text(stanzas: Mapping[str, Mapping[str, str]]) -> str:
    """The file, in the order given. Raises ValueError for what no .conf file can say."""
    return _HEADER + "".join(
        f"\n[{name}]\n" + "".join(f"{key} = {_value(key, value)}\n" for key, value in settings.items())
        for name, settings in stanzas.items()
    )


def _value(key: str, value: str) -> str:
    lines = value.split("\n")
    # Splunk takes a backslash at the end of a line for a continuation, and drops blanks around a value.
    if any(line.endswith("\\") or not line.strip() for line in lines) or value != value.strip():
        raise ValueError(f"{key}: {value!r} cannot be written into a .conf file")
    return "\\\n".join(lines)
