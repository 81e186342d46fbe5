"""What an operator is told of each source, and what a scheduler of the last attempt."""

import json
import threading

import pytest
from click.testing import CliRunner
from plant_site import GOOD, Site, line

from ingest.__main__ import main
from ingest.status import has_failed, in_words, status
from pipeline.plant import load_plant


def command(site: Site, monkeypatch, *arguments: str):
    monkeypatch.setenv("FIRSTPASS_DATA", str(site.paths.data))
    return CliRunner().invoke(main, ["status", "--plant", str(site.folder), *arguments])


def of(site: Site, source: str = "tests") -> dict:
    found = status(load_plant(site.folder), site.paths)
    return next(it for it in found["sources"] if it["source"] == source)


# The first question of the first evening.
def test_sources_without_a_load_are_listed_and_nothing_is_written(site, monkeypatch):
    site.describe(
        {"name": "tests", "kind": "files", "path": "inbox/*", "table": "test_record"},
        {"name": "benches", "kind": "files", "path": "x/*.xml", "format": "atml"},
        {"name": "demo", "kind": "simulator"},
        {"name": "mes", "kind": "sql", "url": "sqlite:////nowhere", "from": "t", "table": "rework"},
    )
    found = json.loads(command(site, monkeypatch, "--json").output)
    tables = {it["source"]: [table["table"] for table in it["tables"]] for it in found["sources"]}
    assert tables == {
        "tests": ["test_record"],
        "benches": ["test_record", "test_measurement"],
        "demo": [],
        "mes": ["rework"],
        "reference": [],
    }
    assert command(site, monkeypatch).exit_code == 0 and not site.paths.data.exists()


def test_what_came_of_a_source_is_counted(site):
    site.put_rows("a.csv", GOOD, line(test_timestamp="2024-01-03 08:00:00", serial_num="B"), "ragged")
    site.put_rows("b.csv", line(serial_num="C"))
    site.load()
    site.put_rows("b.csv", line(serial_num="C"), line(serial_num="D"))
    site.load()
    (table,) = of(site)["tables"]
    assert table["last_object"] == "inbox/b.csv" and table["newest_event_at"] == "2024-01-03T00:00:00Z"
    assert (table["objects"], table["rows"], table["open_rejects"]) == (2, 5, 1)
    assert table["lag_s"] > 86_400 and table["loaded_at"] <= status(load_plant(site.folder), site.paths)["at"]


# A broken file is told until it is mended or gone, in whichever run it was found; a scheduler hears of it.
def test_what_can_not_be_loaded_is_failed_until_it_is_mended_or_gone(site, monkeypatch):
    file = site.put("[a]\x1b.csv", "")
    site.put_rows("b.csv", GOOD)
    for _ in range(2):
        site.load()
        found = of(site)
        assert found["failed"] == [
            {"table": "test_record", "object": "inbox/[a]\x1b.csv", "reason": "the file is empty"}
        ]
        shown = command(site, monkeypatch)
        assert shown.exit_code == 1
        assert shown.output.splitlines()[-1] == "failed: tests: inbox/[a]\ufffd.csv: the file is empty"
    file.touch()
    site.load()
    assert has_failed(status(load_plant(site.folder), site.paths))
    file.unlink()
    site.load()
    assert of(site)["failed"] == [] and command(site, monkeypatch).exit_code == 0


def test_a_source_that_can_not_be_reached_has_failed_until_it_can(site, tmp_path):
    import sqlite3

    file = tmp_path / "mes.db"
    source = {"kind": "sql", "url": f"sqlite:///{file}", "from": "t", "table": "rework", "path": None}
    site.describe({"name": "mes"} | {key: value for key, value in source.items() if value})
    site.load()
    assert "can't be read" in of(site, "mes")["failed"][0]["reason"]
    with sqlite3.connect(file) as connection:
        connection.execute("create table t (serial_num, rework_timestamp, component, action)")
    site.load()
    assert of(site, "mes")["failed"] == []


def test_what_is_still_written_is_deferred_and_no_failure(site, monkeypatch):
    site.put_rows("a.csv", GOOD)
    versions = iter(range(100))
    with monkeypatch.context() as patch:
        patch.setattr("ingest.sources.files.file_version", lambda path: str(next(versions)))
        site.load()
    shown = command(site, monkeypatch)
    assert shown.exit_code == 0 and "deferred: tests: inbox/a.csv: it changed while it was read" in shown.output


def test_a_source_that_plant_yml_no_longer_has_is_shown_and_no_failure(site):
    site.put("a.csv", "")
    site.put_rows("b.csv", GOOD)
    site.load()
    site.describe(name="others")
    assert of(site)["kind"] == "not in plant.yml" and of(site)["failed"] == []
    assert of(site)["tables"][0]["rows"] == 1 and of(site, "others")["tables"][0]["rows"] == 0


def test_a_wrong_plant_yml_is_one_line(site, monkeypatch):
    site.describe(table=None)
    outcome = command(site, monkeypatch)
    assert outcome.exit_code == 1 and outcome.output.startswith("Error: plant.yml: sources.tests.table: missing")


def test_another_plants_lake_is_refused(site, monkeypatch):
    site.load()
    file = site.folder / "plant.yml"
    file.write_text(file.read_text().replace("Asia/Singapore", "Europe/Berlin"))
    assert "with timezone 'Asia/Singapore', not 'Europe/Berlin'" in command(site, monkeypatch).output
    monkeypatch.setenv("FIRSTPASS_DATA", "/a*")
    assert "expected a path without" in CliRunner().invoke(main, ["status", "--plant", str(site.folder)]).output


# Who asks while the night runs gets what is committed, at once.
def test_status_beside_a_load_that_goes_on(site, monkeypatch):
    site.put_rows("a.csv", GOOD)
    site.load()
    site.put_rows("b.csv", *(line(serial_num=f"S{number}") for number in range(1000)))
    reached, go_on = threading.Event(), threading.Event()
    from ingest.lake import Lake

    commit = Lake.commit

    def slow(self, load):
        reached.set()
        assert go_on.wait(30)
        return commit(self, load)

    monkeypatch.setattr(Lake, "commit", slow)
    loading = threading.Thread(target=site.load)
    loading.start()
    assert reached.wait(30)
    assert of(site)["tables"][0]["rows"] == 1
    go_on.set()
    loading.join()
    assert of(site)["tables"][0]["rows"] == 1001


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (86_400, "24 hours"),
        (172_800, "2 days"),
        (200_000_000, "2,314 days"),
        (-7200, "2 hours ahead"),
    ],
)
def test_lag_in_words(seconds, words):
    assert in_words(seconds) == words
