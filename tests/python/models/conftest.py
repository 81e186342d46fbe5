from pathlib import Path

import pytest
from warehouse import Warehouse

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items) -> None:
    """What is tested here is SQL: measuring the Python of dbt, in this process, would take as long as running it."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("no_cover")


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory) -> Warehouse:
    """One for the session, since parsing the project costs more than a build; `reset` it first."""
    return Warehouse(tmp_path_factory.mktemp("warehouse"))
