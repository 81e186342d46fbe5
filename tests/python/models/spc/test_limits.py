"""Limits against worked examples of the field, and against the formulas computed anew in Python."""

import math
import random
from statistics import fmean, stdev, variance

import pytest
from charts import Charts, moment
from exact import c4

RINGS = """
74.030 74.002 74.019 73.992 74.008/73.995 73.992 74.001 74.011 74.004/73.988 74.024 74.021 74.005 74.002
74.002 73.996 73.993 74.015 74.009/73.992 74.007 74.015 73.989 74.014/74.009 73.994 73.997 73.985 73.993
73.995 74.006 73.994 74.000 74.005/73.985 74.003 73.993 74.015 73.988/74.008 73.995 74.009 74.005 74.004
73.998 74.000 73.990 74.007 73.995/73.994 73.998 73.994 73.995 73.990/74.004 74.000 74.007 74.000 73.996
73.983 74.002 73.998 73.997 74.012/74.006 73.967 73.994 74.000 73.984/74.012 74.014 73.998 73.999 74.007
74.000 73.984 74.005 73.998 73.996/73.994 74.012 73.986 74.005 74.007/74.006 74.010 74.018 74.003 74.000
73.984 74.002 74.003 74.005 73.997/74.000 74.010 74.013 74.020 74.003/73.982 74.001 74.015 74.005 73.996
74.004 73.999 73.990 74.006 74.009/74.010 73.989 73.990 74.009 74.014/74.015 74.008 73.993 74.000 74.010
73.982 73.984 73.995 74.017 74.013
"""
"""Inside diameters of piston rings: Montgomery, Introduction to Statistical Quality Control."""
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]
"""Leaking cans among 50: the same."""
BOARDS = [21, 24, 16, 12, 15, 5, 28, 20, 31, 25, 20, 24, 16, 19, 10, 17, 13, 22, 18, 39, 30, 24, 16, 19, 17, 15]
"""Nonconformities of circuit boards: the same."""
FLOW = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
"""NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2."""
EWMA = [
    52.0,
    47.0,
    53.0,
    49.3,
    50.1,
    47.0,
    51.0,
    50.1,
    51.2,
    50.5,
    49.6,
    47.6,
    49.9,
    51.3,
    47.8,
    51.2,
    52.6,
    52.4,
    53.6,
]
EWMA_RESULT = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36, 49.52, 50.05, 49.38]
"""The same, 6.3.2.4: λ = .3, mean 50, σ 2.0539."""
CUSUM = [324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600, 324.625, 325.150]
CUSUM += [328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350]
CUSUM_RESULT = [0, 0, 0, 0, 0.03, 0, 0, 0, 0, 0, 0, 0, 3.01, 4.94, 7.45, 10.63, 11.99, 14.44, 16.00, 19.04]
"""The same, 6.3.2.3: target 325, k = .3175, in units of the values; here in standard errors of .635."""

NOISE = random.Random(5)
VARYING = [[NOISE.gauss(10, 2) for _ in range(NOISE.choice([2, 3, 5, 30]))] for _ in range(30)]
SHARES = [(NOISE.choice([12, 30, 22, 41]), NOISE.choice([200, 260])) for _ in range(25)]
LONG = [NOISE.gauss(0, 1) + (at > 300) for at in range(700)]


def rings() -> list[list[float]]:
    return [[float(text) for text in row.split()] for row in RINGS.strip().replace("\n", "/").split("/")]


@pytest.fixture(scope="module")
def charts() -> Charts:
    charts = Charts()
    for kind in ("xbar-r", "xbar-s"):
        charts.add(f"rings {kind}", kind, rings(), constants="rounded")
        charts.add(f"exact {kind}", kind, rings())
    charts.add("cans", "p", [(count, 50) for count in CANS], reference_subgroups=30, laney="never")
    charts.add("cans np", "np", [(count, 50) for count in CANS], reference_subgroups=30)
    charts.add("cans without", "p", [(count, 50) for count in CANS], reference_subgroups=30, laney="never")
    charts.exclude("cans without", 15)
    charts.exclude("cans without", 23)
    charts.add("boards", "c", [(count, 1) for count in BOARDS], reference_subgroups=26)
    charts.add("flow", "imr", FLOW, constants="rounded")
    charts.add("flow without", "imr", FLOW)
    charts.exclude("flow without", 5)
    charts.add("ewma", "ewma", EWMA, known_mean=50.0, known_sigma=2.0539, ewma_weight=0.3)
    charts.add("ewma long", "ewma", LONG, known_mean=0.1, known_sigma=1.0, ewma_weight=0.25)
    charts.add("ewma varying", "ewma", VARYING)
    charts.add("cusum", "cusum", CUSUM, known_mean=325.0, known_sigma=0.635)
    charts.add("varying xbar-s", "xbar-s", VARYING)
    for kind in ("p", "u"):
        charts.add(f"laney {kind}", kind, SHARES)
        charts.add(f"never {kind}", kind, SHARES, laney="never")
    charts.add("versions", "imr", [float(at % 3) for at in range(40)], reference_subgroups=10)
    charts.rebase("versions", 21, reference=(11, 20))
    charts.rebase("versions", 31)
    return charts.build()


