"""A version in the making, in its folder out of sight."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from publish.ahead import take
from publish.audit import STORAGE_VERSION, audit, check_storage, trust
from publish.predecessor import Predecessor, share_parquet
from publish.quoting import identifier, literal
from publish.tables import Table, read_tables, write_parquet, write_table
from publish.update import update_database
from publish.versions import MARTS, PARQUET, PublishError, seal
from publish.weeks import LARGEST, WEEKS, Kept, Weeks, count, write_contents

VERSION = "version"
"""Name under which the new file is attached."""
WORTHWHILE = 0.85
"""The least share of the rows that stays for which a file is gone on from. Below, its pages are written anew all the
same, beside the old ones, which leaves a file with as much free space."""


class Draft:
    """Of the `tables` of the attached warehouse, in which the detail tables have `weeks`.

    First one of `write_whole` and `go_on`, then `check`.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path, tables: list[Table], weeks: Weeks) -> None:
        self.connection = connection
        self.tables = tables
        self.weeks = weeks
        self._folder = folder
        self._file = folder / MARTS
        self._parquet = folder / PARQUET
        self._unchanged: Kept = {}

    def write_whole(self) -> None:
        """Everything from the warehouse, nothing from earlier versions."""
        self._write_file()
        self._complete({}, None)

    def go_on(self, current: Predecessor) -> None:
        """The weeks that changed from the warehouse, the others from the version `current`.

        Where most of its DuckDB file would be written all the same, or the free space in it becomes too much, that is
        written anew.
        """
        share_parquet(current.folder, self._parquet, self.tables, current.kept)
        goes_on = current.share(self.weeks) >= WORTHWHILE and self._update_file(current)
        if not goes_on:
            self._file.unlink(missing_ok=True)
            self._write_file()
        self._complete(current.kept, current.contents.bytes_per_row if goes_on else None)
        self._unchanged = current.kept if goes_on else {}

    def _update_file(self, current: Predecessor) -> bool:
        """A copy of its file with the weeks that changed; False, and detached, if that came out too large."""
        take(current.folder, self._file)
        self.connection.execute(f"attach {literal(self._file)} as {VERSION}")
        update_database(self.connection, self.tables, VERSION, current, self.weeks)
        self.connection.execute(f"checkpoint {VERSION}")
        if self._file.stat().st_size <= LARGEST * current.contents.bytes_per_row * count(self.weeks):
            return True
        self.connection.execute(f"detach {VERSION}")
        return False

    def _write_file(self) -> None:
        self.connection.execute(
            f"attach {literal(self._file)} as {VERSION} (storage_version {literal(STORAGE_VERSION)})"
        )
        for table in self.tables:
            write_table(self.connection, table, VERSION)

    def _complete(self, shared: Kept, bytes_per_row: float | None) -> None:
        """Writes the other Parquet files, and what the version holds; closes and seals the files."""
        self._parquet.mkdir(exist_ok=True)
        for table in self.tables:
            weeks = self.weeks.get(table.name) or [None]  # an empty table is one empty file: its glob finds something
            missing = [week for week in weeks if week not in shared.get(table.name, ())]
            write_parquet(self.connection, table, VERSION, self._parquet, missing)
        self.connection.execute(f"checkpoint {identifier(VERSION)}")
        self.connection.execute(f"detach {identifier(VERSION)}")
        write_contents(self._folder, self.tables, self.weeks, bytes_per_row)
        seal(self._folder)

    def check(self) -> dict[str, int]:
        """Reads the sealed files back and compares them with the warehouse; rows by table. Raises PublishError."""
        expected = {MARTS, PARQUET, WEEKS}
        found = {path.name for path in self._folder.iterdir()}
        if found != expected:  # above all no write-ahead log
            raise PublishError(f"{', '.join(sorted(found ^ expected))}: unexpected or missing in the version's folder")
        check_storage(self._file)
        self.connection.execute(f"attach {literal(self._file)} as {VERSION} (read_only)")
        copies = read_tables(self.connection, VERSION, "main")
        trusted = trust(self._unchanged, self.weeks, datetime.now(UTC).date())
        return audit(self.connection, self.tables, copies, self._parquet, weeks=self.weeks, trusted=trusted)
