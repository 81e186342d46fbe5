"""Tables and queries of real databases: PostgreSQL, started by the tests, and SQLite."""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import sqlalchemy as sa
from plant_site import GOOD, HEADER_LIST, Site, record

from bench.database_servers import PASSWORD, engine_of
from ingest.rejects import Selection
from ingest.replay import replay
from ingest.source import Unreachable, Unreadable
from ingest.sources import database, high_water
from ingest.sources.rows import arrow_table
from pipeline.paths import PROJECT
from pipeline.plant import load_plant

COLUMNS = "serial_num, product_name, test_name, machine_id, test_timestamp, test_result, test_duration_s"
PAST = datetime(2024, 1, 1, 8)


@dataclass
class Database:
    kind: str
    url: sa.URL
    table: str
    """Of test records; `seen` is what rises in it."""
    time: str
    """The type of a time without zone, in which `seen` is unless told otherwise."""

    def execute(self, statement: str, parameters: list | dict | None = None) -> None:
        with engine_of(self.url).begin() as connection:
            connection.execute(sa.text(re.sub(r"\$t\b", self.table, statement)), parameters)

    def create(self, seen: str | None = None) -> None:
        texts = ", ".join(f"{name} varchar(60)" for name in HEADER_LIST[:6])
        self.execute(f"create table $t ({texts}, test_duration_s numeric(10, 3), seen {seen or self.time})")

    def put(self, serials: list | str, seen: object) -> None:
        rows = [record(serial_num=serial, seen=seen) for serial in serials]
        values = ", ".join(f":{name}" for name in HEADER_LIST)
        self.execute(f"insert into $t values ({values}, :seen)", rows)

    def source(self, **keys) -> dict:
        keys = {"from": self.table, "high_water": "seen"} | keys
        url = self.url.render_as_string(hide_password=False)
        kept = {key: value for key, value in keys.items() if value is not None}
        return {"name": "mes", "kind": "sql", "url": url, "table": "test_record"} | kept

    @property
    def at(self) -> object:
        """A moment, as the driver gives it."""
        return PAST if self.kind == "postgresql" else str(PAST)

    def after(self, minutes: float) -> object:
        moment = PAST + timedelta(minutes=minutes)
        return moment if self.kind == "postgresql" else str(moment)


@pytest.fixture(params=["postgresql", "sqlite"])
def db(request, tmp_path) -> Database:
    if request.param == "sqlite":
        url = sa.URL.create("sqlite", database=str(tmp_path / "mes #1.db"))
        return Database("sqlite", url, "results", "text")
    server = request.getfixturevalue("postgresql")
    schema = f"mes_{secrets.token_hex(4)}"
    url = server.url.set(username="publisher", password=PASSWORD, database="plant")
    found = Database("postgresql", url, f"{schema}.results", "timestamp")
    found.execute(f"create schema {schema}")
    return found


@pytest.fixture
def mes(site, db) -> Site:
    """The plant with one source over the table, from an empty one on."""
    db.create()
    return site.describe(db.source())


def serials(site) -> list[str]:
    return [row["serial_num"] for row in site.rows()]


def check_nothing_is_new(site) -> None:
    assert site.load() == []


def test_only_what_is_new_is_loaded(mes, db):
    db.put("AB", db.at)
    first = mes.load_one()
    assert (first.status, first.row_count) == ("loaded", 2)
    name = "SQLite" if db.kind == "sqlite" else "PostgreSQL at 127.0.0.1:"
    seen = PAST.isoformat() if db.kind == "postgresql" else str(PAST)
    assert first.object.startswith(name) and first.object.endswith(f'results: seen [null, "{seen}"]')
    before = mes.rows("load")
    assert mes.load() == [] and mes.rows("load") == before
    db.put("C", db.after(90))
    second = mes.load_one()
    assert second.row_count == 1 and second.object.endswith(
        f'results: seen ["{later(seen, -60)}", "{later(seen, 90)}"]'
    )
    check_nothing_is_new(mes)
    assert serials(mes) == ["A", "B", "C"] and PASSWORD not in str(mes.rows("load"))


