"""Terms on ``_raw``: what the index holds of it, by the breakers of segmenters.conf, and what finds it.

What a term surely finds is what all readings agree on: the index holds its segments, and the text is in the event.
That Splunk finds more than that is possible, so that under NOT only what both say is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from .comparing import middle_wildcard, wildcards
from .text import CASED, Event, Fold, SplError, Test, UnsettledError, values
from .unsettled import agreed

#: segmenters.conf.spec, MAJOR and MINOR of the default; longer breakers first. ``*`` is one in events alone.
_WORDS = ["%2526", "%2520", "%21", "%26", "%3B", "%7C", "%20", "%2B", "%3D", "%5D", "%5B", "%3A", "%0A", "%2C", "%28"]
_WORDS += ["%29", "--"]
_SIGNS = "[]<>(){}|!;,'\"\n\r \t&?+"
_IN_TERM = re.compile("|".join(_WORDS) + "|[" + re.escape(_SIGNS) + "]")
_IN_EVENT = re.compile("|".join(_WORDS) + "|[" + re.escape(_SIGNS + "*") + "]")
_MINOR = re.compile(r"[/:=@.\-$#%\\_]")


class Index:
    """What is indexed of an event: its major segments, and their parts by minor breakers."""

    def __init__(self, raw: str, fold: Fold) -> None:
        self.text = fold(raw)
        self.majors = {fold(segment) for segment in _IN_EVENT.split(raw) if segment}
        self.tokens = set(self.majors)
        for segment in self.majors:
            self.tokens |= _parts(segment)


def _parts(segment: str) -> set[str]:
    """From the last major breaker to each minor breaker, and from the last minor breaker to it."""
    found: set[str] = set()
    begin = 0
    for breaker in _MINOR.finditer(segment):
        found |= {segment[: breaker.start()], segment[begin : breaker.start()]}
        begin = breaker.end()
    found.add(segment[begin:])
    return {token for token in found if token}


@lru_cache(maxsize=4096)
def _index(raw: str, fold: Fold) -> Index:
    return Index(raw, fold)


def term(text: str, fold: Fold, *, negated: bool) -> Test:
    """A bare term or a quoted phrase."""
    if text.strip("*") == "":
        return lambda event: True
    if "/../" in text:
        raise UnsettledError(f"{text!r}: '/../' was seen to collapse in a quoted term")
    chunks = [_chunk(chunk, fold) for chunk in _IN_TERM.split(text) if chunk]
    return _on_raw(lambda index: all(chunk(index.tokens) for chunk in chunks), text, fold, negated=negated)


def indexed_term(text: str, fold: Fold, *, negated: bool) -> Test:
    """``TERM(text)``: one segment between major breakers, whatever minor breakers it holds."""
    if _IN_TERM.search(text):
        raise SplError(f"TERM({text}) holds a major breaker: no segment does")
    matches = wildcards(text, fold)
    return _on_raw(lambda index: any(map(matches, index.majors)), text, fold, negated=negated)


def cased_term(text: str, *, negated: bool) -> Test:
    """``CASE(text)``."""
    return term(text, CASED, negated=negated)


def _chunk(chunk: str, fold: Fold) -> Callable[[set[str]], bool]:
    """What stands between major breakers: a segment itself, or the segments between its minor breakers."""
    if middle_wildcard(chunk) and _MINOR.search(chunk):
        raise UnsettledError(f"{chunk!r}: a wildcard inside a term with punctuation may be inconsistent")
    whole = _among(chunk, fold)
    parts = _MINOR.split(chunk)
    # A breaker at an end: the index holds no segment that ends with it, unless it is the whole.
    each = [_among(part, fold) for part in parts] if all(parts) else []
    return lambda tokens: whole(tokens) or (bool(each) and all(part(tokens) for part in each))


def _among(text: str, fold: Fold) -> Callable[[set[str]], bool]:
    wanted = fold(text)
    if "*" not in wanted:
        return lambda tokens: wanted in tokens
    matches = wildcards(text, fold)
    return lambda tokens: any(map(matches, tokens))


def _on_raw(surely: Callable[[Index], bool], text: str, fold: Fold, *, negated: bool) -> Test:
    contains = wildcards(f"*{text}*", fold)

    def test(event: Event) -> bool:
        raw = "\n".join(values(event, "_raw"))
        possibly = contains(raw)
        certain = possibly and surely(_index(raw, fold))
        return agreed([certain, possibly], f"NOT {text!r} where segments decide") if negated else certain

    return test
