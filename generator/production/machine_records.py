"""What a machine's week puts on record: states, counts, cycles and jobs of maintenance."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from generator.production.plan import LineWeek
from generator.production.reading import Machine, ProductionReference
from generator.production.tables import TEXT, Rows
from generator.production.timeline import NOTHING, OFF, RUNNING, Codes, Output, Timeline

CYCLE_SPREAD = 0.03
"""Of the time between two cycles, as a fraction of it."""


@dataclass(frozen=True)
class Made:
    """A machine's week, and the stream that decides how it is reported."""

    reference: ProductionReference
    codes: Codes
    plan: LineWeek
    machine: Machine
    timeline: Timeline
    output: Output
    rng: np.random.Generator


def add_states(rows: Rows, made: Made) -> None:
    """A record where the state or the order changes, and now and then one that says the same again."""
    orders = np.array([it.order for it in made.plan.segments] + [NOTHING])[made.timeline.segments]
    orders = np.where(made.timeline.codes == OFF, NOTHING, orders)
    changes = (made.timeline.codes[1:] != made.timeline.codes[:-1]) | (orders[1:] != orders[:-1])
    at = np.append(0, np.flatnonzero(changes) + 1)
    again = at[made.rng.random(len(at)) < made.reference.rates.state_repeat_share]
    middle = (made.timeline.bounds[again] + made.timeline.bounds[again + 1]) / 2
    times, at = np.append(made.timeline.bounds[at], middle), np.append(at, again)
    order = np.argsort(times, kind="stable")
    times, at = times[order], at[order]
    moments = made.plan.instant(times)
    rows.add(
        "machine_state",
        moments,
        machine_id=[made.machine.machine_id] * len(at),
        state_start_at=moments,
        state=[made.codes.states[code] for code in made.timeline.codes[at]],
        reason_code=[made.codes.reasons[code] for code in made.timeline.codes[at]],
        work_order_id=[None if k == NOTHING else made.plan.orders[k].work_order_id for k in orders[at]],
    )


def add_counts(rows: Rows, made: Made) -> None:
    """A row per order and counting interval, whatever shift it is in; intervals follow the clock of the counter."""
    step = int(made.reference.rates.count_interval_min * 60)
    ran = np.flatnonzero(made.timeline.codes == RUNNING)
    cuts = np.union1d(made.timeline.bounds, np.arange(0, made.plan.seconds + step, step).clip(max=made.plan.seconds))
    of_timeline = np.searchsorted(made.timeline.bounds, cuts[:-1], side="right") - 1
    segments = made.timeline.segments[of_timeline]
    kept = np.isin(of_timeline, ran) & (segments != NOTHING)
    starts, ends, segments = cuts[:-1][kept], cuts[1:][kept], segments[kept]
    totals = made.output.at(ends) - made.output.at(starts)
    good = made.rng.binomial(totals, made.output.good[segments])
    scrap = made.rng.binomial(totals - good, 1 - made.reference.rates.rework_share)
    orders = np.array([it.order for it in made.plan.segments], np.int64)[segments]
    keys, first, group = np.unique(
        np.stack([starts // step, orders], axis=1), axis=0, return_index=True, return_inverse=True
    )
    group = group.reshape(-1)
    low = np.full(len(keys), made.plan.seconds)
    high = np.zeros(len(keys), np.int64)
    # The counter reports from the hour, or the order's beginning in it, to the hour or the order's end.
    spans = [(made.plan.segments[s].start, made.plan.segments[s].end) for s in segments]
    opened = np.array([span[0] for span in spans], np.int64)
    closed = np.array([max(span[1], end) for span, end in zip(spans, ends, strict=True)], np.int64)
    np.minimum.at(low, group, np.maximum(opened, starts // step * step))
    np.maximum.at(high, group, np.minimum(closed, (starts // step + 1) * step))
    sums = [np.bincount(group, weights=each, minlength=len(keys)).astype(np.int64) for each in (totals, good, scrap)]
    products = [made.plan.orders[order].product for order in keys[:, 1]]
    moments = made.plan.instant(low)
    rows.add(
        "production_count",
        moments,
        machine_id=[made.machine.machine_id] * len(keys),
        interval_start_at=moments,
        interval_end_at=made.plan.instant(np.minimum(high, made.plan.seconds)),
        product_name=[made.reference.products[product] for product in products],
        total_count=sums[0],
        good_count=sums[1],
        scrap_count=sums[2],
        rework_count=sums[0] - sums[1] - sums[2],
        work_order_id=[made.plan.orders[order].work_order_id for order in keys[:, 1]],
    )


def add_cycles(rows: Rows, made: Made) -> None:
    moments = made.output.moments()
    gaps = np.diff(moments, prepend=0)
    moments -= np.minimum(gaps, 3600) * CYCLE_SPREAD * made.rng.random(len(moments))
    moments = np.sort(moments.clip(0, made.plan.seconds - 1e-3))
    at = np.searchsorted(made.timeline.bounds, moments, side="right") - 1
    # The end of an interval is still of it.
    segments = made.timeline.segments[np.where(made.timeline.codes[at.clip(0)] == RUNNING, at, at - 1).clip(0)]
    has_part = made.rng.random(len(moments)) >= made.reference.rates.empty_cycle_share
    has_part &= segments != NOTHING
    orders = np.array([it.order for it in made.plan.segments] + [0], np.int64)[segments]
    names = pa.array([made.reference.products[it.product] for it in made.plan.orders], TEXT)
    lots = pa.array([f"LOT-{it.work_order_id}" for it in made.plan.orders], TEXT)
    taken = pa.array(orders, mask=~has_part)
    instants = made.plan.instant(moments)
    rows.add(
        "machine_cycle",
        instants,
        machine_id=pa.repeat(pa.scalar(made.machine.machine_id), len(moments)),
        cycle_timestamp=instants,
        part_present=has_part,
        product_name=names.take(taken),
        lot_number=lots.take(taken),
    )


def add_jobs(rows: Rows, made: Made) -> None:
    long = made.timeline.repairs.ends - made.timeline.repairs.starts >= made.reference.rates.corrective_job_min * 60
    starts = np.append(made.timeline.services[:, 0], made.timeline.repairs.starts[long])
    ends = np.append(made.timeline.services[:, 1], made.timeline.repairs.ends[long])
    reasons = [made.codes.reasons[code] for code in made.timeline.repairs.codes[long]]
    count = len(made.timeline.services)
    rows.add(
        "maintenance",
        made.plan.instant(starts),
        machine_id=[made.machine.machine_id] * len(starts),
        start_at=made.plan.instant(starts),
        end_at=made.plan.instant(ends),
        kind=["planned"] * count + ["corrective"] * len(reasons),
        work=["Service"] * count + [f"Repair: {reason or 'unknown'}" for reason in reasons],
    )
