"""What becomes of STDF files."""

import gzip
import io
import json
import math
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdf_file import START, Stdf

from ingest.formats import equipment, stdf, stdf_records
from ingest.source import Unreadable
from pipeline.plant import PlantError

LIMITS = (0x02, 3, 3, 3, 0.5, 1.5, "V")
EIGHT = datetime(2024, 1, 1, 0, 0)  # in UTC; the site's clock shows 08:00
MILLI = timedelta(milliseconds=1)


@pytest.fixture
def stdf_site(site):
    """Its source names no table."""
    return site.describe({"name": "tester-7", "kind": "files", "path": "inbox/*.std*"})


def loaded(site, content: bytes, name: str = "a.stdf") -> list[dict]:
    site.put(name, content)
    assert [load.status for load in site.load()] == ["loaded", "loaded"]
    return site.rows()


def read(file: Stdf, table: str = "test_record") -> list:
    """What the format hands over, before the contract judges it."""
    return list(stdf.rows(io.BytesIO(file.mrr()), table, "utf-8", ()))


def failure(site, content: bytes) -> str:
    """Why the file was refused: all loads of it, for the same reason."""
    site.put("a.stdf", content)
    first, second = site.load()
    assert (first.status, second.status, first.error) == ("failed", "failed", second.error)
    assert site.rows() == site.rows("test_measurement") == []
    return first.error


def measurements(site, *names: str) -> list[tuple]:
    return [tuple(row[name] for name in names) for row in site.rows("test_measurement")]


def reasons(site) -> list[str]:
    return sorted(f"{row['table_name']}: {row['reason']}" for row in site.rows("reject"))


# One file is a load of each table that it holds; loading it again changes nothing.
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("name, pack", [("a.stdf", bytes), ("a.std.gz", gzip.compress)])
def test_parts_and_their_results(stdf_site, order, name, pack):
    file = Stdf(order).mir().sdr([1, 2], card="PC9").pir().ptr(10, 1.25, "Vdd", optional=LIMITS).ftr(20, 0)
    file = file.prr("A1").pir(2).ptr(10, 2.0, site=2, flags=0x80).prr("A2", site=2, flags=0x08, hard=7, soft=70)
    record, failed = loaded(stdf_site, pack(file.pcr(2, 1).hbr(1, 1).sbr(70, 1).mrr()), name)
    expected = {
        "serial_num": "A1",
        "product_name": "CHIP",
        "test_name": "FT1",
        "machine_id": "T7",
        "test_timestamp": EIGHT,
        "test_timestamp_local": EIGHT + timedelta(hours=8),
        "test_result": "pass",
        "test_duration_s": 1.5,
        "operator_id": "op",
        "error_code": None,
        "fixture_id": "PC9",
        "fixture_slot": "1:1",
        "lot_number": "L1",
        "software_version": "1.2",
        "run_purpose": "production",
        "_row": 1,
    }
    assert record | expected == record
    extra = json.loads(record["_extra"])
    assert (extra["MIR.JOB_NAM"], extra["PRR.HARD_BIN"], extra["FUNCTIONAL_TESTS"]) == ("chip_ft", "1", "1")
    assert (failed["test_result"], failed["error_code"], failed["_row"]) == ("fail", "70", 2)
    assert json.loads(failed["_extra"])["FAILED_TESTS"] == "[10]"
    names = "serial_num", "test_timestamp", "parameter", "value", "unit", "lower_limit", "upper_limit", "_row"
    assert measurements(stdf_site, *names) == [
        ("A1", EIGHT, "10 Vdd", 1.25, "V", 0.5, 1.5, 1),
        ("A2", EIGHT + 1500 * MILLI, "10 Vdd", 2.0, "V", 0.5, 1.5, 2),
    ]
    assert reasons(stdf_site) == [] and stdf_site.load() == []


def test_one_table_alone(site):
    site.describe(path="inbox/*.stdf", table="test_measurement")
    site.put("a.stdf", Stdf().mir().pir().ptr(1, 2.0).prr("A").mrr())
    assert (site.load_one().row_count, site.count("test_measurement")) == (1, 1)


