"""A plant that keeps little, its nights, and what becomes of it when its data directory is lost."""

import shutil
import subprocess
from pathlib import Path

import pytest
from comparison import differences
from nightly_plant import DEMO, NightlyPlant, query

from pipeline.paths import PROJECT

DETAIL = ("test_attempt", "module_status")


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
    untouched.run_well("run")

    restored = NightlyPlant(tmp_path / "restored", saved / "plant")
    restored.run_well("restore", str(saved))
    assert not differences(restored.tables(), thrifty.tables())
    assert restored.loads() == thrifty.loads()
    restored.run_well("run")
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
    plant.run_well("run")
    weeks = {week for (week,) in plant.published("select distinct load_week from summary_prod")}
    assert weeks == {"2024-W03", "2024-W04"}


def _copied_makefile(folder: Path) -> Path:
    """`clean` sweeps the folder it is called in, too."""
    shutil.copy(PROJECT / "Makefile", folder)
    return folder
