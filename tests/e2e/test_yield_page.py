"""What a reader sees of yield.html, against the marts: every expected figure is computed here from them, in SQL."""

import re

import duckdb
import pytest

from report import render
from tests.python.report.published_marts import ROLES, build_marts

PAGES = ["topline", "product", "test", "product_test"]


def ask(published, sql, *values):
    """The first row of a query of the published file."""
    with duckdb.connect(str(published / "marts.duckdb"), read_only=True) as connection:
        return connection.execute(sql, values).fetchone()


def ask_all(published, sql, *values):
    with duckdb.connect(str(published / "marts.duckdb"), read_only=True) as connection:
        return [list(row) for row in connection.execute(sql, values).fetchall()]


TESTED = """
    select sum(load_qty), sum(first_pass_qty) / sum(load_qty), sum(cumm_pass_qty) / sum(load_qty), sum(test_qty),
        sum(retest_pass_qty) / sum(retest_module_qty), sum(pass_duration_sum_s) / sum(pass_duration_count)
    from summary_prod_test
    where test_name = $1 and product_name like $2 and load_week between $3 and $4
"""
FIGURES = ["tested", "first", "cumm", "attempts", "retest", "passSeconds"]


# The figures would be those of another choice, or ratios averaged: products of different size tell them apart.
@pytest.mark.parametrize(
    "choice",
    [
        ("%", "Init", "2024-W01", "2024-W05"),
        ("%", "Final", "2024-W02", "2024-W03"),
        ("Beta", "Burn", "2024-W01", "2024-W05"),
        ("Gamma", "Final", "2024-W04", "2024-W04"),
    ],
)
def test_the_test_page_sums_parts_of_what_was_chosen(show, plain, choice):
    product, test, first, last = choice
    report = show(plain).open("test")
    report.choose("test", test)
    if product != "%":
        report.choose("product", product)
    report.choose("to", last)
    report.choose("from", first)
    assert [report.figure(name) for name in FIGURES] == pytest.approx(ask(plain, TESTED, test, product, first, last))


# The same where both are chosen; and one cell must show its published yields.
def test_the_product_test_page_shows_the_cell_of_one_week(show, plain):
    report = show(plain).open("product_test")
    report.choose("product", "Beta")
    report.choose("test", "Final")
    report.choose("from", "2024-W03")
    report.choose("to", "2024-W03")
    cell = ask(
        plain,
        "select first_pass_yield, cumm_yield, first_pass_yield_low, first_pass_yield_high from summary_prod_test "
        "where product_name = 'Beta' and test_name = 'Final' and load_week = '2024-W03'",
    )
    assert [report.figure("first"), report.figure("cumm")] == pytest.approx(cell[:2])
    shown = report.page.inner_text("[data-figure=first] small").replace("\u202f", " ")
    assert shown == f"95 %: {cell[2]:.1%} to {cell[3]:.1%}".replace("%", " %").replace("95  %", "95 %")


ROLLED = """
    select product(first), product(cumm) from (
        select sum(first_pass_qty) / sum(load_qty) as first, sum(cumm_pass_qty) / sum(load_qty) as cumm
        from summary_prod_test where product_name = $1 and load_week between $2 and $3 group by test_name)
"""


# A rolled yield over weeks that averages weeks' rolled yields differs from this by points.
@pytest.mark.parametrize(("first", "last"), [("2024-W01", "2024-W05"), ("2024-W02", "2024-W04"), ("2024-W05",) * 2])
def test_the_product_page_rolls_summed_parts(show, plain, first, last):
    report = show(plain).open("product")
    report.choose("product", "Gamma")
    report.choose("to", last)
    report.choose("from", first)
    expected = ask(plain, ROLLED, "Gamma", first, last)
    assert [report.figure("rolledFirst"), report.figure("rolledCumm")] == pytest.approx(expected)
    assert [report.figure(name) for name in ("started", "finished", "scrap", "wip")] == list(
        ask(
            plain,
            "select sum(load_qty), sum(finished_qty), sum(scrap_qty), sum(wip_qty) from summary_prod "
            "where product_name = 'Gamma' and load_week between $1 and $2",
            first,
            last,
        )
    )
    if first == last:
        sql = "select first_pass_yield, cumm_yield from summary_prod where product_name = 'Gamma' and load_week = $1"
        assert expected == pytest.approx(ask(plain, sql, first))