# Sites are tested side by side: a result goes to the part at its own head and site.
def test_sites_are_kept_apart(stdf_site):
    file = Stdf().mir().pir(1).pir(2).ptr(1, 1.0, site=2).ptr(1, 2.0, site=1).ptr(2, 3.0, site=2)
    loaded(stdf_site, file.prr("B", site=2).prr("A", site=1).mrr())
    assert measurements(stdf_site, "serial_num", "parameter", "value") == [
        ("B", "1", 1.0),
        ("B", "2", 3.0),
        ("A", "1", 2.0),
    ]


# A retest is another attempt with a time of its own, or two attempts would be one to the marts.
@pytest.mark.parametrize("millis, gap", [(1500, 1500 * MILLI), (0, timedelta(microseconds=1))])
def test_retests_of_a_unit_are_attempts(stdf_site, millis, gap):
    file = Stdf().mir().pir().prr("A", flags=0x08, millis=millis).pir().prr("A", flags=0x01, millis=millis)
    first, second = loaded(stdf_site, file.pcr(1, 1).mrr())
    assert [row["test_result"] for row in (first, second)] == ["fail", "pass"]
    assert second["test_timestamp"] - first["test_timestamp"] == gap
    assert reasons(stdf_site) == []


def test_times_go_on_from_the_wafers_start(stdf_site):
    file = Stdf().mir().wir("W1", START + 60).pir().pir(2).prr("A", millis=500).prr("B", site=2, millis=900)
    rows = loaded(stdf_site, file.pir().prr("C").wrr().mrr())
    starts = [(row["serial_num"], (row["test_timestamp"] - EIGHT) / timedelta(microseconds=1)) for row in rows]
    assert starts == [("A", 60_000_000), ("B", 60_000_001), ("C", 60_900_001)]


def test_times_are_in_the_zone_of_the_source(site):
    site.describe({"name": "t", "kind": "files", "path": "inbox/*.stdf", "timezone": "UTC"})
    (row,) = loaded(site, Stdf().mir().pir().prr("A").mrr())
    assert row["test_timestamp"] == datetime.fromtimestamp(START, UTC).replace(tzinfo=None)


# PART_ID counts on a wafer: dies of two wafers must not be one module.
def test_a_die_is_known_by_its_wafer_and_place(stdf_site):
    file = Stdf().mir().wir("W1").pir().prr("1", x=3, y=-4).pir().prr("2").wrr().pir().prr("3", x=3, y=-4)
    assert [row["serial_num"] for row in loaded(stdf_site, file.mrr())] == ["L1/W1/3,-4", "2", "3"]


def test_columns_of_the_format_may_be_mapped(site):
    columns = {"serial_num": "PRR.PART_TXT", "test_name": "MIR.JOB_NAM", "product_name": "MIR.TSTR_TYP"}
    site.describe({"name": "t", "kind": "files", "path": "inbox/*.stdf", "columns": columns})
    (row,) = loaded(site, Stdf().mir().pir().ptr(1, 1.0).prr("1", text="SN77").mrr())
    assert [row[name] for name in columns] == ["SN77", "chip_ft", "J750"]
    assert measurements(site, "serial_num", "test_name") == [("SN77", "chip_ft")]


def test_a_column_that_the_format_does_not_have_fails(site):
    site.describe({"name": "t", "kind": "files", "path": "inbox/*.stdf", "columns": {"serial_num": "PRR.PART"}})
    assert "names 'PRR.PART', which is not among" in failure(site, Stdf().mir().pir().ptr(1, 1.0).prr("1").mrr())


# Neither a file without parts nor results outside of them are a matter of columns.
def test_mapped_columns_and_no_parts(site):
    columns = {"serial_num": "PRR.PART_TXT"}
    site.describe({"name": "t", "kind": "files", "path": "inbox/*.stdf", "columns": columns})
    assert loaded(site, Stdf().mir().ptr(1, 1.0).pcr(3).mrr()) == []
    assert [row["table_name"] for row in site.rows("reject")] == ["test_record", "test_measurement"]


@pytest.mark.parametrize("flags, result", [(0x00, "pass"), (0x08, "fail"), (0x04, "abort"), (0x1C, "abort")])
def test_results(flags, result):
    (row,) = read(Stdf().mir().pir().prr("A", flags=flags))
    assert (row["test_result"], row["error_code"]) == (result, 1 if result == "fail" else None)


def test_part_without_an_indication_is_rejected(stdf_site):
    loaded(stdf_site, Stdf().mir().pir().prr("A", flags=0x18).mrr())
    assert reasons(stdf_site) == ["test_record: test_result is missing"]


