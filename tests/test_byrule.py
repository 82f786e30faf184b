"""Searches of single rules, through ``build.py package``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.builds import UUID, report_of, rule
from tests.support.savedsearches import PROCESS, Stanzas, built, confs

LINUX = "{product: linux, category: process_creation}"
RULES = {
    "exact": rule(1, "Image|endswith: '\\evil.exe'", level="critical", logsource=PROCESS),
    "one-sign": rule(2, "Image|endswith: '\\Evil?.exe'", level="high", logsource=PROCESS),
    "shell": rule(3, "CommandLine|contains: 'rm -rf /'", level="low", logsource=LINUX),
    "unmapped": rule(4, level="informational", logsource="{product: atari, category: game}"),
    "shared": rule(5, level="high", status="stable", logsource=PROCESS),
    "direction": rule(7, 'CommandLine|contains: "a\\u202eb"', level="low", logsource=LINUX),
    "lines": rule(8, 'CommandLine|contains: "a\\n\\\\"', level="low", logsource=LINUX),
    "modeled": rule(9, "Image|endswith: '\\m.exe'", level="medium", logsource=PROCESS),
    "unmodeled": rule(10, "Image|re: 'a.b'", level="medium", logsource=PROCESS),
    "odd": rule(6, level="high", logsource=PROCESS).replace(f"{UUID}06", "odd,*id"),
}
CONFIG = """
by_rule:
  - rules: ["Rule 1", "Rule 2", "Rule 3", "Rule 4", "Rule 6", "Rule 7", "Rule 8"]
  - {rules: [Rule 9, Rule 10], datamodel: true}
