"""Acceptance: real test records, and the three summary tables that their plant published of them."""

import os
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml
from nightly_plant import NightlyPlant

from pipeline.paths import PROJECT

REAL = Path(os.environ.get("FIRSTPASS_REAL") or PROJECT.parent / "shared" / "real") / "optical_tests"

pytestmark = pytest.mark.skipif(
    not REAL.is_dir(), reason=f"no real records in {REAL}: FIRSTPASS_REAL=<folder that holds optical_tests> names them"
)

KEYS = {"LoadWeek": "load_week", "ProductName": "product_name", "TestName": "test_name", "MachineID": "machine_id"}
MEASURES = {
    "summary_machine": {
        "TestCount": "test_count",
        "PassingRate": "passing_rate",
        "Avg_TestDuration_Pass_s": "avg_test_duration_pass_s",
        "Avg_TestDuration_Fail_s": "avg_test_duration_fail_s",
    },
    "summary_prod_test": {
        "LoadQty": "load_qty",
        "FirstPassYield": "first_pass_yield",
        "CummYield": "cumm_yield",
        "TestQty": "test_qty",
        "TestQty_Pass": "test_qty_pass",
        "Avg_TestDuration_Pass_s": "avg_test_duration_pass_s",
        "Avg_TestDuration_Fail_s": "avg_test_duration_fail_s",
    },
    "summary_prod": {"FirstPassYield": "first_pass_yield", "CummYield": "cumm_yield", "LoadQty": "min_test_load_qty"},
}
COUNTS = {"TestCount", "LoadQty", "TestQty", "TestQty_Pass"}


@pytest.fixture(scope="module")
def optical(tmp_path_factory: pytest.TempPathFactory) -> NightlyPlant:
    """A folder with only a plant.yml, after its first night."""
    folder = tmp_path_factory.mktemp("optical")
    source = {
        "name": "optical-tests",
        "kind": "files",
        "path": str(REAL / "test_records.parquet"),
        "table": "test_record",
    }
    settings = {"name": "optical", "timezone": "Asia/Singapore", "production_day_start": "07:00"}
    (folder / "plant.yml").write_text(yaml.safe_dump({"plant": settings, "sources": [source]}))
    plant = NightlyPlant(folder / "data", folder, settings={})
    outcome = plant.run_well()
    assert len(outcome.out.splitlines()) == 4, outcome.out
    return plant


def published_by_the_plant(table: str) -> pd.DataFrame:
    return pd.read_csv(REAL / f"{table}.csv", keep_default_na=False, na_values=[""])


def assert_equal_tables(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Every row on both sides; counts exactly, rates and durations within 1e-6 relative."""
    keys = [name for name in KEYS if name in expected]
    assert not expected.duplicated(keys).any() and len(expected) > 0
    found, expected = (table.sort_values(keys, ignore_index=True) for table in (found, expected))
    pd.testing.assert_frame_equal(found[keys], expected[keys], check_dtype=False)
    for name in expected.columns.difference(keys):
        tolerance = {"rtol": 0, "atol": 0} if name in COUNTS else {"rtol": 1e-6, "atol": 0}
        pd.testing.assert_series_equal(
            found[name].astype(float), expected[name].astype(float), check_exact=False, obj=name, **tolerance
        )


# the figures are not those that the plant's engineers know
@pytest.mark.parametrize("table", MEASURES)
def test_a_summary_table_equals_the_one_that_the_plant_published(table, optical):
    expected = published_by_the_plant(table)
    names = {name: column for name, column in (KEYS | MEASURES[table]).items() if name in expected}
    assert set(names) == set(expected)
    found = optical.tables()[table]
    assert set(found.load_week.str[:5]) == {"2024-"}
    found = found.assign(load_week=found.load_week.str[5:])[list(names.values())].set_axis(list(names), axis=1)
    assert_equal_tables(found, expected)


# a dashboard that was built on the plant's workbook does not open on ours
def test_the_workbook_has_the_same_sheets_headers_and_values(optical):
    file = optical.data / "published" / "reports" / "latest" / "processed_summary_data.xlsx"
    workbook = openpyxl.load_workbook(file, read_only=True)
    assert workbook.sheetnames == [f"dbo.{table}" for table in MEASURES]
    for table in MEASURES:
        header, *rows = workbook[f"dbo.{table}"].iter_rows(values_only=True)
        expected = published_by_the_plant(table)
        assert list(header) == list(expected.columns)
        assert_equal_tables(pd.DataFrame(rows, columns=header), expected)


# records are lost, or counted twice, or a report stays empty
def test_every_real_record_is_counted_and_reported(optical):
    tables = optical.tables()
    run = tables["report_run"]
    assert (run.record_count.item(), run.reject_count.item()) == (630_649, 0)
    assert tables["test_attempt"].copy_count.sum() == 630_649
    page = optical.data / "published" / "reports" / "latest" / "all" / "yield.html"
    assert 0 < page.stat().st_size <= 3_000_000
