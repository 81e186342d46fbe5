"""The evaluation itself, on episodes and truths that are made up: what it says must be what was put in."""

import pandas as pd
import pytest

from evaluate.episodes import Judged, by_detector, by_detector_and_kind, by_kind, figures, judge

DAY0 = pd.Timestamp("2024-02-01")
KINDS = ["level_shift", "spike", "first_pass_yield", "together"]
MONTHS = {"all": ({(1, f"M{k}") for k in range(8)}, 8.0)}


def truth(*extra: dict) -> pd.DataFrame:
    """Two faults of each kind, at eight machines."""
    rows = [
        {
            "machine_id": f"M{k}",
            "entity": f"M{k}" if kind == "first_pass_yield" else f"M{k}/t",
            "metric": "first_pass_yield" if kind == "first_pass_yield" else "temperature",
            "kind": kind,
            "start_at": DAY0 + pd.Timedelta(days=k),
            "end_at": DAY0 + pd.Timedelta(days=k, hours=2),
        }
        for k, kind in enumerate(KINDS * 2)
    ]
    rows = [*rows, *extra]
    return pd.DataFrame([{"plant": 1, "fault_id": number, **row} for number, row in enumerate(rows)])


def episodes(rows: list[dict]) -> pd.DataFrame:
    columns = ["machine_id", "entity", "metric", "detector", "started_at", "ended_at", "flagged_at", "series_count"]
    return pd.DataFrame(
        [{"plant": 1, "anomaly_id": f"a{number}", "series_count": 1, **row} for number, row in enumerate(rows)],
        columns=["plant", "anomaly_id", *columns],
    ).astype({column: "datetime64[us]" for column in ("started_at", "ended_at", "flagged_at")})


def about(fault, hours: float = 0.5, lasts: float = 1.0, **fields) -> dict:
    """An episode that begins so many hours after the fault."""
    start = fault.start_at + pd.Timedelta(hours=hours)
    times = {"started_at": start, "flagged_at": start, "ended_at": start + pd.Timedelta(hours=lasts)}
    return {name: fault[name] for name in ("machine_id", "entity", "metric")} | times | {"detector": "shift"} | fields


def perfect() -> pd.DataFrame:
    return episodes([about(fault) for _, fault in truth().iterrows()])


def told(judged: Judged) -> tuple:
    found = figures(judged, MONTHS)
    return found.recall, found.least_recall, found.precision, found.false_rates["all"]


def test_a_perfect_detector_is_told_to_be_perfect():
    judged = judge(truth(), perfect())
    assert told(judged) == (1.0, 1.0, 1.0, 0.0)
    assert by_kind(judged).delay_min.tolist() == [30.0] * 4
    assert by_detector_and_kind(judged).loc["shift"].to_dict() == dict.fromkeys(KINDS, 2)


def test_a_silent_detector_finds_nothing_and_has_no_precision():
    judged = judge(truth(), episodes([]))
    recall, least, precision, false = told(judged)
    assert (recall, least, false) == (0.0, 0.0, 0.0)
    assert pd.isna(precision)


# The easiest way to find everything is to flag everything: one alarm that never ends must not pass for it, nor a
# thousand alarms for a precise detector.
def test_a_shouting_detector_is_not_precise():
    always = [about(fault, hours=-24 * 30, lasts=24 * 90) for _, fault in truth().iterrows()]
    assert told(judge(truth(), episodes(always)))[0] == 0.0
    hourly = [about(fault, hours=h, lasts=0.9) for _, fault in truth().iterrows() for h in range(-240, 240)]
    judged = judge(truth(), episodes(hourly))
    recall, _, precision, false = told(judged)
    assert recall == 1.0
    assert precision == pytest.approx(8 / (8 + len(judged.episodes[judged.episodes.is_false])))
    assert precision < 0.02
    assert false > 400


def test_several_episodes_of_one_fault_count_once():
    extra = [about(fault, hours=h, detector="cusum") for _, fault in truth().iterrows() for h in (1.0, 1.5)]
    judged = judge(truth(), pd.concat([perfect(), episodes(extra).assign(anomaly_id=[f"b{k}" for k in range(16)])]))
    assert told(judged) == (1.0, 1.0, 1.0, 0.0)
    table = by_detector(judged, machine_weeks=32)
    assert table.loc["cusum", ["found", "extra", "false"]].tolist() == [0, 16, 0]
    assert table.loc["shift", ["found", "extra", "false"]].tolist() == [8, 0, 0]


@pytest.mark.parametrize(
    ("change", "is_found"),
    [
        ({}, True),
        ({"hours": -1.9}, True),
        ({"hours": 3.9}, True),
        ({"hours": 4.1}, False),
        ({"hours": -2.1, "lasts": 3}, False),
        ({"hours": -40, "lasts": 1}, False),
        ({"machine_id": "M9", "entity": "M9/t"}, False),
        ({"entity": "M0/u", "metric": "current"}, False),
        ({"entity": "M0/u", "metric": "current", "series_count": 2}, True),
        ({"entity": "M0/u", "metric": "current", "detector": "together"}, True),
        ({"entity": "M0", "metric": "duration", "series_count": 2}, False),
    ],
)
def test_an_episode_fits_by_machine_metric_and_time(change, is_found):
    fault = truth().iloc[0]
    judged = judge(truth().iloc[:1], episodes([about(fault, **change)]))
    assert judged.faults.is_found.tolist() == [is_found]
    assert judged.episodes.is_false.tolist() == [not is_found]


def test_fewer_first_passes_are_fewer_passes():
    fault = truth().iloc[2]
    for metric, is_found in (("first_pass_yield", True), ("passing_rate", True), ("duration", False)):
        judged = judge(truth().iloc[2:3], episodes([about(fault, metric=metric)]))
        assert judged.faults.is_found.tolist() == [is_found]


def test_what_is_flagged_in_a_legitimate_change_is_false_and_says_so():
    holiday = {"machine_id": "M7", "entity": "M7", "metric": "any", "kind": "legitimate_holiday"} | {
        "start_at": DAY0 + pd.Timedelta(days=20),
        "end_at": DAY0 + pd.Timedelta(days=21),
    }
    every = truth(holiday)
    in_holiday = about(every.iloc[-1], entity="M7/t", metric="temperature")
    judged = judge(every, episodes([in_holiday]))
    assert judged.episodes[["is_false", "change"]].to_numpy().tolist() == [[True, "legitimate_holiday"]]
    assert told(judged)[1:] == (0.0, 0.0, 1 / 8)
    assert len(judged.faults) == 8


def test_an_episode_finds_one_fault_only():
    second = truth().iloc[0].to_dict() | {
        "start_at": DAY0 + pd.Timedelta(hours=3),
        "end_at": DAY0 + pd.Timedelta(hours=5),
    }
    both = pd.concat([truth().iloc[:1], pd.DataFrame([second | {"fault_id": 99}])])
    judged = judge(both, episodes([about(both.iloc[1], hours=-0.5, lasts=6)]))
    assert judged.faults.set_index("fault_id").is_found.to_dict() == {0: False, 99: True}
