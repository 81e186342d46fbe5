"""The marts say what metrics.md says: row by row they equal a second reading of it, in plain Python (oracle.py)."""

import math
from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from oracle import expected_marts
from oracle_modules import Settings

KEYS = {
    "test_attempt": ["serial_num", "product_name", "test_name", "machine_id", "test_timestamp"],
    "module_status": ["serial_num", "product_name", "life_number"],
    "station_day": ["production_date", "machine_id", "product_name", "test_name"],
    "failure_pareto": ["load_week_start", "product_name", "test_name", "error_code"],
    "summary_machine": ["load_week_start", "product_name", "test_name", "machine_id"],
    "summary_prod_test": ["load_week_start", "product_name", "test_name"],
    "summary_prod": ["load_week_start", "product_name"],
}
MOMENTS = {"test_record": "test_timestamp", "rework": "rework_timestamp", "disposition": "decided_at"}
RECORD_ONLY = {"at", "revision"}  # of a record, and in no mart
OPTIONAL = {"error_code": None, "run_purpose": None, "revision": None}
PLANT = """
plant:
  name: examples
  timezone: {zone}
  production_day_start: "{start}"
  wip_stale_days: {stale}
{reuse}sources:
  - {{name: tests, kind: files, path: inbox/test_record*.ndjson, table: test_record}}
  - {{name: repairs, kind: files, path: inbox/rework*.ndjson, table: rework}}
  - {{name: decisions, kind: files, path: inbox/disposition*.ndjson, table: disposition}}
"""

settings = st.builds(
    Settings,
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Singapore", "Australia/Lord_Howe"]),
    production_day_start_minutes=st.sampled_from([0, 7 * 60]),
    serial_reuse_days=st.sampled_from([None, 5, 12]),
    wip_stale_days=st.sampled_from([1, 7, 28]),
)
# weeks with a clock change and a change of the ISO year
mondays = st.sampled_from([datetime(2024, 3, 25), datetime(2024, 12, 23)])
# minutes from the start of a production week: around its ends, within serial_reuse_days of each other and beyond, tied
MINUTES = [-1, 0, 0, 1, 2, 90, 3 * 1440, 7 * 1440 - 1, 7 * 1440, 8 * 1440, 14 * 1440 - 1, 14 * 1440 + 3, 31 * 1440]
minutes = st.sampled_from(MINUTES)
# the last serial number is only ever a golden unit
SERIALS = ["A1", "A2", "A3", "A4", "A5", "A6", "GOLD"]
TESTS = ["T", "U", "V", "X"]
circumstances = st.fixed_dictionaries(
    {
        "machine_id": st.sampled_from(["M1", "M2"]),
        "test_duration_s": st.sampled_from([0.0, 0.1, 0.2, 300.7]),
        "error_code": st.sampled_from([None, "E1", "=E2", "(none)"]),
        "revision": st.sampled_from([None, None, 0, 1, 2]),
    }
)
orders = st.sampled_from([(10, 20, 30, 40), (1, 2, 3, 4), (1, 2, 2, 3), (1, 1, 2, 2), (2, 2, 1, 3)])
results = st.sampled_from(["pass", "pass", "fail", "fail", "error", "abort"])
purposes = st.sampled_from([None, None, None, "production", "engineering", "golden", "calibration"])


@st.composite
def single_attempts(draw) -> list[dict]:
    """One attempt of any serial number at any test, for any purpose."""
    serial = draw(st.sampled_from(SERIALS))
    return [
        draw(circumstances)
        | {
            "serial_num": serial,
            "product_name": draw(st.sampled_from(["P", "P", "P", "Q"])),
            "test_name": draw(st.sampled_from(TESTS)),
            "minutes": draw(minutes),
            "test_result": draw(results),
            "run_purpose": "golden" if serial == "GOLD" else draw(purposes),
        }
    ]