def test_hard_bin_where_there_is_no_soft_one():
    (row,) = read(Stdf().mir().pir().prr("A", flags=0x08, hard=5, soft=65535))
    assert row["error_code"] == 5


@pytest.mark.parametrize(
    "mode, purpose", [(" ", None), ("E", "engineering"), ("Q", "quality control"), ("7", "mode 7")]
)
def test_purposes(mode, purpose):
    (row,) = read(Stdf().mir(mode=mode, step="").pir().prr("A"))
    assert (row["run_purpose"], row["test_name"]) == (purpose, "chip_ft")


# What can't be a row is in raw.reject, with its reason: nothing is lost.
def test_parts_without_a_number_are_rejected_with_their_results(stdf_site):
    assert loaded(stdf_site, Stdf().mir(part="").pir().ptr(1, 2.5).prr("  ").mrr()) == []
    assert reasons(stdf_site) == [
        "test_measurement: serial_num is missing",
        "test_record: serial_num is missing; product_name is missing",
    ]


def test_without_a_start_there_is_no_time(stdf_site):
    assert loaded(stdf_site, Stdf().mir(start=0).pir().prr("A").pir().prr("B").mrr()) == []
    assert reasons(stdf_site) == ["test_record: test_timestamp is missing"] * 2


# A PIR whose PRR never came, at the end or before another PIR, is a part that no record judges.
def test_parts_without_a_prr_are_rejected(stdf_site):
    file = Stdf().mir().pir().ptr(1, 1.0).pir().ptr(1, 2.0).prr("A").pir(2).ptr(1, 3.0, site=2)
    assert [row["serial_num"] for row in loaded(stdf_site, file.mrr())] == ["A"]
    assert [row["_row"] for row in stdf_site.rows()] == [2]
    assert [row["value"] for row in stdf_site.rows("test_measurement")] == [2.0]
    assert (
        reasons(stdf_site)
        == ["test_measurement: serial_num is missing"] * 2
        + ["test_record: serial_num is missing; test_result is missing"] * 2
    )


def test_prr_without_a_pir_is_a_part(stdf_site):
    file = Stdf().mir().ptr(1, 2.0).prr("A")
    assert [row["serial_num"] for row in loaded(stdf_site, file.mrr())] == ["A"]
    assert "test_measurement: serial_num is missing" in reasons(stdf_site)[0]


# The limits of the first PTR hold for those that follow, unless a PTR says otherwise.
@pytest.mark.parametrize(
    "optional, limits",
    [
        ((), (0.5, 1.5, "V")),
        ((0x02,), (0.5, 1.5, "V")),
        ((0x02, 0, 0, 0, -1.0, 3.0, "A"), (-1.0, 3.0, "A")),
        ((0x12, 0, 0, 0, -1.0, 3.0, ""), (0.5, 3.0, "V")),
        ((0x22, 0, 0, 0, -1.0, 3.0, "\0"), (-1.0, 1.5, None)),
        ((0x42, 0, 0, 0, -1.0, 3.0), (None, 3.0, "V")),
        ((0x82, 0, 0, 0, -1.0, 3.0), (-1.0, None, "V")),
        ((0xF2, 0, 0, 0, -1.0, 3.0), (None, None, "V")),
        ((0x02, 0, 0, 0, -math.inf, math.nan), (None, None, "V")),
        ((0x02, 0, 0, 0, -1.0), (-1.0, 1.5, "V")),
    ],
)
def test_limits_and_units(optional, limits):
    file = Stdf().mir().pir().ptr(1, 1.0, "Vdd", optional=LIMITS).ptr(2, 5.0).ptr(1, 2.0, optional=optional)
    names = "parameter", "lower_limit", "upper_limit", "unit"
    first, other, second = (tuple(row[n] for n in names) for row in read(file.prr("A"), "test_measurement"))
    assert (first, other) == (("1 Vdd", 0.5, 1.5, "V"), ("2", None, None, None))
    assert second == ("1 Vdd #2", *limits)


# RES_SCAL and its like are for display: values and limits are in the base unit whatever they say.
def test_scales_do_not_move_values(stdf_site):
    loaded(stdf_site, Stdf().mir().pir().ptr(1, 0.25, optional=(0x02, 6, 3, -3, 0.125, 0.5, "A")).prr("A").mrr())
    assert measurements(stdf_site, "value", "lower_limit", "upper_limit", "unit") == [(0.25, 0.125, 0.5, "A")]


