"""Lucene's classic query syntax, as Elasticsearch (``query_string``) and Graylog read it.

Fields are keywords: a value is one term, and case counts. So texts are regular expressions with both cases,
alternatives of one field in one expression, and what has no case is a term in quotation marks. Everything is
joined by AND, OR and NOT in parentheses; a query of NOT alone begins with ``*:*``, else it would find nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from builder.kinds import Events
from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.texts import one_line
from sigmaengine.modifiers import Test
from sigmaengine.numbers import parse_number
from sigmaengine.patterns import ANY, Parts, is_plain, plain_text
from sigmaengine.rule import Rule

from . import lucenevalues as values
from .events import FieldProfile, asked, events_said, is_known, is_windows
from .language import Language, RefusedError
from .lucenefields import NONE, Fields, Of, Place
from .luceneregex import Shape, has_case, joined, literal, shape, translated, whole
from .target import Converted
from .walker import said

#: index.max_regex_length of Elasticsearch; longer ones would take Lucene seconds too.
LONGEST = 1000
#: indices.query.bool.max_clause_count of Elasticsearch, and of Lucene.
MOST_CLAUSES = 1024

_NOTES = {
    "line breaks": "'.' of a regular expression finds a line break too",
    "classes": r"\d, \w and \s of a regular expression know ASCII alone, and \s every control character",
    "text": "{} must be mapped as keyword or wildcard: as text, which it is in Elastic's template, it is cut into"
    " words and the query finds nothing in it",
}


class Clause(NamedTuple):
    """A part of a query. ``negative``: NOT stands before ``text``; ``clauses``: how many are in it."""

    text: str
    negative: bool = False
    clauses: int = 1

    @property
    def alone(self) -> str:
        """The part, where nothing stands before it."""
        return f"*:* AND NOT {self.text}" if self.negative else self.text


class Lucene(Language[Clause]):
    """What Lucene says of fields that Windows, or Sigma, calls so.

    ``places``: where these stand; ``notes``: gets what is not exact about regular expressions.
    """

    def __init__(self, places: Callable[[str], Mapping[Place, list[Of]]], allowed: re.Pattern[str]) -> None:
        self.places, self.allowed = places, allowed
        self.notes: dict[str, None] = {}

    # --- joining --------------------------------------------------------------------------------

    def all_of(self, parts: Sequence[Clause]) -> Clause:
        """All of them, those with NOT behind the others."""
        if len(parts) == 1:
            return parts[0]
        texts = [part.text for part in parts if not part.negative] or ["*:*"]
        texts += [f"NOT {part.text}" for part in parts if part.negative]
        return Clause(f"({' AND '.join(texts)})", clauses=_clauses(parts) + 1)

    def any_of(self, parts: Sequence[Clause]) -> Clause:
        """One of them, each once."""
        parts = list(dict.fromkeys(parts))
        if len(parts) == 1:
            return parts[0]
        texts = [f"({part.alone})" if part.negative else part.text for part in parts]
        return Clause(f"({' OR '.join(texts)})", clauses=_clauses(parts) + 1)

    def negated(self, part: Clause) -> Clause:
        """NOT, which stands in what it is joined with."""
        return part._replace(negative=not part.negative)

    # --- fields ---------------------------------------------------------------------------------

    def text(self, name: str, cased: bool, parts: Parts) -> Clause:
        """As ``any_value`` says it."""
        return self.any_value(name, [["str", cased, parts]])

    def any_value(self, name: str, tests: Sequence[Test]) -> Clause:
        """One of the tests, at each of the places at which the field may stand."""
        places = self.places(name)
        parts = []
        for kind in ("null", "exists"):
            for test in tests:
                if test[0] == kind:
                    present = self._each(name, places, self._present)
                    parts.append(present if test[1:] == [True] else self.negated(present))
        rest = [test for test in tests if test[0] not in ("null", "exists")]
        if rest:
            parts.append(self._each(name, places, lambda place: self._at(place, rest)))
        return self.any_of(parts)

    def _each(self, name: str, places: Mapping[Place, list[Of]], say: Callable[[Place], Clause]) -> Clause:
        gone = next((place for place in places if place.kind == "gone"), None)
        if gone:
            raise RefusedError("place", name)
        if len(places) == 1:
            return say(next(iter(places)))
        return self.any_of(
            [
                self.all_of([self.any_of([self._of(one) for one in of]), say(place)])
                for place, of in _told_apart(places).items()
            ]
        )

    def _of(self, of: Of) -> Clause:
        """Events of these."""
        parts = []
        if of.channel is not None:
            parts.append(self.any_value("Channel", [["str", False, (of.channel,)]]))
        if of.event_ids:
            parts.append(self.any_value("EventID", [["num", one] for one in of.event_ids]))
        if of.but:
            parts.append(self.negated(self.any_value("EventID", [["num", one] for one in of.but])))
        return self.all_of(parts)

    def _present(self, place: Place) -> Clause:
        name = place.names[-1] + (".type" if place.kind == "registry data" else "")
        if place.kind == "hashes":
            raise RefusedError("place", name)
        return Clause(f"_exists_:{self.name(name)}")

    def _at(self, place: Place, tests: Sequence[Test]) -> Clause:
        if place.no_dash and any(map(values.takes_dash, tests)):
            raise RefusedError("place", "-")
        found: list[Clause] = getattr(self, _AT[place.kind])(place, tests)
        return self.any_of(found)

    def name(self, name: str) -> str:
        """A field's name before its colon. Raises RefusedError."""
        if not self.allowed.fullmatch(name) or name.startswith("_") or not name.isprintable():
            raise RefusedError("field name", one_line(name))
        if name in ("AND", "OR", "NOT"):
            return f"\\{name}"
        return re.sub(r"([^\w.@])", r"\\\1", name, flags=re.ASCII)

    # --- what can stand at a place --------------------------------------------------------------

    def keyword_tests(self, name: str, tests: Iterable[Test], *, lines: bool = False) -> list[Clause]:
        """A value that is one term passes one of the tests. Raises RefusedError."""
        field = self.name(name)
        terms: list[str] = []
        shapes: list[Shape] = []
        parts: list[Clause] = []
        for test in tests:
            if test[0] == "str" and tuple(test[2]) == (ANY,):
                parts.append(Clause(f"_exists_:{field}"))
            elif (term := _term(test)) is not None:
                terms.append(quoted(term))
            else:
                shapes += self._shapes(test, lines)
        parts += [Clause(f"{field}:/{one}/") for one in _expressions(shapes)]
        return parts + _terms(field, terms)

    def _shapes(self, test: Test, lines: bool) -> Sequence[Shape]:
        kind, *arguments = test
        if kind == "str":
            return [shape(tuple(arguments[1]), arguments[0])]
        if kind == "num":  # a text
            return [whole(literal(arguments[0], cased=False))]
        if kind == "cidr":
            return values.addresses(arguments[0])
        if kind == "re":
            return self._regex(*arguments, lines=lines)
        raise RefusedError(_REFUSED[kind], " ".join(map(str, arguments)))

    def _regex(self, flags: str, expression: str, *, lines: bool) -> Sequence[Shape]:
        found = translated(flags, expression)
        if lines and found.by_line:
            raise RefusedError("regex", expression)
        if found.by_line:
            self.notes[_NOTES["line breaks"]] = None
        if found.classes:
            self.notes[_NOTES["classes"]] = None
        return found.shapes

    def _keyword(self, place: Place, tests: Sequence[Test]) -> list[Clause]:
        return self.keyword_tests(place.names[0], tests, lines=place.lines)

    def _text(self, place: Place, tests: Sequence[Test]) -> list[Clause]:
        self.notes[_NOTES["text"].format(place.names[0])] = None
        return self._keyword(place, tests)

    def _exact(self, name: str, terms: Iterable[str]) -> list[Clause]:
        return _terms(self.name(name), [quoted(term) for term in terms])

    def _long(self, place: Place, tests: Sequence[Test]) -> list[Clause]:
        (name,) = place.names
        ranges = [Clause(f"{self.name(name)}:{values.number_range(test)}") for test in tests if test[0] == "cmp"]
        return ranges + self._exact(name, [values.integer(test) for test in tests if test[0] != "cmp"])

    def _ip(self, place: Place, tests: Sequence[Test]) -> list[Clause]:
        return self._exact(place.names[0], map(values.network, tests))

    def _values(self, place: Place, tests: Sequence[Test]) -> list[Clause]:
        return self._exact(place.names[0], [values.word(test, dict(place.values)) for test in tests])

    def _hashes(self, place: Place, tests: Sequence[Test]) -> list[Clause]:
        found: dict[str, list[str]] = {}
        for test in tests:
            for name, digest in values.digests(test):
                found.setdefault(f"{place.names[0]}.{name}", []).append(digest)
        return [clause for name, digests in found.items() for clause in self._exact(name, digests)]

    def _words(self, place: Place, tests: Sequence[Test]) -> list[Clause]:
        return self.keyword_tests(place.names[0], map(values.word_part, tests))

    def _account(self, place: Place, tests: Sequence[Test]) -> list[Clause]:
        """The domain and the name, of which neither has a backslash."""
        domain, name = place.names
        return [
            self.all_of(
                [self.any_of(self.keyword_tests(domain, [one])), self.any_of(self.keyword_tests(name, [other]))]
            )
            for test in tests
            for one, other in values.accounts(test)
        ]

    def _registry_data(self, place: Place, tests: Sequence[Test]) -> list[Clause]:
        """Numbers are in decimals, and apart from texts."""
        kind, strings = f"{place.names[0]}.type", f"{place.names[0]}.strings"
        numbers = [number for test in tests if (number := values.registry_number(test)) is not None]
        texts = [test for test in tests if values.registry_number(test) is None]
        parts = []
        if numbers:
            parts.append(self.all_of([*self._exact(kind, ["SZ_DWORD"]), *self._exact(strings, numbers)]))
        if texts:
            found = self.any_of(self.keyword_tests(strings, texts))
            no_number = self.negated(self.any_of(self._exact(kind, ["SZ_DWORD", "SZ_QWORD"])))
            parts.append(self.all_of([found, no_number]))
        return parts


