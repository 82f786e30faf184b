r"""``convert --target logpoint``: a rule as a search of Logpoint.

``field="value"``, ``field IN ["value", ...]``, ``-`` for not, blanks for and, ``OR``, which binds more: every group
stands in parentheses. ``*`` and ``?`` are wildcards that nothing escapes, a backslash is a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product

from builder.kinds import When, glob_parts
from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.texts import one_line
from sigmaengine.modifiers import Test
from sigmaengine.patterns import ANY, DASH, DASHES, ONE, Part, Parts
from sigmaengine.rule import Rule

from .events import Asked, asked, is_known, is_windows
from .language import Language, RefusedError
from .logpointnames import ABSENT, HASHES, Profile, read_profile
from .reading import NATIVE, boxes_of
from .target import Converted, Settings, Target
from .walker import Naming, said

_PLAIN_NAME = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
#: Names that are words of the language.
_KEYWORDS = frozenset(("process", "filter", "search", "chart", "and", "in", "or", "not"))
_INTEGER = re.compile(r"0|[1-9][0-9]*")
_HASH = re.compile(r"([A-Za-z0-9]+)=([0-9A-Fa-f]+)")
_HASH_LENGTHS = {"MD5": 32, "SHA1": 40, "SHA256": 64, "IMPHASH": 32}
# Windash gives five texts for each of its places.
_MOST_TEXTS = 125
#: What no event has: every one has an id.
_NEVER = "-event_id=*"


class Logpoint(Language[str]):
    """Conditions of Logpoint; each is one operand. ``hashes``: the fields of Sysmon's hashes, by algorithm."""

    def __init__(self, hashes: Mapping[str, str] | None = None) -> None:
        self.hashes = hashes or {}

    def all_of(self, parts: Sequence[str]) -> str:
        """All of them, with blanks between them."""
        return parts[0] if len(parts) == 1 else f"({' '.join(parts)})"

    def any_of(self, parts: Sequence[str]) -> str:
        """One of them."""
        return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"

    def negated(self, part: str) -> str:
        """Not that."""
        return f"-({part})" if part.startswith("-") else f"-{part}"

    def any_value(self, name: str, tests: Sequence[Test]) -> str:
        """Texts as one list."""
        texts = [test for test in tests if test[0] == "str" and tuple(test[2]) != (ANY,)]
        if name in (ABSENT, HASHES) or not texts:
            return self.any_of([self.test(name, test) for test in tests])
        values = [value for _, cased, parts in texts for value in _values(cased, parts)]
        others = [self.test(name, test) for test in tests if test not in texts]
        return self.any_of([_listed(name, values), *others])

    def test(self, name: str, test: Test) -> str:
        """Of what the events do not have nothing is asked."""
        if name == ABSENT:
            return self.negated(_NEVER) if test[0] == "null" or test == ["exists", False] else _NEVER
        return super().test(name, test)

    def text(self, name: str, cased: bool, parts: Parts) -> str:
        """A text, or one of those that windash stands for."""
        if tuple(parts) == (ANY,):
            return self.has_value(name)
        if name == HASHES:
            return self._hash(cased, tuple(parts))
        return _listed(name, _values(cased, parts))

    def _hash(self, cased: bool, parts: Parts) -> str:
        """One of several hashes, which has a field of its own."""
        found = _HASH.fullmatch(str(parts[1])) if len(parts) == 3 and parts[0] == parts[2] == ANY else None
        algorithm = found[1].upper() if found else ""
        if found is None or algorithm not in self.hashes or len(found[2]) != _HASH_LENGTHS[algorithm]:
            raise RefusedError("field name", HASHES)
        return self.text(self.hashes[algorithm], cased, (found[2],))

    def number(self, name: str, text: str) -> str:
        """An integer as it is written."""
        if not _INTEGER.fullmatch(text):
            raise RefusedError("number", text)
        return f"{_name(name)}={text}"

    def has_value(self, name: str) -> str:
        """Any value."""
        return f"{_name(name)}=*"


def _name(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name) and name.lower() not in _KEYWORDS:
        return name
    if not name.isprintable() or '"' in name or name == HASHES:
        raise RefusedError("field name", name)
    return f'"{name}"'


