"""Forms that come back: what is marked, and what becomes of a form that is corrected."""

import re
import shutil
from datetime import datetime

import openpyxl
import pytest
from filled_form import (
    COMMENT,
    DAY,
    MACHINE,
    MINUTES,
    QUANTITY,
    RESULT,
    SOURCE,
    fill,
    red,
    results,
    returned,
    returns,
    rewrite,
    row,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter
from plant_site import Site

from ingest.forms import returned as returning
from ingest.forms.template import FIRST_ROW, KEY_ROW, SUMMARY_ROW
from ingest.lake import Lake
from pipeline.paths import Paths


@pytest.fixture
def forms(site):
    return site.describe(SOURCE)


def minutes(site):
    return sorted(it["minutes"] for it in site.rows("operator_report"))


def correct(site, change, name="a.xlsx", to="a.xlsx"):
    """As its author does with a returned form."""
    book = openpyxl.load_workbook(returned(site, name))
    change(book.active)
    book.save(site.folder / "inbox" / to)


def summary(file):
    return openpyxl.load_workbook(file).active.cell(SUMMARY_ROW, 1).value


# Whoever wrote a wrong row learns which cell, why, and that the others are loaded.
def test_wrong_cells_are_marked_and_nothing_else_is(forms):
    fill(forms, row(MINUTES=1), row(MINUTES="12,5", MACHINE=None), row(MINUTES=3), {COMMENT: "?"})
    assert (forms.load_one().row_count, minutes(forms)) == (2, [1, 3])
    marked = red(returned(forms))
    assert list(marked) == ["A9", "E9", "A11", "B11", "C11", "D11", "E11", "F11"]
    assert marked["A9"] == "Not loaded: Machine: Fill this in."
    assert marked["E9"] == "Not loaded: Minutes: “12,5” does not fit. A number, at least 0."
    assert marked["B11"] == "Not loaded: Shift date: Fill this in. A date, such as 2024-03-05."
    assert marked["E11"] == marked["F11"] == "Not loaded: Fill in Minutes or Quantity."
    assert [it.split(": ")[0] for it in results(returned(forms))] == ["Loaded", "Not loaded", "Loaded", "Not loaded"]
    assert summary(returned(forms)).startswith("Firstpass: 2 of 4 rows were not loaded. Correct the red cells")
    sheet = openpyxl.load_workbook(returned(forms)).active
    assert sheet["E8"].value == 1 and sheet["B8"].value == datetime(2024, 3, 5) and sheet.protection.sheet
    assert [sheet[at].protection.locked for at in ("A8", "E8", "A9", "E9", "A12", "J9")] == [True] * 2 + [False] * 3 + [
        True
    ]


# A form without a fault does not come back.
def test_a_good_form_is_not_returned(forms):
    fill(forms, row())
    assert forms.load_one().row_count == 1 and returns(forms) == []


# A corrected copy must not count twice what was right at once.
@pytest.mark.parametrize("to", ["a.xlsx", "a (corrected).xlsx", "deep/b.xlsx"])
def test_a_corrected_copy_brings_the_corrected_rows_only(forms, to):
    forms.describe(SOURCE | {"path": "inbox/**/*.xls*"})
    fill(forms, row(MINUTES=1), row(MINUTES="x"), row(MINUTES=3))
    forms.load()
    (forms.folder / "inbox/deep").mkdir()
    correct(
        forms,
        lambda sheet: write(sheet, row(MINUTES=2), row(MINUTES=9), first=9) or write(sheet, row(MINUTES=3), first=10),
        to=to,
    )
    load = forms.load_one()
    assert (load.row_count, load.reject_count) == (1, 0)
    assert minutes(forms) == [1, 2, 3] and returns(forms) == []
    assert forms.load() == []


# What is still wrong comes back again, and only that is red; nothing is rejected twice.
def test_a_copy_that_is_still_wrong_comes_back_again(forms):
    fill(forms, row(MINUTES=1), row(MINUTES="x"), row(MINUTES="y"), row(MINUTES="z"))
    forms.load()
    correct(forms, lambda sheet: write(sheet, row(MINUTES=2), row(MINUTES="y"), row(MINUTES="-"), first=9), to="b.xlsx")
    load = forms.load_one()
    assert (load.row_count, load.reject_count) == (1, 1)
    assert returns(forms) == ["b.xlsx"] and list(red(returned(forms, "b.xlsx"))) == ["E10", "E11"]
    assert summary(returned(forms, "b.xlsx")).startswith("Firstpass: 2 of 4 rows were not loaded")
    assert [it["row"] for it in forms.rows("reject")] == [2, 3, 4, 4]
    keys = [cell.value for cell in openpyxl.load_workbook(returned(forms, "b.xlsx")).active[KEY_ROW]]
    assert len(keys) == RESULT and keys[-1].startswith("firstpass:operator_report._result.")


# A row that was loaded and then changed is another record: the page about forms says so.
def test_a_changed_row_is_another_record_and_a_deleted_one_stays(forms):
    fill(forms, row(MINUTES=1), row(MINUTES=2))
    forms.load()
    fill(forms, row(MINUTES=5))
    assert (forms.load_one().row_count, minutes(forms)) == (1, [1, 2, 5])


# A person's own notes are not ours to throw away.
def test_notes_and_colours_that_were_there_stay(forms):
    def note(sheet):
        sheet["E8"].comment = Comment("ask Kim", "Lee")
        sheet["D8"].comment = Comment("fine", "Lee")
        sheet["A8"].fill = PatternFill("solid", fgColor="FF00FF00")

    fill(forms, row(MINUTES="x"), change=note)
    forms.load()
    sheet = openpyxl.load_workbook(returned(forms)).active
    assert sheet["E8"].comment.text.endswith("A number, at least 0.\n\nNoted before:\nask Kim")
    assert (sheet["E8"].comment.author, sheet["D8"].comment.text) == ("Lee", "fine")
    assert sheet["A8"].fill.fgColor.rgb == "FF00FF00"
    correct(forms, lambda sheet: write(sheet, row(MINUTES=1, MACHINE=None)), to="b.xlsx")
    forms.load()
    sheet = openpyxl.load_workbook(returned(forms, "b.xlsx")).active
    assert (sheet["E8"].comment.text, sheet["E8"].fill.fill_type) == ("ask Kim", None)


# Killed between the two, a load has its answer, or is made again with it.
@pytest.mark.parametrize(("target", "name"), [(Lake, "commit"), (returning, "rename"), (returning.Return, "_remove")])
def test_a_kill_loses_neither_rows_nor_the_return(forms, monkeypatch, target, name):
    fill(forms, row(MINUTES=1), row(MINUTES="x"))
    if name == "_remove":
        forms.load()
        correct(forms, lambda sheet: write(sheet, row(MINUTES=2), first=9), to="b.xlsx")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(target, name, killed)
        forms.load()
    loads = forms.load()
    if name == "_remove":
        assert [(it.object, it.row_count) for it in loads] == [("inbox/b.xlsx", 1)]
        assert returns(forms) == [] and minutes(forms) == [1, 2]
    else:
        assert returns(forms) == ["a.xlsx"] and list(red(returned(forms))) == ["E9"] and minutes(forms) == [1]
        assert loads == [] or loads[0].reject_count == 1


# A disk that is full, or a copy that somebody has open: the form is left to the next run, and the others are loaded.
def test_a_return_that_can_not_be_written_defers_the_form(forms):
    fill(forms, row(MINUTES="x"))
    fill(forms, row(), name="b.xlsx")
    returned(forms).mkdir(parents=True)
    first, second = forms.load()
    assert first.status == "deferred" and "can't be returned" in first.error and second.row_count == 1
    returned(forms).rmdir()
    assert forms.load_one().reject_count == 1 and returns(forms) == ["a.xlsx"]


# A blank form in the inbox is a mistake that somebody would like to know of.
def test_a_form_without_rows_comes_back(forms):
    fill(forms, change=lambda sheet: write(sheet.parent["Examples"], row(), row(), row()))
    assert forms.load_one().row_count == 0
    assert summary(returned(forms)).startswith("Firstpass: this form has no rows.") and red(returned(forms)) == {}
    correct(forms, lambda sheet: write(sheet, row()))
    assert forms.load_one().row_count == 1 and returns(forms) == []


# What openpyxl can't copy is listed in a text, so that its author still learns which rows are wrong.
def test_a_workbook_that_can_not_be_marked_has_its_faults_listed(forms):
    def note(sheet):
        sheet["A8"].comment = Comment("note", "Lee")

    file = fill(forms, row(MINUTES=1), row(MINUTES="x"), change=note)
    rewrite(file, lambda name, content: b"broken" if "/comment" in name else content)
    assert forms.load_one().row_count == 1 and returns(forms) == ["a.xlsx.reason.txt"]
    said = (forms.paths.returned / "tests/a.xlsx.reason.txt").read_text().splitlines()
    assert said[0].startswith("Firstpass: 1 of 2 rows") and said[1].startswith("The workbook could not be marked (")
    assert said[2] == "Operator report, row 9: Minutes: “x” does not fit. A number, at least 0."
    fill(forms, row(MINUTES=1), row(MINUTES="x"), row(MINUTES=3))
    assert forms.load_one().row_count == 1 and returns(forms) == ["a.xlsx"]


# =TODAY() in a row that is loaded would be another record on the next day.
def test_formulas_of_loaded_rows_become_their_values(forms):
    def today(sheet):
        sheet["B8"].value, sheet["B9"].value = "=TODAY()", "=TODAY()"

    def saved(name, xml):
        return xml.replace(b"<f>TODAY()</f><v></v>", b"<f>TODAY()</f><v>45356</v>").replace(
            b"<f>TODAY()</f><v />", b"<f>TODAY()</f><v>45356</v>"
        )

    rewrite(fill(forms, row(), row(MINUTES="x"), change=today), saved)
    assert forms.load_one().row_count == 1 and forms.rows("operator_report")[0]["shift_date"] == DAY
    sheet = openpyxl.load_workbook(returned(forms)).active
    assert (sheet["B8"].value, sheet["B9"].value) == (datetime(2024, 3, 5), "=TODAY()")


def rearrange(sheet):
    sheet.delete_cols(MINUTES, 2)
    sheet.merge_cells("A9:A10")
    for _ in range(SUMMARY_ROW):
        sheet.delete_rows(1)


# Columns that went, merged cells and heads without a free row: the return says what it can, where it can.
def test_rearranged_forms_come_back_too(forms):
    fill(forms, row(), row(), row(), {MACHINE: "M", COMMENT: "beyond", 14: "no heading"}, change=rearrange)
    assert forms.load_one().row_count == 0
    sheet = openpyxl.load_workbook(returned(forms)).active
    said = [text for (text,) in sheet.iter_rows(min_col=13, max_col=13, values_only=True) if text]
    assert said[0] == "Result" and said[2].startswith("firstpass:operator_report._result.")
    assert said[3].endswith("Not loaded: Fill in Minutes or Quantity.")
    assert sheet.cell(1, 1).value == "Machine *"


# Two inboxes, one name: neither may overwrite the other's return.
def test_forms_of_one_name_in_two_folders_are_returned_apart(forms):
    forms.describe(SOURCE | {"path": "inbox/**/*.xlsx"})
    (forms.folder / "inbox/late").mkdir(parents=True)
    fill(forms, row(MINUTES="x"), name="early/a.xlsx")
    fill(forms, row(MINUTES="y"), name="late/a.xlsx")
    forms.load()
    assert returns(forms) == ["early/a.xlsx", "late/a.xlsx"]
    correct(forms, lambda sheet: write(sheet, row()), name="late/a.xlsx", to="late/a.xlsx")
    forms.load()
    assert returns(forms) == ["early/a.xlsx"]


# A form saved by another program has no cells where nothing was, and one style for all columns to the right: what is to
# be filled in must not be locked, and Excel must be able to open the copy.
def test_cells_and_columns_that_were_not_there_can_be_used(forms):
    def change(name, xml):
        if not name.endswith("sheet1.xml"):
            return xml
        return re.sub(rb"<c [^>]*/>", b"", xml).replace(b' min="9" max="9"', b' min="9" max="16384"')

    rewrite(fill(forms, row(MACHINE=None, QUANTITY=1)), change)
    forms.load()
    sheet = openpyxl.load_workbook(returned(forms)).active
    assert (
        not sheet["A8"].protection.locked and sheet["A8"].number_format == "@" and list(red(returned(forms))) == ["A8"]
    )
    places = [(it.min, it.max) for it in sheet.column_dimensions.values()]
    assert places[-2:] == [(9, 9), (10, 10)]


WRONG = {MACHINE: None, 2: "soon", MINUTES: "x", QUANTITY: -1}


# Every row is loaded, or red in just the cells that are wrong.
@settings(max_examples=5)
@given(st.lists(st.sets(st.sampled_from(sorted(WRONG))), min_size=1, max_size=6))
def test_every_row_is_loaded_or_marked(tmp_path_factory, faults):
    folder = tmp_path_factory.mktemp("forms")
    (folder / "plant").mkdir()
    forms = Site(folder / "plant", Paths(folder / "data")).describe(SOURCE)
    fill(forms, *(row(MINUTES=number) | {at: WRONG[at] for at in wrong} for number, wrong in enumerate(faults)))
    load = forms.load_one()
    good = [number for number, wrong in enumerate(faults) if not wrong]
    assert minutes(forms) == good and load.reject_count == len(faults) - len(good)
    expected = [
        f"{get_column_letter(at)}{number}"
        for number, wrong in enumerate(faults, start=FIRST_ROW)
        for at in sorted(wrong)
    ]
    assert (list(red(returned(forms))) if expected else returns(forms)) == expected
    shutil.rmtree(folder)
