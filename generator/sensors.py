"""Readings of the simulated sensors: level, rhythm, season, load of the machine, noise that remembers; and faults.

A reading is

    base_value + daily_amplitude * (cos of the hour, highest at 15:00 local + cos of the day, highest in mid-July)
    + load_effect * (load - 1) + noise

The load of a machine is 1 with a noise of its own (LOAD_SD), which all its sensors share, and 0 while the machine is
closed. Each UTC day is made by itself, from random streams of that day and the day before: what noise remembers of
earlier ones is below 1e-16 of it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from generator.reference_files import GeneratorError, read_rows

SECOND = 1_000_000
DAY = 86_400 * SECOND
MINUTES = 1440
TIMESTAMP = pa.timestamp("us", tz="UTC")
LOAD_SD = 0.1
"""Standard deviation of a running machine's load, as a fraction of it."""
LOAD_MINUTES = 10.0
NOISE_MINUTES = 2.0
"""Times in which load and noise forget: autocorrelation exp(-time / this)."""
FORGOTTEN = 37.0
"""exp(-37) is below 1e-16."""
LOST_SHARE = 0.002
"""Of the readings, one by one; as by any network."""
WARMEST_HOUR, WARMEST_DAY = 15.0, 196
DECIMALS = 4

SCHEMA = pa.schema(
    [
        ("sensor_id", pa.string()),
        ("reading_at", TIMESTAMP),
        ("value", pa.float64()),
        ("component_type", pa.string()),
        ("component_manufacturer", pa.string()),
        ("lane_number", pa.string()),
    ]
)


@dataclass(frozen=True)
class Sensor:
    """A row of sensors.csv that has a base_value. `machine` is its number in machines.csv, -1 where it is not there."""

    sensor_id: str
    machine: int
    quantity: str
    upper_limit: float
    period_us: int
    base_value: float
    noise_sd: float
    daily_amplitude: float
    load_effect: float
    texts: tuple[str | None, str | None, str | None]

    @property
    def load_sd(self) -> float:
        return abs(self.load_effect) * LOAD_SD

    @property
    def sigma(self) -> float:
        """Standard deviation of what is left of it without level, rhythm and season."""
        return math.hypot(self.noise_sd, self.load_sd)


def read_sensors(folder: Path, machines: list[str]) -> list[Sensor]:
    """The simulated sensors of `folder`/sensors.csv, in its order; raises GeneratorError."""
    number = {machine: position for position, machine in enumerate(machines)}
    rows = [row for row in read_rows(folder, "sensors", is_optional=True) if not math.isnan(row["base_value"])]
    seen = set()
    for row in rows:
        if row["sensor_id"] in seen:
            raise GeneratorError(f"{folder / 'sensors.csv'}: sensor_id: {row['sensor_id']!r} is there twice")
        seen.add(row["sensor_id"])
    return [
        Sensor(
            sensor_id=row["sensor_id"],
            machine=number.get(row["machine_id"], -1),
            quantity=row["quantity"] or "value",
            period_us=round(row["period_s"] * SECOND),
            texts=tuple(row[name] or None for name in ("component_type", "component_manufacturer", "lane_number")),
            **{name: row[name] for name in ("upper_limit", "base_value", "noise_sd", "daily_amplitude", "load_effect")},
        )
        for row in rows
    ]


def scaled(sensors: list[Sensor], scale: float) -> list[Sensor]:
    """Below scale 1, those of so many of the machines, at least of one; the first in the order of the sensors."""
    machines = list(dict.fromkeys(sensor.machine for sensor in sensors))
    kept = set(machines[: math.ceil(min(1.0, scale) * len(machines))])
    return [sensor for sensor in sensors if sensor.machine in kept]


@dataclass(frozen=True)
class SensorFault:
    """What goes wrong with sensor number `sensor` (of read_sensors) in [start, end), microseconds UTC.

    `size` is in the kind's unit (generator.faults), signed; `draw` a standard normal number of its own.
    """

    kind: str
    sensor: int
    start: int
    end: int
    size: float
    draw: float = 0.0


@dataclass(frozen=True)
class Closure:
    """Machine number `machine` does not run in [start, end), microseconds UTC."""

    machine: int
    start: int
    end: int


