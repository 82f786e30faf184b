"""The row of an alert: its fields, and the commands that fill them.

A row is an event with these fields, one row a rule. Their names begin with ``sigma_``, so that no
field of the event is lost: web logs have a ``status``, other events a ``title`` or an ``id``.
What is written by strangers reaches the row through the lookup and never stands in a search,
where a backtick in it would be a macro and a dollar sign a token.
"""

from __future__ import annotations

import re

from builder.lookups import LOOKUP
from sigmaengine.results import RISK_SCORES

RULE_ID, TITLE, LEVEL, SCORE = "sigma_rule_id", "sigma_rule_title", "sigma_level", "sigma_risk_score"
#: Who or what an alert of a correlation is about, all group-by fields together.
GROUP = "sigma_group"

#: The severity of an alert in Splunk, by level.
SEVERITIES = {"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}

#: Column of the lookup of rules -> field of the row; what ``sigmamatch`` does not tell.
TOLD = {
    "status": "sigma_status",
    "description": "sigma_description",
    "author": "sigma_author",
    "falsepositives": "sigma_falsepositives",
    "references": "sigma_references",
    "techniques": "sigma_techniques",
    "tactics": "sigma_tactics",
}

# What a stanza, a macro and the option rules= can all hold; nearly every id is a UUID.
_NAMEABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,69}\Z")


def is_nameable(rule_id: str) -> bool:
    """True if searches can be named by the id and can name it."""
    return bool(_NAMEABLE.match(rule_id))


def said(level: str, rule_id: str) -> str:
    """The commands that give a row what ``sigmamatch`` would, for a search that is exact without it."""
    return (
        f'eval {RULE_ID}="{rule_id}", {SCORE}={RISK_SCORES[level]}'
        f" | lookup {LOOKUP} {RULE_ID} OUTPUT title AS {TITLE}, level AS {LEVEL}"
    )


def ending(collects: bool, tuning: str = "") -> str:
    """The commands that end a search whose rows have an id, title, level and score.

    ``collects``: rows are written to the summary index. ``_raw`` would be written there in place of
    the fields; the drilldown search finds it. ``tuning``: the macro in which users leave rows out.
    """
    columns = ", ".join(f"{column} AS {field}" for column, field in TOLD.items())
    commands = [
        f"lookup {LOOKUP} {RULE_ID} OUTPUT {columns}",
        # Enterprise Security takes these two from the row, whatever its actions say.
        f"eval severity={LEVEL}, risk_score={SCORE}",
    ]
    if tuning:
        commands.append(f"`{tuning}`")
    if collects:
        commands += ["fields - _raw", "`sigma_collect`"]
    return " | ".join(commands)
