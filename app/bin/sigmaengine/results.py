"""Matching rules -> the fields that a search sees."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from .metadata import DEFAULT_LEVEL, LEVELS
from .patterns import as_text
from .plain import Evidence
from .selection import RuleInfo

#: The fields that are always added, in this order.
FIELDS = (
    "sigma_rule_id",
    "sigma_rule_title",
    "sigma_level",
    "sigma_tags",
    "sigma_severity",
    "sigma_risk_score",
    "sigma_match",
)
EXPLAIN_FIELD = "sigma_explain"

#: What a match adds to the risk score of an event, by level.
RISK_SCORES = {"informational": 1, "low": 10, "medium": 30, "high": 60, "critical": 90}
MAX_RISK_SCORE = 100

# A value in an explanation is cut: a command line can have 32,000 characters.
_SHOWN_VALUE = 400

#: The values of a row's result fields.
ResultValues = Mapping[str, Sequence[str]]


class Entry(NamedTuple):
    """What is told of one rule that matched: an object of ``sigma_match``."""

    id: str
    title: str
    level: str
    score: int
    author: str
    tags: list[str]

    def to_json(self) -> str:
        """As ``sigma_match`` shows it."""
        return json.dumps(self._asdict(), ensure_ascii=False, separators=(",", ":"))


def entry_of(info: RuleInfo) -> Entry:
    """The entry of a rule."""
    return Entry(info.id, info.title, info.level, RISK_SCORES[info.level], info.author, info.tags)


def result_values(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """The values of every field of ``FIELDS``; empty lists if there are no entries."""
    ordered = sorted(entries, key=lambda entry: (-LEVELS.index(entry.level), entry.id))
    score = min(sum(entry.score for entry in ordered), MAX_RISK_SCORE)
    return {
        "sigma_rule_id": [entry.id for entry in ordered],
        "sigma_rule_title": [entry.title for entry in ordered],
        "sigma_level": [entry.level for entry in ordered],
        "sigma_tags": list(dict.fromkeys(tag for entry in ordered for tag in entry.tags)),
        "sigma_severity": [ordered[0].level] if ordered else [],
        "sigma_risk_score": [str(score)] if ordered else [],
        "sigma_match": [entry.to_json() for entry in ordered],
    }


def earlier_entries(values: ResultValues) -> list[Entry]:
    """The entries that an earlier ``sigmamatch`` left in a row.

    ``sigma_match`` tells all of them; where a search dropped it, the parallel lists of ids, titles
    and levels still do.
    """
    found: dict[str, Entry] = {}
    for text in values.get("sigma_match", ()):
        entry = _read_entry(text)
        if entry is not None:
            found.setdefault(entry.id, entry)
    titles, levels = values.get("sigma_rule_title", ()), values.get("sigma_level", ())
    for position, rule_id in enumerate(values.get("sigma_rule_id", ())):
        title = titles[position] if position < len(titles) else rule_id
        level = levels[position] if position < len(levels) else DEFAULT_LEVEL
        level = level if level in LEVELS else DEFAULT_LEVEL
        found.setdefault(rule_id, Entry(rule_id, title, level, RISK_SCORES[level], "", []))
    return list(found.values())


def _read_entry(text: str) -> Entry | None:
    try:
        read = json.loads(text)
        level = read["level"] if read["level"] in LEVELS else DEFAULT_LEVEL
        tags = [str(tag) for tag in read.get("tags") or ()]
        score = min(max(int(read["score"]), 0), MAX_RISK_SCORE)
        return Entry(str(read["id"]), str(read["title"]), level, score, str(read["author"]), tags)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None  # somebody else's field of that name; it is told by the rule ids, if at all


def merged(earlier: ResultValues, entries: Sequence[Entry], explanations: Sequence[str]) -> dict[str, list[str]]:
    """The result fields of a row that already had some."""
    known = {entry.id: entry for entry in earlier_entries(earlier)}
    known.update((entry.id, entry) for entry in entries)
    values = result_values(list(known.values()))
    # Tags of rules of which the search kept no more than the names.
    values["sigma_tags"] = list(dict.fromkeys([*values["sigma_tags"], *earlier.get("sigma_tags", ())]))
    new_ids = {entry.id for entry in entries}
    kept = [text for text in earlier.get(EXPLAIN_FIELD, ()) if _explained_rule(text) not in new_ids]
    values[EXPLAIN_FIELD] = [*kept, *explanations] if explanations else list(earlier.get(EXPLAIN_FIELD, ()))
    return values


def without(earlier: ResultValues, rules: Collection[str]) -> dict[str, list[str]]:
    """The result fields that a row has when some rules are taken out of it; all of FIELDS, empty where none is left."""
    values = result_values([entry for entry in earlier_entries(earlier) if entry.id not in rules])
    if EXPLAIN_FIELD in earlier:
        values[EXPLAIN_FIELD] = [text for text in earlier[EXPLAIN_FIELD] if _explained_rule(text) not in rules]
    return values


def explanation(rule_id: str, evidence: Sequence[Evidence]) -> str:
    """One value of ``sigma_explain``: a JSON object of the rule's id and the items that matched."""
    items = [
        {
            "selection": found.item.selection,
            "item": found.item.key,
            "field": found.item.field or "",
            "value": found.value if len(found.value) <= _SHOWN_VALUE else found.value[:_SHOWN_VALUE] + "...",
            "pattern": describe_test(found.test),
        }
        for found in evidence
    ]
    return json.dumps({"rule": rule_id, "items": items}, ensure_ascii=False, separators=(",", ":"))


def _explained_rule(text: str) -> str:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return str(read.get("rule", "")) if isinstance(read, dict) else ""


def describe_test(test: Sequence[Any]) -> str:
    """A test as its author would write it."""
    kind, *arguments = test
    described: str = _DESCRIPTIONS[kind](*arguments)
    return described


_COMPARED = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_DESCRIPTIONS: dict[str, Any] = {
    "str": lambda cased, parts: as_text(tuple(parts)),
    "num": lambda text: text,
    "re": lambda flags, expression: f"/{expression}/{flags}",
    "cidr": lambda network: network,
    "cmp": lambda operator, text: f"{_COMPARED[operator]} {text}",
    "part": lambda unit, operator, text: f"{unit} {_COMPARED[operator]} {text}",
    "null": lambda: "no value",
    "exists": lambda wanted: "has a value" if wanted else "no value",
    "any": lambda *tests: " or ".join(map(describe_test, tests)),
    "ref": lambda anchor, cased, field: f"{anchor} field {field}".strip(),
}


def field_names(explain: bool) -> tuple[str, ...]:
    """The fields that are added to a search's header."""
    return (*FIELDS, EXPLAIN_FIELD) if explain else FIELDS
