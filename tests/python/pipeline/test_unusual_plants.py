"""Plants with records that are half bad, without reference data, or without any record."""

import pandas as pd
import pytest
import yaml
from comparison import differences
from nightly_plant import NightlyPlant
from openpyxl import load_workbook

HEADER = "serial_num,product_name,test_name,machine_id,test_timestamp,test_result,test_duration_s"
GOOD = "A{0},P,T,M,2024-01-0{1} 08:00:00,{2},1.5"


def describe(plant: NightlyPlant, *sources: dict) -> None:
    plant.folder.mkdir(exist_ok=True)
    settings = {"name": "p1", "timezone": "Europe/Berlin", "production_day_start": "06:00"}
    (plant.folder / "plant.yml").write_text(yaml.safe_dump({"plant": settings, "sources": list(sources)}))


@pytest.fixture
def plant(tmp_path) -> NightlyPlant:
    return NightlyPlant(tmp_path / "data", tmp_path / "plant", settings={})


FILES = {"name": "tests", "kind": "files", "path": "inbox/*", "table": "test_record"}

CYCLES = {
    "name": "cycles",
    "kind": "files",
    "path": "*.txt",
    "table": "machine_cycle",
    "header": ["cycle_timestamp", "part_present"],
    "where": "part_present in ('0', '1')",
    "columns": {"machine_id": {"path": "(.*)[.]txt"}},
}
"""Without a test record."""


# one bad file stops the night of the whole plant, or its records vanish without a word
def test_bad_records_are_named_and_the_good_ones_counted(plant):
    describe(plant, FILES)
    inbox = plant.folder / "inbox"
    inbox.mkdir()
    good = [GOOD.format(number, 1 + number % 5, "FAIL" if number % 4 == 0 else "PASS") for number in range(20)]
    (inbox / "good.csv").write_text("\n".join([HEADER, *good]) + "\n")
    bad = [
        "B1,P,T,M,2024-01-02 08:00:00,PASS,1.5",
        "B2,P,T,M,2024-01-02 08:00:00,PASS,1.5,one,more",
        "B3,P,T",
        "B4,P,T,M,2024-01-02 08:00:00,perhaps,1.5",
        "B5,P,T,M,2024-01-02 08:00:00 Mars/Base,PASS,1.5",
        "B6,P,T,M,yesterday,PASS,1.5",
        ",P,T,M,2024-01-02 08:00:00,PASS,1.5",
        "B8,P,T,M,2024-01-02 08:00:00+08:00,PASS,1.5",
    ]
    (inbox / "half.csv").write_text("\n".join([HEADER, *bad]) + "\n")
    (inbox / "order.csv").write_text("order,quantity\n1,2\n")
    (inbox / "torn.parquet").write_bytes(b"PAR1 and no more")

    outcome = plant.run_well()
    ends = outcome.out.splitlines()[4:]
    assert len(ends) == 3
    assert ends[0] == "6 records were rejected; `python -m ingest rejects` shows them and their reasons"
    for line, name in zip(ends[1:], ["order.csv", "torn.parquet"], strict=True):
        assert line.startswith(f"failed: inbox/{name}: ") and f"see {plant.data / 'failed'}" in line
    assert len(list((plant.data / "failed").glob("*.reason.txt"))) == 2

    tables = plant.tables()
    assert len(tables["test_attempt"]) == 22
    assert set(tables["test_attempt"].serial_num) == {f"A{number}" for number in range(20)} | {"B1", "B8"}
    findings = tables["data_quality"].groupby("finding").finding_count.sum()
    assert findings["rejected_record"] == 6 and findings["failed_load"] == 2
    assert tables["report_run"].reject_count.item() == 6
    for page in (plant.data / "published" / "reports" / "latest" / "all").iterdir():
        assert page.stat().st_size > 0

    # what was said once is not said every night, and a night without news changes no figure
    quiet = plant.run_well()
    assert len(quiet.out.splitlines()) == 4 and quiet.out.splitlines()[0].endswith("0 rows in 0 loads")
    assert not differences(plant.tables(), tables)


# the first evening with Firstpass ends in an error
def test_an_empty_plant_works_up_to_its_reports(plant):
    describe(plant)
    outcome = plant.run_well()
    assert len(outcome.out.splitlines()) == 4
    assert_without_tests(plant, "empty")
    tables = plant.tables()
    assert {name for name, table in tables.items() if len(table)} <= {"report_run", "route_step"}


# a plant that has connected its machines first has to wait for its testers
def test_a_plant_of_one_cycle_works_up_to_its_reports(plant):
    describe(plant, FILES, CYCLES)
    (plant.folder / "inbox").mkdir()
    (plant.folder / "M1.txt").write_text("2024-01-01 08:00:00,1\n2024-01-01 08:00:01,2\n")
    outcome = plant.run_well()
    assert outcome.out.splitlines()[0].endswith("2 rows in 2 loads, 1 left out")  # with the settings of plant.yml
    assert_without_tests(plant, "2024-01-01")
    tables = plant.tables()
    assert tables["oee_by_machine_day"].groupby("machine_id").produced.sum().to_dict() == {"M1": 1}
    assert not any(len(tables[name]) for name in ("test_attempt", "summary_prod", "station_day", "module_status"))


def assert_without_tests(plant: NightlyPlant, folder: str) -> None:
    run = plant.tables()["report_run"]
    assert (run.record_count.item(), run.plant_name.item()) == (0, "p1") and pd.isna(run.as_of_date.item())
    reports = (plant.data / "published" / "reports" / "latest").resolve()
    assert reports.name == folder
    assert "<html" in (reports / "all" / "yield.html").read_text(encoding="utf-8")
    for workbook in (reports / "all" / "yield.xlsx", reports / "processed_summary_data.xlsx"):
        assert load_workbook(workbook).sheetnames
