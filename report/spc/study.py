"""Control charts, capability and measurement studies of one file, by the models of the nightly run.

The file's rows are put where those models read measured values, counts or readings; from there on all SQL is theirs.
Point i of a chart gets the i-th minute of a day in the past, since the models order and cut by time.
"""

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property

import duckdb

from report.spc.models import Models
from report.spc.sheet import SheetError

VALUE_CHARTS = ("xbar-r", "xbar-s", "imr", "ewma", "cusum")
COUNT_CHARTS = ("p", "np", "c", "u")
START = dt.datetime(2000, 1, 3)
NAME = "file"
LARGEST_RANGE = 25

SERIES = "chart varchar, product_name varchar, test_name varchar, parameter varchar, machine_id varchar"
REBASES = "valid_from_local timestamp, reference_from_local timestamp, reference_to_local timestamp, reason varchar"
EXCLUSIONS = "excluded_from_local timestamp, excluded_to_local timestamp, cause varchar"
LINES = {
    "rules": "varchar", "is_critical": "boolean", "run_gap_h": "double", "reference_subgroups": "bigint",
    "constants": "varchar", "laney": "varchar", "known_mean": "double", "known_sigma": "double", "target": "double",
    "ewma_weight": "double", "ewma_width": "double", "cusum_slack": "double", "cusum_limit": "double",
}  # fmt: skip


def moment(point: int) -> dt.datetime:
    """The time that stands for a point, counted from 1."""
    return START + dt.timedelta(minutes=point - 1)


