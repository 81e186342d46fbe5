"""Anomaly detection on simulated plants whose faults are known: `make evaluate WHAT=anomalies SEEDS=1..10`.

Each plant is the demo plant with four sensors at twelve of its machines and one fault per such machine and month (of
four weeks), all kinds alike, beside all legitimate changes of docs/simulated_plant.md: four weeks to learn from, then
three months. Its records go through the loader and the models of the marts anomaly and anomaly_point, as configured by
default.
"""

import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
import yaml
from rich.console import Console
from rich.progress import Progress

from evaluate import EvaluationError, Request
from evaluate.episodes import (
    Figures,
    Judged,
    by_detector,
    by_detector_and_kind,
    by_kind,
    figures,
    judge,
)
from evaluate.plants import demo_plant, read_rows, sensor_rows, write_rows
from generator.faults import MACHINE_CHANGES, MONTH_DAYS, PLANT_CHANGES, busy_machines
from generator.reference import read_reference
from ingest import load_all
from pipeline.build import build
from pipeline.failures import BuildError
from pipeline.paths import Paths
from pipeline.plant import load_plant

MACHINES, FAULTY_MONTHS = 12, 3
MODELS = ["+anomaly", "+anomaly_point"]
RECALL, RECALL_OF_KIND, PRECISION, FALSE_PER_MACHINE_MONTH, FAULTS_OF_KIND = 0.9, 0.75, 0.8, 0.25, 30
WATCHED, OTHERS = "with sensors", "without"


def evaluate(request: Request) -> bool:
    """Prints the tables of all `request.seeds` together, and whether the targets are met."""
    judged, months = [], {WATCHED: [set(), 0.0], OTHERS: [set(), 0.0]}
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Plants", total=len(request.seeds) * 3)
        for seed in request.seeds:
            with tempfile.TemporaryDirectory() as folder:
                plant = Plant(seed, Path(folder))
                plant.write()
                for step in (plant.load, plant.build):
                    bar.update(task, description=f"Plant {seed}: {step.__name__}", advance=1)
                    step()
                judged.append(judge(plant.truth(), plant.episodes()))
                bar.update(task, advance=1)
            for name, machines in ((WATCHED, plant.watched), (OTHERS, plant.others)):
                months[name][0].update((seed, machine) for machine in machines)
                months[name][1] += len(machines) * (1 + FAULTY_MONTHS)
    together = Judged(*(pd.concat(tables, ignore_index=True) for tables in zip(*map(_tables, judged), strict=True)))
    groups = {name: (machines, count) for name, (machines, count) in months.items() if count}
    found = figures(together, groups)
    _keep(together)
    return show(together, found, sum(count for _, count in groups.values()) * MONTH_DAYS / 7)


