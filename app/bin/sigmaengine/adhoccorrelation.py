"""A correlation in a search: the option ``correlation=`` of sigmacorrelate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .adhoc import ID, UNASKED, name_document, read_document, refuse_others
from .condition import identifiers
from .correlation import Correlation, read_correlation
from .correlationrefs import resolve
from .correlationwords import Named, Names
from .problems import WARNING, Problem
from .ruleset import RuleSet
from .ruletext import line_of
from .selection import RuleInfo

OPTION = "correlation"
#: The id of a correlation that has none. Not that of a rule: it may list one.
DEFAULT_ID = ID + "-correlation"

_ELSEWHERE = {
    "detection": f"this is a rule; write it into rule= of sigmamatch, with an id that begins with '{ID}', and list"
    " that id in the correlation",
    "filter": "this is a filter, which changes the rules of a build; write a correlation",
    "type": "this belongs under 'correlation': write {correlation: {type: ..., rules: ..., timespan: ...}}",
}
_UNKNOWN = (
    "{} is the id or the name of no packaged rule or correlation; correct it, or, of rule text (rule= of sigmamatch),"
    f" list the id, which begins with '{ID}'"
)


class TextCorrelation(NamedTuple):
    """The correlation of a search by its ``id``, and the others that it can list, resolved, inner ones first."""

    id: str
    correlations: list[Correlation]
    warnings: list[str]


class _RuleText(NamedTuple):
    """A rule that the search is said to hold."""

    id: str
    name: str = ""


def read_correlation_text(text: str, loaded: RuleSet) -> TextCorrelation:
    """The correlation that ``text`` is, over the rules and correlations of ``loaded`` and rule text.

    It takes the place of a packaged one that has its id. Raises ValueError with a message for the author
    of the search.
    """
    content = read_document(OPTION, text, ", the correlation", "; rules go into rule= of sigmamatch")
    if not isinstance(content, dict) or "correlation" not in content:
        refuse_others(OPTION, content, _ELSEWHERE)
    name_document(content, text, DEFAULT_ID)
    read, problems = read_correlation(content)
    if read is None:
        raise ValueError(_faults(content, problems))
    packaged = [one for one in loaded.correlations if one.id.lower() != read.id.lower()]
    known = [info for info in _in_force(loaded.infos) if info.id.lower() != read.id.lower()]
    rules: list[Named] = [*known, *_rule_text(read, [read, *packaged, *known])]
    usable, (more, *_) = resolve([read, *packaged], rules, unknown=_UNKNOWN)
    if all(one.id != read.id for one in usable):
        raise ValueError(_faults(content, more))
    told = [_said(content, problem) for problem in (*problems, *more) if problem.code not in UNASKED]
    return TextCorrelation(read.id, usable, told)


def _in_force(infos: Iterable[RuleInfo]) -> list[RuleInfo]:
    """Each id once: of a rule that a lookup replaces, what replaces it."""
    by_id: dict[str, RuleInfo] = {}
    for info in infos:
        if info.enabled or info.id.lower() not in by_id:
            by_id[info.id.lower()] = info
    return list(by_id.values())


def _rule_text(read: Correlation, known: Iterable[Named]) -> list[_RuleText]:
    """The rules of the search itself that a correlation lists, by their ids: no one else knows of them."""
    names = Names(list(known), {})
    expression = read.condition.expression
    listed = read.rules or (list(identifiers(expression)) if expression is not None else [])
    return [_RuleText(one) for one in dict.fromkeys(listed) if one.startswith(ID) and not names.ids(one)]


def _faults(content: Any, problems: Iterable[Problem]) -> str:
    return "; ".join(_said(content, problem) for problem in problems if problem.severity != WARNING)


def _said(content: Any, problem: Problem) -> str:
    return f"{OPTION}=, line {line_of(content, problem.where)}: {problem.message}"
