"""A week of a machine: its state at any second, then what it made.

States are painted second by second, the weaker first, and read off where they change.
"""

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from generator.production.plan import LineWeek, Segment, lognormal, stream
from generator.production.reading import Machine, ProductionReference

OFF, RUNNING, SETUP, STARVED, BLOCKED, NO_OPERATOR, BREAK, MAINTENANCE = range(8)
STATES = ["off", "running", "setup", "starved", "blocked", "no operator", "break", "planned maintenance"]
STOPS = [("minor_stop", "minor stop"), ("malfunction", "down")]
"""Buckets of downtime_reasons.csv that stops get their reasons from, and the state that a machine then reports."""
NOTHING = -1


class Codes:
    """Numbers for states with their reasons: those of STATES, then a range for each of STOPS."""

    def __init__(self, reference: ProductionReference):
        self.states, self.reasons = list(STATES), [None] * len(STATES)
        self._ranges: dict[str, tuple[int, np.ndarray | None]] = {}
        for bucket, state in STOPS:
            names, shares = reference.reasons(bucket)
            self._ranges[bucket] = len(self.states), shares if names else None
            self.states += [state] * max(len(names), 1)
            self.reasons += names or [None]

    def draw(self, rng: np.random.Generator, bucket: str, count: int) -> np.ndarray:
        first, shares = self._ranges[bucket]
        return first + (rng.choice(len(shares), size=count, p=shares) if shares is not None else np.zeros(count, int))


@dataclass(frozen=True)
class Stops:
    """Seconds, and codes of states."""

    starts: np.ndarray
    ends: np.ndarray
    codes: np.ndarray


@dataclass(frozen=True)
class Timeline:
    """Elementary intervals of a machine's week: bounds (n + 1), code and segment (n). `repairs` and `services` are what
    maintenance puts on record."""

    bounds: np.ndarray
    codes: np.ndarray
    segments: np.ndarray
    repairs: Stops
    services: np.ndarray


def failures_of(
    reference: ProductionReference, codes: Codes, plan: LineWeek, machine: Machine, rng: np.random.Generator
) -> Stops:
    """Those that begin while the line works."""
    worked = sum(it.end - it.start for it in plan.segments)
    count = rng.poisson(worked / 3600 / machine.mtbf_h)
    starts = _within_segments(plan, rng.random(count) * worked)
    lengths = lognormal(rng, machine.repair_min * 60, reference.rates.duration_spread, count)
    ends = np.minimum(starts + np.maximum(lengths.astype(np.int64), 1), plan.seconds)
    return Stops(starts, ends, codes.draw(rng, "malfunction", count))


def timelines(
    reference: ProductionReference, codes: Codes, plan: LineWeek, machines: list[Machine], *, seed: int, week: int
) -> list[tuple[Timeline, np.random.Generator]]:
    """Of the machines of a line, by their place in it, each with its stream for what follows."""
    streams = [stream(seed, 5, machine.machine_id, week) for machine in machines]
    failures = [
        failures_of(reference, codes, plan, machine, rng) for machine, rng in zip(machines, streams, strict=True)
    ]
    of_line = np.full(plan.seconds, NOTHING, np.int16)
    for number, segment in enumerate(plan.segments):
        of_line[segment.start : segment.end] = number
    made = []
    for place, (machine, rng) in enumerate(zip(machines, streams, strict=True)):
        state, segment = _painted(reference, codes, plan, machine, rng=rng, of_line=of_line)
        for there, code in ((place - 1, STARVED), (place + 1, BLOCKED)):
            if 0 <= there < len(machines):
                _paint_waiting(state, failures[there], code, int(reference.rates.buffer_min * 60))
        for start, end, code in zip(failures[place].starts, failures[place].ends, failures[place].codes, strict=True):
            state[start:end] = np.where(segment[start:end] != NOTHING, code, state[start:end])
        services = _paint_standstill(reference, plan, machine, state, rng=rng, week=week)
        _paint_overrun(reference, plan, rng, state, segment)
        made.append((_read_off(state, segment, failures[place], services), rng))
    return made


