"""anomalies.html and anomalies.xlsx: what went wrong where, with a small chart of each flag; and the temperature wall.

Flags are those within the budget of their day, most severe first. Bounded: `FLAGS` of them, the latest; charts for as
many of the most severe as `POINTS` allow; `TILES` components and sensors.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import altair as alt

from report.charts import FIRST, INK, NUMBER, finish
from report.columns import Names, columns_of, compact
from report.document import Document, Page
from report.publication import Publication

FLAGS = 1_000
POINTS = 30_000
TILES = 400
SEVERITIES = ("critical", "high", "medium", "low")
COLOURS = ("#7a1fa2", "#c62828", "#e69f00", "#8a99a8")
BAND = "#dbe7f1"
MEASURED = ("observed", "expected", "lower_limit", "upper_limit", "value_now", "value_max", "value_last")
DAILY = ("station", "source")  # their times are the plant's wall time already (anomaly.started_at)

FLAG_COLUMNS = [
    "anomaly_id", "entity_type", "entity", "machine_id", "line_id", "detector", "severity", "production_date",
    "started_at", "ended_at", "is_open", "observed", "expected", "lower_limit", "upper_limit", "score", "point_count",
    "series_count", "units_at_stake", "unit", "sentence", "is_within_budget",
]  # fmt: skip
CONTEXT_COLUMNS = ["anomaly_id", "point_at", "observed", "expected", "lower_limit", "upper_limit", "is_flagged"]
COMPONENT_COLUMNS = [
    "component_type", "component_manufacturer", "lane_number", "as_of_at", "last_read_at", "sensor_count", "value_now",
    "upper_limit", "recent_count", "over_limit_count", "is_over_limit", "value_max", "hottest_sensor_id",
]  # fmt: skip
SENSOR_COLUMNS = [
    "sensor_id", "machine_id", "quantity", "unit", "lower_limit", "upper_limit", "as_of_at", "value_last", "age_s",
    "state",
]  # fmt: skip
STATES = ("above_limit", "below_limit", "bad", "silent", "never_read", "ok")


class AnomalyData:
    """Reads the views once; `of(pages)` picks what these pages need."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        self.zone = ZoneInfo(publication.run.timezone or "UTC")

    def of(self, pages: list[str]) -> dict:
        """The JSON that assets/anomalies/ reads. Times are seconds of the plant's wall clock."""
        made: dict = {"definitions": {}}
        if "anomalies" in pages:
            made |= self._flags()
            made["definitions"]["flag"] = self.publication.definitions("report_anomaly")
        if "temperature" in pages:
            made |= self._wall()
            made["definitions"]["component"] = self.publication.definitions("report_component_temperature")
        return made

    def _flags(self) -> dict:
        found = self.publication.named("report_anomaly", FLAG_COLUMNS)
        within = [flag for flag in found if flag["is_within_budget"]]
        within.sort(key=lambda flag: (flag["started_at"], flag["anomaly_id"]), reverse=True)
        kept = sorted(within[:FLAGS], key=lambda f: (SEVERITIES.index(f["severity"]), -f["score"], f["anomaly_id"]))
        names = {key: Names() for key in ("place", "detector", "severity")}
        names["severity"].extend(SEVERITIES)
        keys = ["place", "detector", "severity"]
        columns = [
            "entity", "production_date", "from", "to", "is_open", "observed", "expected", "lower_limit", "upper_limit",
            "score", "point_count", "series_count", "units_at_stake", "unit", "sentence",
        ]  # fmt: skip
        rows = [tuple(self._timed(flag).get(name) for name in (*keys, *columns)) for flag in kept]
        return {
            "tables": {"flag": columns_of(rows, keys, columns, names)},
            "names": {key: list(dictionary) for key, dictionary in names.items()},
            "around": self._around(kept),
            "leftOut": {"budget": len(found) - len(within), "older": len(within) - len(kept)},
        }

    def _timed(self, flag: dict) -> dict:
        """A flag with its times as seconds of the wall clock, and the place where it is looked for."""
        return flag | {
            "place": flag["machine_id"] or flag["line_id"] or flag["entity"],
            "from": self._wall_clock(flag["started_at"], flag["entity_type"]),
            "to": self._wall_clock(flag["ended_at"], flag["entity_type"]),
        }

    def _around(self, kept: list[dict]) -> list[list | None]:
        """Of each flag its points as columns [time, observed, expected, low, high, flagged]; None where none fit."""
        points: dict[str, list[tuple]] = {}
        for anomaly, *point in self.publication.rows("report_anomaly_context", CONTEXT_COLUMNS):
            points.setdefault(anomaly, []).append(tuple(point))
        made: list[list | None] = []
        total = 0
        for flag in kept:
            rows = points.get(flag["anomaly_id"], [])
            total += len(rows)
            if not rows or total > POINTS:
                made.append(None)
                continue
            times = [self._wall_clock(row[0], flag["entity_type"]) for row in rows]
            made.append(
                [times, *([compact(value) for value in column] for column in list(zip(*rows, strict=True))[1:])]
            )
        return made

    def _wall(self) -> dict:
        components = self.publication.named("report_component_temperature", COMPONENT_COLUMNS)
        sensors = self.publication.named("report_sensor_status", SENSOR_COLUMNS)
        units = {sensor["sensor_id"]: sensor["unit"] for sensor in sensors}
        tiles = [_component(row, units) for row in components]
        tiles.sort(key=lambda tile: (not tile["hot"], tile["room"] is None, tile["room"], tile["name"]))
        sensors.sort(key=lambda sensor: (STATES.index(sensor["state"]), sensor["sensor_id"]))
        as_of = max((sensor["as_of_at"] for sensor in sensors if sensor["as_of_at"]), default=None)
        return {
            "components": [{key: compact(value) for key, value in tile.items()} for tile in tiles[:TILES]],
            "componentCount": len(tiles),
            "hotCount": sum(tile["hot"] for tile in tiles),
            "sensors": [{k: compact(v) for k, v in s.items() if k != "as_of_at"} for s in sensors[:TILES]],
            "states": {state: sum(sensor["state"] == state for sensor in sensors) for state in STATES},
            "now": self._wall_clock(as_of, "sensor") if as_of else None,
        }

    def _wall_clock(self, at: dt.datetime, entity_type: str) -> int:
        """Seconds since 1970 of the plant's wall clock."""
        if entity_type not in DAILY:
            at = at.replace(tzinfo=dt.UTC).astimezone(self.zone).replace(tzinfo=None)
        return int((at - dt.datetime(1970, 1, 1)).total_seconds())


