"""What a person sees of a suggestion: a table of columns on the terminal, and how the trial went."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingest.contract import CONTRACTS
from ingest.suggest import Suggestion

LONGEST_EXAMPLE = 30
MOST_REASONS = 5


def show(suggestion: Suggestion, console: Console) -> None:
    """One row per column of the table and per received column that is left over, then what the trial gave."""
    if suggestion.fit:
        console.print(_columns(suggestion))
    for line in lines_of(suggestion):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _columns(suggestion: Suggestion) -> Table:
    fit = suggestion.fit
    grid = Table(title=f"{fit.table}: {CONTRACTS[fit.table].description}", title_justify="left")
    for heading in ("column", "received", "examples", "confidence", "why"):
        grid.add_column(heading, overflow="fold")
    for name, column in CONTRACTS[fit.table].columns.items():
        shown = f"{name}{' *' if column.required else ''}"
        if match := fit.matches.get(name):
            examples = escape(_examples(match.received.distinct))
            style = "green" if match.score > 0.75 else "yellow"
            share = f"[{style}]{match.score:.0%}[/]"
            grid.add_row(shown, escape(match.received.name), examples, share, escape(match.why))
        elif candidates := fit.choices.get(name):
            names = " or ".join(it.name for it in candidates[:6])
            grid.add_row(shown, escape(names), escape(_examples(candidates[0].distinct)), "[red]choose[/]", "")
        elif name in fit.missing:
            grid.add_row(shown, "", "", "[red]missing[/]", "a constant, or from the path")
    for name in suggestion.extra:
        grid.add_row("_extra", escape(name), "", "", "")
    return grid


def _examples(distinct: list[str]) -> str:
    return ", ".join(text[:LONGEST_EXAMPLE] for text in distinct[:2])


def lines_of(suggestion: Suggestion) -> list[str]:
    """How much was looked at, and what became of it in the trial."""
    trial = suggestion.trial
    lines = [f"looked at {suggestion.looked_at}; tried with the real loader"]
    if suggestion.undecided:
        lines.append(f"to be chosen first: {', '.join(suggestion.undecided)}; tried as if it had been")
    if trial.failed:
        lines.append(f"it would fail: {trial.failed}")
    loaded = ", ".join(f"{count:,} records of {table}" for table, count in trial.loaded.items())
    if loaded:
        lines.append(f"would load: {loaded}; would be rejected: {trial.rejected:,}")
    lines += [f"  {count:,}: {reason}" for reason, count in trial.reasons.most_common(MOST_REASONS)]
    return lines
