"""Marts of anomalies, sensors and control charts, added to what `published_marts` makes.

Control charts and capability are the models' own SQL on values given here; flags, their points and the state of sensors
are rows of the shape that the views' contracts say.
"""

import datetime as dt
import math
import random
from pathlib import Path

import duckdb
import yaml

from pipeline.paths import PROJECT
from report.spc.models import Models
from report.spc.study import EXCLUSIONS, LINES, REBASES, SERIES

START = dt.datetime(2024, 1, 1, 7)
NOW = dt.datetime(2024, 2, 4, 4)
CHARTS = ["volt", "thick", "noise", "tail"]
TYPES = {"string": "varchar"}


def add_trouble(published: Path, names: tuple[str, str, str] = ("P-1", "Oven", "M<1>"), flags: int = 30) -> Path:
    """Anomalies, their points, components and sensors. `names`: a product, a test and a machine."""
    with duckdb.connect(str(published / "marts.duckdb")) as connection:
        for folder, view in [
            ("anomalies", "report_anomaly"), ("anomalies", "report_anomaly_context"),
            ("sensors", "report_component_temperature"), ("sensors", "report_sensor_status"),
        ]:  # fmt: skip
            _create(connection, folder, view)
        noise = random.Random(3)
        made = [_flag(number, names, noise) for number in range(flags)]
        _insert(connection, "report_anomaly", [flag for flag, _ in made])
        _insert(connection, "report_anomaly_context", [point for _, points in made for point in points])
        _insert(connection, "report_component_temperature", _components())
        _insert(connection, "report_sensor_status", _sensors(names[2]))
    return published


def _flag(number: int, names: tuple[str, str, str], noise: random.Random) -> tuple[dict, list[dict]]:
    """A flag and its points: in turn a sensor's shift, a station's share, a sensor that went silent."""
    kind = ("shift", "share", "missing")[number % 3]
    step = dt.timedelta(days=1) if kind == "share" else dt.timedelta(minutes=2)
    started = START + dt.timedelta(days=number % 28, hours=0 if kind == "share" else 4 + number % 5)
    key = f"{kind}:{number}"
    severity = ("critical", "high", "medium", "low")[number % 4]
    place = names[2] if number % 2 else f"M{number % 7}"
    is_share = kind == "share"
    points = []
    for at in range(-40, 20):
        level, width = (0.97, 0.02) if is_share else (60.0, 1.5)
        flagged = 0 <= at < 10
        observed = level + noise.gauss(0, width / 3) - (6 * width if flagged else 0)
        if kind == "missing" and -10 < at < 0:
            continue
        points.append({
            "anomaly_id": key, "point_at": started + at * step, "production_date": (started + at * step).date(),
            "observed": min(observed, 1.0) if is_share else observed, "expected": None if kind == "missing" else level,
            "lower_limit": None if kind == "missing" else level - width,
            "upper_limit": None if kind != "shift" else level + width, "is_flagged": flagged,
        })  # fmt: skip
    peak = next(point for point in points if point["is_flagged"])
    of_station = {"entity_type": "station", "entity": place, "metric": "first_pass_yield", "unit": None}
    of_station |= {"product_name": names[0], "test_name": names[1]}
    of_sensor = {"entity_type": "sensor", "entity": f"{place}/t", "metric": "temperature", "unit": "°C"}
    of_sensor |= {"product_name": None, "test_name": None}
    flag = {
        "anomaly_id": key, "machine_id": place, "line_id": "L1", "detector": kind, "series_count": 1 + number % 2,
        "production_date": started.date(), "started_at": started, "ended_at": started + 10 * step,
        "peak_at": started + step, "is_open": number % 9 == 0,
        "observed": None if kind == "missing" else peak["observed"], "expected": peak["expected"],
        "lower_limit": peak["lower_limit"], "upper_limit": peak["upper_limit"],
        "score": 0.5 + 0.4 * (number % 10) / 10, "point_count": 10, "severity": severity,
        "units_at_stake": 3 * number, "is_within_budget": number % 11 != 10,
        "sentence": f"{place}: flag {number} of {names[0]} at {names[1]}, for 20 min",
    }  # fmt: skip
    # columns in one order, so that all rows go in together
    flag = dict(sorted((flag | (of_station if is_share else of_sensor)).items()))
    return flag, points


def _components() -> list[dict]:
    rows = []
    for number, (kind, value, limit, over) in enumerate(
        [("pump", 71.25, 70.0, 12), ("laser", 40.123456789, 60.0, 0), ("heater", 88.0, 90.0, 3), ("fan", 31.0, None, 0),
         ("<b>valve</b>", 55.5, 60.0, 0), ("board", 62.0, 65.0, 0)]
    ):  # fmt: skip
        rows.append({
            "component_type": kind, "component_manufacturer": "Acme" if number % 2 else "(none)",
            "lane_number": str(number),
            "as_of_at": NOW, "sensor_count": 1 + number % 2, "last_read_at": NOW - dt.timedelta(seconds=7 * number),
            "value_now": value, "upper_limit": limit, "recent_count": 600, "over_limit_count": over,
            "is_over_limit": over > 0, "value_max": value + 2, "hottest_sensor_id": f"S{number}",
        })  # fmt: skip
    return rows


