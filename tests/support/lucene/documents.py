r"""Windows events as an index holds them, made from their XML.

Written after the documentation of Winlogbeat, the ingest pipelines of its modules and Graylog's Beats input; shares
no code and no table with what writes queries. Of the pipelines only what queries may ask for is done.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

from . import Document

Fields = dict[str, list[str]]

_SPACE = "{http://schemas.microsoft.com/win/2004/08/events/event}"


def winlogbeat(raw: str) -> Fields:
    """An event as Winlogbeat sends it, field names with dots."""
    event = ET.fromstring(raw)  # noqa: S314 - test data
    system = event.find(f"{_SPACE}System")
    assert system is not None
    found: Fields = {}
    for name, tag in {"winlog.channel": "Channel", "event.code": "EventID", "winlog.computer_name": "Computer"}.items():
        _add(found, name, system.findtext(f"{_SPACE}{tag}"))
    provider = system.find(f"{_SPACE}Provider")
    if provider is not None:
        _add(found, "winlog.provider_name", provider.get("Name"))
        _add(found, "winlog.provider_guid", provider.get("Guid"))
    for number, data in enumerate(event.iterfind(f"{_SPACE}EventData/*"), 1):
        unnamed = f"param{number}" if data.tag == f"{_SPACE}Data" else data.tag.removeprefix(_SPACE)
        _add(found, f"winlog.event_data.{data.get('Name') or unnamed}", data.text)
    for data in event.iterfind(f"{_SPACE}UserData/*/*"):
        _add(found, f"winlog.user_data.{data.tag.rpartition('}')[2]}", data.text)
    return found


def _add(fields: Fields, name: str, value: str | None) -> None:
    if value:
        fields.setdefault(name, []).append(value)


def graylog(raw: str) -> Document:
    """The same behind Graylog's Beats input, which keeps no field whose name has other characters."""
    named = {f"winlogbeat_{name.replace('.', '_')}": values for name, values in winlogbeat(raw).items()}
    return {name: values for name, values in named.items() if re.fullmatch(r"[\w.@-]*", name, re.ASCII)}


def ecs(raw: str) -> Document:
    """The same behind the pipeline of the channel's module."""
    fields = winlogbeat(raw)
    pipeline = _PIPELINES.get(fields.get("winlog.channel", [""])[0].lower())
    if pipeline:
        pipeline(fields, fields.get("event.code", [""])[0])
    return {name: values for name, values in fields.items() if values}


def _rename(fields: Fields, old: str, new: str) -> None:
    values = fields.get(f"winlog.event_data.{old}")
    if values and new not in fields:
        fields[new] = fields.pop(f"winlog.event_data.{old}")


def _take(fields: Fields, name: str) -> str:
    return (fields.pop(f"winlog.event_data.{name}", None) or [""])[0]


# --- Sysmon -----------------------------------------------------------------------------------------

_SYSMON = {
    "ProcessGuid": "process.entity_id",
    "Image": "process.executable",
    "SourceProcessGuid": "process.entity_id",
    "SourceProcessGUID": "process.entity_id",
    "SourceImage": "process.executable",
    "Destination": "process.executable",
    "CommandLine": "process.command_line",
    "CurrentDirectory": "process.working_directory",
    "ParentProcessGuid": "process.parent.entity_id",
    "ParentImage": "process.parent.executable",
    "ParentCommandLine": "process.parent.command_line",
    "TargetFilename": "file.path",
    "Device": "file.path",
    "PipeName": "file.name",
    "ImageLoaded": "file.path",
    "Protocol": "network.transport",
    "SourceHostname": "source.domain",
    "DestinationHostname": "destination.domain",
    "QueryName": "dns.question.name",
    "QueryStatus": "sysmon.dns.status",
    "RuleName": "rule.name",
    "TargetProcessGuid": "winlog.event_data.TargetProcessGUID",
}
_NUMBERS = {
    "ProcessId": "process.pid",
    "SourceProcessId": "process.pid",
    "SourceThreadId": "process.thread.id",
    "ParentProcessId": "process.parent.pid",
    "SourcePort": "source.port",
    "DestinationPort": "destination.port",
}
_OTHERS = {
    "Archived": "sysmon.file.archived",
    "IsExecutable": "sysmon.file.is_executable",
    "SourceIp": "source.ip",
    "DestinationIp": "destination.ip",
}
_REMOVED = ("DestinationIsIpv6", "SourcePortName", "DestinationPortName", "QueryResults", "UtcTime")
_EMPTY = ("", "-", "{00000000-0000-0000-0000-000000000000}")
_STATUS = {"0": "SUCCESS", "5": "ERROR_ACCESS_DENIED", "9003": "DNS_ERROR_RCODE_NAME_ERROR"}


def _sysmon(fields: Fields, code: str) -> None:
    for name in list(fields):
        if name.startswith("winlog.event_data.") and fields[name][0] in _EMPTY:
            del fields[name]
    _hashes(fields, code)
    _rename(fields, "OriginalFileName", f"{'file' if code == '7' else 'process'}.pe.original_file_name")
    for old, new in _SYSMON.items():
        _rename(fields, old, new)
    _convert(fields)
    user = _take(fields, "User").split("\\")
    if len(user) == 2:
        fields["user.domain"], fields["user.name"] = [user[0]], [user[1]]
    target, details = _take(fields, "TargetObject"), _take(fields, "Details")
    if target and code in ("12", "13", "14"):
        fields["registry.path"] = [target]
        _registry(fields, details)
    for name in _REMOVED:
        _take(fields, name)


