"""What of an object was loaded before, as far as its source says in which loads that may be."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from ingest.lake import COMPACTED, Lake
from ingest.source import Object


def without_known(lake: Lake, thing: Object, records: pa.Table, rejects: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The records whose `_hash` is in none of the loads `thing.known_in`, and the rejects that came in none of them.

    The lake is searched for those of the batch, so that memory does not grow with what was loaded.
    """
    loads = pa.array(sorted(thing.known_in), pa.string())
    return (
        _new(records, "_hash", loads, folder=lake.table(thing.table), id_column="_load_id"),
        _new(rejects, "record", loads, folder=lake.table("reject"), id_column="load_id"),
    )


def _new(batch: pa.Table, key: str, loads: pa.Array, *, folder: Path, id_column: str) -> pa.Table:
    names = {f"{load}.parquet" for load in loads.to_pylist()}
    files = [file for file in folder.glob("*.parquet") if file.name in names or file.name.startswith(COMPACTED)]
    if not len(batch) or not files:
        return batch
    schema = pa.schema([(id_column, pa.string()), batch.schema.field(key)])
    values = batch[key].combine_chunks()
    wanted = ds.field(id_column).isin(loads) & ds.field(key).isin(values)
    known = ds.dataset(files, schema=schema).to_table(columns=[key], filter=wanted, batch_readahead=4)[key]
    return batch.filter(pc.invert(pc.is_in(values, value_set=known.combine_chunks())))