def _sensors(machine: str) -> list[dict]:
    states = ["above_limit", "ok", "ok", "silent", "never_read", "below_limit"]
    return [
        {
            "sensor_id": f"S{number}", "machine_id": machine, "quantity": "temperature", "unit": "°C",
            "upper_limit": 70.0, "is_known": True, "as_of_at": NOW, "state": state,
            "value_last": None if state == "never_read" else 50.0 + number,
            "age_s": None if state == "never_read" else 40.0 * number**3,
        }
        for number, state in enumerate(states)
    ]  # fmt: skip


def add_spc(published: Path, product: str = "P-1", test: str = "Trim", points: int = 240) -> Path:
    """Charts of four measured parameters and of fails; the marts' own SQL makes points, limits, signals and indices."""
    with duckdb.connect() as connection:
        _give_values(connection, product, test, points)
        given = {
            "stg_ref_control_charts", "stg_ref_chart_rebases", "stg_ref_chart_exclusions", "int_touched_chart_week",
            "int_chart_value", "int_chart_count", "int_capability_value",
        }  # fmt: skip
        models = Models(connection, given)
        marts = ["control_chart_limit", "control_chart_signal", "process_capability", "capability_histogram"]
        for mart in marts:
            models.build(mart)
        connection.execute(f"attach '{published / 'marts.duckdb'}' as published")
        for mart in [*marts, "control_chart_point"]:
            connection.execute(f"create table published.{mart} as from {mart}")
    with duckdb.connect(str(published / "marts.duckdb")) as connection:
        for view in ("control_chart", "control_chart_point", "control_chart_signal", "process_capability",
                     "capability_histogram"):  # fmt: skip
            text = (PROJECT / "models" / "publish" / "spc" / f"report_{view}.sql").read_text()
            connection.execute(f"create view report_{view} as " + text.replace('{{ ref("', "").replace('") }}', ""))
    return published


def _give_values(connection: duckdb.DuckDBPyConnection, product: str, test: str, points: int) -> None:
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
        connection.execute(f"create table {statement}")
    lines = [
        {
            "chart": name, "chart_type": "p" if name == "fails" else "xbar-s", "line_number": number,
            "rules": "nelson" if name == "volt" else "1 2", "is_critical": name == "volt",
            "reference_subgroups": 60, "target": 12.0 if name == "volt" else None,
        }
        for number, name in enumerate([*CHARTS, "fails"])
    ]  # fmt: skip
    _insert(connection, "stg_ref_control_charts", lines)
    rebase = {"chart": "thick", "valid_from_local": START + dt.timedelta(hours=points // 2), "line_number": 1}
    _insert(connection, "stg_ref_chart_rebases", [rebase | {"reason": "new supplier <i>"}])
    span = {"excluded_from_local": START + dt.timedelta(hours=20), "excluded_to_local": START + dt.timedelta(hours=20)}
    _insert(connection, "stg_ref_chart_exclusions", [span | {"chart": "volt", "cause": "tool broke", "line_number": 1}])
    noise = random.Random(5)
    values, counts = [], []
    for at in range(points):
        time = START + dt.timedelta(hours=at)
        monday = (time - dt.timedelta(days=time.weekday())).date()
        of = {"product_name": product, "test_name": test, "production_date": time.date()}
        of |= {"production_week_start": monday}
        for name in CHARTS:
            row = of | {"chart_id": f"{name}:{product}", "chart": name, "parameter": name, "subgroup_rank": at}
            row |= {"test_timestamp": time, "test_timestamp_local": time}
            values += [row | {"value": _value(name, at, points, noise)} for _ in range(5)]
        if at % 24 == 0:
            row = of | {"chart_id": f"fails:{product}", "chart": "fails", "started_at_local": time}
            events = noise.randint(2, 10) + (30 if at == points - 24 else 0)
            counts.append(row | {"sample_size": 200 + at % 50, "event_count": events})
    _insert(connection, "int_chart_value", values)
    _insert(connection, "int_chart_count", counts)
    connection.execute(
        "create table int_capability_value as select product_name, test_name, parameter,"
        " case parameter when 'volt' then 'V' when 'thick' then 'µm' end as unit, test_timestamp, production_date,"
        " value,"
        " case parameter when 'volt' then 11.4e0 when 'thick' then 80e0 end as lower_limit,"
        " case parameter when 'volt' then 12.6e0 when 'thick' then 120e0 when 'tail' then 9e0 end as upper_limit,"
        " case parameter when 'volt' then 12e0 end as target from int_chart_value"
    )


def _value(name: str, at: int, points: int, noise: random.Random) -> float:
    if name == "volt":
        return noise.gauss(12, 0.12) + (0.3 if at in (20, points - 30, points - 2) else 0)
    if name == "thick":
        return noise.gauss(100 if at < points // 2 else 104, 4)
    if name == "tail":
        return math.exp(noise.gauss(0, 0.6))
    return noise.gauss(1234.5, 0.001)


def _create(connection: duckdb.DuckDBPyConnection, folder: str, view: str) -> None:
    """A table of the view's contract."""
    text = (PROJECT / "models" / "publish" / folder / f"{view}.yml").read_text(encoding="utf-8")
    model = yaml.safe_load(text)["models"][0]
    columns = ", ".join(f"{c['name']} {TYPES.get(c['data_type'], c['data_type'])}" for c in model["columns"])
    connection.execute(f"create table {view} ({columns})")


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict]) -> None:
    """Rows with the same columns."""
    for start in range(0, len(rows), 1000):
        some = rows[start : start + 1000]
        marks = f"({', '.join('?' * len(some[0]))})"
        connection.execute(
            f"insert into {table} ({', '.join(some[0])}) values {', '.join([marks] * len(some))}",
            [value for row in some for value in row.values()],
        )