def _hashes(fields: Fields, code: str) -> None:
    _rename(fields, "Hash", "winlog.event_data.Hashes")
    hashes = dict(pair.split("=", 1) for pair in _take(fields, "Hashes").split(",") if "=" in pair)
    owner = "file" if code in ("6", "7", "15", "29") else "process"
    for algorithm, digest in hashes.items():
        if digest.strip("0"):
            name = f"{owner}.pe.imphash" if algorithm == "IMPHASH" else f"{owner}.hash.{algorithm.lower()}"
            fields[name] = [digest.lower()]


def _convert(fields: Fields) -> None:
    """Values that are no texts in the index, or other ones."""
    for old, new in _NUMBERS.items():
        if number := _take(fields, old):
            fields.setdefault(new, [str(int(number))])
    for old, new in _OTHERS.items():
        if value := _take(fields, old):
            fields[new] = [value]
    status = fields.get("sysmon.dns.status")
    if status:
        fields["sysmon.dns.status"] = [_STATUS.get(status[0], status[0])]
    if version := _take(fields, "SourceIsIpv6"):
        fields["network.type"] = ["ipv6" if version == "true" else "ipv4"]
    initiated = _take(fields, "Initiated")
    if initiated in ("true", "false"):
        fields["network.direction"] = ["egress" if initiated == "true" else "ingress"]


def _registry(fields: Fields, details: str) -> None:
    dword = re.fullmatch(r"DWORD \((0x[0-9A-F]{8})\)", details, re.IGNORECASE)
    qword = re.fullmatch(r"QWORD \((0x[0-9A-F]{8})-(0x[0-9A-F]{8})\)", details, re.IGNORECASE)
    if dword:
        kind, value = "SZ_DWORD", str(int(dword[1], 16))
    elif qword:
        kind, value = "SZ_QWORD", str((int(qword[1], 16) << 8) + int(qword[2], 16))
    else:
        kind, value = ("REG_BINARY" if details == "Binary Data" else "REG_SZ"), details
    if value:
        fields["registry.data.type"], fields["registry.data.strings"] = [kind], [value]


# --- the Security log -------------------------------------------------------------------------------

_AUTHENTICATION = {
    *(1100, 1102, 1104, 1105, 1108, 4624, 4625, 4648, 4670, 4673, 4674, 4689, 4697, 4719, 4720),
    *(*range(4722, 4736), 4737, 4738, *range(4740, 4765), 4767, 4768, 4769, 4770, 4771, 4798, 4799),
    *(4817, 4904, 4905, 4907, 4912, 5140, 5145),
}


def _security(fields: Fields, code: str) -> None:
    if code == "4688":
        _rename(fields, "NewProcessName", "process.executable")
        _rename(fields, "ParentProcessName", "process.parent.executable")
        fields["process.command_line"] = fields.get("winlog.event_data.CommandLine", [])
        fields["user.name"] = fields.get("winlog.event_data.SubjectUserName", [])
        fields["user.domain"] = fields.get("winlog.event_data.SubjectDomainName", [])
    elif int(code) in _AUTHENTICATION:
        _rename(fields, "ProcessName", "process.executable")
        _rename(fields, "WorkstationName", "source.domain")
        if fields.get("winlog.event_data.IpAddress", ["-"]) != ["-"]:
            fields["source.ip"] = [_take(fields, "IpAddress").removeprefix("::ffff:")]
        if fields.get("winlog.event_data.IpPort", ["-"]) != ["-"]:
            fields["source.port"] = [_take(fields, "IpPort")]
    privileges = fields.get("winlog.event_data.PrivilegeList")
    if privileges and code in ("4672", "4673", "4674", "4741", "4742", "4743"):
        fields["winlog.event_data.PrivilegeList"] = re.split(r"\s+", privileges[0])


# --- PowerShell -------------------------------------------------------------------------------------

_CLASSIC = {
    "HostId": "process.entity_id",
    "HostApplication": "process.command_line",
    "HostName": "process.title",
    "NewEngineState": "powershell.engine.new_state",
    "PreviousEngineState": "powershell.engine.previous_state",
    "EngineVersion": "powershell.engine.version",
    "HostVersion": "powershell.process.executable_version",
}


def _powershell(fields: Fields, _: str) -> None:
    _rename(fields, "ScriptBlockText", "powershell.file.script_block_text")
    _rename(fields, "ScriptBlockId", "powershell.file.script_block_id")
    _rename(fields, "Path", "file.path")
    for name in ("Payload", "ContextInfo", "MessageNumber", "MessageTotal"):
        _take(fields, name)


def _classic_powershell(fields: Fields, code: str) -> None:
    text = _take(fields, "param2" if code == "800" else "param3")
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and name in _CLASSIC and value.strip():
            fields[_CLASSIC[name]] = [value.strip()]
    _take(fields, "param1")
    _take(fields, "param2")


_PIPELINES: dict[str, Callable[[Fields, str], None]] = {
    "microsoft-windows-sysmon/operational": _sysmon,
    "security": _security,
    "microsoft-windows-powershell/operational": _powershell,
    "windows powershell": _classic_powershell,
}
