"""Forms that were filled in: each row is loaded or rejected, whatever became of the workbook on its way."""

import re
import zipfile
from datetime import datetime, time

import pytest
from filled_form import DAY, MACHINE, REASON, SOURCE, fill, rewrite, row, write
from openpyxl.chart import LineChart
from openpyxl.styles import PatternFill

from ingest.forms import cells, entries
from ingest.forms.template import FIRST_ROW, KEY_ROW, LABEL_ROW
from ingest.sources.content import Content

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def forms(site):
    return site.describe(SOURCE)


def minutes(site):
    return [it["minutes"] for it in site.rows("operator_report")]


def on_sheet(change):
    return lambda name, content: change(content) if name == SHEET else content


# A time in a form is the clock on the wall.
def test_times_are_local_to_the_plant(forms):
    fill(forms, {1: "QI-1", 2: datetime(2024, 3, 5, 8, 30), 3: "open"}, form="quality_issues")
    forms.load()
    (event,) = forms.rows("quality_issue")
    assert (event["event_at"], event["event_at_local"]) == (datetime(2024, 3, 5, 0, 30), datetime(2024, 3, 5, 8, 30))


CELLS = [
    ({"MINUTES": "7.5"}, {"minutes": 7.5}),
    ({"MACHINE": 7}, {"machine_id": "7"}),
    ({"MACHINE": " 007 "}, {"machine_id": "007"}),
    ({"DATE": "2024-03-05"}, {"shift_date": DAY}),
    ({"DATE": 45356}, {"shift_date": DAY}),
    ({"COMMENT": "'=1+1"}, {"comment": "=1+1"}),
    ({"COMMENT": "<b>\nline"}, {"comment": "<b>\nline"}),
    ({"DATE": "05.03.2024"}, "shift_date is not a date YYYY-MM-DD"),
    ({"DATE": time(8, 30)}, "shift_date is not a date YYYY-MM-DD"),
    ({"MINUTES": "12,5"}, "minutes is not a finite number; minutes or quantity is missing"),
    ({"MINUTES": None}, "minutes or quantity is missing"),
    ({"MACHINE": " "}, "machine_id is missing"),
    ({"MACHINE": "#N/A"}, "Machine: The cell holds the error #N/A. Type the value itself."),
    ({"COMMENT": "=1+1"}, "Comment: The value of this formula was not saved. Type the value itself."),
]


# What Excel shows alike may be text, a number or a formula: it counts, or it is said why it does not.
def test_a_cell_is_loaded_or_said_to_be_wrong(forms):
    fill(forms, *(row(**values) for values, _ in CELLS))
    load = forms.load_one()
    assert load.row_count + load.reject_count == len(CELLS)
    loaded = {it["_row"]: it for it in forms.rows("operator_report")}
    rejected = {number: reason for number, _, reason in forms.rejects()}
    for number, (_, expected) in enumerate(CELLS, start=1):
        assert rejected[number] == expected if isinstance(expected, str) else loaded[number].items() >= expected.items()


# A formula that was saved with its value says that value; an empty one says nothing.
def test_saved_values_of_formulas_are_read(forms):
    file = fill(forms, row(MINUTES="=6*2", REASON="=IF(1,K1,K1)"))
    saved = [(b"<f>6*2</f><v/>", b"<f>6*2</f><v>12</v>"), (b"<f>IF(1,K1,K1)</f><v/>", b"<f>IF(1,K1,K1)</f><v></v>")]

    def change(xml):
        xml = re.sub(rb"<v ?/>|<v></v>", b"<v/>", xml)
        for old, new in saved:
            assert old in xml
            xml = xml.replace(old, new)
        return re.sub(rb'(<c r="G8"[^>]*?)( t="\w+")?>', rb'\1 t="str">', xml)

    rewrite(file, on_sheet(change))
    assert forms.load_one().row_count == 1
    assert [(it["minutes"], it["reason_code"]) for it in forms.rows("operator_report")] == [(12, None)]


def move(sheet):
    """As somebody does who has taken the protection off."""
    sheet.title = "Tuesday"
    sheet.delete_cols(REASON)
    sheet.insert_cols(MACHINE)
    sheet.insert_rows(1, amount=4)
    sheet.cell(LABEL_ROW + 4, 1).value = "Weather"
    sheet.cell(FIRST_ROW + 4, 1).value = "rain"
    sheet.row_dimensions[KEY_ROW].hidden = False


# People rename, move, add and delete; their entries are the same.
def test_a_form_that_was_rearranged_loads_as_before(forms):
    fill(forms, row(REASON="X", COMMENT="c"), row(MINUTES=1), change=move)
    fill(forms, row(COMMENT="c"), row(MINUTES=1), name="b.xlsx")
    assert [it.row_count for it in forms.load()] == [2, 1]
    first, second, third = forms.rows("operator_report")
    assert first["_extra"] == '{"Weather":"rain"}' and first["comment"] == "c" and first["reason_code"] is None
    assert (second["minutes"], second["_extra"], third["_extra"]) == (1, None, None)