def test_the_product_page_shows_published_cells_by_week(show, plain):
    report = show(plain).open("product", product="Alpha")
    expected = ask_all(
        plain,
        "select load_week, load_qty, first_pass_yield, cumm_yield from summary_prod where product_name = 'Alpha' "
        "order by 1",
    )
    found = [[row[0], row[1], row[2], row[4]] for row in report.table("weeks")]
    assert [row[0] for row in found] == [row[0] for row in expected]
    assert [row[1:] for row in found] == [pytest.approx(row[1:], rel=1e-8) for row in expected]


# Over all products no rolled yield is shown as if it were one: units and steps are summed.
def test_the_topline_sums_units_and_steps_over_all_products(show, plain):
    report = show(plain).open("topline")
    report.choose("from", "2024-W02")
    steps = ask(
        plain,
        "select sum(first_pass_qty) / sum(load_qty), sum(cumm_pass_qty) / sum(load_qty) from summary_prod_test "
        "where load_week >= '2024-W02'",
    )
    units = ask(
        plain,
        "select sum(load_qty), sum(finished_qty), sum(unit_first_pass_qty) filter (where is_mature) "
        "/ sum(load_qty) filter (where is_mature) from summary_prod where load_week >= '2024-W02'",
    )
    assert [report.figure("stepFirst"), report.figure("stepCumm")] == pytest.approx(steps)
    assert [report.figure(name) for name in ("started", "finished", "unit")] == pytest.approx(units)
    products = ask_all(plain, "select distinct product_name from summary_prod order by 1")
    for (product,), row in zip(products, report.table("products"), strict=True):
        first, cumm = ask(plain, ROLLED, product, "2024-W02", "2024-W05")
        assert (row[0], row[2], row[4]) == (product, pytest.approx(first), pytest.approx(cumm))


# An unfinished week would pass for a bad one, or a good one.
def test_weeks_that_are_not_mature_are_marked(show, plain):
    report = show(plain).open("topline")
    states = {row[0]: row[-1] for row in report.table("weeks")}
    assert states == {f"2024-W0{n}": "mature" for n in range(1, 5)} | {"2024-W05": "in work"}
    assert "not mature" in report.page.inner_text("#section-weeks .legend")
    assert report.page.locator("#section-weeks svg path[stroke-dasharray='3,3']").count() == 1
    assert report.page.inner_text("[data-figure=unit] small").startswith("mature only")
    report.choose("to", "2024-W04")
    assert "not mature" not in report.page.inner_text("#section-weeks .legend")


def test_machines_are_compared_by_their_attempts(show, plain):
    report = show(plain).open("test", test="Burn", product="Beta")
    expected = ask_all(
        plain,
        "select machine_id, sum(test_count), sum(pass_count) / sum(test_count) from summary_machine "
        "where test_name = 'Burn' and product_name = 'Beta' group by 1 order by 1",
    )
    found = [row[:3] for row in report.table("machines")]
    assert [row[0] for row in found] == [row[0] for row in expected]
    assert [row[1:] for row in found] == [pytest.approx(row[1:]) for row in expected]


def test_the_pareto_counts_fails_of_what_was_chosen(show, plain):
    report = show(plain).open("test", test="Init", **{"from": "2024-W02", "to": "2024-W04"})
    expected = ask_all(
        plain,
        "select error_code, sum(fail_count) as fails, fails / sum(fails) over (), "
        "sum(fails) over (order by fails desc, error_code) / sum(fails) over () from failure_pareto "
        "where test_name = 'Init' and load_week between '2024-W02' and '2024-W04' group by 1 order by 2 desc, 1",
    )
    found = report.table("pareto")
    assert [row[0] for row in found] == [row[0] for row in expected]
    assert [row[1:] for row in found] == [pytest.approx([float(v) for v in row[1:]]) for row in expected]


