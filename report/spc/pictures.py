"""Control charts, histograms and gage readings as SVG: rows come from the models, only positions are computed here."""

import altair as alt
import numpy as np
import vl_convert

from report.charts import CONFIG, FIRST, INK, SECOND

WIDTH = 980
LIMIT = "#b3261e"
CENTRE = "#3d7a46"
ZONE = "#a9b4bf"
GREY = "#8a99a8"
MOST_LABELS = 60
"""Signals whose rules are written into the chart; where there are more, marks alone are legible."""
WITH_ZONES = ("xbar-r", "xbar-s", "imr")
PANELS = {
    "xbar-r": {"location": "Mean", "spread": "Range"},
    "xbar-s": {"location": "Mean", "spread": "Standard deviation"},
    "imr": {"location": "Value", "spread": "Moving range"},
    "p": {"location": "Share"},
    "np": {"location": "Count"},
    "c": {"location": "Count"},
    "u": {"location": "Count per unit"},
    "ewma": {"location": "Weighted average"},
    "cusum": {"cusum_high": "Sum above", "cusum_low": "Sum below"},
}


def control_chart(chart_type: str, points: list[dict]) -> str:
    """The chart's panels, one above the other, of the same width."""
    present = {point["panel"] for point in points if point["value"] is not None}
    panels = [_panel(chart_type, panel, points) for panel in PANELS[chart_type] if panel in present]
    return _svg(alt.vconcat(*panels, spacing=26))


def _panel(chart_type: str, panel: str, points: list[dict]) -> alt.LayerChart:
    """Points, limits as steps, zones of one standard error, signals with their rules, reference shaded."""
    rows = [point for point in points if point["panel"] == panel and point["value"] is not None]
    last = max(row["point"] for row in rows)
    x = alt.X("point:Q", title=None, scale=alt.Scale(domain=[0.4, last + 0.6], nice=False), axis=_point_axis())
    y = _y(rows, PANELS[chart_type][panel])
    layers = [_reference(rows)] if any(row["is_reference"] for row in rows) else []
    layers += _zones(rows, x) if chart_type in WITH_ZONES and panel == "location" else []
    layers += [
        _steps(rows, "center_line", x, colour=CENTRE, dash=[1, 0]),
        _steps(rows, "lower_limit", x, colour=LIMIT, dash=[7, 4]),
        _steps(rows, "upper_limit", x, colour=LIMIT, dash=[7, 4]),
        _versions(rows),
        _layer(rows).mark_line(color=FIRST, strokeWidth=1.3).encode(x=x, y=y),
        *_marks(rows, x, y),
        _line_names(rows[-1]),
    ]
    return alt.layer(*layers).properties(width=WIDTH - 190, height=150 if panel == "spread" else 250)


