"""processed_summary_data.xlsx against the CSVs that plants publish under these headers."""

import csv
import math
from pathlib import Path

import openpyxl
import pytest

from report import render
from tests.python.report.published_marts import build_marts

REAL = Path(__file__).resolve().parents[4] / "shared" / "real" / "optical_tests"
HEADERS = {
    "dbo.summary_machine": "LoadWeek,ProductName,TestName,MachineID,TestCount,PassingRate,Avg_TestDuration_Pass_s,"
    "Avg_TestDuration_Fail_s",
    "dbo.summary_prod_test": "LoadWeek,ProductName,TestName,LoadQty,FirstPassYield,CummYield,TestQty,TestQty_Pass,"
    "Avg_TestDuration_Pass_s,Avg_TestDuration_Fail_s",
    "dbo.summary_prod": "LoadWeek,ProductName,FirstPassYield,CummYield,LoadQty",
}


def rows_of(folder: Path) -> dict[str, list[tuple]]:
    book = openpyxl.load_workbook(folder / "reports" / "latest" / "processed_summary_data.xlsx", read_only=True)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


# A Power BI dashboard built on such a workbook names these sheets and columns: renamed, it shows nothing.
def test_sheets_and_headers_are_those_that_dashboards_read(published):
    assert {title: ",".join(rows[0]) for title, rows in rows_of(published).items()} == HEADERS


@pytest.mark.parametrize(("weeks", "first", "last"), [(5, "W01", "W05"), (60, "2024-W01", "2025-W08")])
def test_load_weeks_name_the_year_only_where_there_are_several(tmp_path, weeks, first, last):
    render(build_marts(tmp_path, weeks=weeks, modules=2))
    labels = [row[0] for row in rows_of(tmp_path)["dbo.summary_prod"][1:]]
    assert (labels[0], max(labels)) == (first, last)


# LoadQty there is the smallest load quantity over the tests: a dashboard's totals would jump with the other one.
def test_load_qty_of_products_is_the_smallest_over_their_tests(published):
    sheets = rows_of(published)
    smallest: dict[tuple, int] = {}
    for week, product, _, load, *_ in sheets["dbo.summary_prod_test"][1:]:
        smallest[week, product] = min(load, smallest.get((week, product), load))
    found = {(week, product): load for week, product, _, _, load in sheets["dbo.summary_prod"][1:]}
    assert found == smallest


def test_an_empty_plant_has_the_headers(empty):
    book = openpyxl.load_workbook(next((empty / "reports").rglob("processed_summary_data.xlsx")), read_only=True)
    assert [",".join(next(sheet.iter_rows(values_only=True))) for sheet in book] == list(HEADERS.values())


# The workbook of a real plant would differ from the one its dashboard was built on.
@pytest.mark.skipif(not REAL.is_dir(), reason="the plant's records and its published CSVs are not on this machine")
def test_equals_what_a_real_plant_published(tmp_path):
    render(build_marts(tmp_path, file=REAL / "test_records.parquet"))
    for title, (header, *found) in rows_of(tmp_path).items():
        with (REAL / f"{title.removeprefix('dbo.')}.csv").open(newline="") as file:
            expected_header, *expected = csv.reader(file)
        assert list(header) == expected_header
        assert len(found) == len(expected)
        keys = sum(name in ("LoadWeek", "ProductName", "TestName", "MachineID") for name in header)
        wanted = {tuple(row[:keys]): row[keys:] for row in expected}
        for row in found:
            for value, text in zip(row[keys:], wanted[row[:keys]], strict=True):
                assert (value is None and text in ("", "NULL")) or math.isclose(value, float(text), rel_tol=1e-6)
