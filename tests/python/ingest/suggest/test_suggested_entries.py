"""Files as plants have them, in several languages, spellings and formats: the suggested entry loads every record."""

import csv
import gzip
import io
import json
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import test_atml as atml
import test_openhtf as htf
import test_wats as wats
import yaml
from plant_site import Site
from stdf_file import Stdf

from ingest.suggest import suggest

DAYS = range(1, 29)


def text_of(header: str, *rows: list, delimiter: str = ",") -> str:
    text = io.StringIO()
    names = [header.split(delimiter)] if header else []
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([*names, *rows])
    return text.getvalue()


GERMAN = text_of(
    "Seriennummer;Artikel;Prüfart;Prüfplatz;Prüfdatum;Ergebnis;Dauer_min;Bemerkung",
    *[
        [f"00{d}", "P", "ICT", "T1", f"{d:02}.01.2024 08:00:00", "n.i.O." if d % 2 else "i.O.", f"{d},25", ""]
        for d in DAYS
    ],
    delimiter=";",
)
SPANISH = text_of(
    "Número de serie,Producto,Prueba,Máquina,Fecha y hora,Resultado,Duración (ms)",
    *[[f"A{d}", "P", "ICT", "T1", f"{d:02}/01/2024 8:00", "Pasa" if d % 2 else "Falla", 100 * d] for d in DAYS],
)
CHINESE = text_of(
    "序列号,产品型号,测试工站,机台,测试时间,测试结果,测试用时(秒)",
    *[[f"A{d}", "P", "ICT", "T1", f"2024/1/{d} 8:00", "合格" if d % 2 else "不合格", d / 7] for d in DAYS],
)
PLAN = text_of("Item,Line,Date,Hour,Planned Qty", *[["P", "L1", f"2024-01-{d:02}", f"{d % 24}:00", d] for d in DAYS])
SPREADSHEET_PLAN = text_of(
    "ItemNo,Station,Bay,Date,Hour,Quantity",
    *[["P", "S1", "S1", f"2024-01-{d:02}", f"1900-01-01 {d % 24:02}:00:00", d] for d in DAYS],
)
MEASURED = "Report of line 3\ngenerated today\n\n" + text_of(
    "barcode,station,time,item,measured,uom,LSL,USL",
    *[[f"A{d}", "FCT", 1704067200000 + d, "Vout", 3 + d / 100, "V", 2.9, 3.9] for d in DAYS],
)
COUNTED = text_of(
    "Machine,Desde,Hasta,Product,Total,Gut",
    *[["M1", f"2024-01-{d:02} 08:00", f"2024-01-{d:02} 09:00", "P", f"{1000 + 7 * d:,}", "N/A"] for d in DAYS],
)
STAFF = text_of(
    "Datum\tSchicht\tLinie\tMitarbeiter", *[[f"{d:02}.01.2024", "F", "L1", d] for d in DAYS], delimiter="\t"
)
REPAIRED = text_of(
    "Barcode^Repair Date^Component^Action Taken^Repair time (min)",
    *[[f"A{d}", f"1/{d}/2024 8:00 AM", "C1", "resolder", "00:05:30"] for d in DAYS],
    delimiter="^",
)
KEPT = text_of(
    "Equipment;From;To;Type;Due",
    *[["M1", f"{d}.1.2024 8:00", f"{d}.1.2024 9:00", "preventive", f"2024-02-{d:02}T08:00:00Z"] for d in DAYS],
    delimiter=";",
)
PRESENT = text_of(
    "Maschine;Zeitstempel (UTC);Teil vorhanden",
    *[["M1", f"2024-01-{d:02} 08:00:00", "ja"] for d in DAYS],
    delimiter=";",
)
SHIFTED = text_of(
    "shift_date;shift_name;line_id;headcount",
    *[[f"2024-01-{d:02}{'T' if d % 2 else ' '}06:00:00", "F", "L1", d] for d in DAYS],
    delimiter=";",
)
MIXED_TIMES = text_of(
    "machine_id;start_at;end_at;kind;due_at",
    *[
        ["M1", f"{d}/1/2024 8:00", f"2024-01-{d:02} 09:00:00", "cal", f"1/{d}/2024" if d % 2 else f"1/{d}/24"]
        for d in DAYS
    ],
    delimiter=";",
)
DECIMALS = text_of(
    "serial_num;test_name;test_timestamp;parameter;value;lower_limit",
    *[[f"A{d}", "T", f"2024-01-{d:02} 08:00:00", "V", f"{d},234", f"{d},5"] for d in DAYS],
    delimiter=";",
)
TIMED = text_of(
    "machine_id;shift_date;shift_name;category;minutes;quantity",
    *[
        ["M", f"2024-01-{d:02}", "F", "oil", "n/a" if d % 2 else "00:10:00", f"{d},234" if d % 2 else "N/A"]
        for d in DAYS
    ],
    delimiter=";",
)
LATIN = b"Barcode;Dispositionszeit;Entscheidung;Grund\n" + b"".join(
    b"A%d;%d.1.2024 08:00;Ausschuss;\x81 \xfc\n" % (d, d) for d in DAYS
)
LOGGED = text_of(
    "", *[[f"2024-01-{d:02}T08:00:00Z", f"TEMP-{d % 4}", f"{20 + d / 13:.3f}"] for d in DAYS], delimiter="\t"
)

