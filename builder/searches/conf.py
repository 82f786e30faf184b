"""Text of .conf files: stanzas of settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

from builder.texts import one_line

#: Setting -> value, in the order to be written.
Stanza = Mapping[str, str]

LONGEST_NAME = 99
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")


def stanza_name(kind: str, ident: str) -> str:
    """The name of a saved search: ``Sigma Rule - ID``.

    Not the title's, so that a rule that gets another one keeps its users' settings. An id of other
    signs than a stanza can have is named by its hash.
    """
    plain = ident if _PLAIN_ID.match(ident) else sha256(ident.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    return f"Sigma {kind} - {plain}"


def is_kind(name: str, kind: str) -> bool:
    """Whether a saved search's name is one of this kind."""
    return name.startswith(f"Sigma {kind} - ")


def is_nameable(ident: str) -> bool:
    """True of an id that stands in a stanza's name and in a search as it is."""
    return bool(_PLAIN_ID.match(ident))


def macro_word(ident: str) -> str:
    """An id as a part of a macro's name; with a hash where another id may have the same letters and digits."""
    word = re.sub(r"[^A-Za-z0-9]", "_", stanza_name("", ident).removeprefix("Sigma  - "))
    if _UUID.match(ident):
        return word
    return f"{word}_{sha256(ident.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"


def prose(text: str) -> str:
    """Text of people as the value of a setting.

    On one line; no backslash at its end, which would continue it; and no ``rm -rf`` or the like, which
    AppInspect takes for a command wherever it stands: the hyphen becomes one that does not break.
    """
    line = one_line(text).encode("utf-8", "backslashreplace").decode()
    return re.sub(r"rm(\s+)-(?=[rf])", "rm\\1\u2011", line).rstrip("\\ ")


#: AppInspect looks for destructive shell commands line by line, in whatever is written in a .conf file.
SHELL_COMMAND = re.compile(r"rm\s+-[rf]")


def unwritable(text: str) -> str:
    """Why text of people cannot stand in a setting as it is; empty if it can."""
    if SHELL_COMMAND.search(text):
        return "AppInspect refuses a package with this shell command"
    if not text.isprintable():
        return "it has signs that cannot be printed"
    return "a setting cannot end in a backslash" if text.rstrip().endswith("\\") else ""


def is_stanza_name(name: str) -> bool:
    """True of what can be the name of a stanza."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and not re.search(r"[\[\]/]", name)


def _is_line(text: str) -> bool:
    return text == text.strip() and not text.endswith("\\") and one_line(text) == " ".join(text.split())


def conf(stanzas: Mapping[str, Stanza], heading: str) -> str:
    """The file's text, ``heading`` as a comment first. Raises ValueError where Splunk would read something else."""
    lines = [f"# {line}" for line in heading.splitlines()]
    for name, settings in stanzas.items():
        if not is_stanza_name(name):
            raise ValueError(f"{name!r} cannot be the name of a stanza")
        lines += ["", f"[{name}]"]
        for setting, value in settings.items():
            if not all(map(_is_line, value.split("\n"))):
                raise ValueError(f"[{name}] {setting}: {value!r} cannot be a setting's value")
            # A backslash at a line's end says that the value goes on.
            lines.append(f"{setting} = {value}".rstrip().replace("\n", "\\\n"))
    return "\n".join(lines) + "\n"