# A value beside the table would be lost, were it not said.
def test_values_without_a_heading_are_rejected(forms):
    def change(sheet):
        sheet.cell(FIRST_ROW, 12).value = "see below"
        sheet.cell(LABEL_ROW, 11).value = sheet.cell(LABEL_ROW, 13).value = "Note"
        sheet.cell(FIRST_ROW + 1, 11).value, sheet.cell(FIRST_ROW + 1, 13).value = "one", "two"

    fill(forms, row(), row(), change=change)
    forms.load()
    ((_, record, reason),) = forms.rejects()
    assert reason == "Column L has no heading. Give it one, or clear the cell." and record["L"] == "see below"
    assert forms.rows("operator_report")[0]["_extra"] == '{"Note":"one","Note (M)":"two"}'


# A machine merged over three rows is meant for all of them, or not: nobody can know.
def test_merged_cells_are_rejected(forms):
    def change(sheet):
        sheet.merge_cells("A9:A10")
        sheet.merge_cells("A1:I1")
        sheet.merge_cells("L20:M30")

    fill(forms, row(), row(), row(), row(), change=change)
    assert (forms.load_one().row_count, [number for number, *_ in forms.rejects()]) == (2, [2, 3])
    assert {reason for *_, reason in forms.rejects()} == {
        "Machine: This cell is merged with others. Unmerge them and fill in each."
    }


# A sheet for each day of the week is a natural thing to make.
def test_every_sheet_with_a_key_row_is_read(forms):
    def change(sheet):
        copy = sheet.parent.copy_worksheet(sheet)
        copy.title = "Wednesday"
        write(copy, row(MINUTES=2), row(MINUTES="x"))
        sheet.parent["Examples"].cell(FIRST_ROW + 2, 1).value = "not loaded"

    fill(forms, row(MINUTES=1), change=change)
    assert forms.load_one().row_count == 2
    assert [(it["_row"], it["minutes"]) for it in forms.rows("operator_report")] == [(1, 1), (2, 2)]
    assert [number for number, *_ in forms.rejects()] == [3]


def prefixed(xml):
    """As some libraries write it."""
    xml = re.sub(rb"<(/?)(?![?!])", rb"<\1x:", xml)
    return xml.replace(b"xmlns=", b"xmlns:x=")


def unnumbered(xml):
    """Without any address, which the format allows; so the cells that are not there have to be."""
    book = re.findall(rb'<row r="(\d+)"(.*?)</row>', xml, re.S)
    rows = []
    for expected, (number, content) in enumerate(book, start=1):
        assert int(number) == expected
        rows.append(b"<row" + re.sub(rb' r="[A-Z]+\d+"', b"", content) + b"</row>")
    return re.sub(
        rb"<sheetData>.*</sheetData>", lambda _: b"<sheetData>" + b"".join(rows) + b"</sheetData>", xml, flags=re.S
    )


# The same form, saved by other programs than Excel.
@pytest.mark.parametrize("variant", [prefixed, unnumbered])
def test_other_ways_of_writing_the_same_sheet_are_read_alike(forms, variant):
    file = fill(forms, row(MINUTES=1), row(MINUTES="x"), {}, row(MINUTES=3))
    rewrite(file, on_sheet(variant))
    forms.load()
    assert minutes(forms) == [1, 3] and [number for number, *_ in forms.rejects()] == [2]


# Somebody formats the whole sheet: a night must not last an hour for it.
def test_a_hundred_thousand_empty_formatted_rows_cost_nothing(forms, monkeypatch):
    file = fill(
        forms, row(), row(MINUTES="x"), change=lambda sheet: setattr(sheet["A60"], "fill", PatternFill("solid"))
    )
    style = re.search(rb'<c r="A60" (s="\d+")', zipfile.ZipFile(file).read(SHEET))[1].decode()
    blanks = "".join(
        f'<row r="{at}">' + "".join(f'<c r="{letter}{at}" {style}/>' for letter in "ABC") + "</row>"
        for at in range(61, 100_000)
    )
    late = '<row r="100000"><c r="A100000" t="inlineStr"><is><t>M9</t></is></c></row>'
    rewrite(file, on_sheet(lambda xml: xml.replace(b"</sheetData>", f"{blanks}{late}</sheetData>".encode())))
    parsed = []
    parse = cells.Cells.parse_cell
    monkeypatch.setattr(cells.Cells, "parse_cell", lambda *it: parsed.append(1) or parse(*it))
    assert (forms.load_one().row_count, [number for number, *_ in forms.rejects()]) == (1, [2, 3])
    assert len(parsed) < 1000


def delete(*columns):
    return lambda sheet: [sheet.delete_cols(at) for at in columns]


