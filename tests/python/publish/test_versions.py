"""Old versions, killed and concurrent publications, other people's clients, file systems without links."""

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from publish import PublishError, current_version, publish
from publish.versions import link, prune

HERE = Path(__file__).parent


def versions(paths):
    return sorted(os.listdir(paths.published / "versions"))


# If this fails, the disk fills up, or a version that is in use is taken away.
def test_the_newest_versions_are_kept(paths, build):
    build(1)
    ids = [publish(paths, keep=3).id for _ in range(5)]
    assert ids == sorted(set(ids))
    assert versions(paths) == ids[-3:]
    assert publish(paths, keep=2).id > ids[-1]
    assert len(versions(paths)) == 2
    with pytest.raises(ValueError, match="at least 2"):
        publish(paths, keep=1)


# If this fails, an older version that somebody went back to is taken away from the readers.
def test_the_current_version_is_never_removed(paths, build):
    build(1)
    first, _, third, fourth = (publish(paths, keep=4) for _ in range(4))
    link(paths.published / "current", f"versions/{first.id}")
    prune(paths.published, keep=2)
    assert versions(paths) == [first.id, third.id, fourth.id]
    assert current_version(paths.published) == first.folder


# If this fails, a dashboard that has a version open breaks when that version is removed.
def test_a_reader_goes_on_with_a_version_that_is_removed(paths, build):
    build(1)
    first = publish(paths)
    with duckdb.connect(first.folder / "marts.duckdb", read_only=True, config={"memory_limit": "64MB"}) as reader:
        build(2)
        for _ in range(3):
            publish(paths, keep=2)
        assert first.id not in versions(paths)
        assert reader.execute("select count(*), max(build) from test_attempt").fetchone() == (4000, 1)


# If this fails, a clock that was set back makes an old version look like the newest.
def test_ids_go_on_rising_when_the_clock_is_set_back(paths, build):
    build(1)
    first = publish(paths)
    future = first.folder.rename(first.folder.with_name("20991231T235959.999999Z"))
    assert publish(paths).id > future.name


# If this fails, a power cut or a kill in the night leaves readers with nothing, with half a version, or with a mixture,
# or keeps the next night from publishing.
def test_a_publication_killed_at_any_moment_does_no_harm(paths, build, publisher, marks):
    build(0)
    publish(paths)
    process = publisher()
    process.stdout.readline()
    began = time.monotonic()
    process.communicate()
    duration = time.monotonic() - began
    chance = random.Random(15)
    outcomes = set()
    for mark in range(1, 16):
        build(mark)
        process = publisher()
        assert process.stdout.readline().startswith("publish: writing")
        time.sleep(chance.uniform(0, duration))
        process.kill()
        process.communicate()
        seen = marks()
        assert seen in ({mark - 1}, {mark})
        outcomes.add(seen == {mark})
        with duckdb.connect(paths.published / "marts.duckdb", read_only=True) as reader:
            assert reader.execute("select count(*), count(distinct load_week) from test_attempt").fetchone() == (
                4000,
                4,
            )
        publish(paths)
        assert marks() == {mark}
        assert not list((paths.published / "versions").glob(".*"))
    assert False in outcomes  # most kills fall before the switch


# If this fails, a night that publishes while the warehouse is being built shows half a build, or says nothing of it.
def test_a_warehouse_that_is_being_built_is_not_published(paths, build, marks):
    build(1)
    publish(paths)
    builder = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb; c = duckdb.connect({str(paths.warehouse)!r}); print('open'); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    with builder:
        builder.stdout.readline()
        with pytest.raises(PublishError, match="not published: .*lock on file"):
            publish(paths)
        builder.communicate("\n")
    assert marks() == {1}


# If this fails, two runs at the same time publish half of each, or one of them gives up.
def test_publications_at_the_same_time_wait_for_each_other(paths, build, publisher, marks):
    build(7)
    processes = [publisher() for _ in range(3)]
    lines = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], lines
    assert len(versions(paths)) == 3
    assert marks() == {7}


