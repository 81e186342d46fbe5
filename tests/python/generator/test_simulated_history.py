from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator import GeneratorError, simulate_weeks
from generator.history import LONGEST_DAYS


def test_same_seed_same_history(run):
    # Else nobody can rebuild what they saw yesterday.
    assert run() == run()


def test_another_seed_is_another_history(run):
    first, second = run(), run(seed=2)
    assert first["test_record"]["test_timestamp"] != second["test_record"]["test_timestamp"]
    assert set(first["test_record"]["operator_id"].to_pylist()) != set(second["test_record"]["operator_id"].to_pylist())


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**70), cut=st.integers(0, 30), scale=st.sampled_from([0.01, 0.003]), data=st.data())
def test_history_made_in_pieces_equals_the_whole(run, seed, cut, scale, data):
    # Else the records of a nightly run contradict those of the nights before.
    end = data.draw(st.integers(cut, 31), label="end")
    whole = run(seed=seed, scale=scale, end_day=end)
    before = run(seed=seed, scale=scale, end_day=cut)
    after = run(seed=seed, scale=scale, begin_day=cut, end_day=end)
    for name in whole:
        assert pa.concat_tables([before[name], after[name]]).combine_chunks() == whole[name]


def test_a_night_far_on_continues_the_history(run):
    # The pieces forget what is older than a module's life: nothing may be lost by that.
    whole = run(end_day=70)["test_record"]
    night = run(begin_day=69, end_day=70)["test_record"]
    assert night.num_rows > 10
    assert whole.slice(whole.num_rows - night.num_rows) == night


def test_large_weeks_made_in_batches_equal_small_batches(run, monkeypatch):
    # Batches only bound memory: with any size, records are complete and in order.
    monkeypatch.setattr("generator.history.MODULES_AT_ONCE", 7)
    in_batches = run()
    cut = {name: pa.concat_tables([run(end_day=9)[name], run(begin_day=9)[name]]) for name in in_batches}
    for name, table in in_batches.items():
        assert cut[name].combine_chunks() == table
        time_column = table.schema.names[1 if name == "rework" else 4]
        assert table.sort_by(time_column)[time_column] == table[time_column]


def test_weeks_put_together_are_the_history(run, demo):
    weeks = list(
        simulate_weeks(
            demo,
            seed=1,
            scale=0.01,
            start=date(2024, 1, 1),
            timezone="Asia/Singapore",
            day_start=time(7),
            begin_day=0,
            end_day=14,
            tables={"test_record", "rework"},
        )
    )
    assert len(weeks) == 2
    for name, table in run().items():
        assert pa.concat_tables([week[name] for week in weeks]).combine_chunks() == table


def test_records_lie_in_their_days_by_time(run):
    for table, column in (("test_record", "test_timestamp"), ("rework", "rework_timestamp")):
        times = run(scale=0.05, begin_day=3, end_day=6)[table][column].to_pylist()
        begin = datetime(2024, 1, 4, 7, tzinfo=ZoneInfo("Asia/Singapore"))
        assert times == sorted(times)
        assert all(begin <= each < begin + timedelta(days=3) for each in times)


def test_volume_follows_scale_and_weeks(run):
    rows = {(scale, weeks): run(scale=scale, end_day=7 * weeks)["test_record"].num_rows
            for scale, weeks in ((0.001, 20), (0.01, 4), (0.1, 4), (0.1, 8))}  # fmt: skip
    assert rows[0.1, 4] == pytest.approx(10 * rows[0.01, 4], rel=0.15)
    assert rows[0.001, 20] == pytest.approx(rows[0.1, 4] / 20, rel=0.15)  # fractions of a module add up
    assert rows[0.1, 8] == pytest.approx(2 * rows[0.1, 4], rel=0.1)


@pytest.mark.parametrize("seed", [1, 2])
def test_demo_plant_makes_about_620_000_records_a_quarter(run, seed):
    assert 600_000 <= run(seed=seed, scale=1, end_day=91)["test_record"].num_rows <= 640_000


def test_weekly_starts_vary_around_their_mean(quarter):
    # products.csv: Lumo-2 starts 1350 a week, standard deviation 6 %; here a fifth of it.
    counts = [row[0] for row in quarter.sql("""
        with modules as (select serial_num, min(test_timestamp) as started_at from test_record
                         where product_name = 'Lumo-2' and run_purpose <> 'golden' group by all)
        select count(*) from modules
        group by time_bucket(interval 7 days, started_at, timestamptz '2023-12-31 23:00:00Z')
    """).fetchall()]  # fmt: skip
    assert len(counts) == 13
    assert len(set(counts)) > 5
    assert sum(counts) / 13 == pytest.approx(1350 / 5, rel=0.06)


@pytest.mark.parametrize(
    ("timezone", "start", "day_hours"),
    [
        ("Europe/Berlin", date(2024, 3, 31), 24),
        ("Europe/Berlin", date(2024, 3, 30), 23),
        ("Europe/Berlin", date(2024, 10, 26), 25),
        ("Australia/Lord_Howe", date(2024, 10, 5), 23.5),
    ],
)
def test_a_day_with_a_clock_change_is_longer_or_shorter(run, timezone, start, day_hours):
    # Days are cut by the local clock: else a day's records are told to be those of the next.
    history = {"timezone": timezone, "start": start, "scale": 0.5}
    begin = datetime.combine(start, time(7), ZoneInfo(timezone)).astimezone(UTC)
    first_day = run(**history, end_day=1)["test_record"]["test_timestamp"]
    second_day = run(**history, begin_day=1, end_day=2)["test_record"]["test_timestamp"]
    boundary = begin + timedelta(hours=day_hours)
    assert begin <= first_day[0].as_py() < begin + timedelta(hours=1)
    assert boundary - timedelta(hours=1) < pc.max(first_day).as_py() < boundary
    assert boundary <= pc.min(second_day).as_py() < boundary + timedelta(hours=1)


def test_day_start_in_the_skipped_hour_is_shifted_forward(run):
    history = {"timezone": "Europe/Berlin", "start": date(2024, 3, 31), "day_start": time(2, 30), "scale": 0.5}
    first = run(**history, end_day=1)["test_record"]["test_timestamp"][0].as_py()
    assert datetime(2024, 3, 31, 1, 30, tzinfo=UTC) <= first < datetime(2024, 3, 31, 2, 30, tzinfo=UTC)


def test_no_days_give_empty_tables(run):
    empty = run(begin_day=5, end_day=5)
    assert {name: table.num_rows for name, table in empty.items()} == {"test_record": 0, "rework": 0}
    assert empty["test_record"].schema == run(end_day=1)["test_record"].schema


@pytest.mark.parametrize(
    "wrong",
    [{"seed": -1}, {"scale": 0}, {"scale": 1001}, {"begin_day": -1}, {"begin_day": 15}, {"end_day": LONGEST_DAYS + 1}],
)
def test_impossible_histories_are_refused(run, wrong):
    with pytest.raises(GeneratorError, match="expected"):
        run(**wrong)