def limits(charts: Charts, chart: str, panel: str = "location", version: int = 1) -> tuple[float, float, float]:
    row = charts.rows("control_chart_limit", chart, panel)[version - 1]
    return row["lower_limit"], row["center_line"], row["upper_limit"]


def near(*values: float, within: float = 1e-9):
    return pytest.approx(values, abs=within)


# Whoever checks Firstpass against the textbook must find the textbook's numbers.
def test_piston_rings(charts):
    means, ranges, deviations = ([f(row) for row in rings()] for f in (fmean, lambda r: max(r) - min(r), stdev))
    center, mean_range, mean_deviation = fmean(means), fmean(ranges), fmean(deviations)
    assert (round(center, 6), round(mean_range, 5), round(mean_deviation, 4)) == (74.001176, 0.02324, 0.0094)
    assert limits(charts, "rings xbar-r") == near(center - 0.577 * mean_range, center, center + 0.577 * mean_range)
    assert limits(charts, "rings xbar-r", "spread") == near(0, mean_range, 2.114 * mean_range)
    wide = 1.427 * mean_deviation
    assert limits(charts, "rings xbar-s") == near(center - wide, center, center + wide)
    assert limits(charts, "rings xbar-s", "spread") == near(0, mean_deviation, 2.089 * mean_deviation)
    assert limits(charts, "rings xbar-r") == near(73.988, 74.001, 74.015, within=5e-4)
    wide = 3 * mean_range / (2.32592894728104 * math.sqrt(5))
    assert limits(charts, "exact xbar-r") == near(center - wide, center, center + wide)
    wide = 3 * mean_deviation / (c4(5) * math.sqrt(5))
    assert limits(charts, "exact xbar-s") == near(center - wide, center, center + wide)


def test_leaking_cans_and_circuit_boards(charts):
    assert limits(charts, "cans") == near(0.0524, 0.2313, 0.4102, within=6e-5)
    assert charts.signals("cans")["n1"] == [15, 23]
    assert limits(charts, "cans np") == near(50 * 0.0524, 50 * 0.2313, 50 * 0.4102, within=3e-3)
    assert limits(charts, "cans without") == near(0.0407, 0.2150, 0.3893, within=6e-5)
    assert charts.rows("control_chart_limit", "cans without")[0]["excluded_count"] == 2
    assert limits(charts, "boards") == near(6.48, 19.85, 33.22, within=1e-2)
    assert charts.signals("boards")["n1"] == [6, 20]


def test_individuals(charts):
    ranges = [abs(a - b) for a, b in zip(FLOW, FLOW[1:], strict=False)]
    assert limits(charts, "flow") == near(45.8159, 50.81, 55.8041, within=1e-4)
    wide = 3 * fmean(ranges) / 1.128
    assert limits(charts, "flow") == near(50.81 - wide, 50.81, 50.81 + wide)
    assert limits(charts, "flow", "spread") == near(0, fmean(ranges), 3.267 * fmean(ranges))
    assert charts.rows("control_chart_limit", "flow")[0]["status"] == "trial"
    # a point that is left out takes both of its moving ranges along
    wide = 3 * fmean(ranges[:3] + ranges[5:]) * math.sqrt(math.pi) / 2
    center = fmean(FLOW[:4] + FLOW[5:])
    assert limits(charts, "flow without") == near(center - wide, center, center + wide)


