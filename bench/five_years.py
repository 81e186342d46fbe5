"""`python -m bench.five_years`: a plant's five years of history, and what a night costs on top of them.

A night is a day's records (a hundredth of them late by up to 60 days, in no order); the same nights on one quarter are
the peer. Prints a Markdown table: seconds of each step of the nightly run, of the same tables by hand-written SQL, of
queries on what is published, and the sizes of files before and after the nights.
"""

import os
import re
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import click
import duckdb
import yaml

from bench.handwritten import run_by_hand
from bench.history import simulate, write_history
from bench.measure import measure
from pipeline.paths import PROJECT, Paths
from pipeline.run import STEPS
from publish.quoting import identifier
from publish.tables import read_tables

MONTHS_OF_A_QUARTER = 3
NIGHTLY_STEPS = [step for step in STEPS if step != "report"]
"""Publication included: what the target of 25 seconds is about. Reports are shown beside the first run."""
TOTAL = "all"
FIRST, NIGHTS = slice(0, 1), slice(1, None)


class Site:
    """A plant whose records come as files, with state of its own; `costs` are seconds and megabytes by step."""

    def __init__(self, folder: Path, months: list[Path], subjects: str) -> None:
        self.paths = Paths(folder / "data")
        self.inbox = folder / "plant" / "inbox"
        shutil.copytree(PROJECT / "plants" / "demo", folder / "plant")
        text = yaml.safe_load((folder / "plant" / "plant.yml").read_text())
        text["sources"] = [{"name": "tests", "kind": "files", "path": "inbox/*.parquet", "table": "test_record"}]
        text["plant"]["subjects"] = subjects
        (folder / "plant" / "plant.yml").write_text(yaml.safe_dump(text))
        self.inbox.mkdir()
        for month in months:
            (self.inbox / month.name).hardlink_to(month)
        self.costs: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def run(self, steps: list[str] = STEPS) -> None:
        """In one process, as a night is; it says itself how long its steps took. TOTAL has what is before and after."""
        command = ["-m", "pipeline", "run", "--plant", str(self.inbox.parent)]
        cost = measure([*command, *(f"--step={step}" for step in steps)], {"FIRSTPASS_DATA": str(self.paths.data)})
        for step, seconds in re.findall(r"^(\w+) +([\d.]+) s", cost.output, re.MULTILINE):
            self.costs[step].append((float(seconds), cost.megabytes))
        self.costs[TOTAL].append((cost.seconds, cost.megabytes))

    def night(self, file: Path) -> None:
        """Reports are not written: they depend on what is published, not on nights before."""
        (self.inbox / file.name).hardlink_to(file)
        self.run(NIGHTLY_STEPS)

    def build_anew(self) -> None:
        """From the same lake, as after the warehouse and what was published are lost."""
        self.paths.warehouse.unlink()
        shutil.rmtree(self.paths.published)
        self.run()

    def seconds(self, which: slice) -> dict[str, float]:
        """Median of the runs by step."""
        costs = {step: self.costs[step][which] for step in [*STEPS, TOTAL]}
        return {step: statistics.median(cost[0] for cost in found) for step, found in costs.items() if found}

    def sizes(self) -> dict[str, int]:
        """Megabytes of what a night writes."""
        lake = sum(file.stat().st_size for file in self.paths.raw.rglob("*.parquet"))
        files = (self.paths.warehouse, self.paths.published / "marts.duckdb")
        return {"lake": lake // 2**20} | {file.stem: file.stat().st_size // 2**20 for file in files}


@click.command(help=__doc__)
@click.option("--scale", default=5.7, show_default=True, help="5.7 over 260 weeks is 55 million records.")
@click.option("--weeks", default=260, show_default=True)
@click.option("--nights", default=30, show_default=True)
@click.option("--subjects", default="", help="What is built besides yields, as in plant.yml.  [default: nothing]")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to work; default a temporary folder.")
@click.option("--history", type=click.Path(path_type=Path), help="Folder of an earlier history; written where missing.")
def main(*, scale: float, weeks: int, nights: int, subjects: str, folder: Path | None, history: Path | None) -> None:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        history = history or work / "history"
        if not history.exists():
            simulate(work / "simulated", scale, weeks)
            write_history(work / "simulated" / "test_record.parquet", history, work, nights)
            shutil.rmtree(work / "simulated")
        months = sorted(history.glob("month-*.parquet"))
        files = sorted(history.glob("night-*.parquet"))[:nights]
        records = duckdb.connect().execute(f"select count(*) from '{history}/*.parquet'").fetchone()[0]
        click.echo(f"{records:,} records in {len(months)} months and {len(files)} nights", err=True)
        quarter = Site(work / "quarter", months[-MONTHS_OF_A_QUARTER:], subjects)
        whole = Site(work / "whole", months, subjects)
        for site in (quarter, whole):
            site.run()
        before = whole.sizes()
        seconds = ", ".join(f"{step} {value:.0f}" for step, value in whole.seconds(FIRST).items())
        click.echo(f"at first: {seconds} s; {before} MB", err=True)
        for file in files:  # one after the other, so that a slow minute hits both
            quarter.night(file)
            whole.night(file)
            click.echo(
                f"{file.stem}: {_total(quarter, -1):.1f} and {_total(whole, -1):.1f} s, {whole.sizes()} MB", err=True
            )
        after = whole.sizes()
        show(records, {"one quarter": quarter, "all of history": whole})
        slowest = sorted(query_seconds(whole.paths).items(), key=lambda item: -item[1])[:3]
        whole.build_anew()
        by_hand = run_by_hand(whole.paths, work / "by_hand.duckdb")
        build = whole.costs["build"][-1][0]
        click.echo(
            f"\nBuilding anew takes {build:.0f} s, the same tables by hand-written SQL {by_hand:.0f} s: ratio "
            f"{build / by_hand:.2f}.\n\nMegabytes: {before} at first, {after} after {len(files)} nights, "
            f"{whole.sizes()} built anew.\n\nOne year of a published table by week, slowest: "
            + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in slowest)
        )


