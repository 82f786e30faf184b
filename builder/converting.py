"""A rule as a query of another language: the targets of ``build.py convert``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sigmaengine.rule import Rule

from .mappings import Mappings
from .outcomes import Outcome
from .spl import Query, write_query
from .texts import one_line


@dataclass(frozen=True)
class Converted:
    """A query, and what its reader should know."""

    text: str
    notes: tuple[str, ...] = ()


class ConversionError(Exception):
    """The rule cannot be said in the language; its text says why."""


@dataclass(frozen=True)
class Options:
    """``fields``: the naming of Windows fields (``sigmaengine.fields.PROFILES``).

    ``exact``: refuse what is not exact.
    """

    fields: str = "windows_xml"
    exact: bool = False


#: What the reasons of ``spl.Query`` mean, in words.
REASONS = {
    "IPv6": "IPv4 addresses in IPv6 notation, which Splunk's CIDR comparison does not know",
    "backquote": "a backquote, which begins a macro in Splunk",
    "case": "'cased': Splunk's comparison ignores case",
    "case beyond ASCII": "letters beyond ASCII, whose case Splunk may not know",
    "comparison": "a comparison of numbers: Splunk compares other text by its letters",
    "control character": "a control character",
    "dots between slashes": "'..' between slashes, which Splunk takes out",
    "entities": "characters that XML may have as entities, where that cannot be told",
    "field name": "a field whose name a search cannot ask for",
    "field reference": "'fieldref', which a base search cannot compare",
    "keyword": "a keyword with characters at which Splunk breaks terms",
    "like a network": "text that Splunk would take for a network",
    "long list": "more values than a search should hold",
    "long name": "a JSON field that can have too many names in Splunk",
    "names": "events of several kinds whose fields have different names",
    "nth": "one of the values of a multivalue field",
    "number": "a number, which may be written in several ways (5, 5.0)",
    "part of a time": "a part of a time",
    "question mark": "'?': Splunk's only wildcard is '*'",
    "regex": "a regular expression that Splunk reads otherwise, or that stands under 'not' or 'or'",
    "star": "a literal '*', which nothing escapes in Splunk",
    "unquote": "a quotation mark beside those of an XML attribute",
    "variants": "a value that stands for too many texts",
}


def as_splunk(rule: Rule, mappings: Mappings, options: Options) -> Converted:
    """A Splunk search without an index. Raises ConversionError if it should be exact and is not."""
    query = write_query(rule, mappings.spelt, options.fields)
    notes: list[str] = []
    if not query.exact:
        if options.exact:
            raise ConversionError(f"a Splunk search cannot say it exactly: {inexact_because(query)}")
        notes.append(
            f"the search before the last '|' finds more than the rule ({inexact_because(query)}); sigmamatch, which"
            " needs the rule in the installed app, leaves out what does not match"
        )
    if not mappings.routing.is_mapped(rule.logsource):
        notes.append(f"no mapping says which events {one_line(str(rule.logsource))} means: add index and sourcetype")
    return Converted(query.text, tuple(notes))


def inexact_because(query: Query) -> str:
    """Why a query is not exact, for people."""
    return "; ".join(REASONS[reason] for reason in query.reasons)


#: Target -> (what it is, how a rule becomes one).
TARGETS: dict[str, tuple[str, Callable[[Rule, Mappings, Options], Converted]]] = {
    "splunk": ("a search of Splunk (SPL)", as_splunk),
}


def convert(outcome: Outcome, target: str, mappings: Mappings, options: Options) -> Converted:
    """What a document that can match is in another language. Raises ConversionError."""
    if outcome.rule is None or outcome.correlation is not None:
        raise ConversionError("a correlation is no query; in the package it is a search with sigmacorrelate")
    return TARGETS[target][1](outcome.rule, mappings, options)
