import pytest
from warehouse import Warehouse


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory) -> Warehouse:
    """One for the session, since parsing the project costs more than a build; `reset` it first."""
    return Warehouse(tmp_path_factory.mktemp("warehouse"))
