"""Many control charts at once, by the models alone: series go in as the models read them, no dbt and no plant."""

from datetime import datetime, timedelta

import duckdb

from report.spc.models import Models
from report.spc.study import EXCLUSIONS, LINES, REBASES, SERIES

START = datetime(2024, 1, 1)
INPUTS = [
    "stg_ref_control_charts", "stg_ref_chart_rebases", "stg_ref_chart_exclusions", "int_touched_chart_week",
    "int_chart_value", "int_chart_count",
]  # fmt: skip


class Charts:
    """`add` charts, then `build`; `rows` and `signals` read marts. Point i of a chart is at minute i from 1 on."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        given = ", ".join(f"{name} {kind}" for name, kind in LINES.items())
        calendar = "production_date date, production_week_start date"
        for statement in (
            f"stg_ref_control_charts ({SERIES}, chart_type varchar, metric varchar, subgroup_by varchar,"
            f" subgroup_size bigint, line_number bigint, {given})",
            f"stg_ref_chart_rebases ({SERIES}, {REBASES}, line_number bigint)",
            f"stg_ref_chart_exclusions ({SERIES}, {EXCLUSIONS}, line_number bigint)",
            "int_touched_chart_week (week_start date)",
            f"int_chart_value (chart_id varchar, {SERIES}, subgroup_rank bigint, test_timestamp timestamp,"
            f" test_timestamp_local timestamp, value double, {calendar})",
            f"int_chart_count (chart_id varchar, {SERIES}, sample_size bigint, event_count bigint,"
            f" started_at_local timestamp, {calendar})",
        ):
            self.connection.execute(f"create table {statement}")
        self.models = Models(self.connection, set(INPUTS))

    def add(self, chart: str, chart_type: str, points: list, minutes: list[int] | None = None, **settings) -> None:
        """`points`: values or lists of them; of charts of counts (events, size). `minutes`: when, if not one by one."""
        line = {"chart": chart, "chart_type": chart_type, "line_number": 1} | settings
        self._insert("stg_ref_control_charts", line)
        for at, point in enumerate(points, 1):
            time = moment(minutes[at - 1] if minutes else at)
            row = {"chart_id": chart, "chart": chart, "product_name": "P", "test_name": "T", "production_date": START}
            row |= {"production_week_start": START}
            if isinstance(point, tuple):
                row |= {"event_count": point[0], "sample_size": point[1], "started_at_local": time}
                self._insert("int_chart_count", row)
                continue
            for value in point if isinstance(point, list) else [point]:
                row |= {"parameter": "x", "subgroup_rank": at, "test_timestamp": time, "test_timestamp_local": time}
                self._insert("int_chart_value", row | {"value": value})

    def rebase(self, chart: str, point: int, reference: tuple[int, int] | None = None) -> None:
        row = {"chart": chart, "valid_from_local": moment(point), "reason": "new tool", "line_number": point}
        if reference:
            row |= {"reference_from_local": moment(reference[0]), "reference_to_local": moment(reference[1])}
        self._insert("stg_ref_chart_rebases", row)

    def exclude(self, chart: str, point: int, cause: str = "tool broke") -> None:
        span = {"excluded_from_local": moment(point), "excluded_to_local": moment(point)}
        self._insert("stg_ref_chart_exclusions", {"chart": chart, "cause": cause, "line_number": point} | span)

    def build(self) -> "Charts":
        for mart in ("control_chart_limit", "control_chart_signal"):
            self.models.build(mart)
        return self

    def rows(self, mart: str, chart: str, panel: str = "location") -> list[dict]:
        order = "point_number" if mart != "control_chart_limit" else "version"
        found = self.connection.execute(f"from {mart} where chart = ? and panel = ? order by {order}", [chart, panel])
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def signals(self, chart: str, panel: str = "location") -> dict[str, list[int]]:
        """Points by rule."""
        found: dict[str, list[int]] = {}
        for row in self.rows("control_chart_signal", chart, panel):
            found.setdefault(row["rule"], []).append(row["point_number"])
        return found

    def _insert(self, table: str, row: dict) -> None:
        self.connection.execute(
            f"insert into {table} ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values())
        )


def moment(minute: int) -> datetime:
    return START + timedelta(minutes=minute)
