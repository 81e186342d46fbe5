"""Where machines' time went: many small machines at random, and each rule where a plant would notice it."""

import random
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from oracle_machine_time import WEEK, Day, Line, Machine
from warehouse import Warehouse

TABLES = [
    "test_record",
    "machine_state",
    "machine_cycle",
    "production_count",
    "maintenance",
    "schedule_change",
    "work_order",
]
MODELS = ["--select", "+int_machine_time", "+int_finding_production"]
"""Of a build that needs no ledger after it: only a green one of the whole project leaves one."""
WORDS = ["run", "run", "run", "down", "setup", "pause", "starved", "out of coffee"]
GAPS = [1, 4, 5, 5, 5.000001, 6, 30, 61, 400]
PATTERNS = "pattern,cycle_days,cycle_day,shift_name,start_time,end_time\n" + "".join(
    f"{pattern},7,{day},{name},{start},{end}\n"
    for pattern, days, shifts in [
        ("three", range(1, 8), [("early", "06:00", "14:00"), ("late", "14:00", "22:00"), ("night", "22:00", "06:00")]),
        ("office", range(1, 6), [("day", "08:00", "16:30")]),
        ("nights", range(1, 8), [("night", "18:00", "05:00")]),
    ]
    for day in days
    for name, start, end in shifts
)
REFERENCE = {
    "shift_patterns": PATTERNS,
    "line_shifts": "line_id,pattern\nL1,three\nL2,office\nL3,nights\n",
    "breaks": "pattern,start_time,end_time,name\noffice,12:00,12:30,lunch\nthree,02:00,02:30,night\n",
}
SECONDS = "machine_id, production_date, shift_start_at, bucket, evidence, product_name"


def described(zone: str) -> str:
    sources = "".join(
        f"  - {{name: {table}, kind: files, path: inbox/{table}*.ndjson, table: {table}, timezone: UTC}}\n"
        for table in TABLES
    )
    settings = f'name: times, timezone: {zone}, production_day_start: "06:00", subjects: [production]'
    return f"plant: {{{settings}}}\nsources:\n{sources}"


def query(plant: Warehouse, text: str) -> list[tuple]:
    with closing(duckdb.connect(str(plant.paths.warehouse), read_only=True)) as connection:
        return connection.execute(text).fetchall()


@pytest.fixture(scope="module")
def plant(tmp_path_factory) -> Warehouse:
    return Warehouse(tmp_path_factory.mktemp("times"))


def iso(moment: datetime) -> str:
    return moment.isoformat() + "Z"


class Histories:
    """Random records of machines within `days` from `first`, UTC, as (table, record)."""

    def __init__(self, first: datetime, days: int, seed: int):
        self.random = random.Random(seed)
        self.first, self.days = first, days
        self.records: list[tuple[str, dict]] = []

    def moment(self) -> datetime:
        whole = self.random.choice([1, 60, 1800, 3600, 0.000001])
        seconds = round(self.random.uniform(0, self.days * 86400) / whole) * whole
        return self.first + timedelta(microseconds=round(seconds * 1e6))

    def add(self, table: str, **record) -> None:
        self.records.append((table, record))

    def states(self, machine: str) -> None:
        for _ in range(self.random.randint(1, 25)):
            start = self.moment()
            for _ in range(self.random.choice([1, 1, 1, 2])):
                self.add(
                    "machine_state", machine_id=machine, state_start_at=iso(start), state=self.random.choice(WORDS)
                )

    def cycles(self, machine: str) -> None:
        times: dict[datetime, None] = {}
        for _ in range(self.random.randint(1, 6)):
            moment = self.moment()
            for _ in range(self.random.randint(1, 12)):
                times.setdefault(moment)
                moment += timedelta(microseconds=round(self.random.choice(GAPS) * 1e6))
        for moment in times:
            part = self.random.random() < 0.7
            serial = f"S{self.random.randint(1, 9)}" if part else None
            product = self.random.choice(["P", "P", "P", "Q", None])
            self.add(
                "machine_cycle",
                machine_id=machine,
                cycle_timestamp=iso(moment),
                part_present=part,
                product_name=product,
                serial_num=serial,
            )

    def counts(self, machine: str, at: str | None = None) -> None:
        """At random, or one of ten minutes."""
        for _ in range(1 if at else self.random.randint(1, 12)):
            start = datetime.fromisoformat(at).replace(tzinfo=None) if at else self.moment()
            minutes = 10 if at else self.random.choice([10, 60, 60, 480, 1440])
            total, scrap = self.random.randint(bool(at), 50), self.random.choice([0, 0, 3])
            self.add(
                "production_count",
                machine_id=machine,
                interval_start_at=iso(start),
                interval_end_at=iso(start + timedelta(minutes=minutes)),
                product_name=self.random.choice("PQ"),
                total_count=total + scrap,
                scrap_count=scrap,
            )

    def jobs(self, machine: str) -> None:
        for _ in range(self.random.randint(0, 3)):
            start = self.moment()
            self.add(
                "maintenance",
                machine_id=machine,
                start_at=iso(start),
                kind=self.random.choice(["planned", "corrective"]),
                end_at=iso(start + timedelta(minutes=self.random.choice([30, 200]))),
            )

    def changes(self, line: str) -> None:
        for kind in ("open", "closed", "holiday", "maintenance"):
            start = self.moment()
            self.add(
                "schedule_change",
                line_id=line,
                kind=kind,
                start_at=iso(start),
                end_at=iso(start + timedelta(hours=self.random.randint(1, 30))),
            )


