"""Machines, orders and crews of the simulated plant: what other tests, and the pages of the demo, rest on."""

import csv
import json
import math
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner
from test_simulator_parameters import edit, refusal

from generator.__main__ import main
from generator.production.history import Production
from generator.production.reading import FILES, ProductionRates, read_production
from generator.production.truth import truth
from generator.production_days import ProductionDays
from pipeline.paths import PROJECT

MACHINES = ["LW-01", "LW-02", "MARK-01"]
START = date(2024, 1, 1)


@pytest.fixture
def line(modules_only, tmp_path) -> Path:
    """Two welders and a marker of the demo plant, whose shifts differ in mix and in skill."""
    folder = tmp_path / "line"
    folder.mkdir()
    for file in modules_only.glob("*.csv"):
        folder.joinpath(file.name).write_bytes(file.read_bytes())
    with (PROJECT / "plants" / "demo" / "simulated_machines.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    with folder.joinpath("simulated_machines.csv").open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(row for row in rows if row[0] in ("machine_id", *MACHINES))
    return folder


def made(
    folder: Path, weeks: int = 1, *, begin: int = 0, end: int | None = None, zone: str = "Asia/Singapore", seed: int = 1
) -> dict[str, pa.Table]:
    production = Production(read_production(folder), ProductionDays(START, zone, time(7)), seed)
    pieces = list(production.weeks(begin, 7 * weeks if end is None else end))
    return {name: pa.concat_tables([piece[name] for piece in pieces]).combine_chunks() for name in pieces[0]}


def query(tables: dict[str, pa.Table], sql: str) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name, table in tables.items():
            connection.register(name, table)
        return connection.execute(sql).fetchall()


STATES = """
    with states as (
        select *, lead(state_start_at) over (partition by machine_id order by state_start_at) as ended_at
        from machine_state
    )
"""


# Else the records of a nightly run contradict those of the nights before.
def test_a_history_made_in_pieces_equals_the_whole(line):
    whole = made(line, 3)
    for cuts in ([0, 1, 2, 8, 21], [0, 7, 14, 20, 21]):
        parts = [made(line, begin=begin, end=end) for begin, end in zip(cuts, cuts[1:], strict=False)]
        for name in whole:
            assert pa.concat_tables([part[name] for part in parts]).combine_chunks() == whole[name], name
    assert made(line, 3, seed=2) != whole
    assert [len(table) for table in made(line, end=0).values()] == [0] * len(whole)


# A machine that comes or goes must not change what the others did.
def test_a_machine_does_not_change_the_stream_of_another_line(line):
    before = made(line)
    edit(line, "simulated_machines", lambda rows: [*rows, rows[0] | {"machine_id": "PACK-01"}])
    after = made(line)
    for name, key in (("machine_state", "machine_id"), ("staffing", "line_id")):
        mine = query(after, f"select * from {name} where {key} not in ('PACK-01', 'LINE-F')")
        assert mine == query(before, f"select * from {name}")


# The time model is tried on these records: they must have all that real ones have.
def test_machines_report_what_they_do_and_only_while_they_can(line):
    tables = made(line, 4)
    assert {row[0] for row in query(tables, "select distinct machine_id from machine_state")} == {"LW-01", "LW-02"}
    assert query(tables, "select distinct machine_id from machine_cycle") == [("MARK-01",)]
    states = {row[0] for row in query(tables, "select distinct state from machine_state")}
    assert states == {
        *("running", "off", "setup", "minor stop", "down", "starved", "blocked", "no operator", "break"),
        "planned maintenance",
    }
    (changes,) = query(tables, "select count(*) / 28.0 / 2 from machine_state")[0]
    assert 20 < changes < 100
    # Sundays are free, but for what a Saturday's last order takes longer.
    sunday = "(dayofweek(state_start_at at time zone 'Asia/Singapore') = 0)"
    assert query(tables, f"{STATES} select count(*) from states where {sunday} and state not in ('off')") == [(0,)]
    # A counter can't count more than the machine had time for, at 15 % above its rate.
    fast = query(
        tables,
        f"""{STATES}
        select c.machine_id, c.interval_start_at, c.total_count,
            sum(epoch(least(ended_at, interval_end_at)) - epoch(greatest(state_start_at, interval_start_at))) as ran_s
        from production_count c join states s on s.machine_id = c.machine_id and s.state = 'running'
            and s.state_start_at < c.interval_end_at and s.ended_at > c.interval_start_at
        group by all having c.total_count > 1 + 86 / 3600 * ran_s * 1.15""",
    )
    assert fast == []
    assert query(
        tables, "select count(*) from production_count where total_count <> good_count + scrap_count + rework_count"
    ) == [(0,)]
    spans = "select interval_end_at - interval_start_at as span from production_count"
    assert query(tables, f"select count(*) from ({spans}) where span <= interval 0 hour or span > interval 1 hour") == [
        (0,)
    ]
    assert query(tables, "select count(distinct work_order_id) from work_order") == query(
        tables, "select count(distinct work_order_id) from production_plan"
    )
    over_a_shift = "select work_order_id from production_plan group by all having count(distinct shift_name) > 1"
    assert query(tables, f"select count(*) > 0 from ({over_a_shift})") == [(True,)]


# From setups a matrix from product to product is made.
def test_setups_between_families_take_longer(line):
    orders = """
        select
            product_name[:4] <> lag(product_name[:4]) over (order by min(planned_start_at)) as is_other,
            product_name <> lag(product_name) over (order by min(planned_start_at)) as is_change,
            work_order_id
        from production_plan group by product_name, work_order_id
    """
    setups = f"""{STATES}
        select is_other, avg(epoch(ended_at - state_start_at)) / 60, count(*)
        from states join ({orders}) using (work_order_id) where state = 'setup' and is_change group by all order by all
    """
    same, other = query(made(line, 20), setups)
    assert (same[0], other[0]) == (False, True) and min(same[2], other[2]) >= 10
    assert other[1] > 1.7 * same[1]


# Else a comparison of shifts that finds the truth in the demo plant would be an accident.
def test_shifts_differ_by_what_is_said_of_them_though_their_mix_says_otherwise(line):
    tables = made(line, 40)
    cells = query(
        tables,
        """
        with counted as (
            select
                hour(interval_start_at at time zone 'Asia/Singapore') < 15 as is_early,
                product_name, sum(good_count) as good, sum(total_count) as total
            from production_count where machine_id = 'LW-02' group by all
        )
        select
            product_name, e.good, e.total, l.good, l.total
        from counted e join counted l using (product_name) where e.is_early and not l.is_early
        """,
    )

    def logit(good: float, total: float) -> float:
        return math.log(good / (total - good))

    crude = logit(sum(c[1] for c in cells), sum(c[2] for c in cells)) - logit(
        sum(c[3] for c in cells), sum(c[4] for c in cells)
    )
    weights = [c[2] * c[4] / (c[2] + c[4]) for c in cells]
    within = sum(w * (logit(c[1], c[2]) - logit(c[3], c[4])) for w, c in zip(weights, cells, strict=True)) / sum(
        weights
    )
    said = truth(read_production(line))["differences"]["LINE-E"][0]
    assert (said["one"], said["other"], said["quality_logit"]) == (["early", None], ["late", None], 0.25)
    assert within == pytest.approx(0.25, abs=0.08)
    assert crude < 0  # Simpson


def test_rates_differ_by_what_is_said_of_them(line):
    rates = query(
        made(line, 40),
        f"""{STATES}, pieces as (
            select c.machine_id, c.product_name, c.total_count, c.interval_start_at,
                sum(epoch(least(ended_at, interval_end_at) - greatest(state_start_at, interval_start_at))) as ran_s
            from production_count c join states s on s.machine_id = c.machine_id and s.state = 'running'
                and s.state_start_at < c.interval_end_at and s.ended_at > c.interval_start_at
            where c.machine_id = 'LW-02' and product_name = 'Lumo-2' group by all
        )
        select hour(interval_start_at at time zone 'Asia/Singapore') < 15, sum(total_count) / sum(ran_s) * 3600
        from pieces group by all order by all""",
    )
    assert rates[1][1] / rates[0][1] == pytest.approx(1 / 0.97, abs=0.02)


# A plant without shift patterns works round the clock; a day of a clock change has 23 or 25 hours there, too.
def test_days_of_a_clock_change_are_made_in_their_real_length(line):
    for name in ("shift_patterns", "line_shifts", "breaks", "holidays", "simulated_shifts", "downtime_reasons"):
        (line / f"{name}.csv").unlink()
    edit(line, "simulated_mix", lambda rows: [row | {"shift_name": ""} for row in rows])
    tables = made(line, begin=84, end=98, zone="Europe/Berlin")
    plan = query(
        tables, "select min(planned_start_at), max(planned_end_at), count(distinct shift_name) from production_plan"
    )
    assert plan[0][1] - plan[0][0] == timedelta(days=14) - timedelta(hours=1) and plan[0][2] == 1
    whole = [datetime.fromisoformat("2024-03-30T06:00+00:00"), datetime.fromisoformat("2024-03-31T05:00+00:00")]
    total = "select sum(epoch(planned_end_at - planned_start_at)) / 3600 from production_plan"
    assert query(tables, f"{total} where planned_start_at >= '{whole[0]}' and planned_start_at < '{whole[1]}'") == [
        (23,)
    ]
    assert {row[0] for row in query(tables, "select distinct reason_code from machine_state")} == {None}
    assert not len(tables["staffing"])


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("simulated_machines.machine_id", "nowhere", "has no line in machines.csv"),
        ("simulated_machines.reports", "smoke", "expected one of states, cycles, both"),
        ("simulated_machines.mtbf_h", "0", "above 0"),
        ("simulated_mix.product_name", "nothing", "not in products.csv"),
        ("standard_rates.valid_from", "1.2.2024", "expected a date such as 2024-03-05"),
        ("standard_rates.machine_id", "elsewhere", "no rate of"),
        ("products.assembly_good_share", "97", "from 0 to 1"),
        ("simulated_mix.share", "0", "has no product for shift"),
    ],
)
def test_a_line_that_can_not_be_simulated_is_refused(run, line, place, value, said):
    name, column = place.split(".")
    edit(line, name, lambda rows: [row | {column: value} for row in rows])
    message = refusal(run, line)
    assert f"{name}.csv" in message and said in message