# Figures below the plant's threshold would look like any other.
def test_low_figures_are_marked(show, plain):
    report = show(plain).open("product_test", product="Alpha", test="Init")
    low = ask_all(
        plain,
        "select load_week from summary_prod_test where product_name = 'Alpha' and test_name = 'Init' "
        "and first_pass_yield < 0.8 order by 1",
    )
    marked = report.page.evaluate(
        "[...document.querySelectorAll('#table-weeks tbody tr')].filter(row => row.querySelector('td.low'))"
        ".map(row => row.cells[0].textContent)"
    )
    assert [[week] for week in marked] == low
    assert low


# The drop-down of tests would offer one that the product never takes, and show an empty page.
def test_choices_follow_each_other(show, plain):
    report = show(plain).open("topline")
    report.page.click("nav >> text=Product × test")
    report.ready()
    assert report.options("product") == ["Alpha", "Beta", "Gamma"]
    assert report.options("test") == ["Init", "Burn", "Final"]
    report.choose("from", "2024-W04")
    report.choose("to", "2024-W02")
    assert report.page.inner_text(".chosen").endswith("load week 2024-W02")
    report.page.click("nav >> text=Topline")
    report.ready()
    assert report.page.inner_text(".chosen").endswith("load week 2024-W02")
    report.page.go_back()
    report.page.wait_for_selector("h2:has-text('Product × test')")
    report.ready()


# Hovering anywhere over a week tells its figures; a report on paper or a phone has the table.
@pytest.mark.parametrize("page", PAGES)
def test_every_chart_is_drawn_tells_on_hover_and_has_its_table(show, plain, page):
    report = show(plain, height=3000).open(page)
    for section in report.page.locator("main section").all():
        chart = section.locator(".chart svg")
        assert chart.bounding_box()["height"] > 60
        assert section.locator("details table tbody tr").count() > 0
        box = chart.bounding_box()
        report.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.45)
        report.page.wait_for_selector("#tip:not([hidden])")
        assert re.search(r"\d", report.page.inner_text("#tip dl"))
        report.page.mouse.move(2, 2)
        report.page.wait_for_selector("#tip", state="hidden")


# On a phone a page that scrolls sideways is not read.
@pytest.mark.parametrize("page", [*PAGES, "findings"])
@pytest.mark.parametrize("width", [320, 375])
def test_nothing_is_wider_than_a_phone(show, plain, page, width):
    report = show(plain, width=width, height=700, is_mobile=True, has_touch=True).open(page)
    for summary in report.page.locator("summary").all():
        summary.click()
    wide = report.page.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll') &&"
        " e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 120))"
    )
    assert wide == []
    assert report.page.evaluate("document.documentElement.scrollWidth") == width


# A page whose charts are cut at the paper's edge, or printed as on a screen.
def test_prints_with_charts_as_wide_as_the_paper(show, plain):
    report = show(plain).open("topline")
    report.page.emulate_media(media="print")
    assert report.page.locator("#filters").is_hidden()
    assert report.page.locator("nav").is_hidden()
    report.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert {round(svg.bounding_box()["width"]) for svg in report.page.locator(".chart svg").all()} == {640}
    report.page.evaluate("dispatchEvent(new Event('afterprint'))")
    report.page.emulate_media(media="screen")
    assert min(svg.bounding_box()["width"] for svg in report.page.locator(".chart svg").all()) > 1000
    assert report.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


