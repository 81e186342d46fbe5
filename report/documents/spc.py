"""spc.html and spc.xlsx: control charts with zones, limits by version and signals; capability with histograms.

Charts with alerts come first, then those with most signals. Bounded: the last 200 points of a chart (its view), charts
as far as `POINTS` allow; `PARAMETERS` measured parameters, the least capable first.
"""

import math

import altair as alt

from report.charts import FIRST, INK, NUMBER, QUANTITY, finish
from report.columns import compact
from report.document import Document, Page
from report.publication import Publication
from report.spc.pictures import CENTRE, LIMIT, PANELS, WITH_ZONES

POINTS = 30_000
PARAMETERS = 500
SIGNAL = "#c62828"
ZONES = {"A": "#f8e0d3", "B": "#fbf2d0", "C": "#e4f0e2"}

CHART_COLUMNS = [
    "chart_id", "version", "panel", "chart", "chart_type", "product_name", "test_name", "parameter", "machine_id",
    "valid_from_local", "rebase_reason", "status", "point_count", "reference_from_local", "reference_to_local",
    "reference_count", "excluded_count", "sigma", "sigma_z", "is_laney", "lower_limit", "center_line", "upper_limit",
]  # fmt: skip
VERSION_COLUMNS = [
    "version", "panel", "valid_from_local", "rebase_reason", "status", "point_count", "reference_count",
    "reference_from_local", "reference_to_local", "excluded_count", "sigma", "is_laney", "sigma_z", "lower_limit",
    "center_line", "upper_limit",
]  # fmt: skip
POINT_COLUMNS = [
    "chart_id", "panel", "point_number", "started_at_local", "sample_size", "value", "center_line", "lower_limit",
    "upper_limit", "standard_error", "version", "is_reference", "is_excluded", "exclusion_cause",
]  # fmt: skip
SIGNAL_COLUMNS = ["chart_id", "panel", "point_number", "rule", "description", "is_alert", "alert_rank"]
CAPABILITY_COLUMNS = [
    "product_name", "test_name", "parameter", "unit", "lower_limit", "upper_limit", "target", "first_date", "last_date",
    "value_count", "out_of_limits_count", "value_mean", "sigma_within", "sigma_overall", "quantile_low",
    "quantile_middle", "quantile_high", "cp", "cp_low", "cp_high", "cpk", "cpk_low", "cpk_high", "pp", "pp_low",
    "pp_high", "ppk", "ppk_low", "ppk_high", "cpm", "cpm_low", "cpm_high", "percentile_pp", "percentile_ppk", "method",
    "headline_pp", "headline_ppk", "normality_p", "stability", "point_count", "signal_count",
]  # fmt: skip
MEASURED = (
    "value", "center_line", "lower_limit", "upper_limit", "target", "value_mean", "sigma_within", "sigma_overall",
    "quantile_low", "quantile_middle", "quantile_high",
)  # fmt: skip
INDICES = (
    *(f"{index}{bound}" for index in ("cp", "cpk", "pp", "ppk", "cpm") for bound in ("", "_low", "_high")),
    "percentile_pp", "percentile_ppk", "headline_pp", "headline_ppk", "deviation_sigma", "anderson_darling",
    "normality_p",
)  # fmt: skip
BIN_COLUMNS = [
    "product_name", "test_name", "parameter", "bin_from", "bin_to", "value_count", "further_out_count",
]  # fmt: skip