def by_table(records: list[tuple[str, dict]]) -> dict[str, list[dict]]:
    tables: dict[str, list[dict]] = {}
    for table, record in records:
        tables.setdefault(table, []).append(record)
    return tables


def expected(plant: Warehouse, zone: str, machines: dict[str, str]) -> dict[str, Machine]:
    local = ZoneInfo(zone)

    def wall(moment: datetime) -> datetime:
        return moment.replace(tzinfo=UTC).astimezone(local).replace(tzinfo=None)

    def date_of(moment: datetime) -> date:
        return (wall(moment) - timedelta(hours=6)).date()

    days = query(plant, "select production_date, day_start_at, day_end_at from staging.stg_calendar_day order by 1")
    starts = {day: start for day, start, _ in days}
    bounds = {
        day: (starts.get(day - timedelta(days=day.weekday())), starts.get(day + timedelta(days=7 - day.weekday())))
        for day in starts
    }
    used = query(plant, "select min(production_date), max(production_date) from intermediate.int_machine_interval")[0]
    lines = {}
    for line in {*machines.values()}:
        calendar = query(
            plant,
            "select shift_start_at, shift_end_at, shift_name, kind from staging.stg_calendar_shift"
            f" where line_id = '{line}' and shift_date between '{used[0] - WEEK}' and '{used[1] + WEEK}' order by 1",
        )
        changes = {
            kind: query(
                plant,
                "select start_at, end_at from staging.stg_schedule_change"
                f" where line_id = '{line}' and kind = '{kind}'",
            )
            for kind in ("open", "closed", "holiday", "maintenance")
        }
        shifts = [row[:3] for row in calendar if row[3] == "shift"]
        lines[line] = Line(shifts, [row[:2] for row in calendar if row[3] == "break"], changes)
    horizon = query(plant, "select max(horizon_at) from intermediate.int_machine")[0][0]
    found = {}
    for machine, line in machines.items():
        where = f"where machine_id = '{machine}'"
        jobs = {"planned": [], "corrective": []}
        for kind, start, end in query(
            plant, f"select distinct kind, start_at, end_at from staging.stg_maintenance {where}"
        ):
            jobs[kind].append((start, end))
        found[machine] = Machine(
            line=lines[line],
            states=query(
                plant,
                "select state_start_at, max_by(state, record_hash) from staging.stg_machine_state"
                f" {where} group by 1 order by 1",
            ),
            cycles=query(
                plant,
                "select distinct cycle_timestamp, part_present, product_name, serial_num"
                f" from staging.stg_machine_cycle {where}",
            ),
            counts=query(
                plant,
                "select distinct interval_start_at, interval_end_at, product_name, total_count - scrap_count,"
                f" scrap_count, 0 from staging.stg_production_count {where}",
            ),
            jobs=jobs,
            days=[
                Day(day, start, end, bounds[day][0] - WEEK, bounds[day][1] + WEEK)
                for day, start, end in days
                if used[0] <= day <= used[1]
            ],
            horizon=horizon,
            date_of=date_of,
        )
        found[machine].hour_of = lambda moment: wall(moment).replace(minute=0, second=0, microsecond=0)
        found[machine].run()
    return found