class Readings:
    """Table sensor_reading of any days: it depends on `seed` and sensors.csv, besides faults and closures."""

    def __init__(self, sensors: list[Sensor], timezone: str, seed: int) -> None:
        self._sensors, self._zone, self._seed = sensors, ZoneInfo(timezone), seed
        self._machine_count = 1 + max((sensor.machine for sensor in sensors), default=-1)

    def days(
        self, begins: np.ndarray, faults: list[SensorFault] = (), closures: list[Closure] = ()
    ) -> Iterator[pa.Table]:
        """Readings from the first to the last of `begins` (microseconds UTC), cut there.

        Between two of them by UTC day, period and sensor, so that any range of days has them in the same order.
        """
        longest = max((sensor.period_us for sensor in self._sensors), default=0)
        made: dict[int, list[tuple[Sensor, np.ndarray, np.ndarray]]] = {}
        for begin, end in pairwise(begins.tolist()):
            utc_days = range((begin - longest) // DAY, -(-end // DAY))
            made = {day: made.get(day) or list(self._day(day, faults, closures)) for day in utc_days}
            parts = [self._table(*part, begin, end) for day in utc_days for part in made[day]]
            yield pa.concat_tables(parts or [SCHEMA.empty_table()])

    def _day(
        self, day: int, faults: list[SensorFault], closures: list[Closure]
    ) -> Iterator[tuple[Sensor, np.ndarray, np.ndarray]]:
        """Sensor, times and values whose step of the period lies in the day; the sensor's offset may lead out of it."""

        def of_day(each: SensorFault | Closure) -> bool:
            return each.start < (day + 2) * DAY and each.end > day * DAY

        faults, closures = [each for each in faults if of_day(each)], [each for each in closures if of_day(each)]
        load_noise = self._load_noise(day)
        for period in sorted({sensor.period_us for sensor in self._sensors}):
            chosen = [k for k, sensor in enumerate(self._sensors) if sensor.period_us == period]
            yield from self._of_period(day, period, chosen, load_noise, faults=faults, closures=closures)

    def _load_noise(self, day: int) -> np.ndarray:
        """Standard normal, by machine and minute of the day; the last row stands for no machine."""
        count = self._machine_count + 1
        white = [self._rng(5, each).standard_normal((count, MINUTES)) for each in (day - 1, day)]
        return _remembering(*white, step_minutes=1.0, minutes=LOAD_MINUTES)

    def _of_period(
        self,
        day: int,
        period: int,
        chosen: list[int],
        load_noise: np.ndarray,
        *,
        faults: list[SensorFault],
        closures: list[Closure],
    ) -> Iterator[tuple[Sensor, np.ndarray, np.ndarray]]:
        steps, white = zip(*(self._white(each, period, len(chosen)) for each in (day - 1, day)), strict=True)
        noise = _remembering(*white, step_minutes=period / SECOND / 60, minutes=NOISE_MINUTES)
        lost = self._rng(7, day, period).random((len(chosen), len(steps[1]))) < LOST_SHARE
        offsets = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(8, period))).integers(
            0, period, len(chosen)
        )
        hours = Hours(day, self._zone)
        for row, number in enumerate(chosen):
            sensor = self._sensors[number]
            # A whole number of milliseconds, as devices write it.
            time = steps[1] + offsets[row] // 1000 * 1000
            of_sensor = [fault for fault in faults if fault.sensor == number]
            idle = np.zeros(len(time), dtype=bool)
            for closure in closures:
                if closure.machine == sensor.machine >= 0:
                    idle |= (time >= closure.start) & (time < closure.end)
            load = np.where(idle, -1.0, LOAD_SD * load_noise[sensor.machine][_minute(time, day)])
            value = _values(sensor, time, hours, load=load, noise=sensor.noise_sd * noise[row], faults=of_sensor)
            kept = ~lost[row]
            for fault in of_sensor:
                if fault.kind == "missing_data":
                    kept &= (time < fault.start) | (time >= fault.end)
            yield sensor, time[kept], np.round(value[kept], DECIMALS)

    def _white(self, day: int, period: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Times of the day on the grid of the period, which 1970 began, and white noise of each sensor there."""
        times = np.arange(-(-day * DAY // period) * period, (day + 1) * DAY, period)
        return times, self._rng(6, day, period).standard_normal((count, len(times)))

    def _rng(self, *key: int) -> np.random.Generator:
        # A day before 1970 has no stream of that number.
        return np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=tuple(part % 2**32 for part in key)))

    def _table(self, sensor: Sensor, time: np.ndarray, value: np.ndarray, begin: int, end: int) -> pa.Table:
        kept = (time >= begin) & (time < end)
        count = int(kept.sum())
        return pa.Table.from_arrays(
            [
                _repeated(sensor.sensor_id, count),
                pa.array(time[kept]).cast(TIMESTAMP),
                pa.array(value[kept]),
                *(_repeated(text, count) for text in sensor.texts),
            ],
            schema=SCHEMA,
        )


class Hours:
    """Local hour of the day and day of the year of instants in a UTC day and the next."""

    def __init__(self, day: int, zone: ZoneInfo) -> None:
        self._first = day * DAY - DAY // 24
        starts = self._first + np.arange(50) * (DAY // 24)
        self._offsets = np.array(
            [
                datetime.fromtimestamp(int(start) // SECOND, UTC).astimezone(zone).utcoffset().total_seconds()
                for start in starts
            ]
        )
        self._year_begin = int(datetime(datetime.fromtimestamp(day * 86_400, UTC).year, 1, 1, tzinfo=UTC).timestamp())

    def of(self, time: np.ndarray) -> np.ndarray:
        """Local hours, 0 to 24."""
        position = np.clip((time - self._first) // (DAY // 24), 0, len(self._offsets) - 1)
        return (time / SECOND + self._offsets[position]) % 86_400 / 3600

    def day_of_year(self, time: np.ndarray) -> np.ndarray:
        return (time / SECOND - self._year_begin) / 86_400


def _values(
    sensor: Sensor,
    time: np.ndarray,
    hours: Hours,
    *,
    load: np.ndarray,
    noise: np.ndarray,
    faults: list[SensorFault],
) -> np.ndarray:
    """Values at `time`. `load`: of the machine, less 1."""
    hour = hours.of(time)
    season = np.cos(2 * math.pi * (hours.day_of_year(time) - WARMEST_DAY) / 365.25)
    during = {id(fault): (time >= fault.start) & (time < fault.end) for fault in faults}
    effect = np.full(len(time), sensor.load_effect)
    spread = np.ones(len(time))
    for fault in faults:
        inside = during[id(fault)]
        if fault.kind == "seasonality":
            hour = np.where(inside, hour - fault.size, hour)
        elif fault.kind == "together":
            effect = np.where(inside & (load > -1), -effect, effect)
        elif fault.kind == "spread":
            spread = np.where(inside, fault.size, spread)
    rhythm = sensor.daily_amplitude * (np.cos(2 * math.pi * (hour - WARMEST_HOUR) / 24) + season)
    moving = effect * load
    value = sensor.base_value + rhythm + np.where(load > -1, moving * spread, moving) + noise * spread
    for fault in faults:
        inside = during[id(fault)]
        if fault.kind in ("level_shift", "spike", "legitimate_process_change"):
            value = np.where(inside, value + fault.size * sensor.sigma, value)
        elif fault.kind == "drift":
            ramp = (time - fault.start) / (fault.end - fault.start)
            value = np.where(inside, value + fault.size * sensor.sigma * ramp, value)
        elif fault.kind == "stuck_value":
            value = np.where(inside, sensor.base_value + fault.draw * sensor.sigma, value)
        elif fault.kind == "limit_violation":
            beyond = sensor.upper_limit + sensor.sigma * fault.size + np.abs(noise) * 0.2
            value = np.where(inside, beyond, value)
    return value


def _remembering(before: np.ndarray, of_day: np.ndarray, *, step_minutes: float, minutes: float) -> np.ndarray:
    """Autoregressive noise of unit variance along `of_day` (rows are series), that remembers `before`."""
    keeps = math.exp(-step_minutes / minutes)
    needed = min(before.shape[1], math.ceil(FORGOTTEN * minutes / step_minutes) + 1)
    white = np.ascontiguousarray(np.concatenate([before[:, before.shape[1] - needed :], of_day], axis=1).T)
    white *= math.sqrt(1 - keeps**2)
    state = np.zeros(white.shape[1])
    for row in white:
        state *= keeps
        state += row
        row[:] = state
    return white[needed:].T


def _minute(time: np.ndarray, day: int) -> np.ndarray:
    return np.clip((time - day * DAY) // (60 * SECOND), 0, MINUTES - 1)


def _repeated(text: str | None, count: int) -> pa.Array:
    return pa.nulls(count, pa.string()) if text is None else pa.repeat(pa.scalar(text), count)
