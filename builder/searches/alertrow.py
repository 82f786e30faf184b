"""The fields that every alert has, whichever search found it: one row is one event and one rule.

Made by a macro, so that a site that wants more of them says so once.
"""

from __future__ import annotations

from builder.lookups import LOOKUP

#: The macro; it takes what ``| sigmamatch`` or ``| sigmacorrelate`` lets through.
ALERT_FIELDS = "sigma_alert_fields"

#: Field -> key of the JSON objects in sigma_match.
OF_MATCH = {
    "sigma_rule_id": "id",
    "sigma_rule_title": "title",
    "sigma_level": "level",
    "sigma_risk_score": "score",
    "sigma_author": "author",
    "sigma_tags": "tags{}",
}

#: Field -> column of the lookup of rules.
OF_LOOKUP = {
    "sigma_status": "status",
    "sigma_description": "description",
    "sigma_falsepositives": "falsepositives",
    "sigma_references": "references",
    "sigma_techniques": "techniques",
    "sigma_technique_names": "technique_names",
    "sigma_tactics": "tactics",
}

#: What Splunk and Enterprise Security call the severity of a result.
SEVERITY = "severity"

#: A search that shows the event and what of the rule matched it.
DRILLDOWN = "sigma_drilldown"

#: The time for people to read.
TIME = "sigma_time"

#: Every field of a row.
FIELDS = (*OF_MATCH, *OF_LOOKUP, "sigma_severity", SEVERITY, TIME, DRILLDOWN)


def definition() -> str:
    """The macro's SPL."""
    of_match = ", ".join(f'{field}=spath(sigma_match, "{key}")' for field, key in OF_MATCH.items())
    of_lookup = ", ".join(f"{column} AS {field}" for field, column in OF_LOOKUP.items())
    return (
        f"mvexpand sigma_match | eval {of_match} | eval {derived()} | lookup {LOOKUP} sigma_rule_id OUTPUT {of_lookup}"
    )


def derived() -> str:
    """The assignments of the fields that follow from others of the row."""
    return (
        f"sigma_severity=sigma_level, {SEVERITY}=sigma_level"
        f', {TIME}=strftime(_time, "%Y-%m-%d %H:%M:%S %z"), {DRILLDOWN}={_DRILLDOWN}'
    )


# The event's second, not its source: paths hold backslashes, which a search would read otherwise. Rows of data
# models have no index, those of correlations neither that nor a host.
_DRILLDOWN = (
    r'coalesce("index=\"".index."\" host=\"".host."\" sourcetype=\"".sourcetype."\"", "index=* host=\"".host."\"",'
    r' "index=*")." earliest=".floor(_time)." latest=".(floor(_time)+1)'
    r'." | sigmamatch rules=\"".sigma_rule_id."\" explain=true"'
)
