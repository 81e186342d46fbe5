// Control charts: what the page makes of a chart's points, limits and signals.

const KINDS = {
  "xbar-r": "X̄-R", "xbar-s": "X̄-S", imr: "individuals", p: "p", np: "np", c: "c", u: "u", ewma: "EWMA", cusum: "CUSUM",
};
const STATUS = {
  frozen: "frozen", trial: "trial: fewer than 20 subgroups", known: "mean and spread are given",
  no_variation: "no variation in the reference: no limits",
};
const MOST_NAMES = 40; // signals with their rules written beside; of more only the marks are legible

const isShareChart = (chart) => chart.type === "p";
const chartValue = (chart, value) => (isShareChart(chart) ? percent(value) : number(value));
const chartTitle = (chart) => `${chart.name} · ${chart.of.join(" · ")}`;
const ruleName = (rule) => (rule.startsWith("n") ? rule.slice(1) : rule);

function signalText(chart) {
  const parts = [`${count(chart.signals)} ${chart.signals === 1 ? "signal" : "signals"}`];
  if (chart.alerts) parts.unshift(`${count(chart.alerts)} ${chart.alerts === 1 ? "alert" : "alerts"}`);
  return parts.join(", ");
}

/** On a phone fewer points, so that they lie apart; the table has all. */
function lastPoints(points) {
  const most = matchMedia("(max-width: 40rem)").matches ? 80 : Infinity;
  return Object.fromEntries(Object.entries(points).map(([name, values]) => [name, values.slice(Math.max(0, values.length - most))]));
}

/** One panel of a chart as a section with its picture. */
function panelSection(chart, panel, title) {
  const points = lastPoints(chart.panels[panel]);
  const zoned = chart.hasZones && panel === "location";
  const rows = points.point_number.map((point, place) => pointRow(chart, points, place, zoned));
  const marked = rows.filter((row) => row.rules);
  for (const row of marked) row.named = marked.length <= MOST_NAMES;
  const turns = points.version.flatMap((version, place) =>
    (place && version !== points.version[place - 1] ? [{ turn: true, place: place - 0.5 }] : []));
  const status = (version) => chart.versions.find((one) => one.version === version && one.panel === panel)?.status;
  const hasOpen = points.is_excluded.some(Boolean);
  return {
    id: `panel-${panel}`, title, chart: "control_chart", nothing: "No point has a value.",
    label: `${title} of ${chartTitle(chart)}, with limits; points with signals are marked.`,
    legend: [["first", "point"], ["signal", "signal, with its rule"], ["center", "centre line"], ["limit", "control limit"],
      ...(zoned ? [["zone-c", "zone C"], ["zone-b", "zone B"], ["zone-a", "zone A"]] : []),
      ...(points.is_reference.some(Boolean) ? [["reference", "reference period"]] : []),
      ...(turns.length ? [["turn", "new limits"]] : []), ...(hasOpen ? [["hollow", "left out for a recorded cause"]] : [])],
    rows: points.value.every((value) => value === null) ? [] : [...rows, ...grounds(points), ...turns],
    params: { ...ends(rows), lastPlace: rows.length - 1, isShare: isShareChart(chart), labels: points.started_at_local.map((text) => text.slice(5)) },
    note: [points.point_number[0] > 1 ? `The last ${count(rows.length)} points; the published table control_chart_point has `
      + `the ${count(points.point_number[0] - 1)} before them.` : null,
      marked.length > MOST_NAMES ? "So many signals that their rules stand in the table only." : null,
      status(points.version.at(-1)) === "trial" ? "The newest limits are trial limits: fewer than 20 subgroups." : null,
      status(points.version.at(-1)) === "no_variation" ? "The reference period has no variation: there are no limits." : null],
    table: signalTable(chart, chart.panels[panel]),
  };
}

