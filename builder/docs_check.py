"""``docs/check.md``, from the registry of codes.

``python -m builder.docs_check`` prints the page, ``--write`` writes it, ``--check`` exits with 1 if
the page in the checkout is another one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "app" / "bin")]

from builder.docpages import page_command  # noqa: E402 - after the path is set
from builder.lint.registry import FILE_NAME, TOPICS, Code, codes  # noqa: E402 - after the path is set

#: A text in single quotes, which are no apostrophes.
_QUOTED = re.compile(r"(?<!\w)'([^'\n]+)'(?!\w)")
PAGE = ROOT / "docs" / "check.md"

_INTRODUCTION = """\
# Checking rules

    python build.py check [--rules DIR]... [--placeholders FILE] [--format text|json|sarif]
                          [--select CODE,...] [--ignore CODE,...]

lists what is wrong with rules (errors: the rule cannot be used) and what is probably not meant or
could be said better (warnings: the rule is used all the same). The exit status is 1 if a rule
cannot be used, 2 for wrong usage, otherwise 0; warnings do not change it, and neither does what is
listed. This page is written by `make docs` from the registry of codes, `builder/lint/codes/`; a
test compares the two and runs every example.

- `--select` lists some codes alone, `--ignore` leaves some out. Both take codes and topics
  ({topics}), separated by commas.
- What is said of a rule's logic is proven, not guessed: a value, an item or an identifier is called
  redundant only if it follows from the others for every event, and contradictory only if no event
  can have both. Where an event could by having several values in one field, the message says so.
- ATT&CK's tactics and techniques are those of Enterprise v19; groups, software, campaigns and what
  took the place of retired techniques are those of v18.1. The data comes with two packages of
  `requirements.txt`; nothing is asked of a network.

## Formats

*text* (the default): a line for each finding on standard output, `PATH:LINE: error CODE: MESSAGE`
or `PATH:LINE: warning CODE: MESSAGE`. The count of rules, on standard error, is for people.

*json*: one object on standard output.

| key | value |
|---|---|
| `version` | 1; raised when a key changes its meaning |
| `tool` | `name`, `version` |
| `summary` | numbers: `files`, `documents`, `refused` ones, `errors` and `warnings` that are listed |
| `findings` | each with `path`, `line` (from 1), `severity`, `code`, `message`, `rule_id`, `title` |

`severity` is `error` or `warning`; `rule_id` and `title` are empty where they are not known.

*sarif*: SARIF 2.1.0, for services that show findings beside the code. Paths are relative to the
folder in which the command runs; there are lines, and no columns. Each code is a rule with its
text from this page; `properties` of a result hold `sigmaRuleId` and `sigmaRuleTitle`. A test checks
what is said of this page's examples against the JSON schema of the standard (OASIS, errata 01).

## Codes
"""


def page() -> str:
    """The page's text."""
    topics = ", ".join(f"`{topic}`" for topic in TOPICS)
    return "\n".join([_INTRODUCTION.replace("{topics}", topics), *_table(), "", *_sections()])


def _table() -> Iterator[str]:
    yield "| topic | codes |"
    yield "|---|---|"
    for topic, title in TOPICS.items():
        links = ", ".join(f"[{code}](#{code})" for code, entry in codes().items() if entry.topic == topic)
        yield f"| {title} (`{topic}`) | {links} |"


def _sections() -> Iterator[str]:
    for topic, title in TOPICS.items():
        yield f"## {title}\n"
        for entry in codes().values():
            if entry.topic == topic:
                yield from _section(entry)


def _section(entry: Code) -> Iterator[str]:
    yield f"### {entry.code}\n"
    yield f"*{entry.severity.capitalize()}.* {_marked(entry.what)}\n"
    yield f"{_marked(entry.why)} {_marked(entry.do)}\n"
    if entry.situation:
        yield f"Example: {_marked(entry.situation)}.\n"
        return
    if entry.file != FILE_NAME:
        yield f"In a file named `{entry.file}`:\n"
    if entry.placeholders:
        yield f"With a file of placeholders that says `{entry.placeholders.strip()}`:\n"
    yield f"```yaml\n{entry.example}```\n"
    yield "Better:\n"
    yield f"```yaml\n{entry.fixed}```\n"


def _marked(text: str) -> str:
    """``text`` as Markdown: what stands in single quotes is code; no character is Markdown's by chance."""
    parts = _QUOTED.split(text)
    return "".join(f"`{part}`" if index % 2 else _escaped(part) for index, part in enumerate(parts))


def _escaped(text: str) -> str:
    for character in "\\*_<[":
        text = text.replace(character, "\\" + character)
    return text


main = page_command(PAGE, "builder.docs_check", page)


if __name__ == "__main__":
    main()