class SpcData:
    """Reads the views once; `of(pages)` picks what these pages need."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication

    def of(self, pages: list[str]) -> dict:
        """The JSON that assets/spc/ reads."""
        made: dict = {"definitions": {}}
        if "control_charts" in pages:
            made |= self._charts()
            made["definitions"]["limit"] = self.publication.definitions("report_control_chart")
            made["definitions"]["point"] = self.publication.definitions("report_control_chart_point")
            made["definitions"]["signal"] = self.publication.definitions("report_control_chart_signal")
        if "capability" in pages:
            made |= self._capability()
            made["definitions"]["capability"] = self.publication.definitions("report_process_capability")
        return made

    def _charts(self) -> dict:
        versions: dict[str, list[dict]] = {}
        for row in self.publication.named("report_control_chart", CHART_COLUMNS):
            versions.setdefault(row["chart_id"], []).append(row)
        points: dict[str, dict[str, list[dict]]] = {}
        for row in self.publication.named("report_control_chart_point", POINT_COLUMNS):
            points.setdefault(row["chart_id"], {}).setdefault(row["panel"], []).append(row)
        signals: dict[tuple, list[dict]] = {}
        for row in self.publication.named("report_control_chart_signal", SIGNAL_COLUMNS):
            signals.setdefault((row["chart_id"], row["panel"], row["point_number"]), []).append(row)
        made = [_chart(versions[chart], panels, signals) for chart, panels in points.items() if chart in versions]
        made.sort(key=lambda chart: (-chart["alerts"], -chart["signals"], chart["id"]))
        kept, total = [], 0
        for chart in made:
            total += sum(len(panel["value"]) for panel in chart["panels"].values())
            if kept and total > POINTS:
                break
            kept.append(chart)
        rules = {row["rule"]: row["description"] for rows in signals.values() for row in rows}
        return {"charts": kept, "chartCount": len(made), "rules": rules}

    def _capability(self) -> dict:
        bins: dict[tuple, list[list]] = {}
        for *key, low, high, number, further in self.publication.rows("report_capability_histogram", BIN_COLUMNS):
            bins.setdefault(tuple(key), []).append([compact(low), compact(high), number, further])
        found = self.publication.named("report_process_capability", CAPABILITY_COLUMNS)
        found.sort(key=_least_capable)
        return {
            "parameters": [
                {name: compact(value) for name, value in row.items()}
                | {"bins": bins.get((row["product_name"], row["test_name"], row["parameter"]), [])}
                for row in found[:PARAMETERS]
            ],
            "parameterCount": len(found),
        }


def _least_capable(row: dict) -> tuple:
    """Least headline index first; those without one last."""
    index = row["headline_ppk"]
    none = index is None or not math.isfinite(index)
    return (none, 0 if none else index, row["product_name"], row["test_name"], row["parameter"])


def _chart(versions: list[dict], panels: dict[str, list[dict]], signals: dict[tuple, list[dict]]) -> dict:
    """A chart: what it is of, its versions, and its panels as columns. `signals`: points shown that have some."""
    first = versions[0]
    order = list(PANELS[first["chart_type"]])
    made = {panel: _panel(first, panels[panel], signals) for panel in order if panel in panels}
    return {
        "id": first["chart_id"],
        "name": first["chart"],
        "type": first["chart_type"],
        "of": [first[key] for key in ("product_name", "test_name", "parameter", "machine_id") if first[key]],
        "titles": [PANELS[first["chart_type"]][panel] for panel in made],
        "hasZones": first["chart_type"] in WITH_ZONES,
        "versions": [{name: compact(row[name]) for name in VERSION_COLUMNS} for row in versions],
        "panels": made,
        "signals": sum(bool(rules) for panel in made.values() for rules in panel["rules"]),
        "alerts": sum(alert for panel in made.values() for alert in panel["alert"]),
    }


def _panel(chart: dict, points: list[dict], signals: dict[tuple, list[dict]]) -> dict[str, list]:
    points = sorted(points, key=lambda point: point["point_number"])
    columns = {name: [compact(point[name]) for point in points] for name in POINT_COLUMNS[2:]}
    fired = [signals.get((chart["chart_id"], point["panel"], point["point_number"]), []) for point in points]
    columns["rules"] = [[row["rule"] for row in rows] for rows in fired]
    columns["alert"] = [int(any(row["is_alert"] for row in rows)) for rows in fired]
    return columns


def control_chart() -> dict:
    """A panel: `value` by `place`, `center`, `lower`, `upper` as steps, zones `A`, `B`, `C` around the centre.

    Points with `rules` are marked with them, `open` ones hollow; `reference` rows are grounds, `turn` rows new limits.
    """
    scale = alt.Scale(domain={"expr": "[-0.6, lastPlace + 0.6]"}, nice=False)
    axis = alt.Axis(title=None, labelExpr="labels[datum.value] || ''", tickMinStep=1, tickCount=8, grid=False,
                    labelOverlap="greedy", labelSeparation=8, labelAngle=0)  # fmt: skip
    x = alt.X("place:Q", scale=scale, axis=axis)
    y_scale = alt.Scale(domain={"expr": "[valueLow, valueHigh]"}, zero=False, nice=False)
    y_axis = alt.Axis(
        title=None,
        tickCount=5,
        grid=False,
        labelExpr=NUMBER,
    )

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", scale=y_scale, axis=y_axis)

    broken = "break-paths-filter-domains"
    measured = alt.Chart().transform_filter("isValid(datum.tip)")
    layers = [
        measured.mark_area(color=colour, interpolate="step", clip=True, invalid=broken).encode(
            x=x, y=y(f"{zone}_low"), y2=f"{zone}_high:Q"
        )
        for zone, colour in ZONES.items()
    ]
    layers.append(
        alt.Chart().mark_rect(color=INK, opacity=0.07).transform_filter("datum.reference").encode(
            x=x, x2="until:Q", y=alt.value(0), y2=alt.value("height")
        )
    )  # fmt: skip
    layers += [
        measured.mark_line(color=colour, strokeDash=dash, interpolate="step", strokeWidth=1.3, invalid=broken).encode(
            x=x, y=y(name)
        )
        for name, colour, dash in (("center", CENTRE, [1, 0]), ("lower", LIMIT, [6, 4]), ("upper", LIMIT, [6, 4]))
    ]
    layers += [
        alt.Chart().mark_rule(color=INK, strokeWidth=1.5, strokeDash=[2, 2]).transform_filter("datum.turn").encode(
            x=x, y=alt.value(0), y2=alt.value("height")
        ),
        measured.mark_line(color=FIRST, strokeWidth=1.3, invalid=broken).encode(x=x, y=y("value")),
        alt.Chart().mark_point(size=26, strokeWidth=1.2, opacity=1, color=FIRST).transform_filter(
            "isValid(datum.value) && !datum.rules"
        ).encode(x=x, y=y("value"), fill=alt.condition("datum.open", alt.value("white"), alt.value(FIRST))),
        alt.Chart().mark_point(size=60, shape="diamond", color=SIGNAL, opacity=1, strokeWidth=1.2).transform_filter(
            "isValid(datum.value) && datum.rules"
        ).encode(x=x, y=y("value"), fill=alt.condition("datum.open", alt.value("white"), alt.value(SIGNAL))),
        alt.Chart().mark_text(color=SIGNAL, dy=-11, fontSize=11, fontWeight=600).transform_filter("datum.named").encode(
            x=x, y=y("value"), text="rules:N"
        ),
        measured.mark_rule(strokeWidth=8, opacity=0.001, tooltip={"content": "data"}).encode(
            x=x, y=alt.value(0), y2=alt.value("height")),
    ]  # fmt: skip
    parameters = {"lastPlace": 1, "labels": [], "valueLow": 0, "valueHigh": 1, "isShare": False}
    return finish(layers, 280, parameters=parameters)


def histogram() -> dict:
    """Bars of `count` from `low` to `high`; the normal curve (`curve` at `at`); limits and target as rules (`line`)."""
    x_scale = alt.Scale(domain={"expr": "[valueLow, valueHigh]"}, zero=False, nice=False)
    x_axis = alt.Axis(
        title=None, grid=False, tickCount=6, labelExpr="format(datum.value, '.10~r')", labelOverlap="greedy"
    )
    y_scale = alt.Scale(domain={"expr": "[0, countTop]"}, nice=False)
    y_axis = alt.Axis(title="Values", grid=False, tickMinStep=1, tickCount=5, format=",.0f")

    def x(name: str) -> alt.X:
        return alt.X(f"{name}:Q", scale=x_scale, axis=x_axis)

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", scale=y_scale, axis=y_axis)

    bars = (
        alt.Chart()
        .mark_rect(fill=QUANTITY, stroke="white", strokeWidth=0.5, tooltip={"content": "data"})
        .transform_filter("isValid(datum.count)")
    )
    colour = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=["limit", "target"], range=[LIMIT, CENTRE]))
    lines = alt.Chart().transform_filter("isValid(datum.line)")
    layers = [
        bars.encode(x=x("low"), x2="high:Q", y=y("count"), y2=alt.datum(0)),
        alt.Chart().mark_line(color=FIRST, strokeWidth=1.8).transform_filter("isValid(datum.curve)").encode(
            x=x("at"), y=y("curve")
        ),
        lines.mark_rule(strokeWidth=2, strokeDash=[7, 4]).encode(x=x("line"), color=colour),
        lines.mark_text(baseline="bottom", fontSize=12, fontWeight=600).encode(
            x=x("line"), y=alt.value(-4), text="text:N", color=colour
        ),
    ]  # fmt: skip
    return finish(layers, 280, parameters={"valueLow": 0, "valueHigh": 1, "countTop": 1})


def charts() -> dict[str, dict]:
    """All charts by the name under which the page asks for them."""
    return {"control_chart": control_chart(), "histogram": histogram()}


DOCUMENT = Document(
    name="spc",
    title="Process control",
    pages={
        "control_charts": Page("Control charts", "report_control_chart"),
        "capability": Page("Capability", "report_process_capability"),
    },
    sheets={
        "control_chart_signal": "report_control_chart_signal",
        "process_capability": "report_process_capability",
    },
    scripts=("control_charts.js", "capability.js", "pages.js"),
    charts=charts,
    data=SpcData,
    styles=dict.fromkeys(MEASURED, "value") | dict.fromkeys(INDICES, "fine"),
)