MADE = {
    "german.csv": (GERMAN, "cp1252", "test_record", {"timestamp_format": "%d.%m.%Y %H:%M:%S", "encoding": "cp1252"}),
    "spanish.txt": (SPANISH, "utf-16", "test_record", {"timestamp_format": "%d/%m/%Y %H:%M"}),
    "chinese.csv": (CHINESE, "gb18030", "test_record", {"timestamp_format": "%Y/%m/%d %H:%M", "encoding": "gb18030"}),
    "chinese_plain.csv": (CHINESE, "utf-8-sig", "test_record", {}),
    "plan.csv": (PLAN, "utf-8", "production_plan", {"timestamp_format": "%Y-%m-%d %H:%M"}),
    "shift_plan.csv": (SPREADSHEET_PLAN, "utf-8", "production_plan", {}),
    "measured.csv": (MEASURED, "utf-16-le", "test_measurement", {"skip_rows": 3, "encoding": "utf-16-le"}),
    "counted.csv": (COUNTED, "utf-8", "production_count", {}),
    "staff.dat": (STAFF, "utf-8", "staffing", {"format": "csv", "delimiter": "\t"}),
    "repaired.csv": (REPAIRED, "utf-8", "rework", {"delimiter": "^", "timestamp_format": "%m/%d/%Y %I:%M %p"}),
    "kept.csv": (KEPT, "utf-8", "maintenance", {"timestamp_format": "%d.%m.%Y %H:%M"}),
    "present.csv": (PRESENT, "utf-8", "machine_cycle", {"timezone": "UTC"}),
    "shifted.csv": (SHIFTED, "utf-8", "staffing", {"columns": {"shift_date": {"sql": "shift_date::timestamp::date"}}}),
    "mixed_times.csv": (MIXED_TIMES, "utf-8", "maintenance", {}),
    "two_years.csv": (MIXED_TIMES.replace("/1/2024 8", "/1/24 8", 9), "utf-8", "maintenance", {}),
    "decimals.csv": (DECIMALS, "utf-8", "test_measurement", {"decimal": ","}),
    "latin.csv": (LATIN.decode("latin-1"), "latin-1", "disposition", {"encoding": "latin-1"}),
    "logged.log": (LOGGED, "utf-8", "sensor_reading", {"header": ["c1", "c2", "c3"]}),
}


# A plant's export in its own language and spelling can't be loaded without reading our manual.
@pytest.mark.parametrize("name", MADE)
def test_the_entry_of_a_made_up_export_loads_all_of_it(name: str, tmp_path: Path):
    text, encoding, table, keys = MADE[name]
    file = tmp_path / name
    file.write_bytes(text.encode(encoding))
    found = suggest(file)
    (source,) = yaml.safe_load(found.text)
    assert source == found.entry.source
    assert source["table"] == table
    assert {key: source.get(key) for key in keys} == keys
    assert found.undecided == [], found.text
    assert (found.trial.failed, found.trial.rejected, found.trial.loaded) == (None, 0, {table: len(DAYS)}), found.text


# Values are taken as written: minutes and milliseconds as seconds, 1,007 as 1.007. All figures are wrong.
def test_units_signs_and_vocabularies_are_read_as_they_are_meant(site: Site):
    for name, text in (
        ("german.csv", GERMAN),
        ("spanish.csv", SPANISH),
        ("counted.csv", COUNTED),
        ("repaired.csv", REPAIRED),
    ):
        site.put(name, text)
    sources = [
        suggest(site.folder / "inbox" / name).entry.source
        for name in ("german.csv", "spanish.csv", "counted.csv", "repaired.csv")
    ]
    site.describe(*sources).load()
    tests = {row["serial_num"]: row for row in site.rows("test_record")}
    assert (tests["002"]["test_duration_s"], tests["002"]["test_result"]) == (135, "pass")
    assert tests["002"]["test_timestamp_local"] == datetime(2024, 1, 2, 8)
    assert (tests["A3"]["test_duration_s"], tests["A3"]["test_result"]) == (0.3, "pass")
    counts = {(row["total_count"], row["good_count"]) for row in site.rows("production_count")}
    assert (1007, None) in counts
    assert {row["duration_s"] for row in site.rows("rework")} == {330}


