"""Searches of correlations, through ``build.py package``: what they read, and that no alert is lost between runs."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from sigmaengine.correlation import Correlation, read_correlation
from sigmaengine.occurrences import BaseEvent
from sigmaengine.plaincorrelation import plain_alerts
from sigmaengine.ruletext import read_documents
from tests.support.builds import UUID, report_of, rule
from tests.support.savedsearches import PROCESS, Stanzas, built, confs

A, B, LINUX, ATARI = (f"{UUID}0{number}" for number in range(1, 5))
RULES = {
    "a": rule(1, "Image|endswith: '\\a.exe'", logsource=PROCESS),
    "b": rule(2, "Image|endswith: '\\b.exe'", logsource=PROCESS),
    "linux": rule(3, logsource="{product: linux, category: process_creation}"),
    "atari": rule(4, logsource="{product: atari, category: game}"),
}


def correlation(number: int, rules: str, **said: str) -> str:
    """A correlation of these rules; ``said``: what of it is another."""
    top = {"title": f"Correlation {number}", "id": f"{UUID}{number}", "status": "test", "level": "high"}
    inner = {"type": "event_count", "timespan": "10m", "condition": "{gte: 3}"}
    top |= {key: value for key, value in said.items() if key not in inner}
    inner |= {key: value for key, value in said.items() if key in inner}
    return (
        "".join(f"{key}: {value}\n" for key, value in top.items())
        + f"correlation:\n  rules: [{rules}]\n  group-by: [User]\n"
        + "".join(f"  {key}: {value}\n" for key, value in inner.items())
    )


CORRELATIONS = {
    "counted": correlation(10, A),
    "low": correlation(11, A, level="low"),
    "falling": correlation(12, A, condition="{lt: 3}"),
    "inner": correlation(13, A, timespan="5m"),
    "outer": correlation(14, f"{UUID}13, {B}", timespan="30m", type="temporal_ordered", condition="{gte: 2}"),
    "refusing": correlation(15, f"{A}, {B}", timespan="7m", type="temporal", condition=f"{A} and not {B}"),
    "long": correlation(16, A, timespan="7d"),
    "game": correlation(17, ATARI),
    "mixed": correlation(18, f"{A}, {LINUX}"),
    "unmapped": correlation(19, f"{A}, {ATARI}"),
    "listed": correlation(20, B),
    "showing": correlation(21, f"{UUID}20", timespan="1h", generate="true"),
    "aggregated": rule(23, level="high", logsource=PROCESS, condition="selection | count() by User > 5").replace(
        "  condition", "  timeframe: 5m\n  condition"
    ),
    "odd": correlation(22, A, id="'odd,*'"),
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the package."""
    config = "{streams: {lag: 10m}, throttle: {period: 20m}, enable: {rules: [Correlation 10]}}"
    return built(tmp_path_factory.mktemp("correlations"), {**RULES, **CORRELATIONS}, config)


@pytest.fixture(scope="module")
def found(out: Path) -> dict[str, Stanzas]:
    """Its .conf files."""
    return confs(out)


def stanza(found: dict[str, Stanzas], number: int) -> dict[str, str]:
    return found["savedsearches"][f"Sigma Correlation - {UUID}{number}"]


def test_the_selected_have_searches_but_those_that_are_only_counted(found: dict[str, Stanzas]) -> None:
    names = [name for name in found["savedsearches"] if name.startswith("Sigma Correlation - ")]
    assert [name[-2:] for name in names] == ["10", "12", "14", "15", "16", "17", "18", "20", "21", "23"]


def test_a_correlation_can_be_named_by_the_configuration(tmp_path: Path) -> None:
    rules = {"a": RULES["a"], "low": CORRELATIONS["low"], "counted": CORRELATIONS["counted"]}
    found = confs(built(tmp_path, rules, "by_rule: [{rules: [Correlation 11]}]"))
    assert stanza(found, 11)["alert.severity"] == "2"


def test_what_cannot_be_searched_is_told(out: Path) -> None:
    told = {entry["id"][-2:]: entry["why"] for entry in report_of(out)["searches"]["not_searched"]}
    assert told.keys() == {"19", ",*"}
    assert "atari/game/* has no mapping" in told["19"]
    assert "give it a UUID" in told[",*"]


