"""Executes all notebooks once, with the small budget, for every test that looks at what came of it."""

from pathlib import Path

import pytest

from notebook_source import NAMES
from run_all import Ran, run


@pytest.fixture(scope="session")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    records: Path = tmp_path_factory.mktemp("records")
    return {ran.name: ran for ran in run(NAMES, "small", records, lanes=2)}
