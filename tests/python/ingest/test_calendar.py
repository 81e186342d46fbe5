"""Shift patterns, breaks and holidays as the calendar that machine time is judged by."""

from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_site import GOOD, Site, line

from ingest.lake import read_manifest
from ingest.rejects import with_open_rejects
from ingest.shifts.days import Days
from ingest.shifts.occurrences import occurrences_of
from ingest.shifts.patterns import FILES, read_lines
from pipeline.paths import Paths

PATTERN = "pattern,cycle_days,cycle_day,shift_name,start_time,end_time,crew"
ZONES = ["Asia/Singapore", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca"]


def weekly(pattern: str, days: range | list[int], *shifts: str) -> list[str]:
    return [f"{pattern},7,{day},{shift}" for day in days for shift in shifts]


def refer(site: Site, **files: list[str]) -> None:
    for name, rows in files.items():
        site.folder.joinpath(f"{name}.csv").write_text("\n".join(rows) + "\n")


def two_shifts(site: Site, assignment: str = ",two,,,") -> None:
    rows = weekly("two", range(1, 6), "early,06:00,14:00,A", "late,14:00,22:00,B")
    refer(
        site,
        shift_patterns=[PATTERN, *rows],
        line_shifts=["line_id,pattern,valid_from,valid_to,cycle_start", assignment],
    )


def newest(site: Site, table: str) -> list[dict]:
    rows = site.rows(table)
    return [row for row in rows if row["_load_id"] == rows[-1]["_load_id"]]


def shifts(site: Site, line_id: str | None = None, kind: str = "shift") -> list[dict]:
    return [row for row in newest(site, "calendar_shift") if (row["line_id"], row["kind"]) == (line_id, kind)]


def on(rows: list[dict], day: str) -> list[tuple]:
    """Name, start and end by the wall clock, and hours of those of a date."""
    return [
        (
            row["name"] or row["shift_name"],
            f"{row['shift_start_at_local']:%d %H:%M}",
            f"{row['shift_end_at_local']:%d %H:%M}",
            (row["shift_end_at"] - row["shift_start_at"]) / timedelta(hours=1),
        )
        for row in rows
        if str(row["shift_date"]) == day
    ]


def reasons(site: Site) -> list[str]:
    """Why lines of the reference data are not followed now."""
    loads = site.rows("load")
    last = max(load["load_id"] for load in loads if load["table_name"] == "calendar_shift")
    return [row["reason"] for row in site.rows("reject") if row["load_id"] == last]


def loaded(site: Site, zone: str = "Europe/Berlin", *, at: str = "2024-05-01 08:00:00") -> Site:
    site.timezone = zone
    site.describe()
    site.put_rows("a.csv", line(test_timestamp=at))
    site.load()
    return site


# A plant that says nothing of shifts would have no scheduled time, and so no OEE at all.
def test_without_shifts_every_line_works_round_the_clock_and_days_have_their_real_length(site):
    refer(site, machines=["machine_id,line_id", "M1,L1", "M2,"])
    loaded(site)
    days = newest(site, "calendar_day")
    assert (days[0]["production_date"], days[-1]["production_date"]) == (date(2023, 12, 25), date(2025, 12, 31))
    assert all(one["day_end_at"] == other["day_start_at"] for one, other in pairwise(days))
    assert {row["day_start_at_local"].time() for row in days} == {time(7)}
    lengths = {str(row["production_date"]): row["day_end_at"] - row["day_start_at"] for row in days}
    odd = {day: length / timedelta(hours=1) for day, length in lengths.items() if length != timedelta(days=1)}
    assert odd == {"2024-03-30": 23, "2024-10-26": 25, "2025-03-29": 23, "2025-10-25": 25}
    changes = {
        str(row["production_date"]): f"{row['offset_changed_at']:%H:%M}" for row in days if row["offset_changed_at"]
    }
    assert changes == dict.fromkeys(odd, "01:00")
    for line_id in (None, "L1"):
        found = shifts(site, line_id)
        assert {row["shift_name"] for row in found} == {"all-day"} and len(found) == len(days)
        assert all(s["shift_end_at"] == d["day_end_at"] for s, d in zip(found, days, strict=True))


# Nights of a clock change would be short of an hour, or have one that belongs to no shift.
def test_a_shift_over_a_clock_change_has_its_real_length(site):
    two_shifts(site)
    rows = weekly("three", range(1, 8), "early,06:00,14:00,", "late,14:00,22:00,", "night,22:00,06:00,")
    refer(site, shift_patterns=[PATTERN, *rows], line_shifts=["line_id,pattern", ",three"])
    loaded(site)
    found = shifts(site)
    assert on(found, "2024-03-30")[2] == ("night", "30 22:00", "31 06:00", 7)
    assert on(found, "2024-10-26")[2] == ("night", "26 22:00", "27 06:00", 9)
    assert all(one["shift_end_at"] == other["shift_start_at"] for one, other in pairwise(found))


# Lord Howe's clocks change by half an hour at 02:00, in the middle of a shift and at the end of another.
def test_a_change_of_half_an_hour_is_one(site):
    rows = weekly("p", range(1, 8), "day,02:00,14:00,", "night,14:00,02:00,")
    refer(site, shift_patterns=[PATTERN, *rows], line_shifts=["line_id,pattern", ",p"])
    found = shifts(loaded(site, "Australia/Lord_Howe"))
    assert on(found, "2024-10-05")[1] == ("night", "05 14:00", "06 02:30", 12)  # 02:00 is skipped
    assert on(found, "2024-10-06")[0] == ("day", "06 02:30", "06 14:00", 11.5)
    assert on(found, "2024-04-06")[1] == ("night", "06 14:00", "07 02:00", 12.5)  # the clock goes back to 01:30
    assert all(one["shift_end_at"] == other["shift_start_at"] for one, other in pairwise(found))


# Crews would be praised and blamed for each other's shifts.
@pytest.mark.parametrize("start", ["2024-01-03", "2031-06-01"])
def test_a_continental_rotation_goes_on_before_and_after_its_first_cycle(site, start):
    crews = {"A": "EELLNN--", "B": "NN--EELL", "C": "LLNN--EE", "D": "--EELLNN"}
    clock = {"E": "early,06:00,14:00", "L": "late,14:00,22:00", "N": "night,22:00,06:00"}
    rows = [
        f"conti,8,{day},{clock[shift]},{crew}"
        for crew, cycle in crews.items()
        for day, shift in enumerate(cycle, start=1)
        if shift != "-"
    ]
    refer(site, shift_patterns=[PATTERN, *rows], line_shifts=["line_id,pattern,cycle_start", f",conti,{start}"])
    found = shifts(loaded(site, "Asia/Singapore"))
    assert not reasons(site)
    for row in found:
        cycle = crews[row["crew"]]
        letter = cycle[(row["shift_date"] - date.fromisoformat(start)).days % 8]
        assert clock[letter].startswith(row["shift_name"])
    assert set(Counter(row["shift_date"] for row in found).values()) == {3}


def test_weekends_and_part_time_days_are_lines_of_the_pattern(site):
    rows = [*weekly("p", range(1, 5), "day,08:00,17:00,"), "p,7,5,day,8:00,12:30:00,", "p,7,6,weekend,00:00,24:00,"]
    refer(site, shift_patterns=[PATTERN, *rows], line_shifts=["line_id,pattern", ",p"])
    found = shifts(loaded(site))
    assert on(found, "2024-05-02") == [("day", "02 08:00", "02 17:00", 9)]
    assert on(found, "2024-05-03") == [("day", "03 08:00", "03 12:30", 4.5)]
    assert on(found, "2024-05-04") == [("weekend", "04 00:00", "05 00:00", 24)]
    assert on(found, "2024-05-05") == []


def test_no_shift_starts_on_a_holiday(site):
    refer(site, machines=["machine_id,line_id", "M1,L1"])
    rows = weekly("p", range(1, 8), "day,06:00,18:00,", "night,18:00,06:00,")
    refer(site, shift_patterns=[PATTERN, *rows], line_shifts=["line_id,pattern", ",p"])
    refer(site, holidays=["holiday_date,line_id,name", "2024-05-01,,Labour Day", "2024-05-03,L1,stocktaking"])
    loaded(site)
    assert [len(on(shifts(site, "L1"), f"2024-05-0{day}")) for day in range(1, 5)] == [0, 2, 0, 2]
    assert [len(on(shifts(site), f"2024-05-0{day}")) for day in range(1, 5)] == [0, 2, 2, 2]
    refer(site, shift_patterns=[PATTERN])
    refer(site, line_shifts=["line_id,pattern"])
    site.load()
    assert [len(on(shifts(site, "L1"), f"2024-05-0{day}")) for day in range(1, 5)] == [0, 1, 0, 1]


# The line's own pattern, then the newest: else a plant that goes from two to three shifts keeps the old ones.
def test_the_most_specific_line_counts_then_the_latest(site):
    rows = [f"p{number},7,{day},s{number},06:00,14:00," for number in range(1, 6) for day in range(1, 8)]
    assignments = [
        ",p1,,",
        ",p2,2024-03-01,",
        ",p5,2024-03-01,",  # as strong as the one above, which comes first
        "L1,p3,2024-04-01,2024-04-30",
        "L1,p4,2024-04-10,2024-04-20",
    ]
    refer(site, shift_patterns=[PATTERN, *rows], line_shifts=["line_id,pattern,valid_from,valid_to", *assignments])
    loaded(site)
    days = ["2024-02-29", "2024-03-01", "2024-04-01", "2024-04-10", "2024-04-20", "2024-04-21", "2024-05-01"]
    assert [on(shifts(site, "L1"), day)[0][0] for day in days] == ["s1", "s2", "s3", "s4", "s4", "s3", "s2"]
    assert [on(shifts(site), day)[0][0] for day in days] == ["s1"] + 6 * ["s2"]
    (reason,) = reasons(site)
    assert reason.startswith("line_shifts.csv: is never used")


def test_a_line_without_a_pattern_on_a_date_does_not_work(site):
    two_shifts(site, "L1,two,2024-05-01,2024-05-31,")
    loaded(site)
    dates = {row["shift_date"] for row in shifts(site, "L1")}
    assert (min(dates), max(dates)) == (date(2024, 5, 1), date(2024, 5, 31))
    assert {row["shift_name"] for row in shifts(site)} == {"all-day"}  # which no line of line_shifts.csv is about


# Time would be counted twice.
def test_of_shifts_that_overlap_the_earlier_ends_where_the_later_begins(site):
    rows = weekly("p", [1], "long,06:00,16:00,", "middle,12:00,13:00,", "late,14:00,22:00,", "twin,14:00,15:00,")
    refer(site, shift_patterns=[PATTERN, *rows], line_shifts=["line_id,pattern", ",p"])
    found = on(shifts(loaded(site)), "2024-05-06")
    assert [row[:3] for row in found] == [
        ("long", "06 06:00", "06 12:00"),
        ("middle", "06 12:00", "06 13:00"),
        ("late", "06 14:00", "06 22:00"),
    ]
    assert reasons(site) == ["shift_patterns.csv: shift 'twin' begins when another of its line does: left out"]


def test_breaks_lie_within_their_shifts(site):
    rows = weekly("p", range(1, 8), "early,06:00,14:00,A", "late,14:00,22:00,B", "night,22:00,06:00,C")
    refer(site, shift_patterns=[PATTERN, *rows], line_shifts=["line_id,pattern", ",p"])
    refer(
        site,
        breaks=[
            "pattern,line_id,shift_name,start_time,end_time,name",
            ",,,10:00,10:30,meal",
            ",,,18:00,18:30,meal",
            ",,night,01:45,02:15,meal",
            ",,night,23:50,00:10,tea",
            ",L1,early,11:00,11:30,meal",
            ",,late,21:50,22:10,cleaning",
            ",,early,10:15,10:45,talk",
            ",,weekend,12:00,12:30,meal",
        ],
    )
    loaded(site)
    found = shifts(site, kind="break")
    assert on(found, "2024-05-06") == [
        ("meal", "06 10:00", "06 10:30", 0.5),
        ("talk", "06 10:30", "06 10:45", 0.25),
        ("meal", "06 18:00", "06 18:30", 0.5),
        ("cleaning", "06 21:50", "06 22:00", 10 / 60),
        ("tea", "06 23:50", "07 00:10", 20 / 60),
        ("meal", "07 01:45", "07 02:15", 0.5),
    ]
    assert {(row["name"], row["crew"]) for row in found if row["shift_name"] == "night"} == {
        ("tea", "C"),
        ("meal", "C"),
    }
    assert on(found, "2024-10-26")[-1] == ("meal", "27 01:45", "27 02:15", 0.5)  # 02:15 is again an hour later
    early = [row for row in on(shifts(site, "L1", kind="break"), "2024-05-06") if row[1] < "06 14"]
    assert early == [("talk", "06 10:15", "06 10:45", 0.5), ("meal", "06 11:00", "06 11:30", 0.5)]
    (reason,) = reasons(site)
    assert reason.startswith("breaks.csv: is never used")
    refer(
        site, shift_patterns=[PATTERN], line_shifts=["line_id,pattern"], breaks=["start_time,end_time", "03:00,03:10"]
    )
    site.load()
    assert on(shifts(site, kind="break"), "2024-05-06") == [("all-day", "07 03:00", "07 03:10", 10 / 60)]


# What a person mistyped must be told, not guessed, and must not stop a night.
def test_what_can_not_be_followed_is_a_reject_that_says_why(site):
    refer(
        site,
        machines=["machine_id,line_id", "M1,L1"],
        shift_patterns=[
            PATTERN,
            *weekly("p", [1], "early,6.00,14:00,", "late,14:00,24:30,", "night,24:00,06:00,", "day,06:00,14:00,"),
            "p,7,8,beyond,06:00,14:00,",
            "p,28,1,other,06:00,14:00,",
            "c,8,1,day,06:00,14:00,",
        ],
        line_shifts=[
            "line_id,pattern,valid_from,valid_to,cycle_start",
            ",p,,,",
            ",nothing,,,",
            "L1,p,2024-02-01,2024-01-01,",
            "L1,c,,,",
            "L7,p,,,",
        ],
        breaks=["start_time,end_time", "noon,12:30"],
        holidays=["holiday_date,line_id", "2024-05-01,L9"],
    )
    loaded(site)
    assert reasons(site) == [
        "breaks.csv: start_time 'noon' is not a time of day such as 06:00",
        "holidays.csv: line_id 'L9' is in neither lines.csv nor machines.csv",
        "line_shifts.csv: pattern 'nothing' has no usable line in shift_patterns.csv",
        "line_shifts.csv: valid_to 2024-01-01 is before valid_from 2024-02-01",
        "line_shifts.csv: cycle_start is missing: which date is day 1 of the 8 of 'c'?",
        "line_shifts.csv: line_id 'L7' is in neither lines.csv nor machines.csv",
        "shift_patterns.csv: start_time '6.00' is not a time of day such as 06:00",
        "shift_patterns.csv: end_time '24:30' is not a time of day such as 06:00",
        "shift_patterns.csv: start_time '24:00' is not a time of day such as 06:00",
        "shift_patterns.csv: cycle_day 8 is beyond the cycle of 7 days",
        "shift_patterns.csv: cycle_days 28 is not the 7 of the pattern's first line",
    ]
    assert {row["record"] for row in site.rows("reject") if "noon" in row["reason"]} == {
        '{"start_time": "noon", "end_time": "12:30"}'
    }
    assert {row["shift_name"] for row in shifts(site, "L1")} == {"day"}
    two_shifts(site)
    refer(site, breaks=["start_time,end_time"], holidays=["holiday_date,line_id"])
    site.load()
    assert not reasons(site) and shifts(site)
    assert not with_open_rejects(read_manifest(site.paths.raw))


# Every night would rebuild what depends on the calendar, or a new year would have no shifts.
def test_the_calendar_is_loaded_again_only_when_it_changes(site):
    two_shifts(site)
    site.describe().load()
    assert not site.rows("calendar_day")  # which years?
    site.put_rows("a.csv", GOOD)
    site.load()
    count = len(site.rows("load"))
    site.put_rows("b.csv", line(serial_num="B", test_timestamp="2024-11-01 08:00:00"))
    site.load()
    assert len(site.rows("load")) == count + 1
    site.put_rows("c.csv", line(serial_num="C", test_timestamp="2025-01-01 03:00:00"))
    site.load()
    assert newest(site, "calendar_shift")[-1]["shift_date"] == date(2026, 12, 31)
    before = newest(site, "calendar_shift")
    refer(site, breaks=["start_time,end_time,name", "09:00,09:15,coffee"])
    site.load()
    assert len(newest(site, "calendar_shift")) > len(before)
    refer(site, breaks=["start_time,end_time,name"])
    site.load()
    assert [row["_hash"] for row in newest(site, "calendar_shift")] == [row["_hash"] for row in before]


def test_any_order_of_loads_ends_in_the_same_calendar(tmp_path_factory):
    times = ["2023-12-31 23:30:00", "2022-07-01 08:00:00", "2024-01-01 08:00:00"]
    found = []
    for order in (times, times[::-1], [times[1], times[0], times[2]]):
        folder = tmp_path_factory.mktemp("site")
        folder.joinpath("plant").mkdir()
        site = Site(folder / "plant", Paths(folder / "data"))
        two_shifts(site)
        site.describe()
        for number, at in enumerate(order):
            site.put_rows(f"{number}.csv", line(test_timestamp=at))
            site.load()
        found.append([[row["_hash"] for row in newest(site, table)] for table in ("calendar_day", "calendar_shift")])
    assert found[0] == found[1] == found[2]


# A clock that stood at 1970 for a minute would make fifty years of shifts, a slip of the pen in a plan a century.
def test_wrong_clocks_and_plans_make_no_century(site):
    site.describe(
        {"name": "states", "kind": "files", "path": "inbox/state*", "table": "machine_state"},
        {"name": "jobs", "kind": "files", "path": "inbox/job*", "table": "maintenance"},
    )
    site.put("job1.csv", "machine_id,start_at,end_at,kind\nM,2020-06-01 08:00,2020-06-01 09:00,planned\n")
    site.put("job2.csv", "machine_id,start_at,end_at,kind\nM,2150-06-01 08:00,2150-06-01 09:00,planned\n")
    site.load()
    dates = [row["production_date"] for row in newest(site, "calendar_day")]
    assert (dates[0].year, dates[-1].year) == (2120 - 1, 2151)  # there is nothing but the plan
    site.put("state1.csv", "machine_id,state_start_at,state\nM,2024-06-01 08:00,run\nM,2199-06-01 08:00,run\n")
    site.load()
    dates = [row["production_date"] for row in newest(site, "calendar_day")]
    assert (dates[0], dates[-1]) == (date(2019, 12, 25), date(2025, 12, 31))
    site.put("state2.csv", "machine_id,state_start_at,state\nM,1970-01-01 00:00,run\n")
    site.load()
    assert newest(site, "calendar_day")[0]["production_date"] == date(1993, 12, 25)


clock_times = st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))


