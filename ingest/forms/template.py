"""Blank forms: workbooks that are laid out by the contracts, with drop-downs of the names that the plant knows."""

from collections.abc import Iterator
from datetime import date, datetime
from math import ceil
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font, Protection
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.utils.datetime import to_excel
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ingest.contract import CONTRACTS, REFERENCE, VOCABULARIES, Column
from ingest.forms.form import FORMS, expected_of, key_of, label_of, title_of
from ingest.forms.look import DARK, FONT, LINE_HEIGHT, SOFT, WIDTHS, head, hint, put, style_entry
from ingest.lake import PART, Lake, rename

TITLE_ROW, HOW_ROW, WHERE_ROW, SUMMARY_ROW, LABEL_ROW, HINT_ROW, KEY_ROW = range(1, 8)
FIRST_ROW = KEY_ROW + 1
LAST_ROW = 1_048_576
DRAWN_ROWS = 40
"""Rows that are drawn as a table; those below can be filled in as well."""
NAMES = ("_id", "_name", "_code")
"""How columns of reference data end whose values records name."""
LARGEST_NUMBER = "1E+300"


def known_names(lake: Lake) -> dict[str, list[str]]:
    """By column: the names in the reference data that was loaded last, in its order."""
    names: dict[str, dict[str, None]] = {}
    for table, contract in CONTRACTS.items():
        wanted = [name for name in contract.columns if table.startswith(REFERENCE) and name.endswith(NAMES)]
        rows = lake.newest(table) if wanted else None
        for name in wanted:
            found = filter(None, rows[name].to_pylist())
            names.setdefault(name, {}).update(dict.fromkeys(found))
    return {name: list(found) for name, found in names.items() if found}


def write_forms(folder: Path, names: dict[str, list[str]], *, zone: str, inbox: str) -> Iterator[Path]:
    """Writes every form. `names` by column, `zone` of times, `inbox` as plant.yml names it."""
    folder.mkdir(parents=True, exist_ok=True)
    for form in FORMS:
        target = folder / f"{form}.xlsx"
        part = target.with_name(target.name + PART)
        blank_form(form, names, zone=zone, inbox=inbox).save(part)
        rename(part, target)
        yield target


def blank_form(form: str, names: dict[str, list[str]], *, zone: str, inbox: str) -> Workbook:
    return _Form(form, names, zone=zone, inbox=inbox).book


