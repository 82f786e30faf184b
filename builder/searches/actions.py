"""What an alert does -> keys of its stanza in savedsearches.conf.

Sources: savedsearches.conf.spec and alert_actions.conf.spec (Splunk Enterprise 9.4), Alerting Manual
("Use tokens in email notifications", "Use a webhook alert action"), Enterprise Security ("Create
correlation searches", risk and notable adaptive response actions). ``$result.x$`` is a token of
Splunk, which it fills for the row that an alert is about; ``$x$`` is one of Enterprise Security, which
fills it from the event that it makes of the row.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from builder.lookups import techniques
from builder.outcomes import Outcome
from sigmaengine.results import RISK_SCORES

from .alerts import LEVEL, RULE_ID, SCORE, TITLE, TOLD
from .configuration import Actions, Email, Notable, Risk, Webhook

Settings = dict[str, str]


class Subject(NamedTuple):
    """What a search alerts of. ``rule``: the one that it has, None if its rows are of several."""

    label: str
    rule: Outcome | None = None

    @property
    def level(self) -> str:
        """The level of the one rule; empty if there are several."""
        return getattr(self.rule.meant, "level", "") if self.rule else ""

    @property
    def techniques(self) -> list[str]:
        """The ATT&CK techniques of the one rule."""
        return techniques(getattr(self.rule.meant, "tags", [])) if self.rule else []


def action_settings(actions: Actions, subject: Subject) -> Settings:
    """The keys for everything that ``actions`` switch on."""
    settings: Settings = {}
    if actions.notable or actions.risk:
        settings |= _correlation_search(subject)
    for name, write in _WRITERS.items():
        chosen = getattr(actions, name)
        if chosen is not None:
            settings |= write(chosen, subject)
    return settings


def _token(field: str) -> str:
    return f"$result.{field}$"


# --- mail and webhook ----------------------------------------------------------------------------

_SUBJECT = f"[{_token(LEVEL)}] {_token(TITLE)}"
#: Label -> field of the row, a line each of the mail.
_LINES = {
    "Rule": TITLE,
    "Level": LEVEL,
    "Risk score": SCORE,
    "Status": TOLD["status"],
    "Description": TOLD["description"],
    "False positives": TOLD["falsepositives"],
    "ATT&CK techniques": TOLD["techniques"],
    "ATT&CK tactics": TOLD["tactics"],
    "References": TOLD["references"],
    "Author": TOLD["author"],
    "Rule id": RULE_ID,
    "Time": "_time",
    "Host": "host",
    "User": "user",
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

#: Sources of the matches of the last day on the same host, with what matched.
_DRILLDOWN = f'index=* host="$host$" | sigmamatch rules="${RULE_ID}$" explain=true'


def _correlation_search(subject: Subject) -> Settings:
    # Annotations belong to the search; those of several rules would be wrong for each. Rows have theirs.
    annotations = {"mitre_attack": subject.techniques} if subject.techniques else {}
    return {
        "action.correlationsearch.enabled": "1",
        "action.correlationsearch.label": subject.label,
        "action.correlationsearch.annotations": json.dumps(annotations),
    }


def _notable(notable: Notable, subject: Subject) -> Settings:
    return {
        "action.notable": "1",
        "action.notable.param.rule_title": f"${TITLE}$",
        "action.notable.param.rule_description": (
            f"${TOLD['description']}$ False positives: ${TOLD['falsepositives']}$"
            f" References: ${TOLD['references']}$ Author: ${TOLD['author']}$"
        ),
        "action.notable.param.security_domain": notable.security_domain,
        # What the row says as ``severity`` counts before this.
        "action.notable.param.severity": subject.level or "medium",
        "action.notable.param.drilldown_name": f"Events on $host$ that match ${TITLE}$",
        "action.notable.param.drilldown_search": _DRILLDOWN,
        "action.notable.param.drilldown_earliest_offset": "$info_min_time$",
        "action.notable.param.drilldown_latest_offset": "$info_max_time$",
    }


def _risk(risk: Risk, subject: Subject) -> Settings:
    score: int | str = RISK_SCORES[subject.level] if subject.level else _token(SCORE)
    objects = [
        {"risk_object_field": one.field, "risk_object_type": one.type, "risk_score": score} for one in risk.objects
    ]
    return {
        "action.risk": "1",
        "action.risk.param._risk": json.dumps(objects),
        "action.risk.param._risk_message": f"${TITLE}$ on $host$",
        # Each object has its own.
        "action.risk.param._risk_score": "0",
        "action.risk.param.verbose": "0",
    }


#: What ``Actions`` has -> its keys. The summary index is written to by the search itself (see ``alerts.ending``).
_WRITERS: dict[str, Callable[..., Settings]] = {
    "email": _email,
    "webhook": _webhook,
    "notable": _notable,
    "risk": _risk,
}
