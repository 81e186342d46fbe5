"""What becomes of single records: types, required columns, spellings, extra columns, hashes."""

import csv
import hashlib
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from plant_site import GOOD, HEADER, HEADER_LIST, line, record


# A good record arrives as it was sent: else every figure is wrong.
def test_good_record_is_typed(site):
    site.put_rows("a.csv", GOOD)
    load = site.load_one()
    (row,) = site.rows()
    assert (load.status, load.row_count, load.reject_count) == ("loaded", 1, 0)
    assert (
        row
        | {
            "serial_num": "A1",
            "test_timestamp": datetime(2024, 1, 1),
            "test_timestamp_local": datetime(2024, 1, 1, 8),
            "test_result": "pass",
            "test_duration_s": 1.5,
            "error_code": None,
            "_load_id": load.load_id,
            "_row": 1,
            "_flags": None,
            "_extra": None,
        }
        == row
    )
    assert load.min_event_at == load.max_event_at == datetime(2024, 1, 1)


# Anything that is not a number must not become one: a nan or inf poisons every sum, 1,5 becomes 15.
@pytest.mark.parametrize(
    "value", ["nan", "NaN", "inf", "-Infinity", "1_000", '"1,000"', '"1,5"', "0x1F", "abc", "1e999", "1 2", "--1", "."]
)
def test_what_is_not_a_number_is_rejected(site, value):
    site.put_rows("a.csv", line(test_duration_s=value), GOOD)
    site.load()
    assert [row["_row"] for row in site.rows()] == [2]
    ((number, _, reason),) = site.rejects()
    assert (number, reason) == (1, "test_duration_s is not a finite number")


@pytest.mark.parametrize(
    "value, expected", [("1", 1.0), ("1.", 1.0), (".5", 0.5), ("+1.5e2", 150.0), (" 2 ", 2.0), ("-0", 0.0)]
)
def test_numbers_are_read(site, value, expected):
    site.put_rows("a.csv", line(test_duration_s=value))
    site.load()
    assert site.rows()[0]["test_duration_s"] == expected


@pytest.mark.parametrize("value, expected", [("3", 3), ("3.0", 3), ("3.", 3), ("1e3", 1000), ("", None)])
def test_whole_numbers_are_read(site, value, expected):
    site.put_rows("a.csv", GOOD + f",{value}", header=HEADER + ",revision")
    site.load()
    assert site.rows()[0]["revision"] == expected


@pytest.mark.parametrize("value", ["3.5", "9223372036854775808", "1e300", "x", "nan"])
def test_what_is_not_a_whole_number_is_rejected_in_optional_columns_too(site, value):
    site.put_rows("a.csv", GOOD + f",{value}", header=HEADER + ",revision")
    site.load()
    assert site.rejects()[0][2] == "revision is not a whole number"


# A record without its key can't be counted anywhere; white space is no value.
@pytest.mark.parametrize("column", HEADER_LIST)
@pytest.mark.parametrize("value", ["", "  ", "\t", "\u00a0"])
def test_missing_required_value_is_rejected(site, column, value):
    site.put_rows("a.csv", line(**{column: value}))
    site.load()
    ((_, received, reason),) = site.rejects()
    assert reason == f"{column} is missing"
    assert received == record(**{column: value})


def test_every_reason_against_a_record_is_named(site):
    site.put_rows("a.csv", line(serial_num="", test_result="??", test_duration_s=-1))
    site.load()
    assert site.rejects()[0][2] == (
        "serial_num is missing; test_result '??' is not one of pass, fail, error, abort; map it in "
        "value_spellings.csv; test_duration_s is below 0"
    )


def test_above_the_maximum_is_rejected(site):
    site.folder.joinpath("yield_targets.csv").write_text("metric,low,reason\ncumm_yield,1.5,x\nCUMM_YIELD,.5,y\n")
    site.load()
    assert [row["metric"] for row in site.rows("ref_yield_targets")] == ["cumm_yield"]
    assert site.rejects()[0][2] == "low is above 1"


# A plant's testers write PASS in many ways; a lost one biases the yield.
@pytest.mark.parametrize(
    "spelling, value",
    [("P", "pass"), ("passed ", "pass"), ("Ok", "pass"), ("F", "fail"), ("nok", "fail"), ("NG", "fail")]
    + [("ERR", "error"), ("Aborted", "abort"), ("TERMINATED", "abort")],
)
def test_spellings_are_mapped(site, spelling, value):
    site.put_rows("a.csv", line(test_result=spelling))
    site.load()
    assert site.rows()[0]["test_result"] == value


