"""`python -m publish`: publishes the warehouse of $FIRSTPASS_DATA."""

import click

from pipeline.build import check_green
from pipeline.failures import BuildError
from pipeline.paths import Paths
from publish import PublishError, publish
from publish.versions import KEEP


@click.command(help=__doc__)
@click.option("--keep", type=click.IntRange(min=2), default=KEEP, show_default=True, help="Versions to keep.")
@click.option("--whole", is_flag=True, help="Write and check everything, not only what changed.")
def main(keep: int, whole: bool) -> None:
    paths = Paths.from_environment()
    try:
        check_green(paths)
        version = publish(paths, keep, progress=lambda step: click.echo(f"publish: {step}"), whole=whole)
    except (BuildError, PublishError) as error:
        raise click.ClickException(str(error)) from None
    rows = sum(version.tables.values())
    click.echo(f"publish: version {version.id}: {len(version.tables)} tables, {rows:,} rows in {version.seconds:.1f} s")


if __name__ == "__main__":
    main()
