"""Where there is nothing to suggest, one line says why."""

import gzip
import json
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from ingest.__main__ import main
from ingest.source import Unreadable
from ingest.suggest import head, suggest

UNFIT = {
    "empty.csv": (b"", "it is empty"),
    "blank.csv": (b"\n\n  \n", "not a table"),
    "header.csv": (b"SN,Test,Start Time\n", "no records"),
    "picture.png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary"),
    "note.txt": (b"Dear all\nthe line stood still\nregards\n", "no delimiter"),
    "page.html": (b"<html><body>no</body></html>", "XML or HTML"),
    "broken.json": (b'[{"a": 1', "JSON, but broken"),
    "numbers.json": (b"[1, 2]", "no list of objects"),
    "inside.json": (b'{"meta": 1, "rows": [{"a": 1}, {"a": 2}]}', "records are inside 'rows'"),
    "objects.json": (b'{\n"a": 1\n}\n{\n"a": 2\n}\n', "over several lines each"),
    "broken.csv.gz": (gzip.compress(b"SN,Test\n" * 999)[:40], "broken gzip"),
    "hidden.csv": (gzip.compress(b"SN,Test\n"), "let it end in .gz"),
    "broken.xlsx": (b"PK\x03\x04 and nothing more", "not a whole XLSX workbook"),
    "broken.zip": (b"PK\x03\x04 and nothing more", "not a whole ZIP archive"),
    "broken.parquet": (b"PAR1 and nothing more", "not a whole Parquet file"),
    "other.csv": (b"alpha,beta\nx,y\nz,w\n", "no table of the data contract fits"),
    "machines.csv": (b"Machine,Line,Description\nM1,L1,oven\nM2,L1,press\n", "reference data: .*machines.csv"),
    "no_table.xml": (b"<?xml version='1.0'?><a/>", "XML or HTML"),
    "quoted.csv": (b'a,b\n"' + b"x" * 200_000 + b'",y\n', "not a table"),
}


# A file that is no table leads to an entry that loads nothing, or to a stack of error messages.
@pytest.mark.parametrize("name", UNFIT)
def test_a_file_that_is_no_table_of_ours_is_refused_in_one_line(name, tmp_path):
    content, reason = UNFIT[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unreadable, match=reason) as found:
        suggest(tmp_path / name)
    assert "\n" not in str(found.value)


# A dump with another table's header is loaded by luck: dates as quantities.
def test_a_header_that_does_not_fit_its_records_is_noticed(tmp_path):
    rows = "".join(f"W{n},P{n},P{n}.1,10,1/6/2022 21:00,Unnamed: 8\n" for n in range(30))
    (tmp_path / "dump.csv").write_text(f"Id,Item,Registering Date,Location,Bin Code,Quantity\n{rows}")
    with pytest.raises(Unreadable, match="may be another table's: 'Registering Date' holds 'P0.1', no time"):
        suggest(tmp_path / "dump.csv")


# A wrong path ends in a message about something else.
def test_a_path_that_leads_to_no_file_is_said_so(tmp_path):
    (tmp_path / "a.csv").write_text("x")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("b.csv", "x")
    for path, reason in (
        ("none.csv", "there is no such file"),
        (".", "it is no file"),
        ("a.csv/b.csv", "no folder and no archive"),
        ("a.zip/c.csv", "no such file; it has b.csv"),
    ):
        with pytest.raises(Unreadable, match=reason):
            suggest(tmp_path / path)


# A document of five megabytes in one line fills the memory.
def test_what_has_no_record_within_the_head_is_refused(tmp_path):
    (tmp_path / "long.csv").write_text("a,b" * 2_000_000)
    with pytest.raises(Unreadable, match="are one line"):
        suggest(tmp_path / "long.csv")
    (tmp_path / "long.json").write_text(json.dumps({"a": "b" * 5_000_000}))
    with pytest.raises(Unreadable, match="one value is longer than 4 MB"):
        suggest(tmp_path / "long.json")


# A table without a record says nothing of its values, and a workbook may be nothing but a note.
def test_tables_without_records_are_refused(tmp_path):
    pq.write_table(pa.table({"SN": pa.array([], pa.string())}), tmp_path / "none.parquet")
    book = openpyxl.Workbook()
    book.active["A1"] = "see mail"
    book.save(tmp_path / "note.xlsx")
    for name, reason in (("none.parquet", "it has no records"), ("note.xlsx", "no sheet has rows")):
        with pytest.raises(Unreadable, match=reason):
            suggest(tmp_path / name)


# Half a workbook ends in a stack of error messages.
def test_a_workbook_with_half_a_sheet_is_refused(tmp_path):
    book = openpyxl.Workbook()
    for n in range(100):
        book.active.append([f"A{n}", n])
    book.save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "half.xlsx", "w") as half:
        for name in whole.namelist():
            content = whole.read(name)
            half.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    with pytest.raises(Unreadable, match="not a whole XLSX workbook"):
        suggest(tmp_path / "half.xlsx")


# A format that is only read whole fills the disk with its copy.
def test_a_format_that_is_read_whole_is_tried_up_to_a_size(tmp_path, monkeypatch):
    monkeypatch.setattr(head, "HEAD_BYTES", 1000)
    monkeypatch.setattr(head, "WHOLE_BYTES", 5000)
    (tmp_path / "large.stdf").write_bytes(b"\x02\x00\x00\x0a\x02\x04" * 2000)
    with pytest.raises(Unreadable, match="only read whole: try a smaller one"):
        suggest(tmp_path / "large.stdf")


# A file that the system refuses to hand over ends in a stack of error messages.
@pytest.mark.skipif(not Path("/proc/self/mem").is_file(), reason="needs a file that can't be read, for root neither")
def test_a_file_that_can_not_be_read_is_said_so():
    with pytest.raises(Unreadable, match="can't be opened: Input/output error"):
        suggest(Path("/proc/self/mem"))


# An entry that can't be used is taken for one that can.
def test_an_entry_that_would_fail_says_so(tmp_path):
    rows = [f"A{n},P,ICT,T1,2024-01-05 08:00:00,P,1" for n in range(5)]
    (tmp_path / "export.csv").write_text("\n".join(["SN (${NOT_SET}),Model,Test,Tester,Start Time,P/F,Elapsed", *rows]))
    result = CliRunner().invoke(main, ["suggest", str(tmp_path / "export.csv")])
    assert "it would fail: sources.export.columns.serial_num" in result.stderr and "NOT_SET is not set" in result.stderr
