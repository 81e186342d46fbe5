"""OEE, losses, stops and plans, from a plant's records to its marts."""

import random
import re
from contextlib import closing
from datetime import datetime, timedelta

import duckdb
import pytest
from comparison import assert_published, differences
from warehouse import Warehouse

from pipeline.documentation import KPI_PAGE
from publish import current_version, publish

TABLES = ["machine_state", "production_count", "production_plan", "staffing", "work_order", "test_record"]
PLANT = """
plant: {name: production, timezone: Europe/Berlin, production_day_start: "06:00", subjects: [production]}
sources:
""" + "".join(f"  - {{name: {name}, kind: files, path: inbox/{name}*.ndjson, table: {name}}}\n" for name in TABLES)
REFERENCE = {
    "machines": "machine_id,line_id,line_position,is_constraint\nM1,L,1,\nM2,L,2,true\nM3,L,3,\n",
    "shift_patterns": "pattern,cycle_days,cycle_day,shift_name,start_time,end_time\n"
    + "".join(f"two,7,{day},early,06:00,14:00\ntwo,7,{day},late,14:00,22:00\n" for day in range(1, 8)),
    "line_shifts": "line_id,pattern\nL,two\n",
    "breaks": "pattern,shift_name,start_time,end_time,name\ntwo,early,10:00,10:30,break\n",
    "standard_rates": "product_name,machine_id,rate_per_h\nA,,120\nB,,60\n",
}
MONDAY = datetime(2024, 3, 4)


@pytest.fixture(scope="module")
def factory(tmp_path_factory) -> Warehouse:
    return Warehouse(tmp_path_factory.mktemp("production"), plant=PLANT)


@pytest.fixture
def plant(factory) -> Warehouse:
    factory.reset()
    factory.refer(**REFERENCE)
    return factory


def query(plant: Warehouse, text: str) -> list[tuple]:
    with closing(duckdb.connect(str(plant.paths.warehouse), read_only=True)) as connection:
        return connection.execute(text).fetchall()


def state(time: datetime, machine: str, word: str, order: str | None = None, reason: str | None = None) -> dict:
    return {
        "machine_id": machine,
        "state_start_at": time.isoformat(),
        "state": word,
        "work_order_id": order,
        "reason_code": reason,
    }


def count(start: datetime, machine: str, product: str, good: int, scrap: int = 0) -> dict:
    return {
        "machine_id": machine,
        "product_name": product,
        "interval_start_at": start.isoformat(),
        "interval_end_at": (start + timedelta(hours=1)).isoformat(),
        "total_count": good + scrap,
        "good_count": good,
        "scrap_count": scrap,
    }


def history(days: int, seed: int) -> list[tuple[str, dict]]:
    """Records of three machines: states through shifts, breaks and a stop of days; hourly counts and plans."""
    dice = random.Random(seed)
    words = ["run"] * 4 + ["setup", "down", "starved", "blocked", "minor stop", "no order", "planned maintenance"]
    records = [("work_order", order) for order in ORDERS]
    end = MONDAY + timedelta(days=days, hours=-10)  # within a shift
    for machine in ("M1", "M2", "M3"):
        time = MONDAY + timedelta(hours=6, minutes=dice.randint(0, 300))
        while time < end:
            word = dice.choice(words)
            order = dice.choice(["OA", "OB", None])
            records.append(("machine_state", state(time, machine, word, order, dice.choice([None, "JAM"]))))
            long = word == "down" and dice.random() < 0.1
            time += timedelta(minutes=dice.randint(3000, 12000) if long else dice.randint(1, 600))
    records.append(("machine_state", state(end + timedelta(minutes=1), "M1", "down", "OA")))
    records.append(("machine_state", state(end + timedelta(minutes=30), "M2", "run", "OA")))
    for hour in range(6, 24 * days - 12, 2):
        start = MONDAY + timedelta(hours=hour)
        for machine in ("M1", "M2", "M3"):
            product = dice.choice("ABC")
            records.append(
                ("production_count", count(start, machine, product, dice.randint(0, 60), dice.randint(0, 5)))
            )
        plan = {"line_id": "L", "product_name": dice.choice("AB"), "planned_quantity": dice.randint(10, 60)}
        records.append(("production_plan", plan | {"planned_start_at": start.isoformat()}))
    for day in range(days):
        shift = {"shift_date": str((MONDAY + timedelta(days=day)).date()), "line_id": "L"}
        records += [
            ("staffing", shift | {"shift_name": name, "headcount": dice.randint(2, 6)}) for name in ("early", "late")
        ]
    return records


ORDERS = [
    {"work_order_id": f"O{product}", "product_name": product, "quantity": 1000, "updated_at": MONDAY.isoformat()}
    for product in "AB"
]


