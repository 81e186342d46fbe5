"""The chart of shifts.html: a difference between two sides and its parts."""

import altair as alt

from report.charts import INK, finish, hover

PARTS = {
    "within": "#0072b2", "product": "#e8b83a", "machine": "#8d6cab", "staffing": "#56b4a0", "not_comparable": "#c9d1d9",
}  # fmt: skip
"""Colours of the parts; page.css has the same for the legends."""


WITHIN = "datum.part === 'within'"  # the row that also tells of the whole pair


def decomposition() -> dict:
    """One bar per pair (`x`), parts stacked away from 0 from `start` to `end`, coloured by `part`.

    The part within cells begins at 0 and has its interval, `low` to `high` (0 to 0 without one); `crude` is the whole
    difference.
    """
    y = alt.Y("x:N", sort=None, title=None, axis=alt.Axis(labelPadding=6, ticks=False, labelLimit=170))
    label = "(datum.value ? format(datum.value * factor, '+,.3~r') : '0') + ' ' + unitText"
    axis = alt.Axis(grid=True, tickCount=6, labelOverlap="greedy", labelSeparation=6, labelExpr=label)
    x = alt.X("start:Q", title="Difference", axis=axis)
    colours = alt.Scale(domain=list(PARTS), range=list(PARTS.values()))
    bars = (
        alt.Chart()
        .mark_bar(stroke="white", strokeWidth=0.5, height={"band": 0.5})
        .encode(y=y, x=x, x2="end:Q", fill=alt.Fill("part:N", legend=None, scale=colours))
    )
    zero = alt.Chart().mark_rule(color=INK, strokeWidth=1).encode(x=alt.XDatum(0))
    spans = (
        alt.Chart()
        .transform_filter(WITHIN)
        .mark_rule(color=INK, strokeWidth=2)
        .encode(y=y, x=alt.X("low:Q"), x2="high:Q")
    )
    wholes = (
        alt.Chart()
        .transform_filter(WITHIN)
        .mark_point(shape="diamond", size=90, stroke=INK, fill="white", strokeWidth=1.5, opacity=1)
        .encode(y=y, x=alt.X("crude:Q"))
    )
    band = hover(y=y, x=alt.value(0), x2=alt.value("width"))
    return finish([bars, zero, spans, wholes, band], {"rowHeight": 40}, parameters={"factor": 1, "unitText": "points"})


def charts() -> dict[str, dict]:
    """All charts by the name under which the page asks for them."""
    return {"decomposition": decomposition()}
