"""Faults of simulated plants: each does what docs/simulated_plant.md says, and its truth says where."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from evaluate.plants import QUANTITIES, read_rows, sensor_rows, write_rows
from generator import GeneratorError
from generator.faults import PLANT_CHANGES, SCHEMAS, SENSOR_KINDS, STATION_KINDS
from generator.sensors import read_sensors
from pipeline.paths import PROJECT

MACHINES = ["BENCH-01", "OVEN-01"]
MONTH = 28


@pytest.fixture
def faulty(tmp_path, demo):
    """The demo plant with sensors of a 5 minutes period at MACHINES; `only` and how many it has in a month."""

    def faulty(only: str | None = None, per_month: float = 1.0, **change):
        for file in demo.glob("*.csv"):
            (tmp_path / file.name).write_bytes(file.read_bytes())
        write_rows(tmp_path / "sensors.csv", sensor_rows(MACHINES, seed=1, period_s=300))
        kinds = [
            row | {"per_month": per_month if row["kind"] == only else 0} | (change if row["kind"] == only else {})
            for row in read_rows(demo / "faults.csv")
        ]
        write_rows(tmp_path / "faults.csv", kinds)
        return tmp_path

    return faulty


def with_and_without(run, folder, *tables, mode="sensors", days=2 * MONTH, scale=1.0):
    history = {"tables": {"fault_truth", *tables}, "end_day": days, "scale": scale}
    return run(folder, fault_mode=mode, **history), run(folder, fault_mode="none", **history)


def readings(tables) -> pd.DataFrame:
    rows = tables["sensor_reading"].to_pandas()
    return rows.set_index(["sensor_id", "reading_at"]).value


def instants(table, *columns) -> list:
    return [table[column].to_pandas() for column in columns]


@pytest.mark.parametrize("kind", SENSOR_KINDS)
def test_each_kind_changes_its_sensor_in_its_time_and_nothing_else(run, faulty, kind):
    folder = faulty(kind)
    wrong, right = with_and_without(run, folder, "sensor_reading")
    truth = wrong["fault_truth"].to_pandas()
    assert len(truth) == 2  # one for each machine, in the second month
    assert set(truth.kind) == {kind}
    joined = pd.concat([readings(wrong).rename("wrong"), readings(right).rename("right")], axis=1).reset_index()
    joined["inside"] = False
    for fault in truth.itertuples():
        inside = joined.reading_at.between(fault.start_at, fault.end_at, inclusive="left")
        joined["inside"] |= inside & (joined.sensor_id == fault.entity)
    same = np.isclose(joined.wrong, joined.right, rtol=0, atol=1e-12)
    assert same[~joined.inside].all()
    if kind != "seasonality":  # shifted, the wave crosses itself
        assert same[joined.inside].mean() < 0.02
    for fault in truth.itertuples():
        sensor = next(each for each in read_sensors(folder, MACHINES) if each.sensor_id == fault.entity)
        assert fault.metric == sensor.quantity
        it = joined[(joined.sensor_id == fault.entity) & joined.inside].set_index("reading_at")
        check_shape(kind, it, sensor, fault)


def check_shape(kind, it, sensor, fault):
    off = it.wrong - it.right
    if kind == "limit_violation":
        assert it.wrong.min() >= sensor.upper_limit + sensor.sigma - 1e-4
    elif kind == "missing_data":
        assert it.wrong.isna().all() and it.right.notna().sum() in (5, 6, 7)
    elif kind == "stuck_value":
        assert it.wrong.nunique() == 1 and it.right.nunique() > 1
    elif kind in ("spike", "level_shift"):
        assert np.allclose(off, fault.size, atol=1e-3)
        assert abs(fault.size) == pytest.approx({"spike": 6, "level_shift": 3}[kind] * sensor.sigma)
        if kind == "spike":
            assert 2 <= len(it) <= 3
    elif kind == "drift":
        assert np.all(np.diff(np.abs(off)) > -1e-3)
        assert abs(off.iloc[-1]) == pytest.approx(4 * sensor.sigma, rel=0.01)
        assert fault.end_at - fault.start_at == pd.Timedelta(days=5)
    elif kind == "spread":
        assert it.wrong.std() > 1.8 * it.right.std()
    elif kind == "seasonality":
        assert sensor.daily_amplitude >= 2 * sensor.sigma
        assert off.abs().max() == pytest.approx(2**0.5 * sensor.daily_amplitude, rel=0.05)
    elif kind == "together":
        assert np.corrcoef(off, it.right)[0, 1] < -0.5


def test_a_drift_or_shift_goes_to_either_side(run, faulty):
    folder = faulty("level_shift", per_month=3)
    truth = with_and_without(run, folder, days=6 * MONTH)[0]["fault_truth"].to_pandas()
    assert (truth["size"] < 0).any() and (truth["size"] > 0).any()


@pytest.mark.parametrize("mode", ["sensors", "none"])
def test_faults_of_sensors_leave_test_records_alone(run, demo, mode):
    # The demo's published figures would change with every fault that somebody adds.
    tables = {"test_record", "rework"}
    assert run(demo, fault_mode=mode, end_day=40, tables=tables) == run(demo, end_day=40, tables=tables)


def test_a_station_passes_less_often_for_two_days(run, faulty):
    folder = faulty("first_pass_yield", size=0.3)
    wrong, right = with_and_without(run, folder, "test_record", mode="all", scale=1)
    (fault,) = wrong["fault_truth"].to_pandas().itertuples()  # the oven has too few modules a day
    assert (fault.entity, fault.metric) == ("BENCH-01", "first_pass_yield")
    rates = {}
    for name, table in (("wrong", wrong["test_record"].to_pandas()), ("right", right["test_record"].to_pandas())):
        there = table[(table.machine_id == "BENCH-01") & table.test_result.isin(["PASS", "FAIL"])]
        inside = there.test_timestamp.between(fault.start_at, fault.end_at, inclusive="left")
        rates[name] = [(there[each].test_result == "PASS").mean() for each in (inside, ~inside)]
        assert inside.sum() > 400
    assert rates["right"][0] - rates["wrong"][0] == pytest.approx(0.3, abs=0.06)
    assert rates["right"][1] == pytest.approx(rates["wrong"][1], abs=0.01)


def test_a_station_takes_longer_than_its_peers(run, faulty):
    folder = faulty("peer", size=0.5)
    wrong, _ = with_and_without(run, folder, "test_record", mode="all", scale=1)
    (fault,) = wrong["fault_truth"].to_pandas().itertuples()
    table = wrong["test_record"].to_pandas()
    table = table[(table.test_name == "PowerUp") & (table.test_result == "PASS")]
    inside = table.test_timestamp.between(fault.start_at, fault.end_at, inclusive="left")
    mean = table.groupby([table.machine_id == fault.entity, inside]).test_duration_s.mean()
    assert mean[True, True] / mean[True, False] == pytest.approx(1.5, rel=0.05)
    assert mean[False, True] / mean[False, False] == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("legitimate_maintenance", "maintenance"),
        ("legitimate_holiday", "schedule_change"),
        ("legitimate_partial_shutdown", "schedule_change"),
        ("legitimate_changeover", "machine_state"),
    ],
)
def test_a_closed_machine_neither_tests_nor_warms_and_is_on_record(run, faulty, kind, table):
    folder = faulty(kind)
    tables, _ = with_and_without(run, folder, "test_record", "sensor_reading", table, mode="all", days=MONTH, scale=0.2)
    truth, records = tables["fault_truth"].to_pandas(), tables["test_record"].to_pandas()
    assert len(truth) and tables[table].num_rows
    for closed in truth.itertuples():
        there = records[records.machine_id == closed.entity].test_timestamp
        assert not there.between(closed.start_at, closed.end_at, inclusive="left").any()
    assert len(records) == pytest.approx(run(folder, end_day=MONTH, scale=0.2)["test_record"].num_rows, rel=0.03)
    quantity = QUANTITIES[0].name
    values = readings(tables).reset_index()
    for closed in truth[truth.entity == MACHINES[0]].itertuples():
        there = values[values.sensor_id == f"{MACHINES[0]}/{quantity}"]
        inside = there.reading_at.between(closed.start_at, closed.end_at, inclusive="left")
        sensor = next(each for each in read_sensors(folder, MACHINES) if each.sensor_id == f"{MACHINES[0]}/{quantity}")
        assert there[inside].value.mean() < there[~inside].value.mean() - 0.6 * sensor.load_effect


def test_a_process_change_is_on_record_and_stays(run, faulty):
    folder = faulty("legitimate_process_change", size=9)
    wrong, right = with_and_without(run, folder, "sensor_reading", "process_change")
    changes, truth = wrong["process_change"].to_pandas(), wrong["fault_truth"].to_pandas()
    assert len(changes) == 4
    off = (readings(wrong) - readings(right)).reset_index()
    for entity, change in changes.groupby("entity"):
        there = off[off.sensor_id == entity]
        expected = truth[truth.entity == entity]["size"].sum()
        assert there[there.reading_at > change.changed_at.max()].value.to_numpy() == pytest.approx(expected, abs=1e-3)
        assert not there[there.reading_at < change.changed_at.min()].value.any()


def test_a_product_is_introduced(run, faulty):
    folder = faulty("legitimate_product_introduction")
    tables, _ = with_and_without(run, folder, "test_record", mode="all", days=3 * MONTH, scale=0.1)
    (introduced,) = tables["fault_truth"].to_pandas().itertuples()
    records = tables["test_record"].to_pandas().query("run_purpose != 'golden'")
    first = records[records.product_name == introduced.entity].test_timestamp.min()
    assert introduced.start_at <= first < introduced.start_at + pd.Timedelta(days=1)


def test_kinds_are_drawn_evenly_and_one_a_machine_and_month(run, demo, tmp_path):
    for file in demo.glob("*.csv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    machines = [f"BENCH-0{k}" for k in range(1, 6)] + [f"EYE-0{k}" for k in range(1, 5)] + ["OSA-01", "OSA-02", "RX-01"]
    write_rows(tmp_path / "sensors.csv", sensor_rows(machines, seed=1))
    wanted = [*SENSOR_KINDS, *STATION_KINDS]
    write_rows(tmp_path / "faults.csv", [
        row | {"per_month": 1 / len(wanted)} for row in read_rows(demo / "faults.csv") if row["kind"] in wanted
    ])  # fmt: skip
    truth = run(tmp_path, tables={"fault_truth"}, fault_mode="all", end_day=5 * MONTH, scale=1)[
        "fault_truth"
    ].to_pandas()
    truth["machine"] = truth.entity.str.split("/").str[0]
    truth["month"] = (truth.start_at - truth.start_at.min().floor("D")).dt.days // MONTH
    assert Counter(truth.machine) == dict.fromkeys(machines, 4)
    counts = Counter(truth.kind)
    assert set(counts) == set(wanted) and min(counts.values()) >= 4 and max(counts.values()) <= 8


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"kind": "sabotage"}], "kind: 'sabotage': unknown"),
        ([{"kind": "spike"}, {"kind": "spike"}], "kind: 'spike' is there twice"),
        ([{"kind": "spike", "duration_h": -1}], "row 2: duration_h: '-1': expected a number above 0"),
    ],
)
def test_faults_that_make_no_sense_are_refused(run, faulty, rows, said):
    folder = faulty("spike")
    plain = {"per_month": 1, "size": 1, "duration_h": 1, "reason": "test"}
    write_rows(folder / "faults.csv", [plain | row for row in rows])
    with pytest.raises(GeneratorError, match=said):
        run(folder, fault_mode="sensors")


def test_every_kind_is_explained():
    page = (PROJECT / "docs" / "simulated_plant.md").read_text(encoding="utf-8")
    assert [kind for kind in (*SENSOR_KINDS, *STATION_KINDS, *PLANT_CHANGES) if f"| `{kind}` |" not in page] == []
    assert "fault_truth" in SCHEMAS
