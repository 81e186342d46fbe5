"""`python -m bench`: what the nightly run costs, and the same work done by other means, in one run.

Prints medians of interleaved runs as a Markdown table. Ratios to a peer are what to look at: seconds depend on the
machine and on what else it does.
"""

import os
import shutil
import statistics
import tempfile
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import click
import duckdb
import yaml

from bench.measure import measure, sql_seconds
from pipeline.build import NIGHTLY
from pipeline.environment import dbt_environment
from pipeline.paths import PROJECT, Paths

DAY_START_H = 7
Results = dict[str, list[float]]


@click.command(help=__doc__)
@click.option(
    "--scale", "scales", multiple=True, type=float, default=[1, 10], show_default=True, help="1 is 0.6 million records."
)
@click.option("--runs", default=3, show_default=True, help="Runs of which the median is shown.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to work; default a temporary folder.")
def main(scales: tuple[float, ...], runs: int, folder: Path | None) -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    click.echo(f"{os.cpu_count()} cores, {memory / 2**30:.0f} GB, DuckDB {duckdb.__version__}\n")
    for scale in scales:
        results: Results = defaultdict(list)
        for number in range(runs):
            with tempfile.TemporaryDirectory(dir=folder) as work:
                records = one_run(Path(work), scale, results)
            click.echo(f"scale {scale:g}, run {number + 1} of {runs} done", err=True)
        show(scale, records, results)


def one_run(work: Path, scale: float, results: Results) -> int:
    """All measures once, in a row, so that a slow minute of the machine hits every peer. Returns the records."""
    paths = Paths(work / "data")
    plant = make_plant(work / "plant")
    environment = {"FIRSTPASS_DATA": str(paths.data), "PLANT": str(plant)}

    def cost(name: str, arguments: list[str], more: dict[str, str] | None = None) -> None:
        found = measure(arguments, {**environment, **(more or {})})
        results[name].append(found.seconds)
        results[name + " MB"].append(found.megabytes)

    cost("generate", ["-m", "generator", "--out", str(plant / "inbox"), "--format", "parquet", "--scale", str(scale)])
    cost("load", ["-m", "ingest"])
    log = paths.logs / "build"
    for needed in (paths.target, log, paths.temp):
        needed.mkdir(parents=True, exist_ok=True)
    cost(
        "build",
        ["-m", "dbt.cli.main", *NIGHTLY, "--threads", "1", "--log-level-file", "debug", "--log-format-file", "json"],
        {**dbt_environment(paths), "DBT_LOG_PATH": str(log)},
    )
    results["build, SQL"].append(sql_seconds(log / "dbt.log"))
    by_hand = measure(["-m", "bench.handwritten", str(work / "by_hand.duckdb")], environment)
    results["by hand, SQL"].append(float(by_hand.output))
    cost("publish", ["-m", "publish"])
    cost("report", ["-m", "report"])
    file = next(file for file in (paths.raw / "test_record").glob("*.parquet") if file.name != "schema.parquet")
    for peer in ("polars", "pandas"):
        cost(f"three tables, {peer}", ["-m", "bench.dataframes", peer, str(file), str(DAY_START_H)])
    with closing(duckdb.connect()) as connection:
        return connection.sql(f"select count(*) from '{file}'").fetchone()[0]


def make_plant(folder: Path) -> Path:
    """The demo plant, reading its records from files."""
    shutil.copytree(PROJECT / "plants" / "demo", folder)
    text = yaml.safe_load((folder / "plant.yml").read_text())
    text["sources"] = [
        {"name": table, "kind": "files", "path": f"inbox/{table}.parquet", "table": table}
        for table in ("test_record", "rework")
    ]
    (folder / "plant.yml").write_text(yaml.safe_dump(text))
    return folder


def show(scale: float, records: int, results: Results) -> None:
    median = {name: statistics.median(values) for name, values in results.items()}
    click.echo(
        f"### {records:,} test records (scale {scale:g})\n\n| step | seconds | rows/s | peak MB |\n|---|---:|---:|---:|"
    )
    for step in ("generate", "load", "build", "publish", "report", "three tables, polars", "three tables, pandas"):
        click.echo(f"| {step} | {median[step]:.1f} | {records / median[step]:,.0f} | {median[step + ' MB']:,.0f} |")
    ratio = median["build, SQL"] / median["by hand, SQL"]
    click.echo(
        f"\nSQL of the dbt build (models and data tests): {median['build, SQL']:.2f} s; the same tables by "
        f"hand-written SQL: {median['by hand, SQL']:.2f} s; ratio {ratio:.2f}\n"
    )


if __name__ == "__main__":
    main()
