"""OpenHTF test records: what the output callback `openhtf.output.callbacks.json_factory.OutputToJSON` of version 1
writes (`openhtf/core/test_record.py`, `openhtf/core/measurements.py`, `openhtf/util/validators.py`). A file holds one
record, several one after the other (JSON lines), or an array of them.

**An attempt** is a test record.

| test_record | from |
|---|---|
| serial_num | dut_id |
| product_name | metadata.product_name, else metadata.part_number: OpenHTF itself knows no product |
| test_name, machine_id | metadata.test_name, station_id |
| test_timestamp, test_duration_s | start_time_millis (UTC), end_time_millis |
| test_result | outcome: PASS, FAIL, ERROR, ABORTED; TIMEOUT is an error, by seeds/value_spellings.csv |
| error_code | unless it passed: the first code of outcome_details, else the first measurement or phase that failed |
| software_version | metadata.test_version |

Further columns: `metadata.X` of all metadata but the configuration, `OTHER_VALUES` and `INVALID`.

**test_measurement**: a measurement with a single number, as `phase/measurement`, with the suffix of its unit, else its
code, and with the limits of those validators that say one: `0 <= x <= 10`, `0 <= x`, `x <= 10`, `x == 5` and `'x' is
within 5% of 10`; of several the tightest. `OUTCOME` and `VALIDATORS` keep what else is said. A number that is none
(nan, inf) is rejected. Text, booleans, lists (values with dimensions) and measurements that were not set are no
measurements to Firstpass: they stay with the attempt, in `OTHER_VALUES`. Attachments and log lines are not read.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from ingest.formats.attempts import Unfit, mapping, measured, sequence, text_of, unrepeated
from ingest.formats.json_documents import rows_of_documents

TABLES = ("test_record", "test_measurement")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
RANGE = re.compile(rf"(?:({NUMBER}) <= )?(?:Marginal:{NUMBER} <= )?x(?: <= Marginal:{NUMBER})?(?: <= ({NUMBER}))?")
EQUAL = re.compile(rf"x == ({NUMBER})")
WITHIN = re.compile(rf"'x' is within ({NUMBER})% of ({NUMBER})(?:\. Marginal: .*)?")
NOT_FINITE = {"nan", "inf", "-inf", "infinity", "-infinity"}
"""How OpenHTF writes numbers that JSON has no spelling for."""


def rows(stream: BinaryIO, table: str, encoding: str, named: Collection[str]) -> Iterator[dict | Unfit]:
    return rows_of_documents(stream, encoding, "an OpenHTF test record", lambda document: _rows(document, table, named))


def _rows(record: dict, table: str, named: Collection[str]) -> list[dict]:
    values, others, failed, seen = [], {}, [], Counter()
    for phase in (mapping(it, "a phase") for it in sequence(record.get("phases"), "phases")):
        measurements = mapping(phase.get("measurements"), "measurements")
        for name, it in measurements.items():
            found = mapping(it, f"the measurement {name}")
            parameter = f"{phase.get('name')}/{name}"
            value = found.get("measured_value")
            if _is_number(value):
                values.append(_measurement(parameter, float_of(value), found))
            else:
                others[unrepeated(parameter, seen)] = value
            if found.get("outcome") == "FAIL":
                failed.append(parameter)
        if phase.get("outcome") in ("FAIL", "ERROR"):
            failed.append(phase.get("name"))
    attempt = _attempt(record, failed) | {"OTHER_VALUES": text_of(others)}
    return [attempt] if table == "test_record" else list(measured(attempt, values, named))


def _attempt(record: dict, failed: list) -> dict:
    metadata = mapping(record.get("metadata"), "metadata")
    details = [mapping(it, "an outcome detail") for it in sequence(record.get("outcome_details"), "outcome_details")]
    codes = [detail.get("code") for detail in details] + failed
    start, end = record.get("start_time_millis"), record.get("end_time_millis")
    started = _time(start)
    spans = _is_number(start) and _is_number(end)
    own = {f"metadata.{name}": value for name, value in metadata.items() if name != "config"}
    return own | {
        "serial_num": record.get("dut_id"),
        "product_name": metadata.get("product_name") or metadata.get("part_number"),
        "test_name": metadata.get("test_name"),
        "machine_id": record.get("station_id"),
        "test_timestamp": started,
        "test_result": record.get("outcome"),
        "test_duration_s": (float_of(end) - float_of(start)) / 1000 if spans else None,
        "error_code": next(filter(None, codes), None) if record.get("outcome") != "PASS" else None,
        "software_version": metadata.get("test_version"),
        "INVALID": f"start_time_millis {start}" if start is not None and started is None else None,
    }


def _measurement(parameter: str, value: float, found: dict) -> dict:
    validators = [str(it) for it in sequence(found.get("validators"), "validators")]
    unit = found.get("units")
    if isinstance(unit, dict):
        unit = unit.get("suffix") or unit.get("code")
    low, high = limits(validators)
    return {
        "parameter": parameter,
        "value": value,
        "unit": unit,
        "lower_limit": low,
        "upper_limit": high,
        "OUTCOME": found.get("outcome"),
        "VALIDATORS": text_of(validators),
    }


def limits(validators: list[str]) -> tuple[float | None, float | None]:
    """The tightest limits that validators, as text, say; None where none says one."""
    lows, highs = [], []
    for text in validators:
        low = high = None
        if found := RANGE.fullmatch(text):
            low, high = found.groups()
        elif found := EQUAL.fullmatch(text):
            low = high = found[1]
        elif found := WITHIN.fullmatch(text):
            expected = float(found[2])
            margin = abs(expected * float(found[1]) / 100)
            low, high = expected - margin, expected + margin
        lows += [float(low)] if low is not None else []
        highs += [float(high)] if high is not None else []
    return max(lows, default=None), min(highs, default=None)


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return value.casefold() in NOT_FINITE
    return isinstance(value, int | float) and not isinstance(value, bool)


def float_of(value: float | str) -> float:
    """Also of a whole number that is too large, which is then infinite."""
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _time(millis: object) -> datetime | None:
    try:
        return EPOCH + timedelta(milliseconds=millis)
    except (TypeError, ValueError, OverflowError):
        return None
