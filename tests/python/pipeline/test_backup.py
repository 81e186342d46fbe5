"""A plant that keeps little, its nights, and what becomes of it when its data directory is lost."""

import errno
import os
import shutil
import stat
import subprocess
from pathlib import Path

import duckdb
import pytest
from comparison import differences
from nightly_plant import DEMO, NightlyPlant, query

from pipeline.backup import BackupError, back_up, count, restore
from pipeline.paths import PROJECT, Paths
from pipeline.plant import Plant, load_plant

DETAIL = ("test_attempt", "module_status")
NIGHT = ("run", "--step", "ingest", "--step", "build", "--step", "publish")
"""Without reports, which take as long as the rest of a small plant's night."""


@pytest.fixture(scope="module")
def thrifty(tmp_path_factory) -> NightlyPlant:
    """The demo plant with one week of detail and raw, after three weeks and a night: the first week is dropped."""
    folder = tmp_path_factory.mktemp("thrifty")
    shutil.copytree(DEMO, folder / "plant")
    with (folder / "plant" / "plant.yml").open("a") as file:
        file.write("retention: {detail: 1 week, raw: {test_record: 1 week}}\n")
    plant = NightlyPlant(folder / "data", folder / "plant")
    first = plant.run_well("run")
    (folder / "first.txt").write_text(first.out)
    second = plant.run_well("run")
    (folder / "second.txt").write_text(second.out)
    return plant


def said(plant: NightlyPlant, night: str) -> list[str]:
    return (plant.data.parent / f"{night}.txt").read_text().splitlines()


# nobody knows why records are gone
def test_a_night_says_last_what_it_closed_and_dropped(thrifty):
    assert said(thrifty, "first")[-1].endswith(
        "weeks before 2024-01-08 closed: their marts stay, their attempts and modules go with the next build"
    )
    assert "records of test_record before 2024-01-08 07:00 dropped" in said(thrifty, "second")[-1]
    assert "weeks before 2024-01-15 closed" in said(thrifty, "second")[-1]
    due = thrifty.run_well("retention")
    assert due.out.splitlines() == ["records of test_record before 2024-01-15 07:00"]


def test_published_detail_shrinks_and_marts_stay(thrifty):
    published = (thrifty.data / "published" / "current").resolve()
    for table in DETAIL:
        weeks = {folder.name for folder in (published / "parquet" / table).iterdir()}
        assert weeks == {"load_week=2024-W02", "load_week=2024-W03", "load_week=2024-W04"}
    weeks = {week for (week,) in thrifty.published("select distinct load_week from summary_prod")}
    assert weeks == {"2024-W01", "2024-W02", "2024-W03", "2024-W04"}


# the disk is lost, and the plant goes on without its history or not at all
def test_restored_from_its_backup_the_next_night_is_as_without_the_accident(thrifty, tmp_path):
    saved = tmp_path / "saved"
    line = thrifty.run_well("backup", str(saved)).last_line
    assert line.startswith("backup") and line.endswith(str(saved)) and (saved / "plant" / "plant.yml").is_file()
    assert (
        thrifty.run("backup", str(saved)).err.strip().endswith("is there already: name a folder that a backup can make")
    )

    shutil.copytree(thrifty.data, tmp_path / "untouched", symlinks=True)
    untouched = NightlyPlant(tmp_path / "untouched", thrifty.folder)
    untouched.run_well(*NIGHT)

    restored = NightlyPlant(tmp_path / "restored", saved / "plant")
    restored.run_well("restore", str(saved))
    assert not differences(restored.tables(), thrifty.tables())
    assert restored.loads() == thrifty.loads()
    restored.run_well(*NIGHT)
    assert restored.loads() == untouched.loads()
    assert not differences(restored.tables(), untouched.tables())
    restored.run_well("verify")

    refused = restored.run("restore", str(saved))
    assert refused.code == 1 and "restore into an empty directory" in refused.err


def test_a_damaged_backup_is_not_restored(thrifty, tmp_path):
    saved, empty = tmp_path / "saved", NightlyPlant(tmp_path / "empty", thrifty.folder)
    assert "is no backup" in empty.run("restore", str(tmp_path)).err
    assert "holds no records" in empty.run("backup", str(saved)).err
    thrifty.run_well("backup", str(saved))
    next((saved / "data" / "lake" / "raw" / "test_record").glob("2*.parquet")).unlink()
    refused = empty.run("restore", str(saved))
    assert refused.code == 1 and "is damaged: raw.test_record has" in refused.err
    assert not (empty.data / "lake").exists()


