"""The saved searches of a package: everything that they name is there, and they say what the configuration says."""

from __future__ import annotations

import configparser
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from builder.searches.alertrow import FIELDS, OF_MATCH
from builder.searches.schedule import read_cron
from sigmaengine.results import entry_of
from sigmaengine.selection import RuleInfo
from tests.support.builds import UUID, members, report_of, rule, run, start, write

SECURITY = "{product: windows, service: security}"
RULES = {
    "logon": rule(1, "EventID: 4625", title="Failed logon", level="medium", status="stable", logsource=SECURITY),
    "lockout": rule(2, "EventID: 4740", title="Lockout", level="critical", logsource=SECURITY),
    "quiet": rule(3, "EventID: 4624", title="Logon", logsource=SECURITY, tags="[attack.t1078]"),
    "draft": rule(4, "A: x", title="Draft", level="high", status="experimental", logsource=SECURITY),
    "image": rule(5, "A: x", level="high", logsource="{product: windows, category: image_load}"),
    "trail": rule(6, "A: x", level="medium", logsource="{product: aws, service: cloudtrail}"),
    "counted": rule(7, "EventID: 4768", level="medium", logsource=SECURITY) + "name: counted\n",
    "many": (
        f"title: Many\nid: {UUID}08\nstatus: test\nlevel: high\ncorrelation: {{type: event_count, rules: [counted],"
        " group-by: [User], timespan: 1h, condition: {gte: 5}}\n"
    ),
}
STREAM = "Sigma Stream - windows_security"


class App(NamedTuple):
    """What a build wrote: conf file -> stanza -> settings; every file; the report."""

    confs: dict[str, dict[str, dict[str, str]]]
    files: dict[str, bytes]
    report: dict[str, Any]

    @property
    def saved(self) -> dict[str, dict[str, str]]:
        """The saved searches."""
        return self.confs["savedsearches"]

    @property
    def macros(self) -> dict[str, str]:
        """The definitions of macros."""
        return {name: settings["definition"] for name, settings in self.confs["macros"].items()}


def stanzas(text: str) -> dict[str, dict[str, str]]:
    """A conf file's stanzas; one that comes twice raises."""
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=True)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read_string(re.sub(r"\\\n", "\n  ", text))
    return {name: dict(parser[name]) for name in parser.sections()}


Build = Callable[[str], App]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds the rules with a configuration."""
    rules = write(tmp_path_factory.mktemp("rules"), **RULES)
    known: dict[str, App] = {}

    def built(configuration: str) -> App:
        if configuration not in known:
            out = tmp_path_factory.mktemp("out")
            file = out / "searches.yml"
            file.write_text(configuration, "utf-8")
            result = run("package", "--rules", rules, "--config", file, "--out", out)
            assert result.exit_code == 0, result.output
            files = members(out)
            confs = {
                Path(name).stem: stanzas(content.decode()) for name, content in files.items() if name.endswith(".conf")
            }
            known[configuration] = App(confs, files, report_of(out))
        return known[configuration]

    return built


EVERYTHING = """
version: 1
select: {level: informational, status: "*"}
indexes: {windows: [wineventlog, sysmon], other: "cloud*"}
by_rule: [{level: critical}]
schedules: [{streams: aws_cloudtrail, cron: "7 */2 * * *"}]
enable: {tags: attack.t1078, streams: aws_cloudtrail}
"""
CONFIGURATIONS = {"default": "", "everything": EVERYTHING}


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def app(request: pytest.FixtureRequest, build: Build) -> App:
    """The app by each configuration."""
    return build(CONFIGURATIONS[request.param])


# --- everything that is named is there ----------------------------------------------------------

MACRO = re.compile("`([^`]*)`")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
#: Splunk's own commands that searches may use.
SPLUNK = {
    "addinfo",
    "collect",
    "dedup",
    "eval",
    "fields",
    "fillnull",
    "lookup",
    "mvexpand",
    "rename",
    "search",
    "sort",
    "tstats",
    "where",
}


def searches(app: App) -> dict[str, str]:
    """Every text of SPL in the package: of saved searches, and of macros."""
    found = {name: settings["search"] for name, settings in app.saved.items()}
    return {**found, **{f"macro {name}": text for name, text in app.macros.items()}}


def expanded(text: str, macros: Mapping[str, str]) -> str:
    """``text`` with each macro replaced by what it is defined as. Raises KeyError for one that is not there."""
    while MACRO.search(text):
        text = MACRO.sub(lambda found: macros[found[1]], text)
    return text


def commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands behind the first pipe, with their arguments, quoted texts blanked."""
    bare = QUOTED.sub(lambda found: '"' + " " * (len(found[0]) - 2) + '"', text)
    for piece in bare.split("|")[1:]:
        name, _, arguments = piece.strip().partition(" ")
        yield name, arguments


