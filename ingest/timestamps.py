"""Received times to UTC and plant wall time, with their flags.

Text is ISO 8601 (date, `T` or blank, time, optional fraction and offset) or as the source's `timestamp_format` says,
never guessed: `01/02/24` alone says nothing. A time with an offset is that instant; one without is local to the source.
"""

from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest import zones
from ingest.source import Reading
from ingest.sql import identifier, literal

MICROSECONDS = pa.timestamp("us")
TIME = r"\d{4}-\d{2}-\d{2}[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
OFFSET = r"(?:[Zz]|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)"
EARLIEST = np.datetime64(f"{zones.FIRST_YEAR}-01-03", "us").astype(np.int64)
LATEST = np.datetime64(f"{zones.LAST_YEAR}-12-30", "us").astype(np.int64)
NULL_TIME = np.iinfo(np.int64).min


class Timestamps:
    def __init__(self, connection: duckdb.DuckDBPyConnection, reading: Reading, plant_zone: str):
        self.connection = connection
        self.reading = reading
        self.plant_zone = plant_zone
        self.sql = _formatted(connection, reading.timestamp_formats) if reading.timestamp_formats else _iso()

    def converted(self, name: str, received: pa.ChunkedArray) -> dict[str, pa.Array]:
        """`<name>` (UTC), `<name>_local` (plant wall time), `<name>_flag`; NULL where nothing usable was received."""
        kind = received.type
        if pa.types.is_timestamp(kind):
            times = _microseconds(received.cast(pa.timestamp("us", kind.tz), safe=False))
            zoned = np.full(len(times), kind.tz is not None)
            offsets = np.zeros(len(times), np.int64)
        else:
            times, offsets, zoned = self._parsed(received)
        valid = (times >= EARLIEST) & (times <= LATEST)
        times = np.where(valid, times, 0)
        utc, flags = times - offsets, np.zeros(len(times), np.int8)
        naive = valid & ~zoned
        if naive.any():
            zone, repeated = self.reading.timezone, self.reading.repeated_hour
            utc[naive], flags[naive] = zones.local_to_utc(times[naive], zone, repeated=repeated)
        local = np.zeros(len(times), np.int64)
        local[valid] = zones.utc_to_local(utc[valid], self.plant_zone)
        return {
            name: pa.array(utc, pa.int64(), mask=~valid).cast(MICROSECONDS),
            f"{name}_local": pa.array(local, pa.int64(), mask=~valid).cast(MICROSECONDS),
            f"{name}_flag": pa.array(flags),
        }

    def _parsed(self, received: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        text = received if pa.types.is_string(received.type) else received.cast(pa.string())
        self.connection.register("texts", pa.table({"c": text}))
        try:
            parsed = self.connection.execute(self.sql).to_arrow_table()
        finally:
            self.connection.unregister("texts")
        zoned = pc.is_valid(parsed["offset"]).to_numpy()
        return _microseconds(parsed["time"]), pc.fill_null(parsed["offset"], 0).to_numpy(), zoned


def _microseconds(times: pa.ChunkedArray) -> np.ndarray:
    return pc.fill_null(times.cast(pa.int64()), int(NULL_TIME)).to_numpy()


def _iso() -> str:
    offset = f"regexp_extract(c, {literal(OFFSET + '$')})"
    digits = f"replace({offset}[2:], ':', '')"
    minutes = f"(try_cast({digits}[1:2] as bigint) * 60 + coalesce(try_cast({digits}[3:4] as bigint), 0))"
    sign = f"case {offset}[1] when '-' then -60 when '+' then 60 end"
    return f"""
        with matched as (
            select
                c,
                case
                    when regexp_full_match(c, {literal(TIME)}) then 'local'
                    when regexp_full_match(c, {literal(TIME + OFFSET)}) then 'zoned'
                end as kind
            from texts
        )
        select
            case kind
                when 'local' then try_cast(c as timestamp)
                when 'zoned' then try_cast(regexp_replace(c, {literal(OFFSET + "$")}, '') as timestamp)
            end as time,
            case when kind = 'zoned' then coalesce(1000000 * {minutes} * ({sign}), 0) end::bigint as offset
        from matched
    """


def _formatted(connection: duckdb.DuckDBPyConnection, formats: tuple[str, ...]) -> str:
    """The first format that fits says what a text is."""
    times, offsets = [], []
    for timestamp_format in formats:
        parsed = f"try_strptime(c, {literal(timestamp_format)})"
        zoned = "ZONE" in connection.execute(f"select typeof({parsed}) from (select '' as c)").fetchone()[0]
        times.append(f"make_timestamp(epoch_us({parsed}))")
        offsets.append(f"when {parsed} is not null then {0 if zoned else 'null'}")
    return f"""
        select coalesce({", ".join(times)}) as time, (case {" ".join(offsets)} end)::bigint as offset from texts
    """


def flags_of(times: list[str], planned: set[str], started_at: datetime) -> str:
    """SQL of `_flags`: `<column>:<flag>` separated by commas, NULL when there is none."""
    parts = []
    for name in times:
        flag, repeated, missing = (
            identifier(f"{name}_flag"),
            literal(f"{name}:repeated_hour"),
            literal(f"{name}:missing_hour"),
        )
        parts.append(
            f"case {flag} when {zones.REPEATED_HOUR} then {repeated} when {zones.MISSING_HOUR} then {missing} end"
        )
        if name not in planned:
            start = literal(started_at.strftime("%Y-%m-%d %H:%M:%S.%f"))
            parts.append(f"case when {identifier(name)} > {start}::timestamp then {literal(f'{name}:future')} end")
    return f"nullif(concat_ws(',', {', '.join(parts)}), '')" if parts else "null::varchar"
