"""Rule text in a search: the options ``rule=``, and ``selection=`` with ``condition=``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .placeholders import Placeholders
from .problems import WARNING, Problem
from .rule import Rule, read_rule
from .ruletext import TextError, line_of, read_documents

#: The id of rule text that has none.
ID = "adhoc"
_TITLE_LENGTH = 80
# What is missing in rule text by intention is no news to its author.
UNASKED = ("id-missing", "id-no-uuid", "title-missing", "level-missing", "status-missing", "logsource-missing")

_ELSEWHERE = {"correlation": "this is a correlation; write it into correlation= of sigmacorrelate, behind sigmamatch"}


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
    content = read_document(option, text)
    refuse_others(option, content, _ELSEWHERE if rule else {})
    document = content if rule else _document(content, condition)
    name_document(document, text, ID)
    read, problems = read_rule(document, placeholders)
    if read is None:
        raise ValueError(
            "; ".join(_said(option, content, condition, problem) for problem in problems if problem.severity != WARNING)
        )
    return read, [_said(option, content, condition, problem) for problem in problems if problem.code not in UNASKED]


def _document(content: Any, condition: str) -> dict[str, Any]:
    if not condition:
        return {"detection": {"selection": content, "condition": "selection"}}
    if not isinstance(content, dict):
        message = "with condition=, selection= is a YAML mapping of identifiers to what they select"
        raise ValueError(message)  # noqa: TRY004 - the type of the user's text, not of an argument
    return {"detection": {**content, "condition": condition}}


def read_document(option: str, text: str, what: str = "", advice: str = "") -> Any:
    """The one YAML document that an option holds; ``what`` it is and ``advice`` complete the message.

    Raises ValueError with a message for the author of the search.
    """
    try:
        documents = list(read_documents(text))
    except TextError as error:
        raise ValueError(f"{option}=, line {error.line}: {error}") from None
    if len(documents) != 1:
        raise ValueError(f"{option}= must hold one YAML document{what}, not {len(documents)}{advice}")
    return documents[0]


def refuse_others(option: str, content: Any, others: Mapping[str, str]) -> None:
    """Raises ValueError if a document has a key of ``others``, which says what such a one is and what to do."""
    for key, told in others.items():
        if isinstance(content, dict) and key in content:
            raise ValueError(f"{option}=, line {line_of(content, (key,))}: {told}")


def name_document(document: Any, text: str, default: str) -> None:
    """Give a document what it does not say about itself: its text as title, the id ``default``."""
    if isinstance(document, dict):
        document.setdefault("title", " ".join(text.split())[:_TITLE_LENGTH])
        document.setdefault("id", default)


def _said(option: str, content: Any, condition: str, problem: Problem) -> str:
    """A problem with its line in the option's text, in which paths begin further down than in a rule."""
    where = problem.where
    if option == "selection":
        if condition and where[:2] == ("detection", "condition"):
            return f"condition=: {problem.message}"
        where = where[1:] if condition else where[2:]
    return f"{option}=, line {line_of(content, where)}: {problem.message}"
