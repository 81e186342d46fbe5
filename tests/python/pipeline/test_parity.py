"""Both engines on one small plant, and what a comparison of two warehouses finds."""

import json
import shutil
from contextlib import closing
from dataclasses import replace

import duckdb
import pytest
from nightly_plant import NightlyPlant

from pipeline import spark
from pipeline.parity import ParityError, compare
from pipeline.paths import PROJECT, PathError, Paths
from pipeline.subjects import SUBJECTS

MISSING = None
try:
    spark.check_installed()
except spark.SparkMissingError as error:
    MISSING = str(error)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> NightlyPlant:
    """A plant that both engines have built."""
    if MISSING:
        pytest.skip(MISSING)
    spark_conf = str(PROJECT / "tests" / "spark_conf")
    settings = {"SCALE": "0.02", "WEEKS": "2", "SUBJECTS": " ".join(SUBJECTS), "SPARK_CONF_DIR": spark_conf}
    plant = NightlyPlant(tmp_path_factory.mktemp("parity") / "data", settings=settings)
    outcome = plant.run_well("parity")
    assert outcome.last_line.startswith("compare") and outcome.last_line.endswith("rows: equal")
    return plant


@pytest.fixture
def copied(built, tmp_path) -> Paths:
    """Its two warehouses; views of DuckDB's are tables here, so that a test can spoil one."""
    paths = Paths(tmp_path, "duckdb")
    shutil.copyfile(built.data / "warehouse.duckdb", paths.warehouse)
    (tmp_path / "spark").mkdir()
    shutil.copyfile(built.data / "spark" / "warehouse.duckdb", replace(paths, engine="spark").warehouse)
    return paths


# A plant that moves to Spark publishes other figures than the night before.
def test_what_spark_built_is_published_and_reported(built):
    outcome = built.run_well("run", "--step", "publish", "--step", "report", ENGINE="spark")
    assert "marts.duckdb" in outcome.out
    (runs,) = built.published("select count(*) from test_attempt where run_number = 1")[0]
    with closing(duckdb.connect(str(built.data / "warehouse.duckdb"), read_only=True)) as connection:
        statement = "select count(*) from marts.test_attempt where run_number = 1"
        assert connection.sql(statement).fetchone() == (runs,)
    comment = "select comment from duckdb_columns() where table_name = 'summary_prod' and column_name = 'load_qty'"
    assert built.published(comment)[0][0]


# Differences that nobody sees are worse than no comparison.
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("update marts.summary_machine set pass_count = pass_count + 1 where pass_count > 0", "pass_count differs"),
        ("update marts.summary_machine set passing_rate = passing_rate * 1.00000001", "passing_rate differs"),
        ("update marts.summary_machine set passing_rate = null", "passing_rate differs"),
        ("update marts.summary_machine set machine_id = machine_id || ' '", "machine_id differs"),
        (
            "delete from marts.summary_machine where load_week = (select max(load_week) from marts.summary_machine)",
            "summary_machine",
        ),
        ("alter table marts.summary_machine alter column pass_count type double", "columns are"),
        ("drop view publish.report_role", "report_role"),
    ],
)
def test_a_difference_is_named(copied, statement, found):
    assert compare(copied, replace(copied, engine="spark"))["summary_machine"] > 0
    with closing(duckdb.connect(str(copied.warehouse))) as connection:
        connection.execute(statement)
    with pytest.raises(ParityError, match=found):
        compare(copied, replace(copied, engine="spark"))


# Sums in another order differ in the last digits.
def test_floating_point_within_a_billionth_is_equal(copied):
    with closing(duckdb.connect(str(copied.warehouse))) as connection:
        connection.execute("update marts.summary_machine set passing_rate = passing_rate * (1 + 1e-12)")
    compare(copied, replace(copied, engine="spark"))


def test_without_java_the_message_says_what_to_install(tmp_path, monkeypatch):
    if MISSING and "setup-spark" in MISSING:
        pytest.skip(MISSING)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(spark.SparkMissingError, match="openjdk-17-jre-headless"):
        spark.check_installed()


def test_without_spark_the_message_says_what_to_run(monkeypatch):
    monkeypatch.setattr(spark.importlib.util, "find_spec", lambda module: None)
    with pytest.raises(spark.SparkMissingError, match="make setup-spark"):
        spark.check_installed()


def test_an_unknown_engine_is_refused(tmp_path):
    outcome = NightlyPlant(tmp_path / "data").run("run", ENGINE="duck")
    assert outcome.code == 1
    assert outcome.err.strip() == "ENGINE: 'duck': expected duckdb or spark"


# Spark, its catalog or a statement breaks off with a page of Java.
@pytest.mark.parametrize("name", ["x y", "x\ty", "it's", 'say "yes"', "`x`", "x\\y"])
def test_a_directory_that_spark_can_not_be_told_is_refused(name, tmp_path):
    with pytest.raises(PathError, match="Spark expects a path without blanks, quotes and backslashes"):
        replace(Paths(tmp_path / name), engine="spark")


# A plant on Spark publishes nothing any more after a version of Firstpass that added a column.
def test_partitions_of_an_older_version_lack_a_column(tmp_path):
    paths = Paths(tmp_path, "spark")
    folder = paths.spark / "tables" / "marts.db" / "summary"
    for week, values in (("2024-01-01", "1 as a"), ("2024-01-08", "2 as a, 'new' as b")):
        partition = folder / f"load_week_start={week}"
        partition.mkdir(parents=True)
        duckdb.sql(f"select {values}").write_parquet(str(partition / "part.parquet"))
    types = {"a": "bigint", "b": "varchar", "load_week_start": "date"}
    columns = {name: {"name": name, "data_type": kind, "description": ""} for name, kind in types.items()}
    node = {"resource_type": "model", "schema": "marts", "name": "summary", "description": "", "columns": columns}
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"nodes": {"model.summary": node}}))
    spark.gather(paths, manifest)
    with closing(duckdb.connect(str(paths.warehouse), read_only=True)) as connection:
        found = connection.sql("select a, b, load_week_start::varchar from marts.summary order by a").fetchall()
    assert found == [(1, None, "2024-01-01"), (2, "new", "2024-01-08")]
