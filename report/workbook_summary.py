"""The first sheet of yield.xlsx: key figures of the last quarter with native charts, by load week and by product."""

import math

from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, ParagraphProperties
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from report.figures import roll, share
from report.publication import Publication, Role
from report.workbook_file import FONT, SOFT, STRONG, lay_out_page, put, put_headers

WEEKS = 13
TITLE = Font(name=FONT, bold=True, size=16)
QUANTITY, FIRST, SECOND = "C3CFDB", "0072B2", "D55E00"

PRODUCT_COLUMNS = [
    "load_week", "product_name", "load_qty", "unit_first_pass_qty", "finished_qty", "scrap_qty", "wip_qty", "is_mature",
]  # fmt: skip
WEEK_HEADERS = [
    "Load week", "Modules started", "Unit first passes", "Unit first pass yield", "Finished", "Finished share", "Scrap",
    "Work in progress", "State",
]  # fmt: skip
WEEK_STYLES = ["text", "count", "count", "share", "count", "share", "count", "count", "text"]
PRODUCT_HEADERS = [
    "Product", "Modules started", "First pass yield, rolled", "low 95 %", "high 95 %", "Cumm yield, rolled", "low 95 %",
    "high 95 %", "Finished share",
]  # fmt: skip
PRODUCT_STYLES = ["text", "count", "share", "share", "share", "share", "share", "share", "share"]
NOTES = [
    "Unit first pass yield: modules that passed every test of their route at the first run / modules started.",
    "Rolled yields: product over the route's tests of (sum of passes / sum of modules tested) in the weeks shown.",
    "Weeks marked “in work” have modules neither finished nor scrapped: their figures can still change.",
]


def add_summary(workbook: Workbook, publication: Publication, role: Role) -> None:
    """Adds the sheet `summary`."""
    sheet = workbook.create_sheet("summary")
    run = publication.run
    put(sheet, 1, 1, f"Yield {run.plant_name}", font=TITLE)
    as_of = "no test records yet"
    if run.as_of_local:
        as_of = f"data up to {run.as_of_local:%Y-%m-%d %H:%M} ({run.timezone})"
    put(sheet, 2, 1, f"{role.title} · {as_of} · data-quality warnings and errors: {run.finding_count:,}", font=SOFT)
    rows = publication.rows("report_yield_product", PRODUCT_COLUMNS)
    weeks = sorted({row[0] for row in rows})[-WEEKS:]
    if weeks:
        put(sheet, 3, 1, f"Load weeks {weeks[0]} to {weeks[-1]}", font=SOFT)
    recent = [row for row in rows if row[0] in set(weeks)]
    by_week = [_week_row(week, [row for row in recent if row[0] == week]) for week in weeks]
    last = _write_table(sheet, 5, WEEK_HEADERS, WEEK_STYLES, by_week)
    if by_week:
        chart = _chart(
            sheet, range(5, last + 1), quantity=2, yields=(4, 6), title="Modules and unit yields by load week"
        )
        sheet.add_chart(chart, "K5")
    start = max(last + 3, 26)
    by_product = _product_rows(publication, recent, set(weeks))
    last = _write_table(sheet, start, PRODUCT_HEADERS, PRODUCT_STYLES, by_product)
    if by_product:
        shown = range(start, min(last, start + 40) + 1)
        title = "Modules and rolled yields by product"
        chart = _chart(sheet, shown, quantity=2, yields=(3, 6), title=title, lines=False)
        sheet.add_chart(chart, f"K{start}")
    for place, note in enumerate(NOTES, max(last + 2, start + 20)):
        put(sheet, place, 1, note, font=SOFT)
    _lay_out(sheet)


def _week_row(week: str, rows: list[tuple]) -> list[object]:
    load, unit, finished, scrap, wip = (sum(row[place] or 0 for row in rows) for place in range(2, 7))
    state = "mature" if all(row[7] for row in rows) else "in work"
    return [week, load, unit, share(unit, load), finished, share(finished, load), scrap, wip, state]


