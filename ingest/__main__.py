"""`python -m ingest`: loads what is new. `python -m ingest stream`: receives what live sources bring.

`python -m ingest contract`: prints docs/data_contract.md.
"""

import sys
from collections import defaultdict

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID, TextColumn, TimeElapsedColumn

from ingest import Load, load_all
from ingest.contract_page import page
from ingest.source import Object
from pipeline.paths import Paths
from pipeline.plant import PlantError, load_plant


@click.group(invoke_without_command=True)
@click.option("--plant", "folder", help="The plant's folder; default $PLANT, then plants/demo.")
@click.pass_context
def main(context: click.Context, folder: str | None) -> None:
    """Loads everything new for the plant into the lake."""
    if context.invoked_subcommand:
        return
    paths = Paths.from_environment()
    try:
        plant = load_plant(folder)
        with Display(Console(stderr=True)) as display:
            loads = load_all(plant, paths, display)
    except PlantError as error:
        raise click.ClickException(str(error)) from None
    for line in summary(loads, paths):
        click.echo(line)


@main.command()
def contract() -> None:
    """Prints the data contract, as Markdown."""
    click.echo(page(), nl=False)


@main.command()
@click.option("--plant", "folder", help="The plant's folder; default $PLANT, then plants/demo.")
@click.option("--source", "names", multiple=True, help="Only this live source; may be repeated.")
@click.option("--status", is_flag=True, help="Say how those that run are doing, and end.")
def stream(folder: str | None, names: tuple[str, ...], status: bool) -> None:
    """Receives what live sources bring, until it is told to stop."""
    from ingest.stream.service import describe, serve  # the nightly run needs none of it

    try:
        plant, paths = load_plant(folder), Paths.from_environment()
        if status:
            click.echo("\n".join(describe(plant, paths, names)))
        else:
            serve(plant, paths, names, lambda text: click.echo(text, err=True))
    except PlantError as error:
        raise click.ClickException(str(error)) from None


class Display:
    """What is being read: a line that moves on a terminal, nothing elsewhere. Shown once it takes over two seconds."""

    def __init__(self, console: Console, patience_s: float = 2):
        columns = TextColumn("{task.description}"), TextColumn("{task.completed:,} rows"), TimeElapsedColumn()
        self.progress = Progress(*columns, console=console, transient=True)
        self.starts_at = self.progress.get_time() + patience_s
        self.tasks: dict[tuple[str, str], TaskID] = {}

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *_) -> None:
        if self.progress.live.is_started:
            self.progress.stop()

    def __call__(self, thing: Object, rows: int) -> None:
        key = (thing.table, thing.name)
        if key not in self.tasks:
            for task in self.tasks.values():
                self.progress.update(task, visible=False)
            self.tasks[key] = self.progress.add_task(f"{thing.table} from {escape(thing.name)}", total=None)
        self.progress.update(self.tasks[key], completed=rows)
        if self.progress.console.is_terminal and self.progress.get_time() > self.starts_at:
            self.progress.start()


def summary(loads: list[Load], paths: Paths) -> list[str]:
    """What a run loaded, a line per source and table; what failed, and where to look, comes last."""
    groups = defaultdict(list)
    for load in loads:
        groups[load.source, load.table_name].append(load)
    lines = []
    for (source, table), group in groups.items():
        loaded = [load for load in group if load.status == "loaded"]
        counts = f"{len(loaded)} loaded, {sum(load.row_count for load in group):,} rows"
        rejects = sum(load.reject_count for load in group)
        failed = sum(load.status == "failed" for load in group)
        lines.append(
            f"{source}: {table}: {counts}"
            + (f", {rejects:,} rejected" if rejects else "")
            + (f", {failed} failed" if failed else "")
        )
    lines = lines or ["nothing new"]
    if rejects := sum(load.reject_count for load in loads):
        lines.append(f"{rejects:,} records were rejected; each with its reason in {paths.raw / 'reject'}")
    for load in loads:
        if load.status == "deferred":
            lines.append(f"deferred: {load.object}: {load.error}")
        if load.status == "failed":
            kept = f"; see {paths.failed / load.load_id}*" if any(paths.failed.glob(f"{load.load_id}*")) else ""
            lines.append(f"failed: {load.object}: {load.error}{kept}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