@dataclass(frozen=True)
class ChartStudy:
    """A control chart of a file.

    `subgroups`: the values of each, in order (charts of values); `counts`: events and size of each (charts of counts).
    `settings`: columns of control_charts.csv. `reference`: first and last point of the reference period; all unless
    told. `exclusions`: point and cause; `rebases`: first point and reason.
    """

    chart_type: str
    subgroups: list[list[float]] = field(default_factory=list)
    counts: list[tuple[int, int]] = field(default_factory=list)
    settings: dict = field(default_factory=dict)
    reference: tuple[int, int] | None = None
    exclusions: list[tuple[int, str]] = field(default_factory=list)
    rebases: list[tuple[int, str]] = field(default_factory=list)
    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        sizes = [len(values) for values in self.subgroups]
        if self.point_count < 2:
            raise SheetError(f"a chart needs at least two points, and there are {self.point_count}")
        if self.chart_type == "xbar-r" and max(sizes) > LARGEST_RANGE:
            raise SheetError(
                f"ranges are for subgroups of up to 25 values, and one has {max(sizes)}; use --chart xbar-s"
            )
        if self.chart_type in ("xbar-r", "xbar-s") and max(sizes) < 2:
            raise SheetError("every subgroup has a single value; use --chart imr, or name --subgroup or --size")
        if self.chart_type == "imr" and max(sizes) > 1:
            raise SheetError("individuals have no subgroups; use --chart xbar-s, or leave out --subgroup and --size")
        for what, points in (("--exclude", self.exclusions), ("--rebase", self.rebases), ("--reference", self._ends)):
            beyond = [point for point, _ in points if not 1 <= point <= self.point_count]
            if beyond:
                raise SheetError(f"{what}: there is no point {beyond[0]}; the chart has {self.point_count}")

    @property
    def _ends(self) -> list[tuple[int, str]]:
        return [(point, "") for point in self.reference or ()]

    @property
    def point_count(self) -> int:
        return len(self.subgroups or self.counts)

    @cached_property
    def tables(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB with control_chart_limit, _point and _signal, and process_capability where limits were given."""
        connection = duckdb.connect()
        models = Models(connection, set(self._give_lines(connection)) | set(self._give_points(connection)))
        models.build("int_control_chart")
        if not connection.execute("select is_rules_understood from int_control_chart").fetchall()[0][0]:
            raise SheetError("--rules: expected some of 1 to 8, n1 to n8, w1 to w4, nelson, western-electric")
        for mart in ("control_chart_limit", "control_chart_signal"):
            models.build(mart)
        if self.has_capability:
            models.build("process_capability")
        return connection

    @property
    def has_capability(self) -> bool:
        return self.chart_type in VALUE_CHARTS and (self.lower is not None or self.upper is not None)

    def _give_lines(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """The chart as reference data has it."""
        settings = {"reference_subgroups": self.point_count} | self.settings
        given = ", ".join(f"{name} {kind}" for name, kind in LINES.items())
        connection.execute(
            f"create table stg_ref_control_charts ({SERIES}, chart_type varchar, metric varchar, subgroup_by varchar,"
            f" subgroup_size bigint, line_number bigint, {given})"
        )
        subgroup_by = "value" if self.chart_type == "imr" else None
        values = [NAME, self.chart_type, subgroup_by, 1, *(settings.get(name) for name in LINES)]
        connection.execute(
            "insert into stg_ref_control_charts (chart, chart_type, subgroup_by, line_number, "
            + f"{', '.join(LINES)}) values ({', '.join('?' * len(values))})",
            values,
        )
        connection.execute(f"create table stg_ref_chart_rebases ({SERIES}, {REBASES}, line_number bigint)")
        connection.execute(f"create table stg_ref_chart_exclusions ({SERIES}, {EXCLUSIONS}, line_number bigint)")
        ends = [moment(point) for point in self.reference or ()]
        rebases = [(START, *ends, "reference period")] if ends else []
        rebases += [(moment(point), None, None, reason) for point, reason in self.rebases]
        for line, rebase in enumerate(rebases):
            connection.execute(
                "insert into stg_ref_chart_rebases by position values (?, null, null, null, null, ?, ?, ?, ?, ?)",
                [NAME, *rebase, line],
            )
        for line, (point, cause) in enumerate(self.exclusions):
            connection.execute(
                "insert into stg_ref_chart_exclusions values (?, null, null, null, null, ?, ?, ?, ?)",
                [NAME, moment(point), moment(point), cause, line],
            )
        return ["stg_ref_control_charts", "stg_ref_chart_rebases", "stg_ref_chart_exclusions"]

    def _give_points(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Values by subgroup, counts, and the values that capability is judged by."""
        connection.execute("create table int_touched_chart_week (week_start date)")
        connection.execute(
            f"create table int_chart_count (chart_id varchar, {SERIES}, sample_size bigint, event_count bigint,"
            " started_at_local timestamp, production_date date, production_week_start date)"
        )
        connection.execute("create table given (point bigint, value double, events bigint, size bigint)")
        rows = [(at, value, None, None) for at, values in enumerate(self.subgroups, 1) for value in values]
        rows += [(at, None, *count) for at, count in enumerate(self.counts, 1)]
        _insert(connection, "given", rows)
        time = f"timestamp '{START}' + (point - 1) * interval '1 minute'"
        of_file = f"'{NAME}' as chart, 'file' as product_name, 'file' as test_name"
        days = f"date '{START.date()}' as production_date, date '{START.date()}' as production_week_start"
        connection.execute(
            f"create table int_chart_value as select '{NAME}' as chart_id, {of_file}, 'value' as parameter,"
            f" null::varchar as machine_id, point as subgroup_rank, {time} as test_timestamp,"
            f" {time} as test_timestamp_local, value, {days} from given where value is not null"
        )
        connection.execute(
            f"insert into int_chart_count by name select '{NAME}' as chart_id, {of_file}, size as sample_size,"
            f" events as event_count, {time} as started_at_local, {days} from given where size is not null"
        )
        connection.execute(
            "create table int_capability_value as select product_name, test_name, parameter, null::varchar as unit,"
            " test_timestamp, production_date, value, ?::double as lower_limit, ?::double as upper_limit,"
            " ?::double as target from int_chart_value",
            [self.lower, self.upper, self.settings.get("target")],
        )
        return ["int_touched_chart_week", "int_chart_count", "int_chart_value", "int_capability_value"]


@dataclass(frozen=True)
class GageStudy:
    """A measurement study of a file: part, appraiser, trial (or None) and what was read, a number or pass / fail."""

    readings: list[tuple[str, str, int | None, float | str]]
    constants: str = "exact"
    lower: float | None = None
    upper: float | None = None

    @cached_property
    def tables(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB with gage_rr."""
        connection = duckdb.connect()
        connection.execute(
            "create table given (part varchar, appraiser varchar, trial bigint, value double, test_result varchar,"
            " place bigint)"
        )
        rows = [
            (part, appraiser, trial, *((None, read) if isinstance(read, str) else (read, None)), place)
            for place, (part, appraiser, trial, read) in enumerate(self.readings)
        ]
        _insert(connection, "given", rows)
        connection.execute(
            "create table int_gage_reading as select 'file' as study_id, 'file' as test_name,"
            " case when value is not null then 'value' end as parameter, 'appraiser' as appraiser_kind, part,"
            " appraiser, row_number() over (partition by part, appraiser order by trial nulls last, place) as trial,"
            " value,"
            " test_result, ?::double as lower_limit, ?::double as upper_limit, ? as constants from given",
            [self.lower, self.upper, self.constants],
        )
        Models(connection, {"int_gage_reading"}).build("gage_rr")
        return connection


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple]) -> None:
    """In one piece: a statement for each row would take a second per thousand."""
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        lists = ", ".join(f"unnest($c{at})" for at in range(len(columns)))
        values = {f"c{at}": column for at, column in enumerate(columns)}
        connection.execute(f"insert into {table} select {lists}", values)
