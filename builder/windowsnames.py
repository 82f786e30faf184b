"""Windows events as Windows writes them: the mappings without what Splunk makes of names.

Windows writes an event as ``<System>``, whose elements are the same for every event, and data by
name (``<Data Name='Image'>``). Splunk's add-on cleans names (``Threat Name`` becomes
``Threat_Name``) and calls some elements otherwise (``EventID`` is ``EventCode``); its naming of Windows
fields is the profile ``windows_xml`` of the mappings, and here it is read backwards.
"""

from __future__ import annotations

from typing import Any

from sigmaengine.routing import RoutingTable

PRODUCT = "windows"
PROFILE = "windows_xml"

#: Fields of Sigma's that are no data of the event, but elements and attributes of ``<System>``.
SYSTEM = (
    "Channel", "Computer", "EventID", "EventRecordID", "Keywords", "Level", "Opcode", "Provider_Guid", "Provider_Name",
    "Task", "Version",
)  # fmt: skip
#: Attributes there, as Splunk names them: data of the event may have these names too, and is another thing.
SYSTEM_ATTRIBUTES = frozenset((
    "ActivityID", "Guid", "ProcessID", "Qualifiers", "RelatedActivityID", "SystemTime", "ThreadID", "TimeCreated",
    "UserID",
))  # fmt: skip
_SPLUNK = {
    "EventCode": "EventID",
    "RecordNumber": "EventRecordID",
    "Provider": "Provider_Name",
    "SourceName": "Provider_Name",
    # a label of the classic rendering, which has the name of the XML too
    "Process_Command_Line": "CommandLine",
}
# By which Splunk tells Windows events from others; a target that reads Windows events needs none.
_ORIGINS = ("source", "sourcetype")


def windows_table(written: dict[str, Any]) -> RoutingTable:
    """The alternatives of Windows, with each field's one name, and ``channel`` and ``event_id`` among the keys.

    ``written``: the table as it is spelt (``Mappings.written``).
    """
    alternatives = [
        [logsource, [_key(key, globs) for key, globs in when if key not in _ORIGINS], xml, _names(aliases)]
        for logsource, when, xml, aliases in written["alternatives"]
        if logsource[0] == PRODUCT
    ]
    return RoutingTable({"keys": {"channel": [["Channel"]], "event_id": [["EventID"]]}, "alternatives": alternatives})


def _key(key: str, globs: list[str]) -> list[Any]:
    return [_SPLUNK.get(key, key), globs]


def _names(aliases: dict[str, list[Any]]) -> dict[str, list[Any]]:
    names: dict[str, list[Any]] = {}
    for field, (_, entries) in aliases.items():
        native = [_native(candidate[0]) for profile, candidate in entries if profile == PROFILE]
        if native and native[0] != field:
            names[field] = [False, [[PROFILE, [native[0]]]]]
    return names


def _native(column: str) -> str:
    return _SPLUNK.get(column, column.replace("_", " "))
