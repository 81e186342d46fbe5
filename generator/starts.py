"""How many modules are started, and the serials and lots they get.

Everything here depends only on the week's number, never on how far a history goes, so that a later night continues the
same history.
"""

from dataclasses import dataclass

import numpy as np

from generator.process import MODULE
from generator.reference import Reference

FAR = 3.0
"""Weekly starts stay within this many standard deviations of their mean."""
LONGEST_DAYS = 7 * 1100
"""The longest history; a serial that is never to be reused differs from all others within it."""


@dataclass(frozen=True)
class Starts:
    """Start counts of weeks 0 ... n - 1, int64 (n, products)."""

    counts: np.ndarray
    scale: float
    serial_digits: int

    def of_week(self, reference: Reference, rng: np.random.Generator, week: int, begin: int, end: int) -> np.ndarray:
        """Modules of a week, of dtype MODULE, by their start within [begin, end), microseconds UTC.

        Serials count up within a prefix and roll over after `serial_digits` digits; lots count up within the plant.
        """
        counts = self.counts[week]
        modules = np.zeros(counts.sum(), dtype=MODULE)
        modules["product"] = np.repeat(np.arange(len(counts)), counts)
        modules["start"] = rng.integers(begin, end, len(modules))
        modules["is_engineering"] = rng.random(len(modules)) < reference.rates.engineering_share
        modules = modules[np.argsort(modules["start"], kind="stable")]

        prefix = reference.prefix_of_product[modules["product"]]
        used = np.bincount(reference.prefix_of_product, weights=self.counts[:week].sum(axis=0)).astype(np.int64)
        modules["number"] = (used[prefix] + 1 + _rank(prefix)) % 10**self.serial_digits

        lots = -(-self.counts[: week + 1] // reference.rates.lot_size)
        first_lot = lots[:week].sum() + np.cumsum(lots[week]) - lots[week] + 1
        modules["lot"] = first_lot[modules["product"]] + _rank(modules["product"]) // reference.rates.lot_size
        return modules


def plan_starts(
    reference: Reference,
    seed: int,
    scale: float,
    weeks: int,
    *,
    serial_reuse_days: int | None,
    introduced: tuple[int, int] | None = None,
) -> Starts:
    """Start counts of the first `weeks` weeks: normal around the mean, rounded at random so that fractions add up.

    `introduced`: a product that is not started before a week.
    """
    shape = (weeks, len(reference.products))
    # Each stream fills row by row: a longer plan begins with the shorter one.
    spread = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0, 0))).standard_normal(shape)
    rounding = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0, 1))).random(shape)
    wanted = reference.weekly_start_qty * scale * (1 + reference.weekly_start_sd * spread.clip(-FAR, FAR))
    counts = np.floor(wanted.clip(0) + rounding).astype(np.int64)
    if introduced:
        product, week = introduced
        counts[:week, product] = 0
    return Starts(counts, scale, _serial_digits(reference, scale, serial_reuse_days))


def _serial_digits(reference: Reference, scale: float, serial_reuse_days: int | None) -> int:
    """At least 6, and enough that a number comes back only after more than `serial_reuse_days` without a record."""
    most = reference.weekly_start_qty * scale * (1 + reference.weekly_start_sd * FAR) + 1
    most_of_prefix = np.bincount(reference.prefix_of_product, weights=most).max()
    days = LONGEST_DAYS if serial_reuse_days is None else serial_reuse_days
    weeks = -(-(days + reference.rates.life_limit_days) // 7) + 2
    return max(6, len(str(int(most_of_prefix * weeks))))


def _rank(groups: np.ndarray) -> np.ndarray:
    """Position of each element among those of its group, from 0."""
    order = np.argsort(groups, kind="stable")
    counts = np.bincount(groups)
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rank
