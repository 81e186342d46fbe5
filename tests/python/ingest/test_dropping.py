"""Old records leave the lake, whatever files they are in, and nothing else does."""

from datetime import date, datetime

import pytest
from plant_site import line

from ingest import retention
from ingest.compaction import compact
from ingest.lake import Lake
from ingest.rejects import Selection
from ingest.replay import replay
from pipeline.plant import PlantError, load_plant

MARCH = datetime(2024, 3, 1, 7)


@pytest.fixture
def months(site):
    """A file of each month, one with a record of January among eight of April, and one that is all of January."""
    for month in (1, 2, 3, 4):
        site.put_rows(
            f"{month}.csv",
            *(line(serial_num=f"M{month}{i}", test_timestamp=f"2024-0{month}-05 08:0{i}:00") for i in range(4)),
        )
    late = line(serial_num="LATE", test_timestamp="2024-01-09 08:00:00")
    mixed = [line(serial_num=f"X{i}", test_timestamp=f"2024-04-06 08:0{i}:00") for i in range(8)]
    site.put_rows("5.csv", late, *mixed)
    site.load()
    return site


def serials(site) -> set[str]:
    return {row["serial_num"] for row in site.rows()}


def drop(site, before: datetime = MARCH, counted=()) -> int:
    return retention.drop(site.paths.raw, "test_record", before, list(counted)).row_count


def test_old_records_go_and_their_loads_stay_known(months):
    assert drop(months) == 8
    # the file that is mostly new is left whole
    assert not {name for name in serials(months) if name[:2] in ("M1", "M2")} and "LATE" in serials(months)
    assert retention.dropped_before(months.paths.raw, "test_record") == MARCH
    assert retention.dropped_before(months.paths.raw, "sensor_reading") is None
    (months.folder / "inbox" / "1.csv").touch()
    assert months.load() == []
    assert drop(months) == 0


def test_a_compacted_file_is_written_again_without_its_old_records(months):
    opened = Lake(months.paths, load_plant(months.folder))
    (made,) = [file for file in compact(opened, most_files=2) if file.parent.name == "test_record"]
    assert drop(months) == 9
    assert serials(months) == {f"M{month}{i}" for month in (3, 4) for i in range(4)} | {f"X{i}" for i in range(8)}
    assert made.exists()
    # the wall time of the plant counts, not UTC: eight hours lie between them
    assert drop(months, datetime(2024, 4, 5, 8, 1)) == 5


# a record that no mart has is lost for good
def test_what_came_after_its_week_was_closed_stays(months):
    loads = [load.load_id for load in Lake(months.paths, load_plant(months.folder)).loads if load.row_count == 4]
    counted = [(datetime(2024, 2, 1, 7), loads[0]), (MARCH, loads[1])]
    months.put_rows("6.csv", *(line(serial_num=f"L{i}", test_timestamp=f"2024-02-07 08:0{i}:00") for i in range(3)))
    months.load()
    assert drop(months, counted=counted) == 8
    assert {"L0", "L1", "L2", "LATE"} <= serials(months)
    assert drop(months, datetime(2024, 1, 1), counted) == 0


# Rejects outlive the records of their load; what they become is late, and no mart has it.
def test_what_a_replay_brings_for_a_closed_week_stays(months):
    months.put_rows("6.csv", line(serial_num="R", test_timestamp="2024-01-05 08:00:00", test_result="GREAT"))
    months.load()
    counted = [(MARCH, Lake(months.paths, load_plant(months.folder)).loads[-1].load_id)]
    assert drop(months, counted=counted) == 8
    months.folder.joinpath("value_spellings.csv").write_text("column_name,spelling,value\ntest_result,GREAT,pass\n")
    assert [done.loaded for done in replay(load_plant(months.folder), months.paths, Selection())[1]] == [1]
    assert drop(months, counted=counted) == 0 and "R" in serials(months)
    assert months.load() == []


@pytest.mark.parametrize("stops_at", ["rename", "_note"])
def test_killed_in_between_it_is_done_by_the_next(months, monkeypatch, stops_at):
    Lake(months.paths, load_plant(months.folder))
    compact(Lake(months.paths, load_plant(months.folder)), most_files=2)
    before, calls = months.rows(), []
    with monkeypatch.context() as patch:
        real = getattr(retention, stops_at)

        def stop(*arguments):
            calls.append(arguments)
            if stops_at == "rename" or len(calls) == 2:
                raise KeyboardInterrupt
            return real(*arguments)

        patch.setattr(retention, stops_at, stop)
        with pytest.raises(KeyboardInterrupt):
            drop(months)
    assert retention.dropped_before(months.paths.raw, "test_record") is None
    assert months.rows() == (
        before if stops_at == "rename" else [r for r in before if r["test_timestamp_local"] > MARCH]
    )
    months.load()  # opens the lake, which removes what was half written
    assert not list((months.paths.raw / "test_record").glob("*.part"))
    drop(months)
    assert months.rows() == [row for row in before if row["test_timestamp_local"] > MARCH]
    assert retention.dropped_before(months.paths.raw, "test_record") == MARCH


def test_closings_are_kept_in_their_order(site):
    Lake(site.paths, load_plant(site.folder))
    for day in (8, 1):
        retention.close(site.paths.raw, date(2024, 1, day), f"load {day}")
    found = [(closing.closed_before, closing.last_load_id) for closing in retention.closings(site.paths.raw)]
    assert found == [(date(2024, 1, 1), "load 1"), (date(2024, 1, 8), "load 8")]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            "{raw: {rework: 9 weeks}}",
            "retention.raw.rework: no table whose records can go; expected one of test_record,",
        ),
        (
            "{raw: {test_record: 9 weeks}}",
            "retention.detail: missing; test_record is needed while its weeks can change",
        ),
        (
            "{detail: 9 weeks, raw: {test_record: 8 weeks}}",
            "retention.raw.test_record: 8 weeks: expected at least those of detail, 9 weeks",
        ),
    ],
)
def test_a_retention_that_would_lose_something_is_refused(site, section, message):
    with (site.folder / "plant.yml").open("a") as file:
        file.write(f"retention: {section}\n")
    with pytest.raises(PlantError, match=message):
        site.load()
