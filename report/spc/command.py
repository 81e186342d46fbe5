"""`python -m report spc FILE`: a control chart, capability or gage study of a spreadsheet, in figures and as a page."""

import csv
import re
from pathlib import Path

import click
import duckdb

from report.cells import needs_quote
from report.spc.page import render_chart_page, render_gage_page, shown
from report.spc.sheet import Sheet, SheetError
from report.spc.study import COUNT_CHARTS, VALUE_CHARTS, ChartStudy, GageStudy

SHOWN_SIGNALS = 20
RESULTS = {"pass": "pass", "passed": "pass", "ok": "pass", "good": "pass", "fail": "fail", "failed": "fail"}
RESULTS |= {"nok": "fail", "ng": "fail", "bad": "fail"}

OF_SERIES = ("product_name", "test_name", "parameter", "first_date", "last_date", "chart_id", "unit", "study_id")
OF_SERIES += ("appraiser_kind",)

LIMITS = """
    select version, panel, status, reference_count as subgroups, lower_limit as lower, center_line as centre,
        upper_limit as upper, sigma, sigma_z, is_laney, sizes_vary
    from control_chart_limit order by version, panel
"""
SIGNALS = """
    select point_number as point, panel, string_agg(rule, ' ' order by rule) as rules, any_value(value) as value,
        string_agg(distinct description, '; ' order by description) as what
    from control_chart_signal group by all order by all
"""
POINTS = """
    select points.point_number as point, points.panel, points.version, points.sample_size as size, points.value,
        points.lower_limit, points.center_line, points.upper_limit, points.standard_error,
        points.deviation_sigma, points.is_reference,
        points.exclusion_cause, signals.rules
    from control_chart_point as points
    left join (
        select point_number, panel, string_agg(rule, ' ' order by rule) as rules from control_chart_signal group by all
    ) as signals using (point_number, panel)
    order by points.panel, points.point_number
"""


def _noted(_context, _option, texts: tuple[str, ...]) -> list[tuple[int, str]]:
    """`12=cause` as (12, "cause")."""
    found = [re.fullmatch(r"\s*(\d+)\s*=\s*(.*\S)\s*", text) for text in texts]
    for text, match in zip(texts, found, strict=True):
        if not match:
            raise click.BadParameter(f"{text!r}: expected the point and why, such as 12='tool broke'")
    return [(int(match[1]), match[2]) for match in found if match]


