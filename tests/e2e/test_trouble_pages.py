"""What a reader sees of anomalies.html and spc.html, against the published views, in a real browser."""

from pathlib import Path

import duckdb
import pytest

from report import render
from tests.e2e.conftest import Report
from tests.python.report.published_marts import build_marts
from tests.python.report.published_trouble import add_spc, add_trouble


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build_marts(tmp_path_factory.mktemp("troubled") / "published", roles=[])
    add_trouble(
        folder, names=("</script><script>alert(5)</script>", "<b onmouseover=alert(6)>", "<img src=x onerror=alert(7)>")
    )
    add_spc(folder, product="<img src=x onerror=alert(8)>")
    render(folder)
    return folder


def open_page(show, published: Path, document: str, page: str, width: int = 1400, **choice: str) -> Report:
    return show(published, document, width=width).open(page, **choice)


def ask(published: Path, sql: str, *values: object) -> list[tuple]:
    with duckdb.connect(str(published / "marts.duckdb"), read_only=True) as connection:
        return connection.execute(sql, values).fetchall()


# A count beside the flags that is of another choice, or charts of other flags than those listed.
def test_flags_follow_the_choice(show, troubled):
    report = open_page(show, troubled, "anomalies", "anomalies")
    within = "from report_anomaly where is_within_budget and production_date between $1 and $2 and severity like $3"
    [(first, last)] = ask(troubled, "select min(production_date), max(production_date) from report_anomaly")
    for severity, since in [("%", first), ("high", first), ("high", last.replace(day=15))]:
        if severity != "%":
            report.choose("severity", severity)
        report.choose("from", str(since))
        sums = "select count(*), count(*) filter (where is_open), coalesce(sum(units_at_stake), 0) "
        [expected] = ask(troubled, sums + within, since, last, severity)
        assert [report.figure(name) for name in ("flags", "open", "units")] == [float(value) for value in expected]
        order = " order by list_position(['critical', 'high', 'medium', 'low'], severity), score desc, anomaly_id"
        sentences = [row[0] for row in ask(troubled, f"select sentence {within}{order}", since, last, severity)]
        assert [row[0] for row in report.table("timeline")] == sentences
        assert report.page.locator("section[data-kind] h3").all_inner_texts() == sentences[:24]
        assert report.page.locator("section[data-kind] .chart svg").count() == min(len(sentences), 24)


def test_hot_components_stand_first_and_are_red(show, troubled):
    report = open_page(show, troubled, "anomalies", "temperature")
    hot = "is_over_limit or value_now > upper_limit"
    expected = ask(troubled, f"select value_now from report_component_temperature order by ({hot}) desc, "
                   "upper_limit - value_now nulls last")  # fmt: skip
    shown = report.page.eval_on_selector_all(".wall strong", "tiles => tiles.map(tile => Number(tile.dataset.value))")
    assert shown == pytest.approx([value for (value,) in expected])
    assert report.page.locator(".wall .tile.hot").count() == report.figure("hot") == 2
    assert (
        report.page.locator(".wall .tile.hot strong").first.evaluate("it => getComputedStyle(it).color")
        == "rgb(163, 21, 21)"
    )


# Limits of another chart, or a signal without its rule, make a chart worse than none.
@pytest.mark.parametrize("chart", ["volt", "thick", "fails"])
def test_a_chart_shows_its_points_limits_and_signals(show, troubled, chart):
    [(identity,)] = ask(troubled, "select distinct chart_id from report_control_chart where chart = $1", chart)
    report = open_page(show, troubled, "spc", "control_charts", chart=identity)
    points = "from report_control_chart_point where chart_id = $1 and panel = 'location'"
    [(shown, version)] = ask(troubled, f"select count(*), max(version) {points}", identity)
    assert (report.figure("shown"), report.figure("version")) == (shown, version)
    expected = ask(
        troubled,
        "select point_number, replace(rule, 'n', ''), signals.value, signals.upper_limit "
        "from report_control_chart_signal as signals inner join report_control_chart_point as points "
        "using (chart_id, panel, point_number) where chart_id = $1 and panel = 'location' order by 1, 2",
        identity,
    )
    found = sorted([row[1], row[2], row[4], row[7]] for row in report.table("panel-location"))
    assert found == [
        [number, rule, pytest.approx(value), pytest.approx(limit)] for number, rule, value, limit in expected
    ]
    names = report.page.locator("#section-panel-location svg .mark-text.role-mark text").all_text_contents()
    assert sorted(" ".join(names).split()) == sorted(row[1] for row in expected)
    labels = report.page.inner_text("#section-panel-location .legend")
    assert ("zone A" in labels, "new limits" in labels) == (chart != "fails", chart == "thick")


@pytest.mark.parametrize("parameter", ["volt", "tail", "noise"])
def test_capability_shows_indices_intervals_method_and_stability(show, troubled, parameter):
    report = open_page(show, troubled, "spc", "capability")
    report.page.click(f"#section-parameters a:text-matches('^{parameter} ')")
    report.ready()
    names = ["cp", "cpk", "pp", "ppk", "headline_ppk"]
    [row] = ask(
        troubled,
        f"select {', '.join(names)}, cpk_low, method, stability from report_process_capability where parameter = $1",
        parameter,
    )
    tiles = [report.figure(name) for name in ("cp", "cpk", "pp", "ppk", "headline")]
    shown = [value for value in row[:5] if value is not None]
    assert [value for value in tiles if value is not None] == pytest.approx(shown)
    if row[5] is not None:
        assert f"95 %: {float(f'{row[5]:.3g}'):g} to" in report.page.inner_text("[data-figure=cpk] small")
    facts = report.page.inner_text("#section-stability")
    assert ("percentiles" in facts.split("Normality")[0]) == (row[6] != "normal")
    assert ("not stable" in facts) == (row[7] == "unstable")
    counts = [row[2] for row in report.table("histogram")]
    bins = ask(
        troubled,
        "select value_count from report_capability_histogram where parameter = $1 order by bin_from",
        parameter,
    )
    assert counts == [value for (value,) in bins]
    assert ("normal curve" in report.page.inner_text("#section-histogram .legend")) == (row[6] == "normal")


# A chart that is wider than a phone, or drawn past its section.
@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize(
    ("document", "page"),
    [("anomalies", "anomalies"), ("anomalies", "temperature"), ("spc", "control_charts"), ("spc", "capability")],
)
def test_pages_fit_their_screen(show, troubled, document, page, width):
    report = open_page(show, troubled, document, page, width=width)
    assert report.page.evaluate("document.documentElement.scrollWidth") <= width
    for chart in report.page.locator(".chart svg").all():
        assert chart.bounding_box()["width"] <= width
        assert chart.bounding_box()["height"] > 60