def later(text: str, minutes: int) -> str:
    return (datetime.fromisoformat(text) + timedelta(minutes=minutes)).isoformat(text[10])


# A long transaction commits with the time at which it began.
def test_a_late_commit_within_the_overlap_is_found_once(mes, db):
    db.put("AB", db.at)
    mes.load()
    db.put("C", db.after(-50))
    db.put("X", db.after(-70))  # later than the overlap allows for
    assert mes.load_one().row_count == 1
    check_nothing_is_new(mes)
    db.put("D", db.after(30))
    db.put("E", db.after(-20))
    assert mes.load_one().row_count == 2
    check_nothing_is_new(mes)
    assert sorted(serials(mes)) == ["A", "B", "C", "D", "E"]


def test_a_changed_row_is_a_new_version(mes, db):
    db.put("AB", db.at)
    mes.load()
    db.execute("update $t set test_result = 'fail', seen = :at where serial_num = 'A'", {"at": db.after(5)})
    assert mes.load_one().row_count == 1
    db.execute("update $t set test_result = 'abort' where serial_num = 'B'")  # its time unchanged, within the overlap
    assert mes.load_one().row_count == 1
    check_nothing_is_new(mes)
    assert [(row["serial_num"], row["test_result"]) for row in mes.rows()] == [
        ("A", "pass"),
        ("B", "pass"),
        ("A", "fail"),
        ("B", "abort"),
    ]


# Bulk jobs stamp thousands of rows with one time, and the last of them may come after the run.
@pytest.mark.parametrize("overlap", [0, "2 days"])
def test_many_rows_at_the_mark(site, db, overlap):
    db.create()
    site.describe(db.source(overlap=overlap))
    db.put([f"A{i}" for i in range(300)], db.at)
    assert site.load_one().row_count == 300
    db.put([f"B{i}" for i in range(300)], db.at)
    assert site.load_one().row_count == 300
    check_nothing_is_new(site)
    assert len(set(serials(site))) == site.count() == 600


def test_a_table_without_rows(mes, db):
    load = mes.load_one()
    assert (load.status, load.row_count) == ("loaded", 0)
    check_nothing_is_new(mes)
    db.put("A", db.at)
    assert mes.load_one().row_count == 1
    db.execute("delete from $t")
    check_nothing_is_new(mes)


# A row that has no time yet would else be lost for ever.
def test_rows_without_a_value_in_the_column_are_loaded_once(mes, db):
    db.put("AB", None)
    assert mes.load_one().object.endswith("results: seen is null")
    check_nothing_is_new(mes)
    db.put("C", db.at)
    db.put("D", None)
    assert [(load.object.split("results: ")[1][:8], load.row_count) for load in mes.load()] == [
        ("seen [nu", 1),
        ("seen is ", 1),
    ]
    check_nothing_is_new(mes)
    db.put("E", db.after(600))
    assert mes.load_one().row_count == 1
    check_nothing_is_new(mes)
    assert serials(mes) == ["A", "B", "C", "D", "E"]


# One wrong clock must not hide everything that comes after.
def test_a_time_in_the_future_hides_nothing(mes, db):
    db.put("A", "9999-12-31 23:59:59" if db.kind == "sqlite" else datetime.max)
    db.put("B", db.at)
    mes.load()
    check_nothing_is_new(mes)
    now = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=8)  # the plant's wall time
    db.put("C", now if db.kind == "postgresql" else str(now)[:19])
    assert mes.load_one().row_count == 1
    check_nothing_is_new(mes)
    assert sorted(serials(mes)) == ["A", "B", "C"]


def test_rejected_rows_are_rejected_once(mes, db):
    db.put(["A", ""], db.at)
    load = mes.load_one()
    assert (load.row_count, load.reject_count) == (1, 1)
    check_nothing_is_new(mes)
    db.put([""], db.after(1))
    assert mes.load_one().reject_count == 1
    check_nothing_is_new(mes)


