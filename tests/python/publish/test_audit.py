"""What the check before the switch finds: damage is done to the files between writing and reading back."""

import os
import shutil
from pathlib import Path

import duckdb
import pytest

from publish import PublishError, publish
from publish.audit import check_storage

DAMAGES = {
    "a row is missing": (
        "delete from test_attempt where serial_num = 'A000400' and run_number = 2",
        "table test_attempt, week 2024-W02: number of rows is 999 in marts.duckdb, 1000 in the warehouse",
    ),
    "a week is missing": (
        "delete from test_attempt where load_week = '2024-W03'",
        "table test_attempt, week 2024-W03: number of rows is 0 in marts.duckdb, 1000 in the warehouse",
    ),
    "a row is in another week": (
        "update test_attempt set load_week = '2024-W01' where load_week = '2024-W02' and run_number = 1",
        "table test_attempt, week 2024-W01: number of rows is 1333 in marts.duckdb, 1000 in the warehouse",
    ),
    "a count is off by one": (
        "update module_status set attempts = attempts + 1 where serial_num = 'A001000'",
        "table module_status, week 2024-W04, column attempts: sum is 1001 in marts.duckdb, 1000 in the warehouse",
    ),
    "a duration is off by a millionth of its week's": (
        "update test_attempt set test_duration_s = test_duration_s * 1.001 where test_timestamp = '2024-01-02 01:55'",
        "table test_attempt, week 2024-W02, column test_duration_s: sum of positive values is",
    ),
    "NaN became NULL": (
        "update test_attempt set test_duration_s = null where isnan(test_duration_s)",
        "table test_attempt, week 2024-W01, column test_duration_s: number of values is",
    ),
    "infinite became NaN": (
        "update test_attempt set test_duration_s = 'nan' where isinf(test_duration_s)",
        "column test_duration_s: checksum of infinite and NaN values is",
    ),
    "a text was changed": (
        "update test_attempt set error_code = trim(error_code, '-') where load_week = '2024-W04'",
        "table test_attempt, week 2024-W04, column error_code: checksum is",
    ),
    "a time was moved": (
        "update test_attempt set test_timestamp = test_timestamp + interval 8 hour where load_week = '2024-W01'",
        "table test_attempt, week 2024-W01, column test_timestamp: checksum is",
    ),
    "a true became false": (
        "update test_attempt set is_pass = false where serial_num = 'A000100'",
        "table test_attempt, week 2024-W01, column is_pass: checksum is",
    ),
    "a table by production date": (
        "update station_day set attempts = attempts + 1 where production_date = '2024-01-02'",
        "table station_day, week 2024-W01, column attempts: sum is",
    ),
    "a table without a week": (
        "insert into route_step values ('x', 1)",
        "table route_step, week all: number of rows is 1 in marts.duckdb, 0 in the warehouse",
    ),
    "a table is missing": (
        "drop table route_step",
        "tables are module_status, report_weeks, station_day, test_attempt",
    ),
    "a column has another type": (
        "alter table station_day alter attempts type integer",
        "station_day: column is Column(name='attempts', type='INTEGER'",
    ),
    "a column is missing": ("alter table station_day drop attempts", "station_day: 3 columns in the warehouse, 2 in"),
    "a description is missing": ("comment on table test_attempt is null", "test_attempt: comment is None"),
}


@pytest.fixture
def publish_damaged(paths, build, marks):
    """publish_damaged(damage): publishes build 2 after build 1, with damage(the new version's folder) done in between.

    Gives the error's text, after a look that readers still have build 1 and nothing of the bad version is left.
    """

    def run(damage):
        build(1)
        first = publish(paths)
        build(2)

        def step(text: str) -> None:
            if text.startswith("checking"):
                (staged,) = (paths.published / "versions").glob(".*.tmp")
                damage(staged)

        with pytest.raises(PublishError) as caught:
            publish(paths, progress=step)
        assert marks() == {1}
        assert os.listdir(paths.published / "versions") == [first.id]
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return run


def writable(file: Path) -> Path:
    file.chmod(0o644)
    return file


# If one of these fails, a damaged mart reaches the readers, or the person on duty is not told what is wrong.
@pytest.mark.parametrize("name", DAMAGES)
def test_damage_to_the_file_is_found_and_named(publish_damaged, name):
    statement, message = DAMAGES[name]

    def damage(folder: Path) -> None:
        with duckdb.connect(writable(folder / "marts.duckdb")) as connection:
            connection.execute(statement)

    assert message in publish_damaged(damage)


