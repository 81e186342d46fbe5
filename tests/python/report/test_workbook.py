"""The workbook as Excel reads it: opened again by openpyxl, and its XML where openpyxl would not tell."""

import re
import time
import zipfile

import duckdb
import openpyxl
import pytest

from report import render
from report.cells import clean_text, render_rows
from report.documents import yields
from report.figures import roll
from report.publication import Publication, Role
from report.workbook import HEADER_ROW, RoleWorkbooks
from tests.python.report.published_marts import HOSTILE, build_marts

SHEETS = yields.DOCUMENT.sheets
MARTS = list(SHEETS)


def workbook_of(folder):
    return openpyxl.load_workbook(folder / "reports" / "latest" / "engineering" / "yield.xlsx")


def query(folder, sql):
    with duckdb.connect(str(folder / "marts.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def cell_of(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return clean_text(value) if isinstance(value, str) else value


# A figure in the workbook would differ from the one that everybody else reads.
@pytest.mark.parametrize("folder", ["published", "hostile"])
@pytest.mark.parametrize("mart", MARTS)
def test_every_cell_is_the_published_one(folder, mart, request):
    folder = request.getfixturevalue(folder)
    with Publication(folder) as publication:
        columns = list(publication.definitions(SHEETS[mart]))
        rows = publication.rows(SHEETS[mart])
    expected = [tuple(cell_of(value) for value in row) for row in rows]
    sheet = workbook_of(folder)[mart]
    cells = sheet.iter_rows(min_row=HEADER_ROW + 1, max_col=len(columns), values_only=True)
    found = [tuple(v.date() if hasattr(v, "date") else v for v in row) for row in cells]
    assert len(found) == len(expected) > 0
    assert found == expected


# Opening the workbook would compute what a record says: `=cmd|…` starts a program where Excel lets it.
def test_text_like_a_formula_stays_text(hostile):
    book = workbook_of(hostile)
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    cells = [cell for row in book["summary_prod"].iter_rows(min_row=HEADER_ROW + 1) for cell in row]
    formula_like = [cell for cell in cells if cell.value in ("=1+1", "@SUM(A1)")]
    assert formula_like
    assert all(cell.quotePrefix for cell in formula_like)
    titles = [cell for row in book["summary"].iter_rows() for cell in row if cell.value == "=1+1"]
    assert titles
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in titles)


# Excel calls a file with a control character damaged and drops the sheet.
def test_control_characters_are_shown_as_pictures(hostile):
    names = {row[0] for row in workbook_of(hostile)["summary_prod"].iter_rows(min_col=3, max_col=3, values_only=True)}
    assert "line␇bell␉tab" in names
    assert clean_text("a\x00b\nc\x7f\ud800") == "a␀b␊c␡\ufffd"


# Excel reads `_x0041_` in a cell as the letter A: a lot number would change on its way.
def test_text_that_excel_would_unescape_is_escaped():
    xml, _ = render_rows([("lot_x0041_7",)], ["text"], {"text": 1, "quoted": 2}, 1)
    assert b"lot_x005F_x0041_7" in xml


def test_text_is_cut_at_the_longest_that_excel_takes():
    assert len(clean_text("x" * 40_000)) == 32_767
    assert clean_text("x" * 40_000).endswith("…")


# Readers would scroll without headers, filter by hand and print a page of one column.
@pytest.mark.parametrize("mart", MARTS)
def test_sheets_can_be_filtered_scrolled_and_printed(published, mart):
    sheet = workbook_of(published)[mart]
    assert sheet.freeze_panes is not None
    assert int(re.sub(r"\D", "", sheet.freeze_panes)) == HEADER_ROW + 1
    assert sheet.auto_filter.ref == sheet.dimensions.replace("A1", f"A{HEADER_ROW}")
    assert sheet.print_title_rows == f"${HEADER_ROW}:${HEADER_ROW}"
    assert sheet.page_setup.orientation == "landscape"
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage


# ##### instead of a figure: a column that is narrower than what it shows.
@pytest.mark.parametrize("mart", MARTS)
def test_columns_are_as_wide_as_what_they_show(published, mart):
    sheet = workbook_of(published)[mart]
    for column in sheet.iter_cols(min_row=HEADER_ROW + 1):
        width = sheet.column_dimensions[column[0].column_letter].width
        longest = max(len(shown(cell)) for cell in column)
        assert min(longest, 46) < width <= 48, column[0].column_letter


def shown(cell) -> str:
    if cell.value is None or isinstance(cell.value, str):
        return cell.value or ""
    if cell.is_date:
        return "2024-01-01"
    formats = {"0.0%": "{:.1%}", "#,##0": "{:,.0f}", "#,##0.0": "{:,.1f}"}
    return formats[cell.number_format].format(cell.value)


def test_figures_have_formats_that_people_read(published):
    sheet = workbook_of(published)["summary_prod_test"]
    formats = {sheet.cell(HEADER_ROW, c).value: sheet.cell(HEADER_ROW + 1, c).number_format for c in range(1, 27)}
    assert formats["First pass yield"] == formats["Cumm yield high"] == formats["Retest pass rate"] == "0.0%"
    assert formats["Load qty"] == formats["Pass duration count"] == "#,##0"
    assert formats["Avg test duration pass (s)"] == formats["Pass duration sum (s)"] == "#,##0.0"
    assert formats["Load week start"] == "yyyy-mm-dd"


# A low yield would look like any other; or every one would be coloured, which tells as little.
def test_low_yields_are_coloured_by_the_threshold_beside_them(published):
    sheet = workbook_of(published)["summary_prod_test"]
    headers = [sheet.cell(HEADER_ROW, column).value for column in range(1, sheet.max_column + 1)]
    assert headers[-1] == "Low limit of first pass yield"
    assert {sheet.cell(row, sheet.max_column).value for row in range(HEADER_ROW + 1, sheet.max_row + 1)} == {0.8}
    (rules,) = [(str(area.sqref), area.rules) for area in sheet.conditional_formatting]
    letter = openpyxl.utils.get_column_letter(headers.index("First pass yield") + 1)
    low = openpyxl.utils.get_column_letter(len(headers))
    assert rules[0] == f"{letter}4:{letter}{sheet.max_row}"
    assert rules[1][0].formula == [f"AND(ISNUMBER(${letter}4),ISNUMBER(${low}4),${letter}4<${low}4)"]


# openpyxl hides the axes of its charts and smooths their lines: a yield would seem to overshoot 100 %.
def test_charts_show_their_axes_and_straight_lines(published):
    with zipfile.ZipFile(published / "reports" / "latest" / "engineering" / "yield.xlsx") as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 2
    for chart in charts:
        axes = re.findall(r"<(?:cat|val)Ax>.*?</(?:cat|val)Ax>", chart)
        assert len(axes) == 3
        assert all('<delete val="0"' in axis for axis in axes)
        assert chart.count('smooth val="0"') == 2
        assert 'smooth val="1"' not in chart
        assert 'crosses val="max"' in chart


# The key figures would not be those of the marts.
def test_the_summary_sums_parts_before_it_divides(published):
    sheet = workbook_of(published)["summary"]
    weeks = query(
        published,
        "select load_week, sum(load_qty), sum(unit_first_pass_qty), sum(unit_first_pass_qty) / sum(load_qty), "
        "sum(finished_qty), sum(finished_qty) / sum(load_qty), sum(scrap_qty), sum(wip_qty) "
        "from summary_prod group by all order by all",
    )
    found = list(sheet.iter_rows(min_row=6, max_row=5 + len(weeks), max_col=8, values_only=True))
    for one, other in zip(found, weeks, strict=True):
        assert one[0] == other[0]
        assert one[1:] == pytest.approx(other[1:])
    products = query(
        published,
        "select product_name, product(first), product(cumm) from (select product_name, test_name, "
        "sum(first_pass_qty) / sum(load_qty) as first, sum(cumm_pass_qty) / sum(load_qty) as cumm "
        "from summary_prod_test group by all) group by all order by all",
    )
    start = next(row for row in range(6, 60) if sheet.cell(row, 1).value == "Product") + 1
    found = list(sheet.iter_rows(min_row=start, max_row=start + len(products) - 1, max_col=6, values_only=True))
    for one, other in zip(found, products, strict=True):
        assert one[0] == other[0]
        assert (one[2], one[5]) == pytest.approx(other[1:])


# A test that passed nobody makes the rolled yield 0: left out, or an error, it would hide the worst week of all.
def test_a_rolled_yield_with_a_zero_factor_is_zero_without_an_interval():
    assert roll([("a", 5, 10), ("b", 0, 3)]).value == 0
    assert roll([("a", 5, 10), ("b", 0, 3)]).low is None
    assert roll([]).value is None
    assert roll([("a", 1, 4), ("a", 3, 4), ("b", 4, 4)]).value == pytest.approx(0.5)
    assert roll([("a", 0, 0), ("b", 1, 2)]).value == 0.5


def test_definitions_name_every_column_of_the_sheets(published):
    rows = list(workbook_of(published)["definitions"].iter_rows(min_row=2, values_only=True))
    assert ("summary_prod_test", "Load qty", "load_qty", "Distinct modules that reached the test.") in rows
    assert {row[0] for row in rows} == set(MARTS)


# A role would find figures it was not given.
def test_a_role_gets_only_its_sheets(published, tmp_path):
    with Publication(published) as publication:
        RoleWorkbooks(publication, yields.DOCUMENT).write(
            Role("m", "M", ("topline", "sheet:summary_prod")), tmp_path / "m.xlsx"
        )
    with zipfile.ZipFile(tmp_path / "m.xlsx") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert openpyxl.load_workbook(tmp_path / "m.xlsx").sheetnames == ["summary_prod", "definitions"]
    assert b"M1-1" not in content


# Every night would look like a change to whoever compares or stores the reports.
def test_the_same_figures_give_the_same_bytes(published, monkeypatch):
    files = [path for path in sorted((published / "reports" / "latest").rglob("*")) if path.is_file()]
    before = [path.read_bytes() for path in files]
    time.sleep(2.1)  # zip archives and document properties keep time in steps of two seconds
    render(published)
    assert [path.read_bytes() for path in files] == before


def test_an_empty_plant_has_a_workbook_of_headers(empty):
    book = openpyxl.load_workbook(next((empty / "reports").rglob("yield.xlsx")))
    headers = [cell.value for cell in book["summary_prod"][HEADER_ROW]]
    assert headers[:3] == ["Load week", "Load week start", "Product name"]
    assert book["summary_prod"].max_row == HEADER_ROW


# Excel refuses a file whose sheet has more rows than it knows.
def test_a_sheet_keeps_the_last_weeks_that_fit_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("report.workbook.LAST_ROW", HEADER_ROW + 40)
    render(build_marts(tmp_path))
    sheet = workbook_of(tmp_path)["summary_machine"]
    assert {row[0] for row in sheet.iter_rows(min_row=HEADER_ROW + 1, values_only=True)} == {"2024-W04", "2024-W05"}
    assert sheet.cell(2, 1).value == "2024-W04 to 2024-W05: 36 rows of 90; earlier ones are in the published tables"


def test_hostile_names_are_all_there(hostile):
    names = {row[0] for row in workbook_of(hostile)["summary_prod"].iter_rows(min_col=3, max_col=3, values_only=True)}
    assert {clean_text(name) for name in HOSTILE} <= names
