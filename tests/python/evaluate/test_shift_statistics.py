"""What shift_comparison concludes, on simulated plants whose true differences are known, and Student's t in SQL.

`make evaluate WHAT=shifts` is the same with 1,000 plants of each kind. Bounds here are those of the binomial
distribution: a share of .95 leaves them once in ten thousand, or more seldom.
"""

from math import comb

import duckdb
import jinja2
import pandas as pd
import pytest
from click.testing import CliRunner

from evaluate import Request, shifts
from evaluate.__main__ import main
from evaluate.mart_sql import compiled, warehouse
from pipeline.paths import PROJECT

PLANTS = 100
QUANTILES = {
    1: 12.706204736432095, 2: 4.302652729911275, 3: 3.182446305284263, 4: 2.776445105197793, 7: 2.364624251592784,
    10: 2.228138851964939, 30: 2.042272456301238, 120: 1.979930405052777, 1e9: 1.959963986912,
}  # fmt: skip
"""97.5 % points of Student's t by degrees of freedom."""
P_VALUES = {
    (2, 2): 0.183503419072274,
    (3, 4): 0.039941968071762,
    (2.5, 8): 0.036942038,
    (1, 15): 0.333170136,
    (5, 50): 7.433212e-06,
}
"""Two-sided, by t and degrees of freedom."""
# standard error as if units were independent: what a test of two proportions in each cell would say
NAIVE = """
    update intermediate.int_comparison_within as within_cells
    set standard_error = naive.standard_error, degrees_of_freedom = 1000
    from (
        select
            plant_name, metric,
            sqrt(sum(weight * weight * level * (1 - level) * (1 / denominator_a + 1 / denominator_b))) as standard_error
        from (
            select
                *,
                (denominator_a / sum(denominator_a) over plant + denominator_b / sum(denominator_b) over plant) / 2
                    as weight,
                (numerator_a + numerator_b) / (denominator_a + denominator_b) as level
            from intermediate.int_comparison_pair_cell
            where denominator_a > 0 and denominator_b > 0
            window plant as (partition by plant_name, metric)
        )
        group by all
    ) as naive
    where within_cells.plant_name = naive.plant_name and within_cells.metric = naive.metric
"""


def least(n: int, share: float) -> int:
    """The count that a binomial of n and `share` falls below less than once in ten thousand."""
    below, k = 0.0, -1
    while below < 1e-4:
        k += 1
        below += comb(n, k) * share**k * (1 - share) ** (n - k)
    return k


@pytest.fixture(scope="module")
def models() -> dict[str, tuple[str, str]]:
    return compiled(*shifts.MODELS, shifts.MART)


@pytest.fixture(scope="module")
def simulated() -> tuple[pd.DataFrame, pd.DataFrame]:
    return shifts.simulate((scenario, seed) for scenario in shifts.SCENARIOS for seed in range(1, PLANTS + 1))


@pytest.fixture(scope="module")
def rows(models, simulated) -> pd.DataFrame:
    return shifts.judged(shifts.compare(simulated[0], models, lambda name, connection: None), simulated[1])


# A shift is blamed for its products, or a shift that is better goes unseen.
def test_intervals_hold_what_they_promise(rows):
    compared = rows[rows.status == "compared"]
    assert len(compared) > 0.9 * len(rows)
    for metric, covers in compared.groupby("metric").covers:
        # and they are too many for intervals that are much too wide
        assert least(len(covers), 0.95) <= covers.sum() <= 0.98 * len(covers), metric
    for scenario in (shifts.EFFECT, shifts.SIMPSON):
        seen = rows[(rows.scenario == scenario.name) & rows.is_significant & (rows.within_part * rows.true_within > 0)]
        assert len(seen) >= least(2 * PLANTS, 0.98)


# If this passes, the test above would not notice that units of one day are not independent.
def test_a_variance_from_unit_counts_fails(models, simulated):
    def mutate(model, connection):
        if model == "int_comparison_within":
            connection.execute(NAIVE)

    rows = shifts.judged(shifts.compare(simulated[0], models, mutate), simulated[1])
    covers = rows[(rows.metric == "passing_rate") & (rows.status == "compared")].covers
    assert covers.sum() < least(len(covers), 0.95)


# The decomposition is exact, and finds what was put in.
def test_parts_sum_and_are_those_that_were_simulated(rows):
    parts = ["product_mix_part", "machine_mix_part", "staffing_mix_part", "within_part", "not_comparable_part"]
    assert (rows.crude_difference - rows[parts].sum(axis=1)).abs().max() < 1e-12
    opposite = rows[(rows.scenario == shifts.SIMPSON.name) & (rows.crude_difference * rows.within_part < 0)]
    assert len(opposite) > PLANTS
    understaffed = rows[rows.scenario == shifts.UNDERSTAFFED.name]
    assert understaffed.staffing_mix_part.mean() == pytest.approx(understaffed.true_staffing.mean(), rel=0.1)


