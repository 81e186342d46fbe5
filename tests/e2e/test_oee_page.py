"""What a reader sees of oee.html, against the marts: every expected figure is computed here from them, in SQL."""

import re

import duckdb
import pytest

PAGES = ["oee", "machine_timeline"]
ALL = {"from": "2024-W01", "to": "2024-W03"}


def ask(published, sql, *values):
    with duckdb.connect(str(published / "marts.duckdb"), read_only=True) as connection:
        return [list(row) for row in connection.execute(sql, values).fetchall()]


def opened(show, published, page="oee", **choice):
    return show(published, "oee", height=3000).open(page, **choice)


FIGURES = """
    select sum(planned_run_time_good_s) / sum(pbt_s), sum(apt_s) / sum(pbt_s), sum(planned_run_time_s) / sum(apt_s),
        sum(good) / sum(produced)
    from report_oee_line_day where production_date between $1::date and $2::date
"""


# A ratio that is averaged over days differs from this; so does one of all machines where the constraint's was meant.
@pytest.mark.parametrize(("line", "machine"), [("L1", "M1"), ("L2", "M3")])
def test_key_figures_of_a_line_are_those_of_its_constraint(show, factory, line, machine):
    report = opened(show, factory, line=line, **ALL)
    sql = FIGURES + f" and line_id = '{line}' and constraint_machine_id = '{machine}'"
    ((oee, *others),) = ask(factory, sql, "2024-01-01", "2024-01-21")
    assert report.figure("oee") == pytest.approx(oee)
    assert [report.figure(name) for name in ("availability", "effectiveness", "quality")] == pytest.approx(others)
    ((everything,),) = ask(
        factory,
        "select sum(planned_run_time_good_s) / sum(pbt_s) from report_oee_machine_day where line_id = $1",
        line,
    )
    assert report.figure("machineOee") == pytest.approx(everything)
    labels = report.page.locator(".tile dt").all_inner_texts()
    assert labels[:2] == ["OEE by constraint", "OEE, all machines"]


# The reader would compare a week with itself, or with one that is half as long.
def test_what_was_before_is_as_long_as_what_was_chosen(show, factory):
    report = opened(show, factory, line="L2", **{"from": "2024-W03", "to": "2024-W03"})
    before = ask(factory, FIGURES + " and line_id = 'L2'", "2024-01-08", "2024-01-14")[0][0]
    shown = report.page.inner_text("[data-figure=oee] small").replace("\u202f", " ")
    assert shown.startswith(f"before: {before * 100:.1f} %")
    report.choose("from", "2024-W01")
    assert report.page.inner_text("[data-figure=oee] small") == "nothing before"


# A day of which too little is known would be drawn as 0 %, or as a good day.
def test_a_day_without_data_is_no_data_not_zero(show, factory):
    report = opened(show, factory, machine="M2", **ALL)
    rows = {row[0]: row[1] for row in report.table("days")}
    expected = ask(factory, "select production_date::varchar, oee from report_oee_machine_day where machine_id = 'M2'")
    assert rows == {day: "no data" if oee is None else pytest.approx(oee) for day, oee in expected}
    assert sum(value == "no data" for value in rows.values()) == 3
    assert "too little is known" in report.page.inner_text("#section-days .legend")


# Machines without a standard rate would pull the OEE of all others down to what nobody can believe.
def test_machines_without_a_rate_are_left_out_and_it_is_said(show, factory):
    report = opened(show, factory, **ALL)
    rows = {row[0]: row[2] for row in report.table("lines")}
    assert rows["(no line)"] == "no data"
    ((expected,),) = ask(
        factory,
        "select sum(planned_run_time_good_s) / sum(pbt_s) from report_oee_machine_day where machine_id <> 'M4'",
    )
    assert report.figure("machineOee") == pytest.approx(expected)
    assert "of 3 of 4 machines" in report.page.inner_text("#section-days figcaption")
    unrated = opened(show, factory, machine="M4", **ALL)
    assert unrated.page.inner_text("[data-figure=oee] strong") == "no data"
    assert unrated.figure("oee") is None
    assert unrated.page.inner_text("[data-figure=oee] small") == "no standard rate"


# The parts would be those of other machines than the OEE beside them, and not multiply to it.
def test_all_parts_are_those_of_the_machines_with_a_rate(show, changed_factory):
    change = "update report_oee_machine_day set unrated_count = produced, apt_s = apt_s / 2, good = good / 2"
    folder = changed_factory((change + " where machine_id = $1", ["M2"]))
    rows = {row[0]: row for row in opened(show, folder, **ALL).table("lines")}
    (expected,) = ask(
        folder,
        "select sum(planned_run_time_good_s) / sum(pbt_s), sum(apt_s) / sum(pbt_s),"
        " sum(planned_run_time_s) / sum(apt_s), sum(good) / sum(produced)"
        " from report_oee_machine_day where machine_id = 'M1'",
    )
    assert rows["L1"][2:6] == pytest.approx(expected)


