"""Labelled spans of series, and how well flags meet them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate import EvaluationError
from evaluate.series_file import SeriesFile, delimiter


@dataclass(frozen=True)
class Labels:
    """`told` is a JSON file {file: [[from, to], ...]}, or the name of a column of 0 and 1 in the files."""

    told: str

    @property
    def column(self) -> str | None:
        """None where labels are in a file of their own."""
        return None if self.told.endswith(".json") else self.told

    def spans(self, data: Path, files: list[SeriesFile]) -> dict[str, list[tuple[pd.Timestamp, pd.Timestamp]]]:
        """Labelled spans of each file, both ends included. Raises EvaluationError where there are none to be found."""
        if self.column:
            return {file.name: self._of_column(data / file.name if data.is_dir() else data, file) for file in files}
        try:
            told = json.loads(Path(self.told).read_text(encoding="utf-8"))
            spans = {name: [tuple(map(_time, span)) for span in spans] for name, spans in told.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise EvaluationError(f"{self.told}: expected {{file: [[from, to], ...]}}: {error}") from None
        found = {file.name: _of_file(spans, file.name) for file in files}
        if told and not any(file.name in spans or Path(file.name).name in spans for file in files):
            raise EvaluationError(f"{self.told}: names none of the files")
        return found

    def _of_column(self, path: Path, file: SeriesFile) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
        head = pd.read_csv(path, sep=delimiter(path), dtype=str, encoding="utf-8-sig")
        names = {column.strip().lower(): column for column in head.columns}
        if self.told.lower() not in names:
            return []
        is_labelled = pd.to_numeric(head[names[self.told.lower()]], errors="coerce").fillna(0) != 0
        rows = pd.DataFrame({"time": file.rows.time, "is_labelled": is_labelled}).dropna().sort_values("time")
        run = (rows.is_labelled != rows.is_labelled.shift()).cumsum()
        runs = rows[rows.is_labelled].groupby(run).time
        return list(zip(runs.min(), runs.max(), strict=True))


@dataclass(frozen=True)
class Agreement:
    """Counts over all files. A span is found where an episode overlaps it; an episode is true where it does so."""

    spans: int
    found: int
    episodes: int
    true_episodes: int
    days: float
    delays_s: list[float]
    labelled_rows: int
    flagged_rows: int
    both_rows: int

    def lines(self) -> list[str]:
        false = self.episodes - self.true_episodes
        delay = f"{np.median(self.delays_s):.0f} s" if self.delays_s else "-"
        return [
            f"spans     {self.spans} labelled, {self.found} found: recall {_share(self.found, self.spans)}",
            f"episodes  {self.episodes}, {self.true_episodes} in a span: precision {_share(self.true_episodes, self.episodes)}",
            f"false     {false} episodes in {self.days:.2f} days: {_share(false, self.days)} a day",
            f"delay     {delay} (median, from the start of a span to its first flag)",
            f"rows      {self.labelled_rows} labelled, {self.flagged_rows} flagged:"
            f" recall {_share(self.both_rows, self.labelled_rows)},"
            f" precision {_share(self.both_rows, self.flagged_rows)}",
        ]


def agreement(
    spans: dict[str, list[tuple]], files: list[SeriesFile], points: pd.DataFrame, episodes: pd.DataFrame
) -> Agreement:
    """`points` and `episodes` as they were written. An episode of a point or more begins at its first flagged row."""
    found = true = labelled = flagged = both = 0
    delays, seconds = [], 0.0
    rows = dict(list(points.groupby("file", sort=False)))
    of_file = dict(list(episodes.groupby("file")))
    for file in files:
        time, is_flagged = file.rows.time.to_numpy(), rows[file.name].is_flagged.to_numpy()
        is_labelled = np.zeros(len(time), bool)
        own = of_file.get(file.name, episodes.iloc[:0])
        is_true = np.zeros(len(own), bool)
        for start, end in spans[file.name]:
            is_labelled |= (time >= np.datetime64(start)) & (time <= np.datetime64(end))
            overlaps = ((own.start_at <= end) & (own.end_at >= start)).to_numpy()
            is_true |= overlaps
            found += overlaps.any()
            if overlaps.any():
                delays.append(max((own.start_at[overlaps].min() - start).total_seconds(), 0))
        true += is_true.sum()
        labelled, flagged = labelled + is_labelled.sum(), flagged + is_flagged.sum()
        both += (is_labelled & is_flagged).sum()
        known = file.rows.time.dropna()
        seconds += (known.max() - known.min()).total_seconds()
    count = sum(len(spans[file.name]) for file in files)
    return Agreement(count, found, len(episodes), true, seconds / 86400, delays, labelled, flagged, both)


def _of_file(spans: dict[str, list], name: str) -> list:
    return spans.get(name, spans.get(Path(name).name, []))


def _time(text) -> pd.Timestamp:
    time = pd.Timestamp(text)
    return time.tz_convert("UTC").tz_localize(None) if time.tzinfo else time


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.3f}" if whole else "-"
