"""The same models on Spark: what a history gives there, load by load, is what DuckDB makes of it in one load."""

import os
import random

import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from test_any_order import assert_one_load_gives_the_same, check_history, histories
from warehouse import Warehouse

from pipeline.paths import PROJECT
from pipeline.spark import SparkMissingError, check_installed

EXAMPLES = settings.default.max_examples // 25
"""A build takes ten seconds and more on Spark; DuckDB sees more histories (test_any_order.py)."""
LEAST_RECORDS = 8
NEWER_OF_READINGS = ["status", "status_code", "server_at", "server_at_local", "arrived_at", "arrived_at_local"]


@pytest.fixture(scope="session")
def on_spark(tmp_path_factory) -> Warehouse:
    try:
        check_installed()
    except SparkMissingError as error:
        pytest.skip(str(error))
    os.environ["SPARK_CONF_DIR"] = str(PROJECT / "tests" / "spark_conf")
    return Warehouse(tmp_path_factory.mktemp("on_spark"), engine="spark")


# A week that Spark does not clear before it is written counts twice; one that it clears in vain is lost.
@settings(max_examples=EXAMPLES)
@given(histories(most_loads=2))
def test_marts_on_spark_do_not_depend_on_how_records_arrive(on_spark, warehouse, history):
    assume(all(len(load) >= LEAST_RECORDS for load, _ in history[0]) and len(history[0]) == 2)
    everything = check_history(on_spark, history[0])
    found = on_spark.marts()
    assert_one_load_gives_the_same(warehouse, found, everything, random.Random(1))


# A file of an older contract lacks a column that came later: its records would make the table unreadable.
@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_files_of_an_older_contract_lack_columns(engine, request):
    warehouse = request.getfixturevalue("warehouse" if engine == "duckdb" else "on_spark")
    warehouse.reset()
    record = {"product_name": "P", "test_name": "T", "machine_id": "M", "test_result": "pass", "test_duration_s": 1.0}
    for serial, time in (("A1", "2024-01-02T12:00:00"), ("A2", "2024-01-03T12:00:00")):
        warehouse.load(test_record=[{**record, "serial_num": serial, "test_timestamp": time, "lot_number": "L"}])
        warehouse.load(sensor_reading=[{"sensor_id": serial, "reading_at": time, "arrived_at": time, "value": 1.0}])
    for name, newer in (("test_record", ["lot_number", "fixture_id"]), ("sensor_reading", NEWER_OF_READINGS)):
        oldest = min(file for file in (warehouse.paths.raw / name).glob("*.parquet") if file.stem != "schema")
        table = pq.read_table(oldest)
        pq.write_table(table.drop_columns(newer), oldest)
    assert warehouse.build()
    marts = warehouse.marts()
    readings = marts["sensor_minutes"].set_index("sensor_id")
    assert readings.least_delay_s.isna().to_dict() == {"A1": True, "A2": False}
    assert readings.trusted_count.to_dict() == {"A1": 1, "A2": 1}
    attempts = marts["test_attempt"].set_index("serial_num")
    assert attempts.lot_number.isna().to_dict() == {"A1": True, "A2": False}
