"""What becomes of times: offsets, clock changes, formats. The marts' days and shifts hang on it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_site import line, record

from ingest import zones

ZONES = ["Asia/Singapore", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


moments = st.datetimes(datetime(1900, 1, 4), datetime(2199, 12, 29))


# zoneinfo is the judge, for any time, in any of the zones, clock changes or not.
@settings(max_examples=300, deadline=None)
@given(st.lists(moments, max_size=30), st.sampled_from(ZONES), st.sampled_from(["first", "second"]))
def test_columns_are_converted_as_zoneinfo_converts_values(locals_, zone, repeated):
    check_against_zoneinfo(locals_, zone, repeated)


def check_against_zoneinfo(locals_: list[datetime], zone: str, repeated: str) -> None:
    column = np.array([microseconds(moment) for moment in locals_], np.int64)
    utc, flags = zones.local_to_utc(column, zone, repeated=repeated)
    walls = zones.utc_to_local(utc, zone)
    for moment, instant, flag, wall in zip(locals_, utc, flags, walls, strict=True):
        first, second = (moment.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1))
        expected_flag = 1 if first > second else 2 if first < second else 0
        expected = moment - (second if repeated == "second" and expected_flag == 1 else first)
        assert (instant, flag) == (microseconds(expected), expected_flag)
        expected_wall = expected.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert wall == microseconds(expected_wall)


# The hours around clock changes, to the second before and after: Lord Howe's are half an hour.
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [1970, 2024])
@pytest.mark.parametrize("repeated", ["first", "second"])
def test_quarter_hours_of_a_year(zone, year, repeated):
    start = datetime(year, 1, 1)
    quarters = [start + n * timedelta(minutes=15) for n in range(0, 366 * 96, 1 if year == 2024 else 7)]
    check_against_zoneinfo(quarters, zone, repeated)


FORWARD = [  # zone, received, UTC, wall time, flag
    ("America/New_York", "2024-03-10 01:59:59", "2024-03-10 06:59:59", "2024-03-10 01:59:59", None),
    ("America/New_York", "2024-03-10 02:30:00", "2024-03-10 07:30:00", "2024-03-10 03:30:00", "missing_hour"),
    ("America/New_York", "2024-03-10 03:00:00", "2024-03-10 07:00:00", "2024-03-10 03:00:00", None),
    ("Europe/Berlin", "2024-03-31 02:00:00", "2024-03-31 01:00:00", "2024-03-31 03:00:00", "missing_hour"),
    ("Europe/Berlin", "2024-03-31 03:00:00", "2024-03-31 01:00:00", "2024-03-31 03:00:00", None),
    ("Australia/Lord_Howe", "2024-10-06 02:15:00", "2024-10-05 15:45:00", "2024-10-06 02:45:00", "missing_hour"),
    ("Australia/Lord_Howe", "2024-10-06 02:30:00", "2024-10-05 15:30:00", "2024-10-06 02:30:00", None),
    ("Asia/Singapore", "2024-03-10 02:30:00", "2024-03-09 18:30:00", "2024-03-10 02:30:00", None),
]
BACK = [  # zone, received, UTC of the first, UTC of the second
    ("America/New_York", "2024-11-03 01:30:00", "2024-11-03 05:30:00", "2024-11-03 06:30:00"),
    ("Europe/Berlin", "2024-10-27 02:59:59", "2024-10-27 00:59:59", "2024-10-27 01:59:59"),
    ("Australia/Lord_Howe", "2024-04-07 01:45:00", "2024-04-06 14:45:00", "2024-04-06 15:15:00"),
]


# A record of the hour that never was is kept, moved forward and flagged.
@pytest.mark.parametrize("case", FORWARD)
def test_clock_goes_forward(site, case):
    zone, received, utc, wall, flag = case
    site.timezone = zone
    site.describe().put_rows("a.csv", line(test_timestamp=received))
    site.load()
    (row,) = site.rows()
    assert (str(row["test_timestamp"]), str(row["test_timestamp_local"])) == (utc, wall)
    assert row["_flags"] == (f"test_timestamp:{flag}" if flag else None)


# Of the hour that comes twice, the first is meant unless the plant says otherwise; wall time stays as it was.
@pytest.mark.parametrize("case", BACK)
@pytest.mark.parametrize("repeated", ["first", "second"])
def test_clock_goes_back(site, case, repeated):
    zone, received, first, second = case
    site.timezone = zone
    site.describe(repeated_hour=repeated).put_rows("a.csv", line(test_timestamp=received))
    site.load()
    (row,) = site.rows()
    assert str(row["test_timestamp"]) == (first if repeated == "first" else second)
    assert (str(row["test_timestamp_local"]), row["_flags"]) == (received, "test_timestamp:repeated_hour")


# An offset says which of the two is meant: nothing to flag.
def test_offset_settles_the_repeated_hour(site):
    site.timezone = "Europe/Berlin"
    site.describe().put_rows("a.csv", line(test_timestamp="2024-10-27T02:30:00+01:00"))
    site.load()
    row = site.rows()[0]
    assert (str(row["test_timestamp"]), row["_flags"]) == ("2024-10-27 01:30:00", None)


# try_cast of DuckDB drops +08:00: every record eight hours off.
@pytest.mark.parametrize(
    "received, utc",
    [
        ("2024-01-01T08:00:00+08:00", "2024-01-01 00:00:00"),
        ("2024-01-01 08:00:00.25-0330", "2024-01-01 11:30:00.250000"),
        ("2024-01-01T08:00+08", "2024-01-01 00:00:00"),
        ("2024-01-01T08:00Z", "2024-01-01 08:00:00"),
        ("2024-01-01T08:00:00z", "2024-01-01 08:00:00"),
        ("2024-01-01T08:00:00", "2023-12-31 23:00:00"),
        ("2024-01-01 08:00", "2023-12-31 23:00:00"),
        ("2024-01-01 08:00:00.1234567", "2023-12-31 23:00:00.123456"),
    ],
)
def test_iso_times_are_read(site, received, utc):
    site.describe(timezone="Asia/Tokyo").put_rows("a.csv", line(test_timestamp=received))
    site.load()
    row = site.rows()[0]
    assert str(row["test_timestamp"]) == utc
    assert row["test_timestamp_local"] == row["test_timestamp"] + timedelta(hours=8)


# 01/02/24 is the year 1 to DuckDB, January to an American, February to a German: nobody guesses.
@pytest.mark.parametrize(
    "received",
    ["01/02/24", "01/02/2024 08:00:00", "2024-01-01", "20240101T080000", "1704067200", "2024-02-30 08:00:00"]
    + ["2024-01-01 24:00:00", "2024-01-01 08:60:00", "2024-01-01T08:00:00+25:00", "2024-01-01 08:00:00 PM", "now"]
    + ["2024-01-01 08", "0001-02-24 00:00:00", "2300-01-01 00:00:00", "2024-01-01T08:00:00,5", "infinity"],
)
def test_other_times_are_rejected(site, received):
    quoted = f'"{received}"'
    site.put_rows("a.csv", line(test_timestamp=quoted))
    site.load()
    ((_, _, reason),) = site.rejects()
    assert reason.startswith("test_timestamp is not a time") and "timestamp_format" in reason


@pytest.mark.parametrize(
    "timestamp_format, received, utc",
    [
        ("%m/%d/%y %H:%M:%S", "01/02/24 08:00:00", "2024-01-02 00:00:00"),
        ("%d/%m/%y %H:%M:%S.%f", "01/02/24 08:00:00.5", "2024-02-01 00:00:00.500000"),
        ("%Y-%m-%d", "2024-01-02", "2024-01-01 16:00:00"),
        ("%d.%m.%Y %H:%M %z", "02.01.2024 08:00 +0100", "2024-01-02 07:00:00"),
    ],
)
def test_times_follow_the_sources_format(site, timestamp_format, received, utc):
    site.describe(timestamp_format=timestamp_format).put_rows("a.csv", line(test_timestamp=received), line())
    site.load()
    assert [str(row["test_timestamp"]) for row in site.rows()] == [utc]
    assert site.rejects()[0][0] == 2


@pytest.mark.parametrize(
    "kind, utc",
    [
        (pa.timestamp("us"), "2023-12-31 16:00:00.123456"),
        (pa.timestamp("ns"), "2023-12-31 16:00:00.123456"),
        (pa.timestamp("s"), "2023-12-31 16:00:00"),
        (pa.timestamp("ms", "UTC"), "2024-01-01 00:00:00.123000"),
        (pa.timestamp("us", "America/New_York"), "2024-01-01 00:00:00.123456"),
    ],
)
def test_typed_times_are_read(site, kind, utc):
    table = pa.Table.from_pylist([record(), record()])
    time = pa.array([1704067200123456, None], pa.timestamp("us")).cast(kind, safe=False)
    table = table.set_column(table.column_names.index("test_timestamp"), "test_timestamp", time)
    pq.write_table(table, site.put("a.parquet", b""))
    site.load()
    assert [str(row["test_timestamp"]) for row in site.rows()] == [utc]
    assert site.rejects()[0][2] == "test_timestamp is missing"


def test_dates_are_no_times(site):
    pq.write_table(
        pa.Table.from_pylist([record(test_timestamp=datetime(2024, 1, 1).date())]), site.put("a.parquet", b"")
    )
    site.load()
    assert "timestamp_format" in site.rejects()[0][2]


# A tester with a wrong clock: its records are kept, but must not move the plant's last day.
def test_future_times_are_kept_and_flagged(site):
    future = (datetime.now() + timedelta(days=2)).isoformat(" ", "seconds")
    site.put_rows("a.csv", line(), line(test_timestamp=future))
    load = site.load_one()
    assert [row["_flags"] for row in site.rows()] == [None, "test_timestamp:future"]
    assert load.max_event_at == datetime(2024, 1, 1)


# A due date lies in the future by nature.
def test_planned_times_are_not_flagged(site):
    site.describe(table="work_order")
    site.put(
        "a.csv", "work_order_id,product_name,quantity,updated_at,due_at\nW,P,1,2024-01-01 00:00,2150-01-01 00:00\n"
    )
    site.load()
    assert site.rows("work_order")[0]["_flags"] is None


def test_flags_of_several_columns_stand_side_by_side(site):
    site.timezone = "Europe/Berlin"
    site.describe(table="production_count")
    site.put(
        "a.csv",
        "machine_id,interval_start_at,interval_end_at,product_name,total_count\n"
        "M,2024-03-31 02:30,2150-01-01 00:00,P,1\n",
    )
    site.load()
    assert site.rows("production_count")[0]["_flags"] == "interval_start_at:missing_hour,interval_end_at:future"
