"""STDF test results: *Standard Test Data Format Specification, Version 4* (Teradyne); the bytes are in `stdf_records`.

**An attempt** is a part, from its PIR to the PRR of the same head and site; parts of several sites may be open at once.
A part that was tested again, with or without the flags by which a PRR supersedes an earlier one, is another attempt.

| test_record | from |
|---|---|
| serial_num | PRR.PART_ID; on a wafer `DIE`: MIR.LOT_ID/WAFER_ID/X_COORD,Y_COORD (PART_ID is but a count there) |
| product_name, machine_id | MIR.PART_TYP, MIR.NODE_NAM |
| test_name | MIR.TEST_COD (the test step), else MIR.JOB_NAM (the program) |
| test_result | PRR.PART_FLG: bit 2 abort; bit 4 none; bit 3 fail; else pass |
| test_duration_s | PRR.TEST_T, milliseconds; a tester that does not measure it writes 0 |
| error_code | of a failed part: PRR.SOFT_BIN, else PRR.HARD_BIN |
| fixture_id, fixture_slot | SDR.CARD_ID, else LOAD_ID, else DIB_ID, of the site; head:site |
| operator_id, lot_number, software_version | MIR.OPER_NAM, MIR.LOT_ID, MIR.JOB_REV |
| run_purpose | MIR.MODE_COD; blank and P are production |

All fields of MIR and PRR are there as well, as `MIR.X` and `PRR.X`, and `DIE`, `LOT.PART` (MIR.LOT_ID/PRR.PART_ID, for
testers whose PART_ID counts from 1 in each lot), `WAFER`, `FAILED_TESTS` (their numbers) and `FUNCTIONAL_TESTS` (how
many FTRs).

**Times.** MIR.START_T and WIR.START_T count seconds of the tester's wall clock from 1970, so they are in the `timezone`
of the source; a tester that counts UTC needs `timezone: UTC`. Results have no time of their own. A part starts when all
parts whose PRR comes before its PIR had ended, which is START_T plus their TEST_T: the earliest time that the file
allows, since what passes between parts is not in it. Each part starts a microsecond or more after the one before, so
that no two attempts have one time. In a run across a change of the clock, parts after it are an hour off.

**test_measurement**: a PTR with a result; each result of an MPR, as `parameter[index]`, the index being its PMR's or
its place. The parameter is `TEST_NUM TEST_TXT`. Results and limits are stored in the base unit, UNITS, whatever
RES_SCAL, LLM_SCAL and HLM_SCAL say: those are for display. Where OPT_FLAG says so, or a field is left out, limits and
units are those of the first PTR with this number. A limit that is no finite number is none. A result that the
specification says is not to be used (TEST_FLG bits 0 to 3 and 5, PARM_FLG bits 0 to 2) is handed over as NULL, with the
flags in `INVALID`, and so rejected. A test that was not executed (TEST_FLG bit 4) measured nothing. FTRs have no value.

**Totals.** PCR, HBR and SBR are compared with the PRRs. A total that counts parts which are not in the file, or fewer
than are there (but for those that were superseded), is a reject of test_record: it is a record that the others
contradict, and to refuse the parts with it would lose them.
"""

import json
import math
import struct
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO

from ingest.formats.attempts import Unfit, measured
from ingest.formats.stdf_records import (
    FTR,
    HBR,
    LAYOUTS,
    MIR,
    MPR,
    MRR,
    NAMES,
    PCR,
    PIR,
    PRR,
    PTR,
    SBR,
    SDR,
    WIR,
    WRR,
    Decoder,
    byte_order,
    plain,
    records,
)
from ingest.source import Unreadable

TABLES = ("test_record", "test_measurement")
EPOCH = datetime(1970, 1, 1)
MOST_OPEN = 1_000_000
"""Results of parts that are not finished yet, all sites together."""
MOST_KNOWN = 100_000
"""Limits, units and texts that are remembered as they were written; more are decoded again."""
ALL_SITES = (255, None)
COLUMNS = frozenset(
    [
        *(f"MIR.{name}" for name, _ in LAYOUTS[MIR]),
        *(f"PRR.{name}" for name, _ in LAYOUTS[PRR] if name != "PART_FIX"),
        *("DIE", "LOT.PART", "WAFER", "FAILED_TESTS", "FUNCTIONAL_TESTS"),
    ]
)
NO_COUNT, NO_BIN, NO_COORDINATE = 0xFFFFFFFF, 0xFFFF, -0x8000
PURPOSES = {"A": "AEL", "C": "checker", "D": "development", "E": "engineering", "M": "maintenance", "P": "production"}
PURPOSES |= {"Q": "quality control"}
TEST_FLAGS = {0x01: "alarm", 0x02: "no value taken", 0x04: "unreliable", 0x08: "timeout", 0x20: "aborted"}
PARM_FLAGS = {0x01: "scale error", 0x02: "drift", 0x04: "oscillation"}
UNUSABLE = sum(TEST_FLAGS), sum(PARM_FLAGS)
SHORTEST = {PTR: 12, MPR: 12, FTR: 7}
NOT_EXECUTED, PASS_OR_FAIL, FAILED = 0x10, 0xC0, 0x80


