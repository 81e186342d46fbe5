"""The tail of the binomial as SQL, against the exact one."""

from math import comb
from pathlib import Path
from statistics import NormalDist

import duckdb
import jinja2
import pytest

from pipeline.paths import PROJECT

MACRO = (Path(PROJECT) / "macros" / "binomial_z.sql").read_text()


def z(passed: int, tried: int, share: float) -> float:
    text = (
        jinja2.Environment().from_string(MACRO + f"{{{{ binomial_z('{passed}e0', '{tried}e0', '{share}') }}}}").render()
    )
    return duckdb.sql(f"select {text}").fetchone()[0]


def exact_z(passed: int, tried: int, share: float) -> float:
    tail = sum(comb(tried, good) * share**good * (1 - share) ** (tried - good) for good in range(passed + 1))
    return NormalDist().inv_cdf(tail)


# By a normal curve 3 of 4 fails at a yield of 95 % lie six deviations off, and each small lot rings.
@pytest.mark.parametrize(
    ("passed", "tried", "share"),
    [
        (1, 4, 0.95),
        (3, 4, 0.95),
        (0, 4, 0.9),
        (0, 1, 0.9),
        (370, 400, 0.95),
        (87, 100, 0.95),
        (5, 10, 0.5),
        (3, 200, 0.05),
    ],
)
def test_tails_are_those_of_the_binomial(passed, tried, share):
    assert z(passed, tried, share) == pytest.approx(exact_z(passed, tried, share), abs=0.04)


def test_a_few_fails_are_not_what_many_are():
    assert -3.4 < z(1, 4, 0.95) < -3.2  # not yet flagged
    assert z(100, 400, 0.95) < -30
    assert z(4, 4, 0.95) > 0
