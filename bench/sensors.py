"""`python -m bench.sensors`: what a day of readings costs, from the lake to sensor marts, and five minutes more.

1,000 sensors at 1 Hz. Beside it the same minutes by one hand-written statement of DuckDB, in the same run: the ratio is
what to look at, processor seconds next, since a busy machine takes no more of those.
"""

import os
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import click
import duckdb

from bench.measure import Cost, measure, sql_seconds
from bench.sensor_records import SENSORS, load_readings, make_plant
from ingest import load_all
from pipeline.build import NIGHTLY, refreshed_models
from pipeline.environment import dbt_environment
from pipeline.paths import Paths
from pipeline.plant import load_plant

BY_HAND = """
create table sensor_minute as
with judged as (
    select readings.*, lower_limit, upper_limit, epoch_us(arrived_at) - epoch_us(reading_at) as delay_us,
        coalesce(isfinite(value), false) and coalesce(status <> 'bad', true)
        and coalesce(delay_us between -60_000_000 and coalesce(max_delay_s, 604_800) * 1_000_000, true)
        and coalesce(readings._flags not like '%reading_at:future%', true) as is_trusted
    from read_parquet('{lake}/sensor_reading/2*.parquet') as readings
    left join read_parquet('{lake}/ref_sensors/2*.parquet') as sensors using (sensor_id)
)
select sensor_id, date_trunc('minute', reading_at) as minute_at, min(reading_at_local) as minute_at_local,
    count(*) as reading_count, count(trusted) as trusted_count, sum(trusted) as value_sum,
    var_pop(trusted) * count(trusted) as value_m2, min(trusted) as value_min, max(trusted) as value_max,
    arg_max(trusted, reading_at) as value_last, max(reading_at) as last_read_at, min(reading_at) as first_read_at,
    count(*) filter (where trusted < lower_limit or trusted > upper_limit) as out_of_limits_count,
    count(*) filter (where not is_trusted) as distrusted_count, min(delay_us) as least_delay_us,
    count(*) > bit_count(bit_or(1::bigint << extract(second from reading_at)::int)) as is_crowded
from (select *, case when is_trusted then value end as trusted from judged)
group by all
"""
"""Without loads that are not committed, copies, what is new, and the order of days."""


@click.command(help=__doc__)
@click.option("--hours", default=24, show_default=True, help=f"{SENSORS * 3600:,} readings each.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to work; default a temporary folder.")
@click.option("--by-hand", "lake", type=click.Path(path_type=Path), hidden=True)
def main(*, hours: int, folder: Path | None, lake: Path | None) -> None:
    if lake:
        by_hand(lake)
        return
    with tempfile.TemporaryDirectory(dir=folder) as work:
        paths = Paths(Path(work) / "data")
        plant = Path(work) / "plant"
        make_plant(plant)
        load_all(load_plant(plant), paths)
        readings = load_readings(plant, paths, 0, hours * 3600)
        click.echo(f"{readings:,} readings, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}")
        dbt(paths, ["parse"])
        dbt(paths, ["run", "--exclude", "source:raw.sensor_reading+"])
        said("sensor models", *dbt(paths, ["run", "--select", *refreshed_models(["sensor_reading"])]))
        hand = measure(["-m", "bench.sensors", "--by-hand", str(paths.raw)], environment(paths))
        click.echo(f"minutes by hand: {hand.seconds:.1f} s, {hand.cpu_s:.1f} s of processor, {hand.megabytes:,.0f} MB")
        dbt(paths, NIGHTLY)
        said("publication of all", measure(["-m", "publish"], environment(paths)))
        load_readings(plant, paths, hours * 3600, 300)
        selected = [*NIGHTLY, "--select", *refreshed_models(["sensor_reading"])]
        refreshed = {"FIRSTPASS_REFRESHED": "sensor_reading"}
        said("five minutes more, with data tests", *dbt(paths, selected, refreshed))
        said("publication of them", measure(["-m", "publish"], environment(paths)))


def environment(paths: Paths) -> dict[str, str]:
    return {**dbt_environment(paths), "FIRSTPASS_DATA": str(paths.data)}


def dbt(paths: Paths, arguments: list[str], more: dict[str, str] | None = None) -> tuple[Cost, float]:
    """What it cost, and the seconds of its statements."""
    log = paths.logs / "bench"
    for needed in (paths.target, log, paths.temp):
        needed.mkdir(parents=True, exist_ok=True)
    (log / "dbt.log").unlink(missing_ok=True)
    options = ["--log-level-file", "debug", "--log-format-file", "json"]
    told = {**environment(paths), "DBT_LOG_PATH": str(log), **(more or {})}
    found = measure(["-m", "dbt.cli.main", *arguments, *options], told)
    return found, sum(sql_seconds(log / "dbt.log"))


def said(what: str, cost: Cost, sql_s: float | None = None) -> None:
    statements = f", statements {sql_s:.1f} s" if sql_s is not None else ""
    click.echo(
        f"{what}: {cost.seconds:.1f} s{statements}, {cost.cpu_s:.1f} s of processor, {cost.megabytes:,.0f} MB at most"
    )


def by_hand(lake: Path) -> None:
    with closing(duckdb.connect(config={"memory_limit": "4GB", "preserve_insertion_order": False})) as connection:
        connection.execute(BY_HAND.format(lake=lake))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
