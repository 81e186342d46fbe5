"""The plants that anomaly detection is evaluated on, and what is said of the targets."""

import pandas as pd
import pytest
import yaml

from evaluate.anomalies import MACHINES, WATCHED, Plant, show
from evaluate.episodes import figures, judge
from evaluate.plants import read_rows
from generator.faults import MACHINE_CHANGES, PLANT_CHANGES

WEEKS = 12 * 4 * 4.0


def test_a_plant_has_sensors_and_one_fault_a_month_at_its_machines(tmp_path):
    plant = Plant(7, tmp_path)
    plant.write()
    sensors = read_rows(plant.folder / "sensors.csv")
    assert len(sensors) == 4 * MACHINES
    assert {row["machine_id"] for row in sensors} == set(plant.watched)
    assert set(plant.watched).isdisjoint(plant.others)
    kinds = read_rows(plant.folder / "faults.csv")
    rates = [float(row["per_month"]) for row in kinds if row["kind"] not in (*MACHINE_CHANGES, *PLANT_CHANGES)]
    assert sum(rates) == pytest.approx(1) and len(set(rates)) == 1
    (source,) = yaml.safe_load((plant.folder / "plant.yml").read_text())["sources"]
    assert (source["seed"], source["faults"], source["weeks"]) == (7, "all", 16)


@pytest.fixture
def truth():
    """Thirty faults of two kinds, each at a machine of its own."""
    start = pd.Timestamp("2024-02-01")
    rows = [
        {"plant": 1, "fault_id": number, "machine_id": f"M{number}", "entity": f"M{number}/t", "metric": "temperature"}
        | {"kind": ["spike", "drift"][number % 2], "start_at": start, "end_at": start + pd.Timedelta(hours=3)}
        for number in range(60)
    ]
    return pd.DataFrame(rows)


def flagged(truth, share: float, false: int = 0) -> pd.DataFrame:
    """An episode for that share of the faults of each kind, and so many at other times."""
    found = truth.groupby("kind").head(round(share * 30))
    rows = pd.concat([found, truth.head(false).assign(start_at=lambda it: it.start_at + pd.Timedelta(days=9))])
    rows = rows.assign(started_at=rows.start_at, flagged_at=rows.start_at, ended_at=rows.start_at, series_count=1)
    return rows.assign(detector="spike", anomaly_id=[f"a{number}" for number in range(len(rows))]).drop(
        columns=["start_at", "end_at", "fault_id", "kind"]
    )


@pytest.mark.parametrize(
    ("share", "false", "missed"),
    [
        (1.0, 0, []),
        (0.9, 13, []),
        (0.8, 0, ["recall"]),
        (0.7, 0, ["recall", "recall of the kind found least"]),
        (1.0, 16, ["precision", f"false episodes per machine and month, machines {WATCHED}"]),
        (0.0, 0, ["recall", "recall of the kind found least", "precision"]),
    ],
)
def test_each_target_is_said_to_be_met_or_missed(truth, capsys, share, false, missed):
    judged = judge(truth, flagged(truth, share, false))
    groups = {WATCHED: ({(1, f"M{number}") for number in range(60)}, 60.0)}
    assert show(judged, figures(judged, groups), WEEKS) is not bool(missed)
    said = capsys.readouterr().out
    assert [line.split(":")[0].strip() for line in said.splitlines() if line.endswith("MISSED")] == missed


def test_too_few_faults_of_a_kind_are_no_evidence(truth, capsys):
    few = truth.head(40)
    judged = judge(few, flagged(few, 1.0))
    assert not show(judged, figures(judged, {WATCHED: ({(1, "M0")}, 1.0)}), WEEKS)
    assert "faults of the rarest kind: 20 (at least 30): MISSED" in capsys.readouterr().out
