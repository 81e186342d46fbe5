"""`python -m pipeline`: the nightly run and its steps."""

import sys

import click

from ingest.__main__ import summary
from pipeline.build import BuildError, build
from pipeline.lock import exclusive_run
from pipeline.paths import Paths
from pipeline.plant import PlantError, load_plant
from pipeline.run import STEPS, run
from pipeline.screen import Screen
from publish import PublishError


@click.group()
def main() -> None:
    """The nightly run and its steps. The plant is --plant, $PLANT or plants/demo; its data is in $FIRSTPASS_DATA."""


@main.command(name="run")
@click.option("--plant", "folder", help="The plant's folder.")
@click.option("--step", "steps", multiple=True, type=click.Choice(STEPS), help="Only this step; may be repeated.")
def run_command(folder: str | None, steps: tuple[str, ...]) -> None:
    """Ingest, build, publish, report."""
    paths, screen = Paths.from_environment(), Screen()
    try:
        done = run(load_plant(folder), paths, screen, list(steps) or STEPS)
    except (PlantError, BuildError, PublishError) as error:
        click.echo(f"\n{error}", err=True)
        sys.exit(1)
    troubles = [line for line in summary(done.loads, paths) if line.startswith(("failed", "deferred")) or "rejected;" in line]
    for line in troubles:
        screen.say(line)


@main.command()
def verify() -> None:
    """Runs every data test over all of history, not only over the weeks that the last build wrote."""
    paths, screen = Paths.from_environment(), Screen()
    try:
        with exclusive_run(paths), screen.step("verify") as step:
            done = build(paths, ["test", "--exclude-resource-type", "unit_test", "--vars", "verify_everything: true"], step.counting)
            step.done(f"{done.tests} tests passed over all of history")
    except BuildError as error:
        click.echo(f"\n{error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
