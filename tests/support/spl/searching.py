"""The language of ``search``: terms, comparisons, NOT before OR before AND."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .comparing import ORDER, ValueTest, equals, ordered, wildcards
from .segments import cased_term, indexed_term, term
from .text import CASED, QUOTED, Event, Fold, SplError, Test, unescape, values
from .unsettled import agreed

_TOKEN = re.compile(rf'\s*(?:({QUOTED})|(!=|<=|>=|=|<|>|\(|\)|,)|([^\s()",=<>!|\[\]`\']+))', re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9_.]+")
_SIGNS = ("=", "!=", *ORDER)
_OPERATORS = ("AND", "OR", "NOT", "IN", "XOR")
#: They restrict the time range of the whole search.
_TIMES = ("earliest", "latest", "_index_earliest", "_index_latest", "starttime", "endtime", "timeformat")
#: They look like fields and say more.
_OTHERS = ("eventtype", "tag", "hosttag", "eventtypetag", "savedsearch", "savedsplunk", "splunk_server")

Node = tuple[Any, ...]


class Token(NamedTuple):
    """``kind``: quoted, sign or word; ``spaced``: a blank stands before it."""

    kind: str
    text: str
    spaced: bool


def compile_search(text: str, fold: Fold) -> Test:
    """The test of a search. Raises SplError."""
    return _compile(_Parser(text).whole(), fold, negated=False)


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    text, place = text.rstrip(), 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise SplError(f"not in the subset of search: {text[place:].strip()[:60]!r}")
        quoted, sign, word = match.groups()
        kind = "quoted" if quoted is not None else "sign" if sign else "word"
        start = match.start(match.lastindex or 0)
        token = Token(kind, quoted if quoted is not None else sign or word, start > place or place == 0)
        if found and found[-1].kind != "sign" and kind != "sign" and not token.spaced:
            raise SplError(f"{found[-1].text}{token.text}: nothing between a word and a quotation")
        found.append(token)
        place = match.end()
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.place = text, _tokens(text), 0

    def whole(self) -> Node:
        node = self.conjunction()
        if self.place < len(self.tokens):
            raise SplError(f"{self.tokens[self.place].text!r} is too much in {self.text.strip()[:200]!r}")
        return node

    def peek(self, *texts: str) -> bool:
        """Whether the next token is one of these signs or operators, not quoted."""
        return (
            self.place < len(self.tokens)
            and self.tokens[self.place].kind != "quoted"
            and self.tokens[self.place].text in texts
        )

    def take(self, *texts: str) -> Token:
        if self.place == len(self.tokens) or (texts and not self.peek(*texts)):
            found = self.tokens[self.place].text if self.place < len(self.tokens) else "the end"
            raise SplError(f"{' or '.join(texts) or 'something'} is missing before {found} in {self.text[:200]!r}")
        self.place += 1
        return self.tokens[self.place - 1]

    def conjunction(self) -> Node:
        parts = [self.disjunction()]
        while self.place < len(self.tokens) and not self.peek(")"):
            if self.peek("AND"):
                self.take()
            parts.append(self.disjunction())
        return ("and", parts) if len(parts) > 1 else parts[0]

    def disjunction(self) -> Node:
        parts = [self.negation()]
        while self.peek("OR"):
            self.take()
            parts.append(self.negation())
        return ("or", parts) if len(parts) > 1 else parts[0]

    def negation(self) -> Node:
        if self.peek("NOT"):
            self.take()
            return ("not", self.negation())
        if self.peek("("):
            self.take()
            node = self.conjunction()
            self.take(")")
            return node
        return self.primary()

    def primary(self) -> Node:
        token = self.take()
        if token.kind == "sign" or (token.kind == "word" and token.text in _OPERATORS):
            raise SplError(f"{token.text} where a term is due in {self.text[:200]!r}")
        if self.peek(*_SIGNS):
            return self.comparison(_name(token))
        if self.peek("IN"):
            self.take()
            return ("in", _name(token), self.listed())
        if token.kind == "word" and token.text in ("TERM", "CASE") and self.peek("("):
            return (token.text, self.directive())
        return ("term", self.value(token))

    def comparison(self, field: str) -> Node:
        sign = self.take(*_SIGNS).text
        if field in _TIMES:
            self.value(self.take())
            return ("time", field)
        token = self.take()
        if token.kind == "word" and token.text in ("TERM", "CASE") and self.peek("("):
            if token.text == "TERM" or sign != "=":
                raise SplError(f"{field}{sign}{token.text}(...) is not in the subset")
            return ("cased", field, self.directive())
        return ("compare", field, sign, self.value(token))

    def directive(self) -> str:
        self.take("(")
        text = self.value(self.take())
        self.take(")")
        return text

    def listed(self) -> list[str]:
        self.take("(")
        found = [self.value(self.take())]
        while self.peek(","):
            self.take()
            found.append(self.value(self.take()))
        self.take(")")
        return found

    def value(self, token: Token) -> str:
        """What a value or a term says."""
        if token.kind == "sign":
            raise SplError(f"{token.text} where a value is due in {self.text[:200]!r}")
        if token.kind == "word":
            if "::" in token.text:
                raise SplError(f"{token.text}: field::value is not in the subset")
            if token.text in _OPERATORS:
                raise SplError(f"{token.text} is an operator: a value of that name is quoted")
            return unescape(token.text)
        text = unescape(token.text[1:-1])
        if not text:
            raise SplError(f'"" in {self.text[:200]!r}: an empty value is not in the subset')
        return text


def _name(token: Token) -> str:
    name = unescape(token.text[1:-1]) if token.kind == "quoted" else token.text
    if token.kind == "word" and not _NAME.fullmatch(name):
        raise SplError(f"the field name {name} is to be quoted")
    if "*" in name or not name:
        raise SplError(f"{name!r}: a field name with wildcards is not in the subset")
    if name in _OTHERS:
        raise SplError(f"{name}= is more than a field and not in the subset")
    return name


# --- what is parsed -> tests ---------------------------------------------------------------------


def _compile(node: Node, fold: Fold, *, negated: bool) -> Test:
    kind, *rest = node
    return _COMPILERS[kind](rest, fold, negated)


def _and(rest: Node, fold: Fold, negated: bool) -> Test:
    parts = [_compile(part, fold, negated=negated) for part in rest[0] if part[0] != "time"]
    return lambda event: all(part(event) for part in parts)


def _or(rest: Node, fold: Fold, negated: bool) -> Test:
    parts = [_compile(_no_time(part), fold, negated=negated) for part in rest[0]]
    return lambda event: any(part(event) for part in parts)


def _not(rest: Node, fold: Fold, negated: bool) -> Test:
    part = _compile(_no_time(rest[0]), fold, negated=not negated)
    return lambda event: not part(event)


def _no_time(node: Node) -> Node:
    if node[0] == "time":
        raise SplError(f"{node[1]}= under OR or NOT: it is for the whole search")
    if node[0] == "and":
        return ("and", [_no_time(part) for part in node[1]])
    return node


def _any_value(field: str, test: ValueTest) -> Test:
    def found(event: Event) -> bool:
        value = event.get(field)
        if not value:
            return False
        return test(value) if isinstance(value, str) else any(test(one) for one in value if one)

    return found


def _in(rest: Node, fold: Fold, negated: bool) -> Test:  # noqa: ARG001 - one signature for the table
    field, texts = rest
    # Most lists are long and of plain texts; "/" may be a network, or what equals() refuses.
    plain = {fold(text) for text in texts if "*" not in text and "/" not in text}
    others = [equals(text, fold) for text in texts if "*" in text or "/" in text]
    return _any_value(field, lambda value: fold(value) in plain or any(test(value) for test in others))


def _differs(field: str, text: str, fold: Fold) -> Test:
    """``!=``: the field has a value, and that is another."""
    same = equals(text, fold)

    def test(event: Event) -> bool:
        answers = [not same(value) for value in values(event, field)]
        return bool(answers) and agreed(answers, f"{field}!= on several values, some of them equal")

    return test


def _compare(rest: Node, fold: Fold, negated: bool) -> Test:  # noqa: ARG001 - one signature for the table
    field, sign, text = rest
    if sign == "!=":
        return _differs(field, text, fold)
    if sign == "=" and text == "*":
        return lambda event: bool(values(event, field))
    return _any_value(field, equals(text, fold) if sign == "=" else ordered(sign, text))


_COMPILERS: dict[str, Callable[[Any, Fold, bool], Test]] = {
    "and": _and,
    "or": _or,
    "not": _not,
    "in": _in,
    "compare": _compare,
    "cased": lambda rest, fold, negated: _any_value(rest[0], wildcards(rest[1], CASED)),
    "time": lambda rest, fold, negated: lambda event: True,
    "term": lambda rest, fold, negated: term(rest[0], fold, negated=negated),
    "TERM": lambda rest, fold, negated: indexed_term(rest[0], fold, negated=negated),
    "CASE": lambda rest, fold, negated: cased_term(rest[0], negated=negated),
}
