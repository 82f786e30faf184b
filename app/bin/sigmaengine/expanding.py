"""Rules with placeholders beside the compiled rules, so that a lookup can give their values.

``expanding.json`` holds the values of the build, and of each rule that uses ``expand`` its document,
the placeholders that it names and the filters that reach it. Documents are written so that numbers
stay as they were written: text begins with ``'``, a number with ``#``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .filters import Filter, filtered
from .modifiers import scalar_text
from .packedjson import packed
from .problems import Problem
from .rule import Item, LogSource, Rule, read_rule
from .ruleset import RuleSetError
from .scalars import resolve

FILE = "expanding.json"


class ExpandingRule(NamedTuple):
    """``names``: of its placeholders; ``filters``: those that reach it."""

    document: Any
    names: list[str]
    filters: list[Filter]

    def read(self, placeholders: Mapping[str, Sequence[str]]) -> tuple[Rule | None, list[Problem]]:
        """The rule with values, and its filters; see ``read_rule``."""
        rule, problems = read_rule(self.document, placeholders)
        return filtered(rule, self.filters) if rule else None, problems


class Expanding(NamedTuple):
    """``values``: the placeholders of the build."""

    values: dict[str, list[str]]
    rules: list[ExpandingRule]


def as_json(expanding: Expanding) -> str:
    """The file's text."""
    rules = [rule._replace(document=_written(rule.document)) for rule in expanding.rules]
    return packed({"values": expanding.values, "rules": rules})


def read(folder: str) -> Expanding:
    """Read the file of a rule set's folder. Raises RuleSetError."""
    path = os.path.join(folder, FILE)
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        return Expanding(content["values"], [_rule(*entry) for entry in content["rules"]])
    except OSError as error:
        raise RuleSetError(f"cannot read {path}: {error.strerror}; install the app again") from None
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise RuleSetError(f"{path} is damaged ({error}); install the app again") from None


def _rule(document: Any, names: list[str], filters: list[list[Any]]) -> ExpandingRule:
    return ExpandingRule(
        _read_document(document),
        names,
        [_filter(Filter(*values)) for values in filters],
    )


def _filter(one: Filter) -> Filter:
    return one._replace(logsource=LogSource(*one.logsource), items=[Item(*item) for item in one.items])


def _written(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _written(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return list(map(_written, value))
    if value is None or isinstance(value, bool):
        return value
    return f"'{value}" if isinstance(value, str) else f"#{scalar_text(value)}"


def _read_document(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _read_document(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return list(map(_read_document, value))
    if isinstance(value, str):
        return value[1:] if value[0] == "'" else resolve(value[1:])
    return value