# A product named like a script would run in the reader's browser; `show` fails on any dialog, error or request.
@pytest.mark.parametrize("page", [*PAGES, "findings"])
def test_hostile_names_are_shown_and_nothing_more(show, hostile, page):
    report = show(hostile, height=3000).open(page)
    names = [row[0] for row in ask_all(hostile, "select distinct product_name from summary_prod")]
    if page != "findings":
        for section in report.page.locator("main section .chart svg").all():
            box = section.bounding_box()
            report.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.4)
    if page in ("product", "product_test"):
        options = report.page.locator("select#product option")
        assert sorted(options.evaluate_all("all => all.map(one => one.textContent)")) == sorted(names)
        for name in names:
            report.page.evaluate("name => { location.hash = `#product?product=${encodeURIComponent(name)}` }", name)
            shown = "name => document.querySelector('.chosen')?.textContent.startsWith(name)"
            report.page.wait_for_function(shown, arg=name)
            report.ready()
    assert report.page.locator("main img, main b, main script").count() == 0
    assert report.page.evaluate("document.scripts.length") == 4


def test_an_address_that_does_not_fit_falls_back(show, plain):
    report = show(plain).open("test", product="nobody", test="<img>", **{"from": "2099-W01", "to": "x"})
    assert report.page.inner_text(".chosen") == "Init · all products · load weeks 2024-W01 to 2024-W05"


# A plant's first night, one week, one module that failed: NULL ratios and zero factors everywhere.
def test_an_empty_plant_says_so(show, tmp_path):
    render(build_marts(tmp_path, modules=0))
    for page in PAGES:
        report = show(tmp_path).open(page)
        assert report.page.inner_text(".empty") == "No test records yet."
        assert "No test records yet" in report.page.inner_text("header")


def test_one_week_without_a_pass_is_zero_not_nothing(show, tmp_path):
    build_marts(tmp_path, weeks=1)
    with duckdb.connect(str(tmp_path / "marts.duckdb")) as connection:
        connection.execute(
            "update summary_prod_test set first_pass_qty = 0, retest_module_qty = 0, retest_pass_qty = 0, "
            "pass_duration_count = 0, pass_duration_sum_s = 0, retest_pass_rate = null where test_name = 'Init'"
        )
    render(tmp_path)
    report = show(tmp_path).open("product", product="Alpha")
    assert report.figure("rolledFirst") == 0
    report.open("product_test", product="Alpha", test="Init")
    assert report.figure("first") == 0
    assert report.figure("retest") is None
    assert report.page.inner_text("[data-figure=retest] strong") == "–"
    assert report.page.inner_text("[data-figure=passSeconds] strong") == "–"


# 200 products: a chart of 200 rows and a list nobody can use; and the page must still open.
def test_many_products_are_cut_in_the_chart_and_whole_in_the_table(show, tmp_path):
    products = [f"Product {n:03d} with quite a long name" for n in range(200)]
    render(build_marts(tmp_path, products=products, weeks=3, modules=4))
    report = show(tmp_path).open("topline")
    assert len(report.table("products")) == 200
    assert "of 200; the table has all" in report.page.inner_text("#section-products figcaption")
    assert report.page.locator("#section-products svg").bounding_box()["height"] < 1300


# Years of history: details of the last 26 weeks, the topline of all.
def test_long_history_is_shown_by_week(show, tmp_path):
    render(build_marts(tmp_path, weeks=60, modules=3))
    report = show(tmp_path).open("topline")
    assert len(report.options("from")) == 26
    assert len(report.table("weeks")) == 13
    assert len(report.table("history")) == 60


# A role would reach a page it was not given by its address.
def test_a_role_has_only_its_pages(show, tmp_path):
    roles = [role for role in ROLES if role["page"] in ("topline", "product")]
    render(build_marts(tmp_path, roles=roles))
    report = show(tmp_path).open("test")
    assert report.page.inner_text("h2") == "Topline"
    assert report.page.locator("nav a").all_inner_texts() == ["Topline", "Product", "Data quality"]


# The bound: 3 MB for a quarter of 12 products, 10 tests and 30 machines.
def test_a_quarter_fits_into_three_megabytes(tmp_path):
    products, tests = [f"Product {n}" for n in range(12)], [f"Test {n}" for n in range(10)]
    codes = [f"E{n:03d} some description" for n in range(25)]
    render(build_marts(tmp_path, products=products, tests=tests, codes=codes, weeks=13, modules=60))
    (page,) = (tmp_path / "reports" / "latest").rglob("yield.html")
    assert page.stat().st_size < 3_000_000
