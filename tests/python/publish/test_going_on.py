"""A version that goes on from earlier ones: what it takes from them, and when it takes nothing."""

import errno
import hashlib
import os
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from comparison import assert_published

from publish import current_version, publish
from publish.__main__ import main
from publish.audit import trust
from publish.versions import link
from publish.weeks import Week

WEEKS = 20
NOTES = """
create schema ops;
create table ops.week (model varchar, week_start date, build varchar);
insert into ops.week values ('test_attempt', null, 'first'), ('int_module_progressed', null, 'first');
"""


class Nights:
    """A warehouse of twenty weeks whose builds note what they write, and publications of it."""

    def __init__(self, paths, build, weeks: int = WEEKS) -> None:
        self.paths, self.number, self.lines = paths, 0, []
        build(0, rows=weeks * 1000)
        self.execute(NOTES)

    def execute(self, statements: str) -> None:
        with duckdb.connect(self.paths.warehouse) as warehouse:
            warehouse.execute(statements)

    def write(self, *weeks: int, statement: str = "", noted: bool = True) -> None:
        """A night's build: writes these weeks (from 1), in another order, after doing `statement`."""
        self.number += 1
        labels = ", ".join(f"'2024-W{week:02}'" for week in weeks)
        for table, model in (("test_attempt", "test_attempt"), ("module_status", "int_module_progressed")):
            self.execute(
                f"""
                create temp table written as
                    select * replace ({self.number} as build) from marts.{table} where load_week in ({labels});
                delete from marts.{table} where load_week in ({labels});
                insert into marts.{table} from written order by hash(serial_num);
                """
            )
            for week in weeks if noted else ():
                start = date(2024, 1, 1) + timedelta(7 * week - 7)
                self.execute(
                    f"delete from ops.week where model = '{model}' and week_start = '{start}';"
                    f"insert into ops.week values ('{model}', '{start}', 'night {self.number}')"
                )
        self.execute(statement or "select 1")

    def publish(self, **options):
        self.lines = []
        return publish(self.paths, progress=self.lines.append, **options)

    @property
    def said(self) -> str:
        return "; ".join(self.lines)


@pytest.fixture
def nights(paths, build, monkeypatch) -> Nights:
    """Of twenty weeks; small as its file is, two more pages are no reason to write it anew."""
    monkeypatch.setattr("publish.draft.LARGEST", 10)
    return Nights(paths, build)


def parts(folder: Path) -> dict[str, int]:
    """The inode of each week's Parquet file of both detail tables."""
    return {
        f"{table} {file.parent.name.split('=')[1]}": file.stat().st_ino
        for table in ("test_attempt", "module_status")
        for file in (folder / "parquet" / table).glob("*/data.parquet")
    }


def contents(folder: Path) -> dict[Path, str]:
    return {
        file: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.is_symlink()
    }


# If this fails, a night costs what history holds, or a week that changed is not published.
def test_only_weeks_that_were_written_are_published_again(nights):
    first = nights.publish()
    assert "writing 5 tables whole: there is no version to go on from" in nights.said
    nights.write(3, 7)
    second = nights.publish()
    assert "writing 5 of 41 weeks, 5 tables" in nights.said  # two of each table, and the rows without a week
    assert_published(nights.paths)
    old, new = parts(first.folder), parts(second.folder)
    assert {part for part in new if new[part] == old[part]} == {
        f"{table} 2024-W{week:02}"
        for table in ("test_attempt", "module_status")
        for week in range(1, WEEKS + 1)
        if week not in (3, 7)
    }


# If this fails, a version that somebody works with, or goes back to, changes under him.
def test_versions_that_stay_are_never_changed(nights):
    known = {}
    for week in range(1, 7):
        version = nights.publish()
        assert_published(nights.paths)
        known[version.folder] = contents(version.folder)
        known = {folder: files for folder, files in known.items() if folder.exists()}
        assert len(known) <= 3
        for folder, files in known.items():
            assert contents(folder) == files
        nights.write(week, 8)
    assert len(known) == 3


# If this fails, modules that moved away stay behind in their old week.
def test_an_emptied_week_goes(nights):
    nights.publish()
    nights.write(5, statement="delete from marts.test_attempt where load_week = '2024-W05'")
    version = nights.publish()
    assert "weeks, 5 tables" in nights.said
    assert not (version.folder / "parquet" / "test_attempt" / "load_week=2024-W05").exists()
    assert version.tables["test_attempt"] == 19_000
    assert_published(nights.paths)


