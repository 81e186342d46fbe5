"""Sheets as people lay them out: titles above, no header, merged cells, a sheet per day, a folder per month."""

import io

import openpyxl
import pytest
from plant_site import GOOD, HEADER_LIST, record

from ingest.formats import merged_cells

REPORT = {
    "table": "operator_report",
    "path": "inbox/**/*.xlsx",
    "sheet": "Shift *",
    "skip_rows": 4,
    "header": ["machine", "category", "minutes", "comment"],
    "fill_merged": True,
    "where": "category is not null and category <> 'Total'",
    "columns": {
        "machine_id": "machine",
        "shift_date": {"cell": "B2"},
        "shift_name": {"sheet": "Shift (.*)"},
        "operator_id": {"cell": "Z99"},
    },
}


def book_of(*sheets: tuple[str, list[list], list[str]]) -> bytes:
    """Title, rows and merged ranges of each."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for title, rows, merged in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for cells in merged:
            sheet.merge_cells(cells)
    book.save(content)
    return content.getvalue()


def shift(title: str, day: str, *rows: list, merged: tuple[str, ...] = ()) -> tuple[str, list[list], list[str]]:
    top = [["Operators' sheet", None, None, None], ["Date", day], [], ["Machine", "What", "min", "Remark"]]
    return title, [*top, *rows], ["A1:D1", *merged]


# The plant's own sheets: without this, somebody types them in again.
def test_free_form_sheets_are_read(site):
    rows = ["M1", "jam", 5, "x"], [None, "setup", 10], [], ["M2", "jam", 1.5], [None, "Total", 16.5]
    early = shift("Shift A", "2024-03-01", *rows, merged=("A5:A6", "A8:A9"))
    late = shift("Shift B", "2024-03-01", ["M1", "jam", 7, "y"], ["M1", "clean", 8], merged=("D5:D6",))
    other = ("Notes", [["Shift", "hello"]], [])
    site.describe(**REPORT).put("History/2024/202403/sheet.xlsx", book_of(early, other, late))
    load = site.load_one()
    assert (load.row_count, load.reject_count, load.filtered_count) == (5, 0, 1)
    rows = site.rows("operator_report")
    assert [
        (row["shift_name"], row["machine_id"], row["category"], row["minutes"], row["comment"]) for row in rows
    ] == [
        ("A", "M1", "jam", 5, "x"),
        ("A", "M1", "setup", 10, None),
        ("A", "M2", "jam", 1.5, None),
        ("B", "M1", "jam", 7, "y"),
        ("B", "M1", "clean", 8, "y"),
    ]
    assert [row["_row"] for row in rows] == [1, 2, 3, 5, 6]
    assert {(str(row["shift_date"]), row["operator_id"]) for row in rows} == {("2024-03-01", None)}


# A month is moved from Current Month to History: its records must not change.
def test_monthly_folders_give_the_same_records(site):
    site.describe(**REPORT | {"path": "inbox/**/*.xlsx"})
    book = book_of(shift("Shift A", "2024-03-01", ["M1", "jam", 5, "x"]))
    site.put("Current Month/a.xlsx", book)
    site.put("History/2024/202403/a.xlsx", book)
    assert [load.row_count for load in site.load()] == [1, 1]
    assert len({row["_hash"] for row in site.rows("operator_report")}) == 1


def test_sheet_that_no_pattern_fits_is_named(site):
    site.describe(sheet="Day *").put("a.xlsx", book_of(("Tag 1", [["x"]], [])))
    assert site.load_one().error == "it has no sheet 'Day *'; it has Tag 1 (sheet: in plant.yml)"


def test_sheet_without_the_part_of_its_title_fails(site):
    site.describe(columns={"lot_number": {"sheet": r"Lot (\d+)"}})
    site.put("a.xlsx", book_of(("Data", [HEADER_LIST, list(record().values())], [])))
    assert site.load_one().error == "columns.lot_number.sheet: 'Lot (\\\\d+)' in plant.yml is not found in 'Data'"


# Rows above the header are those that Excel numbers, blank ones too.
def test_rows_above_the_header_are_skipped(site):
    site.describe(skip_rows=2)
    site.put(
        "a.xlsx", book_of(("x", [["Report"], [], HEADER_LIST, list(record().values()), [None] * 8 + ["beyond"]], []))
    )
    load = site.load_one()
    assert (load.row_count, load.reject_count) == (1, 1)
    assert site.rejects()[0][0] == 2


# A range over a whole sheet is a slip of the hand, or meant to stop the night.
def test_merged_cells_without_bounds_fail(site, monkeypatch):
    monkeypatch.setattr(merged_cells, "MOST_CELLS", 10)
    site.describe(fill_merged=True)
    site.put("a.xlsx", book_of(("x", [HEADER_LIST, GOOD.split(",")], ["A3:B9"])))
    assert site.load_one().error == "the merged cells A3:B9 are more than 10"


@pytest.mark.parametrize("merged", [["H1:I1"], ["C2:D3", "A2:A3"], []])
def test_merged_cells_fill_and_nothing_else_changes(site, merged):
    rows = [["a", "b", "c", "d"], [1, 2, 3, 4], [5, 6, 7, 8], [9]]
    site.describe(fill_merged=True, header=list("abcdefghi"), columns={"serial_num": "a"}, table="test_record")
    content = site.put("a.xlsx", book_of(("x", rows, merged)))
    sheet = openpyxl.load_workbook(content, read_only=True).worksheets[0]
    sheet.reset_dimensions()
    filled = merged_cells.MergedCells(sheet)
    found = [[cell.value for cell in filled.filled(n, row)] for n, row in enumerate(sheet.iter_rows(), start=1)]
    book = openpyxl.load_workbook(content).worksheets[0]
    for cells in merged:
        for row in book[cells]:
            for cell in row:
                value = found[cell.row - 1][cell.column - 1] if cell.row <= len(found) else None
                assert value == book[cells.split(":")[0]].value
    assert found[1][1] == 2 and found[3][0] == 9
