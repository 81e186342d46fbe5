"""The process: what happens to the modules of one start week, from their first test to finish, scrap or abandonment.

All modules take their next attempt together, round by round: arrays with one element per module under way. A module
never waits for a machine to become free; its waits are drawn.
"""

from dataclasses import dataclass, field

import numpy as np

from generator.reference import Reference

MODULE = np.dtype([("start", "i8"), ("number", "i8"), ("lot", "i8"), ("product", "i2"), ("is_engineering", "?")])
"""A module: start of its first attempt in microseconds UTC, numbers of its serial and lot."""
PASS, FAIL, ERROR, ABORT = range(4)
RESULTS = ["PASS", "FAIL", "ERROR", "ABORT"]
PRODUCTION, GOLDEN, ENGINEERING = range(3)
PURPOSES = ["production", "golden", "engineering"]
SECOND = 1_000_000
DAY = 86_400 * SECOND
NONE = -1
ATTEMPT = np.dtype(
    [
        ("start", "i8"),
        ("duration_s", "f8"),
        ("number", "i8"),
        ("lot", "i8"),
        ("product", "i2"),
        ("test", "i2"),
        ("machine", "i2"),
        ("error_code", "i2"),
        ("fixture", "i2"),
        ("result", "i1"),
        ("purpose", "i1"),
    ]
)
"""A test attempt; `start` in microseconds UTC, `number` of the serial, NONE where there is no lot or error code."""
REWORK = np.dtype(
    [
        ("start", "i8"),
        ("duration_s", "f8"),
        ("number", "i8"),
        ("product", "i2"),
        ("component", "i2"),
        ("error_code", "i2"),
        ("technician", "i2"),
    ]
)

BACKLOG_SPREAD = 0.5
"""What waited while a machine was closed is done in this fraction of that time, in its order."""


@dataclass
class Disturbances:
    """What changes attempts at machines, each with machine, start and end in microseconds UTC."""

    fails: list[tuple[int, int, int, float]] = field(default_factory=list)
    """And by how much attempts pass less often, 0 to 1."""
    longer: list[tuple[int, int, int, float]] = field(default_factory=list)
    """And by which fraction they take longer."""
    closed: list[tuple[int, int, int]] = field(default_factory=list)

    def started(self, machine: np.ndarray, start: np.ndarray, deadline: np.ndarray | int) -> np.ndarray:
        """When attempts start that were to start at `start`: after a closure of the machine, unless at `deadline`."""
        if not self.closed:
            return start
        moved = start.copy()
        closed = np.array(sorted(self.closed), dtype=np.int64)
        for each in np.unique(closed[:, 0]):
            begins, ends = closed[closed[:, 0] == each, 1:].T
            at = np.flatnonzero(machine == each)
            while at.size:  # a backlog may reach into the next closure
                closure = np.searchsorted(begins, moved[at], side="right") - 1
                waits = (closure >= 0) & (moved[at] < ends[closure])
                at, closure = at[waits], closure[waits]
                moved[at] = ends[closure] + np.rint((moved[at] - begins[closure]) * BACKLOG_SPREAD).astype(np.int64)
        return np.where(moved < deadline, moved, start)

    @staticmethod
    def sum_of(effects: list[tuple[int, int, int, float]], machine: np.ndarray, start: np.ndarray) -> np.ndarray:
        total = np.zeros(len(machine))
        for its, begin, end, size in effects:
            total[(machine == its) & (start >= begin) & (start < end)] += size
        return total


