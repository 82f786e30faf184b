"""Fixtures that many tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from builder.mappings import Mappings, read_mappings
from builder.package import app_files, compile_inputs, unpack
from builder.paths import MAPPINGS, RULES
from builder.rulefiles import read_folders


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
