"""Fixtures that many tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from builder.mappings import Mappings, read_mappings
from builder.package import app_files, compile_inputs, unpack
from builder.paths import MAPPINGS, RULES
from builder.rulefiles import read_folders
from tests.support import apps, builds, lookups, optionrules


@pytest.fixture(scope="session")
def mappings() -> Mappings:
    """The project's mappings, compiled."""
    return read_mappings(MAPPINGS)


@pytest.fixture(scope="session")
def app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the unpacked app with the project's own rules."""
    inputs = compile_inputs(read_folders([RULES]), mappings)
    return unpack(app_files(inputs), tmp_path_factory.mktemp("app"))


@pytest.fixture(params=["libyaml", "pure Python"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build parses with libyaml where there is one, the app never does."""
    if request.param == "libyaml":
        if not hasattr(yaml, "CSafeLoader"):
            pytest.skip("PyYAML was installed without libyaml")
    else:
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)


@pytest.fixture(scope="session")
def edited_app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app built from tests.support.lookups.FILES with a value for one of their two placeholders."""
    folder = builds.write(tmp_path_factory.mktemp("rules"), **lookups.FILES)
    inputs = compile_inputs(read_folders([folder], {"Admins": ["root"]}), mappings)
    return unpack(app_files(inputs), tmp_path_factory.mktemp("edited"))


@pytest.fixture
def editor(edited_app: Path, tmp_path: Path) -> Iterator[lookups.Editor]:
    """Writes lookups into that app; what it wrote is removed after the test."""
    kept = set((edited_app / "lookups").iterdir())
    yield lookups.Editor(edited_app, tmp_path)
    for path in set((edited_app / "lookups").iterdir()) - kept:
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.fixture(scope="session")
def options_app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with the rules of tests.support.optionrules."""
    rules = [apps.rule_of(document, optionrules.IDS[letter]) for letter, document in optionrules.RULES.items()]
    return apps.app_of(rules, mappings, tmp_path_factory.mktemp("options"))
