"""processed_summary_data.xlsx: the three summary tables under the names that existing Power BI dashboards read.

Headers, their order and the order of rows are those of the CSVs that the plants publish. `LoadWeek` is `W01` where all
data lies in one ISO year, else `2024-W01`. `LoadQty` of `dbo.summary_prod` is the smallest load quantity over the
product's tests, as there (`min_test_load_qty`), not the modules first tested in the week.
"""

from pathlib import Path

from openpyxl.utils import get_column_letter

from report.cells import LAST_ROW, render_rows
from report.publication import Publication
from report.workbook_file import new_workbook, put, save

SHEETS = {
    "dbo.summary_machine": (
        "report_yield_machine",
        {
            "LoadWeek": "load_week",
            "ProductName": "product_name",
            "TestName": "test_name",
            "MachineID": "machine_id",
            "TestCount": "test_count",
            "PassingRate": "passing_rate",
            "Avg_TestDuration_Pass_s": "avg_test_duration_pass_s",
            "Avg_TestDuration_Fail_s": "avg_test_duration_fail_s",
        },
    ),
    "dbo.summary_prod_test": (
        "report_yield_product_test",
        {
            "LoadWeek": "load_week",
            "ProductName": "product_name",
            "TestName": "test_name",
            "LoadQty": "load_qty",
            "FirstPassYield": "first_pass_yield",
            "CummYield": "cumm_yield",
            "TestQty": "test_qty",
            "TestQty_Pass": "test_qty_pass",
            "Avg_TestDuration_Pass_s": "avg_test_duration_pass_s",
            "Avg_TestDuration_Fail_s": "avg_test_duration_fail_s",
        },
    ),
    "dbo.summary_prod": (
        "report_yield_product",
        {
            "LoadWeek": "load_week",
            "ProductName": "product_name",
            "FirstPassYield": "first_pass_yield",
            "CummYield": "cumm_yield",
            "LoadQty": "min_test_load_qty",
        },
    ),
}
KEYS = ("product_name", "test_name", "machine_id", "load_week")


def write_processed_summary(publication: Publication, target: Path) -> None:
    """Writes the workbook. A table longer than a sheet keeps its last weeks and is named on a further sheet `note`."""
    workbook, styles = new_workbook()
    rendered, cut = {}, []
    for title, (view, columns) in SHEETS.items():
        order = [column for column in KEYS if column in columns.values()]
        rows = publication.rows(view, list(columns.values()), order)
        if len(rows) >= LAST_ROW:
            kept = sorted(rows, key=lambda row: row[0])[-(LAST_ROW - 1) :]
            weeks = {row[0] for row in kept} - {kept[0][0]}
            rows = [row for row in rows if row[0] in weeks]
            cut.append(f"{title}: only {min(weeks)} and later, a sheet holds no more rows")
        years = {row[0][:4] for row in rows}
        if len(years) == 1:
            rows = [(row[0][5:], *row[1:]) for row in rows]
        sheet = workbook.create_sheet(title)
        for column, header in enumerate(columns, 1):
            put(sheet, 1, column, header)
            sheet.column_dimensions[get_column_letter(column)].width = max(12, len(header) + 2)
        formats = ["text" if column in KEYS else "number" for column in columns.values()]
        xml, _ = render_rows(rows, formats, styles, first_row=2)
        rendered[title] = (xml, f"A1:{get_column_letter(len(columns))}{len(rows) + 1}")
    if cut:
        sheet = workbook.create_sheet("note")
        for row, text in enumerate(cut, 1):
            put(sheet, row, 1, text)
    save(workbook, target, publication.run.as_of_local, rendered)