@dataclass
class Part:
    """From its PIR on. `start`: microseconds from 1970 on the tester's clock."""

    start: int
    results: list[dict] = field(default_factory=list)
    pending: int = 0
    failed: list[int] = field(default_factory=list)
    functional: int = 0


@dataclass(frozen=True)
class Static:
    """What a PTR or MPR says of its test, from OPT_FLAG on; `text` comes before it and is kept all the same."""

    text: str | None = None
    low: float | None = None
    high: float | None = None
    units: str | None = None
    indexes: tuple[int, ...] = ()


def rows(stream: BinaryIO, table: str, encoding: str, named: Collection[str]) -> Iterator[dict | Unfit]:
    order = byte_order(stream)
    run = _Run(order, encoding, table == "test_measurement", named)
    ended = False
    for at, kind, content in records(stream, order):
        if ended:
            raise Unreadable(
                f"a record follows the MRR at byte {at}, which is to be the last; give each run its own file"
            )
        if kind in SHORTEST:
            run.result(at, kind, content)
        elif kind in run.others:
            yield from run.others[kind](run.decoder.fields(kind, content, at)) or ()
        ended = kind == MRR
        if run.pending > MOST_OPEN:
            raise Unreadable(f"more than {MOST_OPEN} results up to byte {at} belong to parts that have no PRR")
        if run.orphans:
            yield from run.taken_orphans()
    if not ended:
        raise Unreadable("it has no MRR at its end: the test was not finished, or the file is not whole; copy it again")
    yield from run.rest()


