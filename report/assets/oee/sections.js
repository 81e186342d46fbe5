// Sections of the page `oee` (frame.js says what a section is).

const words = (name) => name.replaceAll("_", " ");
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const hours = (value) => (value === null ? NONE : `${grouped3(value / 3600)}${NARROW}h`);
const grouped3 = (value) => (Math.abs(value) < 99.95 ? value.toFixed(1) : count(value));
const known = (value) => (value === null ? "no data" : percent(value));
FORMATS.hours = hours;
FORMATS.known = known;

const TERMS = {
  oee: ["OEE", defined("oee", "oee", "Planned run time of the good units / planned busy time.")],
  lineOee: ["OEE by constraint", "OEE of the lines by their constraint machines, with the good units of each line's last "
    + "machine; planned run time and busy time are summed over days and lines, then divided."],
  machineOee: ["OEE, all machines", "OEE of all machines together, weighted by planned busy time: summed, then divided."],
  availability: ["Availability", defined("oee", "availability", "Production time / planned busy time.")],
  effectiveness: ["Effectiveness", defined("oee", "effectiveness", "Planned run time of what was produced / production time.")],
  quality: ["Quality", defined("oee", "quality_ratio", "Good units / units produced.")],
  busy: ["Planned busy time", defined("oee", "pbt_s", "Planned busy time (PBT).")],
  coverage: ["Data coverage", defined("oee", "data_coverage", "Share of scheduled busy time of which anything is known.")],
  produced: ["Units produced", defined("oee", "produced", "Good + scrap + rework.")],
  good: ["Good units", defined("oee", "good", "Good units.")],
  step: ["Loss", "What takes time away on the way from calendar time to effective time; the steps add up to calendar time."],
  time: ["Time", "Hours of all machines chosen."],
  share: ["Share", "Of calendar time; in the pareto of the time lost."],
  stops: ["Stops", "Stops that began in the weeks chosen."],
  failures: ["Failures", "Stops whose reason, or class, is a failure."],
};

const week = (index) => names.week[index];
const FIGURES = [column("oee", "known"), column("availability", "percent"), column("effectiveness", "known"),
  column("quality", "percent"), column("busy", "hours"), column("coverage", "percent"), column("produced", "count")];
const figureCells = (one) => [one.oee, one.availability, one.effectiveness, one.quality, one.busy, one.coverage, one.produced];
const isKnown = (one) => one.oee !== null || one.busy + one.noData === 0;
const figureTip = (x, one) => [x, ["OEE", known(one.oee)], ["Availability", percent(one.availability)],
  ["Effectiveness", known(one.effectiveness)], ["Quality", percent(one.quality)], ["Planned busy time", hours(one.busy)],
  ["Data coverage", percent(one.coverage)], ["Units produced", count(one.produced)]];

/** OEE of every production day. */
function daySection(name, rows) {
  const made = [...grouped(name, rows, "day")].map(([day, group]) => ({ x: names.day[day], ...oeeFigures(name, group) }));
  return {
    id: "days", title: "OEE by production day", chart: "oee_by_day",
    label: "Bars: planned busy hours. Lines: OEE and availability by production day.",
    legend: [["qty", "Planned busy hours"], ["first", "OEE"], ["second", "Availability"]],
    rows: made.map((one) => ({ x: one.x, qty: one.busy / 3600, first: one.oee, second: one.availability, mature: isKnown(one),
      tip: figureTip(one.x, one) })),
    table: { columns: [{ label: "Production day" }, ...FIGURES], rows: made.map((one) => [one.x, ...figureCells(one)]) },
  };
}

/** All lines, or the machines of one, side by side. */
function lineSection(lineRows, machineRows) {
  const ofLine = new Map([...grouped("line", lineRows, "line")]);
  const made = valuesOf("machine", machineRows, "line").map((line) => ({
    x: lineName(line), line,
    all: oeeFigures("machine", machineRows.filter((row) => (data.tables.machine.line[row] ?? NO_LINE) === line)),
    constraint: ofLine.has(line) ? oeeFigures("line", ofLine.get(line)) : null,
  }));
  const drawn = largest(made, "all", (all) => all.busy);
  return {
    id: "lines", title: "Lines compared", chart: "oee_by_category",
    label: "Per line: bars planned busy hours of all its machines, points OEE by constraint and OEE of all machines.",
    legend: [["qty", "Planned busy hours, all machines"], ["first", "OEE by constraint"], ["second", "OEE, all machines"]],
    rows: drawn.map((one) => ({ x: one.x, qty: one.all.busy / 3600, first: one.constraint?.oee ?? null, second: one.all.oee,
      mature: true, tip: [one.x, ["OEE by constraint", known(one.constraint?.oee ?? null)], ["OEE, all machines", known(one.all.oee)],
        ["Availability, all machines", percent(one.all.availability)], ["Planned busy time", hours(one.all.busy)]] })),
    note: shownNote(made.length, "lines with the most planned busy time"),
    table: {
      columns: [{ label: "Line" }, column("lineOee", "known"), column("machineOee", "known"), ...FIGURES.slice(1)],
      rows: made.map((one) => [linked(one.x, hrefOf("oee", { line: one.line, machine: null })), one.constraint?.oee ?? null,
        ...figureCells(one.all)]),
    },
  };
}

