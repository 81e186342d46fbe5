"""Reference CSVs that can't be simulated are refused in one line, and quite other ones are simulated."""

import csv
import re
from collections import Counter
from dataclasses import fields

import pytest

from generator import GeneratorError
from generator.reference import Rates
from generator.reference_files import FILES
from pipeline.paths import PROJECT


def edit(folder, name, change):
    """Rewrites a CSV with `change` applied to its rows, dicts by column."""
    file = folder / f"{name}.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    rows = change(rows)
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def refusal(run, folder):
    with pytest.raises(GeneratorError) as raised:
        run(folder)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    "name",
    ["products", "tests", "routes", "machines", "machine_tests", "error_codes", "components", "simulation"],
)
def test_a_missing_or_empty_file_is_named(run, small_plant, name):
    header = (small_plant / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0]
    (small_plant / f"{name}.csv").write_text(header + "\n", encoding="utf-8")
    assert f"{name}.csv: has no rows" in refusal(run, small_plant)
    (small_plant / f"{name}.csv").unlink()
    assert f"{name}.csv: not found" in refusal(run, small_plant)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("products", "serial_prefix"),
        ("products", "weekly_start_qty"),
        ("routes", "pass_probability"),
        ("routes", "wait_s"),
        ("machine_tests", "share"),
        ("error_codes", "error_code"),
        ("simulation", "value"),
    ],
)
def test_a_missing_column_is_named(run, small_plant, name, column):
    # Optional columns may be absent from a real plant's CSVs; the simulator can't do without.
    edit(small_plant, name, lambda rows: [{key: row[key] for key in row if key != column} for row in rows])
    assert re.search(rf"{name}\.csv: column {column} is missing", refusal(run, small_plant))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("products.product_name", "", "expected a text"),
        ("products.weekly_start_qty", "-1", "from 0 to 1e+07"),
        ("products.weekly_start_sd", "nan", "from 0 to 1"),
        ("routes.pass_probability", "1.01", "from 0 to 1"),
        ("routes.pass_probability", "95 %", "from 0 to 1"),
        ("routes.pass_probability", "", "from 0 to 1"),
        ("routes.retest_pass_factor", "-0.1", "from 0 to 1"),
        ("routes.pass_duration_s", "0", "above 0"),
        ("routes.fail_duration_s", "inf", "above 0"),
        ("routes.wait_s", "-5", "from 0"),
        ("routes.sequence", "1.5", "whole number"),
        ("routes.test_name", "unheard", "not in tests.csv"),
        ("machine_tests.machine_id", "unheard", "not in machines.csv"),
        ("machine_tests.share", "-1", "from 0"),
        ("error_codes.test_name", "unheard", "not in tests.csv"),
        ("components.share", "0", "sum to 0"),
    ],
)
def test_a_wrong_value_is_named(run, small_plant, column, value, said):
    name, column = column.split(".")
    edit(small_plant, name, lambda rows: [{**row, column: value} for row in rows[:1]] + rows[1:])
    message = refusal(run, small_plant)
    assert f"{name}.csv" in message
    assert column in message
    assert said in message
    assert value in message


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("rework_probability", "1.5"),
        ("error_rate", "0.9"),
        ("lot_size", "0"),
        ("lot_size", "2.5"),
        ("shift_hours", "0"),
        ("life_limit_days", "0"),
        ("wait_shape", "0"),
        ("operator_count", "-3"),
    ],
)
def test_a_wrong_parameter_is_named(run, small_plant, parameter, value):
    edit(
        small_plant,
        "simulation",
        lambda rows: [{**row, "value": value} if row["parameter"] == parameter else row for row in rows],
    )
    message = refusal(run, small_plant)
    assert f"simulation.csv: {parameter}: {value}" in message
    assert "expected" in message


def test_missing_unknown_and_double_parameters_are_named(run, small_plant):
    edit(small_plant, "simulation", lambda rows: [*rows, rows[2]])
    assert "'rework_probability' is there twice" in refusal(run, small_plant)
    edit(small_plant, "simulation", lambda rows: rows[:2] + rows[3:-1])
    assert "simulation.csv: parameter rework_probability is missing" in refusal(run, small_plant)
    edit(small_plant, "simulation", lambda rows: [*rows, {"parameter": "rework_rate", "value": "1"}])
    assert "'rework_rate': unknown" in refusal(run, small_plant)


def test_contradictions_between_files_are_named(run, small_plant):
    edit(small_plant, "machine_tests", lambda rows: [{**row, "share": "0"} for row in rows])
    assert "machine_tests.csv: share: the shares of test '@weigh' sum to 0" in refusal(run, small_plant)
    edit(small_plant, "machine_tests", lambda rows: [{**row, "share": "1"} for row in rows[:2]])
    assert 'machine_tests.csv: test_name: no row for "\'; drop table x --"' in refusal(run, small_plant)