def _component(row: dict, units: dict[str, str | None]) -> dict:
    """A tile of the wall; `hot`: beyond its limit now or in the last minutes; `room`: how far below its limit it is."""
    limit, now = row["upper_limit"], row["value_now"]
    return {
        "name": row["component_type"],
        "maker": row["component_manufacturer"],
        "lane": row["lane_number"],
        "value": now,
        "limit": limit,
        "room": None if limit is None else limit - now,
        "hot": bool(row["is_over_limit"]) or (limit is not None and now > limit),
        "over": row["over_limit_count"],
        "recent": row["recent_count"],
        "most": row["value_max"],
        "age": (row["as_of_at"] - row["last_read_at"]).total_seconds(),
        "sensors": row["sensor_count"],
        "hottest": row["hottest_sensor_id"],
        "unit": units.get(row["hottest_sensor_id"]),
    }


def timeline() -> dict:
    """A row per place, a mark from `from` to `to` per flag, coloured by `severity`; the most severe on top."""
    scale = alt.Scale(type="utc", domain={"expr": "[timeFrom, timeTo]"}, nice=False)
    axis = alt.Axis(title=None, format="%m-%d", tickCount=8, grid=True, labelOverlap="greedy")
    places = alt.Axis(labelPadding=8, ticks=False, grid=True, labelLimit=130)
    marks = (
        alt.Chart()
        .mark_rule(strokeWidth=12, strokeCap="round", opacity=0.85, clip=True, tooltip={"content": "data"})
        .encode(
            x=alt.X("from:T", scale=scale, axis=axis),
            x2="to:T",
            y=alt.Y("x:N", sort=None, title=None, axis=places),
            color=alt.Color("severity:N", legend=None, scale=alt.Scale(domain=list(SEVERITIES), range=list(COLOURS))),
        )
    )
    return finish([marks], {"rowHeight": 30}, parameters={"timeFrom": 0, "timeTo": 1})


