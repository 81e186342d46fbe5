"""What becomes of files: formats, broken ones, ones still being written, names."""

import gzip
import io
import json
import os
import zipfile
from datetime import datetime, time

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_site import GOOD, HEADER, HEADER_LIST, record

from ingest.formats import json_text, parquet, workbook
from ingest.source import Unreadable
from ingest.sources import content, files
from pipeline.plant import PlantError


def write_parquet(site, name: str, *records: dict, **options) -> None:
    pq.write_table(pa.Table.from_pylist(list(records)), site.put(name, b""), **options)


def write_workbook(site, name: str, *rows: list, sheet: str | None = None) -> None:
    book = openpyxl.Workbook()
    found = book.create_sheet(sheet) if sheet else book.active
    for row in rows:
        found.append(row)
    book.save(site.put(name, b""))


def typed(**values: object) -> list:
    return list(record(test_timestamp=datetime(2024, 1, 1, 8), test_duration_s=1.5, **values).values())


def test_every_format_gives_the_same_record(site):
    site.put_rows("a.csv", GOOD)
    site.put("b.csv.gz", gzip.compress(f"{HEADER}\n{GOOD}\n".encode()))
    site.put_rows("c.tsv", GOOD.replace(",", "\t"), header=HEADER.replace(",", "\t"))
    write_parquet(site, "d.parquet", record())
    site.put("e.parquet.gz", gzip.compress((site.folder / "inbox/d.parquet").read_bytes()))
    site.put("f.json", json.dumps([record()]))
    site.put("g.json", json.dumps(record()))
    site.put("h.jsonl", "\ufeff" + json.dumps(record()) + "\n\n")
    site.put("i.ndjson.gz", gzip.compress(json.dumps(record()).encode()))
    write_workbook(site, "j.xlsx", HEADER_LIST, typed())
    loads = site.load()
    assert [(load.object, load.status, load.row_count) for load in loads] == [
        (f"inbox/{name}", "loaded", 1) for name in sorted(os.listdir(site.folder / "inbox"))
    ]
    assert len(loads) == 10 and len({row["_hash"] for row in site.rows()}) == 1
    assert list(site.paths.temp.iterdir()) == []


def test_format_of_plant_yml_wins(site):
    site.describe(format="csv").put_rows("a.dat", GOOD)
    assert site.load_one().row_count == 1


def test_unknown_format_fails_the_file(site):
    site.put_rows("a.dat", GOOD)
    assert "format: in plant.yml" in site.load_one().error


# One file that can't be read must not keep the others out, and someone must be able to see what was wrong.
def test_failed_file_is_set_aside_and_the_run_goes_on(site):
    broken = site.put("a.csv", "")
    site.put_rows("b.csv", GOOD)
    failed, loaded = site.load()
    assert (failed.status, loaded.status, loaded.row_count) == ("failed", "loaded", 1)
    kept = site.paths.failed / f"{failed.load_id}-a.csv"
    assert kept.read_bytes() == b"" and broken.exists()
    assert kept.with_name(f"{kept.name}.reason.txt").read_text() == "the file is empty\n"
    (row,) = (row for row in site.rows("load") if row["status"] == "failed")
    assert (row["error"], row["row_count"]) == ("the file is empty", 0)


def test_failed_file_is_tried_again_only_with_new_content(site):
    file = site.put("a.csv", "")
    site.load()
    assert site.load() == []
    os.utime(file, (1, 1))
    assert site.load() == []
    site.put_rows("a.csv", GOOD)
    assert site.load_one().status == "loaded"
    assert len(list(site.paths.failed.iterdir())) == 2


def test_failed_file_is_copied_where_it_cannot_be_linked(site, monkeypatch):
    def refuse(*_):
        raise OSError("another device")

    monkeypatch.setattr(os, "link", refuse)
    site.put("a.csv", HEADER[:20])
    load = site.load_one()
    assert (site.paths.failed / f"{load.load_id}-a.csv").read_text() == HEADER[:20]


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
@pytest.mark.parametrize("name", ["a.parquet", "a.csv.gz", "a.xlsx", "a.parquet.gz", "a.json"])
def test_truncated_files_fail(site, name, keep):
    if "xlsx" in name:
        write_workbook(site, name, HEADER_LIST, *[typed()] * 50)
    elif name.endswith("json"):
        site.put(name, json.dumps([record()] * 50))
    elif "parquet" in name:
        write_parquet(site, "a.parquet", *[record()] * 50)
    else:
        site.put_rows("a.csv", *[GOOD] * 50)
    file = site.folder / "inbox" / name
    if name.endswith("gz"):
        plain = file.with_suffix("")
        file.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    file.write_bytes(file.read_bytes()[:keep])
    load = site.load_one()
    assert (load.status, load.row_count) == ("failed", 0) and load.error
    assert site.rows() == []