def test_first_ptr_may_only_set_defaults(stdf_site):
    file = Stdf().mir().ptr(1, 0.0, "Vdd", flags=0x10, optional=LIMITS).pir().ptr(1, 1.0)
    loaded(stdf_site, file.prr("A").mrr())
    assert measurements(stdf_site, "parameter", "value", "lower_limit") == [("1 Vdd", 1.0, 0.5)]
    assert reasons(stdf_site) == []


# The specification: such a result should not be used. It must not move an average, nor vanish.
@pytest.mark.parametrize("flags, parm", [(1, 0), (2, 0), (4, 0), (8, 0), (0x20, 0), (0, 1), (0, 2), (0, 4)])
def test_results_that_are_not_to_be_used(flags, parm):
    file = Stdf().mir().pir().ptr(1, 7.5, flags=flags, parm=parm).ptr(2, 1.0, parm=0xF8).prr("A")
    unusable, usable = read(file, "test_measurement")
    assert (unusable["value"], usable["value"], usable["INVALID"]) == (None, 1.0, None)
    assert unusable["INVALID"].endswith("; RESULT 7.5")


def test_results_that_are_not_to_be_used_are_rejected(stdf_site):
    loaded(stdf_site, Stdf().mir().pir().ptr(1, 7.5, flags=8).ptr(2, 1.0).prr("A").mrr())
    assert measurements(stdf_site, "value") == [(1.0,)]
    ((number, record, reason),) = stdf_site.rejects()
    assert (number, reason) == (1, "value is missing")
    assert (record["INVALID"], record["serial_num"]) == ("timeout; RESULT 7.5", "A")


def test_results_that_are_no_numbers_are_rejected(stdf_site):
    loaded(stdf_site, Stdf().mir().pir().ptr(1, math.nan).ptr(2, math.inf).prr("A").mrr())
    assert reasons(stdf_site) == ["test_measurement: value is not a finite number"] * 2


def test_multiple_results(stdf_site):
    file = Stdf().mir().pir().mpr(5, [1.0, 2.0, 3.0], [7, 8, 9], text="leak").mpr(6, [4.0, 5.0], [7]).mpr(7, [])
    loaded(stdf_site, file.mpr(8, [0.5], flags=0x10).prr("A").mrr())
    assert measurements(stdf_site, "parameter", "value", "lower_limit", "upper_limit", "unit") == [
        ("5 leak[7]", 1.0, -1.0, 1.0, "A"),
        ("5 leak[8]", 2.0, -1.0, 1.0, "A"),
        ("5 leak[9]", 3.0, -1.0, 1.0, "A"),
        ("6[1]", 4.0, -1.0, 1.0, "A"),
        ("6[2]", 5.0, -1.0, 1.0, "A"),
    ]


# A tester's own count that the parts contradict means that parts were lost, or counted twice: someone must see it.
@pytest.mark.parametrize(
    "total, reason",
    [
        (Stdf.pcr, "the PCR says that PART_CNT is 3 at all sites; the file has 2 such parts"),
        (
            lambda file, count: file.pcr(2, count),
            "the PCR says that GOOD_CNT is 3 at all sites; the file has 1 such parts",
        ),
        (
            lambda file, count: file.pcr(count, head=1, site=1),
            "the PCR says that PART_CNT is 3 at head 1, site 1; the file has 2 such parts",
        ),
        (
            lambda file, count: file.hbr(1, count),
            "the HBR says that BIN_CNT of bin 1 is 3 at all sites; the file has 1 such parts",
        ),
        (
            lambda file, count: file.sbr(9, count),
            "the SBR says that BIN_CNT of bin 9 is 3 at all sites; the file has 1 such parts",
        ),
    ],
)
def test_totals_that_the_parts_contradict(total, reason):
    file = Stdf().mir().pir().prr("A").pir().prr("B", flags=0x08, hard=2, soft=9)
    *parts, contradicted = read(total(file, 3))
    assert ([row["serial_num"] for row in parts], contradicted.reason) == (["A", "B"], reason)


def test_contradicted_totals_are_rejected_and_the_parts_loaded(stdf_site):
    assert len(loaded(stdf_site, Stdf().mir().pir().prr("A").pcr(2, 1).mrr())) == 1
    ((number, record, reason),) = stdf_site.rejects()
    assert (number, record["RECORD"], record["PART_CNT"]) == (2, "PCR", 2) and "PART_CNT is 2" in reason


