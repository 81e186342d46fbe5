"""The charts of the HTML reports: one Altair specification per chart, without data.

The page hands each chart its rows under the name `rows` after summing what the reader filtered. Every row has `x` (the
category), `mature`, `tip` (what hovering shows, already formatted) and the fields named here. Legends are written by
the page beside the chart, so that they wrap on a phone.
"""

import altair as alt

QUANTITY = "#c3cfdb"
FIRST = "#0072b2"
SECOND = "#d55e00"
OUTCOMES = {"finished": "#56a3d0", "wip": "#d9dde2", "scrap": "#d55e00"}
INK = "#27313b"
ROW_HEIGHT = {"rowHeight": 26}
"""Height of a chart that grows with its rows: pixels per row, set by the page."""
SHAPES = {"first": "circle", "second": "diamond"}
COLOURS = {"first": FIRST, "second": SECOND}

PERCENT = "format(datum.value * 100, '.3~r') + ' %'"
NUMBER = f"isShare ? {PERCENT} : format(datum.value, '.10~r')"
"""Labels of an axis of measured values, or of shares where the parameter `isShare` says so."""
WEEK = (
    "[substring(datum.label, 5), "
    "datum.index === 0 || substring(datum.label, 5) === 'W01' ? substring(datum.label, 0, 4) : '']"
)

CONFIG = {
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif",
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500,
        "gridColor": "#e6e9ed", "domainColor": "#9aa5b1", "tickColor": "#9aa5b1", "labelLimit": 150,
    },
}  # fmt: skip


def finish(
    charts: list[alt.Chart], height: int | dict, independent: str | None = None, parameters: dict | None = None
) -> dict:
    """The specification of layers that share their rows; `independent`: the channel of the two axes, x or y.

    `parameters`: names with their first values; a section of the page may set them (`params`).
    """
    meta = height if isinstance(height, dict) else {}
    chart = alt.layer(*charts, data=alt.NamedData("rows"))
    if independent:
        chart = chart.resolve_scale(**{independent: "independent"})
    values = {"quantityTop": 1, "yieldLow": 0, "yieldTop": 1} | (parameters or {})
    chart = chart.add_params(*(alt.param(name=name, value=value) for name, value in values.items()))
    chart = chart.properties(width="container", height=100 if meta else height, usermeta=meta)
    spec = chart.to_dict() | {"config": CONFIG}
    spec.pop("$schema", None)
    return spec


def quantity_scale() -> alt.Scale:
    return alt.Scale(domain={"expr": "[0, quantityTop]"}, nice=False)


def yield_scale() -> alt.Scale:
    return alt.Scale(domain={"expr": "[yieldLow, yieldTop]"}, zero=False, nice=False)


def hover(**channels: object) -> alt.Chart:
    """A band over the whole category that shows `tip`, so that nobody has to aim at a point."""
    pointed = alt.selection_point(name="pointed", on="pointerover", clear="pointerout", empty=False)
    return (
        alt.Chart()
        .mark_rect(fill=INK, tooltip={"content": "data"})
        .encode(fillOpacity=alt.condition(pointed, alt.value(0.07), alt.value(0.001)), **channels)
        .add_params(pointed)
    )


def bar(**channels: object) -> alt.Chart:
    """Quantities; immature ones are hollow with a dashed edge."""
    return (
        alt.Chart()
        .mark_bar(stroke="#8a99a8", strokeWidth=1)
        .encode(
            fill=alt.condition("datum.mature", alt.value(QUANTITY), alt.value("#f6f8fa")),
            strokeDash=alt.condition("datum.mature", alt.value([1, 0]), alt.value([3, 3])),
            **channels,
        )
    )


def points(name: str, **channels: object) -> alt.Chart:
    """Yields; immature ones are hollow."""
    return (
        alt.Chart()
        .mark_point(shape=SHAPES[name], size=60, stroke=COLOURS[name], strokeWidth=2, opacity=1)
        .encode(fill=alt.condition("datum.mature", alt.value(COLOURS[name]), alt.value("white")), **channels)
    )


def by_week(quantity: str) -> dict:
    """Bars of `qty` (left axis) and lines of `first` and `second` (0–1, right axis) by load week."""
    x = alt.X("x:N", sort=None, title="Load week", axis=week_axis())
    bars = bar(x=x, y=alt.Y("qty:Q", title=quantity, scale=quantity_scale(), axis=quantity_axis()))
    lines = []
    for name in ("first", "second"):
        y = alt.Y(f"{name}:Q", title="Yield", scale=yield_scale(), axis=yield_axis("right"))
        lines.append(alt.Chart().mark_line(color=COLOURS[name], strokeWidth=2).encode(x=x, y=y))
        lines.append(points(name, x=x, y=y))
    yields = alt.layer(*lines)
    return finish([bars, yields, hover(x=x, y=alt.value(0), y2=alt.value("height"))], 300, "y")


