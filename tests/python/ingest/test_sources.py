"""Reference data and the simulator as sources, and what the command says."""

import io
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from plant_site import GOOD, HEADER, line
from rich.console import Console

import ingest.__main__ as command
from ingest import contract_page
from ingest.contract import CONTRACTS, RECORD_TABLES, Contract
from ingest.sources import simulator
from pipeline.paths import PROJECT
from pipeline.plant import PlantError, load_plant

DEMO = PROJECT / "plants" / "demo"


def newest(site, table: str) -> list[dict]:
    """What readers use: the rows of the latest load of a reference table."""
    loads = [row["load_id"] for row in site.rows("load") if row["table_name"] == table and row["status"] == "loaded"]
    return [row for row in site.rows(table) if row["_load_id"] == max(loads)]


def put_tests(site, *names: str) -> None:
    site.folder.joinpath("tests.csv").write_text("test_name\n" + "".join(f"{name}\n" for name in names))


def test_the_plant_itself_is_reference_data(site):
    site.load()
    (row,) = newest(site, "ref_plant")
    expected = {"name": "p1", "timezone": "Asia/Singapore", "production_day_start_minutes": 420}
    assert row | expected | {"serial_reuse_days": None, "wip_stale_days": 28} == row
    file = site.folder / "plant.yml"
    file.write_text(file.read_text().replace("07:00", "06:30"))
    site.load()
    site.load()
    assert [row["production_day_start_minutes"] for row in site.rows("ref_plant")] == [420, 390]


# A table that goes back to what it was must be what it was.
def test_reference_data_follows_its_file(site):
    for names in (["T1"], ["T1", "T2"], ["T1", "T2"], ["T1"]):
        put_tests(site, *names)
        site.load()
        assert [row["test_name"] for row in newest(site, "ref_tests")] == names
    assert len({row["_load_id"] for row in site.rows("ref_tests")}) == 3


def test_vanished_reference_file_is_an_empty_table(site):
    put_tests(site, "T1")
    site.load()
    site.folder.joinpath("tests.csv").unlink()
    site.load()
    site.load()
    assert newest(site, "ref_tests") == []
    assert [row["row_count"] for row in site.rows("load") if row["table_name"] == "ref_tests"] in ([1, 0], [0, 1])
    put_tests(site, "T1")
    site.load()
    assert [row["test_name"] for row in newest(site, "ref_tests")] == ["T1"]


# A broken edit must not empty the table: what was there stays.
def test_broken_reference_file_leaves_what_was_loaded(site):
    put_tests(site, "T1")
    site.load()
    site.folder.joinpath("tests.csv").write_text("")
    site.load()
    assert [row["test_name"] for row in newest(site, "ref_tests")] == ["T1"]


def test_misspelt_reference_file_fails(site):
    site.folder.joinpath("product.csv").write_text("product_name\nP\n")
    site.load()
    (row,) = (row for row in site.rows("load") if row["object"] == "product.csv")
    assert row["status"] == "failed" and "the reference CSVs are " in row["error"] and "products" in row["error"]


def test_csv_that_a_source_names_is_no_reference_data(site):
    site.describe(path="*.csv")
    site.folder.joinpath("records.csv").write_text(f"{HEADER}\n{GOOD}\n")
    assert site.load_one().row_count == 1
    made = {"calendar_day", "calendar_shift"}
    assert {row["table_name"] for row in site.rows("load")} == {"ref_plant", "test_record", *made}


# A new spelling must reach the records of the same run.
def test_spellings_apply_to_the_run_that_brings_them(site):
    site.folder.joinpath("value_spellings.csv").write_text("column_name,spelling,value\ntest_result,Bestanden,pass\n")
    site.put_rows("a.csv", line(test_result="BESTANDEN"))
    site.load()
    site.put_rows("b.csv", line(test_result="bestanden"))
    site.load()
    assert [row["test_result"] for row in site.rows()] == ["pass", "pass"]


@pytest.fixture
def simulated(site):
    """The demo plant's reference data, a hundredth of its volume and a week of it."""
    for file in DEMO.glob("*.csv"):
        site.folder.joinpath(file.name).write_bytes(file.read_bytes())
    return site.describe({"name": "sim", "kind": "simulator", "scale": 0.01, "weeks": 1})


def days(loads) -> set[str]:
    return {load.object.split("days=")[1] for load in loads}


def test_simulator_loads_its_history_then_a_day_at_a_time(simulated):
    first, second, third = (simulated.load() for _ in range(3))
    assert [days(loads) for loads in (first, second, third)] == [{"0-7"}, {"7-8"}, {"8-9"}]
    tables = {"test_record", "rework", "machine_state", "machine_cycle", "sensor_reading"}
    assert {load.table_name for load in first} >= tables
    rows = simulated.rows()
    assert len(rows) == sum(load.row_count for load in first + second + third if load.table_name == "test_record") > 0
    assert simulated.rejects() == []


# A night that broke off between two tables must not lose the second one, nor load the first again.
def test_simulator_repeats_what_is_missing(simulated):
    first = simulated.load()
    last = next(load for load in first if load.table_name == "rework")
    whole = sorted(row["_hash"] for row in simulated.rows(last.table_name))
    (simulated.paths.raw / "load" / f"{last.load_id}.parquet").unlink()
    again = simulated.load()
    assert [(load.table_name, load.object) for load in again] == [(last.table_name, last.object)]
    assert sorted(row["_hash"] for row in simulated.rows(last.table_name)) == whole
    assert days(simulated.load()) == {"7-8"}


