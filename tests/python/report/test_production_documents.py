"""oee.html and shifts.html as files: what is in them, for whom, and that it is what was published."""

import datetime as dt
import json
import re
from pathlib import Path

import duckdb
import openpyxl
import pytest
import yaml

from pipeline.environment import PROJECT
from report import render
from report.cells import clean_text
from report.documents import oee, shifts
from report.publication import Publication
from report.workbook import HEADER_ROW
from tests.python.report import published_production
from tests.python.report.published_marts import build_marts
from tests.python.report.published_production import add_production

TYPES = {
    "string": "VARCHAR", "double": "DOUBLE", "bigint": "BIGINT", "date": "DATE", "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}  # fmt: skip
SHEETS = [
    (document.name, mart, view)
    for document in (oee.DOCUMENT, shifts.DOCUMENT)
    for mart, view in document.sheets.items()
]


@pytest.fixture(scope="module", params=["plain", "hostile"])
def factory(request, tmp_path_factory) -> Path:
    folder = build_marts(tmp_path_factory.mktemp(request.param) / "published", roles=[], modules=3)
    texts = published_production.HOSTILE if request.param == "hostile" else published_production.PLAIN
    render(add_production(folder, texts))
    return folder


def query(folder: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(folder / "marts.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def carried(file: Path) -> dict:
    """The data block of a document, and that nothing of it is markup."""
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', file.read_text("utf-8"), re.DOTALL)[1]
    assert "<" not in text
    return json.loads(text)


# These tests would be about views that no build makes.
def test_the_made_up_views_have_the_columns_of_the_contracts(factory):
    for folder in ("production", "comparison"):
        for file in (PROJECT / "models" / "publish" / folder).glob("report_*.yml"):
            for model in yaml.safe_load(file.read_text("utf-8"))["models"]:
                sql = f"select column_name, data_type from duckdb_columns() where table_name = '{model['name']}'"
                contract = {column["name"]: TYPES[column["data_type"]] for column in model["columns"]}
                assert dict(query(factory, sql)) == contract, model["name"]


# The page would add up other parts than the published ones.
def test_the_page_carries_the_cells_of_the_mart(factory):
    made = carried(factory / "reports" / "latest" / "all" / "oee.html")
    table, names = made["tables"]["machine"], made["names"]
    found = [
        (names["day"][day], names["machine"][machine], *parts)
        for day, machine, *parts in zip(
            table["day"], table["machine"], *(table[part] for part in oee.PARTS), strict=True
        )
    ]
    columns = ", ".join(oee.PARTS)
    expected = query(factory, f"select production_date::varchar, machine_id, {columns} from report_oee_machine_day")
    assert sorted(found) == sorted(expected)


# Text of a record in a formula, or a cell that differs from what everybody else reads.
@pytest.mark.parametrize(("document", "mart", "view"), SHEETS)
def test_every_cell_of_a_sheet_is_the_published_one(factory, document, mart, view):
    sheet = openpyxl.load_workbook(factory / "reports" / "latest" / "all" / f"{document}.xlsx")[mart]
    with Publication(factory) as publication:
        expected = [[shown(value) for value in row] for row in publication.rows(view)]
    cells = list(sheet.iter_rows(min_row=HEADER_ROW + 1, max_col=len(expected[0])))
    assert [[shown(cell.value) for cell in row] for row in cells] == expected
    assert {cell.data_type for row in cells for cell in row} <= {"n", "s", "inlineStr", "d"}
    assert all(cell.quotePrefix for row in cells for cell in row if str(cell.value)[:1] in ("=", "@", "+"))


def shown(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return value.date() if value.time() == dt.time() else value.replace(microsecond=0)
    if isinstance(value, float):
        return pytest.approx(value, nan_ok=True)
    return clean_text(value) if isinstance(value, str) else value


# A role would find in a file what it was not given.
def test_a_role_has_only_its_pages_and_nothing_else_in_its_files(tmp_path):
    roles = {
        "lead": ["shift_handover"],
        "maintenance": ["machine_timeline", "sheet:downtime_pareto"],
        "nobody": ["gone"],
    }
    named = [{"role": role, "page": page, "title": role} for role, pages in roles.items() for page in pages]
    add_production(build_marts(tmp_path, roles=named, modules=3))
    files = {str(file.relative_to(tmp_path / "reports" / "2024-01-29")) for file in render(tmp_path)}
    assert files == {
        "lead/shifts.html", "maintenance/oee.html", "maintenance/oee.xlsx", "processed_summary_data.xlsx",
    }  # fmt: skip
    lead = carried(tmp_path / "reports" / "latest" / "lead" / "shifts.html")
    assert set(lead["tables"]) == {"handover"}
    assert lead["names"]["metric"] == lead["names"]["side"] == []
    assert lead["documents"] == [["shifts", "Shifts"]]
    maintenance = carried(tmp_path / "reports" / "latest" / "maintenance" / "oee.html")
    assert set(maintenance["tables"]) == {"span"}
    assert maintenance["names"]["week"] == maintenance["names"]["step"] == []


# A plant that did not ask for a subject would get an error every night, or an empty page.
def test_a_document_without_its_subject_or_without_rows_is_not_written(tmp_path):
    add_production(build_marts(tmp_path, roles=[], modules=3), shifts=False)
    assert "shifts.html" not in {file.name for file in render(tmp_path)}
    with duckdb.connect(str(tmp_path / "marts.duckdb")) as connection:
        views = {view for document in (oee.DOCUMENT,) for view in document.sheets.values()}
        for view in [*views, "report_machine_hour", "report_machine_timeline"]:
            connection.execute(f"delete from {view}")
    names = {file.name for file in render(tmp_path)}
    assert names == {"yield.html", "yield.xlsx", "processed_summary_data.xlsx"}


# A plant of machines without testers would find its reports in a folder named empty.
def test_a_plant_without_tests_has_its_reports_under_the_last_day_of_machine_time(tmp_path):
    files = render(add_production(build_marts(tmp_path, roles=[], modules=0)))
    assert (tmp_path / "reports" / "latest").resolve().name == "2024-01-21"
    oee_page = next(file for file in files if file.name == "oee.html")
    assert carried(oee_page)["run"]["lastDay"] == "2024-01-21"


# Hours are cut into pieces for the marts; a band of them would show one stop as many.
def test_pieces_of_one_stop_are_one_span_and_the_clock_may_change(tmp_path):
    add_production(build_marts(tmp_path, roles=[], modules=3))
    with duckdb.connect(str(tmp_path / "marts.duckdb")) as connection:
        connection.execute("delete from report_machine_timeline")
        at = dt.datetime(2024, 10, 26, 22)  # Berlin, midnight; the clock goes back three hours later
        for hour in range(25):
            began = at + dt.timedelta(hours=hour)
            local = began + dt.timedelta(hours=2 if hour < 3 else 1)
            stop = hour in (2, 3, 4)
            connection.execute(
                "insert into report_machine_timeline values "
                "('M1', 'L1', '2024-10-27', $1, $2, $3, 'day', $4, $5, null, $6, 'P1', 3600)",
                [began, began + dt.timedelta(hours=1), local, "ADET" if stop else "APT",
                 "malfunction" if stop else "production", at + dt.timedelta(hours=2) if stop else None],
            )  # fmt: skip
    with Publication(tmp_path) as publication:
        made = oee.OeeData(publication).of(["machine_timeline"])
    span = made["tables"]["span"]
    assert list(zip(span["start"], span["end"], span["at"], span["stop"], strict=True)) == [
        (0, 7200, "00:00:00", 0),
        (7200, 18000, "02:00:00", 1),
        (18000, 90000, "04:00:00", 0),
    ]
    assert made["clock"] == [{"seconds": 90000, "startHour": 0, "jumpAt": 10800, "jumpHours": -1}]


# A page of a large plant that no phone opens.
def test_fewer_weeks_and_days_where_a_plant_has_many_rows(tmp_path, monkeypatch):
    add_production(build_marts(tmp_path, roles=[], modules=3))
    monkeypatch.setitem(oee.ROW_LIMITS, oee.LOSSES, 1)
    monkeypatch.setitem(oee.ROW_LIMITS, oee.SPANS, 70)
    with Publication(tmp_path) as publication:
        made = oee.OeeData(publication).of(["oee", "machine_timeline"])
    assert made["names"]["week"] == ["2024-W03"]
    assert made["names"]["shownDay"] == ["2024-01-20", "2024-01-21"]
    monkeypatch.setattr(shifts, "PAIRS", 1)
    with Publication(tmp_path) as publication:
        assert shifts.ShiftData(publication).of(["shift_comparison"])["names"]["kind"] == ["shift"]