@pytest.mark.parametrize("count", [1, 2])
def test_totals_may_leave_out_superseded_parts(count):
    file = Stdf().mir().wir("W1").pir().prr("A", x=1, y=1).pir().prr("B", x=1, y=1, flags=0x02)
    assert len(read(file.pcr(count, count).hbr(1, count).hbr(1, count, head=1, site=1))) == 2


BROKEN_RESULT = Stdf().mir().add(15, 15, struct.pack("<IBBBBHH", 1, 1, 1, 0, 0, 0, 9)).mrr()
WHOLE = Stdf().mir().sdr([1], load="LB").pir().ptr(1, 1.0, "Vdd", optional=LIMITS).mpr(2, [1.0], [3]).prr("A").mrr()


# Wherever a copy broke off, nothing of the file is loaded, or a lot would look smaller than it was.
def test_files_that_break_off_are_refused():
    for table in stdf.TABLES:
        for end in range(len(WHOLE)):
            with pytest.raises(Unreadable):
                list(stdf.rows(io.BytesIO(WHOLE[:end]), table, "utf-8", ()))
        assert list(stdf.rows(io.BytesIO(WHOLE), table, "utf-8", ()))


@pytest.mark.parametrize(
    "content, error",
    [
        (b"", "does not start with a file attributes record"),
        (b"serial_num,product", "does not start with a file attributes record"),
        (b"\x02\x00\x00\x0a\x02\x03", "STDF of version 3"),
        (b"\x02\x00\x00\x0a\x00\x04", "a VAX"),
        (Stdf().mir().pir().prr("A").content, "it has no MRR"),
        (Stdf().mir().content + b"\x01", "breaks off within the record that starts at byte 63"),
        (WHOLE + b"\x02\x00\x05\x0a\x01\x01", "a record follows the MRR at byte"),
        (Stdf().mir().add(15, 10, b"\x01\x02").mrr(), "the PTR at byte 63 has only 2 bytes"),
        (BROKEN_RESULT, "the MPR at byte 63 breaks off within its results"),
        (Stdf().mir().add(5, 20, b"\x01\x01\x00\x01").mrr(), "the PRR at byte 63 breaks off within NUM_TEST"),
        (Stdf().mir().add(2, 10, b"\x01\xff\0\0\0\0\x09W").mrr(), "the WIR at byte 63 breaks off within WAFER_ID"),
        (Stdf().mir().add(1, 80, b"\x01\x01\x05\x01").mrr(), "the SDR at byte 63 breaks off within SITE_NUM"),
    ],
)
@pytest.mark.parametrize("table", stdf.TABLES)
def test_what_is_not_stdf_is_refused(content, error, table):
    with pytest.raises(Unreadable, match=error):
        list(stdf.rows(io.BytesIO(content), table, "utf-8", ()))


def test_refused_for_all_its_tables(stdf_site):
    assert "the MPR at byte 63" in failure(stdf_site, BROKEN_RESULT)


def test_text_of_another_encoding(site):
    content = Stdf().mir(part="").pir().prr("A").mrr().replace(b"chip_ft", b"ch\xfcp_ft")
    source = {"name": "t", "kind": "files", "path": "inbox/*.stdf"}
    error = failure(site.describe(source), content)
    assert "JOB_NAM of the MIR at byte 6 is not utf-8; say which encoding" in error
    site.describe(source | {"encoding": "cp1252", "columns": {"product_name": "MIR.JOB_NAM"}})
    site.load()
    assert [row["product_name"] for row in site.rows()] == ["chüp_ft"]


def test_records_of_other_kinds_are_passed_over(stdf_site):
    file = Stdf().mir().add(50, 30, b"\x02hi").add(180, 1, b"x" * 300).pir().add(1, 62, b"").prr("A")
    assert len(loaded(stdf_site, file.mrr())) == 1


def test_endless_parts_are_refused(stdf_site, monkeypatch):
    monkeypatch.setattr(stdf, "MOST_OPEN", 3)
    file = Stdf().mir().pir().ptr(1, 1.0).ptr(2, 1.0).ptr(3, 1.0).ptr(4, 1.0).prr("A")
    assert "that have no PRR" in failure(stdf_site, file.mrr())


