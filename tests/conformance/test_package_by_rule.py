"""A package in which every rule has a search of its own: of SigmaHQ some 19 MB of savedsearches.conf."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.paths import RULES
from builder.rulefiles import RuleFolder, read_folders
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
ALLOWED = ("appinspect-allowed-sigmahq.txt", "appinspect-allowed-byrule.txt") if EVERYTHING else ()


@pytest.fixture(scope="module")
def folders(request: pytest.FixtureRequest) -> list[Path]:
    """The rules: the project's own, where there is no time for two minutes of SigmaHQ."""
    if not EVERYTHING:
        return [RULES]
    read: RuleFolder = request.getfixturevalue("sigmahq")
    root = next(parent for parent in Path(read.outcomes[0].path).parents if parent.name in FOLDERS).parent
    return [root / name for name in FOLDERS]


@pytest.fixture(scope="module")
def out(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the package."""
    folder = tmp_path_factory.mktemp("by-rule")
    (folder / "searches.yml").write_text(CONFIGURATION, "utf-8")
    rules = [argument for path in folders for argument in ("--rules", path)]
    run("package", *rules, "--config", folder / "searches.yml", "--out", folder)
    return folder


def test_each_rule_has_a_search(out: Path, folders: list[Path]) -> None:
    saved = members(out)["default/savedsearches.conf"].decode()
    wanted = [rule.id for rule in read_folders(folders).rules]
    assert len(wanted) > 20
    assert [one for one in wanted if f"\n[Sigma Rule - {one}]\n" not in saved] == []


def test_appinspect(out: Path, tmp_path: Path) -> None:
    (archive,) = out.glob("sigma_match-*.tar.gz")
    check_appinspect(archive, tmp_path, *ALLOWED)


def test_ksconf(out: Path, tmp_path: Path) -> None:
    for name in ("savedsearches.conf", "macros.conf"):
        (tmp_path / name).write_bytes(members(out)[f"default/{name}"])
        result = run_tool(tool(".venv-packaging", "ksconf"), "check", tmp_path / name, home=tmp_path)
        assert result.returncode == 0, result.stdout + result.stderr
