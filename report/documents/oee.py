"""oee.html and oee.xlsx: where the machines' time went, by production day, and a day of each machine.

Rows are bounded: days and weeks by the views (`report_weeks`, `timeline_days` in dbt_project.yml), fewer where a plant
has more rows than `ROW_LIMITS`.
"""

import datetime as dt
from itertools import groupby

from report.columns import Names, columns_of, compact
from report.document import Document, Page
from report.documents.oee_charts import charts
from report.publication import Publication, last_that_fit

DAYS, LINE_DAYS, LOSSES = "report_oee_machine_day", "report_oee_line_day", "report_loss_waterfall"
DOWNTIME, HOURS, SPANS = "report_downtime_pareto", "report_machine_hour", "report_machine_timeline"
ROW_LIMITS = {DAYS: 25_000, LOSSES: 100_000, DOWNTIME: 40_000, SPANS: 60_000}
"""Rows of a view that a page may carry; where there are more, it carries fewer weeks, or days of the timeline."""

KEYS = [
    "week", "day", "shownDay", "line", "machine", "product", "shift", "step", "group", "bucket", "reason", "text",
]  # fmt: skip
PARTS = [
    "pbt_s", "apt_s", "no_data_s", "produced", "good", "unrated_count", "planned_run_time_s", "planned_run_time_good_s",
]  # fmt: skip
SPAN_COLUMNS = [
    "machine_id", "line_id", "production_date", "started_at", "ended_at", "started_at_local", "time_group", "bucket",
    "reason_code", "stop_started_at", "product_name", "shift_name",
]  # fmt: skip