class _Form:
    def __init__(self, form: str, names: dict[str, list[str]], *, zone: str, inbox: str):
        self.table, self.title = FORMS[form], title_of(form)
        self.contract = CONTRACTS[self.table]
        self.lists = {
            name: VOCABULARIES[column.values].values if column.values else names.get(name, [])
            for name, column in self.contract.columns.items()
        }
        self.how = (
            f"{self.contract.description} Columns with * are needed. Times are local times of the plant ({zone}). "
            "The sheet Examples shows rows; it is never loaded."
        )
        self.where = f"Save this workbook under a name of its own and put it into {inbox}."
        self.book = Workbook()
        self._draw_entries(self.book.active)
        self._draw_examples(self.book.create_sheet("Examples"))
        self._write_lists(self.book.create_sheet("Lists"))

    def _draw_entries(self, sheet: Worksheet) -> None:
        sheet.title = self.title
        self._head(sheet, self.how, self.where)
        sheet.row_dimensions[KEY_ROW].hidden = True
        sheet.sheet_format.defaultRowHeight, sheet.sheet_format.customHeight = LINE_HEIGHT, True
        for at, (name, column) in enumerate(self.contract.columns.items(), start=1):
            put(sheet.cell(KEY_ROW, at), key_of(self.table, name))
            below = sheet.column_dimensions[get_column_letter(at)]
            for target in [below, *(sheet.cell(row, at) for row in range(FIRST_ROW, FIRST_ROW + DRAWN_ROWS))]:
                style_entry(target, column)
            validation = self._validation(name, column)
            validation.add(f"{get_column_letter(at)}{FIRST_ROW}:{get_column_letter(at)}{LAST_ROW}")
            sheet.add_data_validation(validation)

    def _draw_examples(self, sheet: Worksheet) -> None:
        self._head(sheet, "Examples of rows, as they are filled in.", "Nothing on this sheet is loaded.")
        sheet.row_dimensions[KEY_ROW].hidden = True
        needed = {*self.contract.required, *self.contract.any_of[:1]}
        for at, (name, column) in enumerate(self.contract.columns.items(), start=1):
            for row in (FIRST_ROW, FIRST_ROW + 1):
                cell = sheet.cell(row, at)
                style_entry(cell, column)
                cell.protection = Protection(locked=True)
                if row == FIRST_ROW or name in needed:
                    put(cell, self._example(name, column))

    def _head(self, sheet: Worksheet, how: str, where: str) -> None:
        """Title, instructions, heads; locked, on top of the screen and of each printed page."""
        columns = self.contract.columns
        for row in range(TITLE_ROW, FIRST_ROW):
            for at in range(1, len(columns) + 1):
                sheet.cell(row, at).font = Font(name=FONT, color=SOFT, size=10)
        put(sheet.cell(TITLE_ROW, 1), self.title).font = Font(name=FONT, bold=True, size=18, color=DARK)
        put(sheet.cell(HOW_ROW, 1), how)
        put(sheet.cell(WHERE_ROW, 1), where)
        lines = 1
        for at, (name, column) in enumerate(columns.items(), start=1):
            letter = get_column_letter(at)
            width = max(WIDTHS[column.type], len(str(column.example)) + 6)
            sheet.column_dimensions[letter].width = width
            head(sheet.cell(LABEL_ROW, at), label_of(name) + (" *" if column.required else ""))
            hint(sheet.cell(HINT_ROW, at), said := self._said(name, column))
            lines = max(lines, ceil(len(said) / (1.2 * width)))
        sheet.row_dimensions[TITLE_ROW].height = 28
        sheet.row_dimensions[LABEL_ROW].height = 20
        sheet.row_dimensions[HINT_ROW].height = 13 * lines
        sheet.freeze_panes = f"A{FIRST_ROW}"
        sheet.sheet_view.showGridLines = False
        sheet.protection.enable()
        sheet.protection.formatColumns = sheet.protection.formatRows = False  # these are allowed
        sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.print_title_rows = f"{LABEL_ROW}:{HINT_ROW}"
        sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "&P / &N"

    def _write_lists(self, sheet: Worksheet) -> None:
        """A column for each drop-down, named so that Excel keeps the reference when it saves the workbook."""
        sheet.sheet_state = "hidden"
        for at, (name, values) in enumerate(((n, v) for n, v in self.lists.items() if v), start=1):
            for row, value in enumerate([label_of(name), *values], start=1):
                put(sheet.cell(row, at), value)
            letter = get_column_letter(at)
            place = f"{quote_sheetname(sheet.title)}!${letter}$2:${letter}${len(values) + 1}"
            self.book.defined_names.add(DefinedName(_list_of(name), attr_text=place))

    def _expected(self, name: str, column: Column) -> str:
        return expected_of(column, listed=bool(self.lists[name]))

    def _said(self, name: str, column: Column) -> str:
        return f"{column.description} {self._expected(name, column)}".rstrip()

    def _validation(self, name: str, column: Column) -> DataValidation:
        """Checked while it is typed. A name that the plant does not know yet may be entered all the same."""
        options = _limits(column)
        if self.lists[name]:
            unknown_is_wrong = column.values and VOCABULARIES[column.values].unknown == "reject"
            options = {
                "type": "list",
                "formula1": f"={_list_of(name)}",
                "errorStyle": "stop" if unknown_is_wrong else "warning",
            }
        return DataValidation(
            **options,
            allow_blank=True,
            showInputMessage=True,
            showErrorMessage=bool(options),
            promptTitle=label_of(name)[:32],
            prompt=self._said(name, column)[:255],
            errorTitle=label_of(name)[:32],
            error=self._expected(name, column)[:225],
        )

    def _example(self, name: str, column: Column) -> object:
        if self.lists[name]:
            return self.lists[name][0]
        if column.type == "date":
            return date.fromisoformat(column.example)
        return datetime.fromisoformat(column.example) if column.type == "timestamp" else column.example


def _limits(column: Column) -> dict:
    """Options of a validation that checks numbers and times; none for text."""
    if column.type in ("date", "timestamp"):
        first, last = (int(to_excel(date(year, *day))) for year, day in ((1900, (3, 1)), (2199, (12, 30))))
        return {"type": "date", "operator": "between", "formula1": str(first), "formula2": str(last)}
    if column.type in ("bigint", "double"):
        low, high = (LARGEST_NUMBER if it is None else f"{it:g}" for it in (column.min, column.max))
        return {
            "type": "whole" if column.type == "bigint" else "decimal",
            "operator": "between",
            "formula1": low if column.min is not None else f"-{low}",
            "formula2": high,
        }
    return {}


def _list_of(name: str) -> str:
    return f"list_{name}"
