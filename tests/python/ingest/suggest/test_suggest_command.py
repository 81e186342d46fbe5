"""`python -m ingest suggest FILE`: YAML on stdout, the rest on stderr, nothing anywhere else."""

import gzip
import re
import tempfile
import tracemalloc

import pytest
import yaml
from click.testing import CliRunner
from plant_site import Site, line

from ingest import load_all
from ingest.__main__ import main
from ingest.suggest import head, suggest
from pipeline.paths import PROJECT, Paths
from pipeline.plant import load_plant

HEADER = "SN,Model,Test,Tester,Start Time,P/F,Elapsed"
TEXT = "\n".join([HEADER, *(f"A{n},P,ICT,T1,2024-01-{n % 28 + 1:02} 08:00:00,P,1.5" for n in range(30))]) + "\n"
REAL = PROJECT.parent / "shared" / "real"


def run(*arguments: object):
    return CliRunner().invoke(main, ["suggest", *map(str, arguments)])


# Whoever pipes the entry into plant.yml gets a picture of a table in it, or a plant that does not load.
def test_stdout_is_the_entry_and_stderr_is_for_people(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    (tmp_path / "export_20240131.csv").write_text(TEXT)
    before = sorted(tmp_path.rglob("*"))
    result = run(tmp_path / "export_20240131.csv")
    assert result.exit_code == 0
    (source,) = yaml.safe_load(result.stdout)
    assert source["path"] == str(tmp_path / "export_*.csv")
    assert (source["name"], source["columns"]["serial_num"]) == ("export", "SN")
    assert "would load: 30 records of test_record; would be rejected: 0" in result.stderr
    assert re.search(r"serial_num \* .* SN .* A0, A1 .* 100%", result.stderr)
    assert sorted(tmp_path.rglob("*")) == before


# A scheduler or a script takes a failure for an entry.
def test_without_an_entry_there_is_one_line_and_exit_code_1(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    for arguments, said in (
        ([tmp_path / "empty.csv"], f"Error: {tmp_path}/empty.csv: it is empty\n"),
        ([tmp_path / "empty.csv", "--plant", tmp_path], "plant.yml: not found"),
        ([tmp_path / "empty.csv", "--timezone", "Mars/Base"], "--timezone: 'Mars/Base': expected an IANA time zone"),
    ):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert said in result.stderr


# The way from an unknown file to a first report breaks at its first step, or writes over a plant that is there.
def test_a_new_plant_loads_the_file_that_it_was_made_for(tmp_path):
    (tmp_path / "export.csv").write_text(TEXT)
    plant = tmp_path / "my plant"
    result = run(tmp_path / "export.csv", "--new-plant", plant, "--timezone", "Europe/Berlin")
    assert result.exit_code == 0 and f"next: make run PLANT={plant}" in result.stderr
    loads = load_all(load_plant(plant), Paths(tmp_path / "data"))
    assert [(load.status, load.row_count) for load in loads if load.source == "export"] == [("loaded", 30)]
    assert load_plant(plant).plant.timezone == "Europe/Berlin"
    again = run(tmp_path / "export.csv", "--new-plant", plant)
    assert again.exit_code == 1 and "is there already" in again.stderr
    blocked = run(tmp_path / "export.csv", "--new-plant", tmp_path / "export.csv" / "plant")
    assert blocked.exit_code == 1 and "can't be written" in blocked.stderr


# An entry for a plant bears the name of another source, or the zone of another plant.
def test_a_plant_gives_the_zone_and_a_name_that_is_free(site: Site):
    file = site.put_rows("tests_2024-01-31.csv", line(), line(test_result="maybe"))
    result = run(file, "--plant", site.folder)
    (source,) = yaml.safe_load(result.stdout)
    assert (source["name"], source["path"]) == ("tests-2", "inbox/tests_*.csv")
    assert "unless told they are the plant's, Asia/Singapore" in result.stdout
    assert (
        "would load: 1 records of test_record; would be rejected: 1\n  1: test_result 'maybe' is not" in result.stderr
    )


# What must be chosen is overlooked.
def test_open_questions_are_named_on_the_terminal(tmp_path):
    rows = [f"A{n},B{n},ICT,T1,2024-01-05 08:00:00,P,abc" for n in range(30)]
    (tmp_path / "export.csv").write_text("\n".join(["SN,SerialNo,Test,Tester,Start Time,P/F,junk", *rows]))
    result = run(tmp_path / "export.csv", "--new-plant", tmp_path / "plant")
    assert "to be chosen first: serial_num, product_name" in result.stderr
    assert "choose in it what is to be chosen, then: make run" in result.stderr
    assert re.search(r"serial_num \* .* SN or SerialNo .* choose", result.stderr)
    assert re.search(r"product_name \* .* missing", result.stderr)
    assert re.search(r"_extra .* junk", result.stderr)


# A file of gigabytes is read to its end before anything is said, or fills the memory.
def test_only_the_head_of_a_large_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(head, "HEAD_BYTES", 1 << 19)
    rows = "".join(f'A{n},P,ICT,T1,2024-01-05 08:00:00,P,"1.5"\n' for n in range(15_000))
    file = tmp_path / "large.csv"
    file.write_text(f"{HEADER}\n{rows}")
    with file.open("r+b") as stream:
        stream.truncate(5 << 30)  # the rest is nothing but zeros, which would be no CSV
    tracemalloc.start()
    found = suggest(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.trial.failed is None and found.trial.loaded["test_record"] > 10_000
    assert found.looked_at == "the first 0.5 MB of 5120.0 MB"
    assert peak < 40 << 20
    with gzip.open(tmp_path / "lines.ndjson.gz", "wt") as packed:
        packed.writelines(f'{{"sensor": "S", "time": "2024-01-05 08:00:00", "value": {n}}}\n' for n in range(15_000))
    lines = suggest(tmp_path / "lines.ndjson.gz")
    assert lines.trial.failed is None and lines.trial.rejected == 0 and not lines.sample.head.whole


# Files of real plants are what it is for.
@pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not beside the project")
def test_files_of_real_plants_are_known_or_refused():
    logs = suggest(REAL / "vision_log" / "Line7" / "PR20221013.txt")
    assert (logs.fit.table, logs.entry.source["path"]) == ("machine_cycle", str(REAL / "vision_log/Line7/PR*.txt"))
    assert logs.entry.source["columns"] == {"cycle_timestamp": "c5", "part_present": "c4"}
    assert logs.entry.source["timestamp_format"] == "%m/%d/%y %H:%M:%S.%f"
    assert logs.undecided == ["machine_id"] and logs.trial.rejected == 0
    plan = suggest(REAL / "mes" / "shift_plan.csv")
    assert plan.entry.source["columns"]["planned_start_at"] == {"sql": "Date || ' ' || Hour[12:]"}
    assert (plan.undecided, plan.trial.loaded) == ([], {"production_plan": 2369})
    for name in ("mes/work_orders.csv", "mes/boards_by_hour.csv", "optical_tests/summary_prod.csv"):
        result = run(REAL / name)
        assert (result.exit_code, result.stdout) == (1, "")
