"""What a publication gives its readers."""

import json
import os

import duckdb
import pandas as pd
import pytest
from click.testing import CliRunner

from publish import PublishError, current_version, publish
from publish.__main__ import main


def open_file(paths):
    return duckdb.connect(paths.published / "marts.duckdb", read_only=True)


# If this fails, a mart is missing from what analysts open, or a table of another layer got out.
def test_every_mart_and_every_report_view_is_a_table_of_the_published_file(paths, build):
    build(1)
    version = publish(paths)
    with open_file(paths) as reader:
        tables = reader.execute("select schema_name, table_name from duckdb_tables() order by 2").fetchall()
        views = reader.execute("select view_name from duckdb_views() where not internal").fetchall()
        rows = {name: reader.execute(f"select count(*) from {name}").fetchone()[0] for _, name in tables}
    names = ["module_status", "report_weeks", "route_step", "station_day", "test_attempt"]
    assert tables == [("main", name) for name in names]
    assert views == []
    assert version.tables == rows == {
        "module_status": 1335, "report_weeks": 4, "route_step": 0, "station_day": 4, "test_attempt": 4000,
    }  # fmt: skip
    assert version.folder == current_version(paths.published) == (paths.published / "current").resolve()


# If this fails, a reader sees other values, or other rows first, than the warehouse holds.
def test_rows_are_those_of_the_warehouse_in_its_order(paths, build):
    build(1)
    publish(paths)
    with duckdb.connect(paths.warehouse, read_only=True) as warehouse, open_file(paths) as reader:
        for table in ("test_attempt", "module_status", "station_day"):
            expected = warehouse.execute(f"select columns(*)::text from marts.{table}").fetchall()
            assert reader.execute(f"select columns(*)::text from {table}").fetchall() == expected


# If this fails, an analyst no longer sees in the file what a column means.
def test_descriptions_of_tables_and_columns_come_along(paths, build):
    build(1)
    publish(paths)
    with open_file(paths) as reader:
        tables = dict(reader.execute("select table_name, comment from duckdb_tables()").fetchall())
        columns = reader.execute("select column_name, comment from duckdb_columns() where comment is not null")
        assert tables["test_attempt"] == 'One row per attempt; the operator\'s "first" is run 1.'
        assert tables["report_weeks"] == "One row per load week."
        assert dict(columns.fetchall()) == {
            "test_duration_s": "Seconds; start to end.",
            "attempts": "Attempts in the week.",
        }


# If this fails, Power BI, pandas or Spark read other rows from Parquet than SQL does from the file.
def test_parquet_holds_the_same_rows_and_the_detail_is_one_file_per_load_week(paths, build):
    build(1)
    publish(paths)
    folder = paths.published / "parquet"
    weeks = sorted(part.name for part in (folder / "test_attempt").iterdir())
    assert weeks == [f"load_week=2024-W0{week}" for week in (1, 2, 3, 4)]
    with open_file(paths) as reader:
        for table in ("test_attempt", "station_day", "report_weeks", "route_step"):
            columns = "* exclude (load_week), load_week" if table == "test_attempt" else "*"
            expected = reader.execute(f"select {columns} from {table} order by all").df()
            found = pd.read_parquet(folder / table if table == "test_attempt" else folder / f"{table}.parquet")
            found = duckdb.sql("select * from found order by all").df()
            if table == "test_attempt":
                found["load_week"] = found["load_week"].astype(expected["load_week"].dtype)
            pd.testing.assert_frame_equal(found, expected, check_dtype=False)


# If this fails, modules without a load week vanish from Parquet, or keep the plant from publishing at all.
def test_rows_without_a_load_week_have_a_partition_of_their_own(paths, build):
    build(1)
    publish(paths)
    files = paths.published / "parquet" / "module_status" / "*" / "data.parquet"
    rows = duckdb.execute("select serial_num from read_parquet(?) where load_week is null", [str(files)]).fetchall()
    assert rows == [("Z000001",)]


