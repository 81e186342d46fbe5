"""All or nothing, and nothing twice: what repeats, kills and compaction leave in the lake."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plant_site import GOOD, HEADER, Site, line

from ingest import compaction, lake, load_all
from ingest.contract import CONTRACTS
from ingest.lake import SCHEMAS, read_manifest
from ingest.loader import without_credentials
from pipeline.paths import PROJECT, Paths
from pipeline.plant import PlantError, load_plant


def snapshot(site) -> dict:
    return {path: path.stat().st_mtime_ns for path in site.paths.raw.rglob("*.parquet")}


# A nightly job that runs twice must not count a test twice.
def test_loading_again_changes_nothing(site):
    site.put_rows("a.csv", GOOD, "ragged")
    site.load()
    before = snapshot(site)
    assert site.load() == []
    assert snapshot(site) == before


def test_unchanged_size_and_time_skip_hashing(site, monkeypatch):
    site.put_rows("a.csv", GOOD)
    site.load()
    monkeypatch.setattr("ingest.sources.content.Content.digest", _power_cut)
    assert site.load() == []


def test_touched_file_is_not_loaded_again(site):
    file = site.put_rows("a.csv", GOOD)
    site.load()
    os.utime(file, (1, 1))
    assert site.load() == []


def test_changed_file_is_a_new_load(site):
    site.put_rows("a.csv", GOOD)
    first = site.load_one()
    site.put_rows("a.csv", GOOD, line(serial_num="B"))
    second = site.load_one()
    assert first.load_id < second.load_id and first.sha256 != second.sha256
    assert [row["serial_num"] for row in site.rows()] == ["A1", "A1", "B"]


def test_same_content_under_another_name_or_source_is_a_new_load(site):
    site.put_rows("a.csv", GOOD)
    site.load()
    site.put_rows("b.csv", GOOD)
    assert site.load_one().object == "inbox/b.csv"
    site.describe(name="others")
    assert len(site.load()) == 2


# The clock may be set back, but the newest reference data must stay the newest.
def test_load_ids_rise_even_if_the_clock_does_not(site, monkeypatch):
    site.put_rows("a.csv", GOOD)
    first = site.load_one()

    class Yesterday(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.now(zone) - timedelta(days=1)

    monkeypatch.setattr(lake, "datetime", Yesterday)
    site.put_rows("b.csv", GOOD)
    second = site.load_one()
    assert second.load_id > first.load_id and second.started_at < first.started_at


# dbt reads every table of the lake on the first day.
def test_every_table_can_be_read_from_the_first_day(site):
    site.load()
    with duckdb.connect() as connection:
        for table, schema in SCHEMAS.items():
            found = connection.execute(f"from read_parquet('{site.paths.raw}/{table}/*.parquet', union_by_name = true)")
            assert [column[0] for column in found.description] == schema.names
            assert len(found.fetchall()) == (0 if table not in ("load", "ref_plant") else 1)


def test_schema_file_follows_the_contract(site, monkeypatch):
    site.load()
    wider = CONTRACTS["rework"].schema.append(pa.field("new", pa.string()))
    monkeypatch.setitem(SCHEMAS, "rework", wider)
    site.load()
    assert pq.read_schema(site.paths.raw / "rework/schema.parquet").equals(wider)


@pytest.mark.parametrize("change", ["name: other", "timezone: Europe/Berlin"])
def test_another_plants_records_are_refused(site, change):
    site.put_rows("a.csv", GOOD)
    site.load()
    old = {"name": "name: p1", "timezone": "timezone: Asia/Singapore"}[change.split(":")[0]]
    file = site.folder / "plant.yml"
    file.write_text(file.read_text().replace(old, change))
    with pytest.raises(PlantError, match="FIRSTPASS_DATA=<directory> make run"):
        site.load()


def test_credentials_of_urls_are_masked():
    text = "can't reach postgresql://me:s3cret@host/db nor s3://key@bucket, but http://host/a@b"
    assert without_credentials(text) == "can't reach postgresql://***@host/db nor s3://***@bucket, but http://host/a@b"


KILLED = """
import os, signal, sys
from pathlib import Path
from ingest import load_all, lake
from pipeline.paths import Paths
from pipeline.plant import load_plant

steps, replace = int(sys.argv[3]), os.replace
def counted(part, target):
    global steps
    if steps == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    steps -= 1
    replace(part, target)