def test_every_macro_exists_and_is_used(app: App) -> None:
    named = {name for text in searches(app).values() for name in MACRO.findall(text)}
    assert named <= set(app.macros)
    assert "sigma_alert_fields" in named
    assert {name for name in app.macros if name.startswith(("sigma_stream_", "sigma_exclude_"))} <= named


def test_every_command_exists(app: App) -> None:
    own = set(app.confs["commands"])
    for name, text in app.saved.items():
        used = {command for command, _ in commands(expanded(text["search"], app.macros))}
        assert used <= SPLUNK | own
        # SPL alone may say what a single rule means.
        assert used & own or name.startswith("Sigma Rule - ")


def test_every_option_of_the_commands_exists(app: App) -> None:
    for settings in app.saved.values():
        for name, arguments in commands(expanded(settings["search"], app.macros)):
            if name in app.confs["commands"]:
                syntax = app.confs["searchbnf"][f"{name}-command"]["syntax"]
                assert set(re.findall(r"(\w+)=", arguments)) <= set(re.findall(r"\((\w+)=", syntax))


def test_every_lookup_and_column_exists(app: App) -> None:
    seen = 0
    for settings in app.saved.values():
        for name, arguments in commands(expanded(settings["search"], app.macros)):
            if name != "lookup":
                continue
            seen += 1
            lookup, key, _, *columns = re.split(r"[\s,]+", arguments.strip())
            file = app.files[f"lookups/{app.confs['transforms'][lookup]['filename']}"].decode()
            header = next(csv.reader(io.StringIO(file)))
            assert {key, *columns[::3]} <= set(header)
            assert set(columns[2::3]) <= set(FIELDS)
    assert seen >= len([name for name in app.saved if name.startswith("Sigma Stream")])


def test_every_key_of_sigma_match_exists() -> None:
    written = json.loads(entry_of(RuleInfo("i", "t", "low", "test", "a", ["x"])).to_json())
    assert {key.removesuffix("{}") for key in OF_MATCH.values()} <= set(written)


# --- what Splunk and AppInspect ask of stanzas --------------------------------------------------


def test_every_search_is_scheduled_as_splunk_can(app: App) -> None:
    assert app.saved
    for name, settings in app.saved.items():
        if settings.get("enableSched") != "1":
            continue
        assert len(name) <= 99
        timing = read_cron(settings["cron_schedule"])
        assert timing.period >= 300
        assert settings["realtime_schedule"] == "0"
        assert settings["dispatch.earliest_time"].startswith("-")
        assert settings["dispatch.latest_time"]
        assert settings["disabled"] in ("0", "1")


def test_the_window_of_a_search_by_stream_is_its_period(app: App) -> None:
    for name, settings in app.saved.items():
        if name.startswith("Sigma Stream"):
            (since, until), *others = re.findall(
                r"_index_earliest=-(\d+)m@m _index_latest=-(\d+)m@m", settings["search"]
            )
            assert not others
            assert (int(since) - int(until)) * 60 == read_cron(settings["cron_schedule"]).window


def test_searches_start_at_different_minutes(build: Build) -> None:
    crons = [settings["cron_schedule"] for settings in build("").saved.values()]
    assert len(set(crons)) > 1


# --- what the configuration says ----------------------------------------------------------------


def stream_of(app: App) -> dict[str, str]:
    return app.saved[STREAM]