# If this fails, a plant's very first night, with no record yet, breaks every reader's query.
def test_an_empty_plant_is_published(paths, build):
    build(1, rows=0)
    assert publish(paths).tables["test_attempt"] == 0
    files = paths.published / "parquet" / "test_attempt" / "*" / "data.parquet"
    assert duckdb.execute("select count(*), count(load_week) from read_parquet(?)", [str(files)]).fetchone() == (0, 0)


# If this fails, a week label from records can leave its folder, or the label is another one in Parquet.
def test_a_strange_week_stays_inside_its_folder(paths, build):
    build(1)
    week = "../../x 'y'%2F=\n"
    with duckdb.connect(paths.warehouse) as warehouse:
        warehouse.execute("update marts.test_attempt set load_week = ? where run_number = 1", [week])
    folder = publish(paths).folder
    assert week in pd.read_parquet(folder / "parquet" / "test_attempt")["load_week"].unique()
    assert {file.name for file in folder.iterdir()} == {"marts.duckdb", "marts.duckdb.wal", "parquet", "weeks.json"}


# If this fails, somebody's tool changes what everybody else reads.
def test_files_are_read_only(paths, build):
    build(1)
    files = [file for file in publish(paths).folder.rglob("*") if file.is_file()]
    assert len(files) > 10
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o444"}


# If this fails, a reader on a share without links does not find the version.
def test_current_json_names_the_version(paths, build):
    build(1)
    publish(paths)
    version = publish(paths)
    current = json.loads((paths.published / "current.json").read_text())
    assert current["version"] == version.id
    assert paths.published / current["marts"] == version.folder / "marts.duckdb"
    assert paths.published / current["parquet"] == version.folder / "parquet"
    assert current["tables"] == version.tables


# If this fails, a build that went wrong is half published, or the operator is not told why nothing is.
@pytest.mark.parametrize(
    "statement, message",
    [
        ("create table marts.report_weeks as select 1 as a", "report_weeks and .* one name"),
        ("create view publish.TEST_attempt as select 1 as a", "(?i)test_attempt and .* one name"),
        ('create table marts."a/b" as select 1 as a', "letters, digits"),
        ("create view publish.report_broken as select error('no such limit') as a", "no such limit"),
        ("drop schema marts cascade; drop schema publish cascade", "nothing to publish"),
    ],
)
def test_what_cannot_be_published_is_named_and_the_last_version_stays(paths, build, marks, statement, message):
    build(1)
    first = publish(paths)
    build(2)
    with duckdb.connect(paths.warehouse) as warehouse:
        warehouse.execute(statement)
    with pytest.raises(PublishError, match=message):
        publish(paths)
    assert marks() == {1}
    assert os.listdir(paths.published / "versions") == [first.id]


# If this fails, `make publish` before the first build ends in a stack trace, or as if it had gone well.
def test_the_command_says_in_one_line_why_it_failed(paths, build):
    runner = CliRunner(env={"FIRSTPASS_DATA": str(paths.data)})
    failed = runner.invoke(main)
    assert failed.exit_code == 1
    assert failed.output == f"Error: {paths.warehouse} does not exist: nothing was built yet\n"
    build(1)
    done = runner.invoke(main, ["--keep", "2"])
    assert done.exit_code == 0
    assert "5 tables, 5,343 rows" in done.output.splitlines()[-1]


# If this fails, whoever publishes by hand after a red build shows its figures to everybody.
def test_the_command_publishes_no_red_build(paths, build, marks):
    build(1)
    publish(paths)
    build(2)
    (paths.data / "build-unfinished").touch()
    failed = CliRunner(env={"FIRSTPASS_DATA": str(paths.data)}).invoke(main)
    assert failed.exit_code == 1
    assert failed.output.startswith("Error: Nothing was published: the last build did not end green")
    assert marks() == {1}