# Whatever a plant writes: no second of a line in two shifts, and every shift as long as its clock says.
@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(ZONES),
    st.lists(st.tuples(st.integers(1, 9), clock_times, clock_times), max_size=12),
    st.lists(st.tuples(clock_times, clock_times), max_size=3),
)
def test_shifts_never_overlap_and_agree_with_the_clock(zone, pattern, breaks):
    days = Days(date(2024, 1, 1), date(2024, 12, 31), zone, 7 * 3600)
    rows = {name: [] for name in FILES}
    for number, (day, start, end) in enumerate(pattern):
        texts = {"pattern": "p", "cycle_days": 9, "cycle_day": day, "shift_name": f"s{number}", "crew": None}
        rows["shift_patterns"].append(texts | {"start_time": start, "end_time": end, "_row": number})
    for number, (start, end) in enumerate(breaks):
        texts = dict.fromkeys(("pattern", "line_id", "shift_name", "name"))
        rows["breaks"].append(texts | {"start_time": start, "end_time": end, "_row": number})
    texts = {"line_id": None, "pattern": "p", "valid_from": None, "valid_to": None}
    rows["line_shifts"] = [texts | {"cycle_start": date(2024, 1, 1), "_row": 1}]
    lines, faults = read_lines(rows)
    found = occurrences_of(lines, days, faults)
    spans = defaultdict(list)
    for which, day, start, end in zip(found.which, found.dates, found.starts, found.ends, strict=True):
        spans[found.kinds[which].kind].append(
            (start, end, found.kinds[which].shift_name, date(1970, 1, 1) + timedelta(days=int(day)))
        )
        assert end > start
    for kind in spans.values():
        assert all(one[1] <= other[0] for one, other in pairwise(kind))
    by_start = {(name, day): (start, end) for start, end, name, day in spans["shift"]}
    for start, end, name, day in spans["break"]:
        assert by_start[name, day][0] <= start and end <= by_start[name, day][1]
    starts = sorted(start for start, _, _, _ in spans["shift"])
    for (name, day), (start, end) in by_start.items() if pattern else ():
        _, begin, finish = pattern[int(name[1:])]
        assert start == _instant(day, begin, zone)
        wanted = _instant(day + timedelta(days=finish <= begin), finish, zone)
        assert end == min([wanted, *(other for other in starts if other > start)])


def _instant(day: date, clock: str, zone: str) -> int:
    moment = datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone))
    return int(moment.timestamp()) * 1_000_000