def test_by_default_stable_and_tested_rules_from_medium_on_alert_once_they_are_enabled(build: Build) -> None:
    app = build("")
    assert all(settings["disabled"] == "1" for settings in app.saved.values())
    assert '| sigmamatch level=medium status="stable, test" |' in stream_of(app)["search"]
    streams = {stream["name"]: stream for stream in app.report["searches"]["streams"]}
    assert {name: stream["rules"] for name, stream in streams.items()} == {
        "aws_cloudtrail": 1, "windows_security": 2, "windows_sysmon": 1,
    }  # fmt: skip
    # The codes of what alerts, and of nothing else.
    assert 'EventCode IN ("4625", "4740")' in app.macros["sigma_stream_windows_security"]
    assert app.macros["sigma_index_windows"] == app.macros["sigma_index_aws"] == '(index="*")'
    assert app.macros["sigma_exclude_windows_security"] == "search *"


#: Configuration; the options of sigmamatch.
OPTIONS = {
    "default": ("", 'level=medium status="stable, test"'),
    "everything": ("select: {level: informational, status: '*'}", ""),
    "rules": (
        f"select: {{rules: ['failed*', {UUID}02]}}", f'rules="failed*, {UUID}02" level=medium status="stable, test"',
    ),
    "a level and a tag": (
        "select: {level: low, tags: 'attack.t10*'}", 'level=low status="stable, test" tags="attack.t10*"',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS)
def test_options_of_the_command(case: str, build: Build) -> None:
    configuration, options = OPTIONS[case]
    assert f"| sigmamatch {options}".rstrip() + " |" in stream_of(build(configuration))["search"]


#: Configuration; the ids of rules whose matches the stream's search drops.
DROPPED = {
    # What only a correlation counts never alerts by itself.
    "counted alone": ("", "7"),
    "with a search of its own": ("by_rule: [{level: critical}]", "27"),
    "with searches of their own": ("by_rule: [{rules: [lockout, 'failed*']}, {status: experimental}]", None),
    # Settings may raise its level to one that is selected.
    "with a search of its own, below the level": ("by_rule: [{tags: attack.t1078}]", "37"),
    "of another stream": (f"by_rule: [{{rules: {UUID}06}}]", "7"),
    "not selected": ("by_rule: [{level: critical}]\nselect: {level: low}", "27"),
}


@pytest.mark.parametrize("case", DROPPED)
def test_rules_that_alert_elsewhere_are_dropped(case: str, build: Build) -> None:
    configuration, expected = DROPPED[case]
    app = build(configuration)
    if expected is None:
        assert STREAM not in app.saved
        return
    found = re.findall(r"search NOT sigma_rule_id(?:=| IN \()([^)|]*)", stream_of(app)["search"])
    assert [re.findall(rf'"{UUID}0(\d)"', one) for one in found] == [list(expected)]


ORDER = (
    'eval sigma_order=case(sigma_level="informational", 1, sigma_level="low", 2, sigma_level="medium", 3,'
    ' sigma_level="high", 4, sigma_level="critical", 5) | sort 0 -sigma_order -_time | fields - sigma_order'
)
ANNOTATED = (
    'eval sigma_mitre_attack=split(trim(replace(sigma_techniques, "\\s+", " ")), " ")'
    ' | rename sigma_mitre_attack AS "annotations.mitre_attack"'
)
COLLECTED = "rename _raw AS _sigma_raw | fields sigma_*, * | `sigma_collect` | rename _sigma_raw AS _raw"
#: Configuration; what comes behind the rows.
ENDINGS = {
    "default": ("", f"{COLLECTED} | {ORDER} | dedup sigma_rule_id host keepempty=true"),
    "fields that throttle": (
        "throttle: {fields: [user, a-b, c.d]}",
        f'{COLLECTED} | {ORDER} | dedup sigma_rule_id user "a-b" c.d keepempty=true',
    ),
    "without a summary or throttling": ("{throttle: false, actions: {summary: false}}", ORDER),
    "with ATT&CK for risk events": (
        "actions: {risk: {}, summary: false}",
        f"{ANNOTATED} | {ORDER} | dedup sigma_rule_id host keepempty=true",
    ),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_every_row_is_collected_and_the_highest_that_alert_come_first(case: str, build: Build) -> None:
    configuration, expected = ENDINGS[case]
    assert stream_of(build(configuration))["search"].partition('sigma_rule_id="' + UUID + '07" | ')[2] == expected


def test_a_stream_of_no_rule_has_no_search(build: Build) -> None:
    app = build(f"by_rule: [{{rules: {UUID}06}}]")
    assert "Sigma Stream - aws_cloudtrail" not in app.saved
    assert "sigma_stream_aws_cloudtrail" not in app.macros


def test_a_correlation_that_does_not_alert_hides_its_rules_all_the_same(build: Build) -> None:
    # As sigmacorrelate does: a rule that is there to be counted is no alert.
    assert f'"{UUID}07"' in stream_of(build("select: {level: medium, rules: ['*']}"))["search"]


#: Configuration; the searches that are switched on.
ENABLED = {
    "nothing": ("enable: false", set()),
    "everything": ("enable: true", {"windows_security", "windows_sysmon", "aws_cloudtrail"}),
    "a stream": ("enable: {streams: windows_sysmon}", {"windows_sysmon"}),
    "a level": ("enable: {level: critical}", {"windows_security"}),
    "a rule or a stream": (
        f"enable: {{rules: {UUID}01, streams: [aws_cloudtrail]}}", {"windows_security", "aws_cloudtrail"},
    ),
    "a rule that does not alert": (f"enable: {{rules: {UUID}04}}", set()),
}  # fmt: skip


@pytest.mark.parametrize("case", ENABLED)
def test_enabling(case: str, build: Build) -> None:
    configuration, expected = ENABLED[case]
    app = build(configuration)
    named = {f"Sigma Stream - {name}" for name in expected}
    streams = {name: one for name, one in app.saved.items() if name.startswith("Sigma Stream")}
    assert {name for name, settings in streams.items() if settings["disabled"] == "0"} == named
    assert {one["search"] for one in app.report["searches"]["streams"] if one["enabled"]} == named


def test_indexes(build: Build) -> None:
    macros = build(EVERYTHING).macros
    assert macros["sigma_index_windows"] == '(index IN ("sysmon", "wineventlog"))'
    assert macros["sigma_index_aws"] == '(index="cloud*")'
    assert macros["sigma_stream_windows_sysmon"].startswith("(`sigma_index_windows` ")


#: Setting of the stream's search; configuration; its value.
SETTINGS = {
    "its own cron": ("cron_schedule", "schedules: [{streams: windows_security, cron: '9 * * * *'}]", "9 * * * *"),
    "throttling": ("alert.suppress.fields", "throttle: {fields: [dest, user]}", "sigma_rule_id,dest,user"),
    "throttling by the rule once": (
        "alert.suppress.fields", "throttle: {fields: [sigma_rule_id, host]}", "sigma_rule_id,host",
    ),
    "throttling period": ("alert.suppress.period", "throttle: {period: 90s}", "90s"),
    "no throttling": ("alert.suppress", "throttle: false", "0"),
    "a row is an alert": ("alert.digest_mode", "", "0"),
    "severity of the lowest level": ("alert.severity", "select: {level: high}", "4"),
    "expiry": ("alert.expires", "expires: 3d", "72h"),
    "window of the schedule": ("schedule_window", "schedule_window: 10m", "10"),
    "lookback": ("dispatch.earliest_time", "streams: {lookback: 2d}", "-2900m"),
    "lookback of a rare search": (
        "dispatch.earliest_time", "schedules: [{streams: windows_security, cron: '9 5 * * *'}]", "-2945m",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SETTINGS)
def test_settings(case: str, build: Build) -> None:
    setting, configuration, value = SETTINGS[case]
    assert stream_of(build(configuration))[setting] == value


def test_the_report_tells_what_is_read_for_one_rule_alone_and_what_the_searches_need(build: Build) -> None:
    told = build("select: {status: '*'}").report["searches"]
    streams = {stream["name"]: stream for stream in told["streams"]}
    # The draft is of no event code.
    assert streams["windows_security"]["rules_of_any_event"] == [f"{UUID}04"]
    assert told["slots"]["by_stream"]["searches"] == 3
    assert told["slots"]["by_rule"]["searches"] == 5
    assert told["slots"]["available"] == 11
    # Of every search there is: three by stream and one of a correlation.
    assert told["slots"]["this_package"] == {"searches": 4, "slots": 0.1}


#: Configuration; the searches of all rules in each way; what is said of the searches by stream.
NEEDS = {
    "by stream": ("", (4, 3), "3 searches by event stream for 4 rules, 0 of them switched on"),
    "by rule": (
        "{by_rule: {level: informational}, periods: {low: 5m, medium: 5m, high: 5m}}", (7, 3),
        "no search by event stream: every rule that alerts has a search of its own",
    ),
    "correlations alone": (
        "select: {rules: Many}", (0, 0), "no search by event stream: no rule is selected that alerts by itself",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NEEDS)
def test_what_is_needed_counts_every_rule_that_alerts(case: str, tmp_path: Path) -> None:
    configuration, (by_rule, by_stream), said = NEEDS[case]
    (tmp_path / "c.yml").write_text(configuration, "utf-8")
    rules = write(tmp_path / "rules", **RULES)
    result = run("package", "--rules", rules, "--config", tmp_path / "c.yml", "--out", tmp_path)
    found = report_of(tmp_path)["searches"]["slots"]
    assert (found["by_rule"]["searches"], found["by_stream"]["searches"]) == (by_rule, by_stream)
    assert said in result.stdout.splitlines()
    assert f"{found['this_package']['slots']} of 11 slots on 16 cores if all are switched on;" in result.stdout
    assert "warning:" not in result.stdout


def test_more_searches_than_splunk_runs_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builder.searches.slots.AVAILABLE", 0)
    result = run("package", "--rules", write(tmp_path / "rules", **RULES), "--out", tmp_path)
    assert "  warning: that is more than there are, " in result.stdout


def test_a_wrong_configuration_ends_the_build(tmp_path: Path) -> None:
    rules = write(tmp_path / "rules", **RULES)
    (tmp_path / "c.yml").write_text("select:\n  level: hihg\nindexs: {}\n", "utf-8")
    result = run("package", "--rules", rules, "--config", tmp_path / "c.yml", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"{tmp_path}/c.yml:2: error config: 'select.level': there is no 'hihg'; did you mean high?",
        f"{tmp_path}/c.yml:3: error config: 'indexs': there is no such key; did you mean indexes?",
    ]
    assert not (tmp_path / "out").exists()


def test_a_configuration_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert run("package", "--config", tmp_path / "none.yml", "--out", tmp_path).exit_code == 2


def test_two_builds_with_a_configuration_are_the_same(tmp_path: Path) -> None:
    write(tmp_path / "rules", **RULES)
    (tmp_path / "c.yml").write_text(EVERYTHING, "utf-8")
    archives = []
    for number in ("1", "2"):
        out = tmp_path / number
        done = start(
            "package", "--rules", tmp_path / "rules", "--config", tmp_path / "c.yml", "--out", out,
            env={"PYTHONHASHSEED": number},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        archives.append([path.read_bytes() for path in sorted(out.iterdir())])
    assert archives[0] == archives[1]


#: Configuration; the warnings.
WARNED = {
    "a stream that is not there": (
        "enable:\n  streams: [windows_security, windows_powershell]\n",
        [(2, "'enable.streams': the package has no search of the stream windows_powershell: ")],
    ),
    "schedules of nothing": (
        "schedules:\n- {level: critical, cron: '7 * * * *'}\n- {streams: proxy, cron: '7 * * * *'}\n",
        [
            (2, "'schedules.1': none of these rules has a search of its own; "),
            (3, "'schedules.2.streams': the package"),
        ],
    ),
    "schedules of a rule and a correlation": (
        "by_rule: {level: critical}\nschedules: [{level: critical, cron: 7 * * * *}, {rules: Many, cron: 9 * * * *}]",
        [],
    ),
}


@pytest.mark.parametrize("case", WARNED)
def test_what_is_said_of_searches_that_are_not_there_is_a_warning(case: str, tmp_path: Path) -> None:
    configuration, expected = WARNED[case]
    file = tmp_path / "c.yml"
    file.write_text(configuration, "utf-8")
    rules = write(tmp_path / "rules", **RULES)
    result = run("package", "--rules", rules, "--config", file, "--out", tmp_path / "out")
    assert result.exit_code == 0
    lines = result.stderr.splitlines()
    assert len(lines) == len(expected)
    for line, (number, message) in zip(lines, expected, strict=True):
        assert line.startswith(f"{file}:{number}: warning config: {message}")
