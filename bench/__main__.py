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

from bench import sources
from bench.measure import measure, sql_seconds
from bench.peers import PEERS, measure_peers
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
@click.option(
    "--peer-scale",
    "peer_scales",
    multiple=True,
    type=float,
    default=[1, 10],
    show_default=True,
    help="Scales at which other engines make the three summary tables, once each; 88 is 54 million records.",
)
@click.option("--source-scale", default=0.5, show_default=True, help="Of the records of bench.sources.")
@click.option("--write", is_flag=True, help=f"Write what is printed to bench/{RESULTS.name}, too.")
def main(
    *,
    scales: tuple[float, ...],
    runs: int,
    folder: Path | None,
    peer_scales: tuple[float, ...],
    source_scale: float,
    write: bool,
) -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = (
        f"{date.today()}: {os.cpu_count()} cores, {memory / 2**30:.0f} GB, DuckDB {duckdb.__version__}. "
        f"Medians of {runs} interleaved runs.\n"
    )
    for scale in scales:
        results: Results = defaultdict(list)
        for number in range(runs):
            with tempfile.TemporaryDirectory(dir=folder) as work:
                records = one_run(Path(work), scale, results)
            figures = ", ".join(f"{name} {values[-1]:.1f}" for name, values in results.items())
            click.echo(f"scale {scale:g}, run {number + 1} of {runs}: {figures}", err=True)
        text += shown(scale, records, results)
    text += sources.shown(sources.measured(source_scale, runs, folder))
    text += shown_peers({scale: peers_at(scale, folder) for scale in peer_scales})
    click.echo(text)
    if write:
        RESULTS.write_text("# What it costs\n\n`python -m bench --write` wrote this page.\n\n" + text)


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
    tests, models = sql_seconds(log / "dbt.log")
    results["data tests, SQL"].append(tests)
    results["models, SQL"].append(models)
    by_hand = measure(["-m", "bench.handwritten", str(work / "by_hand.duckdb")], environment)
    results["by hand, SQL"].append(float(by_hand.output))
    cost("publish", ["-m", "publish"])
    cost("report", ["-m", "report"])
    file = next(file for file in (paths.raw / "test_record").glob("*.parquet") if file.name != "schema.parquet")
    return count(file)


def peers_at(scale: float, folder: Path | None) -> tuple[int, dict[str, float | None]]:
    """Records, and the seconds of each peer; None where it did not finish."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        measure(["-m", "generator", "--out", work, "--format", "parquet", "--scale", str(scale)], {})
        file = Path(work) / "test_record.parquet"
        found = measure_peers(file)
        figures = ", ".join(f"{name} {'-' if value is None else format(value, '.1f')}" for name, value in found.items())
        click.echo(f"scale {scale:g}: {figures}", err=True)
        return count(file), found


def count(file: Path) -> int:
    """Records of a Parquet file."""
    with closing(duckdb.connect()) as connection:
        return connection.execute("select count(*) from read_parquet(?)", [str(file)]).fetchone()[0]


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


def shown_peers(scales: dict[float, tuple[int, dict[str, float | None]]]) -> str:
    """Seconds, and the ratio to DuckDB, by peer and number of records."""
    columns = list(scales.values())
    heads = " | ".join(f"{records:,}" for records, _ in columns)
    lines = [
        "\n## The three summary tables alone, by other means\n",
        "Seconds, without start-up and loading of a server; in brackets the ratio to DuckDB. One run each.\n",
        f"| test records | {heads} |",
        "|---|" + "---:|" * len(columns),
    ]
    for name in PEERS:
        cells = [_cell(found[name], found["DuckDB"]) for _, found in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(seconds: float | None, of_duckdb: float | None) -> str:
    if seconds is None:
        return "did not finish"
    return f"{seconds:.1f}" + (f" ({seconds / of_duckdb:.1f})" if of_duckdb else "")


if __name__ == "__main__":
    main()
