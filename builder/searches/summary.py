"""The summary index of alerts: macros by which it is written and read, and its events as Alerts of CIM.

Source: Search Reference ("collect"), Common Information Model ("Alerts"). Events of collect have the
sourcetype ``stash``, which many apps write: the source is what tells ours, so that no other app's
fields change.
"""

from __future__ import annotations

from sigmaengine.metadata import LEVELS

from .configuration import Summary
from .context import Context, Part

SOURCE = "Sigma Match"
EVENTTYPE = "sigma_match"
READ, WRITE = "sigma_summary_index", "sigma_collect"


def by_summary(context: Context) -> Part:
    """The macros. Both are there in any case, for the event type and for searches that people write."""
    index = (context.configuration.actions.summary or Summary()).index
    return Part({}, {READ: f"index={index}", WRITE: f'collect index={index} source="{SOURCE}"'})


#: eventtypes.conf
EVENTTYPES = {EVENTTYPE: {"search": f'`{READ}` source="{SOURCE}"'}}
#: tags.conf
TAGS = {f"eventtype={EVENTTYPE}": {"alert": "enabled"}}


def _first_of(*fields: str) -> str:
    return f"coalesce({', '.join(fields)})"


def listed(field: str) -> str:
    """The expression for the values of a field of the lookup, which has one on a line."""
    return f'split(trim(replace({field}, "\\s+", " ")), " ")'


def _severity_id() -> str:
    cases = ", ".join(f'sigma_level="{level}", {number}' for number, level in enumerate(LEVELS, 1))
    return f"case({cases})"


_FIELDS = {
    "app": f'"{SOURCE}"',
    "description": "sigma_description",
    "dest": _first_of("dest", "Computer", "ComputerName", "orig_host", "host"),
    "id": 'md5(sigma_rule_id . " " . _raw)',
    "mitre_technique_id": listed("sigma_techniques"),
    "severity": "sigma_level",
    "severity_id": _severity_id(),
    "signature": "sigma_rule_title",
    "signature_id": "sigma_rule_id",
    "src": _first_of("src", "src_ip", "SourceIp", "SourceAddress", "IpAddress", "c_ip", "sourceIPAddress"),
    "type": '"alert"',
    "user": _first_of("user", "User", "TargetUserName", "SubjectUserName", "UserId"),
    "vendor_product": f'"{SOURCE}"',
}

#: props.conf
PROPS = {f"source::{SOURCE}": {f"EVAL-{field}": expression for field, expression in sorted(_FIELDS.items())}}