def test_a_search_reads_what_its_rules_match_and_evaluates_the_correlation(found: dict[str, Stanzas]) -> None:
    base, match, correlate, info, keep, *rest = stanza(found, 14)["search"].split(" | ")
    assert base.startswith("(`sigma_index_windows` (")
    assert "\\\\a.exe" in base
    assert "\\\\b.exe" in base
    assert match == f'sigmamatch rules="{A},{B}" fields=windows_xml'
    assert (correlate, info) == (f'sigmacorrelate rules="{UUID}14" fields=windows_xml', "addinfo")
    assert keep == (
        f'where isnotnull(sigma_correlation_type) AND sigma_rule_id="{UUID}14" AND _time>=info_max_time-900'
    )
    text = " | ".join(rest)
    assert text == (
        "fields - info_* | eval host=coalesce(host, Computer, ComputerName, dest),"
        " user=coalesce(user, User, TargetUserName, SubjectUserName) | `sigma_alert_fields`"
        ' | eval sigma_drilldown="index=* earliest=".floor(sigma_window_start)." latest=".(floor(sigma_window_end)+1)."'
        f' | sigmamatch rules=\\"{A},{B}\\" fields=windows_xml explain=true"'
        f" | `sigma_correlation_{UUID.replace('-', '_')}14_filter`"
        " | rename _raw AS _sigma_raw | fields sigma_*, * | `sigma_collect` | rename _sigma_raw AS _raw"
        " | dedup sigma_rule_id sigma_group keepempty=true"
    )


def test_every_correlation_has_a_filter_that_keeps_everything(found: dict[str, Stanzas]) -> None:
    filters = {name: one["definition"] for name, one in found["macros"].items() if name.endswith("_filter")}
    assert len(filters) == len([name for name in found["savedsearches"] if name.startswith("Sigma Correlation - ")])
    assert set(filters.values()) == {"search *"}


def test_rules_of_several_products_are_read_where_each_is(found: dict[str, Stanzas]) -> None:
    search = stanza(found, 18)["search"]
    assert re.findall(r"`(sigma_index_\w+)`", search) == ["sigma_index_linux", "sigma_index_windows"]
    # Names of Windows fields mean nothing for both.
    assert "fields=" not in search


def test_rules_without_a_mapping_need_the_log_source(found: dict[str, Stanzas]) -> None:
    assert stanza(found, 17)["search"].count(' logsource="atari/game/"') == 2


def test_a_counting_rule_of_sigma_1_is_a_correlation(found: dict[str, Stanzas]) -> None:
    search = stanza(found, 23)["search"]
    assert f'| sigmamatch rules="{UUID}23#events" fields=windows_xml | sigmacorrelate rules="{UUID}23" ' in search