# If this fails, Parquet readers get other figures than readers of the DuckDB file.
@pytest.mark.parametrize(
    "damage, message",
    [
        (
            lambda folder: shutil.rmtree(folder / "test_attempt" / "load_week=2024-W02"),
            "table test_attempt, week 2024-W02: number of rows is 0 in Parquet, 1000 in the warehouse",
        ),
        (
            lambda folder: (folder / "test_attempt" / "load_week=2024-W04").rename(
                folder / "test_attempt" / "load_week=2024-W05"
            ),
            "table test_attempt, week 2024-W04: number of rows is 0 in Parquet",
        ),
        (
            lambda folder: duckdb.sql("select product_name: 'x', sequence: 1").write_parquet(
                str(writable(folder / "route_step.parquet"))
            ),
            "table route_step, week all: number of rows is 1 in Parquet, 0 in the warehouse",
        ),
        (lambda folder: os.truncate(writable(folder / "station_day.parquet"), 40), "station_day.parquet"),
        (lambda folder: (folder / "report_weeks.parquet").unlink(), "report_weeks.parquet"),
    ],
)
def test_damage_to_parquet_is_found_and_named(publish_damaged, damage, message):
    assert message in publish_damaged(lambda folder: damage(folder / "parquet"))


# If this fails, a file that a bad disk or a full one has cut or changed is published.
@pytest.mark.parametrize("kind", ["cut", "changed", "not a database"])
def test_a_broken_file_is_found(publish_damaged, kind):
    def damage(folder: Path) -> None:
        file = writable(folder / "marts.duckdb")
        if kind == "cut":
            os.truncate(file, file.stat().st_size // 2)
        elif kind == "not a database":
            file.write_bytes(b"x" * 100_000)
        else:
            with file.open("r+b") as stream:
                stream.seek(12288 + 262144 + 1000)
                stream.write(b"\xff" * 5000)

    assert publish_damaged(damage)


# If this fails, a write-ahead log beside the file changes what its readers see.
def test_a_log_beside_the_file_is_found(publish_damaged):
    message = publish_damaged(lambda folder: (folder / "marts.duckdb.wal").write_bytes(b""))
    assert message.startswith("marts.duckdb.wal: unexpected")


# If this fails, BI tools whose driver is DuckDB 1.0 can't open what is published. 1.1 is the trap: DuckDB's own
# catalog says v1.0.0+ of such a file.
@pytest.mark.parametrize("version", ["v1.1.0", "v1.2.0", "latest"])
def test_a_newer_storage_version_is_found(publish_damaged, version):
    def damage(folder: Path) -> None:
        file = folder / "marts.duckdb"
        newer = folder.parent / "newer.duckdb"
        with duckdb.connect() as connection:
            connection.execute(f"attach '{file}' as old (read_only)")
            connection.execute(f"attach '{newer}' as new (storage_version '{version}')")
            connection.execute("copy from database old to new")
        newer.replace(file)

    assert "DuckDB 1.0 reads 64 up to 64.2" in publish_damaged(damage)


# If this fails, the check says yes to what DuckDB 1.0 refuses, or no to what it can read.
@pytest.mark.parametrize("client", ["1.0"], indirect=True)
@pytest.mark.parametrize("version, is_readable", [("v1.0.0", True), ("v1.1.0", False), ("v1.2.0", False)])
def test_the_storage_check_agrees_with_duckdb_1_0(tmp_path, client, version, is_readable):
    file = tmp_path / "file.duckdb"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{file}' as new (storage_version '{version}')")
        connection.execute("create table new.t as select i, 'text ' || i as x from range(5000) t(i)")
    assert (client(file, "select count(*) from t") == [[[5000]]]) == is_readable
    if is_readable:
        check_storage(file)
    else:
        with pytest.raises(PublishError, match="storage version"):
            check_storage(file)


# If this fails, a report view that answers differently each time is published as if its figures meant something.
def test_a_view_that_is_not_determined_by_its_data_is_found(paths, build):
    build(1)
    with duckdb.connect(paths.warehouse) as warehouse:
        warehouse.execute("create view publish.report_dice as select '2024-W01' as load_week, random() as yield")
    with pytest.raises(PublishError, match=r"table report_dice, week 2024-W01, column yield: sum of positive values"):
        publish(paths)
    assert not (paths.published / "current").exists()


# If this fails, the order in which two threads add up a column stops a good publication.
def test_a_rounding_difference_is_no_damage(paths, build):
    build(1)

    def step(text: str) -> None:
        if text.startswith("checking"):
            (staged,) = (paths.published / "versions").glob(".*.tmp")
            with duckdb.connect(writable(staged / "marts.duckdb")) as connection:
                connection.execute("update station_day set duration_s = duration_s * (1 + 1e-13)")

    assert publish(paths, progress=step).tables["station_day"] == 4
