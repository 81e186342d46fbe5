"""Shifts of a small plant, compared and handed over: from records to the marts of comparison."""

from contextlib import closing
from datetime import datetime, timedelta

import duckdb
import pytest
from comparison import differences
from warehouse import Warehouse

TABLES = ["test_record", "machine_state", "production_count", "staffing", "production_plan", "quality_issue"]
MODELS = ["--select", "+models/marts/comparison"]
TESTS = ["--select", "models/marts/comparison", "tests/data/comparison", "--exclude-resource-type", "unit_test"]
MARTS = ["shift_comparison", "shift_best_practice", "shift_handover"]
DAYS = 10
START = datetime(2024, 1, 1, 6)
HEADCOUNT = {"day": [3, 3, 2], "night": [3, 2, 2]}
REFERENCE = {
    "machines": "machine_id,line_id,line_position\nM1,L1,1\nM2,L1,2\nT1,L2,\n",
    "shift_patterns": "pattern,cycle_days,cycle_day,shift_name,start_time,end_time\n"
    + "".join(f"two,7,{day},day,06:00,18:00\ntwo,7,{day},night,18:00,06:00\n" for day in range(1, 8)),
    "line_shifts": "line_id,pattern\n,two\n",
    "standard_rates": "product_name,machine_id,rate_per_h\nP,,100\nQ,,50\n",
}


@pytest.fixture(scope="module")
def plant(tmp_path_factory) -> Warehouse:
    sources = "".join(
        f"  - {{name: {table}, kind: files, path: inbox/{table}*.ndjson, table: {table}, timezone: UTC}}\n"
        for table in TABLES
    )
    settings = 'name: shifts, timezone: UTC, production_day_start: "06:00", subjects: [production, comparison]'
    described = f"plant: {{{settings}}}\nsources:\n{sources}"
    return Warehouse(tmp_path_factory.mktemp("shifts"), plant=described)


def records(days: range) -> dict[str, list[dict]]:
    """Day makes mostly P, night mostly Q, at half the rate; night makes 5 more of a hundred within each product."""
    found: dict[str, list[dict]] = {table: [] for table in TABLES}
    for day in days:
        for shift, hours in (("day", 0), ("night", 12)):
            start = START + timedelta(days=day, hours=hours)
            at = lambda hour, start=start: (start + timedelta(hours=hour)).isoformat()  # noqa: E731
            found["staffing"].append(
                {"shift_date": str(start.date()), "shift_name": shift, "line_id": "L1"}
                | {"headcount": HEADCOUNT[shift][day % 3]}
            )
            for machine in ("M1", "M2"):
                found["machine_state"] += [
                    {"machine_id": machine, "state_start_at": at(0), "state": "run"},
                    {"machine_id": machine, "state_start_at": at(4), "state": "down", "reason_code": "E1"},
                    {"machine_id": machine, "state_start_at": at(5), "state": "run"},
                ]
                for hour in (0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11):
                    product = "P" if (hour < 9) == (shift == "day") else "Q"
                    made = (60 if product == "P" else 30) * (1.05 if shift == "night" else 1) + (day * 7 + hour) % 5
                    found["production_count"].append(
                        {"machine_id": machine, "interval_start_at": at(hour), "interval_end_at": at(hour + 1)}
                        | {"product_name": product, "total_count": round(made) + 2, "scrap_count": 2}
                    )
            found["test_record"] += [
                {"serial_num": f"{shift}{day}-{n}", "product_name": "P", "test_name": "T", "machine_id": "T1"}
                | {"test_timestamp": at(n / 5), "test_result": "fail" if (n + day) % 10 == 0 else "pass"}
                | {"test_duration_s": 60}
                for n in range(50)
            ]
    return found


