"""Where each run rule fires, on charts of individuals with mean 0 and standard deviation 1."""

import pytest
from charts import Charts

KNOWN = {"known_mean": 0.0, "known_sigma": 1.0, "rules": "nelson western-electric"}
ALTERNATING = [0.5 if at % 2 else -0.5 for at in range(16)]

CASES = {
    # name: (values, rule, the points at which it fires)
    "beyond a limit, and not on it": ([0, 3.0, 3.1, -3.0, -3.1], "n1", [3, 5]),
    "the handbook's first rule is the same": ([0, 3.0, 3.1, -3.0, -3.1], "w1", [3, 5]),
    "nine on a side, and each further one": ([0.5] * 11, "n2", [9, 10, 11]),
    "eight on a side": ([-0.5] * 9, "w4", [8, 9]),
    "the centre line breaks a run of nine": ([0.5] * 5 + [0.0] + [0.5] * 8, "n2", []),
    "the centre line breaks a run of eight": ([0.5] * 7 + [0.0] + [0.5] * 7, "w4", []),
    "the other side breaks a run": ([0.5] * 8 + [-0.1] + [0.5] * 8, "n2", []),
    "six rising": ([-1, -0.5, 0, 0.5, 1, 1.5, 1.6], "n3", [6, 7]),
    "six falling": ([1.5, 1, 0.5, 0, -0.5, -1], "n3", [6]),
    "a tie breaks a trend": ([-1, -0.5, 0, 0, 0.5, 1, 1.5], "n3", []),
    "a trend begins with the second of a tie": ([0, 0, 0.2, 0.4, 0.6, 0.8, 1.0], "n3", [7]),
    "fourteen up and down": (ALTERNATING, "n4", [14, 15, 16]),
    "a tie breaks up and down": ([*ALTERNATING[:7], ALTERNATING[6], *ALTERNATING[7:15]], "n4", []),
    "two of three beyond 2 sigma": ([2.1, 0, 2.1, 0, 0, 2.1], "n5", [3]),
    "two in a row are two of three": ([2.1, 2.1], "n5", [2]),
    "an inner point completes nothing": ([2.1, 2.1, 0.5], "n5", [2]),
    "on the 2 sigma line is within it": ([2.0, 2.1, 2.0, 0, 2.1], "n5", []),
    "both sides do not add up to 2 of 3": ([2.1, 0, -2.1], "w2", []),
    "four of five beyond 1 sigma": ([1.1, 1.1, 0, 1.1, 1.1, 1.1], "n6", [5, 6]),
    "on the 1 sigma line is within it": ([1.1, 1.1, 1.0, 1.0, 1.1, 1.1], "w3", []),
    "both sides do not add up to 4 of 5": ([1.1, -1.1, 1.1, -1.1, 1.1], "w3", []),
    "fifteen within 1 sigma, on its line and on the centre": ([1.0, -1.0, 0.0] * 5 + [0.2], "n7", [15, 16]),
    "fifteen but one": ([0.5, -0.5] * 7 + [1.1], "n7", []),
    "eight beyond 1 sigma on either side": ([1.1, -1.1] * 4 + [1.5], "n8", [8, 9]),
    "one on the 1 sigma line is not beyond": ([1.1, -1.1, 1.1, -1.0, 1.1, -1.1, 1.1, -1.1], "n8", []),
    "a run goes on after a signal": ([0.5] * 8 + [3.5] + [0.5], "n2", [9, 10]),
    "a chart shorter than any run": ([0.1, 0.2], "n2", []),
}


@pytest.fixture(scope="module")
def charts() -> Charts:
    charts = Charts()
    for name, (values, _, _) in CASES.items():
        charts.add(name, "imr", [float(value) for value in values], **KNOWN)
    charts.add("rebased", "imr", [0.5] * 16, **KNOWN)
    charts.rebase("rebased", 9)
    charts.add("rebased trend", "imr", [-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 1.6], **KNOWN)
    charts.rebase("rebased trend", 5)
    night = [1, 2, 3, 4, 5, 605, 606, 607, 608, 609]
    charts.add("gap", "imr", [0.5] * 10, night, **KNOWN)
    charts.add("gap that breaks", "imr", [0.5] * 10, night, run_gap_h=8.0, **KNOWN)
    charts.add("default rules", "imr", [0.5] * 9 + [3.5, 2.5, 2.5], known_mean=0.0, known_sigma=1.0)
    charts.add("critical", "imr", [0.5] * 9 + [3.5, 4.5], known_mean=0.0, known_sigma=1.0, is_critical=True)
    charts.exclude("critical", 11)
    charts.add("counts", "c", [(9, 1)] * 25 + [(25, 1)] * 8, rules="nelson", known_mean=9.0)
    charts.add("nothing tested", "u", [(2, 1)] * 5 + [(0, 0)] + [(2, 1)] * 4, rules="1 2", known_mean=1.0)
    charts.add("no variation", "imr", [5.0] * 30 + [6.0])
    charts.add("no fails", "p", [(0, 50)] * 30 + [(1, 50)])
    return charts.build()


