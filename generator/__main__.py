"""`python -m generator --out DIR --format parquet|csv|xlsx|duckdb`: the simulated plant's records as files."""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import click
import pyarrow as pa
from rich.console import Console
from rich.progress import Progress

from generator.history import schemas, simulate_weeks, true_effects
from generator.outputs import WRITERS
from generator.reference import GeneratorError
from pipeline.plant import PlantError, SimulatorSource, load_plant

QUIET_SECONDS = 2.0
TRUTH = "truth.json"
"""What crews, machines and products really are like; docs/simulated_plant.md."""


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option("--format", "file_format", type=click.Choice(list(WRITERS)), default="parquet", show_default=True)
@click.option("--plant", type=click.Path(path_type=Path), help="Plant folder; default $PLANT, then plants/demo.")
@click.option("--seed", type=int, help="Another seed, another history. Default: plant.yml's.")
@click.option("--scale", type=float, help="Multiple of the weekly starts in products.csv. Default: plant.yml's.")
@click.option("--weeks", type=click.IntRange(1, 1000), help="Length of the history. Default: plant.yml's.")
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="First production day. Default: plant.yml's.")
@click.option("--faults", type=click.Choice(["none", "sensors", "all"]), help="Of faults.csv. Default: plant.yml's.")
def main(
    *,
    out: Path,
    file_format: str,
    plant: Path | None,
    seed: int | None,
    scale: float | None,
    weeks: int | None,
    start: datetime | None,
    faults: str | None,
) -> None:
    """Simulates a plant from the CSVs of its folder and writes its records."""
    try:
        read = load_plant(plant)
        source = next((each for each in read.sources if each.kind == "simulator"), None)
        source = source or SimulatorSource(name="simulator", kind="simulator")
        weeks = weeks or source.weeks
        faults = faults or source.faults
        history = simulate_weeks(
            read.folder,
            seed=source.seed if seed is None else seed,
            scale=source.scale if scale is None else scale,
            start=start.date() if start else source.start,
            timezone=read.plant.timezone,
            day_start=read.plant.production_day_start,
            begin_day=0,
            end_day=7 * weeks,
            serial_reuse_days=read.plant.serial_reuse_days,
            fault_mode=faults,
        )
        out.mkdir(parents=True, exist_ok=True)
        counts: dict[str, int] = {}
        tables = schemas(read.folder, faults)
        paths = WRITERS[file_format](out, tables, _watched(history, weeks, counts), read.plant.timezone)
        if effects := true_effects(read.folder):
            paths.append(out / TRUTH)
            paths[-1].write_text(json.dumps(effects, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except (GeneratorError, PlantError, OSError) as error:
        raise click.ClickException(str(error)) from None
    for name, count in counts.items():
        click.echo(f"{name}: {count:,} records")
    for path in paths:
        click.echo(path)


def _watched(pieces: Iterator[dict[str, pa.Table]], weeks: int, counts: dict[str, int]) -> Iterator[dict]:
    """Passes the pieces on, adds up their records in `counts`, and shows a bar once it takes more than two seconds."""
    begun = time.monotonic()
    first = None
    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task("Simulating", total=weeks)
    try:
        for piece in pieces:
            for name, table in piece.items():
                counts[name] = counts.get(name, 0) + table.num_rows
            yield piece
            if time.monotonic() - begun > QUIET_SECONDS:
                bar.start()
            if "test_record" in piece and piece["test_record"].num_rows:
                times = piece["test_record"]["test_timestamp"]
                first = first or times[0].as_py()
                bar.update(task, completed=(times[-1].as_py() - first) / timedelta(weeks=1))
    finally:
        bar.stop()


if __name__ == "__main__":
    main(prog_name="python -m generator")