#: What stands at a place -> the method that says tests of it.
_AT = {
    "keyword": "_keyword",
    "text": "_text",
    "ip": "_ip",
    "long": "_long",
    "account": "_account",
    "hashes": "_hashes",
    "registry data": "_registry_data",
    "words": "_words",
    "values": "_values",
}
_REFUSED = {"cmp": "comparison", "part": "part of a time", "ref": "field reference"}


def quoted(text: str) -> str:
    """A term in quotation marks. Raises RefusedError: it has control characters."""
    literal(text, cased=True)
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _term(test: Test) -> str | None:
    """The one text that a value has to be; None if there are several."""
    if test[0] == "num" and (number := parse_number(test[1])) is not None:
        return _written(number)
    if test[0] == "str" and is_plain(tuple(test[2])):
        text = plain_text(tuple(test[2]))
        return text if test[1] or not has_case(text) else None
    return None


def _written(number: Decimal) -> str:
    """A number as it is written; of the ways to write it texts are taken to have this one."""
    if number != number.to_integral_value() or abs(number.adjusted()) > 30:
        return f"{number.normalize():f}" if abs(number.adjusted()) <= 30 else str(number)
    return str(int(number))


def _expressions(shapes: Sequence[Shape]) -> list[str]:
    """As few expressions as may be, none longer than the limit. Raises RefusedError."""
    if any(not one.body for one in shapes):
        raise RefusedError("regex", "one that every value fulfils, or none")
    # One with ``.*`` inside stands alone: of two the automaton has states for each pair of theirs.
    found = [joined([one]) for one in shapes if ".*" in one.body]
    rest = [one for one in shapes if ".*" not in one.body]
    for sides in dict.fromkeys((one.before, one.behind) for one in rest):
        chosen: list[Shape] = []
        for one in [one for one in rest if (one.before, one.behind) == sides]:
            if chosen and _length(joined([*chosen, one])) > LONGEST:
                found.append(joined(chosen))
                chosen = []
            chosen.append(one)
        found.append(joined(chosen))
    if any(_length(one) > LONGEST for one in found):
        raise RefusedError("length", f"of a regular expression: {LONGEST}")
    return found


