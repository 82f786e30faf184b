"""Events that are made up, the same in every run: process creations that are all new, JSON and XML events."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from html import escape

Event = dict[str, str]

_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8,}(?![0-9A-Za-z])")
_SEEDED = 20261101  # any number: the same events in every run


def new_process_creations(known: Sequence[Event], count: int) -> Iterator[Event]:
    """Recorded process creations in turn, with command lines, hashes, ids and times that never were before.

    What is added to a command line is what changes in real ones: a number, a path, a GUID.
    """
    for number in range(count):
        event = known[number % len(known)]
        yield _renewed(event, random.Random(_SEEDED + number), number)  # noqa: S311 - no secret


def _renewed(event: Event, chance: random.Random, number: int) -> Event:
    fresh = dict(event)
    changes: list[tuple[str, str]] = []
    for name in ("CommandLine", "ParentCommandLine"):
        if name in event:
            fresh[name] = event[name] + _argument(chance, number)
            changes.append((event[name], fresh[name]))
    for name in ("Hashes", "ProcessGuid", "ParentProcessGuid", "LogonGuid"):
        if name in event:
            fresh[name] = _HEX.sub(lambda found: _hexadecimal(chance, len(found[0])), event[name])
            changes.append((event[name], fresh[name]))
    for name in ("ProcessId", "ParentProcessId", "RecordNumber", "EventRecordID"):
        if name in event:
            fresh[name] = str(chance.randrange(1, 99_999))
    fresh["_time"] = f"{1_700_000_000 + number // 50}.{number % 1000:03}"
    raw = event.get("_raw", "")
    for before, after in changes:
        for old, new in {before: after, escape(before, quote=False): escape(after, quote=False)}.items():
            raw = raw.replace(f">{old}<", f">{new}<")
    fresh["_raw"] = raw
    return fresh


def _argument(chance: random.Random, number: int) -> str:
    forms = (
        f" {number}",
        f" -id {_hexadecimal(chance, 12)}{number:x}",
        f" C:\\Users\\user{number}\\AppData\\Local\\Temp\\{_hexadecimal(chance, 8)}.tmp",
        f" {{{_hexadecimal(chance, 8)}-{number:08x}}}",
    )
    return chance.choice(forms)


def _hexadecimal(chance: random.Random, length: int) -> str:
    return f"{chance.getrandbits(4 * length):0{length}X}"


_CALLS = (
    ("iam.amazonaws.com", "CreateUser"),
    ("s3.amazonaws.com", "GetObject"),
    ("s3.amazonaws.com", "PutBucketPolicy"),
    ("ec2.amazonaws.com", "DescribeInstances"),
    ("ec2.amazonaws.com", "RunInstances"),
    ("sts.amazonaws.com", "AssumeRole"),
    ("signin.amazonaws.com", "ConsoleLogin"),
    ("cloudtrail.amazonaws.com", "StopLogging"),
    ("kms.amazonaws.com", "Decrypt"),
    ("lambda.amazonaws.com", "UpdateFunctionConfiguration20150331v2"),
)


def json_events(count: int) -> Iterator[Event]:
    """AWS CloudTrail events as Splunk's add-on shows them: JSON in ``_raw``, its members as dotted fields."""
    for number in range(count):
        chance = random.Random(_SEEDED + number)  # noqa: S311 - no secret
        source, name = chance.choices(_CALLS, weights=(1, 40, 1, 30, 5, 15, 2, 1, 40, 1))[0]
        record = {
            "eventVersion": "1.08",
            "eventTime": f"2023-11-14T22:{number // 60 % 60:02}:{number % 60:02}Z",
            "eventSource": source,
            "eventName": name,
            "awsRegion": chance.choice(("eu-central-1", "us-east-1")),
            "sourceIPAddress": f"203.0.113.{chance.randrange(256)}",
            "userAgent": chance.choice(("aws-cli/2.13", "Boto3/1.28", "console.amazonaws.com")),
            "userIdentity": {
                "type": chance.choice(("IAMUser", "AssumedRole", "Root")),
                "arn": f"arn:aws:iam::111122223333:user/user{chance.randrange(500)}",
                "accountId": "111122223333",
            },
            "requestParameters": {"key": _hexadecimal(chance, 24), "bucketName": f"bucket{chance.randrange(50)}"},
            "eventID": _hexadecimal(chance, 32),
            "eventType": "AwsApiCall",
        }
        event = {"_time": str(1_700_000_000 + number), "host": "h", "source": "aws", "sourcetype": "aws:cloudtrail"}
        yield {**event, **_flat(record, ""), "_raw": json.dumps(record)}


def _flat(record: dict[str, object], prefix: str) -> Event:
    found: Event = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found.update(_flat(value, f"{prefix}{name}."))
        else:
            found[prefix + name] = str(value)
    return found


def xml_events(count: int) -> Iterator[Event]:
    """Windows PowerShell 400 as Splunk's add-on shows it: the data have no names and are in ``_raw`` alone."""
    channel = "Windows PowerShell"
    for number in range(count):
        chance = random.Random(_SEEDED + number)  # noqa: S311 - no secret
        host = f"powershell.exe -File C:\\jobs\\job{chance.randrange(400)}.ps1 -n {number if number % 3 else 0}"
        if number % 200 == 7:
            host = "powershell.exe -Command Get-WmiObject Win32_Shadowcopy | ForEach-Object { $_.Delete() }"
        data = ("Available", "None", f"NewEngineState=Available\n\tHostVersion=5.1\n\tHostApplication={host}\n")
        system = (
            f"<System><Provider Name='PowerShell'/><EventID Qualifiers='0'>400</EventID><Level>4</Level>"
            f"<EventRecordID>{number}</EventRecordID><Channel>{channel}</Channel><Computer>pc1</Computer></System>"
        )
        listed = "".join(f"<Data>{escape(value, quote=False)}</Data>" for value in data)
        yield {
            "_time": str(1_700_000_000 + number),
            "host": "pc1",
            "source": f"XmlWinEventLog:{channel}",
            "sourcetype": "XmlWinEventLog",
            "EventCode": "400",
            "Channel": channel,
            "Computer": "pc1",
            "Name": "'PowerShell'",
            "Level": "4",
            "RecordNumber": str(number),
            "_raw": f"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>{system}"
            f"<EventData>{listed}</EventData></Event>",
        }