def around() -> dict:
    """A flag's points `value` over time, what was `expected`, the band from `low` to `high`, flagged ones marked."""
    x_scale = alt.Scale(type="utc", domain={"expr": "[timeFrom, timeTo]"}, nice=False)
    axis = alt.Axis(
        title=None, labelExpr="utcFormat(datum.value, timeFormat)", tickCount=4, grid=False, labelOverlap="greedy"
    )
    x = alt.X("at:T", scale=x_scale, axis=axis)
    y_scale = alt.Scale(domain={"expr": "[valueLow, valueHigh]"}, zero=False, nice=False)
    y_axis = alt.Axis(title=None, tickCount=4, labelExpr=NUMBER)
    y = alt.Y("value:Q", scale=y_scale, axis=y_axis)
    broken = "break-paths-filter-domains"
    measured = alt.Chart().transform_filter("!datum.span")
    layers = [
        alt.Chart().mark_rect(fill="#fbe3d6", opacity=0.6).transform_filter("datum.span").encode(
            x=x, x2="until:T", y=alt.value(0), y2=alt.value("height")
        ),
        measured.mark_area(fill=BAND, clip=True, invalid=broken).encode(
            x=x, y=alt.Y("low:Q", scale=y_scale, axis=y_axis), y2="high:Q"
        ),
        measured.mark_line(color=INK, strokeWidth=1, strokeDash=[4, 3], opacity=0.6, invalid=broken).encode(
            x=x, y=alt.Y("expected:Q", scale=y_scale, axis=y_axis)
        ),
        measured.mark_line(color=FIRST, strokeWidth=1.5, invalid=broken).encode(x=x, y=y),
        alt.Chart().mark_point(filled=True, color=COLOURS[1], size=34, opacity=1).transform_filter(
            "datum.flagged && isValid(datum.value)"
        ).encode(x=x, y=y),
        alt.Chart().mark_rule(strokeWidth=7, opacity=0.001, tooltip={"content": "data"}).transform_filter(
            "isValid(datum.tip)"
        ).encode(x=x, y=alt.value(0), y2=alt.value("height")),
    ]  # fmt: skip
    parameters = {"timeFrom": 0, "timeTo": 1, "valueLow": 0, "valueHigh": 1, "timeFormat": "%H:%M", "isShare": False}
    return finish(layers, 150, parameters=parameters)


def charts() -> dict[str, dict]:
    """All charts by the name under which the page asks for them."""
    return {"timeline": timeline(), "around": around()}


DOCUMENT = Document(
    name="anomalies",
    title="Anomalies",
    pages={
        "anomalies": Page("Anomalies", "report_anomaly"),
        "temperature": Page("Temperature", "report_component_temperature"),
    },
    sheets={
        "anomaly": "report_anomaly",
        "component_temperature": "report_component_temperature",
        "sensor_status": "report_sensor_status",
    },
    scripts=("flags.js", "wall.js", "pages.js"),
    charts=charts,
    data=AnomalyData,
    styles=dict.fromkeys(MEASURED, "value") | {"score": "fine"},
)
