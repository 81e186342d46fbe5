"""Whether tables are the same, wherever they are read from."""

from contextlib import closing

import duckdb
import pandas as pd

from pipeline.paths import Paths
from publish import current_version


def differences(found: dict[str, pd.DataFrame], expected: dict[str, pd.DataFrame]) -> list[str]:
    """Tables that differ: counts and texts exactly, floats by more than 1e-9 relative."""
    assert found.keys() == expected.keys() and found
    different = []
    for name, table in found.items():
        try:
            pd.testing.assert_frame_equal(table, expected[name], rtol=1e-9, atol=1e-12)
        except AssertionError as error:
            different.append(f"{name}: {error}")
    return different


def assert_published(paths: Paths) -> None:
    """Every table of the current version, in the DuckDB file and in Parquet, has the rows of DuckDB's warehouse."""
    folder = current_version(paths.published)
    in_warehouse, in_file, in_parquet = {}, {}, {}
    with closing(duckdb.connect()) as connection:
        connection.execute(f"attach '{paths.warehouse}' as warehouse (read_only)")
        connection.execute(f"attach '{folder / 'marts.duckdb'}' as version (read_only)")
        for schema, name in connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_catalog = 'warehouse' and table_schema in ('marts', 'publish')"
        ).fetchall():
            table = f"warehouse.{schema}.{name}"
            described = connection.execute(f"describe {table}").fetchall()
            columns = ", ".join(f'"{column}"::{kind} as "{column}"' for column, kind, *_ in described)
            file = f"{name}/*/data" if (folder / "parquet" / name).is_dir() else name
            parquet = f"(select {columns} from read_parquet('{folder}/parquet/{file}.parquet'))"
            in_warehouse[name] = _rows(connection, table)
            in_file[name] = _rows(connection, f"version.main.{name}")
            in_parquet[name] = _rows(connection, parquet)
    for place, found in (("marts.duckdb", in_file), ("Parquet", in_parquet)):
        different = differences(found, in_warehouse)
        assert not different, f"{place}: {different}"


def _rows(connection: duckdb.DuckDBPyConnection, source: str) -> pd.DataFrame:
    """Sorted; what is NULL stands beside them, since pandas takes it and NaN for the same."""
    return connection.sql(f"select *, columns(*) is null from {source} order by all").df()
