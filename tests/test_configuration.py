"""The file of ``package --config``: what is wrong with it, each fault by its line, and what it means."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from builder.mappings import Mappings
from builder.outcomes import RuleFolder
from builder.paths import ROOT, RULES
from builder.rulefiles import read_folders
from builder.searches.configfile import ConfigurationError, read_configuration
from builder.searches.configuration import (
    Actions,
    Configuration,
    Email,
    Notable,
    Risk,
    RiskObject,
    Streams,
    Summary,
    Throttle,
    Webhook,
)
from builder.searches.schedule import PERIODS, Timing, duration, read_cron, staggered
from builder.searches.sources import sources
from builder.searches.streams import products
from tests.support.builds import UUID, rule, write

PRODUCTS = ("windows", "linux")
STREAMS = ("windows_security", "windows_sysmon")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RuleFolder:
    """Five rules, one of them refused, in two folders."""
    top = tmp_path_factory.mktemp("rules")
    write(
        top / "windows" / "logon",
        one=rule(1, level="critical", status="stable", tags="[attack.t1110, attack.credential-access]"),
        two=rule(2, level="high", title="'Odd, with a comma'"),
        three=rule(3, level="low"),
    )
    write(top / "linux", four=rule(4, level="medium", status="experimental"), bad=rule(5, "A|nothing: x"))
    return read_folders([top])


def read(text: str, folder: RuleFolder, tmp_path: Path) -> Configuration:
    path = tmp_path / "searches.yml"
    path.write_text(text, "utf-8")
    return read_configuration(path, folder, PRODUCTS, STREAMS)


#: The file; line and beginning of each message.
FAULTS: dict[str, tuple[str, list[tuple[int, str]]]] = {
    "no mapping": ("- a\n", [(1, "expected a mapping, this is a list")]),
    "no YAML": ("a: [\n", [(2, "this is no YAML")]),
    "two documents": ("version: 1\n---\nversion: 1\n", [(3, "there is a second document")]),
    "another version": ("version: 2\n", [(1, "'version': the version must be 1")]),
    "a boolean version": ("version: true\n", [(1, "'version': the version must be 1")]),
    "an unknown key": ("version: 1\nstream: {}\n", [(2, "'stream': there is no such key; did you mean streams?")]),
    "an unknown key like no other": ("zzz: 1\n", [(1, "'zzz': there is no such key; there are actions, by_rule")]),
    "an unknown key inside": (
        "streams:\n  period: 15m\n  laag: 1m\n",
        [(3, "'streams.laag': there is no such key; did you mean lag?")],
    ),
    "a key twice": ("enable: true\nenable: false\n", [(2, "the key 'enable'")]),
    "a level that does not exist": (
        "select:\n  level: hihg\n",
        [(2, "'select.level': there is no 'hihg'; did you mean high?")],
    ),
    "a level that is a list": ("select: {level: [high]}\n", [(1, "'select.level': expected text, this is a list")]),
    "a status that does not exist": (
        "select:\n  status:\n    - stable\n    - done\n",
        [(4, "'select.status 2': there is no 'done'; there are *, deprecated")],
    ),
    "a rule id that is not there": (
        f"by_rule:\n  - rules: [{UUID}01, {UUID}77]\n",
        [(2, f"'by_rule 1.rules 2': no rule has the id or title '{UUID}77'; did you mean {UUID}0")],
    ),
    "a title that is not there": (
        "select: {rules: Zebra}\n",
        [(1, "'select.rules': no rule has the id or title 'Zebra'; build-report.json lists all")],
    ),
    "a refused rule": (
        f"select: {{rules: {UUID}05}}\n",
        [(1, f"'select.rules': the rule '{UUID}05' is refused, so it is not in the package")],
    ),
    "a list as one text": (
        f"select: {{rules: '{UUID}01,{UUID}02'}}\n",
        [(1, "'select.rules': '00000000-")],
    ),
    "a tag that no rule has": (
        "by_rule: [{tags: attack.t9999}]\n",
        [(1, "'by_rule 1.tags': no rule has the tag 'attack.t9999'")],
    ),
    "a path that is no rule's": (
        "by_rule:\n- path: macos/*\n",
        [(2, "'by_rule 1.path': no rule's file matches 'macos/*'")],
    ),
    "a path for the command": ("select: {path: windows/*}\n", [(1, "'select.path': there is no such key")]),
    "nothing selected by all together": (
        "by_rule:\n- {level: high, path: linux/*}\n",
        [(2, "'by_rule 1': no rule is selected by all of this together")],
    ),
    "an empty list": ("select: {rules: []}\n", [(1, "'select.rules': the list is empty")]),
    "a naming of fields": ("fields: native\n", [(1, "'fields': there is no 'native'; there are auto, cim")]),
    "an unknown product": (
        "indexes:\n  windows: main\n  windwos: main\n",
        [(3, "'indexes.windwos': there is no such key; did you mean windows?")],
    ),
    "an index with spaces": (
        "indexes:\n  windows:\n    - wineventlog\n    - my index\n",
        [(4, "'indexes.windows 2': 'my index' is no name of an index: lower-case letters")],
    ),
    "an index in upper case": ("indexes: {other: Main}\n", [(1, "'indexes.other': 'Main' is no name of an index")]),
    "an index that is a number": ("indexes: {other: 7}\n", [(1, "'indexes.other': expected text, this is a number")]),
    "a period without a unit": (
        "streams: {period: 15}\n",
        [(1, "'streams.period': '15': a duration is a number and s, m, h or d, such as 15m")],
    ),
    "a period too short": ("streams: {period: 1m}\n", [(1, "'streams.period': '1m': is no period of a search")]),
    "a period that divides nothing": ("streams: {period: 7m}\n", [(1, "'streams.period': '7m': is no period of a")]),
    "a period too long": ("periods: {low: 2d}\n", [(1, "'periods.low': '2d': is no period of a search")]),
    "a period of no level": ("periods: {lwo: 1h}\n", [(1, "'periods.lwo': there is no such key; did you mean low?")]),
    "seconds of lag": ("streams: {lag: 90s}\n", [(1, "'streams.lag': '90s': must be whole minutes")]),
    "lag too long": ("streams: {lag: 2d}\n", [(1, "'streams.lag': '2d': must be between 0s and 24h")]),
    "a stream that does not exist": (
        "enable:\n  streams: [windows_sysmom]\n",
        [(2, "'enable.streams 1': there is no 'windows_sysmom'; did you mean windows_sysmon?")],
    ),
    "enable as text": ("enable: 'yes'\n", [(1, "'enable': expected a mapping, this is text")]),
    "a cron with six fields": (
        "schedules:\n  - {streams: windows_sysmon, cron: '0 */5 * * * *'}\n",
        [(2, "'schedules 1.cron': '0 */5 * * * *': a cron expression is text of five fields")],
    ),
    "a cron with a name": (
        "schedules: [{streams: windows_sysmon, cron: '0 5 * * MON'}]\n",
        [(1, "'schedules 1.cron': '0 5 * * MON': 'MON' cannot be the day of week")],
    ),
    "a cron out of range": (
        "schedules: [{streams: windows_sysmon, cron: '61 * * * *'}]\n",
        [(1, "'schedules 1.cron': '61 * * * *': '61' is out of range for the minute")],
    ),
    "a cron too often": (
        "schedules: [{streams: windows_sysmon, cron: '*/2 * * * *'}]\n",
        [(1, "'schedules 1.cron': '*/2 * * * *': it runs again after 2 minutes")],
    ),
    "a cron too often over the hour": (
        "schedules: [{streams: windows_sysmon, cron: '2,58 * * * *'}]\n",
        [(1, "'schedules 1.cron': '2,58 * * * *': it runs again after 4 minutes")],
    ),
    "a cron for working days": (
        "schedules: [{streams: windows_sysmon, cron: '0 8 * * 1-5'}]\n",
        [(1, "'schedules 1.cron': '0 8 * * 1-5': it does not run for 72 hours")],
    ),
    "a cron for the first of a month": (
        "schedules: [{streams: windows_sysmon, cron: '0 0 1 * *'}]\n",
        [(1, "'schedules 1.cron': '0 0 1 * *': day of month and month must be *")],
    ),
    "a schedule of nothing": (
        "schedules:\n- cron: '0 * * * *'\n",
        [(2, "'schedules 1': needs streams, or rules by")],
    ),
    "a schedule without a cron": ("schedules: [{streams: windows_sysmon}]\n", [(1, "'schedules 1': needs cron")]),
    "a field with a blank": ("throttle: {fields: [a b]}\n", [(1, "'throttle.fields 1': 'a b' is no name of a field")]),
    "a step from a minute on": (
        "schedules: [{streams: windows_sysmon, cron: '5/10 * * * *'}]\n",
        [(1, "'schedules 1.cron': '5/10 * * * *': '5/10' is not read alike everywhere; write 5-59/10")],
    ),
    "a cron of uneven runs": (
        "schedules: [{streams: windows_sysmon, cron: '5 8-18 * * *'}]\n",
        [(1, "'schedules 1.cron': '5 8-18 * * *': its runs are 60 to 840 minutes apart")],
    ),
    "a window as long as the shortest period": (
        "streams: {period: 10m}\nschedule_window: 10m\n",
        [(2, "'schedule_window': a search runs every 10m; the window must be shorter")],
    ),
    "a window as long as the period of a rule": (
        "by_rule: {level: critical}\nschedule_window: 5m\n",
        [(2, "'schedule_window': a search runs every 5m")],
    ),
    "an action without a value": (
        "actions:\n  notable:\n  summary: false\n",
        [(2, "'actions.notable': has no value: a mapping, as {}, switches it on, false off")],
    ),
    "a subject that ends in a backslash": (
        "actions:\n  email: {to: a@b, subject: 'x\\'}\n",
        [(2, "'actions.email.subject': 'x\\': a setting cannot end in a backslash")],
    ),
    "a subject with a sign that cannot be printed": (
        'actions:\n  email: {to: a@b, subject: "x\\ey"}\n',
        [(2, "'actions.email.subject': ")],
    ),
    "a shell command": (
        "actions:\n  email: {to: a@b, subject: 'rm -rf /'}\n",
        [(2, "'actions.email.subject': 'rm -rf /': AppInspect refuses")],
    ),
    "an address that ends in a backslash": (
        "actions: {email: {to: 'a@b\\'}}\n",
        [(1, "'actions.email.to': 'a@b\\': a setting cannot end")],
    ),
    "a webhook that ends in a backslash": (
        "actions: {webhook: {url: 'https://h/\\'}}\n",
        [(1, "'actions.webhook.url': 'https://h/")],
    ),
    "a field that ends in a backslash": ("throttle: {fields: 'a\\'}\n", [(1, "'throttle.fields': 'a")]),
    "a field with a control character": ('throttle: {fields: "a\\x01"}\n', [(1, "'throttle.fields': 'a")]),
    "a window as text": ("schedule_window: soon\n", [(1, "'schedule_window': 'soon': a duration is a number")]),
    "mail to nobody": ("actions: {email: {subject: x}}\n", [(1, "'actions.email': needs to")]),
    "mail to no address": (
        "actions:\n  email:\n    to:\n    - soc\n",
        [(4, "'actions.email.to 1': 'soc' is no mail address")],
    ),
    "a webhook of another kind": (
        "actions: {webhook: {url: 'ftp://x/'}}\n",
        [(1, "'actions.webhook.url': 'ftp://x/' is no address of the form https://host/path")],
    ),
    "a security domain": (
        "actions: {notable: {security_domain: cloud}}\n",
        [(1, "'actions.notable.security_domain': there is no 'cloud'; there are access")],
    ),
    "a risk object without a type": (
        "actions: {risk: {objects: [{field: host}]}}\n",
        [(1, "'actions.risk.objects 1': needs type")],
    ),
    "a summary index for any": (
        "actions: {summary: {index: 'sum*'}}\n",
        [(1, "'actions.summary.index': an index to write to has no *")],
    ),
    "all of them": (
        "fields: x\nstreams:\n  lag: x\n  period: 1m\nselect:\n  level: x\n",
        [(1, "'fields'"), (3, "'streams.lag'"), (4, "'streams.period'"), (6, "'select.level'")],
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_faults(case: str, folder: RuleFolder, tmp_path: Path) -> None:
    text, expected = FAULTS[case]
    with pytest.raises(ConfigurationError) as raised:
        read(text, folder, tmp_path)
    found = raised.value.findings
    path = (tmp_path / "searches.yml").as_posix()
    assert [(one.path, one.line, one.severity) for one in found] == [(path, line, "error") for line, _ in expected]
    for finding, (line, message) in zip(found, expected, strict=True):
        assert finding.message.startswith(message)
        assert str(finding).startswith(f"{path}:{line}: error ")


def test_a_file_that_is_not_there(folder: RuleFolder, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yml:1: error file-unreadable"):
        read_configuration(tmp_path / "none.yml", folder, PRODUCTS, STREAMS)


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "version: 1\n", "version:\nselect:\n", "select: {}\nactions: {}\n"]
)
def test_what_is_not_said_is_the_default(text: str, folder: RuleFolder, tmp_path: Path) -> None:
    assert read(text, folder, tmp_path) == Configuration() == read_configuration(None, folder, PRODUCTS, STREAMS)


#: The file; the rules that ``select`` chooses.
CHOICES: dict[str, tuple[str, str]] = {
    "default": ("", "12"),
    "all": ("select: {level: informational, status: '*'}", "1234"),
    "level alone leaves the status": ("select: {level: low}", "123"),
    "status alone leaves the level": ("select: {status: [experimental, stable]}", "14"),
    "tags": ("select: {tags: 'attack.t11*'}", "1"),
    "a title": ("select: {rules: rule 1}", "1"),
    "an id in upper case": (f"select: {{rules: ['{UUID.upper()}02']}}", "2"),
    "a glob for a comma": ("select: {rules: 'odd* with*'}", "2"),
}


@pytest.mark.parametrize("case", CHOICES)
def test_select(case: str, folder: RuleFolder, tmp_path: Path) -> None:
    text, expected = CHOICES[case]
    chosen = read(text, folder, tmp_path).select.chosen(folder.accepted)
    assert {outcome.id[-1] for outcome in chosen} == set(expected)


#: An entry of ``by_rule``; the rules that get a search of their own.
ALONE: dict[str, tuple[str, str]] = {
    "level": ("{level: high}", "12"),
    "status": ("{status: experimental}", "4"),
    "path from a folder": ("{path: windows/*}", "123"),
    "path to a file": ("{path: ['*/four.yml', windows/logon/one.yml]}", "14"),
    "path and level": ("{path: windows/*, level: critical}", "1"),
    "no part of a name": ("{path: '*/*ogon/*'}", "123"),
}


@pytest.mark.parametrize("case", ALONE)
def test_by_rule(case: str, folder: RuleFolder, tmp_path: Path) -> None:
    text, expected = ALONE[case]
    found = read(f"by_rule:\n- {text}\n", folder, tmp_path).alone(folder.accepted)
    assert {name[-1] for name in found} == set(expected)


def test_the_first_entry_that_names_a_rule_counts(folder: RuleFolder, tmp_path: Path) -> None:
    read_one = read("by_rule: [{level: critical, datamodel: true}, {level: high}]", folder, tmp_path)
    found = read_one.alone(folder.accepted)
    assert {name[-1]: entry.datamodel for name, entry in found.items()} == {"1": True, "2": False}


def test_everything_else(folder: RuleFolder, tmp_path: Path) -> None:
    found = read(
        """
