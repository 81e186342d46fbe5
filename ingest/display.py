"""What the commands of `python -m ingest` show. Text of records and names of files are never markup, nor do they steer
the terminal."""

from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingest.rejects import Group, Rejected
from ingest.replay import Replay
from ingest.status import in_words
from ingest.stream.status import Status
from pipeline.screen import printable

WIDE = 200
"""Columns of a line that goes to no terminal."""
LONGEST = 2000
"""Characters of a record that are shown."""


def console() -> Console:
    console = Console(highlight=False, markup=False, emoji=False)
    return console if console.is_terminal else Console(width=WIDE, highlight=False, markup=False, emoji=False)


def show_status(console: Console, found: dict) -> None:
    right = ("lag", "objects", "rows", "rejects")
    table = _table(["source", "table", "last object", "loaded at (UTC)", "lag", "objects", "rows", "rejects"], right)
    for source in found["sources"]:
        for it in source["tables"] or [None]:
            cells = _of_table(it) if it else ["", "nothing yet", "", "", "", "", ""]
            table.add_row(*map(_text, [source["source"], *cells]))
    console.print(table)
    for source in found["sources"]:
        for consumer in source["consumers"]:
            for line in Status(**consumer).lines():
                console.print(_text(line), soft_wrap=True)
        for status in ("failed", "deferred"):
            for it in source[status]:
                console.print(_text(f"{status}: {source['source']}: {it['object']}: {it['reason']}"), soft_wrap=True)


def _of_table(it: dict) -> list[str]:
    lag = "" if it["lag_s"] is None else in_words(it["lag_s"])
    loaded = (it["loaded_at"] or "").replace("T", " ").removesuffix("Z")
    counts = [f"{it[name]:,}" for name in ("objects", "rows", "open_rejects")]
    return [it["table"], it["last_object"] or "nothing yet", loaded, lag, *counts]


def show_rejects(console: Console, groups: list[Group], examples: list[Rejected]) -> None:
    if not groups:
        console.print("no rejects wait")
        return
    table = _table(["source", "table", "rejects", "reason"], ("rejects",))
    for group in groups:
        table.add_row(*map(_text, [group.source, group.table, f"{group.count:,}", group.reason]))
    console.print(table)
    for it in examples:
        console.print()
        console.print(_text(f"{it.load.source}: {it.load.object}, row {it.row}: {it.reason}"), soft_wrap=True)
        more = f" ... {len(it.record):,} characters" if len(it.record) > LONGEST else ""
        console.print(_text(f"    {it.record[:LONGEST]}{more}"), soft_wrap=True)


def _table(names: list[str], right: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold", no_wrap=name in right)
    return table


def _text(text: str) -> Text:
    return Text(printable(text))


def replay_lines(replays: list[Replay]) -> list[str]:
    """A line per source and table, then why records stayed as they were."""
    totals: dict[tuple[str, str], Counter] = {}
    left: Counter = Counter()
    for it in replays:
        total = totals.setdefault((it.of.source, it.of.table_name), Counter())
        counts = {"loaded": it.loaded, "refused": it.refused, "filtered": it.filtered, "known": it.known}
        total.update(counts | {"left": it.left.total()})
        left.update({(it.of.source, it.of.table_name, why): count for why, count in it.left.items()})
    lines = [
        f"{source}: {table}: {total['loaded']:,} rejects loaded, {total['refused']:,} rejected again"
        + (f", {total['filtered']:,} left out by where" if total["filtered"] else "")
        + (f", {total['known']:,} loaded meanwhile" if total["known"] else "")
        + (f", {total['left']:,} not replayed" if total["left"] else "")
        for (source, table), total in totals.items()
    ]
    lines += [
        f"not replayed: {source}: {table}: {count:,}: {printable(why)}" for (source, table, why), count in left.items()
    ]
    return lines or ["no rejects wait"]
