"""What is on record of a line's week: orders and their steps, the plan by shift, who is there, closures."""

import numpy as np

from generator.production.plan import LineWeek
from generator.production.reading import Machine, ProductionReference
from generator.production.tables import Rows

DAY_S = 86_400


def add_plan(
    rows: Rows, reference: ProductionReference, plan: LineWeek, machines: list[Machine], pace: Machine
) -> None:
    """Orders, what is planned of them by shift, who is there, and closures."""
    rates = reference.rates
    begin, segments = np.array([it.start for it in plan.segments], np.int64), plan.segments
    end = np.array([it.end for it in segments], np.int64)
    products = [plan.orders[it.order].product for it in segments]
    days = [plan.shifts[it.shift].day for it in segments]
    rate = np.array([reference.standard_rate(p, pace.machine_id, day) for p, day in zip(products, days, strict=True)])
    worked = np.maximum(end - begin - np.array([it.setup_min * 60 for it in segments]), 0)
    planned = np.round(worked / 3600 * rate * rates.plan_tightness)
    orders = np.array([it.order for it in segments], np.int64)
    rows.add(
        "production_plan",
        plan.instant(begin),
        product_name=[reference.products[product] for product in products],
        line_id=[plan.line_id] * len(segments),
        planned_start_at=plan.instant(begin),
        planned_quantity=planned,
        planned_end_at=plan.instant(end),
        work_order_id=[plan.orders[order].work_order_id for order in orders],
        shift_name=[plan.shifts[it.shift].name for it in segments],
    )
    used = np.unique(orders)
    first = np.array([begin[orders == order].min() for order in used], np.int64)
    last = np.array([end[orders == order].max() for order in used], np.int64)
    quantity = np.array([planned[orders == order].sum() for order in used])
    # One that ends with the week is finished a second before, within its week.
    for status, updated in (("released", first), ("finished", np.minimum(last, plan.seconds - 1))):
        rows.add(
            "work_order",
            plan.instant(updated),
            work_order_id=[plan.orders[order].work_order_id for order in used],
            product_name=[reference.products[plan.orders[order].product] for order in used],
            quantity=quantity,
            updated_at=plan.instant(updated),
            due_at=plan.instant(last + DAY_S),
            priority=[plan.orders[order].priority for order in used],
            status=[status] * len(used),
            released_at=plan.instant(first),
        )
    for number, machine in enumerate(machines, start=1):
        rows.add(
            "work_order_operation",
            plan.instant(first),
            work_order_id=[plan.orders[order].work_order_id for order in used],
            operation=[machine.machine_id] * len(used),
            sequence=[10 * number] * len(used),
            machine_id=[machine.machine_id] * len(used),
            standard_rate_per_h=[
                reference.standard_rate(
                    plan.orders[order].product, machine.machine_id, days[np.argmax(orders == order)]
                )
                for order in used
            ],
            setup_min=[segments[np.argmax(orders == order)].setup_min for order in used],
        )
    staffed = [it for it in plan.shifts if 0 <= it.start < plan.seconds and it.planned_headcount]
    rows.add(
        "staffing",
        plan.instant([it.start for it in staffed]),
        shift_date=[it.day for it in staffed],
        shift_name=[it.name for it in staffed],
        line_id=[plan.line_id] * len(staffed),
        headcount=[float(it.headcount) for it in staffed],
        planned_headcount=[float(it.planned_headcount) for it in staffed],
        operator_ids=[
            " ".join(f"OP-{plan.line_id}-{it.crew or it.name}-{k}" for k in range(1, it.headcount + 1)) or None
            for it in staffed
        ],
    )
    rows.add(
        "schedule_change",
        plan.instant(plan.closures[:, 0]),
        line_id=[plan.line_id] * len(plan.closures),
        start_at=plan.instant(plan.closures[:, 0]),
        end_at=plan.instant(plan.closures[:, 1]),
        kind=["closed"] * len(plan.closures),
        note=["No orders"] * len(plan.closures),
    )
