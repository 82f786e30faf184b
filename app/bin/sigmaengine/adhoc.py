"""Rule text in a search: the options ``rule=``, and ``selection=`` with ``condition=``."""

from __future__ import annotations

from typing import Any

from .placeholders import Placeholders
from .problems import WARNING, Problem
from .rule import Rule, read_rule
from .ruletext import TextError, line_of, read_documents

ID = "adhoc"
_TITLE_LENGTH = 80
# What is missing in rule text by intention is no news to its author.
_UNASKED = ("id-missing", "id-no-uuid", "title-missing", "level-missing", "status-missing", "logsource-missing")


def read_rule_text(
    rule: str, selection: str, condition: str, placeholders: Placeholders | None = None
) -> tuple[Rule, list[str]]:
    """The rule that a search's options hold, and warnings about it.

    ``rule`` is a whole Sigma document; ``selection`` a YAML mapping or list: alone it is one
    identifier named ``selection``, with ``condition`` a mapping of identifiers.
    Raises ValueError with a message for the author of the search.
    """
    if rule and (selection or condition):
        raise ValueError("rule= is a whole rule and cannot be combined with selection= or condition=")
    if condition and not selection:
        raise ValueError("condition= needs selection=, a YAML mapping of the identifiers that it names")
    option, text = ("rule", rule) if rule else ("selection", selection)
    content = _read_yaml(option, text)
    document = content if rule else _document(content, condition)
    if isinstance(document, dict):
        document.setdefault("title", " ".join(text.split())[:_TITLE_LENGTH])
        document.setdefault("id", ID)
    read, problems = read_rule(document, placeholders)
    if read is None:
        raise ValueError(
            "; ".join(_said(option, content, condition, problem) for problem in problems if problem.severity != WARNING)
        )
    return read, [_said(option, content, condition, problem) for problem in problems if problem.code not in _UNASKED]


def _document(content: Any, condition: str) -> dict[str, Any]:
    if not condition:
        return {"detection": {"selection": content, "condition": "selection"}}
    if not isinstance(content, dict):
        message = "with condition=, selection= is a YAML mapping of identifiers to what they select"
        raise ValueError(message)  # noqa: TRY004 - the type of the user's text, not of an argument
    return {"detection": {**content, "condition": condition}}


def _read_yaml(option: str, text: str) -> Any:
    try:
        documents = list(read_documents(text))
    except TextError as error:
        raise ValueError(f"{option}=, line {error.line}: {error}") from None
    if len(documents) != 1:
        raise ValueError(f"{option}= must hold one YAML document, not {len(documents)}")
    return documents[0]


def _said(option: str, content: Any, condition: str, problem: Problem) -> str:
    """A problem with its line in the option's text, in which paths begin further down than in a rule."""
    where = problem.where
    if option == "selection":
        if condition and where[:2] == ("detection", "condition"):
            return f"condition=: {problem.message}"
        where = where[1:] if condition else where[2:]
    return f"{option}=, line {line_of(content, where)}: {problem.message}"