def _product_rows(publication: Publication, recent: list[tuple], weeks: set[str]) -> list[list[object]]:
    names = ["load_week", "product_name", "test_name", "load_qty", "first_pass_qty", "cumm_pass_qty", "sequence"]
    steps: dict[str, list[tuple]] = {}
    since = ("load_week", min(weeks, default=""))
    for _, product, *rest in publication.rows("report_yield_product_test", names, since=since):
        steps.setdefault(product, []).append(tuple(rest))
    made = []
    for product in sorted({row[1] for row in recent}):
        of_product = [row for row in recent if row[1] == product]
        on_route = [step for step in steps.get(product, []) if step[4] is not None] or steps.get(product, [])
        first = roll((test, passed, load) for test, load, passed, _, _ in on_route)
        cumm = roll((test, passed, load) for test, load, _, passed, _ in on_route)
        load, finished = sum(row[2] for row in of_product), sum(row[4] for row in of_product)
        values = [first.value, first.low, first.high, cumm.value, cumm.low, cumm.high]
        made.append([product, load, *values, share(finished, load)])
    return made


def _write_table(sheet: Worksheet, row: int, headers: list[str], styles: list[str], rows: list[list[object]]) -> int:
    """Gives the number of the table's last row."""
    put_headers(sheet, row, headers, styles)
    sheet.row_dimensions[row].height = 32
    for place, values in enumerate(rows, row + 1):
        for column, (value, style) in enumerate(zip(values, styles, strict=True), 1):
            put(sheet, place, column, value, style=style, font=STRONG if column == 1 else None)
    return row + len(rows)


def _chart(
    sheet: Worksheet, rows: range, *, quantity: int, yields: tuple[int, int], title: str, lines: bool = True
) -> BarChart:
    """Bars of the quantity (left axis), yields on a second axis: lines, or points where categories have no order.

    `rows`: the table's, its header first; `quantity` and `yields`: columns.
    """
    header, last = rows[0], rows[-1]
    categories = Reference(sheet, min_col=1, min_row=header + 1, max_row=last)
    bars = BarChart()
    bars.add_data(Reference(sheet, min_col=quantity, min_row=header, max_row=last), titles_from_data=True)
    bars.set_categories(categories)
    bars.gapWidth = 40
    bars.series[0].graphicalProperties = GraphicalProperties(solidFill=QUANTITY)
    bars.title = title
    bars.title.overlay = False
    bars.title.tx.rich.p[0].pPr = ParagraphProperties(defRPr=CharacterProperties(sz=1200, b=True))
    bars.y_axis.title = sheet.cell(header, quantity).value
    bars.y_axis.number_format = "#,##0"
    bars.y_axis.majorGridlines = None
    bars.y_axis.scaling.min = 0
    rates = LineChart()
    for column, colour, symbol in zip(yields, (FIRST, SECOND), ("circle", "diamond"), strict=True):
        rates.add_data(Reference(sheet, min_col=column, min_row=header, max_row=last), titles_from_data=True)
        series = rates.series[-1]
        series.smooth = False  # openpyxl smooths unless told
        series.marker.symbol, series.marker.size = symbol, 7
        series.marker.graphicalProperties = GraphicalProperties(solidFill=colour, ln=LineProperties(solidFill=colour))
        line = LineProperties(solidFill=colour, w=22_000) if lines else LineProperties(noFill=True)
        series.graphicalProperties = GraphicalProperties(ln=line)
    rates.set_categories(categories)
    rates.y_axis.axId = 200
    rates.y_axis.title = "Yield"
    rates.y_axis.number_format = "0%"
    found = [sheet.cell(row, column).value for row in range(header + 1, last + 1) for column in yields]
    lowest = min((value for value in found if value is not None), default=0)
    rates.y_axis.scaling.min, rates.y_axis.scaling.max = max(0, math.floor(lowest * 10 - 0.5) / 10), 1
    rates.y_axis.majorUnit = 0.1
    rates.y_axis.crosses = "max"
    for axis in (bars.x_axis, bars.y_axis, rates.y_axis):
        axis.delete = False  # openpyxl hides axes unless told
    bars.x_axis.tickLblPos = "low"
    bars += rates
    bars.legend.position = "b"
    bars.width, bars.height = 24, 10.5
    inside = ManualLayout(x=0.08, y=0.12, w=0.84, h=0.62, xMode="edge", yMode="edge", layoutTarget="inner")
    bars.layout = Layout(manualLayout=inside)
    return bars


def _lay_out(sheet: Worksheet) -> None:
    sheet.sheet_view.showGridLines = False
    in_tables = [row for row in range(5, sheet.max_row + 1) if sheet.cell(row, 2).value is not None]
    longest = max((len(str(sheet.cell(row, 1).value)) for row in in_tables), default=10)
    sheet.column_dimensions["A"].width = min(40, max(14, longest + 2))
    for letter in "BCDEFGHI":
        sheet.column_dimensions[letter].width = 12.5
    sheet.column_dimensions["J"].width = 3
    lay_out_page(sheet)