def test_a_product_without_a_route_is_named(run, small_plant):
    edit(small_plant, "products", lambda rows: [{**row, "weekly_start_qty": "1"} for row in rows])
    assert "routes.csv: product 'old' is started but has no route" in refusal(run, small_plant)


def test_a_plant_that_starts_nothing_is_refused(run, small_plant):
    edit(small_plant, "products", lambda rows: [{**row, "weekly_start_qty": "0"} for row in rows])
    assert "products.csv: weekly_start_qty: is 0 for every product" in refusal(run, small_plant)


@pytest.mark.parametrize("name", ["products", "routes", "machine_tests", "error_codes"])
def test_a_double_row_is_named(run, small_plant, name):
    edit(small_plant, name, lambda rows: [*rows, rows[0]])
    message = refusal(run, small_plant)
    assert f"{name}.csv" in message
    assert "is there twice" in message


def test_a_file_in_another_encoding_is_named(run, small_plant):
    (small_plant / "products.csv").write_bytes("product_name\nä\n".encode("cp1252"))
    assert "products.csv: not readable as CSV in UTF-8" in refusal(run, small_plant)


def test_a_wholly_different_plant_is_simulated(run, small_plant):
    # Nothing in the simulator may be fitted to the demo plant.
    tables = run(small_plant, scale=10, timezone="America/New_York")
    records = tables["test_record"].to_pylist()
    modules = [row for row in records if row["run_purpose"] == "production"]
    assert {row["product_name"] for row in modules} == {"=1+1", "<b>ä</b>"}
    assert {row["serial_num"][:-6] for row in modules} == {"Z", "Z9"}
    assert {row["error_code"] for row in records} == {None, "=HYPERLINK(A1)", "E"}
    assert {row["component"] for row in tables["rework"].to_pylist()} == {"screw"}
    machines = Counter((row["test_name"], row["machine_id"]) for row in records)
    assert machines["@weigh", "+1"] / (machines["@weigh", "+1"] + machines["@weigh", "-2"]) == pytest.approx(
        0.75, abs=0.05
    )
    second = [
        row for row in modules if row["test_name"] == "'; drop table x --" and row["test_result"] in ("PASS", "FAIL")
    ]
    assert {row["machine_id"] for row in second} == {"-2"}
    assert {row["test_duration_s"] for row in second} == {60.0, 30.0}  # duration_sd 0, and max_attempts by default 3
    serials = Counter(row["serial_num"] for row in second if row["test_result"] == "FAIL")
    reworked = {row["serial_num"] for row in tables["rework"].to_pylist()}
    assert max(count for serial, count in serials.items() if serial not in reworked) == 3
    always_passes = [row for row in modules if row["product_name"] == "<b>ä</b>" and row["test_result"] == "FAIL"]
    assert always_passes == []


def test_columns_match_whatever_their_case_order_and_byte_order_mark(run, small_plant):
    before = run(small_plant)
    file = small_plant / "machine_tests.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    with file.open("w", encoding="utf-8-sig", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["Share", "TestName", "note", "MACHINE_ID"])
        writer.writerows([row["share"], row["test_name"], "=1", row["machine_id"]] for row in rows)
        writer.writerow(["", "", "", ""])
    assert run(small_plant) == before


def test_every_parameter_is_explained():
    page = (PROJECT / "docs" / "simulated_plant.md").read_text(encoding="utf-8")
    parameters = {parameter.name for parameter in fields(Rates)}
    parameters |= {column for columns in FILES.values() for column in columns} - {"parameter", "value"}
    assert [name for name in sorted(parameters) if f"`{name}`" not in page] == []


def test_rework_gives_fresh_attempts(run, small_plant):
    # Half of the modules that fail out here are reworked: before every rework lie three fails since the one before.
    tables = run(small_plant, scale=20)
    events = [
        (row["serial_num"], row["test_timestamp"], row["test_name"])
        for row in tables["test_record"].to_pylist()
        if row["test_result"] == "FAIL" and row["run_purpose"] != "golden"
    ]
    events += [(row["serial_num"], row["rework_timestamp"], "rework") for row in tables["rework"].to_pylist()]
    fails, reworks = Counter(), Counter()
    for serial, _, event in sorted(events):
        if event == "rework":
            assert 3 in [fails.pop((serial, test), 0) for test in ("@weigh", "'; drop table x --")]
            reworks[serial] += 1
        else:
            fails[serial, event] += 1
    assert set(reworks.values()) == {1, 2}


def test_spread_of_durations_keeps_their_mean(run, small_plant):
    # A plant reads pass_duration_s as the average it measured.
    edit(small_plant, "routes", lambda rows: [{**row, "duration_sd": "0.9", "pass_duration_s": "60"} for row in rows])
    records = run(small_plant, scale=100)["test_record"].to_pylist()
    durations = [row["test_duration_s"] for row in records if row["test_result"] == "PASS"]
    assert sum(durations) / len(durations) == pytest.approx(60, rel=0.05)
    assert min(durations) < 15
    assert max(durations) > 240