def _painted(
    reference: ProductionReference,
    codes: Codes,
    plan: LineWeek,
    machine: Machine,
    *,
    rng: np.random.Generator,
    of_line: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """State and segment by second: running, minor stops, setups."""
    segment = of_line.copy()
    state = np.where(segment == NOTHING, OFF, RUNNING).astype(np.int16)
    starts, ends = (np.array([getattr(it, name) for it in plan.segments], np.int64) for name in ("start", "end"))
    skills = [plan.shifts[it.shift].skill for it in plan.segments]
    rates = machine.minor_stops_per_h / 3600 * np.array([skill.minor_stop_factor for skill in skills])
    of = np.repeat(np.arange(len(starts)), rng.poisson((ends - starts) * rates))
    begin = starts[of] + (rng.random(len(of)) * (ends - starts)[of]).astype(np.int64)
    until = np.minimum(begin + np.maximum(rng.exponential(machine.minor_stop_s, len(of)), 2).astype(np.int64), ends[of])
    for start, end, code in zip(begin, until, codes.draw(rng, "minor_stop", len(of)), strict=True):
        state[start:end] = code
    setups = np.array([it.setup_min * 60 * skill.setup_factor for it, skill in zip(plan.segments, skills, strict=True)])
    setups = lognormal(rng, setups, reference.rates.duration_spread, len(starts)).astype(np.int64)
    for start, end in zip(starts, np.minimum(starts + setups, ends), strict=True):
        state[start:end] = SETUP
    return state, segment


def _paint_waiting(state: np.ndarray, failures: Stops, code: int, buffer_s: int) -> None:
    """A machine that runs waits for its neighbour once the buffer between them is empty, or full."""
    for start, end in zip(failures.starts + buffer_s, failures.ends, strict=True):
        part = state[start:end]
        part[part == RUNNING] = code


def _paint_standstill(
    reference: ProductionReference,
    plan: LineWeek,
    machine: Machine,
    state: np.ndarray,
    *,
    rng: np.random.Generator,
    week: int,
) -> np.ndarray:
    """Late starts, breaks, services and closures; gives the services (start, end)."""
    for shift in plan.shifts:
        if shift.start >= 0:
            part = state[shift.start : min(shift.end, shift.start + int(shift.late_s))]
            part[part != OFF] = NO_OPERATOR
    for start, end in plan.breaks:
        state[max(start, 0) : max(end, 0)] = BREAK
    due = (week + crc32(machine.machine_id.encode())) % int(machine.maintenance_weeks) == 0
    worked = sum(it.end - it.start for it in plan.segments)
    length = int(lognormal(rng, machine.maintenance_min * 60, reference.rates.duration_spread))
    starts = _within_segments(plan, rng.random(1) * worked) if due and worked and length else np.empty(0, np.int64)
    services = np.stack([starts, np.minimum(starts + length, plan.seconds)], axis=1)
    for start, end in services:
        state[start:end] = MAINTENANCE
    for start, end in plan.closures:
        state[start:end] = OFF
    return services


def _paint_overrun(
    reference: ProductionReference, plan: LineWeek, rng: np.random.Generator, state: np.ndarray, segment: np.ndarray
) -> None:
    """Sometimes the last order of a shift is finished after its end."""
    draws = rng.random((len(plan.segments), 2))
    for number, (it, (chance, length)) in enumerate(zip(plan.segments, draws, strict=True)):
        end = min(it.end + int(length * reference.rates.overrun_min * 60), plan.seconds)
        is_free = it.end < end and (segment[it.end : end] == NOTHING).all() and state[it.end - 1] == RUNNING
        if is_free and chance < reference.rates.overrun_share:
            state[it.end : end], segment[it.end : end] = RUNNING, number


def _read_off(state: np.ndarray, segment: np.ndarray, repairs: Stops, services: np.ndarray) -> Timeline:
    changes = np.flatnonzero((state[1:] != state[:-1]) | (segment[1:] != segment[:-1])) + 1
    starts = np.append(0, changes)
    return Timeline(np.append(starts, len(state)), state[starts], segment[starts], repairs, services)


def _within_segments(plan: LineWeek, worked: np.ndarray) -> np.ndarray:
    """Seconds of the week for seconds of worked time."""
    lengths = np.array([it.end - it.start for it in plan.segments], np.int64)
    ends = np.cumsum(lengths)
    at = np.minimum(np.searchsorted(ends, worked, side="right"), max(len(ends) - 1, 0))
    starts = np.array([it.start for it in plan.segments], np.int64)
    if not len(worked):
        return np.empty(0, np.int64)
    return starts[at] + (worked - (ends[at] - lengths[at])).astype(np.int64)


@dataclass(frozen=True)
class Output:
    """What a machine made: `time` (seconds) and cumulated `units` at the bounds of its timeline, `good` probability by
    segment."""

    time: np.ndarray
    units: np.ndarray
    good: np.ndarray

    def at(self, seconds: np.ndarray) -> np.ndarray:
        """Whole units made before."""
        return np.floor(np.interp(seconds, self.time, self.units) + 1e-9).astype(np.int64)

    def moments(self) -> np.ndarray:
        """When each unit was finished, seconds."""
        return np.interp(np.arange(1, int(self.units[-1]) + 1), self.units, self.time)


def output_of(
    reference: ProductionReference,
    plan: LineWeek,
    machine: Machine,
    timeline: Timeline,
    *,
    pace: Machine,
    speed: float,
) -> Output:
    """A machine runs at its own standard rate or the line's (`pace`), whichever is lower, as fast as its crew is."""
    per_second, good = np.zeros(len(plan.segments) + 1), np.zeros(len(plan.segments))
    for number, it in enumerate(plan.segments):
        shift, order = plan.shifts[it.shift], plan.orders[it.order]
        standard = min(reference.standard_rate(order.product, each.machine_id, shift.day) for each in (machine, pace))
        people = max(0.1, 1 + reference.rates.short_staffed_rate * shift.missing_share)
        per_second[number] = standard / 3600 * speed * shift.skill.rate_factor * shift.rate_noise * people
        good[number] = good_probability(reference, plan, machine, it)
    running = timeline.codes == RUNNING
    made = np.diff(timeline.bounds) * np.where(running, per_second[timeline.segments], 0)
    return Output(timeline.bounds.astype(float), np.append(0, np.cumsum(made)), good)


def good_probability(reference: ProductionReference, plan: LineWeek, machine: Machine, segment: Segment) -> float:
    shift, order = plan.shifts[segment.shift], plan.orders[segment.order]
    share = float(np.clip(reference.good_share[order.product], 1e-9, 1 - 1e-9))
    logit = np.log(share / (1 - share)) + machine.quality_logit + shift.skill.quality_logit + shift.quality_noise
    logit += order.quality_noise + reference.rates.short_staffed_logit * shift.missing_share
    return float(1 / (1 + np.exp(-logit)))
