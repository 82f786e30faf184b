"""The summary index of matches: macros by which it is written and read, and its events as Alerts of CIM.

Source: Search Reference ("collect"), Common Information Model ("Alerts"). Events of collect have the
sourcetype ``stash``, which many apps write: the source is what tells ours, so that no other app's
fields change.
"""

from __future__ import annotations

from .alerts import LEVEL, RULE_ID, TITLE, TOLD
from .configuration import Summary

SOURCE = "Sigma Match"
EVENTTYPE = "sigma_match"
READ, WRITE = "sigma_summary_index", "sigma_collect"


def macros(summary: Summary | None) -> dict[str, str]:
    """Name -> definition. Both are there in any case, for the event type and for searches that people write."""
    index = (summary or Summary()).index
    return {READ: f"index={index}", WRITE: f'collect index={index} source="{SOURCE}"'}


#: eventtypes.conf
EVENTTYPES = {EVENTTYPE: {"search": f'`{READ}` source="{SOURCE}"'}}
#: tags.conf
TAGS = {f"eventtype={EVENTTYPE}": {"alert": "enabled"}}


def _first_of(*fields: str) -> str:
    return f"coalesce({', '.join(fields)})"


def _listed(field: str) -> str:
    # The lookup has one on a line.
    return f'split(trim(replace({field}, "\\s+", " ")), " ")'


_FIELDS = {
    "app": f'"{SOURCE}"',
    "description": TOLD["description"],
    "dest": _first_of("dest", "Computer", "ComputerName", "orig_host", "host"),
    "id": f'md5({RULE_ID} . " " . _raw)',
    "mitre_technique_id": _listed(TOLD["techniques"]),
    "severity": LEVEL,
    "severity_id": f'case({LEVEL}="critical", 5, {LEVEL}="high", 4, {LEVEL}="medium", 3, {LEVEL}="low", 2, true(), 1)',
    "signature": TITLE,
    "signature_id": RULE_ID,
    "src": _first_of("src", "src_ip", "SourceIp", "SourceAddress", "IpAddress", "c_ip", "sourceIPAddress"),
    "type": '"alert"',
    "user": _first_of("user", "User", "TargetUserName", "SubjectUserName", "UserId"),
    "vendor_product": f'"{SOURCE}"',
}

#: props.conf
PROPS = {f"source::{SOURCE}": {f"EVAL-{field}": expression for field, expression in sorted(_FIELDS.items())}}
