"""A role's workbook of a document. Summary first, then one sheet per mart, definitions last."""

import datetime as dt
import textwrap
from pathlib import Path

from openpyxl import Workbook
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from report.cells import LAST_ROW, render_rows
from report.document import SUMMARY, Document
from report.publication import Publication, Role, Target, last_that_fit, low_limit
from report.workbook_file import FONT, SOFT, STRONG, lay_out_page, new_workbook, put, put_headers, save

WEEKS = 26  # of history in a sheet
PERIODS = ("load_week", "production_date", "production_week_start", "shift_date")
HEADER_ROW = 3
WIDEST = 48
DEFINITION_WIDTH = 100
LINE = 15  # points
LOW = PatternFill("solid", bgColor="FBD9C5")
LOW_FONT = Font(name=FONT, color="8A2B06")
METRICS = {
    "summary_prod_test": ("first_pass_yield", "cumm_yield"),
    "summary_machine": ("passing_rate",),
}
"""Columns coloured below the threshold of their product and test. Rolled yields have none: thresholds are per test."""

STYLE_OF_TYPE = {"VARCHAR": "text", "BOOLEAN": "flag", "DATE": "date", "TIMESTAMP": "moment", "BIGINT": "count"}


class RoleWorkbooks:
    """Writes a document's workbooks of all roles; a mart's rows are rendered when first asked for, once for all."""

    def __init__(self, publication: Publication, document: Document) -> None:
        self.publication, self.document = publication, document
        self._rendered: dict[str, _MartSheet] = {}

    def write(self, role: Role, target: Path) -> None:
        """Writes the role's workbook."""
        workbook, styles = new_workbook()
        sheets = self.document.sheets_of(role, self.publication)
        marts = [name for name in sheets if name != SUMMARY]
        if SUMMARY in sheets:
            self.document.summary(workbook, self.publication, role)
        rows = {}
        for mart in marts:
            if mart not in self._rendered:
                self._rendered[mart] = _MartSheet(self.publication, self.document, mart, styles)
            made = self._rendered[mart]
            made.lay_out(workbook.create_sheet(mart))
            rows[mart] = (made.xml, made.extent)
        _add_definitions(workbook, self.publication, {mart: self.document.sheets[mart] for mart in marts})
        save(workbook, target, self.publication.run.as_of_local, rows)


class _MartSheet:
    """One mart: its columns, its last weeks as XML rows, and the thresholds that apply to them."""

    def __init__(self, publication: Publication, document: Document, mart: str, styles: dict[str, int]) -> None:
        view = document.sheets[mart]
        self.mart = mart
        self.columns = list(publication.definitions(view))
        self.description = publication.description(view)
        kept, self.note = _last_weeks(publication, view)
        self.metrics = [
            metric
            for metric in METRICS.get(mart, ())
            if metric in self.columns and any(target.metric == metric for target in publication.targets)
        ]
        if self.metrics:
            kept = [(*row, *self._limits(row, publication.targets)) for row in kept]
        self.labels = [label(column) for column in self.columns]
        self.labels += [f"Low limit of {label(metric).lower()}" for metric in self.metrics]
        types = publication.types[view]
        self.formats = [document.styles.get(column) or style_of(column, types[column]) for column in self.columns]
        self.formats += ["share"] * len(self.metrics)
        self.xml, self.widths = render_rows(kept, self.formats, styles, HEADER_ROW + 1)
        self.last_row = HEADER_ROW + len(kept)
        self.extent = f"A1:{get_column_letter(len(self.labels))}{self.last_row}"

    def _limits(self, row: tuple, targets: list[Target]) -> list[float | None]:
        cell = dict(zip(self.columns, row, strict=True))
        return [low_limit(targets, metric, cell["product_name"], cell["test_name"]) for metric in self.metrics]

    def lay_out(self, sheet: Worksheet) -> None:
        """Everything of the sheet but its rows."""
        put(sheet, 1, 1, f"{self.mart}: {self.description}" if self.description else self.mart, font=STRONG)
        put(sheet, 2, 1, self.note, font=SOFT)
        put_headers(sheet, HEADER_ROW, self.labels, self.formats)
        lines = 1
        for column, (text, width) in enumerate(zip(self.labels, self.widths, strict=True), 1):
            word = max(len(part) for part in text.split())
            needed = max(width + 2, word + 4, len(text) / 3 + 4)  # + 4: the button of the filter
            wide = sheet.column_dimensions[get_column_letter(column)].width = min(WIDEST, needed)
            lines = max(lines, len(textwrap.wrap(text, int(wide) - 2)))
        sheet.row_dimensions[HEADER_ROW].height = LINE * (lines + 1)  # and a line for the button of the filter
        sheet.freeze_panes = sheet.cell(HEADER_ROW + 1, 1 + self.columns.index(self._last_key()) + 1)
        last_column = get_column_letter(len(self.labels))
        sheet.auto_filter.ref = f"A{HEADER_ROW}:{last_column}{max(self.last_row, HEADER_ROW + 1)}"
        for metric, limit in zip(self.metrics, range(len(self.columns) + 1, len(self.labels) + 1), strict=True):
            first = HEADER_ROW + 1
            value, low = get_column_letter(self.columns.index(metric) + 1), get_column_letter(limit)
            is_low = f"AND(ISNUMBER(${value}{first}),ISNUMBER(${low}{first}),${value}{first}<${low}{first})"
            rule = FormulaRule([is_low], fill=LOW, font=LOW_FONT)
            sheet.conditional_formatting.add(f"{value}{first}:{value}{max(self.last_row, first)}", rule)
        lay_out_page(sheet, f"{HEADER_ROW}:{HEADER_ROW}")

    def _last_key(self) -> str:
        """The last of the first columns that say what a row is of; they stay in view."""
        keys = (*PERIODS, "line_id", "machine_id", "product_name", "test_name", "error_code", "shift_name")
        leading = [column for column in self.columns[:6] if column in keys]
        return leading[-1] if self.columns[0] in keys else self.columns[0]


