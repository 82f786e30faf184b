"""What alerts do: the settings of actions in the stanzas of a package, and the summary index."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.builds import UUID, members, rule
from tests.support.savedsearches import PROCESS, Stanzas, built, confs

HARD = '"Deletes $HOME$ by `rm -rf` = \\"all\\" \\\\"'
RULES = {
    "one": rule(1, title=HARD, level="high", tags="[attack.t1059.001, attack.execution]", logsource=PROCESS),
    "two": rule(2, level="medium", logsource=PROCESS),
}
OWN, STREAM = f"Sigma Rule - {UUID}01", "Sigma Stream - windows_sysmon"
ALL = """
by_rule: [{level: high}]
actions:
  email: {to: [soc@example.org, "$result.owner$"], subject: "Sigma: $result.sigma_rule_title$"}
  webhook: {url: "https://example.org/hook?a=1"}
  notable: {security_domain: threat}
  risk: {objects: [{field: host, type: system}, {field: user, type: user}]}
  summary: {index: sigma_alerts}
"""


def package(tmp_path_factory: pytest.TempPathFactory, config: str) -> dict[str, Stanzas]:
    return confs(built(tmp_path_factory.mktemp("actions"), RULES, config))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stanzas]:
    """The package that does all there is."""
    return package(tmp_path_factory, ALL)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stanzas]:
    """The package that writes nothing and tells nobody."""
    return package(tmp_path_factory, "{by_rule: [{level: high}], actions: {summary: false}}")


def streams(found: dict[str, Stanzas]) -> list[dict[str, str]]:
    return [stanza for name, stanza in found["savedsearches"].items() if name.startswith("Sigma Stream - ")]


def risk_objects(score: int | str) -> str:
    objects = {"host": "system", "user": "user"}
    return json.dumps(
        [{"risk_object_field": name, "risk_object_type": kind, "risk_score": score} for name, kind in objects.items()]
    )


# Setting -> value for the search of one rule, and for one of several where that is another.
SETTINGS: dict[str, tuple[Any, ...]] = {
    "action.email": ("1",),
    "action.email.to": ("soc@example.org, $result.owner$",),
    "action.email.subject.alert": ("Sigma: $result.sigma_rule_title$",),
    "action.email.useNSSubject": ("1",),
    "action.webhook": ("1",),
    "action.webhook.param.url": ("https://example.org/hook?a=1",),
    "action.notable": ("1",),
    "action.notable.param.rule_title": ("$sigma_rule_title$",),
    "action.notable.param.security_domain": ("threat",),
    "action.notable.param.severity": ("high", "medium"),
    "action.correlationsearch.enabled": ("1",),
    "action.correlationsearch.annotations": ('{"mitre_attack": ["T1059.001"]}', "{}"),
    "action.risk": ("1",),
    "action.risk.param._risk": (risk_objects(60), risk_objects("$result.sigma_risk_score$")),
    "action.risk.param._risk_score": ("0",),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_of_an_action(everything: dict[str, Stanzas], setting: str) -> None:
    values = SETTINGS[setting]
    assert everything["savedsearches"][OWN][setting] == values[0]
    assert {stanza[setting] for stanza in streams(everything)} == {values[-1]}


def test_a_mail_tells_what_the_rule_says_from_the_row(everything: dict[str, Stanzas]) -> None:
    message = everything["savedsearches"][OWN]["action.email.message.alert"]
    assert "\nTime: $result.sigma_time$\n" in message
    lines = dict(line.split(": ", 1) for line in message.split("\n"))
    assert lines["Description"] == "$result.sigma_description$"
    assert lines["False positives"] == "$result.sigma_falsepositives$"
    assert lines["ATT&CK techniques"] == "$result.sigma_techniques$"
    assert {stanza["action.email.message.alert"] for stanza in streams(everything)} == {message}


def test_every_token_is_a_field_of_the_row(everything: dict[str, Stanzas]) -> None:
    of_splunk = {"host", "user", "_time", "owner", "info_min_time", "info_max_time", "sigma_group"}
    macros = everything["macros"]
    given = set(re.findall(r"\bsigma_\w+(?==)|(?<=AS )sigma_\w+", macros["sigma_alert_fields"]["definition"]))
    for stanza in (everything["savedsearches"][OWN], *streams(everything)):
        actions = " ".join(value for setting, value in stanza.items() if setting.startswith("action."))
        tokens = set(re.findall(r"\$(?:result\.)?(\w+)\$", actions))
        assert tokens <= given | of_splunk, tokens - given - of_splunk


def test_both_kinds_of_searches_fill_the_same_fields(everything: dict[str, Stanzas]) -> None:
    macros = everything["macros"]
    rows = [
        set(re.findall(r"\b(?:sigma_\w+|severity)(?==)|(?<=AS )sigma_\w+", macros[name]["definition"]))
        for name in ("sigma_alert_fields", "sigma_rule_fields")
    ]
    # A search of one rule says these two itself.
    assert rows[0] - rows[1] == {"sigma_rule_id", "sigma_risk_score"}
    assert f'eval sigma_rule_id="{UUID}01", sigma_risk_score=60' in everything["savedsearches"][OWN]["search"]
    assert rows[1] - rows[0] == set()


def test_what_a_rule_says_is_in_no_search_and_no_action(everything: dict[str, Stanzas]) -> None:
    stanza = everything["savedsearches"][OWN]
    told = {setting for setting, value in stanza.items() if "Deletes" in value}
    assert told == {"description", "action.correlationsearch.label"}


def test_no_setting_holds_a_shell_command_that_appinspect_refuses(everything: dict[str, Stanzas]) -> None:
    assert [key for key, value in everything["savedsearches"][OWN].items() if re.search(r"rm\s+-[rf]", value)] == []
    assert "rm \u2011rf" in everything["savedsearches"][OWN]["description"]


def test_without_actions_there_are_none(nothing: dict[str, Stanzas]) -> None:
    for stanza in nothing["savedsearches"].values():
        assert [setting for setting in stanza if setting.startswith("action.")] == []
        assert "collect" not in stanza["search"]


# --- the summary index ---------------------------------------------------------------------------


def test_alerts_are_written_to_the_index_that_is_configured(everything: dict[str, Stanzas]) -> None:
    macros = everything["macros"]
    assert macros["sigma_summary_index"]["definition"] == "index=sigma_alerts"
    assert macros["sigma_collect"]["definition"].startswith("collect index=sigma_alerts ")
    for stanza in (everything["savedsearches"][OWN], *streams(everything)):
        assert " | rename _raw AS _sigma_raw | fields sigma_*, * | `sigma_collect` | " in stanza["search"]


def test_a_notable_event_leads_to_the_search_of_its_row(everything: dict[str, Stanzas]) -> None:
    for stanza in (everything["savedsearches"][OWN], *streams(everything)):
        (listed,) = json.loads(stanza["action.notable.param.drilldown_searches"])
        assert listed["search"] == "$sigma_drilldown$"
        assert {key: stanza[f"action.notable.param.drilldown_{key}"] for key in listed} == listed
        # The host of the row is called orig_host there.
        assert not any("$host$" in value for value in stanza.values())


def test_every_row_has_a_drilldown_whatever_it_lacks(everything: dict[str, Stanzas]) -> None:
    for name in ("sigma_alert_fields", "sigma_rule_fields"):
        assert ', "index=* host=\\"".host."\\"", "index=*")." earliest=' in everything["macros"][name]["definition"]


def test_other_apps_see_searches_and_macros(tmp_path: Path) -> None:
    meta = members(built(tmp_path, RULES))["metadata/default.meta"].decode()
    exported = dict(re.findall(r"^\[(\w+)\]\n.*\nexport = (\w+)$", meta, re.MULTILINE))
    assert exported["savedsearches"] == exported["macros"] == "system"


def test_the_default_index_is_summary(tmp_path_factory: pytest.TempPathFactory) -> None:
    macros = package(tmp_path_factory, "{}")["macros"]
    assert macros["sigma_summary_index"]["definition"] == "index=summary"


def test_the_macros_are_there_for_the_event_type_in_any_case(nothing: dict[str, Stanzas]) -> None:
    assert {"sigma_summary_index", "sigma_collect"} <= set(nothing["macros"])


def test_events_of_the_index_are_alerts_of_cim(everything: dict[str, Stanzas]) -> None:
    (source,) = re.findall(r'source="(.*?)"', everything["macros"]["sigma_collect"]["definition"])
    assert everything["eventtypes"] == {"sigma_match": {"search": f'`sigma_summary_index` source="{source}"'}}
    assert everything["tags"] == {"eventtype=sigma_match": {"alert": "enabled"}}
    (props,) = everything["props"].items()
    assert props[0] == f"source::{source}"
    # Fields of the data model Alerts; Common Information Model Add-on Manual.
    assert {setting.removeprefix("EVAL-") for setting in props[1]} == {
        "app", "description", "dest", "id", "mitre_technique_id", "severity", "severity_id", "signature",
        "signature_id", "src", "type", "user", "vendor_product",
    }  # fmt: skip


def test_json_of_actions_is_json(everything: dict[str, Stanzas]) -> None:
    stanzas = everything["savedsearches"].values()
    risks = [json.loads(stanza["action.risk.param._risk"]) for stanza in stanzas]
    annotations = [json.loads(stanza["action.correlationsearch.annotations"]) for stanza in stanzas]
    assert all({"risk_object_field", "risk_object_type", "risk_score"} == set(one) for risk in risks for one in risk)
    assert all(risks)
    assert all(set(one) <= {"mitre_attack"} for one in annotations)
    assert any(annotations)


def test_configured_twice_nothing_differs(tmp_path: Path) -> None:
    archives = [built(tmp_path / name, RULES, ALL) for name in ("a", "b")]
    assert len({next(out.glob("*.tar.gz")).read_bytes() for out in archives}) == 1
