"""The files of one load while it is written: records and rejects, batch by batch, at names that nobody reads."""

from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.lake import PART, REJECT_SCHEMA, SCHEMAS, Lake, Load, rename


class LoadFile:
    """Takes batches; `finish` makes the files visible, leaving the context without it removes them.

    Records are written by a thread of their own while the next batch is converted; at most one batch waits.
    """

    def __init__(self, lake: Lake, load: Load):
        self.load = load
        self.records = lake.table(load.table_name) / f"{load.load_id}.parquet"
        self.rejects = lake.table("reject") / f"{load.load_id}.parquet"
        self.row_count = 0
        self.reject_count = 0
        self._writers: dict = {}
        self._thread = ThreadPoolExecutor(1)
        self._writing: Future | None = None

    def __enter__(self) -> "LoadFile":
        return self

    def __exit__(self, *_) -> None:
        self._thread.shutdown(wait=True)
        for target, writer in self._writers.items():
            if writer.is_open:
                writer.close()
            _part(target).unlink(missing_ok=True)

    def write(self, records: pa.Table, rejects: pa.Table) -> None:
        """Appends records (of the table's schema) and rejects (row, record, reason)."""
        self._wait()
        self.row_count += len(records)
        self.reject_count += len(rejects)
        self._writing = self._thread.submit(self._write, records, rejects)

    def finish(self) -> None:
        self._wait()
        for target, writer in sorted(self._writers.items(), key=lambda item: item[0] == self.rejects):
            writer.close()
            rename(_part(target), target)

    def _wait(self) -> None:
        if self._writing:
            self._writing.result()

    def _write(self, records: pa.Table, rejects: pa.Table) -> None:
        if len(records):
            schema = SCHEMAS[self.load.table_name]
            load_id = pa.repeat(pa.scalar(self.load.load_id), len(records))
            columns = [
                load_id if name == "_load_id" else records[name].cast(schema.field(name).type) for name in schema.names
            ]
            self._append(self.records, pa.table(columns, schema=schema))
        if len(rejects):
            names = {"load_id": self.load.load_id, "table_name": self.load.table_name}
            columns = {name: pa.repeat(pa.scalar(value), len(rejects)) for name, value in names.items()}
            columns |= {name: rejects[name] for name in rejects.column_names}
            self._append(self.rejects, pa.table(columns).cast(REJECT_SCHEMA))

    def _append(self, target, table: pa.Table) -> None:
        if target not in self._writers:
            self._writers[target] = pq.ParquetWriter(_part(target), table.schema, **encodings(table.schema))
        self._writers[target].write_table(table)


def encodings(schema: pa.Schema) -> dict:
    """Options of the Parquet writer: dictionaries where values repeat, differences where they rise."""
    rising = {field.name for field in schema if pa.types.is_timestamp(field.type) or field.name == "_row"}
    return {
        "compression": "zstd",
        "use_dictionary": [name for name in schema.names if name not in rising and name != "_hash"],
        "column_encoding": {name: "DELTA_BINARY_PACKED" for name in rising},
    }


def _part(target):
    return target.with_name(target.name + PART)
