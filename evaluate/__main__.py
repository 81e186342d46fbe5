"""`python -m evaluate`: simulates plants whose truth is known, runs the marts' own SQL on them, and counts.

Each subject is a module of this package with a function `evaluate(request) -> bool`: it prints its figures and says
whether they are within their bounds. With labels, it is anomaly detection on labelled series instead (evaluate.labelled).
"""

import re
import sys
from importlib import import_module
from pathlib import Path

import click

from evaluate import EvaluationError, Request

SUBJECTS = {"anomalies": "evaluate.anomalies", "shifts": "evaluate.shifts"}


class Seeds(click.ParamType):
    """`7`, or `1..1000` with both ends."""

    name = "seeds"

    def convert(self, value, param, ctx) -> range:
        found = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", value)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if last < first:
            self.fail(f"{value!r}: expected a seed such as 7, or seeds such as 1..1000", param, ctx)
        return range(first, last + 1)


@click.command(help=__doc__)
@click.option("--what", type=click.Choice(sorted(SUBJECTS)), help="What to evaluate.")
@click.option("--seeds", type=Seeds(), default="1..1000", show_default=True, help="Seeds of the simulated plants.")
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="Records with their truth.")
@click.option("--labels", help="A JSON {file: [[from, to], ...]}, or the name of a column of 0 and 1, of the series in --data.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for points.csv and episodes.csv.")
def main(what: str | None, seeds: range, data: Path | None, labels: str | None, out: Path | None) -> None:
    if labels and not (data and out):
        raise click.UsageError("--labels: expected --data and --out as well")
    if not labels and not what:
        raise click.UsageError("expected --what, or --data, --labels and --out")
    try:
        if labels:
            from evaluate import labelled

            click.echo("\n".join(labelled.evaluate(data, labels, out).lines()))
            return
        is_good = import_module(SUBJECTS[what]).evaluate(Request(seeds, data))
    except EvaluationError as error:
        click.echo(f"\n{error}", err=True)
        sys.exit(1)
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
