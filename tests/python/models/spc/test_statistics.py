"""Constants and distribution functions, on both engines, against values in many digits."""

import math
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import duckdb
import exact
import pytest

from pipeline.spark import SparkMissingError, check_installed
from report.spc.models import Models

POINTS = [-40, -12.3, -7.1, -5, -1.959963984540054, -0.3, 0, 0.1, 1, 2.5, 6.9, 8.2]
DEGREES = [1, 2, 7, 50, 100, 101, 150, 1000, 100_000]
SIZES = [26, 27, 40, 100, 1001]
GAMMAS = [0.5, 1, 1.5, 4.5, 30, 500.5]

QUERIES = """
select 'normal' as name, x, {{ normal_cdf("x") }} as value from values_of where name = 'normal'
union all
select 'chi_low', x, {{ chi_square_quantile("x", "low") }} from values_of
inner join {{ ref("const_quantile") }} as quantiles on degrees = {{ quantile_row("x") }} where name = 'degrees'
union all
select 'chi_high', x, {{ chi_square_quantile("x", "high") }} from values_of
inner join {{ ref("const_quantile") }} as quantiles on degrees = {{ quantile_row("x") }} where name = 'degrees'
union all
select 'student', x, {{ student_quantile("x") }} from values_of
inner join {{ ref("const_quantile") }} as quantiles on degrees = {{ quantile_row("x") }} where name = 'degrees'
union all
select 'c4', x, {{ c4_of_many("x") }} from values_of where name = 'size'
union all
select 'ln_gamma', x, {{ ln_gamma("x") }} from values_of where name = 'gamma'
"""


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def engine(request, tmp_path_factory):
    """`query(text)` renders and runs SQL with the models' macros; rows as tuples."""
    if request.param == "duckdb":
        connection = duckdb.connect()
        models = Models(connection, set())
        yield lambda text: connection.execute(models.rendered(text)).fetchall()
        return
    try:
        check_installed()
    except SparkMissingError as error:
        pytest.skip(str(error))
    # in a process of its own: a session is a process's only one, and dbt's needs another configuration
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        yield lambda text: process.submit(on_spark, text).result()


@cache
def spark_models() -> Models:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    return SparkViews(builder.config("spark.sql.shuffle.partitions", 1).getOrCreate())


def on_spark(text: str) -> list[tuple]:
    models = spark_models()
    return [tuple(row) for row in models.session.sql(models.rendered(text)).collect()]


class SparkViews(Models):
    """The same models as views of a Spark session."""

    def __init__(self, session) -> None:
        super().__init__(None, set(), engine="spark")
        self.session = session

    def create(self, name: str, query: str) -> None:
        self.session.sql(query).createOrReplaceTempView(name)


@pytest.fixture(scope="module")
def found(engine) -> dict[tuple[str, float], float]:
    given = [("normal", z) for z in POINTS] + [("degrees", n) for n in DEGREES]
    given += [("size", n) for n in SIZES] + [("gamma", x) for x in GAMMAS]
    rows = ", ".join(f"('{name}', {float(x)!r}::double)" for name, x in given)
    text = f"with values_of as (select * from (values {rows}) as given (name, x)) {QUERIES}"
    return {(name, x): value for name, x, value in engine(text)}


# A limit that differs in the third digit from the textbook's makes an engineer distrust all others.
def test_constants_are_those_of_their_definitions(engine):
    rows = engine("select n, d2, d3, c4, a2_factor, a3_factor, b3_factor, b4_factor, d3_factor, d4_factor from "
                  "{{ ref('const_chart_constant') }} where constants = 'exact' order by n")  # fmt: skip
    assert [row[0] for row in rows] == list(range(2, 26))
    ranges = exact.relative_ranges([2, 3, 5, 10, 25])
    for n, d2, d3, c4, a2, a3, b3, b4, lower, upper in rows:
        assert c4 == pytest.approx(exact.c4(n), rel=2e-15)
        assert (a2, a3) == pytest.approx((3 / (d2 * math.sqrt(n)), 3 / (c4 * math.sqrt(n))), rel=1e-15)
        wide = 3 * math.sqrt(1 - c4 * c4) / c4
        assert (b3, b4) == pytest.approx((max(0, 1 - wide), 1 + wide), rel=1e-14)
        assert (lower, upper) == pytest.approx((max(0, 1 - 3 * d3 / d2), 1 + 3 * d3 / d2), rel=1e-14)
        if n in ranges:
            assert (d2, d3) == pytest.approx(ranges[n], rel=3e-15)
    assert rows[0][1:3] == pytest.approx((2 / math.sqrt(math.pi), math.sqrt(2 - 4 / math.pi)), rel=2e-15)


def test_rounded_constants_are_those_of_common_tables(engine):
    rows = engine("select n, d2, d3, c4, a2_factor, a3_factor, b4_factor, d3_factor, d4_factor from "
                  "{{ ref('const_chart_constant') }} where constants = 'rounded' and n in (2, 5, 10, 25) "
                  "order by n")  # fmt: skip
    assert [tuple(row) for row in rows] == [
        (2, 1.128, 0.853, 0.7979, 1.880, 2.659, 3.267, 0, 3.267),
        (5, 2.326, 0.864, 0.9400, 0.577, 1.427, 2.089, 0, 2.114),
        (10, 3.078, 0.797, 0.9727, 0.308, 0.975, 1.716, 0.223, 1.777),
        (25, 3.931, 0.708, 0.9896, 0.153, 0.606, 1.435, 0.459, 1.541),
    ]


def test_normal_distribution(found):
    for z in POINTS:
        assert found["normal", z] == pytest.approx(exact.normal_cdf(z), rel=0, abs=1e-15)
        assert found["normal", z] == pytest.approx(exact.normal_cdf(z), rel=1e-8, abs=1e-300)


def test_quantiles_of_intervals(found):
    for n in DEGREES[:-1]:
        assert found["chi_low", n] == pytest.approx(exact.chi_square_quantile(0.025, n), rel=1e-9)
        assert found["chi_high", n] == pytest.approx(exact.chi_square_quantile(0.975, n), rel=1e-9)
        assert found["student", n] == pytest.approx(exact.student_quantile(0.975, n), rel=1e-9)
    # as printed in tables
    assert (found["chi_low", 7], found["chi_high", 7]) == pytest.approx((1.690, 16.013), abs=5e-4)
    assert found["student", 7] == pytest.approx(2.365, abs=5e-4)


def test_gamma_function_and_c4_of_large_subgroups(found):
    for x in GAMMAS:
        assert found["ln_gamma", x] == pytest.approx(math.lgamma(x), rel=1e-12, abs=1e-13)
    for n in SIZES:
        assert found["c4", n] == pytest.approx(exact.c4(n), rel=1e-12)