def run_modules(
    reference: Reference, rng: np.random.Generator, modules: np.ndarray, disturbances: Disturbances
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Runs `modules` (MODULE) along their routes; gives attempts and reworks, an array for each round.

    A pass moves on to the next test after a wait; a fail, error or abort is repeated after a short one, and only fails
    count. A module that used up a test's attempts is scrapped, or gets a component replaced and fresh attempts. No
    record starts later than `life_limit_days` after the module's start.
    """
    steps, rates = reference.steps, reference.rates
    attempts, reworks = [], []
    step = reference.first_step[modules["product"]]
    clock = modules["start"].copy()
    deadline = modules["start"] + rates.life_limit_days * DAY
    fails = np.zeros(len(modules), dtype=np.int64)
    repairs = np.zeros(len(modules), dtype=np.int64)
    going = np.arange(len(modules))
    while going.size:
        at = step[going]
        pass_probability = steps.pass_probability[at] * steps.retest_pass_factor[at] ** fails[going]
        attempt = _attempt(
            reference,
            rng,
            modules[going],
            at,
            start=clock[going],
            deadline=deadline[going],
            pass_probability=pass_probability,
            disturbances=disturbances,
        )
        attempts.append(attempt)
        passed, failed = attempt["result"] == PASS, attempt["result"] == FAIL
        end = attempt["start"] + _microseconds(attempt["duration_s"])
        used = fails[going] + failed
        is_out = failed & (used >= steps.max_attempts[at])
        is_repaired = is_out & (repairs[going] < rates.max_reworks)
        is_repaired[is_repaired] = rng.random(is_repaired.sum()) < rates.rework_probability

        following = np.where(passed & ~steps.is_last[at], at + 1, at)
        mean_wait = np.where(passed, steps.wait_s[following], rates.retest_wait_s)
        resumed = end + _waits(reference, rng, mean_wait)
        if is_repaired.any():
            repaired = going[is_repaired]
            rework = _rework(reference, rng, modules[repaired], attempt["error_code"][is_repaired], end[is_repaired])
            reworks.append(rework[rework["start"] < deadline[repaired]])
            bench_time = rework["start"] - end[is_repaired] + _microseconds(rework["duration_s"])
            resumed[is_repaired] += bench_time
            repairs[repaired] += 1

        step[going], clock[going] = following, resumed
        fails[going] = np.where(passed | is_repaired, 0, used)
        is_done = (passed & steps.is_last[at]) | (is_out & ~is_repaired)
        going = going[~is_done & (resumed < deadline[going])]
    return attempts, reworks


def run_golden_units(
    reference: Reference,
    rng: np.random.Generator,
    scale: float,
    *,
    begin: int,
    end: int,
    disturbances: Disturbances,
) -> np.ndarray:
    """Single attempts of each product's golden unit, spread over [begin, end); `number` is the unit's, from 1."""
    count = int(reference.rates.golden_runs_per_week * scale + rng.random())
    at = rng.integers(0, len(reference.steps.product), count)
    units = np.zeros(count, dtype=MODULE)
    units["product"] = reference.steps.product[at]
    units["number"] = units["product"] + 1
    units["lot"] = NONE
    start = np.sort(rng.integers(begin, end, count))
    pass_probability = np.full(count, reference.rates.golden_pass_probability)
    attempt = _attempt(
        reference,
        rng,
        units,
        at,
        start=start,
        deadline=end,
        pass_probability=pass_probability,
        disturbances=disturbances,
    )
    attempt["purpose"] = GOLDEN
    return attempt


def _attempt(
    reference: Reference,
    rng: np.random.Generator,
    modules: np.ndarray,
    at: np.ndarray,
    *,
    start: np.ndarray,
    deadline: np.ndarray | int,
    pass_probability: np.ndarray,
    disturbances: Disturbances,
) -> np.ndarray:
    """One attempt of each module at step `at`; dtype ATTEMPT."""
    steps, rates = reference.steps, reference.rates
    attempt = np.empty(len(modules), dtype=ATTEMPT)
    for column in ("number", "lot", "product"):
        attempt[column] = modules[column]
    attempt["test"] = steps.test[at]
    attempt["machine"] = reference.machine_of_test.draw(rng, steps.test[at])
    attempt["start"] = start = disturbances.started(attempt["machine"], start, deadline)
    pass_probability = pass_probability - disturbances.sum_of(disturbances.fails, attempt["machine"], start)
    attempt["fixture"] = rng.integers(0, rates.fixtures_per_machine, len(modules))
    attempt["purpose"] = np.where(modules["is_engineering"], ENGINEERING, PRODUCTION)

    is_pass = rng.random(len(modules)) < pass_probability
    disturbance = rng.random(len(modules))
    is_disturbed = disturbance < rates.error_rate + rates.abort_rate
    is_fail = ~is_pass & ~is_disturbed
    attempt["result"] = np.where(is_pass, PASS, FAIL)
    attempt["result"][is_disturbed] = np.where(disturbance[is_disturbed] < rates.error_rate, ERROR, ABORT)
    duration = _durations(reference, rng, at, is_pass)
    if disturbances.longer:
        duration = _rounded(duration * (1 + disturbances.sum_of(disturbances.longer, attempt["machine"], start)))
    duration[is_disturbed] = _rounded(duration[is_disturbed] * rng.random(is_disturbed.sum()))
    attempt["duration_s"] = duration
    attempt["error_code"] = NONE
    attempt["error_code"][is_fail] = reference.error_code_of_test.draw(rng, attempt["test"][is_fail])
    return attempt


def _rework(
    reference: Reference, rng: np.random.Generator, modules: np.ndarray, cause: np.ndarray, after: np.ndarray
) -> np.ndarray:
    rework = np.empty(len(modules), dtype=REWORK)
    rework["number"], rework["product"], rework["error_code"] = modules["number"], modules["product"], cause
    rework["start"] = after + _waits(reference, rng, np.full(len(modules), reference.rates.rework_wait_s))
    rework["duration_s"] = _rounded(reference.rates.rework_duration_s * rng.gamma(8, 1 / 8, len(modules)))
    rework["component"] = reference.component_of_rework.draw(rng, np.zeros(len(modules), int))
    rework["technician"] = rng.integers(0, reference.rates.technician_count, len(modules))
    return rework


def _durations(reference: Reference, rng: np.random.Generator, at: np.ndarray, is_pass: np.ndarray) -> np.ndarray:
    """Seconds, lognormal with the step's mean; `duration_sd` is that of the logarithm, about the relative one."""
    steps = reference.steps
    mean = np.where(is_pass, steps.pass_duration_s[at], steps.fail_duration_s[at])
    sd = steps.duration_sd[at]
    return _rounded(mean * np.exp(sd * rng.standard_normal(len(at)) - sd**2 / 2))


def _rounded(seconds: np.ndarray) -> np.ndarray:
    """To 4 decimals, as stations write it, and never 0."""
    return np.maximum(np.round(seconds, 4), 1e-4)


def _waits(reference: Reference, rng: np.random.Generator, mean_s: np.ndarray) -> np.ndarray:
    """Microseconds, gamma with the given means."""
    shape = reference.rates.wait_shape
    return _microseconds(mean_s * rng.gamma(shape, 1 / shape, len(mean_s)))


def _microseconds(seconds: np.ndarray) -> np.ndarray:
    return np.rint(seconds * SECOND).astype(np.int64)