class _Run:
    """The state of a file while it is read. Its methods take a record's fields and yield rows."""

    def __init__(self, order: str, encoding: str, measures: bool, named: Collection[str]):
        self.decoder = Decoder(order, encoding)
        self.measures = measures
        self.named = named
        self.others = {
            MIR: self._mir,
            SDR: self._sdr,
            WIR: self._wir,
            WRR: self._wrr,
            PIR: self._pir,
            PRR: self._prr,
            PCR: lambda fields: self.totals.append(("PCR", fields)),
            HBR: lambda fields: self.totals.append(("HBR", fields)),
            SBR: lambda fields: self.totals.append(("SBR", fields)),
        }
        self._start = struct.Struct(f"{order}IBBB")
        self._result = struct.Struct(f"{order}f")
        self._counts = struct.Struct(f"{order}HH")
        self.mir: dict = {}
        self.fixtures: dict[tuple[int, int], str | None] = {}
        self.wafers: dict[int, str | None] = {}
        self.parts: dict[tuple[int, int], Part] = {}
        self.pending = 0
        self.orphans: list[dict] = []
        self.clock: int | None = None
        self.last_start = -1
        self.static: dict[tuple, Static] = {}
        self.known: dict[tuple, Static] = {}
        self.counts: Counter = Counter()
        self.totals: list[tuple[str, dict]] = []

    def _mir(self, fields: dict) -> None:
        self.mir = {name: plain(value) if isinstance(value, str) else value for name, value in fields.items()}
        self._advance(fields.get("START_T"))

    def _sdr(self, fields: dict) -> None:
        found = (plain(fields.get(name)) for name in ("CARD_ID", "LOAD_ID", "DIB_ID"))
        fixture = next(filter(None, found), None)
        self.fixtures |= {(fields.get("HEAD_NUM"), site): fixture for site in fields.get("SITE_NUM", ())}

    def _wir(self, fields: dict) -> None:
        self.wafers[fields.get("HEAD_NUM", 0)] = plain(fields.get("WAFER_ID"))
        self._advance(fields.get("START_T"))

    def _wrr(self, fields: dict) -> None:
        self.wafers.pop(fields.get("HEAD_NUM", 0), None)

    def _advance(self, seconds: int | None) -> None:
        if seconds:
            self.clock = max(self.clock or 0, seconds * 1_000_000)

    def _pir(self, fields: dict) -> Iterator[dict]:
        site = (fields.get("HEAD_NUM"), fields.get("SITE_NUM"))
        yield from self._unfinished(site)
        self.parts[site] = self._begun()

    def _begun(self) -> Part:
        self.last_start = max(self.clock or 0, self.last_start + 1)
        return Part(self.last_start)

    def _prr(self, fields: dict) -> Iterator[dict]:
        site = (fields.get("HEAD_NUM"), fields.get("SITE_NUM"))
        part = self.parts.pop(site, None) or self._begun()
        if self.clock is not None:
            self.clock = max(self.clock, part.start + fields.get("TEST_T", 0) * 1000)
        self._count(site, fields)
        yield from self._rows_of(site, part, fields)

    def _unfinished(self, site: tuple) -> Iterator[dict]:
        """A part whose PRR never came: it has no serial number and no result, which the contract then says."""
        if part := self.parts.pop(site, None):
            yield from self._rows_of(site, part, {})

    def _rows_of(self, site: tuple, part: Part, fields: dict) -> Iterator[dict]:
        self.pending -= part.pending
        attempt = self._attempt(site, part, fields)
        if self.measures:
            yield from measured(attempt, part.results, self.named)
        else:
            yield attempt

    def _attempt(self, site: tuple, part: Part, prr: dict) -> dict:
        mir = self.mir
        part_id, lot, wafer = plain(prr.get("PART_ID")), mir.get("LOT_ID"), self.wafers.get(site[0])
        x, y = prr.get("X_COORD", NO_COORDINATE), prr.get("Y_COORD", NO_COORDINATE)
        die = f"{lot}/{wafer}/{x},{y}" if lot and wafer and NO_COORDINATE not in (x, y) else None
        result, mode = _result(prr.get("PART_FLG")), mir.get("MODE_COD")
        soft, hard = prr.get("SOFT_BIN", NO_BIN), prr.get("HARD_BIN")
        own = {f"MIR.{name}": mir.get(name) for name, _ in LAYOUTS[MIR]}
        own |= {f"PRR.{name}": prr.get(name) for name, _ in LAYOUTS[PRR] if name != "PART_FIX"}
        own |= {"PRR.PART_ID": part_id, "PRR.PART_TXT": plain(prr.get("PART_TXT"))}
        return own | {
            "serial_num": die or part_id,
            "product_name": mir.get("PART_TYP"),
            "test_name": mir.get("TEST_COD") or mir.get("JOB_NAM"),
            "machine_id": mir.get("NODE_NAM"),
            "test_timestamp": None if self.clock is None else EPOCH + timedelta(microseconds=part.start),
            "test_result": result,
            "test_duration_s": prr.get("TEST_T", 0) / 1000,
            "operator_id": mir.get("OPER_NAM"),
            "error_code": (hard if soft == NO_BIN else soft) if result == "fail" else None,
            "fixture_id": self.fixtures.get(site),
            "fixture_slot": f"{site[0]}:{site[1]}",
            "lot_number": lot,
            "software_version": mir.get("JOB_REV"),
            "run_purpose": PURPOSES.get(mode, mode and f"mode {mode}"),
            "DIE": die,
            "LOT.PART": f"{lot}/{part_id}" if lot and part_id else None,
            "WAFER": wafer,
            "FAILED_TESTS": json.dumps(part.failed) if part.failed else None,
            "FUNCTIONAL_TESTS": part.functional or None,
        }

    def result(self, at: int, kind: tuple[int, int], content: bytes) -> None:
        """A PTR, MPR or FTR: goes to the part that is open at its head and site."""
        if len(content) < SHORTEST[kind]:
            raise Unreadable(f"the {NAMES[kind]} at byte {at} has only {len(content)} bytes; copy the file again")
        number, head, site, flags = self._start.unpack_from(content)
        values, static = ((), Static()) if kind == FTR else self._decoded(at, kind, number, content)
        if flags & NOT_EXECUTED:
            return
        part = self.parts.get((head, site))
        if part:
            part.functional += kind == FTR
            part.pending += len(values)
            self.pending += len(values)
            if flags & PASS_OR_FAIL == FAILED:
                part.failed.append(number)
        if self.measures and values:
            found = _measurements(kind, number, content[6:8], values, static)
            (part.results if part else self.orphans).extend(found)

    def taken_orphans(self) -> Iterator[dict]:
        """Results outside of any part: they have no key, which the contract then says."""
        found, self.orphans = self.orphans, []
        return measured({"serial_num": None}, found, self.named)

    def _decoded(self, at: int, kind: tuple[int, int], number: int, content: bytes) -> tuple[tuple, Static]:
        """Results, and what the test says of them."""
        if kind == PTR:
            values, count, end = self._result.unpack_from(content, 8), 0, 12
        else:
            count, results = self._counts.unpack_from(content, 8)
            start = 12 + (count + 1) // 2
            end = start + 4 * results
            if end > len(content):
                raise Unreadable(f"the MPR at byte {at} breaks off within its results; copy the file again")
            values = struct.unpack_from(f"{self.decoder.order}{results}f", content, start)
        return values, self._static(at, kind, number, content[end:], count)

    def _static(self, at: int, kind: tuple[int, int], number: int, tail: bytes, count: int) -> Static:
        """What follows the results: mostly as the test's other records have it, so it is decoded once."""
        key = (kind, number, tail, count)
        if key not in self.known:
            fields = self.decoder.fields(kind, tail, at, RTN_ICNT=count)
            default = self.static.get((kind, number), Static())
            found = _static_of(fields, default)
            self.static.setdefault((kind, number), found)
            if len(self.known) >= MOST_KNOWN:
                self.known.clear()
            self.known[key] = found
        return self.known[key]

    def _count(self, site: tuple, prr: dict) -> None:
        flags = prr.get("PART_FLG", 0)
        bins = [("HBR", prr.get("HARD_BIN")), ("SBR", prr.get("SOFT_BIN"))]
        good = [("PCR", "GOOD_CNT")] if _result(flags) == "pass" else []
        repeat = ["repeats"] if flags & 0x03 else []
        for scope in (site, ALL_SITES):
            self.counts.update((scope, what) for what in [("PCR", "PART_CNT"), *good, *bins, *repeat])

    def rest(self) -> Iterator[dict | Unfit]:
        """Parts without a PRR, then totals that the PRRs contradict."""
        for site in list(self.parts):
            yield from self._unfinished(site)
        if not self.measures:
            for name, total in self.totals:
                yield from self._contradicted(name, total)

    def _contradicted(self, name: str, total: dict) -> Iterator[Unfit]:
        head, site = total.get("HEAD_NUM"), total.get("SITE_NUM")
        scope = ALL_SITES if head == ALL_SITES[0] else (head, site)
        where = "all sites" if scope == ALL_SITES else f"head {head}, site {site}"
        for what in ("PART_CNT", "GOOD_CNT") if name == "PCR" else ("BIN_CNT",):
            said = total.get(what, NO_COUNT)
            found = self.counts[scope, (name, what if name == "PCR" else total.get("BIN_NUM"))]
            if said != NO_COUNT and not found - self.counts[scope, "repeats"] <= said <= found:
                part = "" if name == "PCR" else f" of bin {total['BIN_NUM']}"
                reason = f"the {name} says that {what}{part} is {said} at {where}; the file has {found} such parts"
                yield Unfit(json.dumps({"RECORD": name} | total, ensure_ascii=False), reason)