def histogram(values: list[float], capability: dict) -> str:
    """Values in bins, specification limits, target, and the normal curve of the overall standard deviation."""
    counts, edges = np.histogram(values, bins=min(40, max(8, int(np.sqrt(len(values)) * 1.5))))
    bins = [{"low": low, "high": high, "count": int(n)} for low, high, n in zip(edges, edges[1:], counts, strict=False)]
    y = alt.Y("count:Q", title="Values", axis=alt.Axis(grid=False, tickMinStep=1))
    x_title = alt.X("low:Q", title=None, scale=alt.Scale(zero=False))
    layers = [
        _layer(bins).mark_rect(fill="#c3cfdb", stroke="white").encode(x=x_title, x2="high:Q", y=y, y2=alt.datum(0))
    ]
    mean, sigma = capability["value_mean"], capability["sigma_overall"]
    if sigma:
        grid = np.linspace(min(edges[0], mean - 3.5 * sigma), max(edges[-1], mean + 3.5 * sigma), 161)
        density = np.exp(-(((grid - mean) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
        scale = len(values) * (edges[1] - edges[0])
        curve = [{"low": float(at), "count": float(d * scale)} for at, d in zip(grid, density, strict=True)]
        layers.append(_layer(curve).mark_line(color=FIRST, strokeWidth=1.8).encode(x="low:Q", y="count:Q"))
    names = (("lower_limit", "Lower limit", LIMIT), ("upper_limit", "Upper limit", LIMIT), ("target", "Target", CENTRE))
    for name, title, colour in names:
        if capability[name] is not None:
            row = [{"low": capability[name], "text": f"{title} {capability[name]:.6g}"}]
            layers.append(_layer(row).mark_rule(color=colour, strokeWidth=2, strokeDash=[7, 4]).encode(x="low:Q"))
            label = _layer(row).mark_text(color=colour, align="center", baseline="bottom", fontSize=12)
            layers.append(label.encode(x="low:Q", y=alt.value(-4), text="text:N"))
    return _svg(alt.layer(*layers).properties(width=WIDTH - 190, height=240))


def gage_readings(readings: list[tuple[str, str, int | None, float]]) -> str:
    """Each part's readings by appraiser, side by side, with the mean of each part."""
    rows = [{"part": part, "appraiser": who, "value": value} for part, who, _, value in readings]
    order = list(dict.fromkeys(row["part"] for row in rows))
    who = list(dict.fromkeys(row["appraiser"] for row in rows))
    x = alt.X("part:N", sort=order, title="Part", axis=alt.Axis(labelAngle=0, grid=True))
    offset = alt.XOffset("appraiser:N", sort=who)
    y = alt.Y("value:Q", title="Reading", scale=alt.Scale(zero=False))
    colours = alt.Color("appraiser:N", sort=who, title="Appraiser", scale=alt.Scale(scheme="tableau10"))
    base = _layer(rows)
    points = base.mark_point(filled=True, size=45, opacity=0.85).encode(
        x=x, xOffset=offset, y=y, color=colours, shape=alt.Shape("appraiser:N", sort=who, title="Appraiser")
    )
    means = base.mark_tick(color=INK, thickness=2, width=alt.RelativeBandSize(0.9)).encode(x=x, y="mean(value):Q")
    return _svg(alt.layer(means, points).properties(width=WIDTH - 190, height=280))


def _layer(rows: list[dict]) -> alt.Chart:
    return alt.Chart(alt.InlineData(rows))


def _y(rows: list[dict], title: str) -> alt.Y:
    """From the lowest to the highest of points and limits, with room for rules above and below."""
    names = ("value", "lower_limit", "upper_limit")
    numbers = [row[name] for row in rows for name in names if row[name] is not None]
    low, high = min(numbers), max(numbers)
    room = (high - low or abs(high) or 1) * (0.2 if any(row["rules"] for row in rows) else 0.1)
    bottom = low if low == 0 else low - room  # nothing is below 0 where 0 is a limit
    scale = alt.Scale(domain=[bottom, high + room], nice=False, zero=False)
    return alt.Y("value:Q", title=title, scale=scale, axis=alt.Axis(grid=False, tickCount=5, minExtent=58))


def _point_axis() -> alt.Axis:
    return alt.Axis(grid=False, tickMinStep=1, tickCount=20, format="d", labelFlush=False)


def _reference(rows: list[dict]) -> alt.Chart:
    """Stretches of reference points, those with a recorded cause among them."""
    numbers = [row["point"] for row in rows if row["is_reference"]]
    starts = [n for n in numbers if n - 1 not in numbers]
    ends = [n for n in numbers if n + 1 not in numbers]
    spans = [{"start": start - 0.5, "end": end + 0.5} for start, end in zip(starts, ends, strict=True)]
    return _layer(spans).mark_rect(fill="#f1f4f7").encode(x="start:Q", x2="end:Q")


def _zones(rows: list[dict], x: alt.X) -> list[alt.Chart]:
    found = []
    for sigmas in (-2, -1, 1, 2):
        lines = [
            {
                "point": row["point"],
                "version": row["version"],
                "at": row["center_line"] + sigmas * row["standard_error"],
            }
            for row in rows
            if row["standard_error"] is not None
        ]
        found.append(_steps(lines, "at", x, colour=ZONE, dash=[2, 3], width=1))
    return found


def _steps(rows: list[dict], name: str, x: alt.X, *, colour: str, dash: list[int], width: float = 1.6) -> alt.Chart:
    """A line per version, from half a point before its first to half a point after its last."""
    lines = []
    for row in rows:
        if row[name] is not None:
            lines += [
                {"point": row["point"] + half, "at": row[name], "version": row["version"]} for half in (-0.5, 0.5)
            ]
    chart = _layer(lines).mark_line(color=colour, strokeWidth=width, strokeDash=dash)
    return chart.encode(x=x, y=alt.Y("at:Q"), detail="version:N")


def _versions(rows: list[dict]) -> alt.Chart:
    """A rule where new limits begin."""
    pairs = zip(rows, rows[1:], strict=False)
    starts = [{"at": after["point"] - 0.5} for before, after in pairs if before["version"] != after["version"]]
    return _layer(starts).mark_rule(color=INK, strokeWidth=1.2).encode(x="at:Q")


def _marks(rows: list[dict], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Points; signals as orange diamonds with their rules, points with a recorded cause hollow."""
    size = 36 if len(rows) <= 150 else 12
    plain = [row for row in rows if not row["rules"]]
    fired = [row | {"above": row["value"] >= (row["center_line"] or 0)} for row in rows if row["rules"]]
    hollow = alt.condition("isValid(datum.exclusion_cause)", alt.value("white"), alt.value(FIRST))
    hollow_signal = alt.condition("isValid(datum.exclusion_cause)", alt.value("white"), alt.value(SECOND))
    marks = [
        _layer(plain).mark_point(size=size, opacity=1, stroke=FIRST).encode(x=x, y=y, fill=hollow),
        _layer(fired)
        .mark_point(shape="diamond", size=max(size * 2.4, 40), opacity=1, stroke=SECOND)
        .encode(x=x, y=y, fill=hollow_signal),
    ]
    lines = {(row["above"], row["rules"].count(" ")) for row in fired} if len(fired) <= MOST_LABELS else set()
    for above, breaks in sorted(lines):
        texts = [row for row in fired if (row["above"], row["rules"].count(" ")) == (above, breaks)]
        label = _layer(texts).mark_text(
            dy=-11 - 11 * breaks if above else 12,
            lineBreak=" ",
            lineHeight=11,
            fontSize=10,
            color=SECOND,
            fontWeight=600,
        )
        marks.append(label.encode(x=x, y=y, text="rules:N"))
    return marks


def _line_names(row: dict) -> alt.Chart:
    """Names and values of the lines, at the right of the last point."""
    names = (("upper_limit", "Upper", LIMIT), ("center_line", "Centre", CENTRE), ("lower_limit", "Lower", LIMIT))
    texts = [{"at": row[n], "text": f"{t} {row[n]:.6g}", "colour": c} for n, t, c in names if row[n] is not None]
    mark = _layer(texts).mark_text(align="left", dx=8, fontSize=12)
    return mark.encode(x=alt.value(WIDTH - 190), y="at:Q", text="text:N", color=alt.Color("colour:N", scale=None))


def _svg(chart: alt.LayerChart | alt.VConcatChart) -> str:
    return vl_convert.vegalite_to_svg(chart.to_dict() | {"config": CONFIG, "padding": 8})