def last_shift(day: int = DAYS) -> dict[str, list[dict]]:
    """M2 goes down at 16:00 and stays down; a plan of a day, and issues."""
    at = lambda hour: (START + timedelta(days=day, hours=hour)).isoformat()  # noqa: E731
    count = {"interval_start_at": at(0), "interval_end_at": at(1), "product_name": "P", "total_count": 61}
    issue = {"issue_id": "I-1", "event_at": at(1), "status": "Open", "machine_id": "M1"}
    return {
        "machine_state": [
            {"machine_id": machine, "state_start_at": at(hour), "state": state, "reason_code": reason}
            for machine, hour, state, reason in [
                ("M1", 0, "run", None), ("M2", 0, "run", None), ("M2", 10, "down", "E2"), ("M1", 12, "run", None),
            ]
        ],
        "production_count": [
            count | {"machine_id": "M1", "total_count": 70},
            count | {"machine_id": "M2", "scrap_count": 1},
        ],
        "production_plan": [
            {"product_name": "P", "line_id": "L1", "planned_start_at": at(0), "planned_end_at": at(24)}
            | {"planned_quantity": 2400}
        ],
        "quality_issue": [
            issue,
            issue | {"issue_id": "I-2"},
            issue | {"issue_id": "I-2", "event_at": at(2), "status": "closed"},
            issue | {"issue_id": "I-3", "machine_id": "T1"},
            issue | {"issue_id": "I-4", "machine_id": None, "product_name": "P", "text": "held, and searched"},
            issue | {"issue_id": "I-5", "machine_id": None, "product_name": "Q"},
        ],
    }  # fmt: skip


def built(plant: Warehouse, *loads: dict[str, list[dict]]) -> dict:
    plant.reset()
    plant.refer(**REFERENCE)
    for tables in loads:
        plant.load(**{table: rows for table, rows in tables.items() if rows})
        assert plant.build(*MODELS) and plant.dbt("test", *TESTS).success
    with closing(duckdb.connect(str(plant.paths.warehouse), read_only=True)) as connection:
        return {name: connection.sql(f"select * from marts.{name} order by all").df() for name in MARTS}


# The crude figure says that day is better; day only has the faster product.
def test_records_become_a_fair_comparison_and_a_handover(plant):
    marts = built(plant, records(range(DAYS)), last_shift())
    found = marts["shift_comparison"].set_index(["comparison_kind", "line_id", "shift_phase", "metric"]).sort_index()
    rate = found.loc[[("shift", "L1", "(all)", "good_rate_per_h")]].iloc[0]
    assert (rate.side_a, rate.side_b, rate.status, rate.staffing_status) == ("day", "night", "compared", "identified")
    assert rate.crude_difference > 5 and rate.product_mix_part > 5
    assert -3 < rate.upper_95 < 0 and rate.is_significant
    best = marts["shift_best_practice"].set_index(["line_id", "metric"])
    assert best.better_side["L1", "good_rate_per_h"] == "night"
    hours = rate.common_denominator_a / 2  # a week, of two
    assert best.units_per_week["L1", "good_rate_per_h"] == pytest.approx(-rate.upper_95 * hours)
    handover = marts["shift_handover"].set_index(["line_id", "shift_start_at"])
    told = handover.loc["L1", START + timedelta(days=DAYS)]
    assert (told.good, told.scrap, told.planned_quantity, told.open_stop_count, told.open_issue_count) == (
        60,
        1,
        1200,
        1,
        2,
    )
    assert told.next_shift_should_know == (
        "60 good of 1200 planned: P 60 good 1 scrap. Standing: M2 malfunction (E2) since 2024-01-11 16:00."
        " Open issues: I-1, I-4."
    )
    assert told.open_issues == "I-1; I-4: held, and searched"
    assert told.shift_start_local == START + timedelta(days=DAYS)
    assert told.shift_end_local == told.shift_start_local + timedelta(hours=12)
    assert told.known_until_local == told.known_until  # the plant's zone is UTC
    assert handover.anomaly_count.isna().all()  # nobody looks for any, which is not that there are none
    assert handover.next_shift_should_know["L1", START].endswith(" scrap. Nothing is open.")


# A night that loads a part must end with the tables that one load of all would have made.
def test_any_split_gives_the_same_comparison(plant):
    at_once = built(plant, records(range(DAYS)))
    assert not differences(built(plant, records(range(3, DAYS)), records(range(3))), at_once)
