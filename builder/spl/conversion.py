"""``convert --target splunk``: a rule or correlation as a search, with what its reader should know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder.mappings import Mappings
from builder.outcomes import Outcome, RuleFolder
from builder.queries.language import RefusedError
from builder.queries.target import Converted, Option, Settings, Target
from builder.texts import one_line
from sigmaengine.fields import PROFILES
from sigmaengine.rule import Rule

from .correlating import Relations, alerts_of, cannot_be_searched, commands, shared_profile
from .writer import Query, is_listable, write_query

# What the reasons of ``Query`` mean, in words.
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


def write(outcome: Outcome, mappings: Mappings, settings: Settings) -> Converted:
    """A Splunk search without an index. Raises RefusedError: it should be exact and is not, or cannot name the rule."""
    rule = outcome.rule
    if rule is None:
        raise RefusedError("correlation")
    query = write_query(rule, mappings.spelt, settings["fields"])
    notes: list[str] = []
    if not query.exact:
        if settings["exact"]:
            raise RefusedError("inexact", _because(query))
        if not is_listable(rule.id):
            raise RefusedError("id")
        notes.append(
            f"the search before the last '|' finds more than the rule ({_because(query)}); sigmamatch, which"
            " needs the rule in the installed app, leaves out what does not match"
        )
    return Converted(query.text, (*notes, *_unmapped([rule], mappings)))


def correlate(outcome: Outcome, folder: RuleFolder, mappings: Mappings, settings: Settings) -> Converted:
    """A search for the alerts of a correlation of rules in ``folder``. Raises RefusedError as ``write`` does."""
    correlation = outcome.correlation
    if correlation is None:
        raise RefusedError("correlation")
    if settings["exact"]:
        raise RefusedError("inexact", "it needs sigmamatch and sigmacorrelate")
    relations = Relations(folder.rules, folder.correlations)
    rules = relations.base_rules(correlation)
    why = cannot_be_searched(rules, mappings.spelt)
    if why:
        raise RefusedError("correlation", why)
    if not is_listable(correlation.id):
        raise RefusedError("id")
    profile = shared_profile(rules, settings["fields"])
    bases = dict.fromkeys(write_query(rule, mappings.spelt, profile).base for rule in rules)
    search = " OR ".join(f"({base})" for base in bases)
    notes = (
        "sigmamatch and sigmacorrelate need the correlation and its rules in the installed app",
        f"the time range has to begin {relations.look_back(correlation)} s before what alerts are wanted for",
    )
    parts = [search, *commands(correlation, rules, mappings.spelt, profile)]
    if not correlation.generate:
        # Alerts of inner correlations have rows as well.
        parts.append(f"where {alerts_of(correlation)}")
    return Converted(" | ".join(parts), (*notes, *_unmapped(rules, mappings)))


def _unmapped(rules: Sequence[Rule], mappings: Mappings) -> Iterator[str]:
    sources = dict.fromkeys(rule.logsource for rule in rules)
    for source in sources:
        if not mappings.routing.is_mapped(source):
            yield f"no mapping says which events {one_line(str(source))} means: add index and sourcetype"


def _because(query: Query) -> str:
    return "; ".join(REASONS[reason] for reason in query.reasons)


TARGET = Target(
    "a search of Splunk (SPL)",
    "spl",
    write,
    {
        "fields": Option("The naming of the fields of Windows events.", "windows_xml", PROFILES),
        "exact": Option("Refuse a rule of which the search finds more.", flag=True),
    },
    correlate,
)