# What the overlap brings again must not come in twice, by a replay and by the next reading.
@pytest.mark.parametrize("replayed_first", [True, False])
def test_replayed_rows_come_in_once(mes, db, replayed_first):
    db.put("AB", db.at)
    mes.describe(db.source(columns={"test_result": "machine_id", "machine_id": "test_result"}))
    assert mes.load_one().reject_count == 2
    mes.describe(db.source())
    if not replayed_first:
        assert mes.load_one().row_count == 2
    (done,) = replay(load_plant(mes.folder), mes.paths, Selection())[1]
    assert (done.loaded, done.known) == ((2, 0) if replayed_first else (0, 2))
    assert replay(load_plant(mes.folder), mes.paths, Selection())[1] == []
    check_nothing_is_new(mes)
    assert serials(mes) == ["A", "B"]


# A replay does not read the database: what came since the last reading must still be read.
def test_a_replay_does_not_move_the_mark_that_the_clock_bounds(mes, db):
    far = PAST.replace(year=2099)
    db.put("A", far if db.kind == "postgresql" else str(far))
    mes.describe(db.source(columns={"test_result": "machine_id", "machine_id": "test_result"}, overlap="0 hours"))
    assert mes.load_one().reject_count == 1
    mes.describe(db.source(overlap="0 hours"))
    now = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=8)  # the plant's wall time
    db.put("B", now if db.kind == "postgresql" else str(now)[:19])
    if db.kind == "sqlite":
        time.sleep(1)  # its times are text to the second
    assert replay(load_plant(mes.folder), mes.paths, Selection())[1][0].loaded == 1
    assert mes.load_one().row_count == 1
    assert sorted(serials(mes)) == ["A", "B"]


def test_what_was_compacted_is_known(mes, db, monkeypatch):
    from ingest import compaction

    monkeypatch.setattr(compaction.compact, "__kwdefaults__", {"most_files": 1})
    for number in range(4):
        db.put([f"A{number}", ""], db.after(number))
        assert mes.load_one().row_count == 1
    assert list((mes.paths.raw / "test_record").glob("compacted-*"))
    check_nothing_is_new(mes)


TYPES = {
    "whole number": ("bigint", [2**40, 2**40 - 999, 2**40 + 5], 2**40 - 1001, {}),
    "small overlap": ("integer", [100, 90, 101], 89, {"overlap": 10}),
    "text": ("text", ["B-0007", "B-0007", "B-0008"], "B-0006", {}),
    "date as text": ("text", ["2024-01-08", "2024-01-07", "2024-01-09"], "2024-01-05", {"overlap": "1 day"}),
    "time with a zone as text": (
        "text",
        ["2024-01-08T08:00:00.5Z", "2024-01-08T07:00:00Z", "2024-01-08T09:00:00Z"],
        "2024-01-08T06:59:59Z",
        {},
    ),
    "time to the minute as text": (
        "text",
        ["2024-01-08 08:00", "2024-01-08 08:00", "2024-01-08 09:00"],
        "2024-01-08 07:59",
        {"overlap": 0},
    ),
}
POSTGRESQL_TYPES = {
    "integer": ("integer", [2**31 - 1, 2**31 - 1000, 2**31 - 1], 0, {}),
    "text of a length": ("varchar(9)", ["B-7", "B-7", "B-8"], "B-6", {}),
    "time with a zone": (
        "timestamptz",
        [datetime(2024, 1, 8, 8, tzinfo=timezone(timedelta(hours=hours))) for hours in (2, 3, 1)],
        datetime(2024, 1, 8, 4, 59, tzinfo=UTC),
        {},
    ),
    "date": ("date", [date(2024, 1, 8), date(2024, 1, 7), date(2024, 1, 9)], date(2024, 1, 6), {}),
    "decimal": ("numeric", [Decimal("7.5"), Decimal("2.5"), Decimal(8)], Decimal("2.4"), {"overlap": 5}),
}


