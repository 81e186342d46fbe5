"""Flags held against the truth: which faults were found, how late, and how many episodes were false.

An episode fits a fault when it is of its machine and metric (`fits`), and its time overlaps that of the fault, with a
tolerance on both sides: as long as the fault itself, at least 2 hours, at most a day. It must not have begun earlier
than that: what is always on finds nothing. It fits one fault at most, the one whose beginning is closest to its own.
Several episodes of one fault count once; the others are extra. One that fits none is false.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

LEGITIMATE = "legitimate_"
LEAST_TOLERANCE, MOST_TOLERANCE = pd.Timedelta(hours=2), pd.Timedelta(days=1)
SAME_METRIC = {
    "first_pass_yield": {"first_pass_yield", "passing_rate"},
    "duration": {"duration", "relative_duration", "effectiveness"},
}
"""Metrics that show a fault beside its own: fewer first passes are fewer passes."""
OF_STATIONS = [*set().union(*SAME_METRIC.values()), "technical_efficiency", "units_not_scrapped"]
"""Metrics that no fault of a sensor shows in."""
JOINT = "together"
"""The detector that looks at all sensors of a machine at once; which of them it names is open."""

TRUTH = ["plant", "fault_id", "machine_id", "entity", "metric", "kind", "start_at", "end_at"]
EPISODES = [
    *["plant", "anomaly_id", "machine_id", "entity", "metric", "detector"],
    *["started_at", "ended_at", "flagged_at", "series_count"],
]
"""Columns of the two tables; `plant` tells simulated plants apart, flagged_at is the end of the first point flagged.
Episodes may have further ones."""


@dataclass(frozen=True)
class Judged:
    """`faults`: TRUTH, is_found, delay_s (to the first flag that fits, NaN where none does). `episodes`: EPISODES,
    fault_id (of the fault that it fits), is_extra, is_false, change (kind of the legitimate change at that time)."""

    faults: pd.DataFrame
    episodes: pd.DataFrame


def judge(truth: pd.DataFrame, episodes: pd.DataFrame) -> Judged:
    """Holds `episodes` against `truth`, legitimate changes included."""
    faults = truth[~truth.kind.str.startswith(LEGITIMATE)].reset_index(drop=True)
    changes = truth[truth.kind.str.startswith(LEGITIMATE)]
    pairs = _overlapping(faults, episodes)
    pairs = pairs[fits(pairs)]
    pairs = pairs.assign(distance=(pairs.started_at - pairs.start_at).abs())
    chosen = pairs.sort_values(["distance", "fault_id"]).drop_duplicates(["plant", "anomaly_id"])
    chosen = chosen.sort_values(["flagged_at", "anomaly_id"])
    is_extra = chosen.duplicated(["plant", "fault_id"])
    judged = episodes.merge(
        chosen.assign(is_extra=is_extra)[["plant", "anomaly_id", "fault_id", "is_extra"]],
        on=["plant", "anomaly_id"],
        how="left",
    )
    judged["is_extra"] = judged.is_extra.eq(True)
    judged["is_false"] = judged.fault_id.isna()
    about = _overlapping(changes, episodes).drop_duplicates(["plant", "anomaly_id"])
    judged = judged.merge(
        about[["plant", "anomaly_id", "kind"]].rename(columns={"kind": "change"}),
        on=["plant", "anomaly_id"],
        how="left",
    )
    first = chosen[~is_extra].set_index(["plant", "fault_id"])
    delay = (first.flagged_at - first.start_at).dt.total_seconds().clip(lower=0)
    found = faults.merge(delay.rename("delay_s").reset_index(), on=["plant", "fault_id"], how="left")
    found["is_found"] = found.delay_s.notna()
    return Judged(found, judged)


def fits(pairs: pd.DataFrame) -> pd.Series:
    """Whether the entity and metric of an episode (`_episode`) fit those of the fault of its machine."""
    metric, episode_metric = pairs.metric_truth, pairs.metric_episode
    is_station = pairs.entity_truth == pairs.machine_id
    is_metric = metric == episode_metric
    for wanted, others in SAME_METRIC.items():
        is_metric |= (metric == wanted) & episode_metric.isin(others)
    is_sensor = (pairs.entity_truth == pairs.entity_episode) & is_metric
    is_group = (pairs.series_count > 1) | (pairs.detector == JOINT) | (pairs.entity_episode == pairs.machine_id)
    is_of_sensors = ~episode_metric.isin(OF_STATIONS)
    return (is_station & is_metric) | (~is_station & (is_sensor | (is_group & is_of_sensors)))


def _overlapping(truth: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
    """Pairs of one machine whose times overlap with tolerance."""
    pairs = truth.merge(episodes[EPISODES], on=["plant", "machine_id"], suffixes=("_truth", "_episode"))
    tolerance = (pairs.end_at - pairs.start_at).clip(LEAST_TOLERANCE, MOST_TOLERANCE)
    begins = pairs.started_at.between(pairs.start_at - tolerance, pairs.end_at + tolerance)
    return pairs[begins & (pairs.ended_at >= pairs.start_at - tolerance)]


def by_kind(judged: Judged) -> pd.DataFrame:
    """Of each kind of fault: count, found, missed, recall, median and 90 % quantile of the delay in minutes."""
    grouped = judged.faults.groupby("kind")
    table = pd.DataFrame(
        {
            "faults": grouped.size(),
            "found": grouped.is_found.sum(),
            "delay_min": grouped.delay_s.median() / 60,
            "delay_p90_min": grouped.delay_s.quantile(0.9) / 60,
        }
    )
    table.insert(2, "missed", table.faults - table.found)
    table.insert(3, "recall", table.found / table.faults)
    return table


def by_detector(judged: Judged, machine_weeks: float) -> pd.DataFrame:
    """Of each detector: episodes, those that were the first or a further one of a fault, false ones, and precision."""
    grouped = judged.episodes.groupby("detector")
    table = pd.DataFrame({"episodes": grouped.size(), "extra": grouped.is_extra.sum(), "false": grouped.is_false.sum()})
    table.insert(1, "found", table.episodes - table.extra - table.false)
    table["false_per_machine_week"] = table.false / machine_weeks
    table["precision"] = table.found / (table.found + table.false).replace(0, np.nan)
    return table


def by_detector_and_kind(judged: Judged) -> pd.DataFrame:
    """Faults of each kind that each detector found, whether first or not."""
    found = judged.episodes.dropna(subset="fault_id").drop_duplicates(["plant", "fault_id", "detector"])
    found = found.merge(judged.faults[["plant", "fault_id", "kind"]], on=["plant", "fault_id"])
    return pd.crosstab(found.detector, found.kind)


@dataclass(frozen=True)
class Figures:
    """All plants together. `false_rates`: false episodes per machine and month (28 days), by group of machines."""

    recall: float
    least_recall: float
    least_faults: int
    precision: float
    false_rates: dict[str, float]


def figures(judged: Judged, machine_months: dict[str, tuple[set, float]]) -> Figures:
    """`machine_months`: by group of machines, which (plant, machine) they are and their months."""
    faults, episodes = judged.faults, judged.episodes
    kinds = by_kind(judged)
    found, false = int(faults.is_found.sum()), episodes[episodes.is_false]
    places = list(zip(false.plant, false.machine_id, strict=True))
    return Figures(
        recall=found / len(faults) if len(faults) else np.nan,
        least_recall=kinds.recall.min() if len(kinds) else np.nan,
        least_faults=int(kinds.faults.min()) if len(kinds) else 0,
        precision=found / (found + len(false)) if found + len(false) else np.nan,
        false_rates={
            name: sum(place in machines for place in places) / months
            for name, (machines, months) in machine_months.items()
        },
    )