def test_batches_and_chunks_do_not_matter(stdf_site, monkeypatch):
    monkeypatch.setattr(equipment, "BATCH_ROWS", 7)
    monkeypatch.setattr(stdf_records, "CHUNK", 5)
    monkeypatch.setattr(stdf, "MOST_KNOWN", 2)
    file = Stdf().mir()
    for number in range(20):
        file.pir().ptr(1, number, "Vdd", optional=LIMITS).ptr(2, number).ptr(3, number).prr(f"S{number}")
    assert [row["serial_num"] for row in loaded(stdf_site, file.mrr())] == [f"S{number}" for number in range(20)]
    found = measurements(stdf_site, "_row", "parameter", "value", "unit")
    tests = [("1 Vdd", "V"), ("2", None), ("3", None)]
    assert found == [(n + 1, tests[n % 3][0], n // 3, tests[n % 3][1]) for n in range(60)]


WRONG = {
    "no table": ({"path": "inbox/*"}, "table: missing; expected one of test_record,"),
    "another table": (
        {"table": "rework", "format": "stdf"},
        "table: 'rework' is not a table of its format; expected one of test_record, test_measurement",
    ),
    "a column of none of its tables": (
        {"format": "stdf", "columns": {"component": "x"}},
        "columns: names 'component', which is not a column of test_record or test_measurement",
    ),
}


# What the plant's engineer got wrong is one line that names the key.
@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings_name_the_key(site, case):
    settings, expected = WRONG[case]
    site.describe({"name": "t", "kind": "files", "path": "inbox/*"} | settings)
    with pytest.raises(PlantError, match=f"sources.t.{expected}"):
        site.load()


# Under a path for several formats, a file may turn out not to have the table.
def test_file_without_the_table_fails(site):
    site.describe(path="inbox/*", table="rework")
    site.put("a.stdf", WHOLE)
    assert "has no rework; it has test_record and test_measurement" in site.load_one().error


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(codec="ascii", exclude_characters="\0", exclude_categories=["Cc", "Zs"]), max_size=5)
options = st.tuples(st.just(0x02), st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9), finite, finite, texts)
tests = st.tuples(finite, texts, options, st.integers(0, 7))
parts = st.tuples(
    texts, st.integers(0, 255), st.integers(0, 255), st.sampled_from([0, 4, 8]), st.integers(0, 10**6), st.lists(tests)
)


# However few of the optional fields a tester writes, and in whichever byte order, what is read is what was written.
@given(st.lists(parts, max_size=6), st.sampled_from("<>"))
def test_what_was_written_is_read(written, order):
    file = Stdf(order).mir()
    expected, values, number = [], [], 0
    for serial, head, site, flags, millis, results in written:
        file.pir(site, head)
        for value, text, optional, kept in results:
            number += 1
            file.ptr(number, value, text, site=site, head=head, optional=optional[:kept])
            given = {index: optional[index] for index in range(kept)}
            unit = given.get(6) or None
            values.append((serial or None, f"{number} {text}".strip(), value, given.get(4), given.get(5), unit))
        file.prr(serial, site=site, head=head, flags=flags, millis=millis)
        result = {0: "pass", 4: "abort", 8: "fail"}[flags]
        expected.append((serial or None, result, millis / 1000, f"{head}:{site}"))
    content = file.mrr()
    read = {table: list(stdf.rows(io.BytesIO(content), table, "utf-8", ())) for table in stdf.TABLES}
    assert [
        (row["serial_num"], row["test_result"], row["test_duration_s"], row["fixture_slot"])
        for row in read["test_record"]
    ] == expected
    names = "serial_num", "parameter", "value", "lower_limit", "upper_limit", "unit"
    assert [tuple(row[name] for name in names) for row in read["test_measurement"]] == values
    starts = [row["test_timestamp"] for row in read["test_record"]]
    assert starts == sorted(set(starts))


# A run that ended between the tables of a file goes on with those that are missing.
def test_tables_that_are_missing_are_loaded_later(site):
    source = {"name": "t", "kind": "files", "path": "inbox/*.stdf"}
    site.describe(source | {"table": "test_record"}).put("a.stdf", WHOLE)
    assert site.load_one().table_name == "test_record"
    site.describe(source)
    assert [load.table_name for load in site.load()] == ["test_measurement"]
    assert (site.count(), site.count("test_measurement"), site.load()) == (1, 2, [])
