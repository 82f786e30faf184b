"""Many rules converted at once by the command line, as one file of many documents."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .builds import UUID, run, write


class Answer(NamedTuple):
    """The query of a rule, or why there is none."""

    query: str
    refused: str = ""


def rule_of(number: int, detection: Mapping[str, Any], logsource: Mapping[str, str], **said: str) -> str:
    """A rule on one line; ``said``: further keys."""
    content = {"id": f"{UUID}{number:02}", "title": "T", "status": "test", "level": "low", **said}
    text = json.dumps({**content, "logsource": logsource, "detection": detection}, ensure_ascii=False)
    # YAML does not take a pair of surrogates for a character, nor every character as it stands.
    return re.sub("[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def answers(target: str, rules: Sequence[str], folder: Path, *options: str) -> list[Answer]:
    """What each of the rules becomes; one that is refused for another reason than the target's is an error."""
    path = write(folder, rules="\n---\n".join(rules)) / "rules.yml"
    result = run("convert", "--target", target, *options, path)
    refused = {
        (int(line) + 1) // 2: reason
        for line, reason in re.findall(rf"rules\.yml:(\d+): error {target}: (.*)", result.stderr)
    }
    assert result.exit_code == (1 if refused else 0), result.stderr
    lines = result.stdout.split("\n")
    assert lines.pop() == ""
    assert len(lines) + len(refused) == len(rules), result.stderr
    queries = iter(lines)
    return [
        Answer("", refused[place]) if place in refused else Answer(next(queries)) for place in range(1, len(rules) + 1)
    ]