# If this fails, a dashboard shows an error, or this night's yields beside last night's quantities, while a new
# version is published.
def test_twenty_readers_never_see_an_error_or_a_mixture(paths, build, publisher, tmp_path):
    build(1)
    publish(paths)
    stop = tmp_path / "stop"
    readers = [
        subprocess.Popen(
            [sys.executable, HERE / "reader.py", paths.published / "marts.duckdb", stop],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(20)
    ]
    try:
        for reader in readers:
            assert reader.stdout.readline() == "ready\n"
        for mark in (2, 3):
            build(mark)
            assert publisher().wait() == 0
        stop.touch()
        results = [json.loads(reader.communicate()[0]) for reader in readers]
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
    assert [result["errors"] for result in results] == [[]] * 20
    assert [result["mixtures"] for result in results] == [[]] * 20
    assert {mark for result in results for mark in result["seen"]} == {1, 2, 3}
    assert min(result["rounds"] for result in results) > 2


# If this fails, there is a moment in which a dashboard finds no file at all: too short for the readers above, not for a
# thousand plants.
def test_the_file_is_there_at_every_moment_of_a_switch(paths, build, tmp_path):
    build(1)
    ids = [publish(paths).id for _ in range(2)]
    stop = tmp_path / "stop"
    watch = """
import os, sys
missing = looks = 0
print("ready", flush=True)
while looks % 1000 or not os.path.exists(sys.argv[2]):
    looks += 1
    try:
        os.stat(sys.argv[1])
    except FileNotFoundError:
        missing += 1
print(looks, missing)
"""
    watcher = subprocess.Popen(
        [sys.executable, "-c", watch, paths.published / "marts.duckdb", stop], stdout=subprocess.PIPE, text=True
    )
    with watcher:
        assert watcher.stdout.readline() == "ready\n"
        for turn in range(5000):
            link(paths.published / "current", f"versions/{ids[turn % 2]}")
        stop.touch()
        looks, missing = map(int, watcher.communicate()[0].split())
    assert looks > 1000
    assert missing == 0


# If this fails, tools whose DuckDB is older than ours can't open the file, or read other figures from it.
def test_clients_read_the_published_file(paths, build, client):
    build(1)
    publish(paths)
    rows, attempts, comments = client(
        paths.published / "marts.duckdb",
        "select count(*), sum(run_number)::bigint, count(error_code) from test_attempt",
        "select sum(attempts)::double, sum(runs)::double from report_weeks",
        "select comment from duckdb_columns() where column_name = 'test_duration_s'",
    )
    assert rows == [[4000, 7999, 572]]
    assert attempts == [[4000, 7999]]
    assert comments == [["Seconds; start to end."]]


# If this fails, a tool that opened the published file for writing, deleted rows and crashed takes them from everybody,
# in every later version too: DuckDB before 1.5 leaves its log beside the link, and replays it on the next version.
@pytest.mark.parametrize("way", ["marts.duckdb", "current/marts.duckdb"])
@pytest.mark.parametrize("guarded", [True, False])
def test_a_client_that_deleted_rows_and_crashed_harms_no_later_version(paths, build, client, way, guarded):
    build(1)
    publish(paths)
    file = paths.published / way
    if not guarded:  # as if somebody had removed the links that stand in the log's place
        (paths.published / "marts.duckdb.wal").unlink()
        (paths.published / "current" / "marts.duckdb.wal").unlink()
    file.chmod(0o644)  # as root, for whom read-only files are none
    (deleted,) = client(file, "delete from test_attempt where run_number < 3", read_only=False, leave="killed")
    logs = [log for log in paths.published.rglob("*.wal") if log.is_file()]
    if guarded:
        assert "Cannot open file" in deleted
        assert logs == []
    else:
        assert deleted == [[2667]]
        assert logs != []
    build(2)
    publish(paths)
    for readable in (file, current_version(paths.published) / "marts.duckdb"):
        assert client(readable, "select count(*), min(build) from test_attempt") == [[[4000, 2]]]


# If this fails, whatever happened to the last version is in the next one, too.
@pytest.mark.parametrize("damage", ["cut", "empty", "gone"])
def test_a_damaged_last_version_does_no_harm(paths, build, marks, damage):
    build(1)
    folder = publish(paths).folder
    if damage == "gone":
        shutil.rmtree(folder)
    else:
        (folder / "marts.duckdb").chmod(0o644)
        os.truncate(folder / "marts.duckdb", 5000 if damage == "cut" else 0)
        shutil.rmtree(folder / "parquet")
    build(2)
    publish(paths)
    assert marks() == {2}


# If this fails, a folder that was copied with its links followed ends every publication without a reason given.
def test_a_folder_where_a_link_belongs_is_named(paths, build):
    build(1)
    first = publish(paths)
    (paths.published / "current").unlink()
    shutil.copytree(first.folder, paths.published / "current", symlinks=True)
    with pytest.raises(PublishError, match="current is a folder where a link belongs"):
        publish(paths)
    assert versions(paths) == [first.id]


# If this fails, a plant that publishes to a Windows share gets nothing, or readers there are not told which version is
# good. No such file system can be mounted in every test run, so here the call fails as it does there.
def test_without_symbolic_links_current_json_names_the_version(paths, build, monkeypatch):
    def refuse(target, path):
        raise PermissionError(errno.EPERM, "Operation not permitted", path)

    monkeypatch.setattr(os, "symlink", refuse)
    for mark in (1, 2, 3):
        build(mark)
        version = publish(paths, keep=2)
        current = json.loads((paths.published / "current.json").read_text())
        assert current_version(paths.published) == version.folder
        with duckdb.connect(paths.published / current["marts"], read_only=True) as reader:
            assert reader.execute("select max(build) from test_attempt").fetchone() == (mark,)
    assert len(versions(paths)) == 2
    assert not any(path.is_symlink() for path in paths.published.rglob("*"))


# If this fails, a place that once had links, and lost them, goes on showing an old version as the current one.
def test_links_that_can_no_longer_be_moved_are_an_error(paths, build, marks, monkeypatch):
    build(1)
    publish(paths)
    monkeypatch.setattr(os, "symlink", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOTSUP, "not supported")))
    build(2)
    with pytest.raises(PublishError, match="remove it"):
        publish(paths)
    assert marks() == {1}
    assert len(versions(paths)) == 1
