"""What readers of a database see while it is published into, and what they may do."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.database_servers import PASSWORD
from pipeline.paths import PROJECT
from publish import PublishError

HERE = Path(__file__).parent


# If this fails, a dashboard breaks, is empty, or shows figures of two nights beside each other, while marts come in.
def test_readers_see_one_whole_version_at_any_time(place, publish_into, tmp_path):
    publish_into(place, 1)
    stop = tmp_path / "stop"
    prefix = f"{place.schema}." if place.schema else ""
    readers = [
        subprocess.Popen(
            [sys.executable, HERE / "database_reader.py", stop, prefix],
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    for reader in readers:
        reader.stdin.write(place.url.render_as_string(hide_password=False))
        reader.stdin.close()
    for reader in readers:
        assert reader.stdout.readline() == "ready\n"
    for mark in (2, 3):
        publish_into(place, mark, patience=60)
    stop.touch()
    for reader in readers:
        found = json.loads(reader.stdout.read())
        reader.stdout.close()
        assert reader.wait() == 0
        assert (found["errors"], found["empty"]) == ([], [])
        if place.kind != "mariadb":  # has no transaction over a change of tables
            assert found["mixtures"] == []
        assert set(found["seen"]) <= {1, 2, 3} and 3 in found["seen"] and found["rounds"] > 2


# If this fails, a report that began before the publication shows nothing where there are thousands of rows.
def test_a_transaction_that_began_before_sees_the_new_rows_and_not_nothing(in_postgresql, publish_into):
    place = in_postgresql
    publish_into(place, 1)
    with place.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        assert connection.execute(sa.text("select count(*) from pg_class")).scalar_one() > 0
        publish_into(place, 2)
        tables = ("test_attempt", "module_status", "report_weeks", "firstpass_version")
        counts = [connection.execute(sa.text(f"select count(*) from {place.name(each)}")).scalar() for each in tables]
        assert counts == [4000, 1335, 4, 5]
        assert connection.execute(sa.text(f"select max(build) from {place.name('test_attempt')}")).scalar() == 2


# If this fails, BI tools can't read what was published for them, or can change it.
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_the_reader_may_read_and_not_write(kind, request, publish_into):
    place = request.getfixturevalue(f"in_{kind}")
    for mark in (1, 2):
        publish_into(place, mark, reader="bi")
        for table in ("test_attempt", "report_weeks", "firstpass_version"):
            assert place.execute(f"select count(*) from {place.name(table)}", user="bi")[0][0] > 0
        for statement in ("delete from {}", "drop table {}", "insert into {} select * from {}"):
            with pytest.raises(sa.exc.DBAPIError, match="(?i)denied|must be owner"):
                place.execute(statement.replace("{}", place.name("report_weeks")), user="bi")


# If this fails, what docs/publishing.md tells analysts to type does not work.
@pytest.mark.skipif(not shutil.which("psql"), reason="no psql: apt install postgresql-client")
def test_psql_reads_as_the_reader_and_is_refused_a_write(in_postgresql, publish_into):
    place = in_postgresql
    publish_into(place, 1, reader="bi")
    url = f"postgresql://bi@{place.url.host}:{place.url.port}/{place.url.database}"

    def psql(statement):
        return subprocess.run(
            ["psql", "-X", "-A", "-t", "-c", statement, url],
            env=os.environ | {"PGPASSWORD": PASSWORD},
            check=False,
            capture_output=True,
            text=True,
        )

    weeks = f"select load_week, attempts from {place.name('report_weeks')} order by 1 limit 1"
    read = psql(weeks)
    assert read.stdout + read.stderr == "2024-W01|1000.000\n"
    refused = psql(f"update {place.name('report_weeks')} set attempts = 0")
    assert refused.returncode == 1 and "permission denied for table report_weeks" in refused.stderr


# If this fails, a reader role that is missing is only noticed when nobody can read.
@pytest.mark.parametrize(
    "kind, message", [("postgresql", 'role "nobody_here" does not exist'), ("mariadb", "(?i)user")]
)
def test_a_reader_that_does_not_exist_is_named(kind, message, request, publish_into):
    place = request.getfixturevalue(f"in_{kind}")
    publish_into(place, 1)
    with pytest.raises(PublishError, match=message):
        publish_into(place, 2, reader="nobody_here")
    assert place.marks() == {1}


def test_sqlite_has_no_readers(in_sqlite, publish_into):
    with pytest.raises(PublishError, match=r"marts.db: SQLite has no roles: leave out reader"):
        publish_into(in_sqlite, 1, reader="bi")


# If this fails, an analyst's view is dropped by the night, or shows yesterday for ever.
def test_a_view_on_a_mart_stays_and_shows_the_new_rows(place, publish_into):
    publish_into(place, 1)
    view = place.name("of_mine")
    place.execute(f"create view {view} as select distinct build from {place.name('report_weeks')}")
    for mark in (2, 3):
        publish_into(place, mark)
        assert place.execute(f"select * from {view}") == [(mark,)]
        assert place.marks() == {mark}


# If this fails, a mart that gains a column breaks the view of an analyst, or nobody is told why the night failed.
def test_a_view_on_a_mart_that_changes_is_named(in_postgresql, publish_into):
    place = in_postgresql
    publish_into(place, 1, "create table marts.nasty as select 1 as id")
    place.execute(f"create view {place.name('of_mine')} as select id from {place.name('nasty')}")
    with pytest.raises(PublishError) as caught:
        publish_into(place, 2, "create table marts.nasty as select 1 as id, 2 as other")
    message = f"nasty: its columns changed, but {place.schema}.of_mine stands on it: drop that, and create it again"
    assert message in str(caught.value)
    assert place.marks() == {1}
    place.execute(f"drop view {place.name('of_mine')}")
    publish_into(place, 3, "create table marts.nasty as select 1 as id, 2 as other")
    assert place.rows("nasty") == [(1, 2)] and place.marks() == {3}


# If this fails, a retired mart is read for years as if it were today's.
def test_a_table_that_is_no_longer_published_goes(place, publish_into):
    publish_into(place, 1, "create table marts.nasty as select 1 as id")
    assert "nasty" in place.tables()
    publish_into(place, 2)
    assert "nasty" not in place.tables()
    assert "nasty" not in [row[0] for row in place.rows("firstpass_version")]


def test_a_table_that_is_no_longer_published_stays_while_a_view_stands_on_it(in_postgresql, publish_into):
    place = in_postgresql
    publish_into(place, 1, "create table marts.nasty as select 1 as id")
    place.execute(f"create view {place.name('of_mine')} as select id from {place.name('nasty')}")
    for mark in (2, 3):
        sent = publish_into(place, mark)
        assert sent.notes == [f"nasty is no longer published, and stays as it was: {place.schema}.of_mine stands on it"]
        assert place.rows("nasty") == [(1,)] and place.marks() == {mark}
    place.execute(f"drop view {place.name('of_mine')}")
    publish_into(place, 4)
    assert "nasty" not in place.tables()


# If this fails, a report that runs for hours keeps others from reading, or the night hangs, or nobody knows who it was.
def test_a_long_reader_is_named_and_not_disturbed(place, publish_into):
    publish_into(place, 1)
    with place.engine.connect() as reader:
        rows = reader.execution_options(stream_results=True, max_row_buffer=1).execute(
            sa.text(f"select build from {place.name('test_attempt')}")
        )
        assert rows.fetchone() == (1,)
        with pytest.raises(PublishError) as caught:
            publish_into(place, 2, patience=1)
        assert {row[0] for row in rows} == {1}
    expected = {
        "postgresql": r"could not change tables that are in use for 1 s: .*test_attempt by publisher \(process \d+\)",
        "mariadb": "could not change tables that are in use for 1 s",
        "sqlite": "database is locked",
    }
    assert caught.match(expected[place.kind])
    assert place.marks() == {1}
    publish_into(place, 3)
    assert place.marks() == {3}


# If this fails, a reader that is done in a moment makes the night fail.
def test_a_short_reader_is_waited_for(in_postgresql, publish_into):
    place = in_postgresql
    publish_into(place, 1)
    with place.engine.connect() as reader:
        assert reader.execute(sa.text(f"select max(build) from {place.name('test_attempt')}")).scalar() == 1
        ending = threading.Thread(target=lambda: (time.sleep(3), reader.rollback()))
        ending.start()
        publish_into(place, 2)
        ending.join()
    assert place.marks() == {2}