def test_the_plants_spellings_win_over_the_seeds(site):
    site.folder.joinpath("value_spellings.csv").write_text(
        "column_name,spelling,value\ntest_result,Gut,pass\ntest_result,OK,abort\ntest_result,hm,perhaps\n"
    )
    site.put_rows("a.csv", line(test_result="GUT"), line(test_result="ok"), line(test_result="HM"))
    site.load()
    assert [row["test_result"] for row in site.rows()] == ["pass", "abort"]
    assert site.rejects()[0][2].startswith("test_result 'HM' is not one of")


def test_results_that_are_not_text_can_be_mapped(site):
    site.folder.joinpath("value_spellings.csv").write_text("column_name,spelling,value\ntest_result,1,pass\n")
    pq.write_table(pa.Table.from_pylist([record(test_result=1)]), site.put("a.parquet", b""))
    site.load()
    assert site.rows()[0]["test_result"] == "pass"


# An unknown purpose must not vanish: the marts list it as a finding.
@pytest.mark.parametrize("purpose, kept", [("Golden Unit", "golden"), ("Burn-In", "burn-in"), ("", None)])
def test_unknown_purpose_is_kept_in_lower_case(site, purpose, kept):
    site.put_rows("a.csv", GOOD + f",{purpose}", header=HEADER + ",run_purpose")
    site.load()
    assert site.rows()[0]["run_purpose"] == kept


@pytest.mark.parametrize("value, expected", [("1", True), ("yes", True), ("F", False), ("FALSE", False)])
def test_booleans_are_read(site, value, expected):
    site.describe(table="machine_cycle").put(
        "a.csv", f"machine_id,cycle_timestamp,part_present\nM,2024-01-01 08:00,{value}\n"
    )
    site.load()
    assert site.rows("machine_cycle")[0]["part_present"] is expected


def test_other_booleans_are_rejected(site):
    site.describe(table="machine_cycle").put("a.csv", "machine_id,cycle_timestamp,part_present\nM,2024-01-01 08:00,2\n")
    site.load()
    assert site.rejects()[0][2] == "part_present is not true or false"


STAFFING = "shift_date,shift_name,line_id,headcount\n"


@pytest.mark.parametrize("value", ["2024-02-29", "2024-02-29 00:00:00", "2024-02-29T00:00"])
def test_dates_are_read(site, value):
    site.describe(table="staffing").put("a.csv", f"{STAFFING}{value},N,L,3\n")
    load = site.load_one()
    assert site.rows("staffing")[0]["shift_date"] == date(2024, 2, 29)
    assert load.min_event_at is None


@pytest.mark.parametrize("value", ["2023-02-29", "01/02/24", "2024-02-29 08:00", "20240229"])
def test_other_dates_are_rejected(site, value):
    site.describe(table="staffing").put("a.csv", f"{STAFFING}{value},N,L,3\n")
    site.load()
    assert site.rejects()[0][2] == "shift_date is not a date YYYY-MM-DD"


def test_dates_may_follow_the_sources_format(site):
    site.describe(table="staffing", timestamp_format="%d.%m.%Y").put("a.csv", f"{STAFFING}01.02.2024,N,L,3\n")
    site.load()
    assert site.rows("staffing")[0]["shift_date"] == date(2024, 2, 1)


# Design: minutes or quantity. A sheet entry with neither says nothing.
@pytest.mark.parametrize("columns, values", [("minutes,quantity", ","), ("quantity", ""), ("comment", "x")])
def test_one_of_two_columns_is_needed(site, columns, values):
    site.describe(table="operator_report")
    site.put("a.csv", f"machine_id,shift_date,shift_name,category,{columns}\nM,2024-01-01,N,stop,{values}\n")
    site.load()
    assert site.rejects()[0][2] == "minutes or quantity is missing"


def test_leading_zeros_stay_and_outer_blanks_go(site):
    site.put_rows("a.csv", line(serial_num=" 000123 "))
    site.load()
    assert site.rows()[0]["serial_num"] == "000123"