def test_files_of_another_kind_under_the_name_fail(site):
    for name in ("a.parquet", "b.xlsx", "c.csv.gz", "d.xlsm"):
        site.put(name, "hello")
    with zipfile.ZipFile(site.folder / "inbox/d.xlsm", "w") as file:
        file.writestr("hello.txt", "x")
    assert [load.status for load in site.load()] == ["failed"] * 4


# A sheet that is cut off inside a sound archive.
def test_workbook_with_a_broken_sheet_fails(site):
    write_workbook(site, "a.xlsx", HEADER_LIST, typed())
    file = site.folder / "inbox/a.xlsx"
    with zipfile.ZipFile(file) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"][:-40]
    with zipfile.ZipFile(file, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    assert "not a whole XLSX workbook" in site.load_one().error


def test_empty_parquet_is_loaded_with_no_rows(site):
    schema = pa.schema([(name, pa.string()) for name in HEADER_LIST])
    pq.write_table(schema.empty_table(), site.put("a.parquet", b""))
    assert (site.load_one().status, site.rows()) == ("loaded", [])


def test_parquet_with_a_column_twice_fails(site):
    table = pa.Table.from_arrays([pa.array(["x"])] * 2, names=["serial_num", "serial_num"])
    pq.write_table(table, site.put("a.parquet", b""))
    assert site.load_one().error == "the column 'serial_num' is there twice"


def test_parquet_is_read_in_batches_with_running_rows(site, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH_ROWS", 7)
    records = [record(serial_num=f"S{i}", test_duration_s="x" if i % 5 == 0 else 1) for i in range(50)]
    write_parquet(
        site, "a.parquet", *[r | {"test_duration_s": str(r["test_duration_s"])} for r in records], row_group_size=11
    )
    site.load()
    assert all(row["serial_num"] == f"S{row['_row'] - 1}" for row in site.rows())
    assert [number for number, *_ in site.rejects()] == list(range(1, 51, 5))


def test_workbook_cells_become_plain_text(site):
    header = [*HEADER_LIST, "lot_number", "revision", "error_code", "shift", "on"]
    write_workbook(
        site, "a.xlsx", header, [*typed(serial_num=12345), "007", 3.0, True, time(7, 30), " x "], [], typed()
    )
    site.load()
    first, second = site.rows()
    assert [first[n] for n in ("serial_num", "lot_number", "revision", "error_code")] == ["12345", "007", 3, "true"]
    assert first["_extra"] == '{"on":"x","shift":"07:30:00"}'
    assert (second["_row"], second["lot_number"]) == (2, None)


# A formula that failed is no value: as text it would be a product named #N/A.
def test_workbook_errors_and_values_beyond_the_header_are_rejected(site):
    write_workbook(
        site, "a.xlsx", HEADER_LIST, typed(product_name="#N/A"), [*typed(), None, "beyond"], [*typed(), None]
    )
    site.load()
    assert [row["_row"] for row in site.rows()] == [3]
    assert [reason for *_, reason in site.rejects()] == ["a cell holds the error #N/A", "a value beyond the 7 columns"]


def test_workbook_numbers_and_empty_header_cells(site):
    write_workbook(site, "a.xlsx", [*HEADER_LIST, None, " "], [*typed()[:-1], 1e20], [*typed()[:-1], 2.5])
    site.load()
    assert [row["test_duration_s"] for row in site.rows()] == [1e20, 2.5]


def test_workbook_is_read_in_batches(site, monkeypatch):
    monkeypatch.setattr(workbook, "BATCH_RECORDS", 3)
    write_workbook(site, "a.xlsx", HEADER_LIST, *[typed(serial_num=f"S{i}") for i in range(10)])
    site.load()
    assert [row["serial_num"] for row in site.rows()] == [f"S{i}" for i in range(10)]


def test_sheet_of_plant_yml(site):
    site.describe(sheet="Data")
    write_workbook(site, "a.xlsx", HEADER_LIST, typed(), sheet="Data")
    write_workbook(site, "b.xlsx", HEADER_LIST, typed(), sheet="Other")
    loaded, failed = site.load()
    assert loaded.row_count == 1
    assert failed.error == "it has no sheet 'Data'; it has Sheet, Other (sheet: in plant.yml)"


@pytest.mark.parametrize(
    "rows, error", [([], "the sheet is empty"), ([["a", "a"]], "the header has the column 'a' twice")]
)
def test_workbook_without_a_usable_header_fails(site, rows, error):
    write_workbook(site, "a.xlsx", *rows)
    assert site.load_one().error.startswith(error)


def test_bad_json_lines_are_rejected(site, monkeypatch):
    monkeypatch.setattr(json_text, "BATCH_RECORDS", 2)
    good = json.dumps(record())
    site.put("a.ndjson", f'{good}\n{{"a": \n\n[1, {{"b": 2.50}}]\n5\n{good}\n{good}')
    load = site.load_one()
    assert (load.row_count, load.reject_count) == (3, 3)
    assert [row["_row"] for row in site.rows()] == [1, 5, 6]
    (_, text, reason), *others = site.rejects()
    assert (text, reason.startswith("not a JSON line")) == ('{"a":', True)
    assert [reason for *_, reason in others] == ["not a JSON object"] * 2


def test_json_documents_are_read_in_batches(site, monkeypatch):
    monkeypatch.setattr(json_text, "BATCH_RECORDS", 2)
    site.put("a.json", json.dumps([record(serial_num=f"S{i}") for i in range(5)]))
    site.load()
    assert [(row["_row"], row["serial_num"]) for row in site.rows()] == [(i + 1, f"S{i}") for i in range(5)]


def test_json_values(site):
    text = '{"serial_num": "A", "product_name": "P", "test_name": "T", "machine_id": "M", "test_result": "pass", '
    text += '"test_timestamp": "2024-01-01 08:00", "test_duration_s": 1.10, "revision": 3, "error_code": null, '
    text += '"lot_number": true, "nested": {"a": [1, null, "ä"]}}'
    site.put("a.json", text)
    site.put("b.json", text.replace("1.10", "NaN"))
    site.load()
    (row,) = site.rows()
    assert (row["test_duration_s"], row["revision"], row["error_code"], row["lot_number"]) == (1.1, 3, None, "true")
    assert json.loads(row["_extra"]) == {"nested": '{"a": ["1", null, "ä"]}'}
    assert site.rejects()[0][2] == "test_duration_s is not a finite number"


BAD_DOCUMENTS = ["[", "[1 2]", "{} {}", "[{}] x", "[{},", '[{"a": 1', "{", "nonsense", "", " ", '"', "[1,]", "[,1]"]


@pytest.mark.parametrize("document", BAD_DOCUMENTS)
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_broken_json_documents_fail(site, monkeypatch, document, chunk):
    monkeypatch.setattr(json_text, "CHUNK", chunk)
    site.put("a.json", document)
    assert "JSON document" in site.load_one().error


@pytest.mark.parametrize("name", ["a.json", "a.ndjson"])
def test_json_of_another_encoding_fails(site, name):
    site.put(name, '[{"a": "Ä"}]'.encode("cp1252"))
    assert "encoding: in plant.yml" in site.load_one().error


def test_json_of_the_encoding_of_plant_yml(site):
    site.describe(encoding="cp1252").put(
        "a.json", json.dumps([record(serial_num="Ä")], ensure_ascii=False).encode("cp1252")
    )
    site.load()
    assert site.rows()[0]["serial_num"] == "Ä"


values = st.recursive(st.none() | st.booleans() | st.text(max_size=4) | st.integers(), st.lists, max_leaves=3)


# However a document is cut into chunks, its records are the same.
@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=3), values, max_size=3), max_size=5),
    st.integers(1, 7),
    st.sampled_from([None, 1]),
)
def test_json_chunks_do_not_matter(tmp_path_factory, records, chunk, indent):
    text = json.dumps(records, indent=indent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "CHUNK", chunk)
        stream = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
        assert list(json_text._records(stream)) == json.loads(text, parse_int=str)


