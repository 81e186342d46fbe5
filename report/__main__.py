"""`python -m report`: renders the reports of what is published."""

import datetime as dt
from pathlib import Path

import click

from pipeline.paths import Paths
from report import PublicationError, render
from report.spc.command import spc


@click.group(invoke_without_command=True)
@click.option("--published", type=click.Path(path_type=Path), help="Folder of marts.duckdb; default in $FIRSTPASS_DATA")
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Names the folder; default the last test's date")
@click.pass_context
def main(context: click.Context, published: Path | None, date: dt.datetime | None) -> None:
    """Renders HTML and Excel reports per role into published/reports/<date>/; `spc` charts a file instead."""
    if context.invoked_subcommand:
        return
    try:
        files = render(published or Paths.from_environment().published, date.date() if date else None)
    except PublicationError as error:
        raise click.ClickException(str(error)) from None
    for file in files:
        click.echo(f"{file} ({file.stat().st_size / 1e6:.2f} MB)")


main.add_command(spc)

if __name__ == "__main__":
    main()
