"""A version in the making, in its folder out of sight."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from publish.audit import STORAGE_VERSION, audit, check_storage, trust
from publish.predecessor import Predecessor, copy_file, share_parquet, take_over
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

    def go_on(self, current: Predecessor, spare: Predecessor | None) -> None:
        """The weeks that changed from the warehouse, the others from the version `current`.

        Its DuckDB file is copied, unless that of a version that is to go anyway, `spare`, can be had. Where most of a
        file would be written all the same, or its free space becomes too much, it is written anew.
        """
        share_parquet(current.folder, self._parquet, self.tables, current.kept)
        before = self._take_file(current, spare)
        if before is not None:
            self.connection.execute(f"attach {literal(self._file)} as {VERSION}")
            update_database(self.connection, self.tables, VERSION, before, self.weeks)
            self.connection.execute(f"checkpoint {VERSION}")
            if self._file.stat().st_size > LARGEST * before.contents.bytes_per_row * count(self.weeks):
                self.connection.execute(f"detach {VERSION}")
                before = None
        if before is None:
            self._file.unlink(missing_ok=True)
            self._write_file()
        kept = before.kept if before else current.kept
        self._complete(current.kept, before and before.contents.bytes_per_row)
        self._unchanged = {name: weeks & current.kept.get(name, set()) for name, weeks in kept.items()}

    def _take_file(self, current: Predecessor, spare: Predecessor | None) -> Predecessor | None:
        """Puts the file of one of them in place; None if hardly anything of it could stay."""
        for version in (spare, current):
            if version is not None and version.share(self.weeks) >= WORTHWHILE:
                if version is current:
                    copy_file(current.folder / MARTS, self._file)
                elif not take_over(version.folder, self._file):
                    continue
                return version
        return None

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
        trusted = trust(self._unchanged, datetime.now(UTC).date())
        return audit(self.connection, self.tables, copies, self._parquet, weeks=self.weeks, trusted=trusted)