fields: CIM
enable: {streams: windows_sysmon, level: critical}
indexes: {windows: [wineventlog, 'win_*'], other: '*'}
streams: {period: 1h, lag: 10m, lookback: 2d}
periods: {low: 24h}
schedules:
- {streams: [windows_security], cron: "3-59/20  * * * *"}
- {rules: Rule 3, cron: "5 1,13 * * *"}
throttle: {period: 90s, fields: [host, user]}
schedule_window: 10m
expires: 7d
datamodel_lag: 20m
actions:
  email: {to: [soc@example.org, $result.owner$], subject: a b}
  webhook: {url: "https://hook.example.org/x?y=1"}
  notable: {security_domain: network}
  risk: {objects: {field: dest, type: system}}
  summary: {index: alerts}
""",
        folder,
        tmp_path,
    )
    assert found.fields == "cim"
    assert found.indexes == {"windows": ("wineventlog", "win_*"), "other": ("*",)}
    assert found.streams == Streams(3600, 600, 172800)
    assert (found.periods["low"], found.periods["high"]) == (86400, 900)
    assert found.timing_of("windows_security") == Timing("3-59/20 * * * *", 1200)
    assert found.timing_of("windows_sysmon") is None
    third = [outcome for outcome in folder.accepted if outcome.id.endswith("3")]
    assert found.timing_of("", third) == Timing("5 1,13 * * *", 43200)
    assert found.throttle == Throttle(90, ("host", "user"))
    assert (found.schedule_window, found.expires, found.datamodel_lag) == ("10", 604800, 1200)
    assert found.actions == Actions(
        Email(("soc@example.org", "$result.owner$"), "a b"),
        Webhook("https://hook.example.org/x?y=1"),
        Notable("network"),
        Risk((RiskObject("dest", "system"),)),
        Summary("alerts"),
    )
    first = [outcome for outcome in folder.accepted if outcome.id.endswith("1")]
    assert found.enable.of("windows_sysmon", [])
    assert found.enable.of("other", first)
    assert not found.enable.of("other", third)


@pytest.mark.parametrize(
    ("text", "name"),
    [("actions: {summary: false}", "summary"), ("actions: {risk: false}", "risk")],
    ids=["summary", "risk"],
)
def test_actions_can_be_off(text: str, name: str, folder: RuleFolder, tmp_path: Path) -> None:
    assert getattr(read(text, folder, tmp_path).actions, name) is None


def test_no_throttle(folder: RuleFolder, tmp_path: Path) -> None:
    assert read("throttle: false", folder, tmp_path).throttle is None
    assert read("throttle: {period: 2h}", folder, tmp_path).throttle == Throttle(7200, ("host",))


@pytest.mark.parametrize(("text", "on"), [("enable: true", True), ("enable: false", False), ("", False)])
def test_enable_everything_or_nothing(text: str, on: bool, folder: RuleFolder, tmp_path: Path) -> None:
    assert read(text, folder, tmp_path).enable.of("windows_sysmon", folder.accepted) is on


# --- schedules ----------------------------------------------------------------------------------


@pytest.mark.parametrize("period", PERIODS, ids=map(duration, PERIODS))
def test_staggered_searches_run_once_in_each_period(period: int) -> None:
    for name in map(str, range(50)):
        assert read_cron(staggered(name, period).cron).period == period


def test_searches_are_spread_over_their_period() -> None:
    crons = [staggered(f"Sigma Rule - {number}", 900).cron for number in range(300)]
    counts = {cron: crons.count(cron) for cron in crons}
    assert len(counts) == 15
    assert max(counts.values()) < 2 * 300 / 15


# --- the page -----------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "searches.md").read_text("utf-8")
_BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_says_what_the_defaults_are(folder: RuleFolder, tmp_path: Path) -> None:
    assert read(_BLOCKS[0], folder, tmp_path) == Configuration()


def test_the_example_of_the_page_is_right(tmp_path: Path, mappings: Mappings) -> None:
    path = tmp_path / "searches.yml"
    path.write_text(_BLOCKS[1], "utf-8")
    names = [source.name for source in sources(mappings.routing)]
    found = read_configuration(path, read_folders([RULES]), products(mappings.routing), names)
    assert found.select.selection.level == "high"
    assert len(_BLOCKS) == 2


def test_the_page_describes_every_key() -> None:
    described = set(re.findall(r"^\| `([\w.]+)` \|", PAGE.partition("\n### ")[0], re.MULTILINE))
    top = {name for name in described if "." not in name}
    assert top | {"streams"} == {"version", *(one.name for one in fields(Configuration))}
    assert {name.removeprefix("streams.") for name in described - top} == {one.name for one in fields(Streams)}
