"""WATS reports: *WATS Standard JSON Format (WSJF)*, as Virinco's documentation and its client's schemas describe it.

A file holds one report, several one after the other, or an array. A report of type T is a test (UUT), one of type R a
repair (UUR).

**An attempt** is a report of type T; loops and retries of steps are within it.

| test_record | from |
|---|---|
| serial_num, product_name, machine_id | sn, pn, machineName |
| test_name | processCode; `columns: {test_name: report.processName}` where reports have it |
| test_timestamp | startUTC, else start: with its offset, or in the source's `timezone` |
| test_result | result: P, F, E, T (terminated: abort) |
| test_duration_s | uut.execTime, else root.totTime, seconds |
| error_code | unless it passed: uut.errorCode, else the step that caused the failure, else the first that failed |
| operator_id, fixture_id, fixture_slot, lot_number | uut.user, uut.fixtureId, uut.testSocketIndex, uut.batchSN |
| software_version, run_purpose | root.seqCall.version, purpose |

Further columns: `report.X` of the report's single values, `uut.X` (`uur.X`, `failure.X`), `misc.X` of miscInfos,
`SUB_UNITS`, `ASSETS`, `OTHER_VALUES`.

**test_measurement**: each entry of a step's numericMeas, as the names of the steps below the root, joined by `/`, and
its own where it has one. Limits follow compOp: GELE, GTLT, GELT, GTLE both; GE, GT the lower; LE, LT the upper (which
reports write as lowLimit); EQ both the same. NE, LOG and those that want a value outside (LTGT, ...) are no limits;
which it was is in `COMPARATOR`. A step that was skipped measured nothing. Text, booleans, charts and messages of steps
stay with the attempt, in `OTHER_VALUES`; attachments are not read.

**rework**: each failure of a sub unit in a report of type R: serial_num is sn, rework_timestamp startUTC or start,
component the failure's comRef, else its artNumber, else pn of the sub unit where that is not the unit itself; action
processName, else processCode; cause_error_code the failure's code, technician_id uur.user, duration_s uur.execTime. A
repair that names no failure is handed over without a component, and so rejected.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import BinaryIO

from ingest.formats.attempts import Misshapen, Unfit, mapping, measured, sequence, text_of, unrepeated
from ingest.formats.json_documents import rows_of_documents

TABLES = ("test_record", "test_measurement", "rework")
RESULTS = {"P": "passed", "F": "failed", "E": "error", "T": "terminated"}
BOTH = ("GELE", "GTLT", "GELT", "GTLE")
LOWER, UPPER = ("GE", "GT"), ("LE", "LT")
OTHER_VALUES = ("stringMeas", "booleanMeas", "messagePopup", "callExe", "chart", "additionalResults")
NO_SOCKET = -1


def rows(stream: BinaryIO, table: str, encoding: str, named: Collection[str]) -> Iterator[dict | Unfit]:
    return rows_of_documents(stream, encoding, "a WATS report", lambda document: _rows(document, table, named))


def _rows(report: dict, table: str, named: Collection[str]) -> list[dict]:
    kind = report.get("type")
    if kind not in ("T", "R"):
        raise Misshapen(f"its type is {kind!r}, neither T (test) nor R (repair)")
    if kind == "R":
        return _repairs(report) if table == "rework" else []
    if table == "rework":
        return []
    steps = list(_steps(mapping(report.get("root"), "root"), ()))
    attempt = _attempt(report, steps)
    values = [value for path, step in steps for value in _measurements(path, step)]
    return [attempt] if table == "test_record" else list(measured(attempt, values, named))


def _steps(step: dict, path: tuple) -> Iterator[tuple[str, dict]]:
    """Steps with their path, in the order in which they were run; the root is not in it."""
    if path:
        yield "/".join(path), step
    for inner in (mapping(it, "a step") for it in sequence(step.get("steps"), "steps")):
        yield from _steps(inner, (*path, str(inner.get("name"))))


def _attempt(report: dict, steps: list[tuple[str, dict]]) -> dict:
    uut, root = mapping(report.get("uut"), "uut"), mapping(report.get("root"), "root")
    seen: Counter = Counter()
    others = {
        unrepeated(f"{path}: {name}", seen): step[name]
        for path, step in steps
        for name in OTHER_VALUES
        if step.get(name)
    }
    result = report.get("result")
    result = RESULTS.get(result, result) if isinstance(result, str) else result
    return _common(report, "uut", uut) | {
        "serial_num": report.get("sn"),
        "product_name": report.get("pn"),
        "test_name": report.get("processCode"),
        "machine_id": report.get("machineName"),
        "test_timestamp": _start(report),
        "test_result": result,
        "test_duration_s": uut.get("execTime") if uut.get("execTime") is not None else root.get("totTime"),
        "operator_id": uut.get("user"),
        "error_code": None if str(result).casefold() == "passed" else uut.get("errorCode") or _culprit(steps),
        "fixture_id": uut.get("fixtureId"),
        "fixture_slot": None if uut.get("testSocketIndex") == NO_SOCKET else uut.get("testSocketIndex"),
        "lot_number": uut.get("batchSN"),
        "software_version": mapping(root.get("seqCall"), "seqCall").get("version"),
        "run_purpose": report.get("purpose"),
        "OTHER_VALUES": text_of(others),
    }


def _culprit(steps: list[tuple[str, dict]]) -> str | None:
    causes = [path for path, step in steps if step.get("causedUUTFailure") is True]
    leaves = [path for path, step in steps if step.get("status") in ("F", "E", "T") and not step.get("steps")]
    return next(iter(causes[-1:] + leaves), None)


def _common(report: dict, info: str, inner: dict) -> dict:
    own = {f"report.{name}": value for name, value in report.items() if not isinstance(value, dict | list)}
    own |= {f"{info}.{name}": value for name, value in inner.items()}
    seen: Counter = Counter()
    for entry in (mapping(it, "a misc info") for it in sequence(report.get("miscInfos"), "miscInfos")):
        text = entry.get("text")
        own[unrepeated(f"misc.{entry.get('description')}", seen)] = entry.get("numeric") if text in (None, "") else text
    units = sequence(report.get("subUnits"), "subUnits")
    return own | {"SUB_UNITS": text_of(units), "ASSETS": text_of(sequence(report.get("assets"), "assets"))}


def _start(report: dict) -> object:
    utc = report.get("startUTC")
    if not isinstance(utc, str) or not utc.strip():
        return report.get("start")
    utc = utc.strip()
    zoned = utc[-1] in "Zz" or "+" in utc or "-" in utc[10:]
    return utc if zoned else f"{utc}Z"


def _measurements(path: str, step: dict) -> Iterator[dict]:
    found = step.get("numericMeas")
    if step.get("status") == "S" or found is None:
        return
    several = [found] if isinstance(found, dict) else sequence(found, "numericMeas")
    for one in (mapping(it, "a numericMeas") for it in several):
        name, comparator = one.get("name"), one.get("compOp")
        low, high = limits(comparator, one.get("lowLimit"), one.get("highLimit"))
        yield {
            "parameter": f"{path}/{name}" if name else path,
            "value": one.get("value"),
            "unit": one.get("unit"),
            "lower_limit": low,
            "upper_limit": high,
            "COMPARATOR": comparator,
            "OUTCOME": one.get("status"),
            "LOOP_INDEX": mapping(step.get("loop"), "loop").get("idx"),
        }


def limits(comparator: object, low: object, high: object) -> tuple[object, object]:
    """Lowest and highest good value. A comparator with one limit has it in `low`, in some reports in `high`."""
    one = high if low is None else low
    if comparator in BOTH:
        return low, high
    if comparator in LOWER:
        return one, None
    if comparator in UPPER:
        return None, one
    return (one, one) if comparator == "EQ" else (None, None)


def _repairs(report: dict) -> list[dict]:
    uur = mapping(report.get("uur"), "uur")
    common = _common(report, "uur", uur) | {
        "serial_num": report.get("sn"),
        "rework_timestamp": _start(report),
        "action": report.get("processName") or report.get("processCode"),
        "technician_id": uur.get("user") or uur.get("userLoginName"),
        "duration_s": uur.get("execTime"),
    }
    failures = [
        (mapping(unit, "a sub unit"), mapping(failure, "a failure"))
        for unit in sequence(report.get("subUnits"), "subUnits")
        for failure in sequence(mapping(unit, "a sub unit").get("failures"), "failures")
    ]
    return [common | _failure(report, unit, failure) for unit, failure in failures] or [common | {"component": None}]


def _failure(report: dict, unit: dict, failure: dict) -> dict:
    part = unit.get("pn") if unit.get("sn") != report.get("sn") else None
    return {
        "component": failure.get("comRef") or failure.get("artNumber") or part,
        "cause_error_code": failure.get("code"),
        **{f"failure.{name}": value for name, value in failure.items() if name != "attachments"},
    }
