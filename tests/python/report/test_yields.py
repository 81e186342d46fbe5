import json
from pathlib import Path

import duckdb
import pytest

from report.content import frame_of
from report.documents import yields
from report.publication import Publication, Role
from tests.python.report.published_marts import build_marts

EVERYTHING = Role("all", "All", ())


def document(published: Path, role: Role = EVERYTHING) -> dict:
    with Publication(published) as publication:
        pages = yields.DOCUMENT.pages_of(role, publication)
        frame = frame_of(publication, role, yields.DOCUMENT, pages, [yields.DOCUMENT])
        return frame | yields.YieldData(publication).of(pages)


# The page would add up other parts than the published ones.
def test_columns_are_the_cells_of_the_mart(published):
    made = document(published)
    step, names = made["tables"]["step"], made["names"]
    rows = zip(step["week"], step["product"], step["test"], step["load_qty"], step["first_pass_qty"], strict=True)
    found = sorted((names["week"][w], names["product"][p], names["test"][t], n, k) for w, p, t, n, k in rows)
    with duckdb.connect(str(published / "marts.duckdb"), read_only=True) as connection:
        expected = connection.execute(
            "select load_week, product_name, test_name, load_qty, first_pass_qty from summary_prod_test order by all"
        ).fetchall()
    assert found == expected


# What is not granted must not be in the file: management would find station figures by reading its source.
def test_a_role_without_the_test_page_carries_no_machine_and_no_failure(published):
    made = document(published, Role("management", "Management", ("topline", "product")))
    assert made["pages"] == ["topline", "product"]
    assert set(made["tables"]) == {"product", "step"}
    assert made["names"]["machine"] == made["names"]["error"] == []
    assert "M1-1" not in json.dumps(made)


# A report of two years would be too large for a phone, and grow every night.
def test_detail_is_the_last_26_weeks_and_products_stay_for_all(tmp_path):
    made = document(build_marts(tmp_path, weeks=40, modules=3))
    assert len(made["names"]["week"]) == 40
    assert made["detailFrom"] == 14
    assert min(made["tables"]["step"]["week"]) == 14
    assert min(made["tables"]["machine"]["week"]) == 14
    assert min(made["tables"]["product"]["week"]) == 0


# A plant with thousands of product × test × machine cells would get a page that no browser opens.
def test_fewer_weeks_where_a_week_has_many_rows(tmp_path, monkeypatch):
    monkeypatch.setitem(yields.ROW_LIMITS, "report_yield_machine", 40)
    made = document(build_marts(tmp_path))
    assert len(made["tables"]["machine"]["week"]) <= 40
    assert made["names"]["week"][made["detailFrom"] :] == ["2024-W04", "2024-W05"]


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_history_keeps_whole_weeks_and_at_least_one(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(yields, "HISTORY_ROWS", limit)
    weeks = document(build_marts(tmp_path))["tables"]["product"]["week"]
    assert all(weeks.count(week) == 3 for week in weeks)
    assert len(weeks) == {1: 3, 7: 6, 10_000: 15}[limit]


# A week without retests has NULL rates; NaN or Infinity in JSON would leave the whole page blank.
def test_what_is_no_number_becomes_null(tmp_path):
    build_marts(tmp_path)
    with duckdb.connect(str(tmp_path / "marts.duckdb")) as connection:
        connection.execute("update summary_prod set first_pass_yield = 'nan', cumm_yield = 'inf', rework_qty = null")
    product = document(tmp_path)["tables"]["product"]
    assert set(product["first_pass_yield"] + product["cumm_yield"] + product["rework_qty"]) == {None}


def test_an_empty_plant_has_empty_columns(empty):
    made = document(empty)
    assert made["names"]["week"] == []
    assert made["tables"]["step"]["load_qty"] == []
    assert made["run"]["asOf"] is None
