"""Checks of what a document says about itself: the specification's fields and SigmaHQ's conventions.

Sources: Sigma specification v2.1.0, "Rules"; SigmaHQ's rule creation guide and its validators
(pysigma-validators-sigmahq 0.21).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any

from sigmaengine.modifiers import scalar_text
from sigmaengine.problems import Problem, Where, kind_of, shown

from .subject import Subject, warning

_MAX_TITLE = 120
#: Fields of the specification, of rules, correlations and filters.
_KEYS = (
    "title", "id", "name", "related", "taxonomy", "status", "description", "license", "author", "references", "date",
    "modified", "logsource", "detection", "fields", "falsepositives", "level", "tags", "scope", "correlation", "filter",
    "generate", "action", "regression_tests_path", "simulation",
)  # fmt: skip
_LOGSOURCE_KEYS = ("category", "product", "service", "definition")
_RELATIONS = ("derived", "obsolete", "merged", "renamed", "similar")
_SMALL_WORDS = (
    "a", "an", "and", "as", "at", "but", "by", "for", "from", "in", "into", "is", "new", "nor", "not", "of", "off",
    "on", "onto", "or", "over", "per", "the", "through", "to", "up", "via", "vs", "with", "without",
)  # fmt: skip
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_URL = re.compile(r"(?:https?|ftp)://[^\s/]+\S*\Z")
#: What SigmaHQ writes where there is nothing to link to.
_UNPUBLISHED = ("internal research",)
_FILE_NAME = re.compile(r"(?=[^_]*_)[a-z0-9_]{10,90}\.yml\Z")


# --- the specification --------------------------------------------------------------------------------


def check_keys(subject: Subject) -> Iterator[Problem]:
    """Names that are nearly one of the specification's. Others are the author's own, which it allows."""
    yield from _near_misses(subject.document, _KEYS, ())
    logsource = subject.document.get("logsource")
    if isinstance(logsource, Mapping):
        for key in logsource:
            if str(key) not in _LOGSOURCE_KEYS:
                close = get_close_matches(str(key).lower(), _LOGSOURCE_KEYS, n=1)
                hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(_LOGSOURCE_KEYS)}"
                yield warning("logsource-key", f"{shown(key)} says nothing of a log source; {hint}", ("logsource", key))


def _near_misses(mapping: Mapping[Any, Any], known: tuple[str, ...], where: Where) -> Iterator[Problem]:
    for key in mapping:
        text = str(key)
        if text in known:
            continue
        close = get_close_matches(text.lower().replace("-", "_"), known, n=1, cutoff=0.8)
        if close and close[0] not in mapping:
            yield warning("key-misspelt", f"there is no field {shown(text)}; did you mean '{close[0]}'?", (*where, key))


def check_dates(subject: Subject) -> Iterator[Problem]:
    """``date`` and ``modified``: ISO 8601, the later one not earlier."""
    read: dict[str, date] = {}
    for key in ("date", "modified"):
        value = subject.document.get(key)
        if value is None:
            continue
        text = scalar_text(value) if not isinstance(value, (list, Mapping)) else ""
        slashed = re.fullmatch(r"(\d{4})/(\d{1,2})/(\d{1,2})", text)
        found = _iso("-".join(part.zfill(2) for part in slashed.groups()) if slashed else text)
        if found is None:
            yield warning("date-invalid", f"{shown(text or value)} is no date; write YYYY-MM-DD", (key,))
        elif slashed:
            message = f"{shown(text)} is how Sigma 1 wrote dates; Sigma 2 writes {found.isoformat()}"
            yield warning("date-slashes", message, (key,))
        if found is not None:
            read[key] = found
    if len(read) == 2 and read["modified"] < read["date"]:
        message = f"the rule was modified on {read['modified']}, before it was made on {read['date']}"
        yield warning("date-order", message, ("modified",))


def _iso(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def check_related(subject: Subject) -> Iterator[Problem]:
    """``related``: a list of ids, each with how it is related."""
    related = subject.document.get("related")
    if related is None:
        return
    if not isinstance(related, list):
        yield warning("related-form", f"'related' is a list of mappings, not {kind_of(related)}", ("related",))
        return
    for index, entry in enumerate(related):
        where: Where = ("related", index)
        if not isinstance(entry, Mapping) or not {"id", "type"} <= entry.keys():
            yield warning("related-form", "each entry of 'related' has an 'id' and a 'type'", where)
            continue
        identity, kind = scalar_text(entry["id"]), scalar_text(entry["type"])
        if not _UUID.match(identity):
            yield warning("related-id", f"{shown(identity)} is no UUID", (*where, "id"))
        elif identity.lower() == subject.text("id").lower():
            yield warning("related-id", "a rule is not related to itself", (*where, "id"))
        if kind not in _RELATIONS:
            message = f"{shown(kind)} is no kind of relation; there are {', '.join(_RELATIONS)}"
            yield warning("related-type", message, (*where, "type"))


def check_references(subject: Subject) -> Iterator[Problem]:
    """``references``: a list of addresses, each once."""
    references = subject.document.get("references")
    if references is None:
        return
    if not isinstance(references, list):
        yield warning("references-form", f"'references' is a list, not {kind_of(references)}", ("references",))
        return
    seen: dict[str, int] = {}
    for index, entry in enumerate(references):
        text = "" if isinstance(entry, (list, Mapping)) or entry is None else scalar_text(entry).strip()
        if not _URL.match(text) and text.lower() not in _UNPUBLISHED:
            message = f"{shown(text or entry)} is no address; explanations belong into 'description'"
            yield warning("reference-no-url", message, ("references", index))
        elif seen.setdefault(text, index) != index:
            yield warning("reference-duplicate", f"{shown(text)} is there already", ("references", index))


def check_status(subject: Subject) -> Iterator[Problem]:
    """A rule in use that its authors have given up."""
    status = subject.text("status").lower()
    if subject.used and status in ("deprecated", "unsupported"):
        message = f"the rule is {status} by its own word, and is used all the same; leave it out, or say what it is now"
        yield warning("status-retired", message, ("status",))


def check_spelling(subject: Subject) -> Iterator[Problem]:
    """Levels and statuses in lower case, as the specification lists them."""
    for key in ("level", "status"):
        text = subject.text(key)
        if text != text.lower():
            yield warning("value-case", f"'{key}' is written in lower case: '{text.lower()}'", (key,))
    logsource = subject.document.get("logsource")
    for key in ("category", "product", "service"):
        value = logsource.get(key) if isinstance(logsource, Mapping) else None
        if isinstance(value, str) and value != value.lower():
            yield warning("value-case", f"'{key}' is written in lower case: '{value.lower()}'", ("logsource", key))


# --- SigmaHQ's conventions ------------------------------------------------------------------------------


def check_missing(subject: Subject) -> Iterator[Problem]:
    """What a reader of an alert wants to know, and the specification leaves to the author."""
    for key in ("description", "author", "date", "references", "falsepositives", "tags"):
        if key == "falsepositives" and not subject.is_rule:
            continue
        value = subject.document.get(key)
        if value is None or value in ("", []):
            yield warning(f"{key}-missing", f"the rule has no {_MISSING[key]}")


_MISSING = {
    "description": "description",
    "author": "author",
    "date": "date",
    "references": "references",
    "falsepositives": "false positives ('Unknown' where none are known)",
    "tags": "tags",
}


def check_title(subject: Subject) -> Iterator[Problem]:
    """A title is a headline: short, its words capitalised, no sentence."""
    title = subject.text("title")
    where: Where = ("title",)
    if len(title) > _MAX_TITLE:
        message = f"the title has {len(title)} characters; over {_MAX_TITLE} no list shows it whole"
        yield warning("title-length", message, where)
    if title.endswith("."):
        yield warning("title-period", "a title is no sentence: it ends without a full stop", where)
    if re.match(r"detects? ", title, re.IGNORECASE):
        yield warning("title-detects", "every rule detects something: name what it is", where)
    words = [word for word in title.split() if _is_lower(word)]
    if words:
        yield warning("title-case", f"a title's words are capitalised; not so: {', '.join(map(shown, words))}", where)


def _is_lower(word: str) -> bool:
    """True for a lower-case word, but not for small words and names of files, fields and commands."""
    return word.isalpha() and word.isascii() and word.islower() and word not in _SMALL_WORDS


def check_false_positives(subject: Subject) -> Iterator[Problem]:
    """``falsepositives``: a list of texts that say something."""
    entries = subject.document.get("falsepositives")
    if entries is None:
        return
    if not isinstance(entries, list):
        message = f"'falsepositives' is a list, not {kind_of(entries)}"
        yield warning("falsepositives-form", message, ("falsepositives",))
        return
    for index, entry in enumerate(entries):
        text = entry.strip().lower().rstrip(".") if isinstance(entry, str) else ""
        if text in ("none", "no", "n/a", "na", "-"):
            message = f"{shown(entry)} promises too much: write 'Unknown' or 'Unlikely'"
            yield warning("falsepositives-none", message, ("falsepositives", index))


def check_file_name(subject: Subject) -> Iterator[Problem]:
    """SigmaHQ's file names say product and category first: ``proc_creation_win_certutil_download.yml``."""
    if not _FILE_NAME.match(subject.file_name):
        message = (
            f"{shown(subject.file_name)}: a rule's file name is 10 to 90 lower-case letters, digits and"
            " underscores, at least one of them an underscore, and '.yml'"
        )
        yield warning("file-name", message)