# Text from records is data: it must arrive as it is and do nothing.
@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "=1+1", "../../etc/passwd", "'; drop table x; --", "Ä漢😀"]
)
def test_text_is_data(site, text):
    site.put_rows("a.csv", line(serial_num=text), line(serial_num=text, test_result=text))
    site.load()
    assert site.rows()[0]["serial_num"] == text
    assert site.rejects()[0][1]["serial_num"] == text


# Nothing is lost: a column that no contract names is kept.
def test_unknown_columns_are_kept(site):
    site.put_rows("a.csv", GOOD + ",x,,7.50", header=HEADER + ',b,empty,"a ""1"""')
    site.load()
    assert site.rows()[0]["_extra"] == '{"a \\"1\\"":"7.50","b":"x"}'


def test_typed_unknown_columns_are_kept_as_text_and_nested_ones_as_json(site):
    extra = {"n": 5, "f": 2.0, "t": True, "list": [{"a": [1, None]}], "none": None}
    pq.write_table(pa.Table.from_pylist([record() | extra]), site.put("a.parquet", b""))
    site.load()
    assert site.rows()[0]["_extra"] == '{"f":"2","list":[{"a":[1,null]}],"n":"5","t":"true"}'


def test_columns_match_but_for_case_and_underscores(site):
    site.put_rows(
        "a.csv", GOOD, header="SerialNum,ProductName,TestName,MachineID,TestTimeStamp,TestResult,TestDuration_s"
    )
    site.load()
    assert site.rows()[0]["serial_num"] == "A1"


def test_columns_are_mapped_by_plant_yml(site):
    site.describe(columns={"serial_num": "Unit ID"})
    site.put_rows("a.csv", GOOD + ",other", header=HEADER.replace("serial_num", "Unit ID") + ",serial_num")
    site.load()
    row = site.rows()[0]
    assert (row["serial_num"], row["_extra"]) == ("A1", '{"serial_num":"other"}')


def test_mapped_column_that_is_not_there_fails_the_file(site):
    site.describe(columns={"serial_num": "Unit ID"}).put_rows("a.csv", GOOD)
    assert site.load_one().error.startswith("columns.serial_num names 'Unit ID', which is not among its columns")


def test_two_columns_of_one_name_fail_the_file(site):
    site.put_rows("a.csv", GOOD + ",B2", header=HEADER.replace("serial_num", "SerialNum") + ",SERIAL_NUM")
    assert "['SerialNum', 'SERIAL_NUM'] could all be serial_num" in site.load_one().error


def test_exact_name_wins_over_a_similar_one(site):
    site.put_rows("a.csv", GOOD + ",B2", header=HEADER + ",SerialNum")
    site.load()
    assert (site.rows()[0]["serial_num"], site.rows()[0]["_extra"]) == ("A1", '{"SerialNum":"B2"}')


# Row numbers taken after a join or filter point engineers at the wrong line.
def test_row_numbers_count_rejected_records(site):
    good = [line(serial_num=f"S{i}") for i in range(1000)]
    for at in (0, 10, 11, 500, 999):
        good[at] = line(serial_num=f"S{at}", test_duration_s="x") if at % 2 else "ragged"
    site.put_rows("a.csv", *good)
    load = site.load_one()
    assert (load.row_count, load.reject_count) == (995, 5)
    assert all(row["serial_num"] == f"S{row['_row'] - 1}" for row in site.rows())
    assert [number for number, *_ in site.rejects()] == [1, 11, 12, 501, 1000]


# Duplicates and conflicts are the marts' to judge: the loader keeps every one, and their hashes tell them apart.
def test_duplicate_and_conflicting_records_are_kept(site):
    site.put_rows("a.csv", GOOD, GOOD, line(test_result="FAIL"), line(product_name="Q"))
    site.load()
    hashes = [row["_hash"] for row in site.rows()]
    assert len(hashes) == 4 and hashes[0] == hashes[1] and len(set(hashes)) == 3


# The hash orders ties and settles conflicts: another one on another day would change history.
def test_hash_is_what_the_contract_says(site):
    site.put_rows("a.csv", GOOD + ",7,e", header=HEADER + ",revision,more")
    site.load()
    parts = ["A1", "P", "T", "M", "1704067200000000", "pass", "1.5"]
    parts += ["revision", "7", "_extra", '{"more":"e"}']
    digest = hashlib.md5("\x1f".join(parts).encode()).digest()
    assert site.rows()[0]["_hash"] == int.from_bytes(digest[:8], "little") & (2**63 - 1)


