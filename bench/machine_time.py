"""`python -m bench.machine_time`: what the time of many machines costs: states over years, and a night on top of them.

A night is a day's states, a hundredth of them late by up to 60 days. Of the first night, which builds everything, and
of the next, it prints seconds, processor seconds (of those a busy machine takes no more) and peak memory of the load,
of the build with its data tests, and of the publication, and which models took longest.
"""

import json
import os
import tempfile
from contextlib import closing
from pathlib import Path

import click
import duckdb

from bench.measure import Cost, measure
from pipeline.build import NIGHTLY
from pipeline.environment import dbt_environment
from pipeline.paths import Paths

PLANT = """
plant: {name: machines, timezone: Europe/Berlin, production_day_start: "06:00", subjects: [production]}
sources:
  - {name: states, kind: files, path: inbox/*.parquet, table: machine_state, timezone: UTC}
"""
SHIFTS = "pattern,cycle_days,cycle_day,shift_name,start_time,end_time\n" + "".join(
    f"three,7,{day},{name},{start}:00,{end}:00\n"
    for day in range(1, 6)
    for name, start, end in (("early", "06", "14"), ("late", "14", "22"), ("night", "22", "06"))
)
BREAKS = (
    "shift_name,start_time,end_time,name\nearly,10:00,10:30,break\nlate,18:00,18:30,break\nnight,02:00,02:30,break\n"
)
STATES = """
create table state as
select 'M' || lpad((1 + machine)::varchar, 3, '0') as machine_id,
    timestamp '2020-01-06' + to_microseconds((86400e6 / $changes * (number + random()))::bigint) as state_start_at,
    ['run', 'down', 'run', 'setup', 'run', 'starved'][1 + number % 6] as state,
    case when number % 6 = 1 then 'R' || (number % 17) end as reason_code
from range($machines) machines (machine), range($changes * $days) numbers (number)
"""
NIGHT = "state_start_at >= timestamp '2020-01-06' + to_days($days - 1)"
LATE = "state_start_at >= timestamp '2020-01-06' + to_days($days - 61) and hash(machine_id, state_start_at) % 6000 = 0"


@click.command(help=__doc__)
@click.option("--machines", default=200, show_default=True)
@click.option("--days", default=1826, show_default=True, help="The last one is the night's.")
@click.option("--changes", default=60, show_default=True, help="States per machine and day.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to work; default a temporary folder.")
def main(machines: int, days: int, changes: int, folder: Path | None) -> None:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        plant, paths = Path(name) / "plant", Paths(Path(name) / "data")
        (plant / "inbox").mkdir(parents=True)
        (plant / "plant.yml").write_text(PLANT)
        lines = "".join(f"M{number + 1:03},L{number % 20 + 1:02}\n" for number in range(machines))
        (plant / "machines.csv").write_text("machine_id,line_id\n" + lines)
        (plant / "shift_patterns.csv").write_text(SHIFTS)
        (plant / "line_shifts.csv").write_text("line_id,pattern\n,three\n")
        (plant / "breaks.csv").write_text(BREAKS)
        records = write_states(Path(name), {"machines": machines, "days": days, "changes": changes})
        click.echo(f"{records:,} states of {machines} machines in {days} days, load {os.getloadavg()[0]:.0f}")
        for part in ("history", "night"):
            (Path(name) / f"{part}.parquet").rename(plant / "inbox" / f"{part}.parquet")
            environment = {"FIRSTPASS_DATA": str(paths.data), "PLANT": str(plant)}
            said(f"{part}: load", measure(["-m", "ingest"], environment))
            said(f"{part}: build", build(paths, environment), slowest(paths))
            said(f"{part}: publication", measure(["-m", "publish"], environment))
        with closing(duckdb.connect(str(paths.warehouse), read_only=True)) as connection:
            rows = connection.execute(
                "select count(*), count(distinct production_week_start) from intermediate.int_machine_interval"
            ).fetchone()
            touched = connection.execute("select count(*) from intermediate.int_touched_machine_week").fetchone()[0]
        click.echo(f"{rows[0]:,} intervals in {rows[1]} weeks; the night wrote {touched} of them")


def write_states(folder: Path, sizes: dict[str, int]) -> int:
    """Writes history.parquet and night.parquet into `folder`; the number of records."""
    with closing(duckdb.connect(config={"memory_limit": "4GB", "temp_directory": str(folder)})) as connection:
        connection.execute("select setseed(0.5)")
        connection.execute(STATES, sizes)
        days = sizes["days"]
        late = f"({NIGHT} or {LATE})".replace("$days", str(days))
        for part, condition in (("history", f"not {late}"), ("night", late)):
            connection.execute(f"copy (from state where {condition}) to '{folder / part}.parquet'")
        return connection.execute("select count(*) from state").fetchone()[0]


def build(paths: Paths, environment: dict[str, str]) -> Cost:
    for needed in (paths.target, paths.logs, paths.temp):
        needed.mkdir(parents=True, exist_ok=True)
    return measure(["-m", "dbt.cli.main", *NIGHTLY], {**environment, **dbt_environment(paths)})


def said(what: str, cost: Cost, more: str = "") -> None:
    click.echo(f"{what}: {cost.seconds:.1f} s, {cost.cpu_s:.1f} s of processor, {cost.megabytes:,.0f} MB {more}")


def slowest(paths: Paths) -> str:
    """Seconds of the models that took longest."""
    results = json.loads((paths.target / "run_results.json").read_text())["results"]
    times = sorted(((found["execution_time"], found["unique_id"].split(".")[-1]) for found in results), reverse=True)
    return "(" + ", ".join(f"{name} {seconds:.1f}" for seconds, name in times[:6]) + ")"


if __name__ == "__main__":
    main()