def by_category(quantity: str, yields: str = "Yield", names: tuple[str, ...] = ("first", "second")) -> dict:
    """Bars of `qty` (lower axis) and points of the yields (0–1, upper axis), one row per category, read downwards.

    The points' intervals are `first_low` and `first_high` where there is one yield; two are joined by a thin line.
    """
    y = alt.Y("x:N", sort=None, title=None, axis=alt.Axis(labelPadding=6, ticks=False, labelLimit=130))
    bars = bar(y=y, x=alt.X("qty:Q", title=quantity, scale=quantity_scale(), axis=quantity_axis("bottom")))
    ends = ("first", "second") if len(names) == 2 else ("first_low", "first_high")
    axis = yield_axis("top")
    span = alt.Chart().mark_rule(color=INK, strokeWidth=1.2 if len(names) == 2 else 2.5, opacity=0.6)
    span = span.encode(y=y, x=alt.X(f"{ends[0]}:Q", title=yields, scale=yield_scale(), axis=axis), x2=f"{ends[1]}:Q")
    marks = [points(name, y=y, x=alt.X(f"{name}:Q", title=yields, scale=yield_scale(), axis=axis)) for name in names]
    band = hover(y=y, x=alt.value(0), x2=alt.value("width"))
    return finish([bars, alt.layer(span, *marks), band], ROW_HEIGHT, "x")


def pareto(quantity: str) -> dict:
    """Bars of `qty`, most frequent first, and the cumulative share `first` (0–1, upper axis)."""
    y = alt.Y("x:N", sort=None, title=None, axis=alt.Axis(labelPadding=6, ticks=False, labelLimit=130))
    bars = bar(y=y, x=alt.X("qty:Q", title=quantity, scale=quantity_scale(), axis=quantity_axis("bottom")))
    x = alt.X("first:Q", title="Cumulative share", scale=alt.Scale(domain=[0, 1]), axis=yield_axis("top"))
    line = alt.Chart().mark_line(color=FIRST, strokeWidth=2).encode(y=y, x=x, order="rank:Q")
    share = alt.layer(line, points("first", y=y, x=x))
    return finish([bars, share, hover(y=y, x=alt.value(0), x2=alt.value("width"))], ROW_HEIGHT, "x")


def outcome_by_week() -> dict:
    """Modules of each load week, stacked by what became of them: `finished`, `wip`, `scrap`."""
    x = alt.X("x:N", sort=None, title="Load week", axis=week_axis())
    bars = (
        alt.Chart()
        .transform_fold(list(OUTCOMES), as_=["outcome", "modules"])
        .transform_calculate(rank="indexof(['finished', 'wip', 'scrap'], datum.outcome)")
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=x,
            y=alt.Y("modules:Q", title="Modules", axis=quantity_axis()),
            color=alt.Color(
                "outcome:N", legend=None, scale=alt.Scale(domain=list(OUTCOMES), range=list(OUTCOMES.values()))
            ),
            order="rank:Q",
        )
    )
    band = hover(x=x, y=alt.value(0), y2=alt.value("height"))
    return finish([bars, band], 240)


def duration_by_week() -> dict:
    """Average seconds of passed (`first`) and failed (`second`) attempts by load week."""
    x = alt.X("x:N", sort=None, title="Load week", axis=week_axis())
    lines = []
    for name in ("first", "second"):
        y = alt.Y(f"{name}:Q", title="Seconds", scale=quantity_scale(), axis=quantity_axis())
        lines.append(alt.Chart().mark_line(color=COLOURS[name], strokeWidth=2).encode(x=x, y=y))
        lines.append(points(name, x=x, y=y))
    band = hover(x=x, y=alt.value(0), y2=alt.value("height"))
    return finish([*lines, band], 220)


def week_axis() -> alt.Axis:
    return alt.Axis(labelAngle=0, labelOverlap="greedy", labelSeparation=4, labelExpr=WEEK, ticks=False, labelPadding=6)


def quantity_axis(side: str = "left") -> alt.Axis:
    return alt.Axis(orient=side, grid=False, format=",.0f", tickCount=5, tickMinStep=1)


def yield_axis(side: str) -> alt.Axis:
    return alt.Axis(orient=side, grid=True, labelExpr=PERCENT, tickCount=5)