def load(plant: Warehouse, records: list[tuple[str, dict]]) -> None:
    tables: dict[str, list[dict]] = {}
    for table, record in records:
        tables.setdefault(table, []).append(record)
    plant.load(**tables)


# Hours and stops of years would be written whole each night: at 200 machines that is most of the night.
def test_only_weeks_that_a_night_wrote_are_published_again(plant):
    tables = {"stop", "production_rate", "machine_utilization", "downtime_pareto", "loss_waterfall"}
    tables |= {"oee_by_machine_day", "oee_by_machine_shift"}

    def published() -> dict[tuple[str, str], int]:
        publish(plant.paths)
        assert_published(plant.paths)
        folder = current_version(plant.paths.published) / "parquet"
        files = folder.glob("*/production_week_start=2*/data.parquet")
        return {(file.parts[-3], file.parts[-2][-10:]): file.stat().st_ino for file in files}

    hours = [MONDAY + timedelta(hours=hour) for hour in range(6, 24 * 55, 9)]
    load(plant, [("machine_state", state(hour, "M1", ["run", "down"][n % 2])) for n, hour in enumerate(hours)])
    assert plant.build()
    before = published()
    load(plant, [("machine_state", state(hours[-1] + timedelta(minutes=5), "M1", "setup"))])
    assert plant.build()
    after = published()
    assert {table for table, _ in before} == tables
    assert before.keys() == after.keys()
    kept = {place for place in before if before[place] == after[place]}
    assert kept >= {(table, week) for table in tables for week in ("2024-03-04", "2024-03-11")}
    assert not kept & {(table, "2024-04-22") for table in tables}


# A night that came late, or a record delivered twice, leaves last month's OEE or stops as they never were.
def test_any_split_and_order_of_records_gives_the_same_marts(plant):
    records = history(33, seed=1)
    load(plant, records)
    assert plant.build() and plant.test()
    whole = plant.marts()
    assert all(
        len(whole[name]) > 0 for name in ("stop", "changeover", "bottleneck", "plan_attainment", "loss_waterfall")
    )
    assert whole["stop"].is_open.any() and whole["stop"].duration_s.max() > 86400

    dice = random.Random(2)
    plant.reset()
    plant.refer(**REFERENCE)
    times = {
        id(record): next(str(value) for key, value in record.items() if key.endswith(("_at", "_date")))
        for _, record in records
    }
    nights = sorted(records, key=lambda it: times[id(it[1])])
    late = dice.sample(nights, 40)
    parts = [[it for it in nights if it not in late], late + dice.sample(nights, 20)]
    middle = len(parts[0]) // 2
    for part in (parts[0][:middle], parts[0][middle:], parts[1]):
        load(plant, part)
        assert plant.build()
    assert not differences(plant.marts(), whole)


FIGURES = """
    select round(availability, 4), round(effectiveness, 4), round(oee, 4), round(nee, 4) from marts.oee_by_machine_day
    where machine_id = 'M2' and pbt_s > 0
"""
SHIFT = [("06:00", "setup"), ("06:30", "run"), ("10:00", "break"), ("10:30", "run"), ("12:00", "minor stop"),
         ("12:10", "run"), ("13:00", "down"), ("13:30", "run"), ("14:00", "off")]  # fmt: skip


def conventions() -> list[tuple[str, list[float]]]:
    """What docs/kpis.md says of each: the line of time_buckets.csv, and the figures."""
    rows = re.findall(r"^\| [^|]+ \| (?:`(.+?)`|\(none\)) \|((?: [\d.]+ \|){4})$", KPI_PAGE.read_text(), re.MULTILINE)
    return [(line, [float(number) for number in numbers.split("|")[:4]]) for line, numbers in rows]


# A plant that reads the page and writes the line gets another OEE than the page says.
def test_each_documented_convention_is_one_line_of_reference_data(plant):
    day = MONDAY.date().isoformat()
    plant.load(
        machine_state=[state(datetime.fromisoformat(f"{day}T{time}"), "M2", word, "OA") for time, word in SHIFT],
        production_count=[
            count(datetime.fromisoformat(f"{day}T{hour:02}:00"), "M2", "A", 95, 5) for hour in (7, 8, 9, 11, 12, 13)
        ],
        work_order=ORDERS,
    )
    patterns = REFERENCE["shift_patterns"].splitlines()
    plant.refer(shift_patterns="\n".join(line for line in patterns if "late" not in line) + "\n")
    assert len(conventions()) == 4
    for line, figures in conventions():
        plant.refer(time_buckets="bucket,counts_as\n" + (f"{line}\n" if line else ""))
        plant.load()
        assert plant.build("--select", "+oee_by_machine_day")
        assert [list(row) for row in query(plant, FIGURES)] == [figures], line
