"""Files of filters, and what ``check`` says of them."""

from __future__ import annotations

from pathlib import Path

from click.testing import Result

from .builds import FINDING, UUID, run


def filter_text(
    identifiers: str = "own: {User: adm}", condition: str = "not own", rules: str = "any", **said: str
) -> str:
    """A filter over Windows rules; ``said``: lines in the place of these keys."""
    lines = {"title": "F", "id": f"{UUID}90", "logsource": "{product: windows}", **said}
    parts = [f"rules: {rules}", *identifiers.split("\n"), f"condition: {condition}"]
    body = "".join(f"  {part}\n" for part in parts if part and not part.endswith(": "))
    return "".join(f"{key}: {value}\n" for key, value in lines.items() if value) + "filter:\n" + body


def checked(folder: Path) -> list[tuple[str, int, str, str, str]]:
    """(file, line, severity, code, text) of every finding of ``check``."""
    result: Result = run("check", "--rules", folder, "--ignore", "convention")
    found = [FINDING.fullmatch(line) for line in result.stdout.splitlines()]
    assert None not in found
    return [
        (Path(one["path"]).stem, int(one["line"]), one["severity"], one["code"], one["text"]) for one in found if one
    ]
