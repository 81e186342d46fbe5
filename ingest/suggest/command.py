"""`python -m ingest suggest FILE`: the entry on stdout, all else on stderr."""

from pathlib import Path

import click
from rich.console import Console

from ingest.source import Unreadable
from ingest.suggest import suggest
from ingest.suggest.display import show
from ingest.suggest.new_plant import write_plant
from pipeline.plant import PlantError, Settings, load_plant


def run(file: Path, *, folder: str | None, table: str | None, new_plant: Path | None, timezone: str) -> None:
    """Exits with 1 and one line where there is no entry."""
    console = Console(stderr=True)
    try:
        if new_plant:
            Settings(name="new", timezone=timezone)
        suggestion = suggest(file, plant=load_plant(folder) if folder else None, table=table)
        show(suggestion, console)
        click.echo(suggestion.text, nl=False)
        if new_plant:
            written = write_plant(new_plant, suggestion.entry, timezone)
            console.print(f"wrote {written}; next: make run PLANT={new_plant}", markup=False, highlight=False)
    except (Unreadable, PlantError) as error:
        raise click.ClickException(f"{file}: {error}" if isinstance(error, Unreadable) else str(error)) from None