# Whoever adds up the buckets of a day must get the day, and whoever asks why the machine stood must get the reason: on
# every machine, however its records came, and on the days on which the clocks are changed.
@pytest.mark.parametrize(
    ("zone", "first", "seed"),
    [
        ("Europe/Berlin", datetime(2024, 3, 11), 1),
        ("Europe/Berlin", datetime(2024, 10, 7), 2),
        ("Australia/Lord_Howe", datetime(2024, 3, 18), 3),
    ],
)
def test_machines_at_random_spend_their_time_as_the_definitions_say(plant, monkeypatch, zone, first, seed):
    plant.plant = described(zone)
    plant.reset()
    histories = Histories(first, 36, seed)
    # each kind of machine on two lines, in another zone on others
    machines = {f"M{number:02}": ["L1", "L2", "L3", "L4"][(number + seed) % 4] for number in range(14)}
    plant.refer(machines="machine_id,line_id\n" + "".join(f"{m},{line}\n" for m, line in machines.items()), **REFERENCE)
    for number, machine in enumerate(machines):
        for kind in ([], ["states"], ["cycles"], ["counts"], ["states", "counts"], ["states", "cycles"], ["cycles"])[
            number % 7
        ]:
            getattr(histories, kind)(machine)
        if number % 3 == 0:
            histories.jobs(machine)
    for line in ("L1", "L2", "L3", "L4"):
        histories.changes(line)
    # one that makes something just as its line is closed is known of for the rest of the shift
    closings = {
        change["line_id"]: change["start_at"] for _, change in histories.records if change.get("kind") == "closed"
    }
    for machine in list(machines)[3::7]:
        histories.counts(machine, closings[machines[machine]])
    # what comes last is of three days: the weeks of most others stay as they are
    loads, touched = [[], []], []
    days_of_last = [(first + timedelta(days=9 + number)).date().isoformat() for number in range(3)]
    for record in histories.records:
        is_of_last = any(str(value)[:10] in days_of_last for value in record[1].values())
        for _ in range(histories.random.choice([1, 1, 1, 2])):
            histories.random.choice(loads if is_of_last else loads[:1]).append(record)
    monkeypatch.setenv("FIRSTPASS_REFRESHED", " ".join([*TABLES, "calendar_day", "calendar_shift"]))
    for number, load in enumerate(loads):
        plant.load(**by_table(load))
        assert plant.build(*(MODELS if number else []))
        touched.append(query(plant, "select count(*) from intermediate.int_touched_machine_week")[0][0])
    assert 0 < touched[-1] < touched[0]
    oracles = expected(plant, zone, machines)
    assert_as_expected(plant, oracles)
    in_parts = tables(plant)
    plant.reset()
    plant.refer(machines="machine_id,line_id\n" + "".join(f"{m},{line}\n" for m, line in machines.items()), **REFERENCE)
    histories.random.shuffle(histories.records)
    plant.load(**by_table(histories.records))
    assert plant.build(*MODELS)
    at_once = tables(plant)
    for name, rows in at_once.items():
        assert set(in_parts[name]) == set(rows) and len(in_parts[name]) == len(rows), name


def tables(plant: Warehouse) -> dict[str, list[tuple]]:
    return {
        name: query(plant, f"select * from intermediate.{name} order by all")
        for name in ("int_machine_interval", "int_machine_output", "int_machine_time", "int_finding_production")
    }


def assert_as_expected(plant: Warehouse, oracles: dict[str, Machine]) -> None:
    rows = query(
        plant, f"select {SECONDS}, sum(duration_us)::bigint from intermediate.int_machine_interval group by all"
    )
    found: dict[str, dict] = {machine: {} for machine in oracles}
    for machine, *key, duration in rows:
        found[machine][tuple(key)] = duration
    made: dict[str, dict] = {machine: {} for machine in oracles}
    for kind in ("good", "scrap", "rework"):
        for machine, *key, quantity in query(
            plant,
            f"select machine_id, production_date, shift_start_at, product_name, sum({kind})::bigint"
            f" from intermediate.int_machine_output group by all having sum({kind}) > 0",
        ):
            made[machine][(*key, kind)] = quantity
    for machine, oracle in oracles.items():
        told = dict(oracle.time())
        different = {
            key: (told.get(key), found[machine].get(key))
            for key in {*told, *found[machine]}
            if told.get(key) != found[machine].get(key)
        }
        assert not different, (machine, sorted(different.items(), key=str)[:6])
        assert dict(oracle.output()) == made[machine], machine
    for problem in query(
        plant,
        "select machine_id, production_date, sum(duration_us) from intermediate.int_machine_interval i join"
        " staging.stg_calendar_day d using (production_date) group by all having sum(duration_us) <> "
        " date_diff('microsecond', min(day_start_at), min(day_end_at))",
    ):
        pytest.fail(f"a day has not its length: {problem}")