@pytest.mark.parametrize(
    ("db", "case"),
    [("sqlite", case) for case in TYPES] + [("postgresql", case) for case in POSTGRESQL_TYPES],
    indirect=["db"],
)
def test_types_that_rise(site, db, case):
    kind, (first, within, higher), below, keys = (TYPES | POSTGRESQL_TYPES)[case]
    db.create(kind)
    site.describe(db.source(**keys))
    db.put("A", first)
    assert site.load_one().row_count == 1
    db.put("B", within)
    db.put("X", below)  # beyond the overlap: not seen any more
    assert site.load_one().row_count == 1
    check_nothing_is_new(site)
    db.put("C", higher)
    assert site.load_one().row_count == 1
    assert serials(site) == ["A", "B", "C"]


# What the column is changed into is read from the beginning, and nothing of it twice.
def test_a_column_that_changes_its_type(site, db):
    db.create("bigint")
    site.describe(db.source())
    db.put("A", 5)
    site.load()
    db.execute("drop table $t")
    db.create("text")
    db.put("AB", "5")
    db.put("C", "x6")
    assert site.load_one().row_count == 2
    check_nothing_is_new(site)
    assert serials(site) == ["A", "B", "C"]


WHOLE = {"high_water": None}


def test_without_a_high_water_the_whole_is_read(site, db):
    db.create()
    site.describe(db.source(**WHOLE))
    assert site.load_one().row_count == 0
    check_nothing_is_new(site)
    db.put("AB", None)
    assert site.load_one().row_count == 2
    check_nothing_is_new(site)
    db.execute("update $t set test_result = 'fail' where serial_num = 'A'")
    assert site.load_one().row_count == 1
    check_nothing_is_new(site)
    site.describe(db.source())  # with one from now on: what is there is known
    assert site.load_one().row_count == 0
    check_nothing_is_new(site)


QUERY = f"""
    with found as (select * from $t) -- all of it
    select {COLUMNS}, seen as "Seen At", '12:30 :name 100%' as note, '%s %(x)s \\:y' as "a:b%c"
    from found where serial_num like 'A%' and '1:2' <> ':x'; -- a comment: 100 %
"""


def test_a_query_may_hold_colons_percent_signs_and_comments(site, db):
    db.create()
    query = QUERY.replace("; --", " --").replace("$t", db.table)
    site.describe(db.source(query=query, high_water="Seen At", **{"from": None}))
    db.put(["A1", "B1"], db.at)
    load = site.load_one()
    assert load.row_count == 1 and ": query " in load.object
    assert '"note":"12:30 :name 100%"' in site.rows()[0]["_extra"]
    assert '"a:b%c":"%s %(x)s \\\\:y"' in site.rows()[0]["_extra"]
    check_nothing_is_new(site)
    site.describe(db.source(query=f"{query}\n;", high_water="SEEN AT", **{"from": None}))
    assert site.load_one().row_count == 0  # another text, with a mark of its own
    check_nothing_is_new(site)


# Another query may bring what the first one left out.
def test_another_query_is_read_from_its_beginning(mes, db):
    db.put("AB", db.at)
    db.put("C", db.after(6000))
    query = f"select * from {db.table} where serial_num > 'A'"
    mes.describe(db.source(query=query, **{"from": None}))
    assert mes.load_one().row_count == 2
    mes.describe(db.source())
    assert mes.load_one().row_count == 1
    check_nothing_is_new(mes)
    db.put("D", db.after(6001))
    assert mes.load_one().row_count == 1
    check_nothing_is_new(mes)
    assert sorted(serials(mes)) == ["A", "B", "C", "D"]


