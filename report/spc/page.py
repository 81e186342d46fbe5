"""The page of a chart or a gage study: one file without script, pictures inlined."""

from pathlib import Path

import jinja2

from report.spc.pictures import PANELS, WITH_ZONES, control_chart, gage_readings, histogram
from report.spc.study import ChartStudy

TITLES = {
    "xbar-r": "X̄-R chart", "xbar-s": "X̄-S chart", "imr": "Individuals and moving range", "p": "p chart",
    "np": "np chart", "c": "c chart", "u": "u chart", "ewma": "EWMA chart", "cusum": "CUSUM chart",
}  # fmt: skip
MOST_SIGNALS = 200
MOST_DRAWN = 5000

STABILITY = {
    "stable": "The chart shows a stable process.",
    "stable_but_for_chance": "The chart has no more signals than a stable process gives by chance.",
    "unstable": "The process is not stable: these figures describe the past, they promise nothing.",
    "trial_limits": "The limits are trial limits: whether the process is stable is not yet known.",
    "unknown": "Whether the process is stable is not known.",
}
INDICES = (("cp", "Cp"), ("cpk", "Cpk"), ("pp", "Pp"), ("ppk", "Ppk"), ("cpm", "Cpm"))


def shown(value: object) -> str:
    """As a reader wants it: seven digits, a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def render_chart_page(
    name: str,
    study: ChartStudy,
    *,
    limits: list[dict],
    signals: list[dict],
    points: list[dict],
    capability: dict | None,
    notes: list[str],
) -> str:
    """Rows are those of the marts, `points` with the rules that fired as one text."""
    drawn = [point for point in points if point["point"] > study.point_count - MOST_DRAWN]
    if len(drawn) < len(points):
        notes = [*notes, f"The picture shows the last {MOST_DRAWN:,} points; all are in the CSV file."]
    values = [value for group in study.subgroups for value in group]
    return _template().render(
        title=f"{TITLES[study.chart_type]} · {name}",
        charts=[control_chart(study.chart_type, drawn)],
        panel_names=PANELS[study.chart_type],
        with_zones=study.chart_type in WITH_ZONES,
        notes=notes,
        limits=limits,
        signals=signals[:MOST_SIGNALS],
        signal_count=len(signals),
        point_count=study.point_count,
        capability=capability,
        indices=INDICES,
        stability=STABILITY.get(capability["stability"]) if capability else None,
        histogram=histogram(values, capability) if capability else None,
        causes=study.exclusions,
        rebases=study.rebases,
    )


def render_gage_page(name: str, rows: list[dict], readings: list[tuple]) -> str:
    """`rows` of gage_rr; readings are drawn where they are numbers."""
    with_values = not isinstance(readings[0][3], str)
    return _template().render(
        title=f"Gage R&R · {name}",
        charts=[gage_readings(readings)] if with_values else [],
        gage=rows,
        notes=[],
    )


def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["shown"] = shown
    return environment.from_string((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))
