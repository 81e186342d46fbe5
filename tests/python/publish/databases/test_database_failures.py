"""Servers that are down or refuse, publishers that are killed or meet another: what is there afterwards."""

import json
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa

from bench.database_servers import PASSWORD
from pipeline.paths import PROJECT
from pipeline.targets import DatabaseTarget
from publish import PublishError, publish
from publish.databases import read_keys, send
from publish.databases.address import Address

PROGRAM = """
import sys
from pathlib import Path
from pipeline.paths import Paths
from pipeline.targets import DatabaseTarget
from publish import Version, current_version
from publish.databases import send
paths = Paths(Path(sys.argv[1]))
folder = current_version(paths.published)
target = DatabaseTarget.model_validate_json(sys.stdin.read())
print("ready", flush=True)
send(paths, Version(folder.name, folder, {}, 0), target, plant="p1", keys={"test_attempt": ("serial_num",
    "test_timestamp")}, progress=lambda text: print(text, flush=True))
"""


def publisher(paths, place):
    """A process of its own that sends the current version."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, paths.data],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    url, schema = place.url.render_as_string(hide_password=False), place.schema
    process.stdin.write(json.dumps({"kind": "database", "url": url} | ({"schema": schema} if schema else {})))
    process.stdin.close()
    return process


# If this fails, what a killed night left is taken for tables, stops every later night, or readers saw half of it.
def test_a_killed_publication_leaves_the_last_version_and_the_next_one_is_right(place, paths, build, publish_into):
    chance = random.Random(1)
    publish_into(place, 1, rows=40_000)
    seen = {1}
    for mark in range(2, 6):
        build(mark, rows=40_000)
        publish(paths)
        process = publisher(paths, place)
        lines = [process.stdout.readline()]
        for _ in range(chance.choice([0, 2, 4, 6, 9, 11])):  # some way into the work
            lines.append(process.stdout.readline())
        time.sleep(chance.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert len(place.marks()) == 1 and place.marks() <= seen | {mark}
        assert len(place.rows("test_attempt")) == 40_000
        if mark % 2:
            publish_into(place, mark, rows=40_000)
            assert place.marks() == {mark}
            assert [name for name in place.tables() if name.endswith(("__new", "__old"))] == []
        seen.add(mark)


# If this fails, a server that is down is told by a traceback, or its password stands in the night's log.
def test_a_server_that_is_down_is_named_without_the_password(paths, build):
    build(1)
    version = publish(paths)
    for scheme in ("postgresql", "mysql"):
        url = sa.URL.create(scheme, "me", PASSWORD, "127.0.0.1", 1, "plant").render_as_string(hide_password=False)
        target = DatabaseTarget(kind="database", url=url)
        assert "s3cret" not in repr(target) + str(target) + repr(target.model_dump())
        with pytest.raises(PublishError, match=r"SQL at 127.0.0.1:1/plant, schema \w+: .*(?i:refused)") as caught:
            send(paths, version, target, plant="p1", keys={})
        assert "s3cret" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_wrong_password_is_not_shown(kind, request, paths, build):
    place = request.getfixturevalue(f"in_{kind}")
    build(1)
    version = publish(paths)
    wrong = place.url.set(password="wr0ng pass/word")
    target = place.target(url=wrong.render_as_string(hide_password=False))
    with pytest.raises(PublishError, match="(?i)password") as caught:
        send(paths, version, target, plant="p1", keys={})
    assert "wr0ng" not in str(caught.value)


# If this fails, an option of the URL that a driver does not know brings the whole URL into the log.
@pytest.mark.parametrize(
    "url", ["postgresql://me:s3cret@127.0.0.1:1/x?no_such=s3cret2", "mysql://me:s3cret@127.0.0.1:1/x?no_such=s3cret2"]
)
def test_what_a_driver_says_of_the_url_is_scrubbed(url, paths, build):
    build(1)
    with pytest.raises(PublishError) as caught:
        send(paths, publish(paths), DatabaseTarget(kind="database", url=url), plant="p1", keys={})
    assert "s3cret" not in str(caught.value)


def test_messages_are_scrubbed_of_every_spelling_and_cut():
    address = Address("postgresql://me:p%40ss%20w@h/d?passfile=/home/secret&options=a&options=b")
    line = address.scrubbed("p@ss w p%40ss%20w p%40ss+w p%40ss w\n/home/secret " + "x" * 500)
    assert line.startswith("*** *** *** *** *** x") and len(line) == 403
    assert address.name == "PostgreSQL at h/d"


@pytest.mark.parametrize(
    "url, message",
    [
        ("nosuchdb://h/d", "nosuchdb at h/d: Can't load plugin: sqlalchemy.dialects:nosuchdb"),
        ("oracle+oracledb://h/d", "oracle at h/d: No module named 'oracledb'"),
        ("mysql://h", "MySQL at h/: the URL names no database: add one, or schema"),
        ("sqlite:////no/such/folder/x.db", "SQLite /no/such/folder/x.db: unable to open database file"),
    ],
)
def test_a_database_that_cannot_be_used_is_named(url, message, paths, build):
    build(1)
    with pytest.raises(PublishError) as caught:
        send(paths, publish(paths), DatabaseTarget(kind="database", url=url), plant="p1", keys={})
    assert str(caught.value) == message


# If this fails, the server's fault of one night makes the next one fail too.
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_server_that_dies_meanwhile_gets_the_next_version(kind, request, paths, build, publish_into):
    place = request.getfixturevalue(f"in_{kind}")
    publish_into(place, 1)
    build(2)
    version = publish(paths)

    def stop_at(text):
        if "report_weeks" in text:
            place.server.stop()

    try:
        with pytest.raises(PublishError, match="report_weeks"):
            send(paths, version, place.target(), plant="p1", keys={}, progress=stop_at)
    finally:
        place.server.stop()
        place.server.start()
    assert place.marks() == {1}
    publish_into(place, 3)
    assert place.marks() == {3}


# If this fails, a second plant, or a typing error in a schema's name, overwrites what is not its own.
def test_tables_of_others_are_not_touched(place, paths, publish_into):
    if place.kind == "postgresql":
        place.execute(f"create schema {place.schema}")
    elif place.kind == "mariadb":
        place.execute(f"create database {place.schema}")
    place.execute(f"create table {place.name('station_day')} (mine int)")
    with pytest.raises(PublishError, match="station_day: there already, but not from Firstpass: name another schema"):
        publish_into(place, 1)
    place.execute(f"drop table {place.name('station_day')}")
    place.execute(f"create table {place.name('mine')} (mine int)")
    publish_into(place, 1)
    assert "mine" in place.tables()
    with pytest.raises(PublishError, match="holds the plant p1: give p2 a schema or database of its own"):
        send(paths, publish(paths), place.target(), plant="p2", keys={})


# If this fails, two machines that publish the same plant leave a mixture.
def test_two_publications_at_once_leave_one_whole(place, paths, build, publish_into):
    publish_into(place, 1)
    build(2)
    version = publish(paths)
    failures, said = [], []

    def send_it():
        try:
            send(paths, version, place.target(), plant="p1", keys={}, progress=said.append, patience=20)
        except PublishError as error:
            failures.append(error)

    threads = [threading.Thread(target=send_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if place.kind != "sqlite":  # has no lock for it: both may fail, as they would write into each other's tables
        assert not failures
        assert len([line for line in said if "changing" in line]) == 1
        assert place.marks() == {2}
    assert len(place.marks()) == 1 and len(place.rows("test_attempt")) == 4000
    publish_into(place, 3)
    assert place.marks() == {3}


# If this fails, a night waits for ever for a publication that hangs.
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_publication_that_hangs_is_not_waited_for_for_ever(kind, request, paths, build, publish_into):
    place = request.getfixturevalue(f"in_{kind}")
    publish_into(place, 1)
    lock = {
        "postgresql": f"select pg_advisory_lock(hashtext('firstpass'), hashtext('{place.schema}'))",
        "mariadb": f"select get_lock('firstpass {place.schema}', 1)",
    }
    with place.engine.connect() as other:
        other.exec_driver_sql(lock[kind])
        with pytest.raises(PublishError, match=f"schema {place.schema}: another publication into it is under way"):
            publish_into(place, 2, patience=1)
    assert place.marks() == {1}


def test_keys_are_those_of_the_tests_in_dbts_manifest(tmp_path):
    assert read_keys(tmp_path / "manifest.json") == {}
    (tmp_path / "manifest.json").write_text(
        '{"nodes": {"model.p.a": {"name": "a"}, "test.p.x": {"test_metadata": {"name": "unique_key", "kwargs": '
        '{"columns": ["b", "c"]}}, "attached_node": "model.p.a"}, "test.p.y": {"test_metadata": {"name": "not_null"}}}}'
    )
    assert read_keys(tmp_path / "manifest.json") == {"a": ("b", "c")}


# If this fails, what another machine wrote into the same new table at the same time reaches readers.
def test_rows_are_counted_before_readers_see_them(in_sqlite, paths, build, publish_into):
    place = in_sqlite
    publish_into(place, 1)
    build(2)

    def disturb(text):
        if text.endswith(": firstpass_version"):
            place.execute("delete from station_day__new")

    with pytest.raises(PublishError, match="table station_day has 0 rows after writing, expected 4"):
        send(paths, publish(paths), place.target(), plant="p1", keys={}, progress=disturb)
    assert place.marks() == {1}
