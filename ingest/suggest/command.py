"""`python -m ingest suggest FILE`: the entry on stdout, all else on stderr."""

import sys
from pathlib import Path

import click
from rich.console import Console

from ingest.source import Unreadable
from ingest.suggest import suggest
from ingest.suggest.display import show
from ingest.suggest.new_plant import write_plant
from pipeline.plant import PlantError, Settings, load_plant

WIDTH = 120
"""Characters of a line where there is no terminal."""


def run(file: Path, *, folder: str | None, table: str | None, new_plant: Path | None, timezone: str) -> None:
    """Exits with 1 and one line where there is no entry."""
    console = Console(stderr=True, width=None if sys.stderr.isatty() else WIDTH)
    try:
        _check_zone(timezone)
        suggestion = suggest(file, plant=load_plant(folder) if folder else None, table=table)
        show(suggestion, console)
        click.echo(suggestion.text, nl=False)
        if new_plant:
            written = write_plant(new_plant, suggestion.entry, timezone)
            first = "choose in it what is to be chosen, then: " if suggestion.undecided else ""
            said = f"wrote {written}, in the zone {timezone}; next: {first}make run PLANT={new_plant}"
            console.print(said, markup=False, highlight=False, soft_wrap=True)
    except (Unreadable, PlantError) as error:
        raise click.ClickException(f"{file}: {error}" if isinstance(error, Unreadable) else str(error)) from None


def _check_zone(timezone: str) -> None:
    try:
        Settings(name="new", timezone=timezone)
    except ValueError:
        raise PlantError(f"--timezone: {timezone!r}: expected an IANA time zone such as Asia/Singapore") from None