def _result(flags: int | None) -> str | None:
    if flags is None:
        return None
    if flags & 0x04:
        return "abort"
    if flags & 0x10:
        return None
    return "fail" if flags & 0x08 else "pass"


def _measurements(kind: tuple, number: int, flags: bytes, values: tuple, static: Static) -> Iterator[dict]:
    """`flags`: TEST_FLG and PARM_FLG."""
    test_flags, parm_flags = flags
    invalid = []
    if test_flags & UNUSABLE[0] or parm_flags & UNUSABLE[1]:
        invalid = [word for bit, word in TEST_FLAGS.items() if test_flags & bit]
        invalid += [word for bit, word in PARM_FLAGS.items() if parm_flags & bit]
    parameter = f"{number} {static.text}" if static.text else str(number)
    indexes = static.indexes if len(static.indexes) == len(values) else range(1, len(values) + 1)
    for index, value in zip(indexes, values, strict=True):
        yield {
            "parameter": parameter if kind == PTR else f"{parameter}[{index}]",
            "value": None if invalid else value,
            "unit": static.units,
            "lower_limit": static.low,
            "upper_limit": static.high,
            "OUTCOME": "fail" if test_flags & PASS_OR_FAIL == FAILED else None,
            "INVALID": f"{', '.join(invalid)}; RESULT {value}" if invalid else None,
        }


def _static_of(fields: dict, default: Static) -> Static:
    option = fields.get("OPT_FLAG", 0)
    units = fields.get("UNITS")
    return Static(
        text=plain(fields.get("TEST_TXT")) or default.text,
        low=_limit(fields.get("LO_LIMIT"), default.low, instead=option & 0x10, none=option & 0x40),
        high=_limit(fields.get("HI_LIMIT"), default.high, instead=option & 0x20, none=option & 0x80),
        units=plain(units) if units else default.units,
        indexes=fields.get("RTN_INDX") or default.indexes,
    )


def _limit(value: float | None, default: float | None, *, instead: int, none: int) -> float | None:
    if none:
        return None
    if instead or value is None:
        return default
    return value if math.isfinite(value) else None
