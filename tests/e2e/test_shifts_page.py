"""What a reader sees of shifts.html, against the marts; and that a handover fits on one printed page."""

import re

import duckdb
import pytest

PAGES = ["shift_comparison", "shift_handover"]


def ask(published, sql, *values):
    with duckdb.connect(str(published / "marts.duckdb"), read_only=True) as connection:
        return [list(row) for row in connection.execute(sql, values).fetchall()]


def opened(show, published, page, **choice):
    return show(published, "shifts", height=2000).open(page, **choice)


def points(value: float | None) -> str:
    if value is None:
        return "–"
    text = f"{abs(value * 100):.1f}"
    return ("0" if text == "0.0" else ("−" if value < 0 else "+") + text) + "\u202fpoints"


# The bar would blame the people for what the mix did.
def test_the_parts_of_a_difference_are_the_published_ones(show, factory):
    report = opened(show, factory, "shift_comparison", metric="oee")
    expected = ask(
        factory,
        "select side_a || ' − ' || side_b, crude_difference, within_part, product_mix_part, machine_mix_part, "
        "not_comparable_part from report_shift_comparison where metric = 'oee' order by side_a, side_b",
    )
    found = [[row[0], row[3], row[4], row[6], row[7], row[9]] for row in report.table("decomposition")]
    assert found == [[row[0], *(points(value) for value in row[1:])] for row in expected]
    assert report.page.locator("#section-decomposition svg path[fill='#0072b2']").count() == 3


# A figure without a verdict is read as one.
def test_what_nobody_can_know_is_said_in_words(show, factory):
    report = opened(show, factory, "shift_comparison", metric="oee")
    words = {row[0]: row[10] for row in report.table("decomposition")}
    assert words["early − late"].startswith("early is reliably better, by 4.0\u202fpoints")
    assert words["early − night"].endswith("its effect can't be told from the rest.")
    assert words["late − night"].startswith("Not enough data for a verdict: late has 3 and night 20 shifts")
    assert [row[8] for row in report.table("decomposition")][1] == "can't be told"
    assert report.page.locator("#section-verdicts li").count() == 3


# Less scrap is better: the worse shift would be praised.
def test_where_less_is_better_the_lower_is_the_better(show, factory):
    report = opened(show, factory, "shift_comparison", metric="scrap_ratio")
    assert "early is reliably better, by 3.0\u202fpoints" in report.page.inner_text("#section-verdicts")


def test_what_has_nothing_in_common_is_not_comparable(show, factory):
    report = opened(show, factory, "shift_comparison", line="L1")
    assert "Not comparable" in report.page.inner_text("#section-verdicts")
    assert report.table("decomposition")[0][1] == "50.0\u202funits/h"


def test_best_practice_tells_units_by_the_lower_bound(show, factory):
    report = opened(show, factory, "shift_comparison")
    row = report.page.locator("#section-practice tbody tr td.number")
    assert [float(value) for value in row.evaluate_all("all => all.map(one => one.dataset.value)")] == [412.3]


# The next shift would start with the figures of another line, or of a shift that never ran.
def test_the_handover_is_that_of_the_last_shift_that_ran(show, factory):
    report = opened(show, factory, "shift_handover")
    assert "L1 · 2024-01-21 late · crew A · 2024-01-21 14:00 to 2024-01-21 22:00" in report.page.inner_text(".chosen")
    assert [report.figure(name) for name in ("good", "scrap", "open_issue_count")] == [101, 3, 2]
    assert report.page.inner_text("[data-figure=planned_quantity] strong") == "no plan"
    report.choose("shift", "2024-01-20 early")
    assert report.figure("availability") == pytest.approx(20000 / 28800)
    assert report.page.inner_text("[data-figure=good] small").replace("\u202f", " ") == "83.3 % of plan"
    assert report.page.inner_text("#section-flagged li") == "M2: load is high"
    assert report.page.locator("#section-issues li").all_inner_texts() == ["I-1: held, and searched", "I-2"]
    report.choose("shift", "2024-01-20 night")
    assert report.page.inner_text("[data-figure=availability] strong") == "no data"


# At the hour of a nightly run the page would tell of minutes.
def test_a_shift_that_has_hardly_begun_is_not_the_one_that_is_handed_over(show, changed_factory):
    change = "update report_shift_handover set pbt_s = 600, known_until_local = '2024-01-21 22:10:00'"
    folder = changed_factory((change + " where shift_name = $1 and shift_date = $2", ["night", "2024-01-21"]))
    report = opened(show, folder, "shift_handover")
    assert "L1 · 2024-01-21 late" in report.page.inner_text(".chosen")
    assert "goes on" not in report.page.inner_text(".chosen")
    report.choose("shift", "2024-01-21 night")
    assert "2024-01-21 22:10, plant time · goes on until 2024-01-22 06:00" in report.page.inner_text(".chosen")


MUCH = [
    ("ran", " a product with a name 97 good 3 scrap", ", "),
    ("open_stops", "-MACHINE malfunction (E7) since 2024-01-20 11:00", ", "),
    (
        "anomalies",
        " OVEN, a sensor with quite a long name: temperature is high: 92.68 °C, usual is about 88, for 9 min",
        "; ",
    ),
    ("open_issues", "-QI-2024: modules are held until the cause is found, see the report of the supplier", "; "),
]


# Two sheets are pinned in the wrong order, or the second is left in the printer.
def test_a_handover_is_one_printed_page_however_much_is_open(show, changed_factory):
    columns = " || ".join(column for column, *_ in MUCH)
    folder = changed_factory(
        *(
            (
                f"update report_shift_handover set {column} = (select string_agg(p || $1, $2) from range(40) as r (p))",
                [text, separator],
            )
            for column, text, separator in MUCH
        ),
        (f"update report_shift_handover set next_shift_should_know = {columns}", []),
    )
    report = opened(show, folder, "shift_handover")
    pdf = report.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    assert "and 34 more" in report.page.inner_text("#section-standing")


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_wider_than_a_phone(show, factory, page):
    report = show(factory, "shifts", width=320, height=700, is_mobile=True, has_touch=True).open(page)
    for summary in report.page.locator("summary").all():
        summary.click()
    assert report.page.evaluate("document.documentElement.scrollWidth") == 320


# A shift named like a script would run in the reader's browser; `show` fails on any dialog, error or request.
@pytest.mark.parametrize("page", PAGES)
def test_hostile_names_are_shown_and_nothing_more(show, hostile_factory, page):
    report = opened(show, hostile_factory, page)
    assert report.page.locator("main img, main i:not(.mark), main script").count() == 0
    text = report.page.inner_text("main")
    assert ("<b>early</b>" if page == "shift_comparison" else "<i>M1</i> down") in text
