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
from datetime import date
from pathlib import Path

import click
import duckdb
import yaml

from bench.measure import measure, sql_seconds
from bench.peers import Seconds, measure_peers
from pipeline.build import NIGHTLY
from pipeline.environment import dbt_environment
from pipeline.paths import PROJECT, Paths

RESULTS = Path(__file__).with_name("results.md")
STEPS = ("generate", "load", "build", "publish", "report")
Results = dict[str, list[float]]


@click.command(help=__doc__)
@click.option(
    "--scale", "scales", multiple=True, type=float, default=[1, 10], show_default=True, help="1 is 0.6 million records."
)
@click.option("--runs", default=3, show_default=True, help="Runs of which the median is shown.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to work; default a temporary folder.")
@click.option("--peers/--no-peers", default=True, help="Also the three summary tables by other engines.")
@click.option("--write", is_flag=True, help=f"Write what is printed to bench/{RESULTS.name}, too.")
def main(scales: tuple[float, ...], runs: int, folder: Path | None, peers: bool, write: bool) -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = (
        f"{date.today()}: {os.cpu_count()} cores, {memory / 2**30:.0f} GB, DuckDB {duckdb.__version__}. "
        f"Medians of {runs} interleaved runs.\n"
    )
    for scale in scales:
        results: Results = defaultdict(list)
        found: Seconds = defaultdict(list)
        for number in range(runs):
            with tempfile.TemporaryDirectory(dir=folder) as work:
                records = one_run(Path(work), scale, results, found if peers else None)
            figures = ", ".join(f"{name} {values[-1]:.1f}" for name, values in results.items())
            click.echo(f"scale {scale:g}, run {number + 1} of {runs}: {figures}", err=True)
        text += shown(scale, records, results) + (shown_peers(found) if peers else "")
    click.echo(text)
    if write:
        RESULTS.write_text("# What it costs\n\n`python -m bench --write` wrote this page.\n\n" + text)


def one_run(work: Path, scale: float, results: Results, peers: Seconds | None) -> int:
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
    tests, models = sql_seconds(log / "dbt.log")
    results["data tests, SQL"].append(tests)
    results["models, SQL"].append(models)
    by_hand = measure(["-m", "bench.handwritten", str(work / "by_hand.duckdb")], environment)
    results["by hand, SQL"].append(float(by_hand.output))
    cost("publish", ["-m", "publish"])
    cost("report", ["-m", "report"])
    file = next(file for file in (paths.raw / "test_record").glob("*.parquet") if file.name != "schema.parquet")
    if peers is not None:
        measure_peers(file, peers)
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


def shown(scale: float, records: int, results: Results) -> str:
    median = {name: statistics.median(values) for name, values in results.items()}
    lines = [
        f"\n## {records:,} test records (scale {scale:g})\n",
        "| step | seconds | records/s | peak MB |",
        "|---|---:|---:|---:|",
        *(
            f"| {step} | {median[step]:.1f} | {records / median[step]:,.0f} | {median[step + ' MB']:,.0f} |"
            for step in STEPS
        ),
    ]
    models, tests, by_hand = (median[name] for name in ("models, SQL", "data tests, SQL", "by hand, SQL"))
    return "\n".join(lines) + (
        f"\n\nSQL of the dbt build: models {models:.2f} s, data tests {tests:.2f} s; the same tables by hand-written "
        f"SQL: {by_hand:.2f} s; ratio {models / by_hand:.2f}, data tests included {(models + tests) / by_hand:.2f}.\n"
    )


def shown_peers(found: Seconds) -> str:
    """The peers' table; the ratio is to DuckDB."""
    seconds = {name: None if None in values else statistics.median(values) for name, values in found.items()}
    first = next(iter(seconds.values()))
    lines = ["\n| the three summary tables alone | seconds | ratio |", "|---|---:|---:|"]
    for name, value in seconds.items():
        lines.append(
            f"| {name} | {value:.1f} | {value / first:.1f} |"
            if value is not None and first
            else f"| {name} | did not finish | |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