def test_hash_does_not_depend_on_format_or_column_order(site):
    values = record(test_timestamp="2024-01-01T00:00:00Z", test_duration_s="0.10", note="x")
    with site.put("b.csv", "").open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerows([list(reversed(values)), list(reversed(values.values()))])
    typed = record(test_timestamp=datetime(2024, 1, 1, 8), test_duration_s=Decimal("0.100"), note="x", lot_number=None)
    pq.write_table(pa.Table.from_pylist([typed]), site.put("c.parquet", b""))
    site.put("d.ndjson", '{"note":"x",' + str(record(test_duration_s=0.1)).replace("'", '"')[1:])
    assert [load.status for load in site.load()] == ["loaded"] * 3
    assert len({row["_hash"] for row in site.rows()}) == 1


def test_minus_zero_is_zero(site):
    site.put_rows("a.csv", line(test_duration_s="-0.0"), line(test_duration_s="0"))
    site.load()
    assert len({row["_hash"] for row in site.rows()}) == 1


TYPES = {
    "large_string": lambda table: table.cast(pa.schema([(name, pa.large_string()) for name in table.column_names])),
    "dictionary": lambda table: pa.table({name: table[name].dictionary_encode() for name in table.column_names}),
    "binary": lambda table: table.cast(pa.schema([(name, pa.binary()) for name in table.column_names])),
}


@pytest.mark.parametrize("kind", TYPES)
def test_text_of_any_arrow_type_is_text(site, kind):
    pq.write_table(TYPES[kind](pa.Table.from_pylist([record()])), site.put("a.parquet", b""))
    site.load()
    assert (site.rows()[0]["serial_num"], site.rows()[0]["test_duration_s"]) == ("A1", 1.5)


def test_bytes_that_are_not_text_fail_the_file(site):
    pq.write_table(pa.Table.from_pylist([record(serial_num=b"\xff")]), site.put("a.parquet", b""))
    assert "not UTF-8" in site.load_one().error


# Columns of pandas turn integers into floats when a value is missing.
def test_numbers_in_text_columns_have_no_decimals(site):
    pq.write_table(
        pa.Table.from_pylist([record(serial_num=1234567.0, machine_id=2.5, lot_number=7)]), site.put("a.parquet", b"")
    )
    site.load()
    row = site.rows()[0]
    assert (row["serial_num"], row["machine_id"], row["lot_number"]) == ("1234567", "2.5", "7")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_typed_numbers_must_be_finite(site, value):
    pq.write_table(pa.Table.from_pylist([record(test_duration_s=value)]), site.put("a.parquet", b""))
    site.load()
    assert site.rejects()[0][2] == "test_duration_s is not a finite number"


def test_typed_values_are_cast(site):
    typed = {"test_duration_s": 2, "revision": 3.0, "trial": Decimal("1.0"), "lot_number": [1, 2], "error_code": None}
    pq.write_table(pa.Table.from_pylist([record(**typed)]), site.put("a.parquet", b""))
    site.load()
    row = site.rows()[0]
    assert (row["test_duration_s"], row["revision"], row["trial"]) == (2.0, 3, 1)
    assert (row["lot_number"], row["error_code"]) == ("[1,2]", None)


def test_typed_booleans_and_integers_are_cast(site):
    site.describe(table="machine_cycle")
    typed = {"machine_id": 5, "cycle_timestamp": datetime(2024, 1, 1), "part_present": True}
    pq.write_table(pa.Table.from_pylist([typed, typed | {"part_present": None}]), site.put("a.parquet", b""))
    site.load()
    assert [row["part_present"] for row in site.rows("machine_cycle")] == [True]
    site.describe(table="production_count")
    site.put("b.parquet", b"")
    typed = {"machine_id": "M", "interval_start_at": datetime(2024, 1, 1), "interval_end_at": datetime(2024, 1, 2)}
    typed |= {"product_name": "P", "total_count": 5}
    Path(site.folder / "inbox/a.parquet").unlink()
    pq.write_table(pa.Table.from_pylist([typed]), site.folder / "inbox/b.parquet")
    site.load()
    assert site.rows("production_count")[0]["total_count"] == 5