def _length(expression: str) -> int:
    """As Java counts it."""
    return len(expression.encode("utf-16-le")) // 2


def _terms(field: str, terms: Sequence[str]) -> list[Clause]:
    terms = list(dict.fromkeys(terms))
    if not terms:
        return []
    if len(terms) == 1:
        return [Clause(f"{field}:{terms[0]}")]
    return [Clause(f"{field}:({' OR '.join(terms)})", clauses=len(terms) + 1)]


def _clauses(parts: Iterable[Clause]) -> int:
    return sum(part.clauses for part in parts)


def _told_apart(places: Mapping[Place, list[Of]]) -> dict[Place, list[Of]]:
    """The events of each place, by no more than tells them apart."""
    every = [one for of in places.values() for one in of]
    channels = len({one.channel for one in every}) > 1
    told: dict[Place, list[Of]] = {}
    for place, of in places.items():
        ids: dict[tuple[str | None, tuple[str, ...]], list[str]] = {}
        for one in of:
            ids.setdefault((one.channel if channels else None, one.but), []).extend(one.event_ids or ())
        told[place] = [Of(channel, tuple(sorted(set(found))) or None, but) for (channel, but), found in ids.items()]
    if len({(one.event_ids, one.but) for of in told.values() for one in of}) == 1:
        # The channel alone tells them apart.
        return {place: [Of(one.channel) for one in of] for place, of in told.items()}
    return told