# A rule that fires elsewhere than the field agrees sends people to the machine for nothing, or leaves them sitting.
@pytest.mark.parametrize("name", CASES)
def test_rule_fires_at_the_points_that_complete_it(charts, name):
    _, rule, points = CASES[name]
    assert charts.signals(name).get(rule, []) == points


# What came before new limits was judged by others: a run across both would be of nothing.
def test_runs_end_with_the_version_of_the_limits(charts):
    assert charts.signals("rebased") == {"w4": [8, 16]}
    assert "n3" not in charts.signals("rebased trend")
    assert [row["version"] for row in charts.rows("control_chart_limit", "rebased")] == [1, 2]
    # nor does a moving range lie between points of two versions
    assert [row["point_number"] for row in charts.rows("control_chart_point", "rebased", "spread")] == [
        *range(2, 9),
        *range(10, 17),
    ]


def test_a_gap_in_time_breaks_no_run_unless_configured(charts):
    assert charts.signals("gap")["n2"] == [9, 10]
    assert charts.signals("gap that breaks") == {}


def test_rules_are_1_and_2_where_none_are_named(charts):
    assert charts.signals("default rules") == {"n1": [10], "n2": [9, 10, 11, 12]}


# A plant that is alerted by every run of nine switches the alerts off.
def test_only_points_beyond_limits_of_critical_charts_alert_and_none_with_a_known_cause(charts):
    rows = charts.rows("control_chart_signal", "critical")
    assert [(row["point_number"], row["rule"]) for row in rows if row["is_alert"]] == [(10, "n1")]
    assert not any(row["is_alert"] for row in charts.rows("control_chart_signal", "default rules"))


# On a day when everything goes wrong the worst alert would be one of a hundred. What is furthest beyond its limits
# counts first, on charts of any kind, and a point is one alert however many rules say so.
def test_alerts_stay_within_the_budget_of_the_day():
    busy = {"rules": "1 2 w1", "is_critical": True}
    charts = Charts()
    charts.add("values", "imr", [3.6, 3.3], known_mean=0.0, known_sigma=1.0, **busy)
    charts.add("counts", "c", [(99, 1)] + [(27, 1)] * 20, known_mean=9.0, **busy)
    charts.add("sums", "cusum", [4.5] * 2, known_mean=0.0, known_sigma=1.0, **busy)
    charts.add("not critical", "c", [(99, 1)], known_mean=9.0)
    charts.build()
    alerts = {
        (row["alert_rank"], chart, row["point_number"], row["is_alert"])
        for chart, panel in [("values", "location"), ("counts", "location"), ("sums", "cusum_high")]
        for row in charts.rows("control_chart_signal", chart, panel)
        if row["alert_rank"]
    }
    # distances in those of the limits: 90 / 9, 18 / 9, 8 / 5, 3.6 / 3, 3.3 / 3
    assert sorted(alerts) == [
        (1, "counts", 1, True),
        *[(1 + at, "counts", 1 + at, True) for at in range(1, 20)],
        (21, "counts", 21, False),
        (22, "sums", 2, False),
        (23, "values", 1, False),
        (24, "values", 2, False),
    ]
    assert [row["alert_rank"] for row in charts.rows("control_chart_signal", "not critical")] == [None]


def test_charts_of_counts_have_no_zone_rules(charts):
    assert charts.signals("counts") == {"n1": list(range(26, 34))}


# A day without tests is no point: it is shown, takes no part in a run, and breaks none.
def test_a_point_without_a_value_is_no_point_of_a_run(charts):
    assert charts.rows("control_chart_point", "nothing tested")[5]["value"] is None
    assert charts.signals("nothing tested")["n2"] == [10]


# Limits of zero width would make a signal of every value of a gage that resolves too little.
@pytest.mark.parametrize("chart", ["no variation", "no fails"])
def test_a_reference_without_variation_makes_no_limits(charts, chart):
    assert [row["status"] for row in charts.rows("control_chart_limit", chart)] == ["no_variation"]
    assert charts.signals(chart) == {}
    assert len(charts.rows("control_chart_point", chart)) == 31