function machineSection(rows) {
  const made = [...grouped("machine", rows, "machine")]
    .map(([machine, group]) => ({ x: names.machine[machine], machine, figures: oeeFigures("machine", group) }))
    .sort((a, b) => collate(a.x, b.x));
  return {
    id: "machines", title: "Machines compared", chart: "oee_by_category",
    label: "Per machine: bars planned busy hours, points OEE and availability.",
    legend: [["qty", "Planned busy hours"], ["first", "OEE"], ["second", "Availability"]],
    rows: largest(made, "figures", (one) => one.busy).map(({ x, figures }) => ({ x, qty: figures.busy / 3600, first: figures.oee,
      second: figures.availability, mature: isKnown(figures), tip: figureTip(x, figures) })),
    note: shownNote(made.length, "machines with the most planned busy time"),
    table: {
      columns: [{ label: "Machine" }, ...FIGURES],
      rows: made.map((one) => [linked(one.x, hrefOf("oee", { machine: one.machine })), ...figureCells(one.figures)]),
    },
  };
}

const KIND_OF_GROUP = { no_data: "no_data", unscheduled: "unscheduled", planned_downtime: "planned", ADOT: "down", ADET: "delay",
  AUST: "setup", APT: "production" };

/** What time counts as, for its colour. */
function kindOf(group, bucket) {
  if (group !== "APT") return KIND_OF_GROUP[group] ?? "down";
  if (bucket === "scrap" || bucket === "rework") return "quality";
  return ["performance_stop", "retest", "speed_loss", "unrated_production"].includes(bucket) ? "slow" : "production";
}

/** From calendar time to effective time: each step takes its hours away, and what it takes sums to calendar time. */
function lossSection(rows) {
  const columns = data.tables.loss;
  const steps = new Map();
  for (const row of rows) {
    const name = names.step[columns.step[row]];
    const group = names.group[columns.group[row]];
    const key = JSON.stringify([group, name]);
    if (!steps.has(key)) steps.set(key, { name, group, order: columns.step_order[row], time: 0 });
    steps.get(key).time += columns.duration_s[row];
  }
  const made = [...steps.values()].sort((a, b) => a.order - b.order || b.time - a.time);
  const calendar = made.reduce((total, step) => total + step.time, 0);
  let left = calendar;
  const bars = made.map((step) => {
    const before = left;
    if (step.name !== "effective") left -= step.time;
    const [start, end] = step.name === "effective" ? [0, step.time] : [left, before];
    return { x: step.name === "effective" ? "Effective time" : capital(words(step.name)), kind: kindOf(step.group, step.name),
      start: start / 3600, end: end / 3600, time: step.time, left: step.name === "effective" ? 0 : left };
  });
  const shown = bars.filter((bar) => bar.time !== 0);
  const tip = (bar) => [bar.x, ["Time", hours(bar.time)], ["Of calendar time", percent(ratio(bar.time, calendar))],
    ["Remaining after it", hours(bar.left)]];
  return {
    id: "losses", title: "From calendar time to effective time", chart: "waterfall",
    label: "Waterfall: calendar time of all machines, what each loss takes away, and the effective time that remains.",
    legend: LOSS_LEGEND.filter(([kind]) => kind === "total" || shown.some((bar) => bar.kind === kind)),
    rows: calendar > 0 ? [{ x: "Calendar time", kind: "total", start: 0, end: calendar / 3600, tip: ["Calendar time",
      ["Time", hours(calendar)]] }, ...shown.map((bar) => ({ ...bar, tip: tip(bar) }))] : [],
    note: "Of all machines chosen. Speed loss is what is left of production time; below 0 where units were made faster than their "
      + "standard rate.",
    table: {
      columns: [column("step"), column("time", "hours"), column("share", "percent", "Share of calendar time"),
        { label: "Remaining after it", format: "hours" }],
      rows: [["Calendar time", calendar, ratio(calendar, calendar), calendar],
        ...shown.map((bar) => [bar.x, bar.time, ratio(bar.time, calendar), bar.left])],
    },
  };
}

const LOSS_LEGEND = [["total", "Calendar time"], ["no_data", "No data"], ["unscheduled", "Unscheduled"],
  ["planned", "Planned downtime"], ["down", "Down, waiting, idle"], ["delay", "Failures and stops"], ["setup", "Setup"],
  ["slow", "Slow, retests, unrated"], ["quality", "Scrap and rework"], ["production", "Effective time"]];

