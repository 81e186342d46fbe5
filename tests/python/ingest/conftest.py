"""A plant folder and a lake of its own for each test."""

from pathlib import Path

import pytest
from plant_site import Site

from pipeline.paths import Paths


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "plant"
    folder.mkdir()
    return Site(folder, Paths(tmp_path / "data")).describe()