def _span(_context, _option, text: str | None) -> tuple[int, int] | None:
    """`25` as (1, 25), `5-30` as (5, 30)."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(?:(\d+)\s*-)?\s*(\d+)\s*", text)
    if not match or int(match[1] or 1) > int(match[2]):
        raise click.BadParameter(f"{text!r}: expected points such as 25 or 5-30")
    return int(match[1] or 1), int(match[2])


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--chart", type=click.Choice([*VALUE_CHARTS, *COUNT_CHARTS, "grr"]), required=True, help="Kind of chart, or grr."
)
@click.option("--value", "values", multiple=True, help="Column of values or counts; several: a subgroup in each row.")
@click.option("--subgroup", help="Column that says which subgroup a value is in.")
@click.option("--size", type=click.IntRange(1), help="Values in a subgroup, in the order of the rows.")
@click.option("--sample-size", help="Column of sample sizes (p, np, u), or one number for all.")
@click.option(
    "--reference", "--reference-rows", callback=_span, help="Points that limits are made with: 25, or 5-30; else all."
)
@click.option(
    "--exclude", multiple=True, callback=_noted, help="Point left out of them, and the cause: 12='tool broke'."
)
@click.option(
    "--rebase", multiple=True, callback=_noted, help="Point from which new limits hold, and why: 40='new tool'."
)
@click.option(
    "--rules", default="1 2", show_default=True, help="Run rules: 1 to 8, w1 to w4, nelson, western-electric."
)
@click.option(
    "--constants", type=click.Choice(["exact", "rounded"]), default="exact", help="rounded: as tables print them."
)
@click.option(
    "--laney", type=click.Choice(["auto", "always", "never"]), default="auto", help="p and u: widen by over-dispersion."
)
@click.option("--mean", "known_mean", type=float, help="Centre that is known.")
@click.option(
    "--sigma", "known_sigma", type=click.FloatRange(0, min_open=True), help="Standard deviation that is known."
)
@click.option("--ewma-weight", type=click.FloatRange(0.01, 0.99), help="Weight of the newest point; 0.2.")
@click.option("--ewma-width", type=click.FloatRange(0, min_open=True), help="Width of EWMA limits; 3.")
@click.option("--cusum-slack", type=click.FloatRange(0), help="Slack k, in standard errors; 0.5.")
@click.option("--cusum-limit", type=click.FloatRange(0, min_open=True), help="Limit h, in standard errors; 5.")
@click.option("--lower", type=float, help="Lower limit of the specification, for capability and % of tolerance.")
@click.option("--upper", type=float, help="Upper limit of the specification.")
@click.option("--target", type=float, help="Best value, for Cpm.")
@click.option("--part", help="grr: column of the part.")
@click.option("--appraiser", help="grr: column of operator, fixture or station.")
@click.option("--trial", help="grr: column of the trial; else in the order of the rows.")
@click.option("--sheet", help="Sheet of a workbook; else the first.")
@click.option("--encoding", default="utf-8", help="Of a CSV file.")
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), default=".", help="Folder of page and points."
)
def spc(file: Path, chart: str, sheet: str | None, encoding: str, output: Path, **options) -> None:
    """A control chart, with capability where --lower or --upper is given, or a gage study (grr) of FILE.

    FILE is a CSV or an XLSX workbook with a header. Writes a page and the points beside the figures shown here.
    """
    try:
        if options["lower"] is not None and options["upper"] is not None and options["lower"] >= options["upper"]:
            raise SheetError("--lower must be below --upper")
        read = Sheet.read(file, sheet, encoding)
        output.mkdir(parents=True, exist_ok=True)
        (_gage if chart == "grr" else _chart)(read, chart, output / f"{file.stem}-{chart}", options)
    except SheetError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}") from None


def _chart(sheet: Sheet, chart: str, target: Path, options: dict) -> None:
    given = (
        {"subgroups": _subgroups(sheet, options)}
        if chart in VALUE_CHARTS
        else {"counts": _counts(sheet, chart, options)}
    )
    settings = ("rules", "constants", "laney", "known_mean", "known_sigma", "target")
    settings += ("ewma_weight", "ewma_width", "cusum_slack", "cusum_limit")
    study = ChartStudy(
        chart,
        **given,
        settings={name: options[name] for name in settings},
        reference=options["reference"],
        exclusions=options["exclude"],
        rebases=options["rebase"],
        lower=options["lower"],
        upper=options["upper"],
    )
    tables = study.tables
    limits, signals = _rows(tables, LIMITS), _rows(tables, SIGNALS)
    _show(
        "Limits",
        [{key: value for key, value in row.items() if key not in ("is_laney", "sizes_vary")} for row in limits],
    )
    for note in chart_notes(limits):
        click.echo(note)
    _show(f"Signals ({len(signals)})" if signals else "No signals", signals[:SHOWN_SIGNALS])
    if len(signals) > SHOWN_SIGNALS:
        click.echo(f"... and {len(signals) - SHOWN_SIGNALS} more in {target.name}.csv")
    capability = _rows(tables, "from process_capability")[0] if study.has_capability else None
    if capability:
        _show_list("Capability", {name: value for name, value in capability.items() if name not in OF_SERIES})
    points = _rows(tables, POINTS)
    _write_csv(target.with_name(target.name + ".csv"), points)
    page = render_chart_page(
        sheet.name,
        study,
        limits=limits,
        signals=signals,
        points=points,
        capability=capability,
        notes=chart_notes(limits),
    )
    _write_page(target.with_name(target.name + ".html"), page)


def _gage(sheet: Sheet, _chart: str, target: Path, options: dict) -> None:
    if not options["part"] or not options["appraiser"]:
        raise SheetError("a gage study needs --part and --appraiser, and has --trial where rows are in no order")
    named = [options[name] for name in ("part", "appraiser", "trial") if options[name]]
    value = options["values"][0] if options["values"] else None
    trials = sheet.numbers(options["trial"]) if options["trial"] else [None] * len(sheet)
    readings = []
    column = sheet.column(value) if value else sheet.column(sheet.only_numeric(named))
    results = [RESULTS.get(text.casefold()) if text else None for text in column]
    is_of_results = any(results)
    read = results if is_of_results else sheet.numbers(value or sheet.only_numeric(named))
    parts, appraisers = sheet.column(options["part"]), sheet.column(options["appraiser"])
    for at, (part, appraiser, trial, reading) in enumerate(zip(parts, appraisers, trials, read, strict=True), 1):
        if reading is None and column[at - 1]:
            raise SheetError(f"{sheet.name}: record {at}: {column[at - 1]!r} is neither pass nor fail")
        if reading is not None and (part is None or appraiser is None):
            raise SheetError(f"{sheet.name}: record {at}: a reading without part or appraiser")
        if reading is not None:
            readings.append((part, appraiser, int(trial) if trial is not None else None, reading))
    if not readings:
        raise SheetError(f"{sheet.name} has no readings")
    study = GageStudy(readings, options["constants"], options["lower"], options["upper"])
    rows = _rows(study.tables, "from gage_rr order by method")
    for row in rows:
        figures = {name: value for name, value in row.items() if name not in OF_SERIES}
        _show_list(f"Gage R&R, {row['method']}", figures)
    _write_csv(target.with_name(target.name + ".csv"), rows)
    _write_page(target.with_name(target.name + ".html"), render_gage_page(sheet.name, rows, readings))


def _subgroups(sheet: Sheet, options: dict) -> list[list[float]]:
    """A row of several columns, the rows of one label, or so many rows in order; empty cells are no values."""
    named = [options["subgroup"]] if options["subgroup"] else []
    columns = list(options["values"]) or [sheet.only_numeric(named)]
    numbers = [sheet.numbers(name) for name in columns]
    if len(columns) > 1:
        if options["subgroup"] or options["size"]:
            raise SheetError("several --value columns make each row a subgroup; leave out --subgroup and --size")
        rows = [[value for value in row if value is not None] for row in zip(*numbers, strict=True)]
        return _told(rows, sum(not row for row in rows))
    values = numbers[0]
    if options["subgroup"]:
        labels = sheet.column(options["subgroup"])
        groups: dict[str, list[float]] = {}
        for at, (label, value) in enumerate(zip(labels, values, strict=True), 1):
            if value is not None and label is None:
                raise SheetError(f"{sheet.name}: record {at}: a value without a subgroup")
            if value is not None:
                groups.setdefault(label, []).append(value)
        return _told(list(groups.values()), values.count(None))
    present = [value for value in values if value is not None]
    size = options["size"] or 1
    return _told([present[at : at + size] for at in range(0, len(present), size)], values.count(None))


def _told(groups: list[list[float]], missing: int) -> list[list[float]]:
    if missing:
        click.echo(f"{missing} empty cells or rows are left out")
    return [group for group in groups if group]


def _counts(sheet: Sheet, chart: str, options: dict) -> list[tuple[int, int]]:
    """Events and size of each row."""
    told = options["sample_size"]
    if told is None and chart != "c":
        raise SheetError(f"a {chart} chart needs --sample-size, a column or a number")
    is_number = told is not None and told.strip().isdecimal()
    named = [told] if told and not is_number else []
    name = options["values"][0] if options["values"] else sheet.only_numeric(named)
    sizes = [float(told) if is_number else 1.0] * len(sheet) if not named else sheet.numbers(told)
    found = []
    for at, (events, size) in enumerate(zip(sheet.numbers(name), sizes, strict=True), 1):
        if events is None and size is None:
            continue
        if events is None or size is None:
            raise SheetError(f"{sheet.name}: record {at} has a count without a size, or a size without a count")
        if events < 0 or size < 0 or events != int(events) or size != int(size):
            raise SheetError(f"{sheet.name}: record {at}: {events:g} of {size:g} are no whole numbers")
        if chart in ("p", "np") and events > size:
            raise SheetError(f"{sheet.name}: record {at}: {events:g} of {size:g} are more than there are")
        found.append((int(events), int(size)))
    return found


def chart_notes(limits: list[dict]) -> list[str]:
    """What a reader of the limits must know."""
    notes = []
    trial = sorted({row["version"] for row in limits if row["status"] == "trial"})
    if trial:
        which = f"Version {', '.join(map(str, trial))}" if len({row["version"] for row in limits}) > 1 else "These"
        notes.append(f"{which}: trial limits, made with fewer than 20 subgroups.")
    if any(row["status"] == "no_variation" for row in limits):
        notes.append("The reference period shows no variation: there are no limits, and no signals.")
    if any(row["is_laney"] for row in limits):
        notes.append("The reference period is over-dispersed: limits are widened by sigma_z (Laney).")
    if any(row["sizes_vary"] for row in limits):
        notes.append("Sizes vary: the limits shown are those of the commonest size.")
    return notes


def _rows(tables: duckdb.DuckDBPyConnection, query: str) -> list[dict]:
    found = tables.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _show(title: str, rows: list[dict]) -> None:
    click.echo(f"\n{title}")
    if not rows:
        return
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    texts = [names, *([shown(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[at]) for line in texts) for at in range(len(names))]
    for line in texts:
        click.echo("  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _show_list(title: str, row: dict) -> None:
    click.echo(f"\n{title}")
    for name, value in row.items():
        if value is not None:
            click.echo(f"  {name:24}{shown(value)}")


def _write_csv(file: Path, rows: list[dict]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow(["'" + v if isinstance(v, str) and needs_quote(v) else v for v in row.values()])
    click.echo(f"\n{file}")


def _write_page(file: Path, page: str) -> None:
    file.write_text(page, encoding="utf-8")
    click.echo(file)
