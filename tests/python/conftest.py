from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from bench.database_servers import Server, mariadb_server, missing_mariadb, missing_postgresql, postgresql_server

# `pytest --hypothesis-profile=slow` looks at more examples; CI takes the default
settings.register_profile(
    "ci", max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
settings.register_profile("slow", max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("ci")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    if reason := missing_postgresql():
        pytest.skip(reason)
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    if reason := missing_mariadb():
        pytest.skip(reason)
    with mariadb_server() as server:
        yield server
