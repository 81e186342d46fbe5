"""What the records say about the process, held against the CSVs that describe it."""

import csv
from math import sqrt

import pytest


def rows_of(folder, name):
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def close(observed, expected, count):
    """Within five standard deviations of a share of `count` draws."""
    return abs(observed - expected) <= 5 * sqrt(expected * (1 - expected) / count) + 1e-9


def test_modules_take_their_route_in_order(quarter, demo):
    # A later test before an earlier one would be a route escape in every report.
    sequence = {(row["product_name"], row["test_name"]): int(row["sequence"]) for row in rows_of(demo, "routes")}
    records = quarter.sql("""
        select serial_num, product_name, test_name, test_result from test_record
        where run_purpose <> 'golden' order by serial_num, test_timestamp
    """).fetchall()
    route = {}
    for (product, _), place in sorted(sequence.items(), key=lambda item: item[1]):
        route.setdefault(product, []).append(place)
    module, expected = None, None
    for serial, product, test, result in records:
        if serial != module:
            module, expected = serial, 0
        assert sequence[product, test] == route[product][expected]
        expected += result == "PASS"


def test_nothing_happens_before_the_last_attempt_ended(quarter):
    overlaps = quarter.sql("""
        select count(*) from (
            select test_timestamp - lag(test_timestamp + to_microseconds((test_duration_s * 1e6)::bigint))
                over (partition by serial_num order by test_timestamp) as gap
            from test_record where run_purpose <> 'golden')
        where gap < interval 0 seconds
    """).fetchone()
    assert overlaps == (0,)


def test_three_fails_scrap_a_module_unless_reworked(quarter, demo):
    # An attempt after the last allowed fail is a scrapped module that came back to life.
    allowed = {(row["product_name"], row["test_name"]): int(row["max_attempts"]) for row in rows_of(demo, "routes")}
    events = quarter.sql("""
        select serial_num, test_timestamp as happened_at, product_name, test_name, test_result from test_record
        where run_purpose <> 'golden'
        union all
        select serial_num, rework_timestamp, null, null, 'REWORK' from rework
        order by serial_num, happened_at
    """).fetchall()
    module, fails, most, reworks = None, {}, 0, 0
    for serial, _, product, test, result in events:
        if serial != module:
            module, fails = serial, {}
        if result == "REWORK":
            assert 3 in fails.values()
            fails, reworks = {}, reworks + 1
            continue
        assert all(count < allowed[key] for key, count in fails.items())
        fails[product, test] = fails.get((product, test), 0) + (result == "FAIL")
        most = max(most, fails[product, test])
    assert most == 3
    assert reworks > 10


def test_rework_happens_at_its_rate_and_no_oftener_than_allowed(quarter, demo):
    rate = next(float(row["value"]) for row in rows_of(demo, "simulation") if row["parameter"] == "rework_probability")
    failed_out, reworked = quarter.sql("""
        with fails as (
            select serial_num, test_name, count(*) as n from test_record
            where test_result = 'FAIL' and run_purpose <> 'golden' group by all
        )
        select sum(n // 3)::bigint, (select count(*) from rework) from fails
    """).fetchone()
    assert reworked > 10
    assert close(reworked / failed_out, rate, failed_out)
    assert quarter.sql("select max(n) <= 2 from (select count(*) as n from rework group by serial_num)").fetchone()[0]
    assert quarter.sql("select distinct action from rework").fetchall() == [("replace",)]


def test_pass_probability_falls_with_each_retest(quarter, demo):
    # The CSV's probability is what a plant reads as its first-pass yield.
    attempts = quarter.sql("""
        with runs as (
            select *, row_number() over (partition by serial_num, test_name order by test_timestamp) as run
            from test_record where run_purpose = 'production' and test_result in ('PASS', 'FAIL')
                and serial_num not in (select serial_num from rework)
        )
        select product_name, test_name, run, count(*), count(*) filter (test_result = 'PASS') / count(*)
        from runs group by all
    """).fetchall()
    expected = {
        (row["product_name"], row["test_name"], run): float(row["pass_probability"])
        * float(row["retest_pass_factor"]) ** (run - 1)
        for row in rows_of(demo, "routes")
        for run in (1, 2, 3)
    }
    assert {key[:3] for key in attempts} <= expected.keys()
    assert len(attempts) > 200
    for product, test, run, count, share in attempts:
        assert close(share, expected[product, test, run], count), (product, test, run, count, share)


@pytest.mark.parametrize(("name", "member", "column"), [
    ("machine_tests", "machine_id", "machine_id"),
    ("error_codes", "error_code", "error_code"),
])  # fmt: skip
def test_machines_and_error_codes_come_by_their_shares(quarter, demo, name, member, column):
    counted = quarter.table("test_record").filter(f"{column} is not null").aggregate(f"test_name, {column}, count(*)")
    counts = {(test, value): n for test, value, n in counted.fetchall()}
    rows = rows_of(demo, name)
    assert {(row["test_name"], row[member]) for row in rows} == counts.keys()
    for row in rows:
        total = sum(n for (test, _), n in counts.items() if test == row["test_name"])
        shares = sum(float(each["share"]) for each in rows if each["test_name"] == row["test_name"])
        assert close(counts[row["test_name"], row[member]] / total, float(row["share"]) / shares, total), row


