"""`python -m bench.five_years`: a night on five years of history, on one quarter, and what thirty nights leave behind.

A night is a day's records (a hundredth of them late by up to 60 days, in no order): load, build with all data tests,
publish, report, each in a process of its own. Prints a Markdown table.
"""

import shutil
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

import click
import yaml

from bench.history import simulate, write_history
from bench.measure import measure
from pipeline.build import NIGHTLY
from pipeline.environment import dbt_environment
from pipeline.paths import PROJECT, Paths

MONTHS_OF_A_QUARTER = 3
STEPS = ("load", "build", "publish", "report")


class Site:
    """A plant whose records come as files, with state of its own; `costs` are seconds and megabytes by step."""

    def __init__(self, folder: Path, months: list[Path]) -> None:
        self.paths = Paths(folder / "data")
        self.inbox = folder / "plant" / "inbox"
        shutil.copytree(PROJECT / "plants" / "demo", folder / "plant")
        text = yaml.safe_load((folder / "plant" / "plant.yml").read_text())
        text["sources"] = [{"name": "tests", "kind": "files", "path": "inbox/*.parquet", "table": "test_record"}]
        (folder / "plant" / "plant.yml").write_text(yaml.safe_dump(text))
        self.inbox.mkdir()
        for month in months:
            (self.inbox / month.name).hardlink_to(month)
        for needed in (self.paths.target, self.paths.logs, self.paths.temp):
            needed.mkdir(parents=True)
        self.costs: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def run(self) -> None:
        environment = {"FIRSTPASS_DATA": str(self.paths.data), "PLANT": str(self.inbox.parent)}
        commands = {
            "load": (["-m", "ingest"], {}),
            "build": (["-m", "dbt.cli.main", *NIGHTLY], dbt_environment(self.paths)),
            "publish": (["-m", "publish"], {}),
            "report": (["-m", "report"], {}),
        }
        for step, (arguments, more) in commands.items():
            cost = measure(arguments, {**environment, **more})
            self.costs[step].append((cost.seconds, cost.megabytes))

    def night(self, file: Path) -> None:
        (self.inbox / file.name).hardlink_to(file)
        self.run()

    def sizes(self) -> tuple[int, int]:
        """Megabytes of the warehouse and of the published DuckDB file."""
        files = (self.paths.warehouse, self.paths.published / "marts.duckdb")
        return tuple(file.stat().st_size // 2**20 for file in files)


@click.command(help=__doc__)
@click.option("--scale", default=5.7, show_default=True, help="5.7 over 260 weeks is 54 million records.")
@click.option("--weeks", default=260, show_default=True)
@click.option("--nights", default=30, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where to work; default a temporary folder.")
def main(scale: float, weeks: int, nights: int, folder: Path | None) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        simulate(work / "simulated", scale, weeks)
        records = write_history(work / "simulated" / "test_record.parquet", work / "files", work, nights)
        shutil.rmtree(work / "simulated")
        months = sorted((work / "files").glob("month-*.parquet"))
        files = sorted((work / "files").glob("night-*.parquet"))
        click.echo(f"{records:,} records in {len(months)} months and {len(files)} nights", err=True)
        quarter = Site(work / "quarter", months[-MONTHS_OF_A_QUARTER:])
        whole = Site(work / "whole", months)
        for site in (quarter, whole):
            site.run()
        before = whole.sizes()
        for file in files:  # one after the other, so that a slow minute hits both
            quarter.night(file)
            whole.night(file)
            click.echo(f"{file.stem}: {whole.sizes()} MB", err=True)
        after = whole.sizes()
        fresh = Site(work / "fresh", months + files)
        fresh.run()
        show(records, {"one quarter": quarter, "all of history": whole})
        click.echo(
            f"\nMegabytes of warehouse and published file: {before} at first, {after} after {nights} nights, "
            f"{fresh.sizes()} built anew with the same records."
        )


def show(records: int, sites: dict[str, Site]) -> None:
    click.echo(f"### {records:,} records\n\n| | {' | '.join(STEPS)} | sum |\n|---|" + "---:|" * (len(STEPS) + 1))
    for name, site in sites.items():
        for what, pick in (("first run", slice(0, 1)), ("a night, median", slice(1, None))):
            seconds = [statistics.median(cost[0] for cost in site.costs[step][pick]) for step in STEPS]
            cells = " | ".join(f"{value:.1f}" for value in [*seconds, sum(seconds)])
            click.echo(f"| {name}, {what}, seconds | {cells} |")
        memory = " | ".join(f"{max(cost[1] for cost in site.costs[step]):,.0f}" for step in STEPS)
        click.echo(f"| {name}, peak MB | {memory} | |")


if __name__ == "__main__":
    main()