def label(column: str) -> str:
    """A column's header: `avg_test_duration_pass_s` → Avg test duration pass (s)."""
    words = column[:-2].replace("_", " ") + " (s)" if column.endswith("_s") else column.replace("_", " ")
    return words[:1].upper() + words[1:]


def style_of(column: str, data_type: str) -> str:
    """How a column is shown: by its type; of numbers with a fraction, those in `_s` are seconds, the others shares."""
    if data_type in STYLE_OF_TYPE:
        return STYLE_OF_TYPE[data_type]
    return "seconds" if column.endswith("_s") else "share"


def _last_weeks(publication: Publication, view: str) -> tuple[list[tuple], str]:
    """The rows of the last `WEEKS` weeks, as far as a sheet holds them, and the line that says what is shown."""
    most = LAST_ROW - HEADER_ROW
    columns = publication.definitions(view)
    period = next((column for column in PERIODS if column in columns), None)
    if period is None or "finding" in columns:  # findings may be of no week
        rows = publication.rows(view)
        return rows[:most], f"{len(rows):,} rows" if len(rows) <= most else f"{most:,} of {len(rows):,} rows"
    counts = publication.counts(view, period)
    if not counts:
        return [], "no rows"
    if period == "load_week":
        last = dict(list(counts.items())[-WEEKS:])
    else:
        last = {day: count for day, count in counts.items() if day > max(counts) - dt.timedelta(weeks=WEEKS)}
    periods = last_that_fit(last, most)
    rows = publication.rows(view, since=(period, periods[0]))[:most]
    shown = f"{periods[0]} to {periods[-1]}: {len(rows):,} rows"
    if len(rows) < sum(counts.values()):
        shown += f" of {sum(counts.values()):,}; earlier ones are in the published tables"
    return rows, shown


def _add_definitions(workbook: Workbook, publication: Publication, views: dict[str, str]) -> None:
    """The sheet `definitions`: every column of the workbook's marts, as published with them."""
    sheet = workbook.create_sheet("definitions")
    put_headers(sheet, 1, ["Sheet", "Header", "Column", "Definition"], ["text"] * 4)
    row = 2
    for mart, view in views.items():
        for column, definition in publication.definitions(view).items():
            for place, text in enumerate((mart, label(column), column, definition), 1):
                cell = put(sheet, row, place, text)
                cell.alignment = Alignment(wrap_text=place == 4, vertical="top", horizontal="left", indent=1)
            sheet.row_dimensions[row].height = LINE * max(1, len(textwrap.wrap(definition, DEFINITION_WIDTH + 5)))
            row += 1
    for letter, width in zip("ABCD", (20, 30, 28, DEFINITION_WIDTH), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:D{max(row - 1, 2)}"
    lay_out_page(sheet, "1:1")
