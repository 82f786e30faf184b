"""Checks of tags. Source: Sigma specification v2.1.0, "Tags" appendix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from builder.attack import Attack
from sigmaengine.problems import Problem, Where, shown

from .subject import Subject, warning

_FORM = re.compile(r"[a-z0-9_-]+\.[a-z0-9._-]+\Z")
#: Namespace -> the form of what follows it, and that form in words.
_NAMESPACES: dict[str, tuple[str, str]] = {
    "attack": (r".+", "a tactic, a technique (t1059.001), a group (g0007) or software (s0039)"),
    "car": (r"\d{4}-\d\d-\d{3}", "a number of the Cyber Analytics Repository, car.2016-04-005"),
    "cve": (r"\d{4}-\d{4,}", "a number, cve.2021-44228"),
    "d3fend": (r"d3[a-z]?-[a-z0-9-]+|[a-z0-9-]+", "a technique of D3FEND, d3fend.d3-am"),
    "detection": (r"dfir|emerging-threats|threat-hunting", "dfir, emerging-threats or threat-hunting"),
    "stp": (r"\d+[auk]?", "a level of the Summiting the Pyramid project, stp.3u"),
    "tlp": (r"red|amber|amber-strict|green|clear|white", "red, amber, amber-strict, green or clear"),
}
_NUMBERED = re.compile(r"(?:[gsc]\d{4}|t\d{4}(?:\.\d{3})?)\Z")
# Data sources and mitigations, which rules also name; and what ATT&CK for ICS numbers apart (t0800 and up).
_OTHER_NUMBERS = re.compile(r"(?:ds\d{4}|m\d{4}|ta\d{4}|t0\d{3}(?:\.\d{3})?)\Z")


def check_tags(subject: Subject) -> Iterator[Problem]:
    """Each tag: its form, its namespace, and what ATT&CK knows of it."""
    tags = subject.document.get("tags")
    seen: set[str] = set()
    for index, tag in enumerate(tags if isinstance(tags, list) else ()):
        if not isinstance(tag, str):
            continue  # the parser tells of it
        where: Where = ("tags", index)
        if tag in seen:
            yield warning("tag-duplicate", f"the tag {shown(tag)} is there already", where)
            continue
        seen.add(tag)
        yield from _tag(tag, where, subject.knowledge.attack)


def _tag(tag: str, where: Where, attack: Attack) -> Iterator[Problem]:
    if not _FORM.match(tag):
        message = f"{shown(tag)} is no tag: a namespace, a dot and a name, in lower case, digits, hyphens and dots"
        yield warning("tag-form", message, where)
        return
    namespace, name = tag.split(".", 1)
    if namespace not in _NAMESPACES:
        close = get_close_matches(namespace, _NAMESPACES, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"the specification has {', '.join(_NAMESPACES)}"
        yield warning("tag-namespace", f"{shown(tag)}: there is no namespace '{namespace}'; {hint}", where)
        return
    form, words = _NAMESPACES[namespace]
    if not re.fullmatch(form, name):
        yield warning("tag-name", f"{shown(tag)}: behind '{namespace}.' stands {words}", where)
    elif namespace == "attack":
        yield from _attack(name, where, attack)


def _attack(name: str, where: Where, attack: Attack) -> Iterator[Problem]:
    if _NUMBERED.match(name) and not _OTHER_NUMBERS.match(name):
        yield from _number(name, where, attack)
    elif not _OTHER_NUMBERS.match(name):
        yield from _tactic(name, where, attack)


def _number(name: str, where: Where, attack: Attack) -> Iterator[Problem]:
    number = name.upper()
    if number in attack.names:
        return
    if number in attack.retired:
        retired = attack.retired[number]
        instead = ""
        if retired.successor:
            instead = (
                f"; it is {retired.successor} now ({attack.names.get(retired.successor, 'itself no longer in use')})"
            )
        yield warning("attack-retired", f"ATT&CK has {retired.how} {number}{instead}", where)
    elif not attack.is_beyond(number):
        yield warning("attack-unknown", f"there is no {number} in {attack.version}", where)


def _tactic(name: str, where: Where, attack: Attack) -> Iterator[Problem]:
    spelt = name.replace("_", "-")
    if spelt in attack.former_tactics:
        message = f"the tactic '{name}' is no longer in ATT&CK: it is {attack.former_tactics[spelt]} now"
        yield warning("attack-retired", message, where)
    elif spelt not in attack.tactics:
        close = get_close_matches(spelt, attack.tactics, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(sorted(attack.tactics))}"
        yield warning("attack-unknown", f"'{name}' is no tactic of ATT&CK; {hint}", where)
    elif spelt != name:
        yield warning("attack-spelling", f"Sigma 2 writes tactics with hyphens: 'attack.{spelt}'", where)