lake.os.replace = counted
load_all(load_plant(sys.argv[1]), Paths(Path(sys.argv[2])))
"""


# Killed before any of the renames of records, rejects, manifest: nothing of it counts, and the next run loads it.
@pytest.mark.parametrize("renames", [0, 1, 2])
def test_kill_between_renames_leaves_no_half_load(site, renames):
    site.put_rows("a.csv", GOOD)
    site.load()
    site.put_rows("b.csv", GOOD, "ragged")
    arguments = [sys.executable, "-c", KILLED, str(site.folder), str(site.paths.data), str(renames)]
    assert subprocess.run(arguments, cwd=PROJECT, check=False).returncode == -signal.SIGKILL
    objects = [load.object for load in read_manifest(site.paths.raw)]
    assert objects == ["plant.yml", "inbox/a.csv", "calendar_day", "calendar_shift"]
    assert len(site.rows()) == 1 and site.rejects() == []
    load = site.load_one()
    assert (load.object, load.row_count, load.reject_count) == ("inbox/b.csv", 1, 1)
    assert len(site.rows()) == 2 and len(site.rejects()) == 1
    check_no_leftovers(site)


def check_no_leftovers(site) -> None:
    committed = {load.load_id for load in read_manifest(site.paths.raw)} | {"schema"}
    assert [file for file in site.paths.raw.rglob("*") if file.is_file() and file.stem not in committed] == []


# Killed while it writes a large file, as by a power cut.
@pytest.mark.parametrize("attempt", range(3))
def test_kill_in_the_middle_of_a_load_leaves_no_half_load(site, attempt):
    site.load()
    site.put_rows("a.csv", *[line(serial_num=f"S{i:07}") for i in range(400_000)])
    environment = os.environ | {"FIRSTPASS_DATA": str(site.paths.data)}
    command = [sys.executable, "-m", "ingest", "--plant", str(site.folder)]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
    while not list(site.paths.raw.glob("test_record/2*.part")):
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(attempt * 0.1)
    process.kill()
    process.wait()
    assert site.count() in (0, 400_000)
    site.load()
    assert site.count() == 400_000
    check_no_leftovers(site)


# A copy of a failed file whose load was never committed says nothing that is true.
def test_leftover_of_a_killed_failure_is_removed(site, monkeypatch):
    site.put("a.csv", "")
    with monkeypatch.context() as patch:
        patch.setattr(lake.Lake, "commit", _power_cut)
        with pytest.raises(KeyboardInterrupt):
            site.load()
        patch.undo()
    site.put("a.csv", "")
    load = site.load_one()
    assert sorted(file.name for file in site.paths.failed.iterdir()) == [
        f"{load.load_id}-a.csv",
        f"{load.load_id}-a.csv.reason.txt",
    ]


def _power_cut(self, load=None):
    if load and load.source == "reference":
        return load
    raise KeyboardInterrupt


def many_loads(site, count: int) -> None:
    for number in range(count):
        site.put_rows(f"{number:03}.csv", line(serial_num=f"S{number}"), "ragged")
    site.load()


def content(site) -> dict:
    return {table: sorted(map(str, site.rows(table))) for table in ("test_record", "reject", "load")}


# After many nights reading must stay fast, and nothing but the number of files may change.
def test_compaction_keeps_every_row(site):
    many_loads(site, 6)
    before = content(site)
    opened = lake.Lake(site.paths, load_plant(site.folder))
    made = compaction.compact(opened, most_files=5)
    assert [path.parent.name for path in made] == ["test_record", "load", "reject"]
    assert content(site) == before
    assert len(list((site.paths.raw / "test_record").iterdir())) == 2
    assert compaction.compact(opened, most_files=5) == []
    assert site.load() == [] and content(site) == before
    many_loads(site, 12)
    compaction.compact(lake.Lake(site.paths, load_plant(site.folder)), most_files=5)
    assert len(site.rows()) == 12 and len(list((site.paths.raw / "test_record").iterdir())) == 2


def test_compaction_runs_by_itself(site, monkeypatch):
    monkeypatch.setattr(compaction.compact, "__kwdefaults__", {"most_files": 5})
    many_loads(site, 6)
    assert len(list((site.paths.raw / "test_record").iterdir())) == 2
    assert len(site.rows()) == 6


def test_months_are_compacted_apart_and_large_files_left_alone(site, monkeypatch):
    many_loads(site, 4)
    folder = site.paths.raw / "test_record"
    files = sorted(folder.glob("2*.parquet"))
    moved = [f"20230105T000000000000-00000{n}" for n in range(2)]
    for file, name in zip(files, moved, strict=False):
        table = pq.read_table(file)
        position = table.column_names.index("_load_id")
        pq.write_table(
            table.set_column(position, "_load_id", pa.array([name] * len(table))), folder / f"{name}.parquet"
        )
        file.unlink()
        manifest = next(x for x in (site.paths.raw / "load").glob(f"{file.stem}.parquet"))
        load = pq.read_table(manifest).to_pylist()[0] | {"load_id": name}
        pq.write_table(pa.Table.from_pylist([load], schema=lake.MANIFEST_SCHEMA), manifest.with_name(f"{name}.parquet"))
        manifest.unlink()
    opened = lake.Lake(site.paths, load_plant(site.folder))
    months = [path.name[:16] for path in compaction.compact(opened, most_files=3) if path.parent == folder]
    assert months == ["compacted-202301", f"compacted-{datetime.now(UTC):%Y%m}"]
    assert len(site.rows()) == 4
    monkeypatch.setattr(compaction, "SMALL_BYTES", 1)
    assert compaction.compact(opened, most_files=0) == []


# Killed between the new file and the removal of the old ones, rows must not count twice.
def test_kill_during_compaction_is_finished_by_the_next_run(site, monkeypatch):
    many_loads(site, 6)
    before = content(site)
    with monkeypatch.context() as patch:
        patch.setattr(compaction, "_remove_replaced", _stop)
        with pytest.raises(KeyboardInterrupt):
            compaction.compact(lake.Lake(site.paths, load_plant(site.folder)), most_files=5)
    assert len(site.rows()) == 12
    assert site.load() == []
    assert content(site) == before


def _stop(folder):
    raise KeyboardInterrupt


def test_compaction_fills_columns_that_old_files_lack(site):
    many_loads(site, 6)
    folder = site.paths.raw / "test_record"
    old = next(folder.glob("2*.parquet"))
    pq.write_table(pq.read_table(old).drop_columns(["revision"]), old)
    compaction.compact(lake.Lake(site.paths, load_plant(site.folder)), most_files=5)
    assert [row["revision"] for row in site.rows()] == [None] * 6


def test_compaction_writes_groups_of_bounded_size(site, monkeypatch):
    monkeypatch.setattr(compaction, "GROUP_ROWS", 2)
    many_loads(site, 6)
    compaction.compact(lake.Lake(site.paths, load_plant(site.folder)), most_files=5)
    (file,) = (site.paths.raw / "test_record").glob("compacted-*.parquet")
    assert pq.read_metadata(file).num_row_groups == 3


records = st.lists(
    st.tuples(st.text("AB", min_size=1, max_size=2), st.integers(0, 59), st.sampled_from(["PASS", "fail", "?"])),
    min_size=1,
    max_size=12,
)


# However records are split into files and ordered, the lake holds the same ones with the same hashes.
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=records, data=st.data())
def test_any_split_and_order_gives_the_same_records(tmp_path_factory, records, data):
    rows = [line(serial_num=s, test_timestamp=f"2024-01-01 08:{m:02}:00", test_result=r) for s, m, r in records]
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    columns = data.draw(st.permutations(range(len(HEADER.split(",")))))
    found = []
    for parts, order in (([rows], range(len(columns))), ([shuffled[:cut], shuffled[cut:]], columns)):
        folder = tmp_path_factory.mktemp("plant")
        site = Site(folder, Paths(folder / "data")).describe()
        for number, part in enumerate(parts):
            texts = [",".join(row.split(",")[at] for at in order) for row in [HEADER, *part]]
            site.put_rows(f"{number}.csv", *texts[1:], header=texts[0])
        site.load()
        stored = [{k: v for k, v in row.items() if k not in ("_load_id", "_row")} for row in site.rows()]
        found.append((sorted(map(str, stored)), sorted(sorted(record.items()) for _, record, _ in site.rejects())))
    assert found[0] == found[1]


def test_manifest_holds_what_load_all_returns(site):
    site.put_rows("a.csv", GOOD, "ragged")
    loads = load_all(load_plant(site.folder), site.paths)
    assert [asdict(load) for load in loads] == site.rows("load")
    assert [asdict(load) for load in read_manifest(site.paths.raw)] == site.rows("load")
