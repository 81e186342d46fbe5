"""`python -m ingest`: loads what is new. Its commands show what came of it, and load rejects again.

`python -m ingest contract` prints docs/data_contract.md.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID, TextColumn, TimeElapsedColumn

from ingest import Load, load_all
from ingest.contract import RECORD_TABLES
from ingest.contract_page import page
from ingest.display import console, replay_lines, show_rejects, show_status
from ingest.forms.template import known_names, write_forms
from ingest.lake import Lake, check_owner, read_manifest
from ingest.rejects import Selection, examples, grouped, with_open_rejects, write_csv
from ingest.replay import replay
from ingest.source import Object
from ingest.status import has_failed, status
from pipeline.lock import WAITING, exclusive_run
from pipeline.paths import PathError, Paths
from pipeline.plant import Plant, PlantError, load_plant

of_plant = click.option("--plant", "folder", help="The plant's folder; default $PLANT, then plants/demo.")


def selecting(command: Callable) -> Callable:
    for name, told in {
        "source": "Of this source.",
        "table": "Of this table.",
        "reason": "With this in the reason.",
    }.items():
        command = click.option(f"--{name}", help=told)(command)
    return command


@click.group(invoke_without_command=True)
@of_plant
@click.pass_context
def main(context: click.Context, folder: str | None) -> None:
    """Loads everything new for the plant into the lake."""
    if context.invoked_subcommand:
        return
    with _site(folder) as (plant, paths), _turn(paths), Display(Console(stderr=True)) as display:
        loads = load_all(plant, paths, display)
    for line in summary(loads, paths):
        click.echo(line)


@main.command()
def contract() -> None:
    """Prints the data contract, as Markdown."""
    click.echo(page(), nl=False)


@main.command(name="status")
@of_plant
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status_command(folder: str | None, as_json: bool) -> None:
    """What came of each source so far. The exit code is 1 where the last attempt on one failed."""
    with _site(folder) as (plant, paths):
        found = status(plant, paths)
    if as_json:
        click.echo(json.dumps(found, indent=2, default=datetime.isoformat))
    else:
        show_status(console(), found)
    sys.exit(1 if has_failed(found) else 0)


@main.command(name="rejects")
@of_plant
@selecting
@click.option("--limit", default=10, show_default=True, type=click.IntRange(0), help="Examples that are shown.")
@click.option("--csv", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write all of them to FILE.")
def rejects_command(folder: str | None, limit: int, file: Path | None, **selected: str | None) -> None:
    """The records that were rejected and wait to be mended: how many for which reason, then examples."""
    selection = Selection(**selected)
    with _site(folder) as (plant, paths):
        check_owner(paths, plant)
        loads = with_open_rejects(read_manifest(paths.raw))
        found = grouped(paths.raw, loads, selection), examples(paths.raw, loads, selection, limit)
        written = write_csv(paths.raw, loads, selection, file) if file else 0
    show_rejects(console(), *found)
    if file:
        click.echo(f"{written:,} rejects written to {file}")


@main.command(name="replay")
@of_plant
@selecting
def replay_command(folder: str | None, **selected: str | None) -> None:
    """Loads rejects once more, after plant.yml or reference data was mended. The next build has what became good."""
    with _site(folder) as (plant, paths), _turn(paths):
        reference, replays = replay(plant, paths, Selection(**selected))
    for line in [*(summary(reference, paths) if reference else []), *replay_lines(replays)]:
        click.echo(line)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--plant", "folder", help="The plant that it is for: its zone is used, and its names are left alone.")
@click.option("--table", type=click.Choice(RECORD_TABLES), metavar="TABLE", help="The table that it is, if you know.")
@click.option("--new-plant", type=click.Path(path_type=Path), help="A folder to write a whole new plant into.")
@click.option("--timezone", default="UTC", show_default=True, help="Of the new plant, such as Europe/Berlin.")
def suggest(file: Path, folder: str | None, table: str | None, new_plant: Path | None, timezone: str) -> None:
    """Looks at an unknown FILE and prints the entry for plant.yml that would load it."""
    from ingest.suggest.command import run

    run(file, folder=folder, table=table, new_plant=new_plant, timezone=timezone)


@main.command()
@of_plant
def template(folder: str | None) -> None:
    """Writes blank forms for operators, with drop-downs of the names in the reference data that was loaded."""
    with _site(folder) as (plant, paths), _turn(paths):
        inboxes = [source.path for source in plant.sources if source.kind == "files" and source.format == "form"]
        inbox = f"the folder {Path(inboxes[0]).parent}" if inboxes else "the plant's inbox"
        names = known_names(Lake(paths, plant))
        for file in write_forms(paths.templates, names, zone=plant.plant.timezone, inbox=inbox):
            click.echo(file)
    if not names:
        click.echo("No reference data is loaded, so there are no drop-downs of names: make ingest, then again.")
    if not inboxes:
        click.echo("No source in plant.yml reads forms: {kind: files, path: inbox/forms/*.xls*, format: form}.")


@main.command()
@of_plant
@click.option("--source", "names", multiple=True, help="Only this live source; may be repeated.")
def stream(folder: str | None, names: tuple[str, ...]) -> None:
    """Receives what live sources bring, until it is told to stop."""
    from ingest.stream.service import serve  # the nightly run needs none of it

    with _site(folder) as (plant, paths):
        serve(plant, paths, names, lambda text: click.echo(text, err=True))


@contextmanager
def _site(folder: str | None) -> Iterator[tuple[Plant, Paths]]:
    """The plant and its data; what is wrong with them, and a file that can't be read or written, is one line."""
    try:
        yield load_plant(folder), Paths.from_environment()
    except (PlantError, PathError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _turn(paths: Paths) -> AbstractContextManager:
    return exclusive_run(paths, waiting=lambda: click.echo(WAITING, err=True))


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
        filtered = sum(load.filtered_count for load in group)
        failed = sum(load.status == "failed" for load in group)
        lines.append(
            f"{source}: {table}: {counts}"
            + (f", {rejects:,} rejected" if rejects else "")
            + (f", {filtered:,} left out" if filtered else "")
            + (f", {failed} failed" if failed else "")
        )
    lines = lines or ["nothing new"]
    if rejects := sum(load.reject_count for load in loads):
        lines.append(f"{rejects:,} records were rejected; `python -m ingest rejects` shows them and their reasons")
    for load in loads:
        if load.status == "deferred":
            lines.append(f"deferred: {load.object}: {load.error}")
        if load.status == "failed":
            kept = f"; see {paths.failed / load.load_id}*" if any(paths.failed.glob(f"{load.load_id}*")) else ""
            lines.append(f"failed: {load.object}: {load.error}{kept}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