def query_seconds(paths: Paths) -> dict[str, float]:
    """By published table that knows weeks: counting and averaging all its columns over the last year, by week."""
    found = {}
    file = str(paths.published / "marts.duckdb")
    with closing(duckdb.connect(file, read_only=True)) as connection:
        tables = read_tables(connection, connection.execute("select current_database()").fetchone()[0], "main")
    for table in tables:
        names = {column.name for column in table.columns}
        week = next((name for name in ("load_week_start", "production_week_start") if name in names), None)
        if not week:
            continue
        numbers = [column.name for column in table.columns if column.type in ("BIGINT", "DOUBLE")]
        averages = "".join(f", avg({identifier(name)})" for name in numbers)
        began = time.perf_counter()
        with closing(duckdb.connect(file, read_only=True, config={"threads": os.cpu_count()})) as connection:
            connection.execute(
                f"select {week}, count(*){averages} from {table.relation}"
                f" where {week} > (select max({week}) - 364 from {table.relation}) group by {week} order by {week}"
            ).fetchall()
        found[table.name] = time.perf_counter() - began
    return found


def show(records: int, sites: dict[str, Site]) -> None:
    heads = [*NIGHTLY_STEPS, "report", TOTAL]
    click.echo(f"### {records:,} records\n\n| seconds | {' | '.join(heads)} | peak MB |\n|---|" + "---:|" * 6)
    for name, site in sites.items():
        memory = max(cost[1] for costs in site.costs.values() for cost in costs)
        for what, which in (("first run", FIRST), ("a night, median", NIGHTS)):
            seconds = site.seconds(which)
            cells = " | ".join(f"{seconds[name]:.1f}" if name in seconds else "" for name in heads)
            click.echo(f"| {name}, {what} | {cells} | {memory:,.0f} |")


def _total(site: Site, night: int) -> float:
    return site.costs[TOTAL][night][0]


if __name__ == "__main__":
    main()