def test_simulator_refuses_other_settings_over_the_same_history(simulated):
    simulated.load()
    simulated.describe({"name": "sim", "kind": "simulator", "scale": 0.01, "weeks": 1, "seed": 2})
    with pytest.raises(PlantError, match="the lake holds days simulated with seed=1 .* not seed=2"):
        simulated.load()


def test_plant_that_cannot_be_simulated_says_why(simulated):
    simulated.folder.joinpath("products.csv").unlink()
    with pytest.raises(PlantError, match="can't be simulated"):
        simulated.load()


# What is found only while the days are made must be the same one line.
def test_settings_that_cannot_be_simulated_are_named(simulated):
    simulated.describe({"name": "sim", "kind": "simulator", "scale": 0.01, "weeks": 1, "seed": -1})
    with pytest.raises(PlantError, match="can't be simulated: seed: -1: expected a whole number from 0"):
        simulated.load()


# Faults of machines change test records: days with and without them are no one history.
def test_simulator_refuses_faults_over_a_history_without(simulated):
    simulated.load()
    simulated.describe({"name": "sim", "kind": "simulator", "scale": 0.01, "weeks": 1, "faults": "all"})
    with pytest.raises(PlantError, match="the lake holds days simulated with seed=1 .* not seed=1 .* faults=all"):
        simulated.load()


def test_simulator_yields_batches_of_bounded_size(simulated, monkeypatch):
    monkeypatch.setattr(simulator, "BATCH_ROWS", 100)
    source = load_plant(simulated.folder).sources[0]
    thing = next(iter(simulator.find(load_plant(simulated.folder), source, [])))
    batches = list(thing.batches())
    assert max(len(batch.rows) for batch in batches) == 100
    assert [row for batch in batches for row in batch.rows] == list(range(1, sum(len(b.rows) for b in batches) + 1))


def run(site, monkeypatch, *arguments: str):
    monkeypatch.setenv("FIRSTPASS_DATA", str(site.paths.data))
    return CliRunner().invoke(command.main, [*arguments])


# The last lines are what the night shift reads.
def test_command_says_what_was_loaded_and_what_failed(site, monkeypatch):
    site.put_rows("a.csv", GOOD, "ragged")
    site.put("b.csv", "")
    monkeypatch.setenv("PLANT", str(site.folder))
    result = run(site, monkeypatch)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[:2] == [
        "reference: ref_plant: 1 loaded, 1 rows",
        "tests: test_record: 1 loaded, 1 rows, 1 rejected, 1 failed",
    ]
    assert [line.split(":")[1] for line in lines[2:4]] == [" calendar_day", " calendar_shift"]
    assert lines[4].startswith("1 records were rejected; `python -m ingest rejects` shows them")
    assert lines[5].startswith("failed: inbox/b.csv: the file is empty; see ")
    assert run(site, monkeypatch, "--plant", str(site.folder)).output == "nothing new\n"


def test_command_says_what_is_deferred(site, monkeypatch):
    file = site.put_rows("a.csv", GOOD)
    versions = iter(range(100))
    monkeypatch.setattr("ingest.sources.content.file_version", lambda path: str(next(versions)))
    result = run(site, monkeypatch, "--plant", str(site.folder))
    assert "deferred: inbox/a.csv: it changed while it was read" in result.output
    assert file.exists()


def test_command_fails_when_nothing_can_work(site, monkeypatch):
    site.describe(table="nothing")
    result = run(site, monkeypatch, "--plant", str(site.folder))
    assert result.exit_code == 1
    assert "sources.tests.table: 'nothing' is not a table of records" in result.output


def test_progress_is_shown_on_a_terminal_only():
    shown = {}
    for terminal in (True, False):
        out = io.StringIO()
        with command.Display(Console(file=out, force_terminal=terminal), patience_s=-1) as display:
            for name, rows in (("a[1].csv", 5), ("a[1].csv", 1234), ("b.csv", 1)):
                display(SimpleNamespace(table="test_record", name=name), rows)
            assert [(task.completed, task.visible) for task in display.progress.tasks] == [(1234, False), (1, True)]
        shown[terminal] = out.getvalue()
    assert "test_record from b.csv" in shown[True] and shown[False] == ""


def test_data_contract_page_is_current(site, monkeypatch):
    page = run(site, monkeypatch, "contract").output
    assert page == contract_page.page() == PROJECT.joinpath("docs/data_contract.md").read_text(encoding="utf-8")
    assert all(f"### {table}" in page for table in CONTRACTS)


def test_contracts_cover_the_design():
    assert len(RECORD_TABLES) == 21
    assert all(contract.description.startswith("One row") for contract in CONTRACTS.values())


@pytest.mark.parametrize(
    "mistake", [{"any_of": ["b"]}, {"columns": {"a": {"type": "string", "description": "", "values": "x"}}}]
)
def test_inconsistent_contract_is_refused(mistake):
    entry = {"table": "t", "description": "", "columns": {"a": {"type": "string", "description": ""}}}
    with pytest.raises(ValueError):
        Contract(**entry | mistake)
