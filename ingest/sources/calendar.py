"""The plant's calendar: production days and shifts, as UTC and wall times, for the years that records cover.

It is made of the time zone, the start of the production day and the reference data of shifts, so that SQL never
converts a zone. Which years there are is said by the manifest: any order of loads ends in the same calendar. The newest
load of a table holds all that counts; where nothing has changed there is none. A line of reference data that can't be
followed is a reject of calendar_shift.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from ingest import zones
from ingest.contract import CONTRACTS, GROUPS
from ingest.lake import Lake, Load
from ingest.shifts.days import Days
from ingest.shifts.occurrences import Occurrences, occurrences_of
from ingest.shifts.patterns import FILES, Fault, read_lines
from ingest.source import BATCH_ROWS, Batch, Object, Reading, Reject
from ingest.sources import reference
from pipeline.plant import Plant

DAYS, SHIFTS = "calendar_day", "calendar_shift"
COVERED = [
    table
    for group in ("tests", "machines", "planning")
    for table, contract in GROUPS[group].items()
    if contract.timestamps and table != "fault_truth"
]
"""Tables whose events say which years there are."""
MOST_YEARS = 30
"""Before the newest event: a clock that was wrong once makes no century."""
UTC = pa.timestamp("us", "UTC")


def find(plant: Plant, lake: Lake) -> Iterator[Object]:
    """Nothing while there is no record."""
    span = covered(lake.loads, plant.plant.timezone)
    if span is None:
        return
    start = plant.plant.production_day_start
    days = Days(*span, plant.plant.timezone, start.hour * 3600 + start.minute * 60)
    yield _object(DAYS, _day_records(days), [], repr(start), days.starts, days.ends)
    lines, faults = read_lines({name: lake.newest(f"ref_{name}").to_pylist() for name in FILES})
    found = occurrences_of(lines, days, faults)
    kinds, times = repr(found.kinds), (found.which, found.dates, found.starts, found.ends)
    yield _object(SHIFTS, _shift_records(found), faults, kinds, *times)


def covered(loads: list[Load], zone: str) -> tuple[date, date] | None:
    """First and last date: whole local years from the first event to the year after the last, and a week before.

    What may lie ahead by nature, such as a plan, adds no years after the others' last.
    """
    known = [load for load in loads if load.status == "loaded" and load.min_event_at and load.table_name in COVERED]
    happened = [load for load in known if not _is_planned(load.table_name)]
    if not known:
        return None
    last = max(load.max_event_at for load in happened) if happened else max(load.min_event_at for load in known)
    first = min(load.min_event_at for load in known)
    moments = np.array([first, last], "datetime64[us]").astype(np.int64)
    first, last = zones.utc_to_local(moments, zone).astype("datetime64[us]").astype("datetime64[Y]").astype(int) + 1970
    first = max(min(first, last), last - MOST_YEARS, zones.FIRST_YEAR + 1)
    return date(first, 1, 1) - timedelta(weeks=1), date(min(last + 1, zones.LAST_YEAR - 1), 12, 31)


def _is_planned(table: str) -> bool:
    return CONTRACTS[table].columns[CONTRACTS[table].timestamps[0]].planned


def _day_records(days: Days) -> pa.Table:
    return pa.table(
        {
            "production_date": pa.array(days.dates.astype("datetime64[D]")),
            "day_start_at": _instants(days.starts),
            "day_end_at": _instants(days.ends),
            "offset_changed_at": _instants(zones.changes_between(days.starts, days.ends, days.zone)),
        }
    )


def _shift_records(found: Occurrences) -> pa.Table:
    return pa.table(
        {
            "line_id": found.texts("line_id"),
            "shift_date": pa.array(found.dates.astype("datetime64[D]")),
            "shift_name": found.texts("shift_name"),
            "crew": found.texts("crew"),
            "shift_start_at": _instants(found.starts),
            "shift_end_at": _instants(found.ends),
            "kind": found.texts("kind"),
            "name": found.texts("name"),
        }
    )


def _instants(times: np.ndarray) -> pa.Array:
    return pa.array(times, pa.int64()).cast(UTC)


def _object(table: str, records: pa.Table, faults: list[Fault], texts: str, *numbers: np.ndarray) -> Object:
    """Records that are at hand. Their content, which `texts` and `numbers` tell, is their version."""
    rejects = [_reject(fault) for fault in sorted(faults, key=lambda fault: (fault.file, fault.row, fault.reason))]
    content = hashlib.sha256(f"{rejects} {texts}".encode())
    for array in numbers:
        content.update(array.tobytes())
    return Object(
        source=reference.SOURCE,
        table=table,
        name=table,
        version=content.hexdigest(),
        digest=content.hexdigest,
        batches=lambda: _batches(records, rejects),
        reading=Reading(timezone="UTC"),
        latest_only=True,
    )


def _batches(records: pa.Table, rejects: list[Reject]) -> Iterator[Batch]:
    for first in range(0, max(len(records), 1), BATCH_ROWS):
        part = records.slice(first, BATCH_ROWS)
        rows = np.arange(first + 1, first + 1 + len(part), dtype=np.int64)
        yield Batch(part, rows, rejects=rejects if first == 0 else [])


def _reject(fault: Fault) -> Reject:
    record = {name: value for name, value in fault.record.items() if value is not None and not name.startswith("_")}
    text = json.dumps(record, ensure_ascii=False, default=str)
    return Reject(fault.row, text, f"{fault.file}.csv: {fault.reason}")
