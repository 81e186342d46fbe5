"""What is really so in the simulated plant, for tests of what is computed from its records."""

import itertools

from generator.production.reading import ProductionReference


def truth(reference: ProductionReference) -> dict:
    """By line: `shifts`, one entry per shift and crew that its patterns name, with the true effects on the logit of a
    good unit and on the rate (factor), and the mix of products; `machines` and `products` with theirs."""
    lines = {}
    for line_id, machines in reference.lines.items():
        lines[line_id] = {
            "shifts": [_shift(reference, line_id, *worked) for worked in reference.shifts(line_id)],
            "machines": {it.machine_id: {"quality_logit": it.quality_logit} for it in machines},
        }
    products = dict(zip(reference.products, reference.good_share.tolist(), strict=True))
    rates = reference.rates
    return {
        "lines": lines,
        "differences": {line_id: list(_differences(entry["shifts"])) for line_id, entry in lines.items()},
        "products": {name: {"good_share": share} for name, share in products.items()},
        "staffing": {"quality_logit_per_share": rates.short_staffed_logit, "rate_per_share": rates.short_staffed_rate},
        "noise": {
            "day_quality_sd": rates.day_quality_sd,
            "lot_quality_sd": rates.lot_quality_sd,
            "day_rate_sd": rates.day_rate_sd,
        },
    }


def _shift(reference: ProductionReference, line_id: str, name: str, crew: str) -> dict:
    skill = reference.skill(line_id, name, crew)
    mix = dict(zip(reference.products, reference.mix(line_id, name).tolist(), strict=True))
    return {
        "shift_name": name,
        "crew": crew or None,
        "quality_logit": skill.quality_logit,
        "rate_factor": skill.rate_factor,
        "minor_stop_factor": skill.minor_stop_factor,
        "setup_factor": skill.setup_factor,
        "mix": {product: share for product, share in mix.items() if share},
    }


def _differences(shifts: list[dict]):
    """Of each pair of shifts and crews, what remains at equal product, machine and staffing."""
    for one, other in itertools.combinations(shifts, 2):
        yield {
            "one": [one["shift_name"], one["crew"]],
            "other": [other["shift_name"], other["crew"]],
            "quality_logit": one["quality_logit"] - other["quality_logit"],
            "rate_ratio": one["rate_factor"] / other["rate_factor"],
        }