# What is not finished or not meant for us is left alone.
@pytest.mark.parametrize(
    "name", ["a.csv.part", "a.csv.TMP", "a.csv.crdownload", "a.csv.filepart", ".a.csv", "~$a.xlsx"]
)
def test_unfinished_files_are_left_alone(site, name):
    site.put_rows(name, GOOD)
    assert site.load() == []


# A file that grows while it is read must not be half loaded.
@pytest.mark.parametrize("before", [GOOD, '"broken'])
def test_file_that_changes_while_it_is_read_is_deferred(site, monkeypatch, before):
    file = site.put_rows("a.csv", before)
    read = content._read

    def read_while_written(*arguments):
        with file.open("a") as stream:
            stream.write(GOOD + "\n")
        yield from read(*arguments)

    monkeypatch.setattr(content, "_read", read_while_written)
    load = site.load_one()
    assert (load.status, load.row_count) == ("deferred", 0)
    assert site.rows("load")[-1]["source"] == "reference" and site.rows() == []
    monkeypatch.undo()
    site.put_rows("a.csv", GOOD, GOOD)
    assert site.load_one().row_count == 2


def test_file_that_vanishes_is_deferred(site, monkeypatch):
    file = site.put_rows("a.csv", GOOD)
    version = files.file_version

    def vanish(path):
        found = version(path)
        path.unlink()
        return found

    monkeypatch.setattr(files, "file_version", vanish)
    assert site.load_one().status == "deferred"
    assert not file.exists()


