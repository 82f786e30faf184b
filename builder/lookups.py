"""The lookup of rules: what a search wants to know of a rule that matched."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from typing import Any

from sigmaengine.modifiers import scalar_text

from .attack import read_attack
from .outcomes import Outcome

LOOKUP = "sigma_rules"

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)\Z")
# Groups, software, campaigns, data sources, mitigations and so on: a letter or two and digits.
_OTHER_ATTACK_ID = re.compile(r"attack\.[a-z]{1,2}\d")
_SEVERAL = "\n"


def techniques(tags: list[str]) -> list[str]:
    """The ATT&CK techniques among a rule's tags, as ATT&CK writes them: ``T1059.001``."""
    return [found[1].upper() for tag in tags if (found := _TECHNIQUE.match(tag))]


def technique_names(tags: list[str]) -> list[str]:
    """What ATT&CK calls the techniques among a rule's tags, in their order."""
    attack = read_attack()
    return [attack.name_of(number) for number in techniques(tags)]


def tactics(tags: list[str]) -> list[str]:
    """The ATT&CK tactics among a rule's tags, hyphenated: ``command-and-control``."""
    return [
        tag.removeprefix("attack.").replace("_", "-")
        for tag in tags
        if tag.startswith("attack.") and not _OTHER_ATTACK_ID.match(tag)
    ]


def _said(key: str) -> Callable[[Outcome], str]:
    """What the rule's document says under ``key``; several values on a line each."""

    def value(outcome: Outcome) -> str:
        content: Any = outcome.document.get(key)
        values = content if isinstance(content, list) else [content]
        return _SEVERAL.join(filter(None, map(_as_written, values)))

    return value


def _as_written(value: Any) -> str:
    """A value on one line, as YAML writes it: "- Admins: rarely" is a mapping by accident."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{_as_written(key)}: {_as_written(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_as_written, value))
    return " ".join(scalar_text(value).split())


def _of_rule(name: str) -> Callable[[Outcome], str]:
    def value(outcome: Outcome) -> str:
        found = getattr(outcome.meant, name)
        return _SEVERAL.join(found) if isinstance(found, list) else str(found)

    return value


def _of_logsource(name: str) -> Callable[[Outcome], str]:
    return lambda outcome: str(getattr(outcome.rule.logsource, name)) if outcome.rule else ""


def _of_tags(pick: Callable[[list[str]], list[str]]) -> Callable[[Outcome], str]:
    def value(outcome: Outcome) -> str:
        return _SEVERAL.join(pick(getattr(outcome.meant, "tags", [])))

    return value


#: The columns of the lookup, in order. Several values of one stand on a line each.
COLUMNS: dict[str, Callable[[Outcome], str]] = {
    "sigma_rule_id": _of_rule("id"),
    "title": _of_rule("title"),
    "level": _of_rule("level"),
    "status": _of_rule("status"),
    "description": _said("description"),
    "author": _of_rule("author"),
    "license": _said("license"),
    "date": _said("date"),
    "modified": _said("modified"),
    "tags": _of_rule("tags"),
    "techniques": _of_tags(techniques),
    "technique_names": _of_tags(technique_names),
    "tactics": _of_tags(tactics),
    "product": _of_logsource("product"),
    "category": _of_logsource("category"),
    "service": _of_logsource("service"),
    "falsepositives": _said("falsepositives"),
    "references": _said("references"),
}


def rules_csv(accepted: list[Outcome]) -> str:
    """The lookup's file: a row a rule or correlation, by id."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for outcome in sorted(accepted, key=lambda outcome: outcome.id):
        writer.writerow([column(outcome) for column in COLUMNS.values()])
    return table.getvalue()


def transforms_conf(file_name: str) -> str:
    """The stanza by which searches name the lookup, whatever its file is called in this build."""
    return (
        "# Written by the build. The file's name carries the hash of the rules, so that a stale file\n"
        "# that a deployer has kept is never mistaken for this one.\n\n"
        f"[{LOOKUP}]\nfilename = {file_name}\ncase_sensitive_match = false\nmax_matches = 1\n"
    )