class Plant:
    """One simulated plant in `folder`: `watched` machines have sensors and faults, `others` neither."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self.folder, self.paths = seed, folder / "plant", Paths(folder / "data")
        self.watched: list[str] = []
        self.others: list[str] = []

    def write(self) -> None:
        demo_plant(self.folder)
        reference = read_reference(self.folder)
        busy = sorted(busy_machines(reference, 1.0))
        chosen = sorted(np.random.default_rng(self.seed).choice(busy, MACHINES, replace=False).tolist())
        self.watched = [reference.machines[number] for number in chosen]
        testers = {reference.machines[number] for number in reference.machine_of_test.members()}
        self.others = sorted(testers - set(self.watched))
        write_rows(self.folder / "sensors.csv", sensor_rows(self.watched, self.seed))
        kinds = read_rows(self.folder / "faults.csv")
        changes = {*MACHINE_CHANGES, *PLANT_CHANGES}
        count = sum(row["kind"] not in changes for row in kinds)
        write_rows(
            self.folder / "faults.csv",
            [row if row["kind"] in changes else row | {"per_month": 1 / count} for row in kinds],
        )
        file = self.folder / "plant.yml"
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        weeks = (1 + FAULTY_MONTHS) * MONTH_DAYS // 7
        content["sources"] = [
            {"name": "simulator", "kind": "simulator", "seed": self.seed, "weeks": weeks, "start": "2024-01-01"}
            | {"faults": "all"}
        ]
        content["publish"] = []
        file.write_text(yaml.safe_dump(content), encoding="utf-8")

    def load(self) -> None:
        for load in load_all(load_plant(self.folder), self.paths):
            if load.status != "loaded" or load.reject_count:
                raise EvaluationError(f"plant {self.seed}: {load.table_name} was not loaded whole: {load}")

    def build(self) -> None:
        try:
            build(self.paths, ["run", "--select", *MODELS])
        except BuildError as error:
            raise EvaluationError(f"plant {self.seed}: {error}") from None

    def truth(self) -> pd.DataFrame:
        """Columns of episodes.TRUTH, from the lake: no model reads it."""
        files = str(self.paths.raw / "fault_truth" / "*.parquet")
        with closing(duckdb.connect()) as connection:
            rows = connection.execute(
                "select entity, metric, kind, start_at, end_at from read_parquet(?, union_by_name = true)"
                " where kind is not null order by start_at, entity, kind",
                [files],
            ).df()
        machine_of = {row["sensor_id"]: row["machine_id"] for row in read_rows(self.folder / "sensors.csv")}
        return _utc(rows).assign(
            plant=self.seed,
            fault_id=range(len(rows)),
            machine_id=rows.entity.map(lambda entity: machine_of.get(entity, entity)),
        )

    def episodes(self) -> pd.DataFrame:
        """Columns of episodes.EPISODES and `sentence`, from the mart: what a day's budget lets through.

        Days of stations begin by the wall; a point is known when its minute, or its day, is over.
        """
        with closing(duckdb.connect(str(self.paths.warehouse), read_only=True)) as connection:
            rows = connection.execute(
                """
                select
                    anomalies.anomaly_id, anomalies.entity_type, coalesce(anomalies.machine_id, '') as machine_id,
                    anomalies.entity, anomalies.metric, anomalies.detector, anomalies.started_at, anomalies.ended_at,
                    min(points.point_at) as flagged_at,
                    anomalies.series_count, anomalies.severity, anomalies.score, anomalies.sentence
                from marts.anomaly as anomalies
                inner join marts.anomaly_point as points on anomalies.anomaly_id = points.anomaly_id
                where anomalies.is_within_budget
                group by all
                """
            ).df()
        rows, is_daily = _utc(rows), rows.entity_type.ne("sensor")
        for name in ("started_at", "ended_at", "flagged_at"):
            wall = rows[name].dt.tz_localize(load_plant(self.folder).plant.timezone, ambiguous=True, nonexistent="NaT")
            rows[name] = rows[name].where(~is_daily, wall.dt.tz_convert("UTC").dt.tz_localize(None))
        rows["flagged_at"] += is_daily.map({True: pd.Timedelta(days=1), False: pd.Timedelta(minutes=1)})
        return rows.assign(plant=self.seed)


def show(judged: Judged, found: Figures, machine_weeks: float) -> bool:
    """Prints everything; whether all targets are met."""
    _print("Faults by kind", by_kind(judged))
    _print("Episodes by detector", by_detector(judged, machine_weeks))
    _print("Faults found, by detector", by_detector_and_kind(judged))
    false = judged.episodes[judged.episodes.is_false]
    if len(false):
        _print(
            "False episodes, by the legitimate change at the time", false.change.fillna("-").value_counts().to_frame()
        )
    targets: list[tuple[str, float, float, Callable[[float, float], bool]]] = [
        ("recall", found.recall, RECALL, np.greater_equal),
        ("recall of the kind found least", found.least_recall, RECALL_OF_KIND, np.greater_equal),
        ("faults of the rarest kind", found.least_faults, FAULTS_OF_KIND, np.greater_equal),
        ("precision", found.precision, PRECISION, np.greater_equal),
        *(
            (f"false episodes per machine and month, machines {name}", rate, FALSE_PER_MACHINE_MONTH, np.less_equal)
            for name, rate in found.false_rates.items()
        ),
    ]
    click.echo("\nTargets")
    is_met = [bool(compare(value, target)) for _, value, target, compare in targets]
    for (name, value, target, compare), met in zip(targets, is_met, strict=True):
        side = "at least" if compare is np.greater_equal else "at most"
        click.echo(f"  {name}: {value:.3g} ({side} {target:g}): {'met' if met else 'MISSED'}")
    return all(is_met)


def _print(title: str, table: pd.DataFrame) -> None:
    click.echo(f"\n{title}\n{table.to_string(float_format=lambda value: f'{value:.3g}')}")


def _keep(judged: Judged) -> None:
    """Every fault and episode as CSV, to look at."""
    folder = Paths.from_environment().data / "evaluation"
    folder.mkdir(parents=True, exist_ok=True)
    judged.faults.to_csv(folder / "anomaly_faults.csv", index=False)
    judged.episodes.to_csv(folder / "anomaly_episodes.csv", index=False)
    click.echo(f"Every fault and episode: {folder}/anomaly_*.csv")


def _tables(judged: Judged) -> tuple[pd.DataFrame, pd.DataFrame]:
    return judged.faults, judged.episodes


def _utc(rows: pd.DataFrame) -> pd.DataFrame:
    """Instants without a zone, as marts have them."""
    times = rows.select_dtypes(include=["datetimetz"]).columns
    return rows.assign(**{name: rows[name].dt.tz_convert("UTC").dt.tz_localize(None) for name in times})
