"""Streams: which events are read for which rules, each in one search."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.mappings import Mappings
from builder.outcomes import Outcome, RuleFolder
from builder.rulefiles import read_folders
from builder.searches.configuration import Choice, Configuration
from builder.searches.context import Context
from builder.searches.sources import sources
from builder.searches.streams import Layout, lay_out
from sigmaengine.rule import Rule
from tests.support.builds import rule, write
from tests.support.cases import Case, table_cases
from tests.support.spl import Query
from tests.support.streams import stream_queries

#: Users write these into configurations, and local settings hang on them. Names are added; a change
#: of one takes users' settings from its search.
NAMES = """
    antivirus apache aws_cloudtrail azure_activitylogs azure_auditlogs azure_monitor_aad azure_riskdetection
    azure_signinlogs bitbucket_audit cisco_aaa cisco_duo crowdstrike_events_sensor database dns firewall
    fortigate_event gcp_gcp_audit gcp_google_workspace_admin gcp_google_workspace_login github_audit httpevent
    juniper_bgp jvm_application kubernetes_application_audit linux_auditd linux_syslog m365_audit netflow nginx okta
    onelogin_onelogin_events opencanary_application osquery_results paloalto_appliance_globalprotect pan_threat
    proxy qualys rpc_firewall_application sysmon_linux webserver windows_application windows_dns_server
    windows_msexchange_management windows_other windows_powershell windows_powershell_classic windows_security
    windows_services windows_sysmon windows_system windows_windefend zeek_dce_rpc zeek_http zeek_kerberos zeek_rdp
    zeek_smb_files zeek_x509