# Whoever has no CSV but JSON, a workbook, Parquet or an archive is not helped.
def test_other_formats_are_looked_into_as_well(tmp_path: Path):
    orders = [
        {"workOrder": f"W{d}", "partNumber": "P", "qty": d, "lastModified": f"2024-01-{d:02}T08:00:00+01:00"}
        for d in DAYS
    ]
    (tmp_path / "orders.json").write_text(json.dumps(orders))
    (tmp_path / "order.data").write_text("\n".join(map(json.dumps, orders)))
    pq.write_table(pa.Table.from_pylist(orders), tmp_path / "orders.pq")
    with gzip.open(tmp_path / "orders.json.gz", "wt") as packed:
        packed.write(json.dumps(orders))
    with zipfile.ZipFile(tmp_path / "dump_20240101.zip", "w") as archive:
        archive.write(tmp_path / "orders.pq", "a/orders_20240101.pq")
        archive.write(tmp_path / "orders.json.gz", "b/orders.json.gz")
    names = [
        "orders.json",
        "order.data",
        "orders.pq",
        "orders.json.gz",
        "dump_20240101.zip",
        "dump_20240101.zip/b/orders.json.gz",
    ]
    found = [suggest(tmp_path / name) for name in names]
    assert [it.trial.loaded for it in found] == [{"work_order": len(DAYS)}] * len(names)
    assert [it.entry.source["path"].removeprefix(f"{tmp_path}/") for it in found][-2:] == [
        "dump_*.zip/a/orders_*.pq",
        "dump_*.zip/b/orders.json.gz",
    ]
    assert found[1].entry.source["format"] == "ndjson"
    assert "further files in the archive: b/orders.json.gz" in found[4].text


# N/A where there is no value rejects records that are right.
def test_words_for_no_value_are_no_value(tmp_path: Path):
    (tmp_path / "timed.csv").write_text(TIMED)
    found = suggest(tmp_path / "timed.csv")
    assert found.entry.source["columns"]["minutes"] == {"sql": "epoch(nullif(minutes, 'n/a')::interval) / 60"}
    assert found.entry.source["columns"]["quantity"] == {"from": "quantity", "values": {"N/A": None}}
    assert "choose: 1,234 is 1.234" in found.text


# A comma for decimals in JSON, for which plant.yml has no key, rejects all records.
def test_decimal_commas_in_json_are_read(tmp_path: Path):
    readings = [{"sensor_id": "S", "reading_at": "2024-01-01 08:00:00", "value": f"{day},25"} for day in DAYS]
    (tmp_path / "readings.json").write_text(json.dumps(readings))
    found = suggest(tmp_path / "readings.json")
    assert found.trial.loaded == {"sensor_reading": len(DAYS)}


# A workbook with a title, merged cells and a cover sheet, as people keep it, is refused.
def test_a_sheet_with_a_title_and_merged_cells_is_found_and_read(tmp_path: Path):
    book = openpyxl.Workbook()
    book.active.title = "Info"
    book.active.append(["read me"])
    sheet = book.create_sheet("Daten")
    for row in (["", "Schichtbericht"], [], ["Maschine", "Datum", "Schicht", "Kategorie", "Minuten"]):
        sheet.append(row)
    for day in DAYS:
        sheet.append(["M1" if day % 2 else None, datetime(2024, 1, day), "F", "Rüsten", day * 1.5])
    for row in range(4, 4 + len(DAYS), 2):
        sheet.merge_cells(start_row=row, end_row=row + 1, start_column=1, end_column=1)
    book.save(tmp_path / "bericht.xlsx")
    found = suggest(tmp_path / "bericht.xlsx")
    assert {key: found.entry.source.get(key) for key in ("sheet", "skip_rows", "fill_merged")} == {
        "sheet": "Daten",
        "skip_rows": 2,
        "fill_merged": True,
    }
    assert found.trial.loaded == {"operator_report": len(DAYS)}


# Files of test equipment need no mapping at all, only the name of their format.
def test_formats_of_test_equipment_are_recognised(tmp_path: Path):
    (tmp_path / "a.dat").write_bytes(Stdf().mir().pir().ptr(1, 2.0).prr("A").mrr())
    (tmp_path / "b.json").write_text(json.dumps(htf.record(htf.phase("power")), indent=2))
    (tmp_path / "c.json").write_text(json.dumps([wats.report(wats.step("VA", numericMeas=[wats.numeric(5.0)]))]))
    (tmp_path / "d.xml").write_text(atml.collection(atml.results(atml.result_set(atml.test("VA")))))
    found = [suggest(tmp_path / name) for name in ("a.dat", "b.json", "c.json", "d.xml")]
    assert [it.entry.source["format"] for it in found] == ["stdf", "openhtf", "wats", "atml"]
    assert [(it.trial.failed, it.trial.loaded["test_record"]) for it in found] == [(None, 1)] * 4
    assert all("table" not in it.entry.source and it.undecided == [] for it in found)