def test_values_keep_what_they_are(site, db):
    db.create()
    if db.kind == "postgresql":
        extra = """1.10::numeric as a, 1e3::numeric as b, timestamptz '2024-01-01 08:00+02' as c, true as d,
            '{"x": [1, "ä"]}'::jsonb as e, '\\xff'::bytea as f, 'text'::bytea as g, 12345678901234567890 as h,
            array[date '2024-01-02'] as i, time '07:30' as j, interval '90 s' as k, null as l, 'NaN'::float8 as m,
            2::float8 as n, '7b7b22c8-0000-4000-8000-000000000000'::uuid as o, date '2024-01-02' as p"""
        expected = {"a": "1.10", "b": "1000", "c": "2024-01-01 06:00:00+00", "d": "true", "e": '{"x": [1, "ä"]}'}
        expected |= {"f": "\\xff", "g": "text", "h": "12345678901234567890", "i": '["2024-01-02"]', "j": "07:30:00"}
        expected |= {"k": "0:01:30", "m": "nan", "n": "2", "o": "7b7b22c8-0000-4000-8000-000000000000"}
        expected |= {"p": "2024-01-02"}
    else:
        extra = "1.5 as a, x'ff' as b, x'41' as c, null as d, 9007199254740993 as e, 2.0 as f, 'ä' as g"
        expected = {"a": "1.5", "b": "\\xff", "c": "A", "e": "9007199254740993", "f": "2", "g": "ä"}
    query = f"select {COLUMNS}, {extra} from {db.table}"
    site.describe(db.source(query=query, **WHOLE, **{"from": None}))
    db.put("A", None)
    assert site.load_one().row_count == 1
    (row,) = site.rows()
    assert row["test_duration_s"] == 1.5 and json.loads(row["_extra"]) == expected
    assert row["test_timestamp"] == PAST - timedelta(hours=8)
    check_nothing_is_new(site)


@pytest.mark.parametrize("db", ["postgresql"], indirect=True)  # SQLite has no zones
def test_a_time_with_a_zone_is_that_instant(site, db):
    db.create()
    query = f"select {COLUMNS.replace('test_timestamp', '')}".replace(", ,", ",")
    query += f", timestamptz '2024-06-01 08:00+02' as test_timestamp from {db.table}"
    site.describe(db.source(query=query, **WHOLE, **{"from": None}))
    db.put("A", None)
    site.load()
    assert site.rows()[0]["test_timestamp"] == datetime(2024, 6, 1, 6)


# Read again beside others, a record must have the hash that it had.
def test_a_value_does_not_depend_on_its_neighbours():
    values = [Decimal("1.1"), Decimal("1.10"), 2, 2.0, 2**53 + 0.0, True, "x", None, b"\xfe", Decimal("NaN"), 2**70]
    values += [PAST, PAST.replace(tzinfo=UTC), date(2024, 1, 2), {"a": [Decimal(1), PAST]}]
    mixed = arrow_table(["a"], [[value] for value in values])["a"].to_pylist()
    alone = [arrow_table(["a"], [[value]])["a"].cast("string").to_pylist()[0] for value in values[:4]]
    assert alone[:3] == mixed[:3] == ["1.1", "1.10", "2"] and mixed[3] == "2"
    assert mixed[4:11] == ["9007199254740992", "true", "x", None, "\\xfe", "NaN", str(2**70)]
    assert arrow_table(["a"], [[2**70], [None]])["a"].to_pylist() == [str(2**70), None]
    assert mixed[11:] == [
        "2024-01-01T08:00:00",
        "2024-01-01T08:00:00+00:00",
        "2024-01-02",
        '{"a": ["1", "2024-01-01T08:00:00"]}',
    ]


def test_a_large_table_comes_in_batches(mes, db, monkeypatch):
    monkeypatch.setattr(database, "BATCH_ROWS", 100)
    sizes = []
    monkeypatch.setattr(
        database, "arrow_table", lambda names, rows: sizes.append(len(rows)) or arrow_table(names, rows)
    )
    db.put([f"A{i}" for i in range(250)], db.at)
    assert mes.load_one().row_count == 250
    assert sizes[:3] == [100, 100, 50] and [row["_row"] for row in mes.rows()] == list(range(1, 251))


