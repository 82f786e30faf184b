"""What an alert does -> settings of its stanza in savedsearches.conf.

Sources: savedsearches.conf.spec and alert_actions.conf.spec (Splunk Enterprise 9.4), Alerting Manual
("Use tokens in email notifications", "Use a webhook alert action"), Enterprise Security (notable and
risk adaptive response actions). ``$result.x$`` is a token of Splunk, which it fills for the row that
an alert is about; ``$x$`` is one of Enterprise Security, which fills it from the event that it makes of
the row. What rules say is taken from the row, so nothing of theirs can be read as a token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from builder.lookups import techniques
from builder.outcomes import Outcome
from sigmaengine.metadata import DEFAULT_LEVEL, LEVELS
from sigmaengine.results import RISK_SCORES

from .alertrow import DRILLDOWN
from .conf import prose
from .configuration import Actions, Configuration, Email, Notable, Risk, Webhook
from .summary import WRITE, listed
from .words import quoted

Settings = dict[str, str]


class Subject(NamedTuple):
    """What a search alerts of. ``rule``: the one that it has, None if its rows are of several."""

    label: str
    rule: Outcome | None = None

    @property
    def level(self) -> str:
        """The level of the one rule; empty if there are several."""
        return getattr(self.rule.meant, "level", DEFAULT_LEVEL) if self.rule else ""

    @property
    def techniques(self) -> list[str]:
        """The ATT&CK techniques of the one rule."""
        return techniques(getattr(self.rule.meant, "tags", [])) if self.rule else []


def action_settings(actions: Actions, subject: Subject) -> Settings:
    """The settings for everything that ``actions`` switch on."""
    settings: Settings = {}
    if actions.notable or actions.risk:
        settings |= _correlation_search(subject)
    for name, write in _WRITERS.items():
        chosen = getattr(actions, name)
        if chosen is not None:
            settings |= write(chosen, subject)
    return settings


# Of an event with _raw this alone would be written, so it is put aside; what is read of a long row is its beginning.
_COLLECTING = ("rename _raw AS _sigma_raw", "fields sigma_*, *", f"`{WRITE}`", "rename _sigma_raw AS _raw")
_LEVEL_NUMBERS = ", ".join(f'sigma_level="{level}", {number}' for number, level in enumerate(LEVELS, 1))
_HIGHEST_FIRST = (f"eval sigma_order=case({_LEVEL_NUMBERS})", "sort 0 -sigma_order -_time", "fields - sigma_order")
_ANNOTATED = (
    f"eval sigma_mitre_attack={listed('sigma_techniques')}",
    'rename sigma_mitre_attack AS "annotations.mitre_attack"',
)


def ending(configuration: Configuration, throttled_by: Iterable[str], *, several: bool = False) -> list[str]:
    """The commands at a search's end: every row is written to the summary index, then those are left that alert.

    Splunk takes the first rows of a search alone (``max_per_result_alerts``), so none is there that would be
    held back. ``throttled_by``: the fields that throttle; ``several``: the rows are of several rules.
    """
    actions, fields = configuration.actions, [_field(name) for name in throttled_by]
    return [
        *(_COLLECTING if actions.summary else ()),
        *(_ANNOTATED if several and (actions.risk or actions.notable) else ()),
        *(_HIGHEST_FIRST if several else ()),
        *([f"dedup {' '.join(fields)} keepempty=true"] if fields else ()),
    ]


def _field(name: str) -> str:
    return name if _PLAIN.match(name) else quoted(name)


_PLAIN = re.compile(r"[\w.]+\Z", re.ASCII)


def _token(field: str) -> str:
    return f"$result.{field}$"


# --- mail and webhook ----------------------------------------------------------------------------

_SUBJECT = f"[{_token('sigma_level')}] {_token('sigma_rule_title')}"
#: Label -> field of the row, a line each of the mail.
_LINES = {
    "Rule": "sigma_rule_title",
    "Level": "sigma_level",
    "Risk score": "sigma_risk_score",
    "Status": "sigma_status",
    "Description": "sigma_description",
    "False positives": "sigma_falsepositives",
    "ATT&CK techniques": "sigma_techniques",
    "ATT&CK names": "sigma_technique_names",
    "ATT&CK tactics": "sigma_tactics",
    "References": "sigma_references",
    "Author": "sigma_author",
    "Rule id": "sigma_rule_id",
    "Time": "sigma_time",
    "Host": "host",
    "User": "user",
    "Group": "sigma_group",
    "Search for the event": DRILLDOWN,
}
_MESSAGE = "\n".join(f"{label}: {_token(field)}" for label, field in _LINES.items())


def _email(email: Email, _: Subject) -> Settings:
    return {
        "action.email": "1",
        "action.email.to": ", ".join(email.to),
        # Of the subjects this is the one for alerts.
        "action.email.useNSSubject": "1",
        "action.email.subject.alert": email.subject or _SUBJECT,
        "action.email.message.alert": _MESSAGE,
        "action.email.include.results_link": "1",
        "action.email.include.view_link": "1",
    }


def _webhook(webhook: Webhook, _: Subject) -> Settings:
    return {"action.webhook": "1", "action.webhook.param.url": webhook.url}


# --- Enterprise Security -------------------------------------------------------------------------


# A notable event calls the row's host orig_host, so no text of it names the host.
_DRILLDOWN = {
    "name": "Matches of $sigma_rule_title$",
    "search": f"${DRILLDOWN}$",
    "earliest_offset": "$info_min_time$",
    "latest_offset": "$info_max_time$",
}


def _correlation_search(subject: Subject) -> Settings:
    # Annotations belong to the search; those of several rules would be wrong for each. Rows have theirs.
    annotations = {"mitre_attack": subject.techniques} if subject.techniques else {}
    return {
        "action.correlationsearch.enabled": "1",
        # Another dollar sign: two of Splunk's own would be a token.
        "action.correlationsearch.label": prose(subject.label).replace("$", "\uff04"),
        "action.correlationsearch.annotations": json.dumps(annotations),
    }


def _notable(notable: Notable, subject: Subject) -> Settings:
    return {
        "action.notable": "1",
        "action.notable.param.rule_title": "$sigma_rule_title$",
        "action.notable.param.rule_description": (
            "$sigma_description$ False positives: $sigma_falsepositives$"
            " ATT&CK: $sigma_techniques$ $sigma_technique_names$ References: $sigma_references$ Author: $sigma_author$"
        ),
        "action.notable.param.security_domain": notable.security_domain,
        # What the row says as ``severity`` counts before this.
        "action.notable.param.severity": subject.level or DEFAULT_LEVEL,
        # One search for versions before 8, a list of them since.
        **{f"action.notable.param.drilldown_{key}": value for key, value in _DRILLDOWN.items()},
        "action.notable.param.drilldown_searches": json.dumps([_DRILLDOWN]),
    }


def _risk(risk: Risk, subject: Subject) -> Settings:
    score: int | str = RISK_SCORES[subject.level] if subject.level else _token("sigma_risk_score")
    objects = [
        {"risk_object_field": one.field, "risk_object_type": one.type, "risk_score": score} for one in risk.objects
    ]
    return {
        "action.risk": "1",
        "action.risk.param._risk": json.dumps(objects),
        "action.risk.param._risk_message": "$sigma_rule_title$",
        # Each object has its own.
        "action.risk.param._risk_score": "0",
        "action.risk.param.verbose": "0",
    }


#: What ``Actions`` has -> its settings. The summary index is written to by the search itself: ``collecting``.
_WRITERS: dict[str, Callable[..., Settings]] = {
    "email": _email,
    "webhook": _webhook,
    "notable": _notable,
    "risk": _risk,
}
