"""``docs/log-sources.md``, from the mapping files and the test cases about them.

``python -m builder.docs_logsources`` prints the page, ``--write`` writes it, ``--check`` exits with
1 if the page in the checkout is another one.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "app" / "bin")]

from builder.docpages import page_command  # noqa: E402 - after the path is set
from builder.paths import MAPPINGS  # noqa: E402
from sigmaengine.rule import LogSource  # noqa: E402 - after the path is set
from sigmaengine.ruletext import read_documents  # noqa: E402

PAGE = ROOT / "docs" / "log-sources.md"
CASES = ROOT / "tests" / "mappings"

_INTRODUCTION = """\
# Log sources

Which events a rule's `logsource` means, and where the names of their sourcetypes and fields are
documented. This page is written by `python -m builder.docs_logsources --write` from
[`mappings/`](../mappings/README.md) and `tests/mappings/`; a test compares it with them.

- *Log source*: product/category/service; `*` where the mapping says nothing. A rule applies to an
  event when the category and the service that the rule names are each given by a mapping that the
  event belongs to, of the rule's product or, where the rule names none, of any.
- *Events*: the event log is `Channel`, `LogName`, or what follows `XmlWinEventLog:`,
  `WinEventLog:` or `WMI:WinEventLog:` in `source` or `sourcetype`; the event code is `EventCode`
  or `EventID`. Values are compared without regard to case; `*` stands for any text.
- *Tests*: cases in `tests/mappings/` whose rule has this log source. Each runs a rule through the
  packaged command over events that must match and near misses. The events are written from the
  documentation named here; none was taken from a Splunk server. *untested*: no case yet.
"""

_ANY_FORMAT = "every installation writes its own format under its own sourcetype"
#: Log sources of SigmaHQ's rules that no mapping gives -> why not.
UNMAPPED: dict[LogSource, str] = {
    LogSource("azure", "", "pim"): (
        "alerts of Privileged Identity Management, read from Microsoft Graph; no Splunk add-on collects them and no"
        " diagnostic category holds them"
    ),
    LogSource("django", "application"): _ANY_FORMAT,
    LogSource("fortios", "", "sslvpnd"): (
        "asks for file creation events of the appliance, which FortiOS does not log and no add-on collects"
    ),
    LogSource("huawei", "", "bgp"): "no add-on, and no documented sourcetype for the messages of VRP",
    LogSource("nodejs", "application"): _ANY_FORMAT,
    LogSource("paloalto", "file_event", "globalprotect"): (
        "asks for file creation events of the appliance, which PAN-OS does not log and no add-on collects"
    ),
    LogSource("python", "application"): _ANY_FORMAT,
    LogSource("ruby_on_rails", "application"): _ANY_FORMAT,
    LogSource("sql", "application"): (
        "the errors stand in the log of whatever application sent the statement, not in a database's own error log"
    ),
    LogSource("windows", "file_access"): (
        "events of the ETW provider Microsoft-Windows-Kernel-File, which has no event log channel: no documented"
        " input collects it; Security 4663 is an access check on an audited object, another thing"
    ),
    LogSource("windows", "file_rename"): "as windows/file_access",
}

_UNMAPPED_INTRODUCTION = """\
## Log sources of SigmaHQ's rules without a mapping

Rules of these log sources are packaged and match nothing by themselves; the build and the job
inspector say so. If you have such events, name them: `| sigmamatch logsource=sql/application`.
"""

#: Routing key -> what a reader calls it.
_KEYS = {"channel": "event log", "event_id": "event code"}

When = dict[str, list[str]]


@dataclass
class _Source:
    """All that the mapping files say of one log source."""

    documented: list[str] = field(default_factory=list)
    whens: list[When] = field(default_factory=list)


def page() -> str:
    """The page's text."""
    return "\n".join([_INTRODUCTION, *_mapped_table(), "", _UNMAPPED_INTRODUCTION, *_unmapped_table(), ""])


def _mapped_table() -> Iterator[str]:
    sources, cases = _mapped_sources(), _cases()
    yield "| log source | events | documented | tests |"
    yield "|---|---|---|---|"
    for logsource, source in sorted(sources.items()):
        events = "; or ".join(map(_in_words, _broadest(source.whens)))
        documented = "; ".join(map(_escaped, source.documented))
        yield f"| {_escaped(str(logsource))} | {events} | {documented} | {cases[logsource] or '*untested*'} |"


def _unmapped_table() -> Iterator[str]:
    yield "| log source | why |"
    yield "|---|---|"
    for logsource, why in UNMAPPED.items():
        yield f"| {_escaped(str(logsource))} | {_escaped(why)} |"


def _documents(folder: Path) -> Iterator[Any]:
    for path in sorted(folder.glob("*.yml")):
        yield from read_documents(path.read_bytes())


def _logsource(content: Any) -> LogSource:
    return LogSource(*(str(content.get(key) or "").lower() for key in LogSource._fields))


def _mapped_sources() -> dict[LogSource, _Source]:
    found: dict[LogSource, _Source] = {}
    for document in _documents(MAPPINGS):
        for entry in document.get("logsources", ()):
            source = found.setdefault(_logsource(entry), _Source())
            if entry["source"] not in source.documented:
                source.documented.append(entry["source"])
            for event in entry["events"]:
                source.whens.append({key: _texts(values) for key, values in event["when"].items()})
    return found


def _cases() -> Counter[LogSource]:
    """How many test cases there are about each log source."""
    return Counter(_logsource(case["rule"]["logsource"]) for document in _documents(CASES) for case in document)


def _texts(values: Any) -> list[str]:
    return [str(value) for value in (values if isinstance(values, list) else [values])]


def _broadest(whens: list[When]) -> list[When]:
    """``whens`` without those that another one takes in: they only give fields other names."""
    found: list[When] = []
    for place, when in enumerate(whens):
        others = [other for index, other in enumerate(whens) if index != place and _takes_in(other, when)]
        if when not in found and not any(other != when for other in others):
            found.append(when)
    return found


def _takes_in(wide: When, narrow: When) -> bool:
    return all(key in narrow and set(narrow[key]) <= set(values) for key, values in wide.items())


def _in_words(when: When) -> str:
    return ", ".join(f"{_KEYS.get(key, key)} {_alternatives(values)}" for key, values in when.items())


def _alternatives(values: list[str]) -> str:
    quoted = [f"`{value}`" for value in values]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _escaped(text: str) -> str:
    """``text`` for a table's cell: no character of it is Markdown's."""
    return re.sub(r"([*|<\[\]])", r"\\\1", text)


main = page_command(PAGE, "builder.docs_logsources", page)


if __name__ == "__main__":
    main()
