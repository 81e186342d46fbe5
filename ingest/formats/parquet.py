"""Parquet files, in bounded memory however large their row groups are."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.source import BATCH_ROWS, Batch, Unreadable

BUFFER = 1 << 20


def read(file: Path) -> Iterator[Batch]:
    try:
        with pq.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False) as parquet:
            names = parquet.schema_arrow.names
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise Unreadable(f"the column {twice[0]!r} is there twice")
            first = 1
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
                yield Batch(pa.table(batch), np.arange(first, first + len(batch), dtype=np.int64))
                first += len(batch)
            if first == 1:
                yield Batch(parquet.schema_arrow.empty_table(), np.array([], np.int64))
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(f"not a whole Parquet file: {error}") from error
