"""Fixtures that many tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

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
