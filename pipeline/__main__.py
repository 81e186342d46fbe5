"""`python -m pipeline`: the nightly run, its steps, and what looks at all of history."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pipeline.backup import BackupError, back_up, restore
from pipeline.build import NIGHTLY, build
from pipeline.documentation import document
from pipeline.failures import BuildError
from pipeline.lock import WAITING, exclusive_run
from pipeline.parity import ParityError, build_on_both
from pipeline.paths import PathError, Paths
from pipeline.plant import PlantError, load_plant
from pipeline.retention import Held, describe, due
from pipeline.run import STEPS, ReportError, TargetError, refresh, run
from pipeline.screen import Screen, Step
from pipeline.spark import SparkMissingError
from publish import PublishError

INTERRUPTED = 130
EXPECTED = (
    PathError,
    PlantError,
    BuildError,
    SparkMissingError,
    ParityError,
    PublishError,
    ReportError,
    TargetError,
    BackupError,
    OSError,
)


@click.group()
def main() -> None:
    """The nightly run and its steps. The plant is --plant, $PLANT or plants/demo; its data is in $FIRSTPASS_DATA."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that dbt, a child, is ended as well


@contextmanager
def _ending_with_a_message() -> Iterator[None]:
    """Turns what is expected to go wrong into a message on standard error and an exit code."""
    try:
        yield
    except EXPECTED as error:
        click.echo(f"\n{error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("\nInterrupted: what is published stays, and the next run does the rest.", err=True)
        sys.exit(INTERRUPTED)


@contextmanager
def _step(name: str) -> Iterator[tuple[Paths, Step]]:
    """A command of its own on the data directory, in its turn."""
    with _ending_with_a_message():
        paths, screen = Paths.from_environment(), Screen()
        with exclusive_run(paths, waiting=lambda: screen.say(WAITING)), screen.step(name) as step:
            yield paths, step


@main.command(name="run")
@click.option("--plant", "folder", help="The plant's folder.")
@click.option("--step", "steps", multiple=True, type=click.Choice(STEPS), help="Only this step; may be repeated.")
def run_command(folder: str | None, steps: tuple[str, ...]) -> None:
    """Ingest, build, publish, report."""
    with _ending_with_a_message():
        run(load_plant(folder), Paths.from_environment(), Screen(), list(steps) or STEPS)


@main.command(name="refresh")
@click.option("--plant", "folder", help="The plant's folder.")
def refresh_command(folder: str | None) -> None:
    """Loads what live sources have landed, builds what is made of it, and publishes: a short run between two nights."""
    with _ending_with_a_message():
        refresh(load_plant(folder), Paths.from_environment(), Screen())


@main.command()
def verify() -> None:
    """Runs every data test over all of history, not only over the weeks that the last build wrote."""
    everything = ["--exclude-resource-type", "unit_test", "--vars", "verify_everything: true"]
    with _step("verify") as (paths, step):
        if not paths.warehouse.is_file():
            raise BuildError(f"{paths.warehouse} does not exist: nothing was built yet; `make run` builds")
        done = build(paths, ["test", *everything], step.counting)
        step.done(f"{done.tests} tests passed over all of history")


@main.command()
@click.option("--plant", "folder", help="The plant's folder.")
def retention(folder: str | None) -> None:
    """Says what the end of the next run would close and drop, were nothing to come till then. Changes nothing."""
    with _ending_with_a_message():
        plant, paths = load_plant(folder), Paths.from_environment()
        for line in describe(due(plant, paths, Held.now(paths))) or ["nothing is due"]:
            click.echo(line)


@main.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--plant", "folder", help="The plant's folder.")
def backup(target: Path, folder: str | None) -> None:
    """Copies the plant's state and folder to TARGET, between two runs, and checks the copy."""
    with _step("backup") as (paths, step):
        rows = back_up(load_plant(folder), paths, target, step.saying)
        step.done(f"{len(rows)} tables, {sum(rows.values()):,} rows: {target}")


@main.command(name="restore")
@click.argument("source", type=click.Path(path_type=Path))
def restore_command(source: Path) -> None:
    """Brings the state that SOURCE, a backup, holds into an empty $FIRSTPASS_DATA."""
    with _step("restore") as (paths, step):
        rows = restore(paths, source, step.saying)
        step.done(f"{len(rows)} tables, {sum(rows.values()):,} rows; the plant's folder is in {source / 'plant'}")


@main.command(name="begin-anew")
def begin_anew() -> None:
    """Builds without the closed weeks, where the warehouse that held them is lost and there is no backup."""
    with _step("build") as (paths, step):
        built = build(paths, [*NIGHTLY, "--vars", "without_closed_weeks: true"], step.counting)
        step.done(f"{built.models} models, {built.tests} tests passed; closed weeks are lost")


@main.command()
@click.option("--plant", "folder", help="The plant's folder.")
def parity(folder: str | None) -> None:
    """Builds the plant's records on DuckDB and on Spark and compares every published table, row by row."""
    with _ending_with_a_message():
        paths, screen = Paths.from_environment(), Screen()
        run(load_plant(folder), paths, screen, ["ingest"])
        with exclusive_run(paths, waiting=lambda: screen.say(WAITING)):
            build_on_both(paths, screen)


@main.command()
def docs() -> None:
    """Writes the models' documentation as a web page, and the generated pages of docs/."""
    with _step("docs") as (paths, step):
        step.done(" ".join(map(str, document(paths))))


if __name__ == "__main__":
    main()
