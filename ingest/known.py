"""What of an object was loaded before, as far as its source says in which loads that may be."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from ingest.lake import COMPACTED, Lake


def without_known_records(lake: Lake, table: str, loads: frozenset[str], records: pa.Table) -> pa.Table:
    """The records whose `_hash` is in none of the loads (ids).

    The lake is searched for those of the batch, so that memory does not grow with what was loaded.
    """
    return _new(records, "_hash", loads, folder=lake.table(table), id_column="_load_id")


def without_known_rejects(lake: Lake, loads: frozenset[str], rejects: pa.Table) -> pa.Table:
    """The rejects that came, the same, in none of the loads."""
    return _new(rejects, "record", loads, folder=lake.table("reject"), id_column="load_id")


def _new(batch: pa.Table, key: str, loads: frozenset[str], *, folder: Path, id_column: str) -> pa.Table:
    names = {f"{load}.parquet" for load in loads}
    files = [file for file in folder.glob("*.parquet") if file.name in names or file.name.startswith(COMPACTED)]
    if not len(batch) or not files:
        return batch
    schema = pa.schema([(id_column, pa.string()), batch.schema.field(key)])
    values = batch[key].combine_chunks()
    wanted = ds.field(id_column).isin(pa.array(sorted(loads), pa.string())) & ds.field(key).isin(values)
    known = ds.dataset(files, schema=schema).to_table(columns=[key], filter=wanted, batch_readahead=4)[key]
    return batch.filter(pc.invert(pc.is_in(values, value_set=known.combine_chunks())))
