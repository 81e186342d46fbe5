"""The charts of oee.html: a trend by day, losses, hours of the week, and the band of a day."""

import altair as alt

from report import charts as shared
from report.charts import COLOURS, INK, ROW_HEIGHT, bar, finish, hover, points, quantity_axis, yield_axis

KINDS = {
    "production": "#56a3d0", "slow": "#a9d3ec", "setup": "#e8b83a", "delay": "#d55e00", "down": "#8d6cab",
    "planned": "#b3bec9", "unscheduled": "#e9edf1", "no_data": "#ffffff", "total": "#6b7885", "quality": "#a63603",
}  # fmt: skip
"""Colours of time by what it counts as; page.css has the same for the legends."""

DAY = "[substring(datum.label, 5), datum.index === 0 ? substring(datum.label, 0, 4) : '']"
CLOCK = "datum.value / 3600 + startHour + (datum.value >= jumpAt ? jumpHours : 0)"
CLOCK = f"pad(floor(({CLOCK}) % 24), 2, '0', 'left') + ':' + pad(round((({CLOCK}) % 1) * 60), 2, '0', 'left')"
EDGE = "datum.kind === 'no_data' || datum.kind === 'unscheduled' ? '#9aa5b1' : null"
ROOM = "(datum.end - datum.start) / spanSeconds * width"
TEXTS = {"label": "length(datum.label)", "short": "datum.shortSize", "length": "length(datum.length)"}
"""Texts of a stop, from long to short, with their letters in a line; the first that fits is written into its band."""


def by_day() -> dict:
    """Bars of `qty` (planned busy hours) and lines of `first` (OEE) and `second` (availability) by production day."""
    axis = alt.Axis(labelAngle=0, labelOverlap="greedy", labelSeparation=6, labelExpr=DAY, ticks=False, labelPadding=6)
    x = alt.X("x:N", sort=None, title="Production day", axis=axis)
    bars = bar(x=x, y=alt.Y("qty:Q", title="Planned busy hours", scale=shared.quantity_scale(), axis=quantity_axis()))
    lines = []
    for name in ("first", "second"):
        y = alt.Y(f"{name}:Q", title="OEE, availability", scale=shared.yield_scale(), axis=yield_axis("right"))
        lines.append(alt.Chart().mark_line(color=COLOURS[name], strokeWidth=2).encode(x=x, y=y))
        lines.append(points(name, x=x, y=y))
    return finish([bars, alt.layer(*lines), hover(x=x, y=alt.value(0), y2=alt.value("height"))], 300, "y")


def waterfall() -> dict:
    """Hours from `start` to `end`, one row per step read downwards, coloured by `kind`."""
    y = alt.Y("x:N", sort=None, title=None, axis=alt.Axis(labelPadding=6, ticks=False, labelLimit=170))
    x = alt.X("start:Q", title="Hours", axis=alt.Axis(grid=True, format=",.0f", tickCount=6))
    bars = alt.Chart().mark_bar(stroke="#6b7885", strokeWidth=0.5).encode(y=y, x=x, x2="end:Q", fill=_kind())
    return finish([bars, hover(y=y, x=alt.value(0), x2=alt.value("width"))], ROW_HEIGHT)


def heat_map() -> dict:
    """A cell per weekday (`y`) and hour (`x`), coloured by `value` (0-1); none where no time was planned."""
    hours = [f"{hour:02d}" for hour in range(24)]
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    axis = alt.Axis(labelAngle=0, labelOverlap="greedy")
    scale = alt.Scale(domain={"expr": "[heatLow, heatHigh]"}, range=["#eef5fa", "#08519c"], clamp=True)
    cells = (
        alt.Chart()
        .mark_rect(stroke="white", strokeWidth=1, tooltip={"content": "data"})
        .encode(
            x=alt.X("x:O", scale=alt.Scale(domain=hours), title="Hour of the day", axis=axis),
            y=alt.Y("y:O", scale=alt.Scale(domain=days), title=None),
            color=alt.Color("value:Q", scale=scale, legend=None),
        )
    )
    return finish([cells], 240, parameters={"heatLow": 0, "heatHigh": 1})


def timeline(row_height: int, upright: bool = False) -> dict:
    """A band per machine (`x`) of what its time was, from `start` to `end` in seconds since the day began.

    Stops have their `label`, `short` (in two lines) or `length` written into them, upright where there is one machine
    and much height.
    """
    axis = alt.Axis(labelPadding=6, ticks=False, labelLimit=130)
    y = alt.Y("x:N", sort=None, title=None, axis=axis, scale=alt.Scale(paddingInner=0.15))
    ticks = alt.Axis(
        orient="top", grid=False, labelExpr=CLOCK, tickMinStep=3600, labelOverlap="greedy", labelSeparation=8,
        values={"expr": "sequence(0, spanSeconds + 1, spanSeconds > 150 * width ? 14400 : 7200)"},
    )  # fmt: skip
    scale = alt.Scale(domain={"expr": "[0, spanSeconds]"}, nice=False)
    x = alt.X("start:Q", title="Plant time", axis=ticks, scale=scale)
    band = (
        alt.Chart()
        .mark_rect(tooltip={"content": "data"}, strokeWidth=0.5)
        .encode(y=y, x=x, x2="end:Q", fill=_kind(), stroke=alt.value({"expr": EDGE}))
    )
    fits = "''"
    for text, letters in reversed(TEXTS.items()):
        room = f"{ROOM} > 13" if upright else f"{ROOM} > 5.3 * {letters}"
        fits = f"datum.{text} && {room} ? datum.{text} : {fits}"
    labels = (
        alt.Chart()
        .transform_calculate(middle="(datum.start + datum.end) / 2")
        .mark_text(
            fontSize=11 if upright else 10, fill=INK, text={"expr": fits}, angle=270 if upright else 0,
            limit=row_height - 10 if upright else 0, tooltip={"content": "data"}, lineBreak="\n", lineHeight=11,
            dy={"expr": f"indexof({fits}, '\\n') < 0 ? 0 : -5"},
        )
        .encode(y=y, x=alt.X("middle:Q", title="Plant time", axis=ticks))
    )  # fmt: skip
    parameters = {"spanSeconds": 86400, "startHour": 0, "jumpAt": 1e9, "jumpHours": 0}
    return finish([band, labels], {"rowHeight": row_height}, parameters=parameters)


def _kind() -> alt.Fill:
    return alt.Fill("kind:N", legend=None, scale=alt.Scale(domain=list(KINDS), range=list(KINDS.values())))


def charts() -> dict[str, dict]:
    """All charts by the name under which the page asks for them."""
    return {
        "oee_by_day": by_day(),
        "oee_by_category": shared.by_category("Planned busy hours", "OEE"),
        "waterfall": waterfall(),
        "downtime_pareto": shared.pareto("Hours"),
        "heat_map": heat_map(),
        "timeline": timeline(34),
        "timeline_of_one": timeline(190, upright=True),
    }
