"""Peers of the loader: a file read the plain way, with pandas or the shortest loop that finds its values, and put into
a DuckDB file as it is. No contract, no zones, no rejects, no hash, no memory of what was loaded.

`python -m bench.plain_readers KIND PLACE TARGET` prints seconds and rows.
"""

import json
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from xml.etree import ElementTree

import duckdb
import pandas as pd

Frames = dict[str, pd.DataFrame]
COMMON = "{urn:IEEE-1671:2010:Common}"
ATTEMPT = ["serial_num", "product_name", "test_name", "machine_id", "test_timestamp", "test_result", "test_duration_s"]
MEASURED = ["serial_num", "parameter", "value"]


def stdf(place: str) -> Frames:
    with open(place, "rb") as file:
        content = file.read()
    at, attempts, measured, values, names = 0, [], [], [], {}
    while at < len(content):
        length, kind, subtype = struct.unpack_from("<HBB", content, at)
        body, at = content[at + 4 : at + 4 + length], at + 4 + length
        if (kind, subtype) == (15, 10):
            number, *_, value = struct.unpack_from("<IBBBBf", body)
            if length > 12 and body[12]:
                names[number] = body[13 : 13 + body[12]].decode()
            values.append((names.get(number), value))
        elif (kind, subtype) == (5, 20):
            *_, flags, _, hard, soft, _, _, millis = struct.unpack_from("<BBBHHHhhI", body)
            serial = body[18 : 18 + body[17]].decode()
            attempts.append((serial, "CHIP", "FT1", "T7", None, "fail" if flags & 8 else "pass", millis / 1000))
            measured += [(serial, *value) for value in values]
            values = []
    return _frames(attempts, measured)


def openhtf(place: str) -> Frames:
    attempts, measured = [], []
    for it in _lines(place):
        start, meta = it["start_time_millis"], it["metadata"]
        duration = (it["end_time_millis"] - start) / 1000
        at = pd.Timestamp(start, unit="ms")
        row = it["dut_id"], meta["part_number"], meta["test_name"], it["station_id"], at, it["outcome"], duration
        attempts.append(row)
        for phase in it["phases"]:
            measured += [(it["dut_id"], name, m["measured_value"]) for name, m in phase["measurements"].items()]
    return _frames(attempts, measured)


def wats(place: str) -> Frames:
    attempts, measured = [], []
    for it in _lines(place):
        key = it["sn"], it["pn"], it["processName"], it["machineName"]
        attempts.append((*key, pd.Timestamp(it["startUTC"]), it["result"], it["uut"]["execTime"]))
        for step in it["root"]["steps"]:
            measured += [(it["sn"], step["name"], value["value"]) for value in step["numericMeas"]]
    return _frames(attempts, measured)


def atml(place: str) -> Frames:
    attempts, measured = [], []
    space = "{urn:IEEE-1636.1:2013:TestResults}"
    for it in ElementTree.parse(place).getroot():
        found = it.find(f"{space}ResultSet")
        serial = it.find(f"{space}UUT/{COMMON}SerialNumber").text
        part = it.find(f".//{COMMON}IdentificationNumber").get("number")
        station = it.find(f"{space}TestStation/{COMMON}SerialNumber").text
        start, end = pd.Timestamp(found.get("startDateTime")), pd.Timestamp(found.get("endDateTime"))
        result = found.find(f"{space}Outcome").get("value")
        attempts.append((serial, part, found.get("name"), station, start, result, (end - start).total_seconds()))
        for test in found.iter(f"{space}Test"):
            value = test.find(f".//{space}TestData/{COMMON}Datum").get("value")
            measured.append((serial, test.get("name"), float(value)))
    return _frames(attempts, measured)


def _lines(place: str) -> Iterator[dict]:
    with open(place, encoding="utf-8") as file:
        yield from map(json.loads, file)


def _frames(attempts: list[tuple], measured: list[tuple]) -> Frames:
    return {
        "test_record": pd.DataFrame(attempts, columns=ATTEMPT),
        "test_measurement": pd.DataFrame(measured, columns=MEASURED),
    }


def sql(place: str) -> Frames:
    import sqlalchemy

    with sqlalchemy.create_engine(place).connect() as connection:
        return {"test_record": pd.read_sql(sqlalchemy.text("select * from results"), connection)}


READERS = {
    "csv": pd.read_csv,
    "tsv": lambda place: pd.read_csv(place, sep="\t"),
    "csv.gz": pd.read_csv,
    "parquet": pd.read_parquet,
    "json": pd.read_json,
    "ndjson": lambda place: pd.read_json(place, lines=True),
    "xlsx": pd.read_excel,
    "s3": pd.read_csv,
    "stdf": stdf,
    "openhtf": openhtf,
    "wats": wats,
    "atml": atml,
    "sqlite": sql,
    "postgresql": sql,
}


def main(kind: str, place: str, target: str) -> None:
    began = time.perf_counter()
    found = READERS[kind](place)
    frames = found if isinstance(found, dict) else {"test_record": found}
    with closing(duckdb.connect(target)) as connection:
        for name, frame in frames.items():
            connection.register("frame", frame)
            connection.execute(f"create table {name} as select * from frame")
    print(time.perf_counter() - began, sum(map(len, frames.values())))


if __name__ == "__main__":
    main(*sys.argv[1:])