function pointRow(chart, points, place, zoned) {
  const of = (name) => points[name][place];
  const [center, error] = [of("center_line"), of("standard_error")];
  const around = (reach) => (zoned && center !== null && error !== null ? [center - reach * error, center + reach * error] : [null, null]);
  const [b, c] = [around(2), around(1)];
  const rules = of("rules");
  return {
    place, value: of("value"), center, lower: of("lower_limit"), upper: of("upper_limit"),
    A_low: zoned ? of("lower_limit") : null, A_high: zoned ? of("upper_limit") : null, B_low: b[0], B_high: b[1], C_low: c[0], C_high: c[1],
    rules: rules.length ? rules.map(ruleName).join(" ") : null, open: of("is_excluded") === 1,
    tip: [of("started_at_local"), ["Point", count(of("point_number"))], ["Value", chartValue(chart, of("value"))],
      ["Centre line", chartValue(chart, center)],
      ["Limits", `${chartValue(chart, of("lower_limit"))} to ${chartValue(chart, of("upper_limit"))}`],
      ["Values in it", count(of("sample_size"))],
      ...rules.map((rule) => [`Rule ${ruleName(rule)}`, data.rules[rule] ?? ""]),
      ...(of("is_excluded") ? [["Left out", of("exclusion_cause") ?? ""]] : []), ...(of("alert") ? [["Alert", "yes"]] : [])],
  };
}

/** Grounds of the reference periods: from their first to their last point, by version. */
function grounds(points) {
  const spans = new Map();
  points.is_reference.forEach((is, place) => {
    if (!is) return;
    const span = spans.get(points.version[place]);
    spans.set(points.version[place], [span ? span[0] : place, place]);
  });
  return [...spans.values()].map(([first, last]) => ({ reference: true, place: first - 0.5, until: last + 0.5 }));
}

/** Ends of the value axis: all points and limits, and room for the rules. */
function ends(rows) {
  const values = rows.flatMap((row) => [row.value, row.lower, row.upper]).filter((value) => value !== null);
  if (!values.length) return {};
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = 0.1 * Math.max(most - least, Math.abs(most) * 1e-3, 1e-9);
  return { valueLow: least - room, valueHigh: most + 1.6 * room };
}

function signalTable(chart, points) {
  const rows = points.rules.flatMap((rules, place) => rules.map((rule) => [points.started_at_local[place], points.point_number[place],
    ruleName(rule), data.rules[rule], points.value[place], points.center_line[place], points.lower_limit[place],
    points.upper_limit[place], points.alert[place] ? "alert" : points.is_excluded[place] ? "recorded cause" : ""]));
  const format = isShareChart(chart) ? "percent" : "number";
  return {
    columns: [{ label: "When" }, { label: "Point", format: "count" }, { label: "Rule" }, { label: "It says" }, { label: "Value", format },
      column("center", format), column("lower", format), column("upper", format), { label: "State" }],
    rows: rows.reverse(),
  };
}

function versionSection(chart) {
  const format = isShareChart(chart) ? "percent" : "number";
  const rows = chart.versions.map((one) => [one.version, one.panel.replaceAll("_", " "), one.valid_from_local ?? "the start",
    one.rebase_reason, STATUS[one.status] ?? one.status, one.reference_count, one.reference_from_local, one.reference_to_local,
    one.excluded_count, one.lower_limit, one.center_line, one.upper_limit, one.is_laney ? `Laney, σz ${number(one.sigma_z, 4)}` : null]);
  return {
    id: "versions", title: "Limits and where they come from",
    body: [table("Limits", [{ label: "Version" }, { label: "Panel" }, { label: "Valid from" }, { label: "Why" }, column("status"),
      column("reference", "count"), { label: "Reference from" }, { label: "to" }, column("excluded", "count"), column("lower", format),
      column("center", format), column("upper", format), { label: "Widened" }], rows)],
    note: "Limits change only by a recorded rebase. Of points of different sizes those of the commonest are given here.",
  };
}

function listSection() {
  const rows = data.charts.map((chart, index) => [linked(chartTitle(chart), hrefOf("control_charts", { chart: index })),
    KINDS[chart.type] ?? chart.type, chart.alerts, chart.signals]);
  const left = data.chartCount - data.charts.length;
  return {
    id: "charts", title: "All charts",
    ...listed("Charts", [{ label: "Chart" }, { label: "Kind" }, column("alerts", "count"), column("signals", "count")], rows),
    note: left ? `${count(left)} more charts, with fewer signals, are left out of this file; the published tables have them.` : null,
  };
}

/** A short table as it is, a long one to be opened. */
function listed(label, columns, rows) {
  return rows.length > 20 ? { body: [], table: { columns, rows } } : { body: [table(label, columns, rows)] };
}