indexes: {windows: [win-*, sysmon]}
streams: {lag: 10m, lookback: 2d}
schedules: [{rules: [Rule 2], cron: "7 */2 * * *"}]
enable: {rules: [Rule 1]}
throttle: {period: 2h, fields: [host, user]}
expires: 3d
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the package."""
    return built(tmp_path_factory.mktemp("byrule"), RULES, CONFIG)


@pytest.fixture(scope="module")
def found(out: Path) -> dict[str, Stanzas]:
    """Its .conf files."""
    return confs(out)


def stanza(found: dict[str, Stanzas], number: int) -> dict[str, str]:
    return found["savedsearches"][f"Sigma Rule - {UUID}{number:02}"]


def commands(found: dict[str, Stanzas], number: int) -> list[str]:
    return stanza(found, number)["search"].split(" | ")


def test_the_named_rules_have_searches_and_the_others_none(found: dict[str, Stanzas]) -> None:
    assert [name for name in found["savedsearches"] if name.startswith("Sigma Rule - ")] == [
        f"Sigma Rule - {UUID}{number:02}" for number in (1, 2, 3, 4, 7, 8, 9, 10)
    ]


def test_a_rule_of_its_own_does_not_alert_in_its_stream_too(found: dict[str, Stanzas]) -> None:
    (stream,) = [search["search"] for name, search in found["savedsearches"].items() if name.endswith("windows_sysmon")]
    assert {one for one in (1, 2, 5) if f"{UUID}{one:02}" in stream.split("search NOT")[-1]} == {1, 2}


def test_an_exact_rule_needs_no_command_to_decide(found: dict[str, Stanzas]) -> None:
    base, *rest = commands(found, 1)
    assert base.startswith("`sigma_index_windows` _index_earliest=-15m@m _index_latest=-10m@m (")
    assert rest == [
        f'eval sigma_rule_id="{UUID}01", sigma_risk_score=90',
        "`sigma_rule_fields`",
        f"`sigma_rule_{UUID.replace('-', '_')}01_filter`",
        "rename _raw AS _sigma_raw",
        "fields sigma_*, *",
        "`sigma_collect`",
        # The summary row has no text of the event, the alert has.
        "rename _sigma_raw AS _raw",
        "dedup sigma_rule_id host user keepempty=true",
    ]


def test_what_spl_cannot_say_is_decided_by_the_command(found: dict[str, Stanzas]) -> None:
    assert commands(found, 2)[1:3] == [f'sigmamatch rules="{UUID}02" fields=windows_xml', "`sigma_alert_fields`"]


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(3, id="a-shell-command-that-appinspect-refuses"),
        pytest.param(7, id="a-sign-that-cannot-be-printed"),
        pytest.param(8, id="two-lines"),
    ],
)
def test_what_no_conf_file_can_hold_is_sought_in_all_of_the_log_source(found: dict[str, Stanzas], number: int) -> None:
    search = stanza(found, number)["search"]
    base, decide, fields, *_ = commands(found, number)
    assert base.startswith("`sigma_index_linux` ")
    assert search.isprintable()
    assert not re.search(r"rm\s+-[rf]", search)
    assert (decide, fields) == (f'sigmamatch rules="{UUID}{number:02}"', "`sigma_alert_fields`")


def test_a_rule_can_be_sought_in_a_data_model_behind_its_summaries(found: dict[str, Stanzas]) -> None:
    search = stanza(found, 9)
    assert search["search"].startswith("| tstats summariesonly=true ")
    assert (
        f'| eval sigma_rule_id="{UUID}09", sigma_risk_score=30 | `sigma_rule_fields` | `sigma_rule_' in search["search"]
    )
    # What has no value is no entity, and throttles all the same.
    known = next(command for command in commands(found, 9) if "sigma_entity=" in command)
    key, host, *_ = known.split(", host=")
    assert key == """eval sigma_entity=coalesce('host', "unknown")." ".coalesce('user', "unknown")"""
    assert host.startswith('nullif(host, "unknown"), ')
    assert 'user=nullif(user, "unknown")' in known
    assert search["search"].endswith(" | dedup sigma_rule_id sigma_entity keepempty=true")
    assert search["alert.suppress.fields"] == "sigma_rule_id,sigma_entity"
    assert (search["dispatch.earliest_time"], search["dispatch.latest_time"]) == ("-40m@m", "-10m@m")


def test_what_a_data_model_cannot_say_is_sought_in_the_events_and_told(out: Path, found: dict[str, Stanzas]) -> None:
    assert commands(found, 10)[0].startswith("`sigma_index_windows` ")
    (told,) = report_of(out)["searches"]["datamodel_refused"]
    assert told["id"] == f"{UUID}10"
    assert "regular expression" in told["why"]


def test_a_rule_of_an_unmapped_log_source_reads_the_other_indexes(found: dict[str, Stanzas]) -> None:
    assert commands(found, 4)[0].startswith("`sigma_index_other` ")


def test_a_rule_that_searches_cannot_name_stays_in_its_stream_and_is_told(out: Path, found: dict[str, Stanzas]) -> None:
    (told,) = report_of(out)["searches"]["not_searched"]
    assert told["id"] == "odd,*id"
    assert "give it a UUID" in told["why"]
    assert "odd" not in " ".join(found["macros"])


@pytest.mark.parametrize(
    ("number", "severity", "runs", "window"),
    [
        pytest.param(1, "5", 12, 5, id="critical"),
        pytest.param(2, "4", 1, 180, id="a-schedule-of-its-own"),
        pytest.param(3, "2", 1, 60, id="low"),
        pytest.param(4, "1", 1, 300, id="informational"),
    ],
)
def test_a_rule_runs_by_its_level_and_reads_its_period(
    found: dict[str, Stanzas], number: int, severity: str, runs: int, window: int
) -> None:
    search = stanza(found, number)
    assert search["alert.severity"] == severity
    assert len(search["cron_schedule"].split()[0].split(",")) == runs
    assert f"_index_earliest=-{10 + window}m@m _index_latest=-10m@m" in search["search"]
    # As old as an event may be when it is indexed, at the beginning of the window.
    assert search["dispatch.earliest_time"] == f"-{2 * 24 * 60 + 10 + window}m"


SETTINGS = {
    "realtime_schedule": "0",
    "enableSched": "1",
    "counttype": "number of events",
    "alert.digest_mode": "0",
    "alert.track": "1",
    "alert.expires": "72h",
    "alert.suppress": "1",
    "alert.suppress.fields": "sigma_rule_id,host,user",
    "alert.suppress.period": "2h",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_of_every_search(found: dict[str, Stanzas], setting: str) -> None:
    assert {stanza(found, number)[setting] for number in (1, 2, 3, 4)} == {SETTINGS[setting]}


def test_all_are_off_but_those_that_are_switched_on(found: dict[str, Stanzas]) -> None:
    assert {number: stanza(found, number)["disabled"] for number in (1, 2, 3, 4)} == {1: "0", 2: "1", 3: "1", 4: "1"}


def test_every_macro_of_the_searches_exists_and_filters_keep_everything(found: dict[str, Stanzas]) -> None:
    searches = [search["search"] for search in found["savedsearches"].values()]
    texts = [*searches, *(macro["definition"] for macro in found["macros"].values())]
    assert set(re.findall(r"`(\w+)`", " ".join(texts))) <= set(found["macros"])
    filters = {name: one["definition"] for name, one in found["macros"].items() if name.endswith("_filter")}
    assert len(filters) == 8
    assert set(filters.values()) == {"search *"}


def test_a_new_title_leaves_every_name_as_it_is(found: dict[str, Stanzas], tmp_path: Path) -> None:
    renamed = {name: text.replace("title: Rule 1\n", "title: Quite another\n") for name, text in RULES.items()}
    again = confs(built(tmp_path, renamed, CONFIG.replace('"Rule 1"', f"{UUID}01").replace("[Rule 1]", f"[{UUID}01]")))
    assert list(again["savedsearches"]) == list(found["savedsearches"])
    assert list(again["macros"]) == list(found["macros"])
    assert stanza(again, 1)["cron_schedule"] == stanza(found, 1)["cron_schedule"]
