"""A header as every format has to have it."""

from collections.abc import Sequence

from ingest.source import Unreadable


def check_names(names: Sequence[str]) -> None:
    """Raises Unreadable where a column is there twice."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        by_position = "name all by position with header: and skip_rows: in plant.yml"
        raise Unreadable(f"the header has the column {twice[0]!r} twice; {by_position}")