class OeeData:
    """Reads the views once; `of(pages)` picks what these pages need."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        self.weeks = list(publication.counts(DAYS, "production_week_start"))
        for view in (DAYS, LOSSES, DOWNTIME):
            counts = publication.counts(view, "production_week_start")
            self.weeks = last_that_fit({week: counts.get(week, 0) for week in self.weeks}, ROW_LIMITS[view])

    def of(self, pages: list[str]) -> dict:
        """The JSON that assets/oee/ reads."""
        names = {key: Names() for key in KEYS}
        tables: dict[str, dict[str, list]] = {}
        made = {"tables": tables, "definitions": {"oee": self.publication.definitions(DAYS)}}
        if "oee" in pages:
            made |= self._oee(tables, names)
        if "machine_timeline" in pages:
            made |= self._timeline(tables, names)
        return made | {"names": {key: list(dictionary) for key, dictionary in names.items()}}

    def _oee(self, tables: dict, names: dict[str, Names]) -> dict:
        names["week"].extend(_week(week) for week in self.weeks)
        days = sorted(self._rows(DAYS, ["production_date", "production_week_start"]))
        names["day"].extend(day.isoformat() for day, _ in days)
        place = {day.isoformat(): names["week"][_week(week)] for day, week in days}
        keys = ["day", "machine", "line"]
        rows = self._rows(DAYS, ["production_date", "machine_id", "line_id", *PARTS])
        tables["machine"] = columns_of(rows, keys, PARTS, names)
        rows = self._rows(LINE_DAYS, ["production_date", "line_id", "constraint_machine_id", *PARTS])
        tables["line"] = columns_of(rows, ["day", "line", "machine"], PARTS, names)
        columns = ["step_order", "duration_s"]
        rows = self._rows(LOSSES, ["production_date", "machine_id", "line_id", "step", "time_group", *columns])
        tables["loss"] = columns_of(rows, [*keys, "step", "group"], columns, names)
        columns = ["duration_s", "stop_count", "failure_count"]
        keys = ["production_week_start", "machine_id", "line_id", "bucket", "time_group", "reason_code", "reason"]
        rows = [(_week(row[0]), *row[1:]) for row in self._rows(DOWNTIME, [*keys, *columns])]
        keys = ["week", "machine", "line", "bucket", "group", "reason", "text"]
        tables["downtime"] = columns_of(rows, keys, columns, names)
        return {"weekOfDay": [place[day] for day in names["day"]]} | self._hours(tables, names) | self._minimum()

    def _hours(self, tables: dict, names: dict[str, Names]) -> dict:
        if not self.publication.has_rows(HOURS):
            return {"hoursOf": None}
        columns = ["hour_of_week", "pbt_s", "apt_s", "produced"]
        rows = self.publication.rows(HOURS, ["machine_id", "line_id", *columns])
        tables["hour"] = columns_of(rows, ["machine", "line"], columns, names)
        spans = self.publication.rows(HOURS, ["first_week_start", "last_week_start"])
        return {"hoursOf": [_week(min(first for first, _ in spans)), _week(max(last for _, last in spans))]}

    def _minimum(self) -> dict:
        ((minimum,), *_) = self.publication.rows(DAYS, ["min_data_coverage"])
        return {"minDataCoverage": minimum}

    def _rows(self, view: str, columns: list[str]) -> list[tuple]:
        return self.publication.rows(view, columns, since=("production_week_start", self.weeks[0]))

    def _timeline(self, tables: dict, names: dict[str, Names]) -> dict:
        days = last_that_fit(self.publication.counts(SPANS, "production_date"), ROW_LIMITS[SPANS])
        order = ["production_date", "line_id", "machine_id", "started_at"]
        rows = self.publication.rows(SPANS, SPAN_COLUMNS, order=order, since=("production_date", days[0]))
        starts: dict[dt.date, tuple[dt.datetime, dt.datetime]] = {}
        ends: dict[dt.date, dt.datetime] = {}
        for row in rows:
            day, began, ended, local = row[2], row[3], row[4], row[5]
            starts[day] = min(starts.get(day, (began, local)), (began, local))
            ends[day] = max(ends.get(day, ended), ended)
        keys = ["shownDay", "machine", "line", "bucket", "group", "reason", "product", "shift"]
        names["shownDay"].extend(day.isoformat() for day in days)
        spans = [_span(list(pieces), starts) for _, pieces in groupby(rows, key=_alike)]
        tables["span"] = columns_of(spans, keys, ["start", "end", "at", "stop"], names)
        return {"clock": [_clock(rows, day, starts[day], ends[day]) for day in days]}


def _alike(row: tuple) -> tuple:
    """What pieces of one span share: all but their times. Intervals are cut at every hour; a band need not be."""
    return row[:3] + row[6:11]


def _span(pieces: list[tuple], starts: dict) -> tuple:
    machine, line, day, began, _, local, group, bucket, reason, stop, product, shift = pieces[0]
    day_start = starts[day][0]
    start, end = ((time - day_start).total_seconds() for time in (began, pieces[-1][4]))
    return (
        day,
        machine,
        line,
        bucket,
        group,
        reason,
        product,
        shift,
        start,
        end,
        f"{local:%H:%M:%S}",
        stop is not None,
    )


def _clock(rows: list[tuple], day: dt.date, start: tuple[dt.datetime, dt.datetime], end: dt.datetime) -> dict:
    """How the day's seconds are read as wall time: its length, the hour at which it starts, a change of the clock."""
    began, local = start
    jumps = [
        ((row[3] - began).total_seconds(), ((row[5] - local) - (row[3] - began)).total_seconds())
        for row in rows
        if row[2] == day and row[5] - local != row[3] - began
    ]
    at, by = min(jumps, default=(None, 0))
    length = (end - began).total_seconds()
    return {
        "seconds": compact(length),
        "startHour": local.hour + local.minute / 60,
        "jumpAt": at,
        "jumpHours": by / 3600,
    }


def _week(monday: dt.date) -> str:
    """The ISO label of a week, such as 2024-W01."""
    year, number, _ = monday.isocalendar()
    return f"{year}-W{number:02d}"


DOCUMENT = Document(
    name="oee",
    title="OEE",
    pages={"oee": Page("OEE and losses", DAYS), "machine_timeline": Page("Machine timeline", SPANS)},
    sheets={
        "oee_by_machine_day": DAYS,
        "oee_by_line_day": LINE_DAYS,
        "loss_waterfall": LOSSES,
        "downtime_pareto": DOWNTIME,
    },
    styles={"units": "decimal"},
    scripts=("figures.js", "sections.js", "timeline.js", "pages.js"),
    charts=charts,
    data=OeeData,
)