# If this fails, what nights brought whose publication failed, or that came after the version somebody went back to, is
# missing from the next one.
def test_what_came_since_the_current_version_is_published_whichever_it_is(nights):
    first = nights.publish()
    nights.write(1)
    nights.write(2)
    nights.publish()
    assert "writing 5 of 41 weeks" in nights.said
    nights.write(3)
    nights.publish()
    link(nights.paths.published / "current", f"versions/{first.id}")
    nights.publish()
    assert "writing 7 of 41 weeks" in nights.said
    assert_published(nights.paths)


def spoil(file: Path, statement: str) -> None:
    """Other rows in a file that looks as before."""
    file.chmod(0o644)
    file.with_name("marts.duckdb.wal").unlink()
    with duckdb.connect(file) as connection:
        connection.execute(statement)
    described = file.with_name("weeks.json")
    described.chmod(0o644)
    described.write_text(re.sub('"bytes": [0-9]+', f'"bytes": {file.stat().st_size}', described.read_text()))


REASONS = {
    "no notes": (lambda n, _: n.execute("drop table ops.week"), "every week was written since"),
    "a new warehouse": (
        lambda n, _: n.execute("update ops.week set build = 'anew'"),
        "every week was written since",
    ),
    "a week that changed without a note": (
        lambda n, _: n.execute("delete from marts.test_attempt where run_number = 1 and load_week = '2024-W02'"),
        "test_attempt 2024-W02 had 1000 rows and has 667, though no build wrote it",
    ),
    "a new column": (
        lambda n, _: n.execute(
            "alter table marts.test_attempt add column x int; alter table marts.module_status add column x int"
        ),
        "every week was written since",
    ),
    "no version": (lambda n, _: shutil.rmtree(n.paths.published), "there is no version to go on from"),
    "a file that was cut": (
        lambda n, folder: (
            (folder / "marts.duckdb").chmod(0o644),
            os.truncate(folder / "marts.duckdb", (folder / "marts.duckdb").stat().st_size - 1),
        ),
        "is damaged, or does not say which weeks it holds",
    ),
    "nothing said of its weeks": (
        lambda n, folder: (folder / "weeks.json").unlink(),
        "is damaged, or does not say which weeks it holds",
    ),
    "no Parquet file": (
        lambda n, folder: (folder / "parquet" / "test_attempt" / "load_week=2024-W04" / "data.parquet").unlink(),
        "going on from an earlier version failed",
    ),
    "a Parquet file of another week": (
        lambda n, folder: (folder / "parquet" / "test_attempt" / "load_week=2024-W04" / "data.parquet").replace(
            folder / "parquet" / "module_status" / "load_week=2024-W04" / "data.parquet"
        ),
        "going on from an earlier version failed",
    ),
    "rows that were deleted": (
        lambda n, folder: spoil(folder / "marts.duckdb", "delete from test_attempt where load_week = '2024-W04'"),
        "going on from an earlier version failed: table test_attempt, week 2024-W04: number of rows is 0",
    ),
    "pages that a disk lost": (
        lambda n, folder: (
            (folder / "marts.duckdb").chmod(0o644),
            os.pwrite(os.open(folder / "marts.duckdb", os.O_WRONLY), b"\xff" * 100_000, 12288 + 5000),
        ),
        "going on from an earlier version failed",
    ),
}


# If this fails, whatever happened to the last version, or to the notes, is in the next one too, or nobody is told.
@pytest.mark.parametrize("name", REASONS)
def test_everything_is_written_when_the_last_version_is_no_good(nights, name):
    harm, reason = REASONS[name]
    folder = nights.publish().folder
    nights.write(1)
    harm(nights, folder)
    nights.publish()
    assert reason in nights.said and "writing 5 tables whole" in nights.said
    assert_published(nights.paths)


# If this fails, a comment or column of a detail table that changed alone is not published.
def test_a_table_described_otherwise_is_written_whole(nights):
    nights.publish()
    nights.write(1, statement="comment on column marts.module_status.attempts is 'Attempts of the module.'")
    nights.publish()
    assert_published(nights.paths)
    with duckdb.connect(nights.paths.published / "marts.duckdb", read_only=True) as reader:
        comment = "select comment from duckdb_columns() where table_name = 'module_status' and column_name = 'attempts'"
        assert reader.execute(comment).fetchall() == [("Attempts of the module.",)]


# If this fails, rows are lost or doubled where a week's label and first day are not one to one.
@pytest.mark.parametrize(
    "unclear",
    [
        "date '2024-01-09' where run_number = 1",
        "date '2024-01-08' where load_week = '2024-W05'",
        "null where run_number = 1",
    ],
    ids=["a week with two first days", "two weeks with one", "rows without one"],
)
def test_a_table_of_unclear_weeks_is_written_whole(nights, unclear):
    value, where = unclear.split(" where ")
    nights.execute(f"update marts.test_attempt set load_week_start = {value} where load_week >= '2024-W02' and {where}")
    old = parts(nights.publish().folder)
    nights.write(1)
    new = parts(nights.publish().folder)
    assert_published(nights.paths)
    assert not [part for part in new if part.startswith("test_attempt") and new[part] == old[part]]
    assert [part for part in new if part.startswith("module_status") and new[part] == old[part]]


