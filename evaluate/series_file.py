"""Files of series: a column of times, columns of values, perhaps of labels, which are not read."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate import EvaluationError

LABELS = {"anomaly", "changepoint", "label", "is_anomaly", "labels", "target", "outlier"}
FIRST_ROWS = 50
"""The period is read from these, so that it does not depend on what comes later."""
DISORDER = 0.05


@dataclass(frozen=True)
class SeriesFile:
    """`rows` has a line per row of the file: text (of the time, as written), time, is_point; `values` the same rows.

    A row is a point unless it repeats a time, or goes back behind one that came before it in the file: using it would
    change what was known then. In a file that is not sorted at all, rows count by time.
    """

    name: str
    rows: pd.DataFrame
    values: pd.DataFrame
    period_s: float

    def metric_points(self, entity: str) -> pd.DataFrame:
        """Records of the table metric_point; the file stands for a machine, its columns for sensors."""
        columns = [
            pd.DataFrame({"point_at": self.rows.time, "metric": name, "value": self.values[name]})[self.rows.is_point]
            for name in self.values
        ]
        points = pd.concat(columns, ignore_index=True)
        points = points[np.isfinite(points.value)]
        return points.assign(entity=entity, machine_id=entity, period_s=self.period_s)


def read_files(data: Path, label_column: str | None = None) -> list[SeriesFile]:
    """One per CSV, named by its path within `data`. Raises EvaluationError for a file without times or values."""
    if data.is_dir():
        files = {str(file.relative_to(data)): file for file in sorted(data.rglob("*.csv"))}
    else:
        files = {data.name: data}
    read = [_read(name, file, label_column) for name, file in files.items()]
    if not read:
        raise EvaluationError(f"{data}: no CSV is there")
    return read


def delimiter(file: Path) -> str:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        head = lines.readline()
    try:
        return csv.Sniffer().sniff(head, delimiters=",;\t|").delimiter
    except csv.Error:
        return ","


def _read(name: str, file: Path, label_column: str | None) -> SeriesFile:
    table = pd.read_csv(file, sep=delimiter(file), dtype=str, encoding="utf-8-sig", keep_default_na=False)
    if len(table.columns) < 2:
        raise EvaluationError(f"{name}: expected a column of times and one of values")
    text = table.iloc[:, 0]
    time = _times(text)
    hidden = LABELS | ({label_column.lower()} if label_column else set())
    values = table[[column for column in table.columns[1:] if column.strip().lower() not in hidden]]
    values = values.apply(pd.to_numeric, errors="coerce")
    values = values[[column for column in values if values[column].head(FIRST_ROWS).notna().any()]]
    if time.notna().sum() < 2 or values.empty:
        raise EvaluationError(f"{name}: expected times in the first column and numbers in others")
    rows = pd.DataFrame({"text": text, "time": time})
    behind = time < time.cummax()
    is_sorted = behind.mean() <= DISORDER
    rows["is_point"] = time.notna() & ~time.duplicated() & (~behind if is_sorted else True)
    first = np.sort(time[rows.is_point].to_numpy()[:FIRST_ROWS]).astype("datetime64[us]").astype("int64")
    steps = np.diff(first)
    return SeriesFile(name, rows, values, max(float(np.median(steps[steps > 0])) / 1e6, 1e-3))


def _times(text: pd.Series) -> pd.Series:
    """Times as UTC without a zone; numbers are seconds since 1970 (milliseconds where they are that large)."""
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers.notna().mean() > DISORDER:
        first = numbers.dropna().iloc[0]
        return pd.to_datetime(numbers, unit="ms" if abs(first) > 1e11 else "s", errors="coerce")
    return pd.to_datetime(text, errors="coerce", utc=True, format="mixed").dt.tz_localize(None)