def test_ewma(charts):
    rows = charts.rows("control_chart_point", "ewma")
    assert [row["value"] for row in rows[:15]] == near(*EWMA_RESULT, within=0.0101)
    assert rows[-1]["upper_limit"] == pytest.approx(52.5884, abs=1e-3)
    average = 0.1
    for at, row in enumerate(charts.rows("control_chart_point", "ewma long"), 1):
        average += 0.25 * (LONG[at - 1] - average)
        assert row["value"] == pytest.approx(average, abs=1e-12)
        width = 3 * math.sqrt(0.25 / 1.75 * (1 - 0.75 ** (2 * at)))
        assert row["upper_limit"] == pytest.approx(0.1 + width, abs=1e-12)
    squares = 0.0
    for values, row in zip(VARYING, charts.rows("control_chart_point", "ewma varying"), strict=True):
        squares = 0.64 * squares + 0.04 / len(values)
        assert row["standard_error"] == pytest.approx(within_sigma(VARYING[:25]) * math.sqrt(squares), rel=1e-10)


def test_cusum(charts):
    high = [row["value"] * 0.635 for row in charts.rows("control_chart_point", "cusum", "cusum_high")]
    assert high == near(*CUSUM_RESULT, within=0.0101)
    low = 0.0
    for value, row in zip(CUSUM, charts.rows("control_chart_point", "cusum", "cusum_low"), strict=True):
        low = min(0.0, low + (value - 325) / 0.635 + 0.5)
        assert row["value"] == pytest.approx(low, abs=1e-9)
    assert charts.signals("cusum", "cusum_high") == {"n1": [14, 15, 16, 17, 18, 19, 20]}


def within_sigma(groups: list[list[float]]) -> float:
    """S/c4 of each, weighted by the inverse of its variance."""
    constants = [c4(len(group)) for group in groups]
    weights = [c * c / (1 - c * c) for c in constants]
    spreads = [stdev(group) / c for group, c in zip(groups, constants, strict=True)]
    return sum(w * s for w, s in zip(weights, spreads, strict=True)) / sum(weights)


def test_subgroups_of_different_sizes(charts):
    sigma = within_sigma(VARYING[:25])
    center = fmean(value for group in VARYING[:25] for value in group)
    for group, row in zip(VARYING, charts.rows("control_chart_point", "varying xbar-s"), strict=True):
        wide = 3 * sigma / math.sqrt(len(group))
        assert (row["lower_limit"], row["upper_limit"]) == near(center - wide, center + wide)
    for group, row in zip(VARYING, charts.rows("control_chart_point", "varying xbar-s", "spread"), strict=True):
        c = c4(len(group))
        assert row["center_line"] == pytest.approx(c * sigma, rel=1e-10)
        assert row["upper_limit"] == pytest.approx(sigma * (c + 3 * math.sqrt(1 - c * c)), rel=1e-10)
    assert charts.rows("control_chart_limit", "varying xbar-s")[0]["sizes_vary"]


# A classic p chart of thousands of modules a day has every day out of control, and nobody looks at it any more.
@pytest.mark.parametrize("kind", ["p", "u"])
def test_overdispersed_shares_get_wider_limits(charts, kind):
    mean = sum(count for count, _ in SHARES) / sum(size for _, size in SHARES)
    errors = [math.sqrt(mean * (1 - mean if kind == "p" else 1) / size) for _, size in SHARES]
    z = [(count / size - mean) / error for (count, size), error in zip(SHARES, errors, strict=True)]
    sigma_z = fmean(abs(a - b) for a, b in zip(z, z[1:], strict=False)) * math.sqrt(math.pi) / 2
    row = charts.rows("control_chart_limit", f"laney {kind}")[0]
    assert row["sigma_z"] == pytest.approx(sigma_z, rel=1e-10) and row["sigma_z_limit"] == pytest.approx(1.44)
    assert sigma_z > 1.44 and row["is_laney"] and not charts.rows("control_chart_limit", f"never {kind}")[0]["is_laney"]
    for error, found in zip(errors, charts.rows("control_chart_point", f"laney {kind}"), strict=True):
        assert found["upper_limit"] == pytest.approx(mean + 3 * error * sigma_z, rel=1e-10)
    for error, found in zip(errors, charts.rows("control_chart_point", f"never {kind}"), strict=True):
        assert found["upper_limit"] == pytest.approx(mean + 3 * error, rel=1e-10)


# Limits that follow the newest points never signal a drift.
def test_limits_change_by_recorded_rebases_only(charts):
    rows = charts.rows("control_chart_limit", "versions")
    assert [(row["reference_from_local"], row["reference_to_local"]) for row in rows] == [
        (moment(1), moment(10)),
        (moment(11), moment(20)),
        (moment(31), moment(40)),
    ]
    assert [row["rebase_reason"] for row in rows] == [None, "new tool", "new tool"]
    assert [row["point_count"] for row in rows] == [20, 10, 10]
    assert variance([row["mean"] for row in rows]) > 0