def copy_machine(sheet):
    for at in (LABEL_ROW, KEY_ROW, FIRST_ROW):
        sheet.cell(at, 11).value = sheet.cell(at, MACHINE).value


def add_other_form(sheet):
    copy = sheet.parent.copy_worksheet(sheet)
    copy.cell(KEY_ROW, 1).value = "firstpass:staffing.shift_date"
    for at in range(2, 10):
        copy.cell(KEY_ROW, at).value = None


UNREADABLE = [
    (delete(MACHINE), "has no column 'Machine' any more; copy the entries into a new form"),
    (copy_machine, "has the column 'Machine' twice; delete one"),
    (lambda sheet: sheet.delete_rows(KEY_ROW), "no form is in it"),
    (lambda sheet: sheet.insert_rows(1, amount=100), "no form is in it"),
    (add_other_form, "its sheets are forms of operator_report and staffing"),
    (lambda sheet: setattr(sheet.cell(KEY_ROW, 9), "value", "firstpass:staffing.line_id"), "mixes forms of"),
]


# What can't be read as a form fails as a whole, and says in words what to do.
def test_a_form_that_can_not_be_read_says_why(forms):
    for number, (change, _) in enumerate(UNREADABLE):
        fill(forms, row(), change=change, name=f"{number}.xlsx")
    loads = forms.load()
    assert [load.status for load in loads] == ["failed"] * len(UNREADABLE)
    for load, (_, reason) in zip(loads, UNREADABLE, strict=True):
        assert reason in load.error
        said = forms.paths.returned / "tests" / load.object.replace("inbox/", "").replace("xlsx", "xlsx.reason.txt")
        assert load.error in said.read_text()
    assert forms.load() == []


# Other files under the name of a workbook, and halves of one.
def test_what_is_no_workbook_says_so(forms, monkeypatch):
    monkeypatch.setattr(cells, "LARGEST", 1 << 20)
    forms.put("work_orders old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600)
    forms.put("b.xlsx", "machine_id,shift_date")
    file = fill(forms, row(), name="c.xlsx")
    file.write_bytes(file.read_bytes()[:-100])
    rewrite(fill(forms, row(), name="d.xlsx"), on_sheet(lambda xml: xml[:-90]))
    rewrite(fill(forms, row(), name="e.xlsx"), on_sheet(lambda xml: xml + b" " * (2 << 20)))
    rewrite(fill(forms, row(), name="f.xlsx"), on_sheet(lambda xml: xml.replace(b"<v>12.5</v>", b"<v>twelve</v>")))
    loads = {load.object.removeprefix("inbox/"): load for load in forms.load()}
    assert {name: load.status for name, load in loads.items() if load.status != "failed"} == {} and len(loads) == 6
    assert "save it as .xlsx, without a password" in loads["work_orders old.xls"].error
    assert loads["work_orders old.xls"].table_name == "work_order"
    assert "larger than 1 MB when unpacked" in loads["e.xlsx"].error
    assert all("not a whole XLSX workbook" in loads[f"{name}.xlsx"].error for name in "bcdf")


# A form that Excel is still saving is left to the next run, and its rows come once.
def test_a_form_that_changes_while_it_is_read_is_deferred(forms, monkeypatch):
    file = fill(forms, row(MINUTES=1))
    read = entries.read_form

    def disturbed(path):
        sheets = read(path)
        fill(forms, row(MINUTES=2), row(MINUTES=3))
        return sheets

    monkeypatch.setattr(entries, "read_form", disturbed)
    assert forms.load_one().status == "deferred"
    monkeypatch.setattr(entries, "read_form", lambda path: file.unlink() or read(path))
    assert forms.load_one().status == "deferred"
    monkeypatch.undo()
    fill(forms, row(MINUTES=2), row(MINUTES=3))
    assert forms.load_one().row_count == 2 and minutes(forms) == [2, 3]


# Years of daily forms stay in the inbox: a night must not open them all.
def test_forms_that_are_loaded_are_not_opened_again(forms, monkeypatch):
    fill(forms, row())
    fill(forms, row(), name="b.xlsx", change=delete(MACHINE))
    assert len(forms.load()) == 2
    opened = []
    monkeypatch.setattr(Content, "digest", opened.append)
    monkeypatch.setattr(cells, "load", lambda *_, **__: opened.append(1))
    assert forms.load() == [] and opened == []


# What else is in a workbook is no reason to refuse its entries.
def test_macros_charts_and_other_sheets_are_left_alone(forms):
    def change(sheet):
        sheet.parent.create_chartsheet("Chart", 0).add_chart(LineChart())
        sheet.parent.create_sheet("My notes", 1)["A1"] = "firstpass: later"

    file = fill(forms, row(), name="a.xlsm", change=change)
    with zipfile.ZipFile(file, "a") as book:
        book.writestr("xl/vbaProject.bin", b"macros")
    assert forms.load_one().row_count == 1
