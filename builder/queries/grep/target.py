"""``convert --target grep``: a rule as a command for lines of events."""

from __future__ import annotations

import re

from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.queries.events import FieldProfile, is_known, is_windows, query
from builder.queries.language import RefusedError
from builder.queries.target import Converted, Option, Settings, Target
from builder.queries.walker import said
from builder.texts import one_line
from sigmaengine.rule import Rule

from .jsonlines import JsonLines, WindowsJsonLines
from .lines import Lines
from .textlines import TextLines
from .xmllines import XmlLines

#: Code points and no bytes, whatever the user's language; lines that hold odd bytes are text too.
_GREP = "LC_ALL=C.UTF-8 grep -a -P"
_END = "END_OF_PATTERN"
# What PCRE compiles has at most 65,535 bytes, and a shell's argument 131,071.
_MOST_COMPILED = 65_000
_MOST_ARGUMENT = 130_000


def write(outcome: Outcome, mappings: Mappings, settings: Settings) -> Converted:
    """A command whose last line takes names of files. Raises RefusedError."""
    if outcome.rule is None or outcome.correlation is not None:
        raise RefusedError("correlation", "grep looks at one line after the other")
    rule = outcome.rule
    form = settings["line-format"] or ("xml" if is_windows(rule.logsource) else "json")
    pattern = _pattern(rule, mappings, form)
    file = settings["pattern-file"]
    if _compiled(pattern) > _MOST_COMPILED:
        raise RefusedError("length", "PCRE compiles 64 KiB at most")
    if not file and len(pattern.encode()) > _MOST_ARGUMENT:
        raise RefusedError("length", "--pattern-file takes more")
    return Converted(
        _from_file(pattern, file) if file else f"{_GREP} -e {_quoted(pattern)}", _notes(rule, mappings, form)
    )


def _pattern(rule: Rule, mappings: Mappings, form: str) -> str:
    windows = is_windows(rule.logsource)
    if form == "text":
        lines: Lines = TextLines()
        asked = said(rule, lines, str)
    else:
        lines = _LINES[form, windows]()
        asked = query(rule, mappings, lines, FieldProfile())
    pattern = lines.pattern(asked)
    if _SURROGATE.search(pattern):
        raise RefusedError("text", "half a character")
    return pattern


_LINES: dict[tuple[str, bool], type[Lines]] = {
    ("xml", True): XmlLines,
    ("xml", False): XmlLines,
    ("json", True): WindowsJsonLines,
    ("json", False): JsonLines,
}
_SURROGATE = re.compile(r"\\x\{d[89a-f][0-9a-f]{2}\}")


def _notes(rule: Rule, mappings: Mappings, form: str) -> tuple[str, ...]:
    source = one_line(str(rule.logsource))
    if form == "text":
        return (f"lines of text do not tell which of them are of {source}: give grep those alone",)
    if is_known(rule, mappings):
        return ()
    return (
        f"which lines are of {source} is not known: give grep those alone, {form.upper()} with Sigma's names of fields",
    )


def _quoted(text: str) -> str:
    """A text as one word of a POSIX shell, in which nothing is expanded."""
    return "'" + text.replace("'", "'\\''") + "'"


def _from_file(pattern: str, file: str) -> str:
    """Lines that write the pattern to a file, and the command that reads it."""
    if "\n" in file or "\r" in file:
        raise RefusedError("text", "a line break in the name of the pattern file")
    name = _quoted(f"./{file}" if file.startswith("-") else file)
    # The pattern is one line, and begins with a parenthesis.
    return f"cat >{name} <<'{_END}'\n{pattern}\n{_END}\n{_GREP} -f {name}"


# --- how much of a pattern PCRE keeps ---------------------------------------------------------------

#: Kinds of pieces of a pattern, and how many bytes each takes; the first that fits counts.
_PIECES = {
    r"\((?:\?(?:<?[=!]|>|:|i:|-i:|\||<\w+>|\(DEFINE\)))?": 7,
    r"\[\^?(?:\\.|[^\\\]])\]": 3,
    r"\[[a-z][A-Z]\]": 2,
    r"\[\^?(?:\\[^\]pPx]|[!-\[^-~])*\]": 35,
    r"\[\^?(?:\\[^]]\{[^}]*\}|\\.|[^\]\\])*\]": 100,
    r"\\x\{[0-9a-f]+\}": 5,
    r"\\(?:g\{-1\}|[pP]\{\w+\})": 4,
    r"\\.": 2,
    r"\{[0-9,]+\}": 8,
    r"\|": 3,
    r"[)?&]": 0,
    r"[*+]": 1,
    r"[ -~]": 2,
    r"[^\x00-\x7f]": 5,
}
_PIECE = re.compile("|".join(f"({piece})" for piece in _PIECES), re.DOTALL)
_SIZES = list(_PIECES.values())


def _compiled(pattern: str) -> int:
    """How many bytes a pattern takes, about, once PCRE has compiled it."""
    return sum(_SIZES[piece.lastindex - 1] for piece in _PIECE.finditer(pattern) if piece.lastindex)


TARGET = Target(
    "a command of GNU grep (grep -P) for lines of events",
    "sh",
    write,
    {
        "line-format": Option(
            "What a line is.  [default: xml for events of Windows, json for others]",
            choices=("xml", "json", "text"),
        ),
        "pattern-file": Option("A file that the command writes the pattern to, and reads it from."),
    },
)