@st.composite
def walks(draw) -> list[dict]:
    """A module on its way through tests in order, failing some, perhaps leaving one out or coming back to one."""
    start, product = draw(minutes), draw(st.sampled_from(["P", "Q"]))
    way = draw(st.sampled_from([["T", "U", "V"], ["T", "U", "V"], ["T", "V", "U"], ["U", "V"], ["T", "U", "T"]]))
    steps = []
    for test in way:
        fails = draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4]))
        steps += [(test, "fail")] * fails + [(test, "pass")] * (fails < 3 or draw(st.booleans()))
    serial = draw(st.sampled_from(SERIALS[:-1]))
    return [
        draw(circumstances)
        | {
            "serial_num": serial,
            "product_name": product,
            "test_name": test,
            "minutes": start + 45 * number,
            "test_result": result,
            "run_purpose": None,
        }
        for number, (test, result) in enumerate(steps[: draw(st.integers(1, len(steps)))])
    ]


@st.composite
def routes_on_file(draw) -> list[dict]:
    """Routes of none, one or both products; sequences may be equal, tests may be off route or taken by nobody."""
    return [
        {
            "product_name": product,
            "test_name": test,
            "sequence": sequence,
            "max_attempts": draw(st.sampled_from([None, 1, 2, 3])),
        }
        for product in draw(st.sampled_from([[], ["P"], ["P", "Q"]]))
        for test, sequence in zip("TUVW"[: draw(st.sampled_from([2, 3, 3, 4]))], draw(orders), strict=False)
    ]


@st.composite
def plants(draw) -> tuple[Settings, dict[str, list[dict]]]:
    """Settings of a plant and its records by table, as a source would send them."""
    plant, monday = draw(settings), draw(mondays)
    attempts = sum(draw(st.lists(st.one_of(walks(), walks(), walks(), single_attempts()), min_size=1, max_size=12)), [])
    copied = st.sampled_from(attempts)
    for attempt in draw(st.lists(copied, max_size=4)):
        changed = draw(st.sampled_from([{}, {"test_result": "error"}, {"run_purpose": "engineering"}, {"revision": 3}]))
        attempts.append(attempt | changed)
    # repairs and decisions just before, at, after and long after an attempt
    moments = st.tuples(copied, st.sampled_from([-1, 0, 1, 1, 44, 9 * 1440]))
    components, decisions = (
        st.sampled_from(["lens", "pcb"]),
        st.sampled_from(["scrap", "scrap", "hold", "release", "ship"]),
    )
    reworks = [
        {
            "serial_num": attempt["serial_num"],
            "minutes": attempt["minutes"] + after,
            "component": part,
            "action": "swap",
        }
        for (attempt, after), part in draw(st.lists(st.tuples(moments, components), max_size=4))
    ]
    dispositions = [
        {"serial_num": attempt["serial_num"], "minutes": attempt["minutes"] + after, "decision": decision}
        for (attempt, after), decision in draw(st.lists(st.tuples(moments, decisions), max_size=4))
    ]
    monday += timedelta(minutes=plant.production_day_start_minutes)
    week_start = monday.replace(tzinfo=ZoneInfo(plant.timezone)).astimezone(UTC)
    return plant, {
        "test_record": at_times("test_record", attempts, week_start),
        "rework": at_times("rework", reworks, week_start),
        "disposition": at_times("disposition", dispositions, week_start),
        "routes": draw(routes_on_file()),
    }


def at_times(table: str, rows: list[dict], week_start: datetime) -> list[dict]:
    """Rows with their time in place of `minutes`."""
    return [
        {name: value for name, value in row.items() if name != "minutes"}
        | {MOMENTS[table]: (week_start + timedelta(minutes=row["minutes"])).isoformat()}
        for row in rows
    ]