@pytest.fixture
def small(tmp_path) -> tuple[Plant, Paths]:
    """A plant with a row in the lake, one in the warehouse and two that Spark built, one before a column came."""
    paths = Paths(tmp_path / "data")
    table = paths.spark / "tables" / "marts.db" / "summary"
    files = {
        paths.raw / "rework" / "a.parquet": "1 as a",
        table / "load_week_start=2024-01-01" / "a.parquet": "1 as a",
        table / "load_week_start=2024-01-08" / "a.parquet": "1 as a, 2 as b",
    }
    for file, values in files.items():
        file.parent.mkdir(parents=True)
        duckdb.sql(f"select {values}").write_parquet(str(file))
    with duckdb.connect(paths.warehouse) as warehouse:
        warehouse.execute("create table summary as select 1 as a")
    return load_plant(shutil.copytree(DEMO, tmp_path / "plant")), paths


# a backup passes for one of Spark's tables that has not all of them
def test_what_spark_built_is_counted(small, tmp_path):
    plant, paths = small
    expected = {"raw.rework": 1, "spark.marts.summary": 2, "warehouse.main.summary": 1}
    assert back_up(plant, paths, tmp_path / "saved") == expected
    next((tmp_path / "saved" / "data" / "spark").rglob("*.parquet")).unlink()
    with pytest.raises(BackupError, match="is damaged: spark.marts.summary has 1 rows, not 2"):
        restore(Paths(tmp_path / "empty"), tmp_path / "saved")


# the records lie on one disk only, where a link in the backup leads to
@pytest.mark.parametrize("target", ["absolute", "relative"])
def test_a_backup_with_links_to_elsewhere_is_refused(small, tmp_path, target):
    plant, paths = small
    elsewhere = tmp_path / "disk"
    (paths.data / "lake").rename(elsewhere)
    (paths.data / "lake").symlink_to(elsewhere if target == "absolute" else "../disk")
    with pytest.raises(BackupError, match="/data/lake is a link to .*disk, which the backup would not hold: put "):
        back_up(plant, paths, tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


# a backup that copies itself fills the disk
def test_a_backup_into_the_data_directory_does_not_hold_itself(small, tmp_path):
    plant, paths = small
    (paths.data / "backups").mkdir()
    (tmp_path / "link").symlink_to(paths.data)
    rows = back_up(plant, Paths(tmp_path / "link"), paths.data / "backups" / "saved")
    copied = paths.data / "backups" / "saved" / "data"
    assert count(copied) == rows and not list((copied / "backups").iterdir())


# no backup on a share that can't flush folders; or one that is not on the disk though it said so
def test_a_share_that_flushes_only_files_can_hold_a_backup(small, tmp_path, monkeypatch):
    plant, paths = small
    flushed = []

    def only_files(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        flushed.append(handle)

    monkeypatch.setattr(os, "fsync", only_files)
    back_up(plant, paths, tmp_path / "saved")
    assert len(flushed) == sum(file.is_file() for file in (tmp_path / "saved").rglob("*"))


# whoever restores gets a page of Python, and does not know which file to look at
@pytest.mark.parametrize("name", ["lake/raw/rework/a.parquet", "warehouse.duckdb"])
def test_a_damaged_file_is_named(small, tmp_path, name):
    plant, paths = small
    back_up(plant, paths, tmp_path / "saved")
    os.truncate(tmp_path / "saved" / "data" / name, 100)
    with pytest.raises(BackupError, match=f"can't be read: .*{name}"):
        restore(Paths(tmp_path / "empty"), tmp_path / "saved")
    assert not (tmp_path / "empty" / "lake").exists()
    os.truncate(paths.data / name, 100)
    with pytest.raises(BackupError, match="can't be read"):
        back_up(plant, paths, tmp_path / "again")


# what closed weeks held is in no record any more
def test_without_a_warehouse_the_night_says_what_to_do_and_clean_leaves_it_alone(thrifty, tmp_path):
    shutil.copytree(thrifty.data, tmp_path / "data", symlinks=True)
    plant = NightlyPlant(tmp_path / "data", thrifty.folder)
    subprocess.run(["make", "clean"], cwd=_copied_makefile(tmp_path), env=plant.environment, check=True)
    assert query(plant.data / "warehouse.duckdb", "select count(*) from ops.closed") == [(1,)]
    (plant.data / "warehouse.duckdb").unlink()
    refused = plant.run("run")
    assert refused.code == 1
    assert "are closed, and this warehouse does not hold them. Restore the last backup" in refused.err
    assert plant.version == thrifty.version
    plant.run_well("begin-anew")
    plant.run_well(*NIGHT)
    weeks = {week for (week,) in plant.published("select distinct load_week from summary_prod")}
    assert weeks == {"2024-W03", "2024-W04"}


def _copied_makefile(folder: Path) -> Path:
    """`clean` sweeps the folder it is called in, too."""
    shutil.copy(PROJECT / "Makefile", folder)
    return folder
