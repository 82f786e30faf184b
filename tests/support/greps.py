"""Commands of ``convert --target grep``, run by a real shell and a real grep, and lines for them."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

Values = Mapping[str, str | Sequence[str]]


@functools.cache
def _version() -> str:
    probe = ["grep", "-a", "-P", "-e", "^(?=x)(?!y)", "/dev/null"]
    try:
        done = subprocess.run(probe, capture_output=True, check=False)
        version = subprocess.run(["grep", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return version.stdout.partition("\n")[0] if done.returncode == 1 and "GNU grep" in version.stdout else ""


def needs_grep() -> None:
    """Skips the test where there is no GNU grep with PCRE."""
    if not _version():
        pytest.skip("needs GNU grep with -P, which is not here")


def found(command: str, file: Path, cwd: Path | None = None) -> set[int]:
    """The numbers (from 0) of a file's lines that a command finds; it must not complain."""
    needs_grep()
    *before, last = command.rstrip("\n").split("\n")
    script = "\n".join([*before, f"{last} -n -- '{file}'"])
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=False, timeout=120, cwd=cwd or file.parent)
    assert done.stderr == b"", done.stderr[:500]
    assert done.returncode in (0, 1)
    return {int(line.split(b":", 1)[0]) - 1 for line in done.stdout.split(b"\n") if line}


def write_lines(path: Path, lines: Sequence[str]) -> Path:
    """A file of lines, none of which may hold a line break."""
    assert not any("\n" in line for line in lines)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8", newline="")
    return path


# --- lines --------------------------------------------------------------------------------------------

_MUST = {"&": ("&amp;",), "<": ("&lt;",), "\n": ("&#10;", "&#xA;", "&#010;"), "\r": ("&#13;", "&#xd;")}
_MAY = {
    ">": (">", "&gt;", "&#62;"),
    '"': ('"', "&quot;", "&#x22;"),
    "'": ("'", "&apos;", "&#39;"),
    "\t": ("\t", "&#9;"),
}


def xml_text(text: str, random: Random) -> str:
    """A text as XML may write it."""
    written = {**_MUST, **_MAY}
    return "".join(random.choice(written[one]) if one in written else one for one in text)


def xml_line(system: Mapping[str, str], data: Values, random: Random, *, user_data: bool = False) -> str:
    """A Windows event. Values of ``data`` are text of XML already; ``Data`` stands for data without a name."""
    quote = random.choice("'\"")
    number = random.choice(
        [f"<EventID>{system['EventID']}<", f"<EventID Qualifiers={quote}0{quote}>{system['EventID']}<"]
    )
    head = (
        f"<Event xmlns={quote}http://schemas.microsoft.com/win/2004/08/events/event{quote}><System>"
        f"<Provider Name={quote}{system.get('Provider_Name', 'P')}{quote} Guid={quote}{{0}}{quote}/>{number}/EventID>"
        f"<Version>0</Version><Level>{system.get('Level', '4')}</Level>"
        f"<Keywords>{system.get('Keywords', '0x80')}</Keywords><Channel>{system['Channel']}</Channel>"
        f"<Computer>c</Computer><Security UserID={quote}S-1{quote}/></System>"
    )
    values = [(name, one) for name, many in data.items() for one in ([many] if isinstance(many, str) else many)]
    if user_data:
        body = "".join(f"<{name}>{value}</{name}>" for name, value in values)
        return f"{head}<UserData><E xmlns={quote}urn:e{quote}>{body}</E></UserData></Event>"
    body = "".join(
        f"<Data>{value}</Data>" if name == "Data" else f"<Data Name={quote}{name}{quote}>{value}</Data>"
        for name, value in values
    )
    empty = random.choice(["", f"<Data Name={quote}Empty{quote}/>", f"<Data Name={quote}Empty{quote}></Data>"])
    return f"{head}<EventData>{empty}{body}</EventData></Event>"


def json_line(event: Values, random: Random) -> str:
    """An event as an object of JSON: flat or nested, with more or less blanks and escapes."""
    nested: dict[str, Any] = {}
    for name, value in event.items():
        steps = name.split(".") if random.random() < 0.5 else [name]
        inner = nested
        for step in steps[:-1]:
            inner = inner.setdefault(step, {})
        inner[steps[-1]] = _json_value(value if isinstance(value, str) else list(value), random)
    if random.random() < 0.3:
        nested = {"before": {"A": [{}, "}"], 'q"\\': None}, **nested, "after": []}
    separators = random.choice([(",", ":"), (", ", ": "), (" , ", " : ")])
    text = json.dumps(nested, ensure_ascii=random.random() < 0.5, separators=separators)
    return _more_escapes(text) if random.random() < 0.3 else text


def _json_value(value: Any, random: Random) -> Any:
    if isinstance(value, list):
        return [_json_value(one, random) for one in value]
    if value in ("true", "false") or (value.isascii() and value.isdigit() and str(int(value)) == value):
        return json.loads(value) if random.random() < 0.5 else value
    return value


def _more_escapes(text: str) -> str:
    """As encoders write that keep JSON from being read as HTML."""
    return "".join(f"\\u{ord(one):04x}" if one in "&<>'+" else one for one in text).replace("/", "\\/")