@pytest.mark.parametrize(
    ("number", "period", "back"),
    [
        pytest.param(10, 15, 10, id="counted"),
        pytest.param(12, 15, 20, id="fewer-make-it-true"),
        pytest.param(14, 15, 35, id="a-chain"),
        pytest.param(15, 15, 14, id="refusing-a-rule"),
        pytest.param(16, 9 * 60, 7 * 24 * 60, id="a-long-one-runs-seldom"),
        pytest.param(21, 15, 70, id="a-chain-of-shown-ones"),
    ],
)
def test_a_search_reads_its_period_and_what_comes_before(
    found: dict[str, Stanzas], number: int, period: int, back: int
) -> None:
    search = stanza(found, number)
    assert minutes(search["dispatch.latest_time"]) == -10
    assert minutes(search["dispatch.earliest_time"]) == -(10 + period + back)
    assert f"_time>=info_max_time-{period * 60} " in search["search"] + " "
    runs = len(search["cron_schedule"].split()[0].split(","))
    assert runs == (60 // period if period < 60 else 1)


def minutes(time: str) -> int:
    found = re.fullmatch(r"-(\d+)([mh])@m", time)
    assert found, time
    return -int(found[1]) * {"m": 1, "h": 60}[found[2]]


@pytest.mark.parametrize(
    ("number", "period"), [pytest.param(10, "20m", id="configured"), pytest.param(14, "30m", id="a-timespan")]
)
def test_one_alert_a_group_in_a_timespan(found: dict[str, Stanzas], number: int, period: str) -> None:
    search = stanza(found, number)
    assert search["alert.suppress.fields"] == "sigma_rule_id,sigma_group"
    assert search["alert.suppress.period"] == period


def test_all_are_off_but_those_that_are_switched_on(found: dict[str, Stanzas]) -> None:
    on = [name for name, one in found["savedsearches"].items() if one["disabled"] == "0"]
    assert on == [f"Sigma Correlation - {UUID}10"]


def test_rules_that_are_only_counted_alert_in_no_stream(tmp_path: Path) -> None:
    rules = {"a": rule(1, level="high", logsource=PROCESS), "b": rule(2, level="high", logsource=PROCESS)}
    found = confs(built(tmp_path, {**rules, "counted": correlation(10, A)}))
    searches = [one["search"] for name, one in found["savedsearches"].items() if name.startswith("Sigma Stream - ")]
    assert searches
    assert all(f'search NOT sigma_rule_id="{A}"' in search for search in searches)


# --- what runs one after the other alert, beside one search of everything --------------------------


def read(*names: str) -> list[Correlation]:
    read = [read_correlation(next(iter(read_documents(CORRELATIONS[name].encode()))))[0] for name in names]
    return [one for one in read if one is not None]


def events(seed: int) -> list[BaseEvent]:
    """Matches of both rules by two users, in bursts that run into each other or not, over a day."""
    chance = random.Random(seed)  # noqa: S311 - repeats
    found: list[tuple[int, str, str]] = []
    for _ in range(chance.choice((40, 80, 160))):
        start, user = chance.randrange(24 * 60 - 20), chance.choice("xy")
        found += [(start + chance.randrange(12), chance.choice((A, A, B)), user) for _ in range(chance.randrange(1, 9))]
    return [BaseEvent(at * 60 * 10**9, "", "", {rule_id: {"User": [user]}}) for at, rule_id, user in sorted(found)]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("number", "names"),
    [(10, ["counted"]), (12, ["falling"]), (14, ["inner", "outer"]), (15, ["refusing"])],
    ids=["counted", "fewer-make-it-true", "a-chain", "refusing-a-rule"],
)
def test_runs_lose_no_alert(found: dict[str, Stanzas], number: int, names: list[str], seed: int) -> None:
    search, all_events = stanza(found, number), events(seed)
    correlations = read(*names)
    wanted = alerts(correlations, all_events)
    told = told_by_runs(search, correlations, all_events)
    assert wanted
    span = correlations[-1].timespan // 60
    for at, group in wanted:
        near = {other for other, of in wanted if of == group and at - 2 * span <= other < at}
        # Steadily true, it alerts once a timespan; a run that begins later counts that from another time.
        assert any(abs(other - at) <= (2 * span if near else 0) for other, of in told if of == group), (at, group)
    # What is told besides was true already, and is held back where alerts are throttled.
    assert all(any(0 <= at - before <= span for before, other in wanted if other == group) for at, group in told)


def test_what_was_no_alert_before_the_window_begins_is_not_taken_for_one(found: dict[str, Stanzas]) -> None:
    # Four events in ten minutes are too many at 00:21, two at 00:30 are not; from 00:20 on there is one at 00:21.
    correlations = read("falling")
    listed = [BaseEvent(at * 60 * 10**9, "", "", {A: {"User": ["x"]}}) for at in (18, 18, 18, 21, 30)]
    assert alerts(correlations, listed) == {(30, ("x",))}
    assert told_by_runs(stanza(found, 12), correlations, listed) == {(30, ("x",))}


def told_by_runs(
    search: dict[str, str], correlations: list[Correlation], listed: list[BaseEvent]
) -> set[tuple[int, tuple[str, ...]]]:
    """(minute, group) of the alerts that the runs of a search keep, of events of one day."""
    back = minutes(search["dispatch.latest_time"]) - minutes(search["dispatch.earliest_time"])
    period = int(search["search"].split("info_max_time-")[1].split()[0]) // 60
    told: set[tuple[int, tuple[str, ...]]] = set()
    for end in range(period, 25 * 60, period):
        window = [one for one in listed if end - back <= one.time // (60 * 10**9) < end]
        told.update(one for one in alerts(correlations, window) if one[0] >= end - period)
    return told


def alerts(correlations: list[Correlation], listed: list[BaseEvent]) -> set[tuple[int, tuple[str, ...]]]:
    """(minute, group) of the alerts of the last of the correlations."""
    found = plain_alerts(correlations, listed)
    return {(one.time // (60 * 10**9), one.group) for one in found if one.correlation is correlations[-1]}