# If this fails, small tables that come and go stay as they were in the first version.
def test_a_new_small_table_and_one_that_went(nights):
    nights.publish()
    nights.write(2, statement="create table marts.fresh as select 1 as a; drop table marts.route_step")
    version = nights.publish()
    assert "whole" not in nights.said
    assert set(version.tables) == {"fresh", "module_status", "report_weeks", "station_day", "test_attempt"}
    assert not (version.folder / "parquet" / "route_step.parquet").exists()


# If this fails, a bit that a disk lost in an old week is published for ever.
def test_every_week_is_measured_once_in_thirty_days_whichever_others_are_kept():
    mondays = [date(2024, 1, 1) + timedelta(weeks=number) for number in range(53)]
    weeks = {f"{monday:%G-W%V}": Week(monday, 1000, "first") for monday in mondays}
    labels, measured = sorted(weeks), []
    for day in range(30):
        kept = frozenset(labels[day // 10 : 52 - day % 3])  # the first 50 from the third week on are always kept
        measured.append(kept - trust({"t": kept}, {"t": weeks}, date(2024, 5, 1) + timedelta(day))["t"])
    assert sorted(week for each in measured for week in each if week in labels[2:50]) == labels[2:50]
    assert {len(each) for each in measured} == {1, 2}


# If this fails, that measure finds nothing, or leaves the plant without a publication.
def test_a_value_that_rotted_is_found_on_its_day(nights, monkeypatch):
    folder = nights.publish().folder
    spoil(folder / "marts.duckdb", "update test_attempt set run_number = run_number + 1 where load_week = '2024-W06'")
    nights.write(1)
    monkeypatch.setattr("publish.draft.trust", lambda kept, *_: {k: v - {"2024-W06"} for k, v in kept.items()})
    nights.publish()
    assert "table test_attempt, week 2024-W06, column run_number: sum is" in nights.said
    assert_published(nights.paths)


# If this fails, a fault in what was just written is published, since the week was right in the version before.
def test_weeks_of_a_file_that_is_written_anew_are_measured(nights):
    nights.publish()
    nights.write(*range(1, 8))
    lines = []

    def step(text: str) -> None:
        lines.append(text)
        if text.startswith("checking 15 of 41 weeks"):
            (staged,) = (nights.paths.published / "versions").glob(".*.tmp")
            (staged / "marts.duckdb").chmod(0o644)
            with duckdb.connect(staged / "marts.duckdb") as connection:
                connection.execute("update test_attempt set run_number = run_number + 1 where load_week >= '2024-W15'")

    publish(nights.paths, progress=step)
    failed = "going on from an earlier version failed: table test_attempt, week 2024-W15, column run_number: sum is"
    assert any(line.startswith(failed) for line in lines), lines
    assert_published(nights.paths)


# If this fails, there is no way to have everything written and checked.
def test_whole_publication_on_demand(nights):
    folder = nights.publish().folder
    done = CliRunner(env={"FIRSTPASS_DATA": str(nights.paths.data)}).invoke(main, ["--whole"])
    assert done.exit_code == 0 and "writing 5 tables whole: asked for" in done.output
    assert not set(parts(folder).values()) & set(parts(current_version(nights.paths.published)).values())


# If this fails, a share without hard links gets no second publication.
def test_without_hard_links_files_are_copied(nights, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "copy_file_range", refuse)
    first = nights.publish()
    nights.write(1)
    second = nights.publish()
    assert "failed" not in nights.said and "whole" not in nights.said
    assert not set(parts(first.folder).values()) & set(parts(second.folder).values())
    assert {oct(file.stat().st_mode & 0o777) for file in contents(second.folder)} == {"0o444"}
    assert_published(nights.paths)


# If this fails, the disk fills up although history does not grow: what weeks leave behind is not used again.
def test_ten_nights_do_not_bloat_the_file(paths, build):
    nights = Nights(paths, build, weeks=40)
    nights.execute("insert into marts.test_attempt select a.* from marts.test_attempt as a, range(9)")
    nights.publish()
    sizes = []
    for night in range(10):
        nights.write(*range(38, 41), 1 + night)
        sizes.append((nights.publish().folder / "marts.duckdb").stat().st_size)
        assert "whole" not in nights.said and "failed" not in nights.said
    fresh = (nights.publish(whole=True).folder / "marts.duckdb").stat().st_size
    assert max(sizes) <= 1.2 * fresh
