"""What of a plant's data is older than its plant.yml wants it kept: weeks to close, records to drop.

Everything is reckoned from the newest test that was loaded, never from today: a plant that stands still loses nothing,
and the same records close the same weeks.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ingest import retention as lake
from ingest.lake import Load, read_manifest
from pipeline.paths import Paths
from pipeline.plant import Plant


@dataclass(frozen=True)
class Held:
    """What the lake held when a build began: its loads and the closings that the build carries out."""

    loads: list[Load]
    closings: list[lake.Closing]

    @classmethod
    def now(cls, paths: Paths) -> "Held":
        return cls(read_manifest(paths.raw), lake.closings(paths.raw))

    @property
    def as_of(self) -> datetime | None:
        """Start of the newest test, UTC; records that were ahead of their load don't move it."""
        times = [x.max_event_at for x in self.loads if x.table_name == "test_record" and x.status == "loaded"]
        return max(filter(None, times), default=None)

    def reaches(self, table: str, before: datetime) -> bool:
        """Whether a record was loaded that lies before a plant wall time, or nearly so."""
        times = (load.min_event_at for load in self.loads if load.table_name == table and load.min_event_at)
        return any(time < before + timedelta(days=1) for time in times)

    @property
    def first_open_week(self) -> date | None:
        return self.closings[-1].closed_before if self.closings else None


@dataclass(frozen=True)
class Due:
    """`closed_before`: the first week that stays open, if it is another than now. `dropped_before`: by table, the plant
    wall time before which its records go."""

    closed_before: date | None = None
    dropped_before: dict[str, datetime] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.closed_before or self.dropped_before)


def due(plant: Plant, paths: Paths, held: Held) -> Due:
    """What goes after a green build of `held`. Nothing ever moves back, whatever plant.yml says meanwhile.

    Raises PlantError for what plant.yml gets wrong about retention.
    """
    lake.check(plant)
    if held.as_of is None:
        return Due()
    closed_before = plant.retention.detail and oldest_week(plant, held.as_of, plant.retention.detail)
    if closed_before:
        is_new = held.first_open_week is None or closed_before > held.first_open_week
        closed_before = closed_before if is_new and held.reaches("test_record", _start(plant, closed_before)) else None
    droppings = {}
    for table, weeks in plant.retention.raw.items():
        week = oldest_week(plant, held.as_of, weeks)
        if table == "test_record":  # what a build may still read stays
            week = min(week, held.first_open_week or date.min)
        before, done = _start(plant, week), lake.dropped_before(paths.raw, table)
        if held.reaches(table, before) and (done is None or before > done):
            droppings[table] = before
    return Due(closed_before, droppings)


def retain(plant: Plant, paths: Paths, held: Held, said=lambda text: None) -> str:
    """Closes and drops what is due, after a green build of `held` was published; says what went. Needs the run lock.

    Records of closed weeks go one run after these were closed: what carries a closing out is a build, and it was green.
    """
    coming, done = due(plant, paths, held), []
    for table, before in coming.dropped_before.items():
        said(f"dropping old records of {table}")
        counted = [(_start(plant, closing.closed_before), closing.last_load_id) for closing in held.closings]
        gone = lake.drop(paths.raw, table, before, counted if table == "test_record" else [])
        done.append(f"{gone.row_count:,} records of {table} before {before:%Y-%m-%d %H:%M} dropped")
    if coming.closed_before:
        lake.close(paths.raw, coming.closed_before, max(load.load_id for load in held.loads))
        done.append(
            f"weeks before {coming.closed_before} closed: their marts stay, their attempts and modules go with the "
            "next build"
        )
    return "; ".join(done)


def describe(coming: Due) -> list[str]:
    """A line for each thing that is due."""
    lines = [f"records of {table} before {before:%Y-%m-%d %H:%M}" for table, before in coming.dropped_before.items()]
    if coming.closed_before:
        lines.append(f"attempts and modules of load weeks before {coming.closed_before}")
    return lines


def oldest_week(plant: Plant, as_of: datetime, weeks: int) -> date:
    """Monday of the oldest production week that stays: `weeks` before the one of `as_of` (UTC)."""
    local = as_of.replace(tzinfo=UTC).astimezone(ZoneInfo(plant.plant.timezone)).replace(tzinfo=None)
    day = (local - _day_start(plant)).date()
    return day - timedelta(days=day.weekday(), weeks=weeks)


def _start(plant: Plant, week: date) -> datetime:
    """Plant wall time at which a production week starts."""
    return datetime.combine(week, time()) + _day_start(plant)


def _day_start(plant: Plant) -> timedelta:
    start = plant.plant.production_day_start
    return timedelta(hours=start.hour, minutes=start.minute)
