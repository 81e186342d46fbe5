"""Each known way to get history wrong, and the line that cures it: without the cure the history gives other marts.

If one of these fails in the second half, the cure is no longer needed or no longer tested.
"""

from dataclasses import dataclass

import pytest
from comparison import differences
from warehouse import Warehouse


def attempt(serial: str, day: int, result: str, **fields) -> dict:
    return {
        "serial_num": serial,
        "product_name": "P",
        "test_name": "T",
        "machine_id": "M",
        "test_timestamp": f"2024-01-{day:02}T12:00:00",
        "test_result": result,
        "test_duration_s": 1.5,
        **fields,
    }


def reading(time: str, value: float, **fields) -> dict:
    return {"sensor_id": "S1", "reading_at": f"2024-01-02T{time}", "value": value, **fields}


@dataclass
class Trap:
    """`steps`: what arrives (records of a table, or CSVs by name) and which build follows (None: a green one)."""

    file: str
    cure: str
    without: str
    steps: list[tuple[list[dict] | dict[str, str], str | None]]
    whole_weeks: bool = False


TRAPS = {
    "a_late_first_record_moves_a_module_and_empties_its_old_week": Trap(
        "models/intermediate/int_touched_week.sql",
        "where serial_num in (select serial_num from modules_touched)",
        "where false",
        [([attempt("A1", 10, "pass")], None), ([attempt("A1", 2, "fail")], None)],
    ),
    "only_what_was_taken_out_of_a_touched_week_is_written_again": Trap(
        "models/marts/yields/test_attempt.sql",
        "serial_num in (select serial_num from serials_read)",
        "true",
        [([attempt("A1", 2, "fail"), attempt("A1", 10, "pass")], None), ([attempt("A2", 10, "pass")], None)],
    ),
    "a_week_written_whole_holds_other_modules": Trap(
        "models/intermediate/int_serial_read.sql",
        "where production_week_start in",
        "where false and production_week_start in",
        [([attempt("A1", 10, "pass")], None), ([attempt("A2", 10, "pass")], None)],
        whole_weeks=True,
    ),
    "whose_records_are_in_other_weeks_too": Trap(
        "models/intermediate/int_week_read.sql",
        "where serial_num in (select serial_num from modules)",
        "where false",
        [([attempt("A1", 2, "fail"), attempt("A1", 10, "pass")], None), ([attempt("A2", 10, "pass")], None)],
        whole_weeks=True,
    ),
    "a_production_week_ends_on_the_monday_after": Trap(
        "macros/started_in_weeks.sql",
        "hours=8 * 24",
        "hours=7 * 24",
        [
            ([attempt("A1", 8, "fail", test_timestamp="2024-01-08T03:00:00")], None),
            ([attempt("A1", 3, "pass")], None),
        ],
    ),
    "runs_that_start_together_come_in_any_order": Trap(
        "models/marts/yields/test_attempt.sql",
        "order by test_timestamp, machine_id, test_result, record_hash",
        "order by test_timestamp, load_id",
        [([attempt("A1", 2, "fail", machine_id="M2")], None), ([attempt("A1", 2, "pass", machine_id="M1")], None)],
    ),
    "an_older_version_of_a_record_comes_last": Trap(
        "models/marts/yields/test_attempt.sql",
        "order by revision desc nulls last, record_hash desc nulls last, record_flags asc nulls last",
        "order by load_id desc",
        [([attempt("A1", 2, "pass", revision=2)], None), ([attempt("A1", 2, "fail", revision=1)], None)],
    ),
    "a_build_stops_half_way": Trap(
        "macros/build_ledger.sql",
        "execute and is_green(results)",
        "execute",
        [([attempt("A1", 2, "fail")], None), ([attempt("A1", 3, "pass")], "+test_attempt"), ([], None)],
    ),
    "a_new_test_makes_the_route_of_earlier_modules_longer": Trap(
        "models/intermediate/int_route_changed.sql",
        "where route_key not in (select route_key from ledger)",
        "where false",
        [([attempt("A1", 2, "pass")], None), ([attempt("A2", 10, "pass", test_name="U")], None)],
    ),
    "reference_data_changes_after_the_weeks_were_built": Trap(
        "macros/build_ledger.sql",
        "found[0] == 0 or found[1] > 0",
        "found[0] == 0",
        [
            ({"routes": "product_name,test_name,sequence,max_attempts\nP,T,1,3\n"}, None),
            ([attempt("A1", 2, "fail")], None),
            ({"routes": "product_name,test_name,sequence,max_attempts\nP,T,1,1\n"}, None),
        ],
    ),
    "a_late_reading_is_added_to_what_its_minute_had": Trap(
        "models/intermediate/sensors/int_touched_sensor_minute.sql",
        "having bool_or(is_new)",
        "having bool_and(is_new)",
        [([reading("12:00:00", 1.0)], None), ([reading("12:00:30", 2.0)], None)],
    ),
}


def as_table(arrived: list[dict]) -> dict[str, list[dict]]:
    return {"sensor_reading" if "sensor_id" in arrived[0] else "test_record": arrived} if arrived else {}


def follow(warehouse: Warehouse, trap: Trap) -> dict:
    warehouse.reset(trap.whole_weeks)
    for arrived, stops_after in trap.steps:
        if isinstance(arrived, dict):
            warehouse.refer(**arrived)
        warehouse.load(**(as_table(arrived) if isinstance(arrived, list) else {}))
        assert warehouse.build(*(["--select", stops_after] if stops_after else []))
    return warehouse.marts()


def all_at_once(warehouse: Warehouse, trap: Trap) -> dict:
    warehouse.reset()
    for arrived, _ in trap.steps:
        if isinstance(arrived, dict):
            warehouse.refer(**arrived)
    warehouse.load(**as_table([record for arrived, _ in trap.steps if isinstance(arrived, list) for record in arrived]))
    assert warehouse.build()
    return warehouse.marts()


def take_out(warehouse: Warehouse, trap: Trap, monkeypatch) -> None:
    """The cure, from the text of the model or macro as dbt has parsed it."""
    manifest = warehouse.manifests[warehouse.subjects]
    models = [(node, "raw_code") for node in manifest.nodes.values()]
    macros = [(macro, "macro_sql") for macro in manifest.macros.values()]
    places = [
        (entry, name, getattr(entry, name))
        for entry, name in models + macros
        if entry.original_file_path == trap.file and trap.cure in getattr(entry, name)
    ]
    assert [text.count(trap.cure) for _, _, text in places] == [1], f"the cure is no longer in {trap.file}"
    ((entry, name, text),) = places
    monkeypatch.setattr(entry, name, text.replace(trap.cure, trap.without))


@pytest.mark.parametrize("name", TRAPS)
def test_trap(name, warehouse, monkeypatch):
    trap = TRAPS[name]
    expected = all_at_once(warehouse, trap)
    assert not differences(follow(warehouse, trap), expected)
    take_out(warehouse, trap, monkeypatch)
    assert differences(follow(warehouse, trap), expected)
