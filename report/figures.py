"""Figures of a workbook's summary: parts summed over published rows, then divided; figures.js does it for the page."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

Z = 1.959963984540054  # 95 %


def share(part: int, whole: int) -> float | None:
    """part / whole, None where whole is 0."""
    return part / whole if whole else None


@dataclass(frozen=True)
class Rolled:
    """A rolled yield and its 95 % interval; without steps all None, at 0 without an interval."""

    value: float | None
    low: float | None = None
    high: float | None = None


def roll(steps: Iterable[tuple[str, int, int]]) -> Rolled:
    """Product over tests of (Σ passed / Σ load quantity). `steps`: (test, passed, load quantity), weeks in any number.

    Interval: exp(ln Y ± 1.96·√Σ(1−p)/(n·p)), docs: metrics.
    """
    parts: dict[str, list[int]] = {}
    for test, passed, load in steps:
        sums = parts.setdefault(test, [0, 0])
        sums[0] += passed
        sums[1] += load
    factors = [(passed / load, passed) for passed, load in parts.values() if load]
    if not factors:
        return Rolled(None)
    value = math.prod(factor for factor, _ in factors)
    if value == 0:
        return Rolled(0.0)
    spread = math.exp(Z * math.sqrt(sum((1 - factor) / passed for factor, passed in factors)))
    return Rolled(value, value / spread, min(1.0, value * spread))