# a third of the profile's examples: each is a build with all its data tests
@profile(max_examples=profile.default.max_examples // 3)
@given(plants())
def test_marts_say_what_the_definitions_say(warehouse, example):
    assert_marts_are_right(warehouse, *example)


def assert_marts_are_right(warehouse, plant: Settings, records: dict[str, list[dict]]) -> None:
    found, expected = build_marts(warehouse, plant, records)
    wrong = [text for mart in KEYS for text in compare_rows(mart, found[mart], expected[mart])]
    assert not wrong, "\n".join(wrong)
    assert not failed_data_tests(warehouse)


def attempt(serial: str, test: str, minutes: int, result: str, **fields) -> dict:
    return {
        "serial_num": serial,
        "product_name": "P",
        "test_name": test,
        "machine_id": "M",
        "minutes": minutes,
        "test_result": result,
        "test_duration_s": 1.5,
        **OPTIONAL,
        **fields,
    }


def decision(serial: str, minutes: int, decision: str) -> dict:
    return {"serial_num": serial, "minutes": minutes, "decision": decision}


def route(**sequences: int) -> list[dict]:
    return [
        {"product_name": "P", "test_name": test, "sequence": sequence, "max_attempts": 1}
        for test, sequence in sequences.items()
    ]


DAY = 1440
# (test records, dispositions, routes) of a plant with serial_reuse_days 5; each was drawn once, or thought of as hard
CASES = {
    "a_decision_on_a_later_life_does_not_scrap_an_earlier_one": (
        [attempt("A1", "T", 0, "pass"), attempt("A1", "T", 10 * DAY, "fail")],
        [decision("A1", 11 * DAY, "scrap")],
        [],
    ),
    "a_decision_on_a_later_life_does_not_save_an_earlier_one": (
        [attempt("A1", "T", 0, "fail"), attempt("A1", "T", 10 * DAY, "pass")],
        [decision("A1", 1 * DAY, "scrap"), decision("A1", 11 * DAY, "ship")],
        [],
    ),
    "a_module_tested_after_a_scrap_decision_is_reopened_whatever_is_decided_later": (
        [attempt("A1", "T", 0, "fail"), attempt("A1", "T", 20, "pass")],
        [decision("A1", 10, "scrap"), decision("A1", 30, "release")],
        [],
    ),
    "a_module_that_fails_out_of_one_test_and_then_of_another_was_reopened": (
        [attempt("A1", "T", 0, "fail"), attempt("A1", "U", 10, "fail")],
        [],
        route(T=1, U=2),
    ),
    "a_test_skipped_before_two_of_equal_sequence_is_a_route_escape": (
        [attempt("A1", "V", 0, "pass"), attempt("A1", "W", 10, "pass")],
        [],
        route(T=1, V=2, W=2),
    ),
    "a_record_that_a_revision_replaced_adds_no_test_to_an_inferred_route": (
        [
            attempt("A1", "T", 0, "pass"),
            attempt("A1", "U", 10, "pass", revision=1),
            attempt("A1", "U", 10, "pass", revision=2, run_purpose="engineering"),
        ],
        [],
        [],
    ),
    # T of B fails for good after U: U then has as many modules as T, and the rolled yield is no share of modules
    "a_module_that_goes_on_after_a_fail_fails_no_data_test": (
        [
            *(attempt("A1", test, minutes, "pass") for minutes, test in enumerate("TUV")),
            *(attempt("B1", test, minutes, "pass") for minutes, test in enumerate("TU")),
            attempt("B1", "T", 5, "fail"),
            attempt("C1", "T", 0, "pass"),
            attempt("C1", "U", 1, "fail"),
        ],
        [],
        route(T=1, U=2, V=3),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_hard_case(name, warehouse):
    attempts, dispositions, routes = CASES[name]
    records = {
        "test_record": at_times("test_record", attempts, datetime(2024, 1, 1, tzinfo=UTC)),
        "rework": [],
        "disposition": at_times("disposition", dispositions, datetime(2024, 1, 1, tzinfo=UTC)),
        "routes": routes,
    }
    assert_marts_are_right(warehouse, Settings("UTC", 0, 5, 7), records)


def build_marts(warehouse, plant: Settings, records: dict[str, list[dict]]) -> tuple[dict, dict]:
    """The rows of each mart after one load and one build, and those that the oracle expects."""
    warehouse.reset()
    reuse = f"  serial_reuse_days: {plant.serial_reuse_days}\n" if plant.serial_reuse_days else ""
    hours, rest = divmod(plant.production_day_start_minutes, 60)
    text = PLANT.format(zone=plant.timezone, start=f"{hours:02}:{rest:02}", stale=plant.wip_stale_days, reuse=reuse)
    (warehouse.folder / "plant" / "plant.yml").write_text(text)
    if records["routes"]:
        lines = [
            f"{row['product_name']},{row['test_name']},{row['sequence']},{row['max_attempts'] or ''}"
            for row in records["routes"]
        ]
        warehouse.refer(routes="\n".join(["product_name,test_name,sequence,max_attempts", *lines]) + "\n")
    warehouse.load(**{table: records[table] for table in MOMENTS if records[table]})
    assert warehouse.build("--select", "+path:models/marts")
    with closing(duckdb.connect(str(warehouse.paths.warehouse), read_only=True)) as connection:
        found = {mart: read_rows(connection, f"select * from marts.{mart}") for mart in KEYS}
        hashes = read_rows(connection, "select _row, _hash from raw.test_record")
    return found, expected_marts(
        with_hashes(with_moments("test_record", records["test_record"]), hashes),
        with_moments("rework", records["rework"]),
        with_moments("disposition", records["disposition"]),
        records["routes"],
        plant,
    )


def failed_data_tests(warehouse) -> list[str]:
    """Names of the data tests that fail on what was built: each would keep a plant's figures from being published."""
    result = warehouse.dbt("test", "--select", "test_type:data")
    assert len(result.result) > 20
    return [found.node.name for found in result.result if found.status not in ("pass", "success")]


def read_rows(connection, query: str) -> list[dict]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def with_moments(table: str, rows: list[dict]) -> list[dict]:
    """Rows with their time as `at`, as the oracle wants it, and in UTC without a zone, as the marts have it."""
    moments = [datetime.fromisoformat(row[MOMENTS[table]]) for row in rows]
    return [row | {"at": at, MOMENTS[table]: at.replace(tzinfo=None)} for row, at in zip(rows, moments, strict=True)]


def with_hashes(rows: list[dict], hashes: list[dict]) -> list[dict]:
    """The loader's hash of each record, by its position in the one file that was loaded."""
    by_row = {found["_row"]: found["_hash"] for found in hashes}
    assert len(by_row) == len(rows)
    return [row | {"record_hash": by_row[number]} for number, row in enumerate(rows, 1)]


def compare_rows(mart: str, found: list[dict], expected: list[dict]) -> list[str]:
    """What differs, a line each: rows too many or missing, then values of the columns that the oracle gives."""

    def by_key(rows: list[dict]) -> dict[tuple, dict]:
        keyed = {tuple(row[column] for column in KEYS[mart]): row for row in rows}
        assert len(keyed) == len(rows), f"{mart} has two rows of one key"
        return keyed

    found_by_key, expected_by_key = by_key(found), by_key(expected)
    wrong = [f"{mart} has no row {key}" for key in expected_by_key.keys() - found_by_key.keys()]
    wrong += [f"{mart} has a row too many, {key}" for key in found_by_key.keys() - expected_by_key.keys()]
    for key in found_by_key.keys() & expected_by_key.keys():
        for column, value in expected_by_key[key].items():
            if column not in RECORD_ONLY and not is_same(found_by_key[key][column], value):
                wrong.append(f"{mart} {key}: {column} is {found_by_key[key][column]!r}, expected {value!r}")
    return sorted(wrong)


def is_same(found: object, expected: object) -> bool:
    if isinstance(expected, datetime) and expected.tzinfo:
        expected = expected.astimezone(UTC).replace(tzinfo=None)
    if isinstance(found, float) and isinstance(expected, int | float):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)
    return found == expected
