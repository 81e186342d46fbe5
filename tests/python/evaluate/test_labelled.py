"""Anomaly detection on labelled files: what is read and written, and that no flag knows what comes later."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from evaluate import EvaluationError
from evaluate.__main__ import main
from evaluate.labelled import detect
from evaluate.labels import Labels, agreement
from evaluate.series_file import read_files

START = pd.Timestamp("2024-03-04")


def seconds(rows: int, seed: int = 1) -> pd.DataFrame:
    noise = np.random.default_rng(seed).normal(size=(rows, 3))
    times = START + pd.to_timedelta(np.arange(rows), unit="s")
    return pd.DataFrame({"time": times, "flow": noise[:, 0], "current": 5 + noise[:, 1], "heat": noise[:, 2]})


def steps(rows: int, period: str = "5min", seed: int = 1) -> pd.DataFrame:
    value = np.random.default_rng(seed).normal(50, 1, rows)
    return pd.DataFrame({"timestamp": START + np.arange(rows) * pd.Timedelta(period), "value": value})


# An alarm that knows the future finds everything, on paper.
def test_flags_of_a_cut_file_are_those_of_the_whole(tmp_path):
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    machine = seconds(700)
    machine.loc[500:560, ["flow", "heat"]] += 6
    machine["anomaly"] = (machine.index >= 500) & (machine.index <= 560)
    machine["anomaly"] = machine.anomaly.astype(float)
    line = steps(900)
    line.loc[700:702, "value"] += 15
    line.loc[[40, 41], "value"] = None
    line.loc[60, "timestamp"] = line.timestamp[59]
    line.loc[[800, 801], "timestamp"] = line.timestamp[[801, 800]].to_numpy()
    machine.to_csv(folder / "deep" / "machine.csv", sep=";", index=False)
    line.to_csv(folder / "line.csv", index=False)
    machine.head(530).to_csv(folder / "deep" / "cut.csv", sep=";", index=False)
    line.head(801).to_csv(folder / "cut.csv", index=False)
    points, episodes = detect(read_files(folder))
    rows = {name: part.reset_index(drop=True) for name, part in points.groupby("file")}
    assert {name: len(part) for name, part in rows.items()} == {
        "cut.csv": 801,
        "line.csv": 900,
        "deep/cut.csv": 530,
        "deep/machine.csv": 700,
    }
    for name in ("", "deep/"):
        whole = rows[name + ("machine.csv" if name else "line.csv")]
        cut = rows[f"{name}cut.csv"]
        pd.testing.assert_frame_equal(cut.drop(columns="file"), whole.head(len(cut)).drop(columns="file"))
    assert points.score.between(0, 1).all()
    flagged = rows["line.csv"].is_flagged.to_numpy().nonzero()[0]
    assert len(flagged) and set(flagged) <= set(range(700, 722))
    flagged = rows["deep/machine.csv"].is_flagged.to_numpy().nonzero()[0]
    assert {510, 540} <= set(flagged) and flagged.min() >= 500
    assert set(episodes.file) == set(rows)


# Labels that are read first may be learned from; a figure that counts the wrong rows is worse than none.
def test_the_command_writes_flags_and_prints_how_they_meet_the_labels(tmp_path):
    table = steps(700)
    table.loc[600:640, "value"] += 8
    table.to_csv(tmp_path / "a.csv", index=False)
    spans = {"a.csv": [[str(table.timestamp[600]), f"{table.timestamp[640]}+00:00"], ["2024-03-05", "2024-03-05"]]}
    (tmp_path / "labels.json").write_text(json.dumps(spans))
    told = ["--data", tmp_path / "a.csv", "--labels", tmp_path / "labels.json", "--out", tmp_path / "out"]
    result = CliRunner().invoke(main, [str(word) for word in told])
    assert result.exit_code == 0, result.output
    assert "2 labelled, 1 found: recall 0.500" in result.output
    points = pd.read_csv(tmp_path / "out" / "points.csv")
    assert list(points) == ["file", "timestamp", "score", "is_flagged"] and len(points) == 700
    episodes = pd.read_csv(tmp_path / "out" / "episodes.csv")
    assert list(episodes) == ["file", "start_at", "end_at", "detector", "score"] and len(episodes)
    assert not points.is_flagged[:600].any()


def test_labels_of_a_column_are_spans_of_its_rows(tmp_path):
    table = steps(6).assign(Anomaly=[0, 1, 1, 0, 1, None])
    table.to_csv(tmp_path / "a.csv", index=False)
    files = read_files(tmp_path, "anomaly")
    assert list(files[0].values) == ["value"] and files[0].period_s == 300
    at = table.timestamp
    spans = Labels("anomaly").spans(tmp_path, files)
    assert spans == {"a.csv": [(at[1], at[2]), (at[4], at[4])]}
    points = pd.DataFrame({"file": "a.csv", "is_flagged": [False, False, True, True, False, False]})
    episodes = pd.DataFrame({"file": ["a.csv"] * 2, "start_at": [at[2], at[3]], "end_at": [at[2], at[3]]})
    found = agreement(spans, files, points, episodes)
    assert (found.spans, found.found, found.episodes, found.true_episodes) == (2, 1, 2, 1)
    assert (found.labelled_rows, found.flagged_rows, found.both_rows, found.delays_s) == (3, 2, 1, [300])
    assert "precision 0.500" in found.lines()[1]
    nothing = agreement({"a.csv": []}, files, points.assign(is_flagged=False), episodes.iloc[:0])
    assert nothing.lines()[3].startswith("delay     -")
    assert Labels("other").spans(tmp_path / "a.csv", read_files(tmp_path / "a.csv"))["a.csv"] == []


def test_times_are_numbers_or_texts_and_rows_may_be_in_any_order(tmp_path):
    (tmp_path / "epochs.csv").write_text("t,v\n1704067200000,1\n1704067260000,2\n\n1704067200000,3\n")
    (tmp_path / "shuffled.csv").write_text(
        "t;v\n" + "".join(f"2024-01-01T00:{minute:02}:00;{minute}\n" for minute in (5, 1, 4, 0, 3))
    )
    (tmp_path / "single.csv").write_text("t|v\n1704067200|1\n1704067201|x\n")
    epochs, shuffled, single = read_files(tmp_path)
    assert epochs.rows.is_point.tolist() == [True, True, False] and epochs.period_s == 60
    assert shuffled.rows.is_point.all() and shuffled.period_s == 60
    assert single.metric_points("0").value.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [("t\n1\n", "expected a column of times"), ("t,v\nx,1\ny,2\n", "expected times"), (None, "no CSV is there")],
)
def test_files_that_are_no_series_are_named(tmp_path, text, message):
    if text:
        (tmp_path / "a.csv").write_text(text)
    with pytest.raises(EvaluationError, match=message):
        read_files(tmp_path)


def test_what_is_missing_is_said(tmp_path):
    steps(20).to_csv(tmp_path / "a.csv", index=False)
    files = read_files(tmp_path)
    (tmp_path / "labels.json").write_text('{"b.csv": []}')
    for labels, message in (("none.json", "expected"), ("labels.json", "names none of the files")):
        with pytest.raises(EvaluationError, match=message):
            Labels(str(tmp_path / labels)).spans(tmp_path, files)
    for told in ([], ["--labels", "x"]):
        assert CliRunner().invoke(main, told).exit_code == 2