/** Time lost by bucket and reason, in whole production weeks. */
function downtimeSection(rows) {
  const columns = data.tables.downtime;
  const isPlanned = (row) => names.group[columns.group[row]] === "planned_downtime";
  const planned = sum("downtime", rows.filter(isPlanned), "duration_s");
  const lost = rows.filter((row) => !isPlanned(row));
  const total = sum("downtime", lost, "duration_s");
  const reasons = new Map();
  for (const row of lost) {
    const bucket = names.bucket[columns.bucket[row]];
    const code = names.reason[columns.reason[row]];
    const key = JSON.stringify([bucket, code]);
    if (!reasons.has(key)) {
      reasons.set(key, { x: capital(words(bucket)) + (code === "(none)" ? "" : ` · ${code}`),
        text: names.text[columns.text[row]] ?? null,
        group: names.group[columns.group[row]], rows: [] });
    }
    reasons.get(key).rows.push(row);
  }
  const of = (one, name) => sum("downtime", one.rows, name);
  const sorted = [...reasons.values()]
    .map((one) => ({ ...one, time: of(one, "duration_s"), stops: of(one, "stop_count"), failures: of(one, "failure_count") }))
    .filter((one) => one.time > 0 || one.stops > 0).sort((a, b) => b.time - a.time || collate(a.x, b.x));
  let running = 0;
  const made = sorted.map((one, rank) => {
    running += one.time;
    return { ...one, rank, share: ratio(one.time, total), cumulative: ratio(running, total) };
  });
  return {
    id: "downtime", title: "Time lost by reason", chart: "downtime_pareto",
    label: "Bars: hours lost by bucket and reason. Line: cumulative share.",
    legend: [["qty", "Hours lost"], ["first", "Cumulative share"]],
    rows: made.slice(0, 20).map((one) => ({ x: one.x, qty: one.time / 3600, first: one.cumulative, rank: one.rank, mature: true,
      tip: [one.x, ...(one.text ? [["Reason", one.text]] : []), ["Time lost", hours(one.time)], ["Share", percent(one.share)],
        ["Stops", count(one.stops)]] })),
    note: [made.length > 20 ? `The 20 largest of ${made.length}; the table has all.` : null,
      planned > 0 ? `Planned downtime (${hours(planned)}) is not in it.` : null],
    table: {
      columns: [{ label: "Loss and reason" }, { label: "What the plant says of it" }, column("time", "hours", "Time lost"),
        column("share", "percent"), column("share", "percent", "Cumulative share"), column("stops", "count"),
        column("failures", "count")],
      rows: made.map((one) => [one.x, one.text, one.time, one.share, one.cumulative, one.stops, one.failures]),
    },
  };
}

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** Availability by weekday and hour, of the latest weeks. */
function hourSection(choice) {
  const rows = rowsOf("hour", { line: choice.line, machine: choice.machine });
  const made = [...grouped("hour", rows, "hour_of_week")].map(([hour, group]) => {
    const of = (name) => sum("hour", group, name);
    const day = Math.floor(hour / 24);
    return { x: String(hour % 24).padStart(2, "0"), y: WEEKDAYS[day], busy: of("pbt_s"), value: ratio(of("apt_s"), of("pbt_s")),
      rate: ratio(3600 * of("produced"), of("apt_s")) };
  }).filter((one) => one.value !== null);
  const values = made.map((one) => one.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return {
    id: "hours", title: "Availability by weekday and hour", chart: "heat_map",
    label: "Heat map: availability by weekday and hour of the day.",
    legend: [["low", `${percent(low)} available`], ["high", `${percent(high)} available`], ["blank", "No planned busy time"]],
    rows: made.map((one) => ({ ...one, tip: [`${one.y} ${one.x}:00`, ["Availability", percent(one.value)],
      ["Planned busy time", hours(one.busy)], ["Units per production hour", one.rate === null ? NONE : one.rate.toFixed(1)]] })),
    params: { heatLow: low, heatHigh: high > low ? high : low + 0.01 },
    nothing: "No hours of the machines chosen.",
    note: `Production ${data.hoursOf?.[0] === data.hoursOf?.[1] ? "week" : "weeks"} ${[...new Set(data.hoursOf)].join(" to ")}, `
      + "whatever weeks are chosen above; an hour is one of plant time.",
    table: {
      columns: [{ label: "Weekday" }, { label: "Hour" }, column("availability", "percent"), column("busy", "hours"),
        { label: "Units per production hour", format: "rate" }],
      rows: made.map((one) => [one.y, `${one.x}:00`, one.value, one.busy, one.rate]),
    },
  };
}
FORMATS.rate = (value) => (value === null ? NONE : value.toFixed(1));
