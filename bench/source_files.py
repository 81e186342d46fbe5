"""The same test records in every format that a source reads, and attempts with measured values as test equipment writes
them. `python -m bench.source_files RECORDS FOLDER` writes them all, from a Parquet file of the simulator."""

import gzip
import json
import sqlite3
import struct
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pandas as pd

COLUMNS = ["serial_num", "product_name", "test_name", "machine_id", "test_timestamp", "test_result", "test_duration_s"]
SHEET_ROWS = 50_000
ATTEMPTS, MEASURED = 5_000, 8
START = datetime(2024, 1, 1, tzinfo=UTC)


def write_all(records: Path, folder: Path) -> None:
    table = pd.read_parquet(records, columns=COLUMNS)
    folder.mkdir(parents=True)
    table.to_parquet(folder / "records.parquet", index=False)
    texts = table.assign(test_timestamp=table.test_timestamp.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    texts.to_csv(folder / "records.csv", index=False)
    texts.to_csv(folder / "records.tsv", index=False, sep="\t")
    (folder / "records.csv.gz").write_bytes(gzip.compress((folder / "records.csv").read_bytes(), 6))
    texts.to_json(folder / "records.json", orient="records")
    texts.to_json(folder / "records.ndjson", orient="records", lines=True)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in [COLUMNS, *texts.head(SHEET_ROWS).itertuples(index=False)]:
        sheet.append(list(row))
    book.save(folder / "records.xlsx")
    with closing(sqlite3.connect(folder / "records.db")) as connection:
        texts.to_sql("results", connection, index=False)
        connection.commit()
    (folder / "attempts.stdf").write_bytes(_stdf())
    documents = {"openhtf": _openhtf, "wats": _wats}
    for name, document in documents.items():
        lines = (json.dumps(document(number)) + "\n" for number in range(ATTEMPTS))
        (folder / f"attempts.{name}").write_text("".join(lines))
    (folder / "attempts.atml").write_text(_atml())


def _value(number: int, measured: int) -> float:
    return 4.5 + (number * 31 + measured * 7) % 100 / 100


def _start(number: int) -> datetime:
    return START + timedelta(seconds=2 * number)


def _stdf() -> bytes:
    def text(value: str) -> bytes:
        return bytes([len(value)]) + value.encode()

    def record(kind: int, subtype: int, content: bytes) -> bytes:
        return struct.pack("<HBB", len(content), kind, subtype) + content

    seconds = int(START.timestamp())
    names = b"".join(map(text, ["L1", "CHIP", "T7", "J750", "chip_ft", "1.2", "", "op", "", "", "FT1"]))
    parts = [record(0, 10, b"\x02\x04")]
    parts.append(record(1, 10, struct.pack("<IIB", seconds, seconds, 1) + b"P  \xff\xff " + names))
    for number in range(ATTEMPTS):
        parts.append(record(5, 10, b"\x01\x01"))
        for measured in range(MEASURED):
            content = struct.pack("<IBBBBf", measured, 1, 1, 0, 0, _value(number, measured))
            if not number:  # limits and names are said once
                content += text(f"volt_{measured}") + text("") + struct.pack("<Bbbbff", 0, 0, 0, 0, 4, 6) + text("V")
            parts.append(record(15, 10, content))
        content = struct.pack("<BBBHHHhhI", 1, 1, 0, MEASURED, 1, 1, -32768, -32768, 1500)
        parts.append(record(5, 20, content + text(f"S{number}") + text("")))
    return b"".join([*parts, record(1, 20, struct.pack("<I", seconds))])


def _openhtf(number: int) -> dict:
    start = int(_start(number).timestamp() * 1000)
    volt = {"name": "volt", "code": "VLT", "suffix": "V"}
    measurements = {
        f"volt_{measured}": {
            "outcome": "PASS",
            "measured_value": _value(number, measured),
            "validators": ["4 <= x <= 6"],
            "units": volt,
        }
        for measured in range(MEASURED)
    }
    return {
        "dut_id": f"S{number}",
        "station_id": "P089",
        "start_time_millis": start,
        "end_time_millis": start + 1500,
        "outcome": "PASS",
        "metadata": {"test_name": "boot", "part_number": "PN7", "test_version": "1.2"},
        "phases": [{"name": "power", "outcome": "PASS", "measurements": measurements}],
    }


def _wats(number: int) -> dict:
    limits = {"compOp": "GELE", "name": None, "status": "P", "unit": "V", "lowLimit": 4, "highLimit": 6}
    steps = [
        {
            "group": "M",
            "stepType": "ET_NLT",
            "name": f"volt_{measured}",
            "status": "P",
            "numericMeas": [limits | {"value": _value(number, measured)}],
        }
        for measured in range(MEASURED)
    ]
    return {
        "type": "T",
        "pn": "PN7",
        "sn": f"S{number}",
        "processCode": 100,
        "processName": "Final test",
        "result": "P",
        "machineName": "ST-1",
        "purpose": "Production",
        "startUTC": f"{_start(number):%Y-%m-%dT%H:%M:%S}",
        "uut": {"user": "jo", "execTime": 1.5},
        "root": {"group": "M", "stepType": "SequenceCall", "name": "Main", "status": "P", "steps": steps},
    }


def _atml() -> str:
    def datum(value: float) -> str:
        return f'<c:Datum xsi:type="c:double" value="{value}" nonStandardUnit="V"/>'

    def measured(number: int, at: int) -> str:
        limits = "".join(f'<c:Limit comparator="{it}">{datum(limit)}</c:Limit>' for it, limit in (("GE", 4), ("LE", 6)))
        return (
            f'<tr:Test ID="{at}" name="volt_{at}"><tr:Outcome value="Passed"/><tr:TestResult ID="1" name="Numeric">'
            f'<tr:TestLimits><tr:Limits><c:LimitPair operator="AND">{limits}</c:LimitPair></tr:Limits></tr:TestLimits>'
            f"<tr:TestData>{datum(_value(number, at))}</tr:TestData></tr:TestResult></tr:Test>"
        )

    def attempt(number: int) -> str:
        start, end = _start(number), _start(number) + timedelta(seconds=1.5)
        tests = "".join(measured(number, at) for at in range(MEASURED))
        return (
            f'<trc:TestResults uuid="u{number}"><tr:ResultSet ID="0" name="board" startDateTime="{start:%FT%T}" '
            f'endDateTime="{end:%FT%T}.500"><tr:Outcome value="Passed"/>{tests}</tr:ResultSet><tr:TestStation>'
            "<c:SerialNumber>ST-1</c:SerialNumber></tr:TestStation><tr:UUT><c:Definition><c:Identification>"
            '<c:IdentificationNumbers><c:IdentificationNumber type="Part" number="PN7"/></c:IdentificationNumbers>'
            f"</c:Identification></c:Definition><c:SerialNumber>S{number}</c:SerialNumber></tr:UUT></trc:TestResults>"
        )

    space = "urn:IEEE-1636.1:2013:"
    return (
        f'<trc:TestResultsCollection xmlns:trc="{space}TestResultsCollection" xmlns:tr="{space}TestResults" '
        'xmlns:c="urn:IEEE-1671:2010:Common" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        + "".join(map(attempt, range(ATTEMPTS)))
        + "</trc:TestResultsCollection>"
    )


if __name__ == "__main__":
    write_all(Path(sys.argv[1]), Path(sys.argv[2]))