def _listed(name: str, values: Sequence[str]) -> str:
    """A field has one of some values."""
    values = list(dict.fromkeys(values))
    if len(values) == 1:
        return f"{_name(name)}={values[0]}"
    return f"{_name(name)} IN [{', '.join(values)}]"


def _values(cased: bool, parts: Sequence[Part]) -> list[str]:
    """The values of a Sigma string, in quotation marks. Raises RefusedError."""
    if cased:
        raise RefusedError("case")
    choices = [DASHES if part == DASH else (_part(part),) for part in parts]
    texts = ["".join(choice) for choice in product(*choices)] if _count(parts) <= _MOST_TEXTS else []
    if not texts:
        raise RefusedError("length", "windash")
    return [_quoted(text) for text in texts]


def _count(parts: Sequence[Part]) -> int:
    return int(len(DASHES) ** sum(part == DASH for part in parts))


def _part(part: Part) -> str:
    if not isinstance(part, str):
        return {ANY: "*", ONE: "?"}[part]
    if "*" in part or "?" in part:
        raise RefusedError("literal wildcard", part)
    if not part.isprintable():
        raise RefusedError("text", part)
    return part


def _quoted(text: str) -> str:
    if text == "-":
        raise RefusedError("place", "'-', which Logpoint leaves out")
    for mark in "\"'":
        if mark not in text:
            return f"{mark}{text}{mark}"
    raise RefusedError("text", text)


# --- events ---------------------------------------------------------------------------------------


def _of_kinds(rule: Rule, kind: Asked, profile: Profile) -> list[str]:
    """What is asked of events of a kind: at once, or one condition after the other where names differ."""
    try:
        return [_of_kind(rule, kind, profile)]
    except RefusedError as refused:
        whens = kind.events.taken[0]
        if refused.reason != "names" or len(kind.events.taken) != 1 or len(whens) == 1:
            raise
        return [_of_kind(rule, kind._replace(events=kind.events._replace(taken=((when,),))), profile) for when in whens]


def _of_kind(rule: Rule, kind: Asked, profile: Profile) -> str:
    """All that is asked of events of one kind."""
    boxes = boxes_of(rule, kind)
    if any(box.channels is None for box in boxes):
        raise RefusedError("log source", f"{rule.logsource} names no channel")

    def naming(field: str) -> str:
        return profile.name(boxes, kind.naming(field))

    language = Logpoint(profile.hashes)
    when = partial(_when, language=language, profile=profile, naming=naming)
    events = [language.any_of([when(one) for one in whens]) for whens in kind.events.taken if {} not in whens]
    events += [language.negated(language.any_of([when(one) for one in whens])) for whens in kind.events.left_out]
    return language.all_of([*events, said(rule, language, naming)])


def _when(when: When, language: Logpoint, profile: Profile, naming: Naming) -> str:
    parts = []
    for key, globs in when.items():
        if key == "channel":
            parts.append(language.any_of([_channel(language, profile, glob) for glob in globs]))
        elif key == "event_id":
            parts.append(language.any_of([language.number("event_id", glob) for glob in globs]))
        else:
            tests: list[Test] = [["str", False, glob_parts(glob)] for glob in globs]
            parts.append(language.any_value(naming(key), tests))
    return language.all_of(parts)


def _channel(language: Logpoint, profile: Profile, glob: str) -> str:
    where = profile.channel(glob).where
    return language.all_of([language.text(name, cased=False, parts=glob_parts(text)) for name, text in where.items()])


def write(outcome: Outcome, mappings: Mappings, settings: Settings) -> Converted:  # noqa: ARG001 - no options yet
    """A search. Raises RefusedError: it cannot be exact; MappingError: the table of names has faults."""
    rule = outcome.rule
    if rule is None:
        raise RefusedError("correlation")
    if not is_windows(rule.logsource):
        note = (
            f"nothing says what Logpoint calls the events of {one_line(str(rule.logsource))}: fields have Sigma's own"
            " names; add what tells its events apart"
        )
        return Converted(said(rule, Logpoint(), str), (note,))
    kinds = asked(rule, mappings, NATIVE) if is_known(rule, mappings) else []
    if not kinds:
        raise RefusedError("log source", f"{rule.logsource} names no channel")
    profile = read_profile()
    return Converted(Logpoint().any_of([part for kind in kinds for part in _of_kinds(rule, kind, profile)]))


TARGET = Target("a search of Logpoint", "logpoint", write)
