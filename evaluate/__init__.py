"""How well what the marts conclude holds where the truth is known: `make evaluate WHAT=shifts SEEDS=1..1000`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """What to evaluate on: simulated plants of these seeds, or records with their truth in `data` (None: simulated)."""

    seeds: range
    data: Path | None = None


class EvaluationError(Exception):
    """What keeps an evaluation from running, for the one who asked."""
