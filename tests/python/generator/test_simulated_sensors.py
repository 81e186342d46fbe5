"""Readings of simulated sensors: what they are like where nothing is wrong, and the same however days are cut."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.plants import DEMO, sensor_rows, write_rows
from generator import GeneratorError, schemas
from generator.sensors import read_sensors

SENSOR_TABLES = ("sensor_reading", "fault_truth", "process_change")


@pytest.fixture
def watched(small_plant):
    """The small plant with four sensors at one machine, a reading in 7 minutes, and no faults.csv."""
    write_rows(small_plant / "sensors.csv", sensor_rows(["+1"], seed=1, period_s=420))
    return small_plant


def values_of(table: pa.Table, sensor: str) -> tuple[np.ndarray, np.ndarray]:
    rows = table.to_pandas()
    rows = rows[rows.sensor_id == sensor]
    return rows.reading_at.dt.tz_localize(None).to_numpy(), rows.value.to_numpy()


def test_a_plant_without_sensors_has_none(small_plant, demo):
    assert set(schemas(small_plant, "all")) == {"test_record", "rework"}
    write_rows(small_plant / "sensors.csv", [{"sensor_id": "S", "upper_limit": 3}])
    assert set(schemas(small_plant, "all")) == {"test_record", "rework"}
    assert "sensor_reading" in schemas(demo, "none")
    assert "fault_truth" not in schemas(demo, "none")


@settings(deadline=None, max_examples=15)
@given(
    cut=st.integers(0, 4),
    day=st.tuples(st.sampled_from(["UTC", "Europe/Berlin", "Asia/Singapore"]), st.sampled_from([0, 7, 23])),
    period_s=st.sampled_from([420, 3600.5, 86_400]),
)
def test_readings_made_in_pieces_equal_the_whole(run, tmp_path_factory, cut, day, period_s):
    # Else the readings of a nightly run contradict those of the nights before. In these days Berlin's clocks change.
    folder = tmp_path_factory.mktemp("plant")
    timezone, hour = day
    for file in DEMO.glob("*.csv"):
        (folder / file.name).write_bytes(file.read_bytes())
    write_rows(folder / "sensors.csv", sensor_rows(["OVEN-01", "LINK-01"], seed=2, period_s=period_s))
    history = {"timezone": timezone, "start": date(2024, 3, 29), "day_start": datetime(2024, 1, 1, hour).time()}
    history |= {"tables": SENSOR_TABLES, "fault_mode": "all", "scale": 1}
    whole = run(folder, **history, end_day=4)
    before, after = run(folder, **history, end_day=cut), run(folder, **history, begin_day=cut, end_day=4)
    assert whole["sensor_reading"].num_rows > 0
    for name in SENSOR_TABLES:
        assert pa.concat_tables([before[name], after[name]]).combine_chunks() == whole[name]


def test_each_sensor_reads_once_a_period(run, watched):
    table = run(watched, tables=SENSOR_TABLES, end_day=21)["sensor_reading"]
    time, _ = values_of(table, "+1/current")
    steps = np.diff(time) / np.timedelta64(1, "s") / 420
    assert steps.min() == 1
    assert np.array_equal(steps, steps.round())
    lost = 1 - len(time) / (21 * 86_400 / 420)
    assert 0 < lost < 0.008


# Sizes of faults are stated in sigma: if the residual were another, a fault of 3 sigma would be one of 2, or of 5.
def test_what_is_left_without_rhythm_has_the_stated_spread(run, watched):
    table = run(watched, tables=SENSOR_TABLES, end_day=56)["sensor_reading"]
    for sensor in read_sensors(watched, ["+1", "-2"]):
        time, value = values_of(table, sensor.sensor_id)
        hours = (time - np.datetime64("2024-01-01")) / np.timedelta64(1, "h") + 8
        day, year = 2 * np.pi * hours / 24, 2 * np.pi * hours / 24 / 365.25
        waves = np.column_stack([np.ones(len(time)), np.cos(day), np.sin(day), np.cos(year), np.sin(year)])
        fitted, *_ = np.linalg.lstsq(waves, value, rcond=None)
        assert (value - waves @ fitted).std() == pytest.approx(sensor.sigma, rel=0.05)
        assert np.hypot(*fitted[1:3]) == pytest.approx(sensor.daily_amplitude, abs=0.05 * sensor.sigma)
        if sensor.daily_amplitude > sensor.sigma:
            assert (np.arctan2(fitted[2], fitted[1]) * 24 / 2 / np.pi) % 24 == pytest.approx(15, abs=0.2)


def test_sensors_of_a_machine_move_together(run, watched):
    table = run(watched, tables=SENSOR_TABLES, end_day=28)["sensor_reading"]
    rows = table.to_pandas().pivot_table(index=table["reading_at"].to_pandas().dt.floor("420s"), columns="sensor_id",
                                         values="value").dropna()  # fmt: skip
    moves = rows.diff().dropna().corr()
    assert moves.loc["+1/current", "+1/vibration"] > 0.3


def test_a_small_plant_has_sensors_at_fewer_machines(run, demo):
    # A tenth of the records must not come with all of the readings.
    for scale, machines in ((1, 5), (0.3, 2), (0.01, 1)):
        table = run(demo, tables=SENSOR_TABLES, scale=scale, end_day=1)["sensor_reading"].to_pandas()
        assert table.sensor_id.str.split("/").str[0].nunique() == machines


def test_a_sensor_that_is_there_twice_is_refused(watched):
    rows = sensor_rows(["+1"], seed=1)
    write_rows(watched / "sensors.csv", [*rows, rows[0]])
    with pytest.raises(GeneratorError, match="'\\+1/temperature' is there twice"):
        read_sensors(watched, ["+1"])


def test_readings_lie_in_their_days(run, watched):
    table = run(watched, tables=SENSOR_TABLES, begin_day=3, end_day=5)["sensor_reading"]
    begin = datetime(2024, 1, 3, 23, tzinfo=UTC)
    times = table["reading_at"].to_pylist()
    assert all(begin <= time < begin + timedelta(days=2) for time in times)
    assert min(times) < begin + timedelta(minutes=8) and max(times) > begin + timedelta(days=2, minutes=-8)