def test_durations_follow_product_test_and_result(quarter, demo):
    means = {(product, test, result): (mean, count) for product, test, result, mean, count in quarter.sql("""
        select product_name, test_name, test_result, avg(test_duration_s), count(*) from test_record
        where test_result in ('PASS', 'FAIL') group by all
    """).fetchall()}  # fmt: skip
    for row in rows_of(demo, "routes"):
        key = row["product_name"], row["test_name"]
        for result, column in (("PASS", "pass_duration_s"), ("FAIL", "fail_duration_s")):
            mean, count = means[*key, result]
            assert mean == pytest.approx(float(row[column]), rel=5 * float(row["duration_sd"]) / sqrt(count) + 1e-6)
        assert means[*key, "FAIL"][0] < means[*key, "PASS"][0]
    assert quarter.sql("""
        select bool_and(test_duration_s > 0 and test_duration_s = round(test_duration_s, 4)) from test_record
    """).fetchone() == (True,)  # fmt: skip


def test_error_codes_are_there_for_fails_only(quarter):
    assert quarter.sql("""
        select bool_and((error_code is not null) = (test_result = 'FAIL')) from test_record
    """).fetchone() == (True,)  # fmt: skip


def test_errors_and_aborts_are_few_and_repeated(quarter):
    # They are no runs: the module stays at its test.
    errors, aborts = quarter.sql("""
        select avg((test_result = 'ERROR')::int), avg((test_result = 'ABORT')::int) from test_record
    """).fetchone()
    assert 0.002 < errors < 0.004
    assert 0.001 < aborts < 0.002
    assert quarter.sql("""
        with following as (
            select *, lead(test_name) over (partition by serial_num order by test_timestamp) as next_test,
                max(test_timestamp) over () - test_timestamp > interval 1 day as is_old
            from test_record where run_purpose <> 'golden'
        )
        select count(*) from following
        where test_result in ('ERROR', 'ABORT') and is_old and next_test is distinct from test_name
    """).fetchone() == (0,)  # fmt: skip


def test_golden_and_engineering_runs_keep_to_themselves(quarter):
    # Golden units come back for years: under a rolling serial they would be counted as modules.
    purposes = dict(quarter.sql("select run_purpose, count(*) from test_record group by all").fetchall())
    assert purposes["golden"] == pytest.approx(0.2 * 60 * 13, rel=0.05)
    assert 0 < purposes["engineering"] < 0.02 * purposes["production"]
    assert quarter.sql("""
        select count(*) from (select serial_num from test_record group by all
                              having count(distinct run_purpose) > 1 or count(distinct product_name) > 1)
    """).fetchone() == (0,)  # fmt: skip
    assert quarter.sql("""
        select bool_and(starts_with(serial_num, 'GOLDEN-')), bool_and(lot_number is null),
            count(distinct serial_num) = 12
        from test_record where run_purpose = 'golden'
    """).fetchone() == (True, True, True)  # fmt: skip


def test_lots_fixtures_operators_and_software_are_plausible(quarter, demo):
    assert quarter.sql("""
        with lots as (select lot_number, count(distinct serial_num) as n, count(distinct product_name) as products
                      from test_record where lot_number is not null group by all)
        select max(n), max(products), avg(n) > 15 from lots
    """).fetchone() == (48, 1, True)  # fmt: skip
    assert quarter.sql("""
        select bool_and(starts_with(fixture_id, machine_id || '-F')), count(distinct fixture_id) from test_record
    """).fetchone() == (True, 4 * len({row["machine_id"] for row in rows_of(demo, "machine_tests")}))  # fmt: skip
    assert quarter.sql("select count(distinct operator_id) from test_record").fetchone() == (36,)
    assert quarter.sql("""
        select max(n) from (select count(distinct operator_id) as n from test_record
            group by machine_id, time_bucket(interval 8 hours, test_timestamp, timestamptz '2023-12-31 23:00:00Z'))
    """).fetchone() == (1,)  # fmt: skip
    assert quarter.sql("select distinct software_version from test_record order by 1").fetchall() == [
        ("4.0",),
        ("4.1",),
        ("4.2",),
    ]


def test_demo_yields_are_those_of_a_real_plant(quarter):
    # A demo with yields of 100 % or 20 % shows nobody anything.
    yields = quarter.sql("""
        with runs as (
            select *, row_number() over (partition by serial_num, test_name order by test_timestamp) as run,
                row_number() over (partition by serial_num, test_name order by test_timestamp desc) as run_from_last
            from test_record where run_purpose = 'production' and test_result in ('PASS', 'FAIL')
        ),
        tests as (
            select product_name, test_name, avg((test_result = 'PASS')::int) filter (run = 1) as first_pass,
                avg((test_result = 'PASS')::int) filter (run_from_last = 1) as cumm
            from runs group by all
        )
        select product_name, product(first_pass), product(cumm), min(first_pass), max(first_pass)
        from tests group by all
    """).fetchall()
    assert len(yields) == 12
    for product, first_pass, cumm, lowest, highest in yields:
        assert 0.25 <= first_pass <= 0.75, product
        assert 0.8 <= cumm <= 0.98, product
        assert lowest >= 0.75
        assert highest <= 0.99
