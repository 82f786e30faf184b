"""The condition language of Sigma: text -> expression.

Grammar, loosest binding first (keywords in lower case; upper case is accepted with a warning)::

    condition  = and { "or" and }
    and        = not { "and" not }
    not        = { "not" } operand
    operand    = "(" condition ")" | quantifier "of" ( "them" | glob ) | identifier
    quantifier = "1" | "any" | "all"

An *expression* is a JSON value: an identifier's name as ``["id", name]``, ``["and", e, ...]``,
``["or", e, ...]`` or ``["not", e]``. Globs are resolved against the rule's identifiers here, so an
expression names only what exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Callable, NamedTuple

from .problems import Problems, RuleError, Where, shown

Expression = list[Any]

_KEYWORDS = ("and", "or", "not", "of", "all", "any", "them")
_QUANTIFIERS: dict[str, str] = {"1": "or", "any": "or", "all": "and"}
_TOKEN = re.compile(r"[()|]|[^\s()|]+")
#: Parentheses deeper than this are refused: no rule needs them, and recursion must end somewhere.
MAX_DEPTH = 50
MAX_TOKENS = 5_000


class _Token(NamedTuple):
    text: str
    keyword: str  # the keyword it is, or ""
    start: int


def parse_condition(text: str, names: Sequence[str], problems: Problems, where: Where = ()) -> Expression:
    """Parse one condition over the identifiers ``names``.

    Raises RuleError with the place marked by a caret; warnings go to ``problems``.
    """
    return _Parser(text, names, problems, where).parse()


def parse_words(text: str, names: Sequence[str], problems: Problems, where: Where = ()) -> Expression:
    """Parse a condition whose words are references, which are looked up later: any word is an identifier.

    What follows "of" stays as it is, as ``["of", "and" or "or", target]``. ``names``: words that are no
    keywords though they look like one. Raises RuleError as ``parse_condition`` does.
    """
    return _WordParser(text, names, problems, where).parse()


def chosen(target: str, names: Iterable[str]) -> list[str]:
    """Those of ``names`` that are meant by what follows "of": ``them``, a glob or a name."""
    if target == "them":
        return [name for name in names if not name.startswith("_")]
    if "*" not in target:
        return [name for name in names if name == target]
    matches = glob_matcher(target)
    hidden = target.startswith("_")
    return [name for name in names if matches(name) and (hidden or not name.startswith("_"))]


def joined(operator: str, names: Sequence[str]) -> Expression:
    """All, or any, of some identifiers; there is one at least."""
    operands = [["id", name] for name in names]
    return operands[0] if len(operands) == 1 else [operator, *operands]


class _Parser:
    def __init__(self, text: str, names: Sequence[str], problems: Problems, where: Where) -> None:
        self.text, self.names, self.problems, self.where = text, names, problems, where
        self.tokens = [self._token(found) for found in _TOKEN.finditer(text)]
        self.position = 0
        self.depth = 0

    def _token(self, found: re.Match[str]) -> _Token:
        text = found.group()
        keyword = text.lower() if text.lower() in _KEYWORDS else ""
        if keyword != text and text in self.names:
            keyword = ""  # an identifier called "AND" is its author's business
        if keyword and keyword != text:
            self.problems.warn("condition-case", f"'{text}' should be written '{keyword}'", self.where)
        return _Token(text, keyword, found.start())

    def parse(self) -> Expression:
        if not self.tokens:
            raise RuleError("condition-empty", "the condition is empty", self.where)
        if len(self.tokens) > MAX_TOKENS:
            raise RuleError("condition-size", f"the condition has over {MAX_TOKENS} words", self.where)
        expression = self._or()
        token = self._peek()
        if token is not None and token.text == "|":
            raise self._aggregation()
        if token is not None:
            expected = "'and', 'or' or the end" if token.text != ")" else "no ')', none is open"
            raise self._error(f"expected {expected}", token)
        return expression

    def _or(self) -> Expression:
        return self._chain("or", lambda: self._chain("and", self._not))

    def _chain(self, keyword: str, operand: Any) -> Expression:
        operands = [operand()]
        while self._take(keyword):
            operands.append(operand())
        return operands[0] if len(operands) == 1 else [keyword, *operands]

    def _not(self) -> Expression:
        negations = 0
        while self._take("not"):
            negations += 1
        operand = self._operand()
        # "not not x" is x; the meaning is two-valued.
        return ["not", operand] if negations % 2 else operand

    def _operand(self) -> Expression:
        token = self._peek()
        if token is None:
            raise self._error("something is missing at the end", None)
        self.position += 1
        following = self._peek()
        if following is not None and following.keyword == "of" and (token.keyword or token.text) in _QUANTIFIERS:
            return self._quantified(token)
        if token.text == "(":
            return self._parenthesised(token)
        if token.text == "|":
            raise self._aggregation()
        if token.keyword or token.text == ")":
            raise self._error("expected an identifier, 'not', '(' or '1 of'", token)
        return self._identifier(token)

    def _identifier(self, token: _Token) -> Expression:
        if token.text not in self.names:
            raise self._error(self._unknown(token.text), token)
        return ["id", token.text]

    def _parenthesised(self, opening: _Token) -> Expression:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} parentheses inside each other", opening)
        expression = self._or()
        closing = self._peek()
        if closing is None or closing.text != ")":
            raise self._error("expected ')'", closing)
        self.position += 1
        self.depth -= 1
        return expression

    def _quantified(self, quantifier: _Token) -> Expression:
        self.position += 1  # "of"
        target = self._peek()
        if target is None or target.text in "()|" or (target.keyword and target.keyword != "them"):
            raise self._error("expected 'them' or a name after 'of'", target)
        self.position += 1
        return self._of(_QUANTIFIERS[quantifier.keyword or quantifier.text], target)

    def _of(self, operator: str, target: _Token) -> Expression:
        names = chosen(target.keyword or target.text, self.names)
        if not names:
            raise self._error(f"no identifier matches {shown(target.text)}; there are {self._listed()}", target)
        return joined(operator, names)

    def _take(self, keyword: str) -> bool:
        token = self._peek()
        if token is None or token.keyword != keyword:
            return False
        self.position += 1
        return True

    def _peek(self) -> _Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _aggregation(self) -> RuleError:
        return RuleError(
            "condition-aggregation",
            "an aggregation ('| count() ...') of Sigma 1 counts what rules have matched, which is a correlation's work;"
            " here only a rule can stand: leave out what follows '|'",
            self.where,
        )

    def _unknown(self, name: str) -> str:
        return f"{shown(name)} is no identifier here; there are {self._listed()}"

    def _listed(self) -> str:
        return ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")

    def _error(self, message: str, token: _Token | None) -> RuleError:
        start = token.start if token is not None else len(self.text.rstrip())
        return RuleError("condition-syntax", f"{message}; here: {marked(self.text, start)}", self.where)


class _WordParser(_Parser):
    def _identifier(self, token: _Token) -> Expression:
        return ["id", token.text]

    def _of(self, operator: str, target: _Token) -> Expression:
        return ["of", operator, target.keyword or target.text]


def marked(text: str, start: int, margin: int = 30) -> str:
    """The surroundings of ``start`` on one line, with ``>>>`` where the fault is."""
    before, after = (
        " ".join(text[max(0, start - margin) : start].split()),
        " ".join(text[start : start + margin].split()),
    )
    return f"'{before} >>> {after}'" if before else f"'>>> {after}'"


def glob_matcher(glob: str) -> Callable[[str], bool]:
    """A function that says whether a name as a whole matches ``glob``, where ``*`` alone is special."""
    matches = re.compile(".*".join(map(re.escape, glob.split("*"))) + r"\Z", re.DOTALL).match
    return lambda name: matches(name) is not None


def identifiers(expression: Expression) -> Iterable[str]:
    """The identifiers that an expression names, with repetitions."""
    operator, *operands = expression
    if operator == "id":
        yield operands[0]
    else:
        for operand in operands:
            yield from identifiers(operand)
