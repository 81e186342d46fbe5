from collections import defaultdict
from datetime import date, time

import numpy as np
import pytest

from generator.history import simulate
from generator.production_days import ProductionDays
from generator.reference import read_reference
from generator.starts import plan_starts


def serials_by_week(folder, scale, weeks, serial_reuse_days):
    """(week, prefix number, serial number) of every module, made without running it."""
    reference = read_reference(folder)
    starts = plan_starts(reference, 3, scale, weeks, serial_reuse_days=serial_reuse_days)
    days = ProductionDays(date(2024, 1, 1), "Asia/Singapore", time(7))
    for week in range(weeks):
        rng = np.random.default_rng(week)
        modules = starts.of_week(reference, rng, week, days.begin(7 * week), days.begin(7 * week + 7))
        yield week, reference.prefix_of_product[modules["product"]], modules["number"], starts.serial_digits


@pytest.mark.parametrize(("serial_reuse_days", "digits", "weeks"), [(60, 6, 40), (365, 7, 54)])
def test_no_serial_comes_back_too_early_at_scale_20(demo, serial_reuse_days, digits, weeks):
    # A serial that comes back early would glue two modules into one life.
    last_week = defaultdict(lambda: np.full(10**digits, -9999, dtype=np.int16))
    reused = 0
    for week, prefixes, numbers, digits_used in serials_by_week(demo, 20, weeks, serial_reuse_days):
        assert digits_used == digits
        for prefix in np.unique(prefixes):
            of_prefix = numbers[prefixes == prefix]
            assert len(np.unique(of_prefix)) == len(of_prefix)
            gap_weeks = week - 1 - last_week[prefix][of_prefix].astype(int)
            assert gap_weeks.min() * 7 > serial_reuse_days + 14  # a module's records lie within 14 days
            reused += int((gap_weeks < weeks).sum())
            last_week[prefix][of_prefix] = week
    assert (reused > 0) == (serial_reuse_days == 60)


def test_serials_roll_over_after_their_digits(demo):
    numbers = np.concatenate([part[2][part[1] == 0] for part in serials_by_week(demo, 20, 25, 30)])
    turn = int(np.flatnonzero(numbers == 999_999)[0])
    assert numbers[turn + 1] == 0


def test_serials_are_a_family_letter_and_six_digits(quarter):
    assert quarter.sql("""
        select bool_and(regexp_full_match(serial_num, '[LPTV][0-9]{6}')) from test_record where run_purpose <> 'golden'
    """).fetchone() == (True,)  # fmt: skip


def test_serials_count_up_with_the_starts(quarter):
    assert quarter.sql("""
        with modules as (
            select serial_num, min(test_timestamp) as started_at
            from test_record where run_purpose <> 'golden' group by all
        )
        select count(*) from (
            select serial_num < lag(serial_num) over family as is_back from modules
            window family as (partition by serial_num[1] order by started_at, serial_num))
        where is_back
    """).fetchone() == (0,)  # fmt: skip


def test_digits_grow_with_scale_and_never_reused_needs_more(demo):
    reference = read_reference(demo)
    digits = [
        plan_starts(reference, 1, scale, 1, serial_reuse_days=365).serial_digits for scale in (0.01, 1, 10, 100, 1000)
    ]
    assert digits == sorted(digits)
    assert digits[:2] == [6, 6]
    assert digits[-1] > 6
    assert plan_starts(reference, 1, 1, 1, serial_reuse_days=None).serial_digits > 6


def test_digits_do_not_depend_on_the_length_of_the_history(demo):
    history = {"seed": 1, "scale": 0.01, "start": date(2024, 1, 1), "timezone": "UTC", "day_start": time(0)}
    short = simulate(demo, **history, begin_day=0, end_day=1)["test_record"]["serial_num"]
    late = simulate(demo, **history, begin_day=700, end_day=701)["test_record"]["serial_num"]
    assert {len(text) for text in short.to_pylist()} == {len(text) for text in late.to_pylist()} == {7}