def test_nothing_is_written(mes, db):
    db.put("A", db.at)
    if db.kind == "postgresql":
        db.execute("create function touch() returns text language sql as $$ delete from $t returning 'x' $$")
        query = f"select {COLUMNS}, touch() as touched from {db.table}"
        mes.describe(db.source(query=query, **WHOLE, **{"from": None}))
        assert "read-only transaction" in mes.load_one().error
    else:
        os.chmod(db.url.database, 0o444)
        assert mes.load_one().row_count == 1
        assert [file.name for file in mes.folder.parent.glob("*.db*")] == ["mes #1.db"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def of_query(query: str, **keys) -> dict:
    return {"from": None, "query": query, "high_water": None} | keys


WRONG = {
    "password": ({}, {"password": "wrong"}, "password authentication failed"),
    "host": ({}, {"port": free_port()}, "[Cc]onnection refused"),
    "database": ({}, {"database": "/nowhere/x.db"}, "does not exist|unable to open"),
    "driver": ({}, {"drivername": "oracle+oracledb"}, "oracledb"),
    "kind of database": ({}, {"drivername": "nosuch"}, "nosuch"),
    "table": ({"from": "nowhere"}, {}, "nowhere"),
    "column": ({"high_water": "Nothing"}, {}, "high_water: 'Nothing' is not one of its columns: serial_num, product_n"),
    "query": (of_query("selec * from x"), {}, "syntax"),
    "bytes": (of_query("select cast('x' as {bytes}) as n", high_water="n"), {}, "expected times, dates|max.bytea"),
}


# SQLite has no server
WRONG_OF = [("postgresql", case) for case in WRONG] + [
    ("sqlite", case) for case, (_, changes, _) in WRONG.items() if not changes.keys() & {"password", "port"}
]


@pytest.mark.parametrize(("db", "case"), WRONG_OF, indirect=["db"])
def test_what_keeps_a_source_from_being_read_is_said(site, db, case):
    keys, changes, reason = WRONG[case]
    db.create()
    if "query" in keys:
        keys = keys | {"query": keys["query"].format(bytes="bytea" if db.kind == "postgresql" else "blob")}
    url = db.url.set(**changes).render_as_string(hide_password=False)
    plant = load_plant(site.describe(db.source(**keys) | {"url": url}).folder)
    with pytest.raises((Unreachable, Unreadable), match=reason) as caught:
        for thing in database.find(plant, plant.sources[0], []):
            list(thing.batches())
    assert PASSWORD not in str(caught.value) and "wrong" not in str(caught.value)


# A database that is down for a night must not keep the others' records out, nor lose its own.
def test_a_source_that_cannot_be_read_fails_alone(site, db):
    files = {"name": "tests", "kind": "files", "path": "inbox/*.csv", "table": "test_record"}
    db.execute("create table other (a integer)" if db.kind == "sqlite" else "select 1")
    site.describe(db.source(), files).put_rows("a.csv", GOOD)
    failed, loaded = site.load()
    assert (failed.source, failed.status, loaded.object) == ("mes", "failed", "inbox/a.csv")
    assert re.search(r"can't be read: .*results.*; check url, from, high_water in plant.yml, and the", failed.error)
    assert [row["error"] for row in site.rows("load") if row["status"] == "failed"] == [failed.error]
    db.create()
    db.put("A", db.at)
    assert site.load_one().row_count == 1


# SQLite gives the second one another name.
def test_a_column_that_is_there_twice_fails(site, db):
    db.create()
    site.describe(db.source(**of_query("select 1 as a, 2 as a")))
    assert re.search("'a' is there twice; name them apart in query|found: a, a:1", site.load_one().error)


def test_a_query_without_required_columns_fails(site, db):
    db.create()
    site.describe(db.source(**of_query("select 1 as a")))
    for _ in range(2):
        assert "the required columns serial_num" in site.load_one().error


OVERLAPS = {
    "number for a time": (
        "text",
        "2024-01-08 08:00",
        5,
        "overlap is a number, but high_water a time: say a time, such as",
    ),
    "time for a number": ("bigint", 7, "1 hour", "overlap is a time, but high_water a number: say how many, such as"),
    "anything for text": ("text", "B-1", "1 hour", "overlap can't be reckoned in text that is no ISO 8601 time"),
}


@pytest.mark.parametrize("case", OVERLAPS)
def test_an_overlap_of_another_type_says_so(site, tmp_path, case):
    kind, first, overlap, reason = OVERLAPS[case]
    db = Database("sqlite", sa.URL.create("sqlite", database=str(tmp_path / "x.db")), "results", "text")
    db.create(kind)
    site.describe(db.source(overlap=overlap))
    db.put("A", first)
    assert site.load_one().row_count == 1
    assert reason in site.load_one().error


def test_mariadb_is_read_too(site, mariadb):
    schema = f"mes_{secrets.token_hex(4)}"
    mariadb.execute(f"create database {schema}", user="publisher")
    found = Database("mariadb", mariadb.url.set(database=schema), "results", "datetime(6)")
    found.create()
    site.describe(found.source())
    found.put("AB", PAST)
    assert site.load_one().row_count == 2
    found.put("C", PAST - timedelta(minutes=59))
    assert site.load_one().row_count == 1
    check_nothing_is_new(site)
    assert site.rows()[0]["test_duration_s"] == 1.5


def test_what_is_no_mark_of_the_columns_type_is_none():
    assert [high_water.read("x", like) for like in (5, Decimal(5), PAST, PAST.date())] == [None] * 4
    assert high_water.read("2024-01-01T08:00:00+00:00", PAST) is None


def test_marks_at_the_ends_of_time_are_no_mistake():
    loaded = [("0001-01-01T00:00:00", PAST)]
    assert high_water.beginning(datetime.min, loaded, None, "UTC") is None
    assert high_water.ceiling(datetime.max) == datetime.max
    assert high_water.beginning("2024-13-01", [("2024-13-01", PAST)], None, "UTC") == "2024-13-01"
    future = [("2999-01-01 00:00", PAST)]
    assert high_water.beginning("x", future, 0, "Asia/Singapore") == "2024-01-01 16:00"
    assert high_water.beginning(PAST, [("2999-01-01T00:00:00", PAST)], 0, "Asia/Singapore") == PAST.replace(hour=16)
    assert high_water.beginning(PAST.date(), [("2999-01-01", PAST)], 0, "UTC") == PAST.date()
    zoned = high_water.beginning("x", [("2999-01-01T00:00:00+02:00", PAST)], 0, "UTC")
    assert zoned == "2024-01-01T10:00:00"
    assert not high_water.is_mark(True) and not high_water.is_mark(Decimal("NaN")) and not high_water.is_mark(1.5)


KILLED = """
import os, signal, sys
from pathlib import Path
from ingest import lake, load_all
from ingest.sources import database
from pipeline.paths import Paths
from pipeline.plant import load_plant

database.BATCH_ROWS, batches, arrow_table = 100, int(sys.argv[3]), database.arrow_table
def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)
def counted(names, rows):
    global batches
    batches -= 1
    return arrow_table(names, rows) if batches >= 0 else kill()
database.arrow_table, lake.os.replace = counted, kill
load_all(load_plant(sys.argv[1]), Paths(Path(sys.argv[2])))
"""


# A power cut while the rows come, or before they are in place: the mark must not have moved, and nothing come twice.
def test_a_killed_run_is_made_whole_by_the_next(mes, db):
    batches = {"postgresql": 2, "sqlite": 9}[db.kind]
    db.put("A", db.at)
    first = mes.load_one()
    db.put([f"S{i}" for i in range(350)], db.after(5))
    arguments = [sys.executable, "-c", KILLED, str(mes.folder), str(mes.paths.data), str(batches)]
    assert subprocess.run(arguments, cwd=PROJECT, check=False).returncode == -signal.SIGKILL
    assert [row["load_id"] for row in mes.rows("load") if row["source"] == "mes"] == [first.load_id]
    assert mes.load_one().row_count == 350
    check_nothing_is_new(mes)
    assert mes.count() == 351 == len(set(serials(mes)))