def value(macro_call: str) -> float:
    """Of an SQL expression made by the macros of student_t.sql."""
    text = (PROJECT / "macros" / "student_t.sql").read_text() + "select " + macro_call
    return duckdb.sql(jinja2.Environment().from_string(text).render()).fetchone()[0]


# Intervals of few dates would be too short or too long.
def test_student_t_is_that_of_the_tables():
    for df, expected in QUANTILES.items():
        assert value(f"{{{{ t_quantile('{df}::double') }}}}") == pytest.approx(expected, rel=2e-8)
    for (t, df), expected in P_VALUES.items():
        found = value(f"{{{{ two_sided_p_value(t_as_normal('{t}::double', '{df}::double')) }}}}")
        assert found == pytest.approx(expected, rel=1e-2 if df < 4 else 3e-4)
    assert value("{{ two_sided_p_value(t_as_normal('0::double', '5e0')) }}") == pytest.approx(1, abs=2e-7)


def by_hand(models, runs: list[tuple]) -> pd.Series:
    """The one comparison of runs (side, day, product, staffing, passed, of)."""
    columns = ["side", "day", "product_name", "staffing", "numerator", "denominator"]
    cells = pd.DataFrame(runs, columns=columns)  # noqa: F841
    with warehouse() as connection:
        connection.execute(
            "create table intermediate.int_comparison_cell as select 'x' as plant_name, 'shift' as comparison_kind,"
            " '(all)' as line_id, '(all)' as shift_phase, 'passing_rate' as metric, 'M' as machine_id,"
            " date '2024-01-01' as production_week_start, date '2024-01-01' + day::int as shift_date,"
            " day || side as occurrence, * exclude (day, numerator, denominator),"
            " numerator::double as numerator, denominator::double as denominator, numerator::double as unit_count"
            " from cells"
        )
        for relation, sql in models.values():
            connection.execute(f"create table {relation} as {sql}")
        return connection.sql(f"from marts.{shifts.MART}").df().iloc[0]


# Whoever checks a difference with a pencil finds other parts.
def test_parts_are_those_of_a_calculation_by_hand(models):
    day = [("day", 1, "P", "3", 10, 20), ("day", 1, "Q", "3", 72, 80), ("day", 1, "R", "3", 5, 10)]
    found = by_hand(models, [*day, ("night", 1, "P", "3", 54, 90), ("night", 1, "Q", "3", 10, 10)])
    assert (found.status, found.staffing_status, found.is_significant) == ("insufficient_data", "equal", False)
    expected = {"crude_difference": 87 / 110 - 0.64, "product_mix_part": 0.28, "machine_mix_part": 0.0}
    expected |= {"staffing_mix_part": 0.0, "within_part": -0.1, "not_comparable_part": 87 / 110 - 0.82}
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    assert pd.isna(found.p_value) and pd.isna(found.lower_95) and pd.isna(found.standard_error)


# A shift that always has one hand less is blamed for it, or all of it is called not comparable.
def test_staffing_that_never_varies_is_not_identifiable(models):
    runs = [(side, day, "P", staffing, 8 + (day + hand) % 3, 10) for day in range(10)
            for hand, (side, staffing) in enumerate([("day", "3"), ("night", "2")])]  # fmt: skip
    found = by_hand(models, runs)
    assert (found.status, found.staffing_status) == ("compared", "not_identifiable")
    assert pd.isna(found.staffing_mix_part) and found.not_comparable_part == pytest.approx(0, abs=1e-12)
    assert found.within_part == pytest.approx(found.crude_difference)
    # one cell, each date once on both sides: this is Student's t of the ten differences
    differences = pd.Series([((day % 3) - (day + 1) % 3) / 10 for day in range(10)])
    assert found.degrees_of_freedom == pytest.approx(9)
    assert found.standard_error == pytest.approx(differences.std() / 10**0.5)
    varied = by_hand(models, [*runs, ("day", 11, "P", "2", 8, 10)])
    assert varied.staffing_status == "identified"


# The command that shows how often the verdicts hold must tell when they do not.
def test_the_command_prints_what_it_counted(models, monkeypatch, capsys):
    monkeypatch.setattr(shifts, "compiled", lambda *names: models)
    shifts.evaluate(Request(range(1, 4)))
    assert "of 3 plants a scenario" in capsys.readouterr().out
    wrong = CliRunner().invoke(main, ["--what", "shifts", "--seeds", "5..1"])
    assert wrong.exit_code == 2 and "expected a seed such as 7" in wrong.output
