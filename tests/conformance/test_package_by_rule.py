"""SigmaHQ as a package in which every rule has a search of its own: some 19 MB of savedsearches.conf."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.rulefiles import RuleFolder
from tests.support.builds import members, run
from tests.support.splunktools import check_appinspect, run_tool, tool
from tests.test_expectations import FOLDERS, sigmahq

from .oracles import EVERYTHING

__all__ = ["sigmahq"]

CONFIGURATION = """\
version: 1
select: {rules: "*", level: informational, status: [stable, test, experimental, deprecated, unsupported]}
by_rule:
  - {rules: "*"}
actions:
  email: {to: [soc@example.org]}
  notable: {security_domain: endpoint}
  risk: {objects: [{field: host, type: system}]}
  webhook: {url: "https://example.org/hook"}
"""
#: AppInspect takes a minute over all of them; a folder of few rules is packaged where there is no time for that.
PART = FOLDERS if EVERYTHING else ("rules-threat-hunting",)
ALLOWED = ("appinspect-allowed-sigmahq.txt", "appinspect-allowed-byrule.txt") if EVERYTHING else ()


@pytest.fixture(scope="module")
def out(sigmahq: RuleFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the package."""
    folder = tmp_path_factory.mktemp("by-rule")
    (folder / "searches.yml").write_text(CONFIGURATION, "utf-8")
    root = Path(sigmahq.outcomes[0].path)
    while root.name not in FOLDERS:
        root = root.parent
    rules = [argument for name in PART for argument in ("--rules", root.parent / name)]
    run("package", *rules, "--config", folder / "searches.yml", "--out", folder)
    return folder


def test_each_rule_has_a_search(out: Path, sigmahq: RuleFolder) -> None:
    saved = members(out)["default/savedsearches.conf"].decode()
    wanted = [one.id for one in sigmahq.accepted if set(Path(one.path).parts) & set(PART)]
    assert len(wanted) > 100
    assert [one for one in wanted if f"\n[Sigma Rule - {one}]\n" not in saved] == []


def test_appinspect(out: Path, tmp_path: Path) -> None:
    (archive,) = out.glob("sigma_match-*.tar.gz")
    check_appinspect(archive, tmp_path, *ALLOWED)


def test_ksconf(out: Path, tmp_path: Path) -> None:
    for name in ("savedsearches.conf", "macros.conf"):
        (tmp_path / name).write_bytes(members(out)[f"default/{name}"])
        result = run_tool(tool(".venv-packaging", "ksconf"), "check", tmp_path / name, home=tmp_path)
        assert result.returncode == 0, result.stdout + result.stderr