# Steps that do not sum to calendar time are an argument nobody can settle.
@pytest.mark.parametrize("machine", ["M1", "M2", "M4"])
def test_losses_are_those_of_the_mart_and_sum_to_calendar_time(show, factory, machine):
    report = opened(show, factory, machine=machine, **ALL)
    (total, *steps) = report.table("losses")
    expected = ask(
        factory,
        "select step, sum(duration_s) as lost from report_loss_waterfall where machine_id = $1 "
        "group by all having lost <> 0",
        machine,
    )
    names = {"effective": "Effective time"}
    assert {row[0]: row[1] for row in steps} == {
        names.get(step, step.replace("_", " ").capitalize()): pytest.approx(seconds) for step, seconds in expected
    }
    assert sum(row[1] for row in steps) == pytest.approx(total[1], abs=1e-6) == 21 * 86400


def test_time_lost_is_that_of_the_weeks_chosen_without_what_was_planned(show, factory):
    report = opened(show, factory, line="L1", **{"from": "2024-W02", "to": "2024-W03"})
    expected = ask(
        factory,
        "select sum(duration_s) as lost, sum(stop_count), sum(failure_count) from report_downtime_pareto "
        "where line_id = 'L1' and production_week_start >= '2024-01-08' and time_group <> 'planned_downtime' "
        "group by bucket, reason_code order by lost desc, bucket",
    )
    found = [[row[2], row[5], row[6]] for row in report.table("downtime")]
    assert found == [pytest.approx([float(value) for value in row]) for row in expected]
    assert report.table("downtime")[0][0] == "Malfunction · JAM"


def test_hours_of_the_week_sum_parts(show, factory):
    report = opened(show, factory, line="L1")
    expected = ask(
        factory,
        "select sum(apt_s) / sum(pbt_s), sum(pbt_s) from report_machine_hour where line_id = 'L1' "
        "group by hour_of_week order by hour_of_week",
    )
    assert [row[2:4] for row in report.table("hours")] == [pytest.approx(row) for row in expected]
    assert "2024-W01 to 2024-W03" in report.page.inner_text("#section-hours figcaption")


# The band would show another day than the one chosen, or leave a part of it out.
def test_a_day_of_a_machine_is_whole_and_its_stops_are_labelled(show, factory):
    report = opened(show, factory, "machine_timeline", machine="M1", day="2024-01-18")
    rows = report.table("band")
    assert sum(row[3] for row in rows) == 86400
    assert [row[1] for row in rows][:3] == ["14:00:00", "22:00:00", "02:00:00"]
    texts = report.page.locator("#section-band svg text").all_text_contents()
    assert "Malfunction · JAM 2.0\u202fh" in texts
    assert report.page.locator("#section-stops tbody th").all_inner_texts() == ["M1"] * 3
    report.choose("day", "2024-01-20")
    assert "2024-01-20" in report.page.inner_text(".chosen")


def test_all_machines_of_a_line_stand_under_one_another(show, factory):
    report = opened(show, factory, "machine_timeline", line="L1", day="2024-01-21")
    assert {row[0] for row in report.table("band")} == {"M1", "M2"}
    assert report.options("day") == [f"2024-01-{day}" for day in range(15, 22)]
    assert "last 7 production days" in report.page.inner_text("#section-band figcaption")
    assert {row[2] for row in report.table("band") if row[0] == "M2"} == {"Unscheduled", "No data"}


@pytest.mark.parametrize("page", PAGES)
def test_every_chart_is_drawn_and_has_its_table(show, factory, page):
    report = opened(show, factory, page)
    for section in report.page.locator("main section:has(.chart)").all():
        box = section.locator(".chart svg").bounding_box()
        assert box["height"] > 60
        assert section.locator("details table tbody tr").count() > 0
        if section.get_attribute("id") == "section-hours":  # a heat map has empty cells
            box = section.locator("svg [aria-roledescription='rect mark']").first.bounding_box()
        report.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5)
        report.page.wait_for_selector("#tip:not([hidden])")
        assert re.search(r"\d", report.page.inner_text("#tip dl"))
        report.page.mouse.move(2, 2)
        report.page.wait_for_selector("#tip", state="hidden")


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_wider_than_a_phone(show, factory, page):
    report = show(factory, "oee", width=320, height=700, is_mobile=True, has_touch=True).open(page)
    for summary in report.page.locator("summary").all():
        summary.click()
    assert report.page.evaluate("document.documentElement.scrollWidth") == 320


# A machine named like a script would run in the reader's browser; `show` fails on any dialog, error or request.
@pytest.mark.parametrize("page", PAGES)
def test_hostile_names_are_shown_and_nothing_more(show, hostile_factory, page):
    report = opened(show, hostile_factory, page)
    names = {row[0] for row in ask(hostile_factory, "select distinct machine_id from report_oee_machine_day")}
    if page == "oee":
        assert set(report.options("machine")) == names | {"All machines"}
    assert report.page.locator("main img, main b, main script").count() == 0
    assert report.page.evaluate("document.scripts.length") == 4


def test_an_address_that_does_not_fit_falls_back(show, factory):
    report = opened(show, factory, line="nowhere", machine="<img>", **{"from": "2099-W01", "to": "x"})
    assert report.page.inner_text(".chosen").startswith("All lines, all machines · ")


# A reader of one document would not find the others.
def test_documents_of_a_role_lead_to_each_other(show, factory):
    report = opened(show, factory)
    links = report.page.locator("#documents a")
    assert links.all_inner_texts() == ["Yield", "OEE", "Shifts"]
    assert [link.get_attribute("href") for link in links.all()] == ["yield.html", "oee.html", "shifts.html"]
