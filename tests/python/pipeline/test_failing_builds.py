"""A build that fails: readers keep the last good version, and the message says what to do."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from nightly_plant import NightlyPlant

from pipeline.environment import process_environment
from pipeline.paths import PROJECT, Paths

TEST = "loads_hold_what_their_manifest_says"


def newest_records(plant: NightlyPlant) -> Path:
    """The lake's file of the last day that was loaded."""
    return max((plant.data / "lake" / "raw" / "test_record").glob("[0-9]*.parquet"))


def manifest_of(file: Path) -> Path:
    """The manifest of the load whose records the file holds: its own, or a compacted one."""
    manifests = (file.parent.parent / "load").glob("*[0-9]*.parquet")
    (found,) = (it for it in manifests if file.stem in pq.read_table(it)["load_id"].to_pylist())
    return found


def assert_readers_see(plant: NightlyPlant, version: str, tables) -> None:
    assert plant.version == version
    assert plant.published("select record_count from report_run") == [(tables["report_run"].record_count.item(),)]


# a night that went wrong unnoticed: readers get figures of damaged records, or none
def test_a_failing_data_test_keeps_the_last_version_and_says_what_to_do(nights, seasoned):
    seasoned.run_well("run", "--step", "ingest")
    file = newest_records(seasoned)
    whole = file.read_bytes()
    records = pq.read_table(file)
    pq.write_table(records.slice(3), file)
    manifest = manifest_of(file)
    whole_manifest = manifest.read_bytes()
    loads = {load["load_id"]: load for load in pq.read_table(manifest).to_pylist()}
    loads[file.stem]["object"] = "\x1b[2Jinbox/\nday.csv"  # a text from outside must not steer the terminal
    pq.write_table(pa.Table.from_pylist(list(loads.values()), schema=pq.read_schema(manifest)), manifest)

    outcome = seasoned.run("run")
    assert outcome.code == 1
    assert [line.split()[0] for line in outcome.out.splitlines()] == ["ingest"]
    assert f"Test {TEST} failed on 1 row (tests/data/{TEST}.sql)" in outcome.err
    assert "A load's files are damaged or incomplete" in outcome.err
    assert "load_id | object | row_count | record_count | reject_count | rejected_count" in outcome.err
    assert f"{file.stem} | \ufffd[2Jinbox/\ufffdday.csv | {len(records)} | {len(records) - 3}" in outcome.err
    assert "Nothing was published: readers still see the last good version." in outcome.err
    assert "What to do: correct the records" in outcome.err
    assert "Traceback" not in outcome.err and "\x1b" not in outcome.err
    assert_readers_see(seasoned, nights.second.version, nights.second.tables)

    # what the failed build left in the warehouse must not reach readers by the steps one by one either
    refused = seasoned.run("run", "--step", "publish", "--step", "report")
    assert refused.code == 1 and "the last build did not end green" in refused.err
    assert_readers_see(seasoned, nights.second.version, nights.second.tables)

    # nothing of that night is forgotten once the file is whole again
    file.write_bytes(whole)
    manifest.write_bytes(whole_manifest)
    seasoned.run_well("run")
    assert seasoned.version > nights.second.version
    loaded = sum(rows for _, table, _, rows, _, _ in seasoned.loads() if table == "test_record")
    assert seasoned.published("select record_count from report_run") == [(loaded,)]
    assert seasoned.published("select sum(copy_count) from test_attempt") == [(loaded,)]
    assert len(seasoned.ledger()) == len(seasoned.loads())


# a broken disk looks like a fault of the program
def test_a_file_of_the_lake_that_can_not_be_read_is_named(nights, seasoned):
    seasoned.run_well("run", "--step", "ingest")
    file = newest_records(seasoned)
    file.write_bytes(file.read_bytes()[:-100])
    outcome = seasoned.run("run", "--step", "build")
    assert outcome.code == 1
    assert file.name in outcome.err and "Nothing was published" in outcome.err and "Traceback" not in outcome.err
    assert_readers_see(seasoned, nights.second.version, nights.second.tables)


# a shell that is set up for another dbt project makes the night, or what is said of a failed test, that project's
def test_a_shell_tells_dbt_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("DBT_TARGET", "other")
    monkeypatch.setenv("DBT_PROFILES_DIR", "/elsewhere")
    told = process_environment(Paths(tmp_path))
    assert "DBT_TARGET" not in told
    assert (told["DBT_PROFILES_DIR"], told["PATH"]) == (str(PROJECT), os.environ["PATH"])
