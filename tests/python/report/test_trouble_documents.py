"""Data of anomalies.html and spc.html, against the published views."""

import json
import math
from pathlib import Path

import duckdb
import openpyxl
import pytest

from report import render
from report.documents import anomalies, spc
from report.documents.anomalies import AnomalyData
from report.documents.spc import SpcData
from report.publication import Publication, Role
from tests.python.report.published_marts import build_marts
from tests.python.report.published_trouble import add_spc, add_trouble

TIME = "yyyy-mm-dd hh:mm"
EVERYTHING = Role("all", "All", ())
ROLES = [
    {"role": "maintenance", "page": page, "title": "Maintenance"}
    for page in ("temperature", "sheet:anomaly", "sheet:component_temperature")
] + [{"role": "quality", "page": page, "title": "Quality"} for page in ("capability", "sheet:control_chart_signal")]


@pytest.fixture(scope="module")
def troubled(tmp_path_factory) -> Path:
    folder = build_marts(tmp_path_factory.mktemp("troubled") / "published", roles=ROLES)
    add_trouble(folder, names=("=1+1", "Oven", "M<1>"))
    add_spc(folder, product="@SUM(A1)", test="<b>Trim")
    render(folder)
    return folder


def ask(published: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(published / "marts.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def data_of(published: Path, document, data, pages: list[str] | None = None) -> dict:
    with Publication(published) as publication:
        return data(publication).of(pages or document.pages_of(EVERYTHING, publication))


# A flag past the budget would be one of a hundred, and the worst one stand below it.
def test_flags_are_those_within_the_budget_most_severe_first(troubled):
    made = data_of(troubled, anomalies.DOCUMENT, AnomalyData)
    flag, names = made["tables"]["flag"], made["names"]
    found = [(names["severity"][s], score) for s, score in zip(flag["severity"], flag["score"], strict=True)]
    expected = ask(
        troubled,
        "select severity, score from report_anomaly where is_within_budget order by "
        "list_position(['critical', 'high', 'medium', 'low'], severity), score desc, anomaly_id",
    )
    assert found == [(severity, pytest.approx(score)) for severity, score in expected]
    assert made["leftOut"] == {"budget": 2, "older": 0}


# A sensor's time in UTC beside a station's wall time would put what belongs together eight hours apart.
def test_times_are_those_of_the_plants_clock(troubled):
    made = data_of(troubled, anomalies.DOCUMENT, AnomalyData)
    flag = made["tables"]["flag"]
    found = dict(zip(flag["sentence"], flag["from"], strict=True))
    expected = ask(
        troubled,
        "select sentence, epoch(started_at + case entity_type when 'sensor' then interval 8 hour else interval 0 hour "
        "end)::bigint from report_anomaly where is_within_budget",
    )
    assert found == dict(expected)


# Another series drawn beside a sentence sends people to the wrong machine.
def test_each_flag_has_its_own_points(troubled):
    made = data_of(troubled, anomalies.DOCUMENT, AnomalyData)
    drawn = dict(zip(made["tables"]["flag"]["sentence"], made["around"], strict=True))
    for sentence, observed in ask(
        troubled,
        "select sentence, list(context.observed order by point_at) from report_anomaly "
        "inner join report_anomaly_context as context using (anomaly_id) where is_within_budget group by 1",
    ):
        assert drawn[sentence][1] == pytest.approx(observed)


# A plant with a thousand flags would get a file that no phone opens.
def test_more_points_than_fit_leave_the_least_severe_without_a_chart(troubled, monkeypatch):
    monkeypatch.setattr(anomalies, "POINTS", 150)
    monkeypatch.setattr(anomalies, "FLAGS", 20)
    made = data_of(troubled, anomalies.DOCUMENT, AnomalyData)
    assert [around is not None for around in made["around"]] == [True, True] + [False] * 18
    assert made["leftOut"]["older"] == 8


def test_what_is_too_hot_comes_first(troubled):
    made = data_of(troubled, anomalies.DOCUMENT, AnomalyData)
    assert [tile["name"] for tile in made["components"]][:2] == ["pump", "heater"]
    assert made["hotCount"] == 2
    assert made["components"][-1]["limit"] is None
    assert made["states"] == {"above_limit": 1, "below_limit": 1, "bad": 0, "silent": 1, "never_read": 1, "ok": 2}


def test_charts_with_alerts_and_signals_come_first_and_their_points_are_the_marts(troubled):
    made = data_of(troubled, spc.DOCUMENT, SpcData)
    order = [(-chart["alerts"], -chart["signals"]) for chart in made["charts"]]
    assert order == sorted(order)
    assert made["charts"][0]["alerts"] > 0
    for chart in made["charts"]:
        for panel, columns in chart["panels"].items():
            points = ask(
                troubled,
                "select points.point_number, points.value, points.upper_limit, points.version, "
                "list(rule order by rule) filter (where rule is not null) from report_control_chart_point as points "
                "left join report_control_chart_signal as signals using (chart_id, panel, point_number) "
                f"where chart_id = '{chart['id']}' and panel = '{panel}' group by all order by 1",
            )
            assert columns["point_number"] == [point[0] for point in points]
            assert columns["value"] == pytest.approx([point[1] for point in points])
            assert columns["upper_limit"] == pytest.approx([point[2] for point in points])
            assert columns["version"] == [point[3] for point in points]
            assert [sorted(rules) for rules in columns["rules"]] == [point[4] or [] for point in points]


# The file would grow with every chart and every hour.
def test_charts_are_bounded(troubled, monkeypatch):
    monkeypatch.setattr(spc, "POINTS", 500)
    made = data_of(troubled, spc.DOCUMENT, SpcData)
    assert (len(made["charts"]), made["chartCount"]) == (1, 5)
    assert max(len(panel["value"]) for panel in made["charts"][0]["panels"].values()) == 200


def test_a_rebase_is_a_version_with_its_reason(troubled):
    made = data_of(troubled, spc.DOCUMENT, SpcData)
    thick = next(chart for chart in made["charts"] if chart["name"] == "thick")
    assert {(one["version"], one["rebase_reason"]) for one in thick["versions"]} == {(1, None), (2, "new supplier <i>")}
    assert set(thick["panels"]["location"]["version"]) == {1, 2}


def test_histograms_hold_all_values_and_the_least_capable_come_first(troubled):
    made = data_of(troubled, spc.DOCUMENT, SpcData)
    indices = [one["headline_ppk"] for one in made["parameters"] if one["headline_ppk"] is not None]
    assert indices == sorted(indices)
    assert made["parameters"][-1]["headline_ppk"] is None
    for one in made["parameters"]:
        assert sum(bin[2] for bin in one["bins"]) == one["value_count"] == 1200
        assert all(math.isclose(high - low, one["bins"][0][1] - one["bins"][0][0]) for low, high, *_ in one["bins"])
    assert {one["parameter"]: one["method"] for one in made["parameters"]}["tail"] == "percentiles (ISO 22514-2)"


# What is not granted must not be in the file.
def test_a_role_gets_only_its_pages_and_sheets(troubled):
    latest = troubled / "reports" / "latest"
    assert {file.name for file in (latest / "maintenance").iterdir()} == {"anomalies.html", "anomalies.xlsx"}
    assert {file.name for file in (latest / "quality").iterdir()} == {"spc.html", "spc.xlsx"}
    wall = (latest / "maintenance" / "anomalies.html").read_text(encoding="utf-8")
    assert "flag 3 of" not in wall and "hottest" in wall
    capability = (latest / "quality" / "spc.html").read_text(encoding="utf-8")
    assert "tool broke" not in capability and "headline_ppk" in capability
    sheets = openpyxl.load_workbook(latest / "maintenance" / "anomalies.xlsx").sheetnames
    assert sheets == ["anomaly", "component_temperature", "definitions"]


# A sentence that begins like a formula would run in Excel; a product named like a script in the browser.
def test_text_stays_text(troubled):
    latest = troubled / "reports" / "latest"
    sheet = openpyxl.load_workbook(latest / "maintenance" / "anomalies.xlsx")["anomaly"]
    cells = [cell for row in sheet.iter_rows(min_row=4) for cell in row if cell.value == "=1+1"]
    assert cells and all(cell.data_type == "s" and cell.quotePrefix for cell in cells)
    times = {cell.value for row in sheet.iter_rows(min_row=4) for cell in row if cell.number_format == TIME}
    assert times == {
        at for row in ask(troubled, "select started_at, ended_at, peak_at from report_anomaly") for at in row
    }
    page = (latest / "maintenance" / "anomalies.html").read_text(encoding="utf-8")
    assert "<b>valve" not in page
    assert "\\u003cb\\u003evalve" in page


# A plant without sensors or measurements, and one on its first night.
@pytest.mark.parametrize("modules", [0, 3])
def test_a_plant_without_the_subject_has_no_such_document(tmp_path, modules):
    published = build_marts(tmp_path, modules=modules, roles=[])
    names = {file.name for file in render(published)}
    assert names & {"anomalies.html", "spc.html", "anomalies.xlsx", "spc.xlsx"} == set()
    add_trouble(published, flags=0)
    with duckdb.connect(str(published / "marts.duckdb")) as connection:
        connection.execute("delete from report_component_temperature")
        connection.execute("delete from report_sensor_status")
    assert "anomalies.html" not in {file.name for file in render(published)}


def test_what_is_no_number_becomes_null(tmp_path):
    published = add_trouble(build_marts(tmp_path, modules=1), flags=2)
    with duckdb.connect(str(published / "marts.duckdb")) as connection:
        connection.execute("update report_anomaly set observed = 'nan', expected = 'inf'")
        connection.execute("update report_component_temperature set upper_limit = null, value_max = 'nan'")
    made = data_of(published, anomalies.DOCUMENT, AnomalyData)
    assert set(made["tables"]["flag"]["observed"] + made["tables"]["flag"]["expected"]) == {None}
    json.dumps(made, allow_nan=False)