"""


def test_names_of_streams(mappings: Mappings) -> None:
    assert sorted(source.name for source in sources(mappings.routing)) == NAMES.split()


def test_every_alternative_is_in_one_stream(mappings: Mappings) -> None:
    found = [index for source in sources(mappings.routing) for index in source.alternatives]
    assert sorted(found) == list(range(len(mappings.routing.alternatives)))


def laid_out(mappings: Mappings, folder: Path, rules: list[tuple[str, str]]) -> Layout:
    """The streams of rules of a log source and a selection each."""
    texts = {f"r{number}": rule(number, text, logsource=source) for number, (source, text) in enumerate(rules, 1)}
    read = read_folders([write(folder, **texts)])
    assert len(read.rules) == len(rules)
    return lay_out(mappings.routing, sources(mappings.routing), read.rules)


CHANNEL = (
    '(Channel="{0}" OR LogName="{0}" OR source IN ("WMI:WinEventLog:{0}", "WinEventLog:{0}", "XmlWinEventLog:{0}")'
    ' OR sourcetype IN ("WMI:WinEventLog:{0}", "WinEventLog:{0}", "XmlWinEventLog:{0}"))'
)
SECURITY = CHANNEL.format("security")
SYSMON = CHANNEL.format("microsoft-windows-sysmon/operational")
WINDOWS = (
    '(sourcetype IN ("wineventlog", "wineventlog:*", "wmi:wineventlog:*", "xmlwineventlog", "xmlwineventlog:*")'
    ' OR source IN ("wineventlog:*", "wmi:wineventlog:*", "xmlwineventlog:*"))'
)


def codes(*listed: int) -> str:
    """The condition on event codes."""
    if len(listed) == 1:
        return f'(EventCode="{listed[0]}" OR EventID="{listed[0]}")'
    values = ", ".join(f'"{code}"' for code in listed)
    return f"(EventCode IN ({values}) OR EventID IN ({values}))"


#: Rules, as log source and selection; stream -> condition, streams that it is besides, and numbers of its rules, then
#: of those because of which it is not narrower.
LAYOUTS: dict[str, tuple[list[tuple[str, str]], dict[str, tuple[str, list[str], str, str]]]] = {
    "a service": ([("{product: windows, service: security}", "A: x")], {"windows_security": (SECURITY, [], "1", "")}),
    "codes of the rule": (
        [("{product: windows, service: security}", "EventID: [4625, 4624]")],
        {"windows_security": (f"({SECURITY} {codes(4624, 4625)})", [], "1", "")},
    ),
    "codes of the rule under another name": (
        [("{product: windows, service: security}", "EventCode: 4625\n    A: x")],
        {"windows_security": (f"({SECURITY} {codes(4625)})", [], "1", "")},
    ),
    "codes of the mapping": (
        [("{product: windows, category: image_load}", "A: x")],
        {"windows_sysmon": (f"({SYSMON} {codes(7)})", [], "1", "")},
    ),
    "codes of several rules": (
        [
            ("{product: windows, category: image_load}", "A: x"),
            ("{product: windows, category: file_event}", "A: x"),
            ("{product: windows, service: sysmon}", "EventID: 255"),
        ],
        {"windows_sysmon": (f"({SYSMON} {codes(7, 11, 255)})", [], "123", "")},
    ),
    "two kinds of events": (
        [("{product: windows, category: process_creation}", "A: x")],
        {
            "windows_sysmon": (f"({SYSMON} {codes(1)})", [], "1", ""),
            "windows_security": (f"({SECURITY} {codes(4688)})", [], "1", ""),
        },
    ),
    "codes of the rule that its events never have": (
        [("{product: windows, category: process_creation}", "EventID: 4688")],
        {"windows_security": (f"({SECURITY} {codes(4688)})", [], "1", "")},
    ),
    "a rule of any event": (
        [
            ("{product: windows, service: security}", "EventID: 4625"),
            ("{product: windows, service: security}", "A: x"),
        ],
        {"windows_security": (SECURITY, [], "12", "2")},
    ),
    "a whole product": (
        [("{product: windows}", "A: x"), ("{product: windows, service: security}", "EventID: 4625")],
        {
            "windows_other": (WINDOWS, ["windows_security"], "1", "1"),
            "windows_security": (f"({SECURITY} {codes(4625)})", [], "12", ""),
        },
    ),
    "a whole product's code": (
        [("{product: windows}", "EventID: 1102")],
        {
            "windows_other": (
                (
                    '((sourcetype IN ("wineventlog", "wineventlog:*", "wmi:wineventlog:*", "xmlwineventlog",'
                    f' "xmlwineventlog:*") {codes(1102)}) OR (source IN ("wineventlog:*", "wmi:wineventlog:*",'
                    f' "xmlwineventlog:*") {codes(1102)}))'
                ),
                [],
                "1",
                "1",
            )
        },
    ),
    "no log source": (
        [("{definition: x}", "A: x"), ("{product: aws, service: cloudtrail}", "A: x")],
        {"aws_cloudtrail": ('sourcetype="aws:cloudtrail"', [], "12", "")},
    ),
    "no log source alone": ([("{definition: x}", "A: x")], {}),
    "without a mapping": ([("{product: atari}", "A: x")], {}),
    "one part of a sourcetype": (
        [("{product: azure, service: riskdetection}", "A: x")],
        {
            "azure_monitor_aad": ('(sourcetype="azure:monitor:aad" category="userriskevents")', [], "1", ""),
            "azure_riskdetection": ('sourcetype="azure:aad:identity_protection:risk_detection"', [], "1", ""),
        },
    ),
    "a sourcetype and files of it": (
        [("{product: linux, service: cron}", "A: x"), ("{product: linux, service: syslog}", "A: x")],
        {
            "linux_syslog": (
                (
                    '((sourcetype="linux_secure" process IN ("cron", "crond", "crontab")) OR source IN'
                    ' ("/var/log/cron*", "/var/log/messages*", "/var/log/syslog*") OR sourcetype IN'
                    ' ("linux_messages_syslog", "nix:syslog", "syslog"))'
                ),
                [],
                "12",
                "",
            )
        },
    ),
    "one sourcetype of two products": (
        [("{product: linux, service: guacamole}", "A: x"), ("{product: macos, category: file_event}", "A: x")],
        {
            "osquery_results": ('(sourcetype="osquery:results" name="*es_process_file_events*")', [], "2", ""),
            "linux_syslog": (
                (
                    '((sourcetype IN ("linux_messages_syslog", "syslog") process="guacd") OR (sourcetype="nix:syslog"'
                    ' source="program:guacd") OR source="*/guacd.log*")'
                ),
                [],
                "1",
                "",
            ),
        },
    ),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_streams_of_rules(case: str, mappings: Mappings, tmp_path: Path) -> None:
    rules, expected = LAYOUTS[case]
    found = laid_out(mappings, tmp_path, rules)
    assert {
        stream.name: (
            stream.condition,
            list(stream.besides),
            "".join(one[-1] for one in stream.rules),
            "".join(one[-1] for one in stream.wide),
        )
        for stream in found.streams
    } == expected


# --- no event is lost, none is read twice -------------------------------------------------------


@pytest.fixture(scope="module")
def of_all_cases(mappings: Mappings) -> dict[str, Query]:
    """The streams of the rules of all cases of the mappings at once."""
    rules = [case.rule() for case in table_cases("mappings")]
    context = context_of(rules, mappings)
    assert len(context.layout.streams) > 50
    return stream_queries(context)


def context_of(rules: list[Rule], mappings: Mappings) -> Context:
    """A package of rules that all alert."""
    outcomes = [Outcome("r.yml", 1, rule=rule, document={"id": rule.id}) for rule in rules]
    return Context(RuleFolder(outcomes, 1), mappings.routing, Configuration(select=Choice()))


CASES = table_cases("mappings")


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_what_a_rule_matches_is_read_once(case: Case, of_all_cases: dict[str, Query], mappings: Mappings) -> None:
    alone = stream_queries(context_of([case.rule()], mappings))
    assert len(alone) <= len(of_all_cases)
    for position, row in enumerate(case.events):
        event = {"index": "main", **row}
        taken = [[name for name, query in queries.items() if query.matches(event)] for queries in (alone, of_all_cases)]
        assert all(len(names) <= 1 for names in taken)
        if position in case.match and any(case.rule().logsource):
            assert all(taken), position
