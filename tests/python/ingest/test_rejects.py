"""What was rejected is shown to a person, whatever is in it, and the same number everywhere."""

import csv
import json
import re

import pytest
from click.testing import CliRunner
from plant_site import GOOD, HEADER, Site, line

from ingest import compaction, rejects
from ingest.__main__ import main
from ingest.lake import Lake, read_manifest
from ingest.rejects import Selection, examples, grouped, with_open_rejects
from pipeline.plant import load_plant

HOSTILE = "\x1b[31m[red]=1+1\u202e"


def command(site: Site, monkeypatch, *arguments: str):
    monkeypatch.setenv("FIRSTPASS_DATA", str(site.paths.data))
    return CliRunner().invoke(main, ["rejects", "--plant", str(site.folder), *arguments])


def open_loads(site: Site) -> list:
    return with_open_rejects(read_manifest(site.paths.raw))


@pytest.fixture
def rejected(site) -> Site:
    site.put_rows("a.csv", GOOD, *(line(test_result=f"GREAT{number}") for number in range(3)), "ragged", "a,b")
    site.put_rows("b.csv", line(test_duration_s=-1), line(test_duration_s=-2))
    site.load()
    return site


# A thousand rejects for one reason must be one line, not a thousand.
def test_reasons_that_differ_in_a_value_only_are_counted_together(rejected):
    found = [(group.count, group.reason) for group in grouped(rejected.paths.raw, open_loads(rejected), Selection())]
    assert found == [
        (3, "test_result … is not one of pass, fail, error, abort; map it in value_spellings.csv"),
        (2, "test_duration_s is below 0"),
        (2, "… fields instead of …"),
    ]


def test_examples_come_from_the_newest_loads_first_and_no_more_than_asked(rejected):
    def shown(limit: int, **selected) -> list:
        found = examples(rejected.paths.raw, open_loads(rejected), Selection(**selected), limit)
        return [(it.load.object, it.row, json.loads(it.record)) for it in found]

    assert [it[:2] for it in shown(3)] == [("inbox/b.csv", 1), ("inbox/b.csv", 2), ("inbox/a.csv", 5)]
    assert shown(9, reason="FIELDS") == [("inbox/a.csv", 5, "ragged"), ("inbox/a.csv", 6, "a,b")]
    assert shown(0) == shown(9, source="other") == shown(9, table="rework") == []


# A record must not paint the terminal of whoever looks at it, nor hide itself.
def test_hostile_text_is_shown_as_it_is(site, monkeypatch):
    site.put_rows("[bold]=a.csv", line(test_result=HOSTILE))
    site.load()
    shown = command(site, monkeypatch).output
    assert "\x1b" not in shown and "\u202e" not in shown
    assert "[bold]=a.csv, row 1: test_result '\ufffd[31m[red]=1+1\ufffd' is not one of" in shown
    assert '"test_result":"\\u001B[31m[red]=1+1\ufffd"' in shown


def test_a_long_record_is_shown_in_part(site, monkeypatch):
    site.put_rows("a.csv", line(serial_num="S" * 5000, test_result="?"))
    site.load()
    shown = command(site, monkeypatch).output.splitlines()[-1]
    assert len(shown) < 2100 and re.search(r"SSS \.\.\. 5,\d\d\d characters$", shown)


# A name such as =HYPERLINK(...) would be run by the spreadsheet in which the list is opened.
def test_csv_has_them_all_and_no_formula(site, monkeypatch, tmp_path):
    site.describe(path="*.csv", table="test_record")
    site.folder.joinpath("=1+1.csv").write_text(f'{HEADER}\n"a\n""b",x,,,,,\n')
    site.load()
    file = tmp_path / "rejects.csv"
    shown = command(site, monkeypatch, "--csv", str(file), "--limit", "0").output
    assert shown.endswith(f"1 rejects written to {file}\n")
    with file.open(newline="") as stream:
        header, row = csv.reader(stream)
    assert header == ["source", "table_name", "object", "row", "load_id", "reason", "record"]
    assert row[:4] == ["tests", "test_record", "'=1+1.csv", "1"]
    assert json.loads(row[6])["serial_num"] == 'a\n"b'
    assert list(tmp_path.glob("*.part")) == []


def test_a_csv_that_can_not_be_written_is_one_line(rejected, monkeypatch, tmp_path):
    outcome = command(rejected, monkeypatch, "--csv", str(tmp_path / "missing" / "rejects.csv"))
    assert outcome.exit_code == 1 and outcome.output.startswith("Error: [Errno 2] No such file or directory")


def test_nothing_waits_in_an_empty_lake(site, monkeypatch):
    assert command(site, monkeypatch).output == "no rejects wait\n"
    assert not site.paths.raw.exists()


def test_another_plants_rejects_are_refused(rejected, monkeypatch):
    file = rejected.folder / "plant.yml"
    file.write_text(file.read_text().replace("name: p1", "name: p2"))
    outcome = command(rejected, monkeypatch)
    assert outcome.exit_code == 1 and "holds records of a plant with name 'p1', not 'p2'" in outcome.output


# A run that compacts the lake meanwhile must not count a reject twice, nor end the command.
def test_a_compaction_meanwhile_changes_no_count(rejected, monkeypatch):
    before = grouped(rejected.paths.raw, open_loads(rejected), Selection())
    lake = Lake(rejected.paths, load_plant(rejected.folder))
    with monkeypatch.context() as patch:
        patch.setattr(compaction, "_remove_replaced", lambda folder: None)
        compaction.compact(lake, most_files=1)
    assert len(list((rejected.paths.raw / "reject").glob("2*.parquet"))) == 2
    assert grouped(rejected.paths.raw, open_loads(rejected), Selection()) == before
    calls = []

    def disturbed(files):
        calls.append(files)
        if len(calls) == 1:
            compaction.finish(lake)
            raise FileNotFoundError
        return len(files)

    assert rejects.read_settled(rejected.paths.raw / "reject", disturbed) == 2 and len(calls) == 2
    with pytest.raises(BlockingIOError, match="try again when the run is over"):
        rejects.read_settled(rejected.paths.raw / "reject", _gone)


def _gone(files):
    raise FileNotFoundError
