"""The tables of production, and rows of them as they are made."""

import numpy as np
import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")
TEXT, WHOLE, REAL = pa.string(), pa.int64(), pa.float64()
SCHEMAS = {
    "machine_state": pa.schema(
        [
            ("machine_id", TEXT),
            ("state_start_at", TIMESTAMP),
            ("state", TEXT),
            ("reason_code", TEXT),
            ("work_order_id", TEXT),
        ]
    ),
    "production_count": pa.schema(
        [
            ("machine_id", TEXT),
            ("interval_start_at", TIMESTAMP),
            ("interval_end_at", TIMESTAMP),
            ("product_name", TEXT),
            ("total_count", WHOLE),
            ("good_count", WHOLE),
            ("scrap_count", WHOLE),
            ("rework_count", WHOLE),
            ("work_order_id", TEXT),
        ]
    ),
    "machine_cycle": pa.schema(
        [
            ("machine_id", TEXT),
            ("cycle_timestamp", TIMESTAMP),
            ("part_present", pa.bool_()),
            ("product_name", TEXT),
            ("lot_number", TEXT),
        ]
    ),
    "maintenance": pa.schema(
        [("machine_id", TEXT), ("start_at", TIMESTAMP), ("end_at", TIMESTAMP), ("kind", TEXT), ("work", TEXT)]
    ),
    "schedule_change": pa.schema(
        [("line_id", TEXT), ("start_at", TIMESTAMP), ("end_at", TIMESTAMP), ("kind", TEXT), ("note", TEXT)]
    ),
    "staffing": pa.schema(
        [
            ("shift_date", pa.date32()),
            ("shift_name", TEXT),
            ("line_id", TEXT),
            ("headcount", REAL),
            ("planned_headcount", REAL),
            ("operator_ids", TEXT),
        ]
    ),
    "work_order": pa.schema(
        [
            ("work_order_id", TEXT),
            ("product_name", TEXT),
            ("quantity", REAL),
            ("updated_at", TIMESTAMP),
            ("due_at", TIMESTAMP),
            ("priority", WHOLE),
            ("status", TEXT),
            ("released_at", TIMESTAMP),
        ]
    ),
    "work_order_operation": pa.schema(
        [
            ("work_order_id", TEXT),
            ("operation", TEXT),
            ("sequence", WHOLE),
            ("machine_id", TEXT),
            ("standard_rate_per_h", REAL),
            ("setup_min", REAL),
        ]
    ),
    "production_plan": pa.schema(
        [
            ("product_name", TEXT),
            ("line_id", TEXT),
            ("planned_start_at", TIMESTAMP),
            ("planned_quantity", REAL),
            ("planned_end_at", TIMESTAMP),
            ("work_order_id", TEXT),
            ("shift_name", TEXT),
        ]
    ),
}


class Rows:
    """Rows of a week that start in [begin, end), by table."""

    def __init__(self, begin: int, end: int):
        self._begin, self._end = begin, end
        self._parts: dict[str, list[tuple[np.ndarray, pa.Table]]] = {name: [] for name in SCHEMAS}

    def add(self, table: str, moments: np.ndarray, **columns) -> None:
        schema = SCHEMAS[table]
        arrays = [
            pa.array(columns[field.name], pa.int64()).cast(field.type)
            if pa.types.is_timestamp(field.type)
            else pa.array(columns[field.name], field.type)
            if not isinstance(columns[field.name], pa.Array)
            else columns[field.name]
            for field in schema
        ]
        kept = (moments >= self._begin) & (moments < self._end)
        part = pa.Table.from_arrays(arrays, schema=schema)
        self._parts[table].append((moments, part) if kept.all() else (moments[kept], part.filter(pa.array(kept))))

    def tables(self) -> dict[str, pa.Table]:
        """In order of time."""
        return {name: _in_order(parts, SCHEMAS[name]) for name, parts in self._parts.items()}


def _in_order(parts: list[tuple[np.ndarray, pa.Table]], schema: pa.Schema) -> pa.Table:
    table = pa.concat_tables([schema.empty_table(), *(part for _, part in parts)]).combine_chunks()
    moments = np.concatenate([np.empty(0, np.int64), *(moments for moments, _ in parts)])
    return table.take(pa.array(np.argsort(moments, kind="stable")))