# --- a rule -----------------------------------------------------------------------------------------


def converted(outcome: Outcome, mappings: Mappings, fields: Fields, allowed: re.Pattern[str]) -> Converted:
    """A rule as a query. Raises RefusedError. ``allowed``: the names that fields can have."""
    if outcome.rule is None or outcome.correlation is not None:
        raise RefusedError("correlation")
    rule = outcome.rule
    notes: dict[str, None] = {}
    if not is_known(rule, mappings):
        notes[f"no mapping says which events {one_line(str(rule.logsource))} means: choose the index"] = None
    if not is_windows(rule.logsource):
        notes["fields have Sigma's own names"] = None
        fields = NONE
    clause = _query(rule, mappings, fields, allowed, notes)
    if clause.clauses > MOST_CLAUSES:
        raise RefusedError("length", f"{clause.clauses} clauses")
    return Converted(clause.alone, tuple(notes))


def _query(rule: Rule, mappings: Mappings, fields: Fields, allowed: re.Pattern[str], notes: dict[str, None]) -> Clause:
    only = _required(rule, rule.condition)
    clauses = []
    for kind in asked(rule, mappings, FieldProfile()):
        language = Lucene(partial(fields.places, events=kind.events, only=only), allowed)
        asks = events_said(kind.events, language, FieldProfile())
        clauses.append(language.all_of([*asks, said(rule, language, kind.naming)]))
        notes.update(language.notes)
    return Lucene(partial(fields.places, events=Events(), only=None), allowed).any_of(clauses)


def _required(rule: Rule, part: Any) -> frozenset[str] | None:
    """Ids one of which an event has that a part of the condition holds for; None: it need have none."""
    if isinstance(part, int):
        item = rule.items[part]
        numbers = [test[1] for test in item.tests if test[0] == "num"]
        plain = item.field == "EventID" and not item.neq and not item.all and len(numbers) == len(item.tests)
        return frozenset(numbers) if plain else None
    operator, *operands = part
    if operator == "id":
        return _required(rule, rule.detections[operands[0]])
    found = [_required(rule, operand) for operand in operands]
    if operator == "and":
        known = [one for one in found if one is not None]
        return frozenset.intersection(*known) if known else None
    if operator == "or" and None not in found:
        return frozenset().union(*(one for one in found if one is not None))
    return None
