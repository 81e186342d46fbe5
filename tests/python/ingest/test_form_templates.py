"""The blank forms: what they offer, what they refuse while one types, and that what they show as right is right."""

from datetime import datetime

import openpyxl
import pytest
from click.testing import CliRunner
from filled_form import SOURCE, blank, fill
from openpyxl.utils import get_column_letter, range_boundaries

from ingest.__main__ import main
from ingest.contract import CONTRACTS
from ingest.forms.form import FORMS
from ingest.forms.template import FIRST_ROW, HINT_ROW, KEY_ROW, LABEL_ROW


def make(site):
    result = CliRunner().invoke(
        main, ["template"], env={"PLANT": str(site.folder), "FIRSTPASS_DATA": str(site.paths.data)}
    )
    assert result.exit_code == 0, result.output
    return result.output


def form(site, name="operator_report"):
    return openpyxl.load_workbook(site.paths.templates / f"{name}.xlsx")


def validations(sheet):
    """By the number of the column."""
    return {range_boundaries(str(it.sqref))[0]: it for it in sheet.data_validations.dataValidation}


# A column that the loader wants and no form has could never be filled in.
@pytest.mark.parametrize(("name", "table"), FORMS.items())
def test_a_form_has_every_column_of_its_table(name, table):
    sheet = blank(name).active
    columns = CONTRACTS[table].columns
    keys = [cell.value for cell in sheet[KEY_ROW]]
    assert keys == [f"firstpass:{table}.{column}" for column in columns]
    labels = [cell.value for cell in sheet[LABEL_ROW]]
    assert all(labels) and [label.endswith(" *") for label in labels] == [it.required for it in columns.values()]
    assert all(it.description in cell.value for it, cell in zip(columns.values(), sheet[HINT_ROW], strict=True))
    assert len(set(labels)) == len(labels) and sheet.row_dimensions[KEY_ROW].hidden


# What people copy from the examples has to load. One source reads all forms: nobody has to sort them into folders.
def test_the_examples_are_rows_that_load_into_the_table_of_their_form(site):
    site.describe(SOURCE)
    for name in FORMS:
        examples = blank(name)["Examples"].iter_rows(min_row=FIRST_ROW, values_only=True)
        rows = ({at: value for at, value in enumerate(row, start=1) if value} for row in examples)
        fill(site, *rows, form=name, name=f"{name}-7.xlsx")
    assert {(it.object, it.table_name, it.row_count, it.reject_count) for it in site.load()} == {
        (f"inbox/{name}-7.xlsx", table, 2, 0) for name, table in FORMS.items()
    }
    assert site.load() == []


# Nobody types the id of a machine right each time.
def test_drop_downs_offer_what_the_reference_data_names(site):
    (site.folder / "machines.csv").write_text("machine_id,line_id\nM2,L1\nM1,L1\n=HYPERLINK(1),\n")
    (site.folder / "routes.csv").write_text("product_name,test_name,sequence\nP9,T,1\n")
    site.describe(SOURCE).load()
    said = make(site)
    assert "drop-downs" not in said and "plant.yml" not in said and str(site.paths.templates / "staffing.xlsx") in said
    book = form(site)
    machine = validations(book.worksheets[0])[1]
    assert (machine.type, machine.formula1, machine.errorStyle) == ("list", "=list_machine_id", "warning")
    (title, place), *_ = book.defined_names["list_machine_id"].destinations
    listed = [cell for (cell,) in book[title][place]]
    assert [cell.value for cell in listed] == ["M2", "M1", "=HYPERLINK(1)"] and listed[2].data_type == "s"
    assert book[title].sheet_state == "hidden"
    assert "list_line_id" in form(site, "staffing").defined_names
    assert "list_product_name" in form(site, "work_orders").defined_names


# A kind of closing that nothing understands would be rejected a day later.
def test_values_of_a_vocabulary_are_the_only_ones_that_can_be_typed():
    book = blank("schedule_changes")
    kind = validations(book.active)[4]
    assert (kind.type, kind.errorStyle, kind.showErrorMessage) == ("list", "stop", True)
    assert [cell.value for (cell,) in book["Lists"]["A2:A5"]] == ["closed", "open", "maintenance", "holiday"]


# A form from before the first run is still a form; and whoever made it learns what is missing.
def test_a_form_without_reference_data_has_no_lists_and_says_so(site):
    said = make(site.describe())
    assert "No reference data is loaded" in said and "No source in plant.yml reads forms" in said
    machine = validations(form(site).active)[1]
    assert machine.type is None and machine.prompt == "The machine." and not machine.showErrorMessage


# Text in a column of numbers is stopped while it is typed, with a message that says what belongs there.
@pytest.mark.parametrize("name", FORMS)
def test_dates_times_and_numbers_are_checked_while_they_are_typed(name):
    sheet = blank(name).active
    kinds = {"date": "date", "timestamp": "date", "double": "decimal", "bigint": "whole"}
    for at, column in enumerate(CONTRACTS[FORMS[name]].columns.values(), start=1):
        found = validations(sheet)[at]
        assert column.values or found.type == kinds.get(column.type)
        assert str(found.sqref).endswith("1048576")
        assert 0 < len(found.promptTitle) <= 32 and 0 < len(found.prompt) <= 255 and len(found.error) <= 255
        cell = sheet.cell(FIRST_ROW, at)
        assert ("yyyy-mm-dd" in cell.number_format) == (column.type in ("date", "timestamp"))
        assert (cell.number_format == "@") == (column.type == "string")
    assert (validations(sheet)[5].formula1 if name == "operator_report" else "0") == "0"


# Heads that somebody overwrites, or that scroll away, leave columns nobody knows the meaning of.
def test_heads_are_locked_and_stay_in_sight():
    book = blank("operator_report")
    sheet = book.active
    assert sheet.protection.sheet and sheet.protection.password is None
    assert all(cell.protection.locked for row in sheet.iter_rows(max_row=KEY_ROW) for cell in row)
    assert not any(cell.protection.locked for row in sheet.iter_rows(min_row=FIRST_ROW) for cell in row)
    assert not any(sheet.column_dimensions[get_column_letter(at)].protection.locked for at in range(1, 10))
    assert sheet.freeze_panes == f"A{FIRST_ROW}" and sheet.print_title_rows == "$5:$6"
    assert sheet.page_setup.orientation == "landscape" and sheet.page_setup.fitToWidth == 1
    examples = book["Examples"]
    assert examples.protection.sheet and all(cell.protection.locked for row in examples.iter_rows() for cell in row)
    values = list(examples.iter_rows(min_row=FIRST_ROW, values_only=True))
    assert values[0][1] == datetime(2024, 3, 5)


# A wrong plant is one line, as everywhere.
def test_a_plant_that_is_none_is_one_line(tmp_path):
    result = CliRunner().invoke(
        main, ["template", "--plant", str(tmp_path)], env={"FIRSTPASS_DATA": str(tmp_path / "data")}
    )
    assert result.exit_code == 1 and "not found; a plant is a folder" in result.output
