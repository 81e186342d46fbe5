"""What came of each source so far: objects, rows, rejects that wait, how old the newest event is, what failed last.

Reads what is committed, so it may be asked while a run goes on.
"""

from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from ingest.attempts import TROUBLES, last_attempt
from ingest.lake import Load, check_owner, read_manifest
from ingest.rejects import with_open_rejects
from ingest.sources import checks, files, reference
from ingest.stream.status import statuses
from pipeline.paths import Paths
from pipeline.plant import FilesSource, Plant, RecordSource, Source
from pipeline.streams import StreamSource

UNITS = {"day": 86_400, "hour": 3600, "minute": 60, "second": 1}
GONE = "not in plant.yml"


def status(plant: Plant, paths: Paths) -> dict:
    """As JSON holds it: `sources`, those of plant.yml in their order, then reference data, then those of earlier days.

    Times are ISO 8601, UTC. Of live sources, `consumers` is what each of them says of itself (`ingest.stream.status`).
    Raises PlantError for a wrong plant.yml, and when the data directory holds another plant's records.
    """
    checks.check(plant)
    check_owner(paths, plant)
    now, loads = datetime.now(UTC).replace(tzinfo=None), read_manifest(paths.raw)
    kinds = {source.name: source.kind for source in plant.sources} | {reference.SOURCE: reference.SOURCE}
    live = {source.name for source in plant.sources if isinstance(source, StreamSource)}
    tables = {source.name: dict.fromkeys(_tables(source)) for source in plant.sources} | {reference.SOURCE: {}}
    for load in loads:
        tables.setdefault(load.source, {})[load.table_name] = None
    return {
        "plant": plant.name,
        "data": str(paths.data),
        "at": _iso(now),
        "sources": [
            {
                "source": source,
                "kind": kinds.get(source, GONE),
                **_attempt(paths, source, source in kinds),
                "consumers": [asdict(it) for it in statuses(paths.landing / source)] if source in live else [],
                "tables": _of_tables(source, list(held), loads, now),
            }
            for source, held in tables.items()
        ],
    }


def has_failed(found: dict) -> bool:
    """Whether the last attempt on any source of plant.yml failed."""
    return any(source["failed"] for source in found["sources"])


def _tables(source: Source) -> list[str]:
    """Which plant.yml names; the simulator's are known by its loads."""
    if isinstance(source, FilesSource):
        return [one.table for one in files.by_table(source)]
    return [source.table] if isinstance(source, RecordSource | StreamSource) else []


def _attempt(paths: Paths, source: str, is_current: bool) -> dict:
    attempt = last_attempt(paths, source)
    return attempt if is_current else attempt | {status: [] for status in TROUBLES}


def _of_tables(source: str, tables: list[str], loads: list[Load], now: datetime) -> list[dict]:
    held = defaultdict(list)
    for load in loads:
        if load.source == source and load.status == "loaded":
            held[load.table_name].append(load)
    open_loads = {load.load_id for load in with_open_rejects(loads)}
    return [_of_table(table, held[table], open_loads, now) for table in tables]


def _of_table(table: str, loads: list[Load], open_loads: set[str], now: datetime) -> dict:
    read = [load for load in loads if not load.replays]
    newest = max((load.max_event_at for load in loads if load.max_event_at), default=None)
    return {
        "table": table,
        "last_object": read[-1].object if read else None,
        "loaded_at": _iso(read[-1].finished_at) if read else None,
        "newest_event_at": _iso(newest) if newest else None,
        "lag_s": round((now - newest).total_seconds()) if newest else None,
        "objects": len({load.object for load in read}),
        "rows": sum(load.row_count for load in loads),
        "open_rejects": sum(load.reject_count for load in loads if load.load_id in open_loads),
    }


def in_words(seconds: float) -> str:
    """In the largest unit of which there are two at least: `47 hours`, `3 days`, or `3 days ahead` where negative."""
    size = abs(seconds)
    unit, length = next(((unit, length) for unit, length in UNITS.items() if size >= 2 * length), ("second", 1))
    count = int(size // length)
    return f"{count:,} {unit}{'s' * (count != 1)}{' ahead' * (seconds < 0)}"


def _iso(moment: datetime) -> str:
    return f"{moment - timedelta(microseconds=moment.microsecond):%Y-%m-%dT%H:%M:%SZ}"
