"""`python -m evaluate --data PATH --labels FILE --out DIR`: anomaly detection on labelled series, by the marts' own SQL.

PATH is a CSV (timestamp, value), a folder of them, or a CSV with several columns of values (one machine's sensors).
The labels are not read before the flags are written.
"""

import tempfile
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evaluate import EvaluationError
from evaluate.labels import Agreement, Labels, agreement
from evaluate.series_file import SeriesFile, read_files
from ingest import load_all
from pipeline.build import build
from pipeline.paths import Paths
from pipeline.plant import load_plant

PLANT = """
plant: {name: labelled, timezone: UTC, production_day_start: "00:00"}
sources:
  - {name: series, kind: files, path: inbox/*.parquet, table: metric_point, timezone: UTC}
"""
SCORES = """
    with

    scores as (
        select
            split_part(series_id, ':', 2) as entity,
            point_at,
            greatest(spike_ratio, shift_ratio, spread_ratio, drift_ratio, rhythm_ratio, stuck_ratio, missing_ratio) as ratio
        from intermediate.int_metric_score
        union all
        select split_part(series_id, ':', 2) as entity, point_at, ratio
        from intermediate.int_metric_together
    )

    select entity, point_at, max(ratio) as ratio from scores group by all
"""
EPISODES = """
    select
        entity,
        min(from_at) as start_at,
        max(points.point_at) as end_at,
        arg_max(points.detector, score) as detector,
        max(score) as score
    from intermediate.int_anomaly_point_merged as points
    inner join (select series_id, entity from intermediate.int_metric_series) as series using (series_id)
    group by entity, anomaly_id
    order by all
"""


def evaluate(data: Path, labels: str, out: Path) -> Agreement:
    """Writes points.csv and episodes.csv to `out`, and only then reads the labels. Raises EvaluationError."""
    told = Labels(labels)
    files = read_files(data, told.column)
    points, episodes = detect(files)
    out.mkdir(parents=True, exist_ok=True)
    points.to_csv(out / "points.csv", index=False)
    episodes.to_csv(out / "episodes.csv", index=False)
    return agreement(told.spans(data, files), files, points, episodes)


def detect(files: list[SeriesFile]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of points.csv (file, timestamp, score, is_flagged) and of episodes.csv, in the order of the files' rows."""
    with tempfile.TemporaryDirectory(prefix="firstpass-") as folder:
        paths = Paths(Path(folder) / "data")
        inbox = Path(folder) / "plant" / "inbox"
        inbox.mkdir(parents=True)
        (inbox.parent / "plant.yml").write_text(PLANT)
        names = {str(number): file for number, file in enumerate(files)}
        for number, file in names.items():
            pq.write_table(
                pa.Table.from_pandas(file.metric_points(number), preserve_index=False), inbox / f"{number}.parquet"
            )
        for load in load_all(load_plant(inbox.parent), paths):
            if load.status != "loaded" or load.reject_count:
                raise EvaluationError(f"{load.object}: {load.error or f'{load.reject_count} points were rejected'}")
        build(paths, ["run", "--select", "+anomaly", "int_metric_together"])
        with closing(duckdb.connect(str(paths.warehouse), read_only=True)) as connection:
            scores = {key: rows for key, rows in connection.sql(SCORES).df().groupby("entity")}
            episodes = connection.sql(EPISODES).df()
    points = pd.concat([_rows(file, scores.get(number)) for number, file in names.items()], ignore_index=True)
    episodes.insert(0, "file", [names[number].name for number in episodes.pop("entity")])
    return points, episodes


def _rows(file: SeriesFile, scores: pd.DataFrame | None) -> pd.DataFrame:
    """A row per row of the file. Rows without a time of their own have no score, nor those that came too late."""
    ratio = np.zeros(len(file.rows))
    if scores is not None:
        known = scores.set_index("point_at").ratio
        ratio = file.rows.time.where(file.rows.is_point).map(known).fillna(0).to_numpy()
    score = ratio**2 / (1 + ratio**2)
    return pd.DataFrame(
        {"file": file.name, "timestamp": file.rows.text, "score": np.round(score, 6), "is_flagged": ratio >= 1}
    )