def test_missing_and_wrong_parameters_are_named(run, line):
    edit(line, "simulation", lambda rows: [row for row in rows if row["parameter"] != "buffer_min"])
    assert "simulation.csv: parameter buffer_min is missing" in refusal(run, line)
    edit(line, "simulation", lambda rows: [*rows, {"parameter": "buffer_min", "value": "-1", "reason": ""}])
    assert "simulation.csv: buffer_min: -1: expected a number from 0" in refusal(run, line)


def test_every_file_holds_the_tables_and_the_truth_is_beside(line, tmp_path):
    (line / "plant.yml").write_text("plant: {name: line, timezone: Asia/Singapore}\nsources: []\n")
    arguments = ["--plant", str(line), "--scale", "0.001", "--weeks", "1", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    tables = {file.stem for file in (tmp_path / "out").glob("*.parquet")}
    assert tables >= {"test_record", "machine_state", "machine_cycle", "production_count", "staffing", "work_order"}
    told = json.loads((tmp_path / "out" / "truth.json").read_text())
    assert told == truth(read_production(line))


def test_every_parameter_of_machines_is_explained():
    page = (PROJECT / "docs" / "simulated_plant.md").read_text(encoding="utf-8")
    parameters = {it.name for it in fields(ProductionRates)} | {
        column for columns in FILES.values() for column in columns
    }
    assert [name for name in sorted(parameters) if f"`{name}`" not in page] == []
