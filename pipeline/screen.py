"""What a person sees of a run: a moving line on a terminal, one line per finished step everywhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


def printable(text: object) -> str:
    """What a record says must not steer the terminal: of control characters only their place is shown."""
    return "".join(c if c.isprintable() else "\ufffd" for c in str(text))


class Step:
    """A step under way. Its methods are the `progress` callbacks of the packages."""

    def __init__(self, progress: Progress, name: str):
        self.progress = progress
        self.task = progress.add_task(name, total=None)
        self.name = name
        self.result = ""

    def reading(self, thing, rows: int) -> None:
        """ingest: `rows` records of the object `thing` were read so far."""
        self.progress.update(self.task, description=f"{self.name}: {thing.table} from {thing.name}: {rows:,} rows")

    def counting(self, done: int, total: int) -> None:
        """build: `done` of `total` models and tests."""
        self.progress.update(self.task, completed=done, total=total)

    def saying(self, text: str) -> None:
        """publish: what is being done now."""
        self.progress.update(self.task, description=f"{self.name}: {text}")

    def done(self, result: str) -> None:
        self.result = result


class Screen:
    def __init__(self):
        self.console = Console(highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        self.console.print(text, markup=False)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Shows `name` while it goes on and one line when it has ended well."""
        started = time.monotonic()
        columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as progress:
            step = Step(progress, name)
            yield step
        self.say(f"{name:<8} {time.monotonic() - started:5.1f} s  {step.result}")