def test_file_that_cannot_be_opened_fails(site, monkeypatch):
    site.put_rows("a.csv", GOOD)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(content.hashlib, "file_digest", refuse)
    assert site.load_one().error == "can't be opened: Permission denied"


# Its reason must be there even where the file itself can't be kept.
def test_file_that_cannot_be_copied_leaves_its_reason(site, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(files.shutil, "copyfile", refuse)
    site.put("a.csv", "")
    load = site.load_one()
    assert [file.name for file in site.paths.failed.iterdir()] == [f"{load.load_id}-a.csv.reason.txt"]


def test_file_that_cannot_be_read_to_its_end_fails(site, monkeypatch):
    site.put_rows("a.csv", GOOD)

    def refuse(*_):
        raise OSError(5, "Input/output error")
        yield

    monkeypatch.setattr(content, "_read", refuse)
    assert "Input/output error" in site.load_one().error


def test_globs_reach_into_folders(site):
    site.describe(path="inbox/**/*.csv")
    for name in ("a.csv", "line1/b.csv", "line1/day2/c.csv", "d.txt"):
        site.put_rows(name, GOOD)
    assert [load.object for load in site.load()] == ["inbox/a.csv", "inbox/line1/b.csv", "inbox/line1/day2/c.csv"]


def test_absolute_paths(site, tmp_path):
    site.describe(path=str(tmp_path / "plant/inbox/*.csv"))
    file = site.put_rows("a.csv", GOOD)
    assert site.load_one().object == str(file)


WRONG = {
    "table": ("test_records", "expected one of test_record,"),
    "columns": ({"serial": "x"}, "names 'serial', which is not a column of test_record"),
    "encoding": ("utf-99", "is not an encoding"),
    "timestamp_format": ("%Q", "is not a format"),
    "path": ("inbox", "is a folder"),
    "delimiter": ('"', "can't delimit"),
}


# What the plant's engineer got wrong is one line that names the key, before anything is loaded.
@pytest.mark.parametrize("key", WRONG)
def test_wrong_settings_name_the_key(site, key):
    value, expected = WRONG[key]
    site.put_rows("a.csv", GOOD)
    site.describe(**{key: value})
    with pytest.raises(PlantError, match=f"sources.tests.{key}: .*{expected}"):
        site.load()
    assert not list(site.paths.raw.glob("test_record/2*"))


def test_reference_tables_are_no_tables_of_records(site):
    with pytest.raises(PlantError, match="table: 'ref_products' is not a table of records"):
        site.describe(table="ref_products").load()


def test_endless_json_value_fails(monkeypatch):
    monkeypatch.setattr(json_text, "LONGEST_VALUE", 10)
    monkeypatch.setattr(json_text, "CHUNK", 8)
    with pytest.raises(Unreadable):
        list(json_text.read_document(io.BytesIO(b'["' + b"x" * 100 + b'"]'), encoding="utf-8"))
