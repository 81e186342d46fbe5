// Sections of the page `shift_comparison` (frame.js says what a section is).

// metric → [name, factor, unit, whether less is better]
const METRICS = {
  oee: ["OEE, all machines", 100, "points"], availability: ["Availability", 100, "points"],
  effectiveness: ["Effectiveness", 100, "points"], quality_ratio: ["Quality", 100, "points"],
  scrap_ratio: ["Scrap ratio", 100, "points", true], good_rate_per_h: ["Good units per hour", 1, "units/h"],
  first_pass_yield: ["First pass yield", 100, "points"], passing_rate: ["Passing rate", 100, "points"],
};
const KINDS = { shift: "Shifts", crew: "Crews", line: "Lines", week: "Weeks", shift_phase: "First and last minutes" };
const PHASES = { "(all)": "Whole shifts", start: "First minutes only", end: "Last minutes only" };
const PARTS = [["within", "within_part", "Within same product, machine and staffing"], ["product", "product_mix_part", "Product mix"],
  ["machine", "machine_mix_part", "Machine mix"], ["staffing", "staffing_mix_part", "Staffing mix"],
  ["not_comparable", "not_comparable_part", "Not comparable"]];

const TERMS = {
  crude: ["Whole difference", defined("comparison", "crude_difference", "Value of the first side − value of the other.")],
  within: ["Within cells", defined("comparison", "within_part", "Difference within cells of one product, machine and staffing.")],
  product: ["Product mix", defined("comparison", "product_mix_part", "Part of it from other products.")],
  machine: ["Machine mix", defined("comparison", "machine_mix_part", "Part of it from other machines.")],
  staffing: ["Staffing mix", defined("comparison", "staffing_mix_part", "Part of it from other staffing.")],
  not_comparable: ["Not comparable", defined("comparison", "not_comparable_part", "Part of it from cells that only one side ran.")],
  interval: ["95 % interval", "Of the part within cells, from how it varies between dates."],
  verdict: ["Verdict", "What can be said of the part within cells. Of all differences of a metric that are called reliable, "
    + "one in twenty is expected to be chance."],
};

const metricName = (metric) => METRICS[metric]?.[0] ?? metric;
const factorOf = (metric) => METRICS[metric]?.[1] ?? 1;
const unitOf = (metric) => METRICS[metric]?.[2] ?? "";

/** 0.0213 → +2.1 points; a difference so small that it would read 0 gets more digits. */
function change(value, metric, sign = true) {
  if (value === null) return NONE;
  const scaled = value * factorOf(metric);
  let digits = 1;
  while (digits < 4 && scaled !== 0 && Number(scaled.toFixed(digits)) === 0) digits += 1;
  const text = Math.abs(scaled).toFixed(digits);
  const shown = Number(text) === 0 ? "0" : `${scaled < 0 ? "−" : sign ? "+" : ""}${text}`;
  return `${shown}${NARROW}${unitOf(metric)}`;
}

const valueText = (value, metric) => (value === null ? "no data" : factorOf(metric) === 100 ? percent(value)
  : `${value.toFixed(1)}${NARROW}${unitOf(metric)}`);

/** The comparisons chosen, one per pair. */
function comparisons({ kind, line, phase, metric }) {
  const columns = data.tables.comparison;
  const found = [];
  columns.kind.forEach((_, row) => {
    if (columns.kind[row] !== kind || columns.line[row] !== line || columns.phase[row] !== phase) return;
    if (columns.metric[row] !== metric) return;
    const one = Object.fromEntries(Object.keys(columns).map((name) => [name, columns[name][row]]));
    found.push({ ...one, a: names.side[one.side], b: names.side[one.other], status: names.status[one.status],
      staffing: names.staffing[one.staffing], x: `${names.side[one.side]} − ${names.side[one.other]}` });
  });
  return found;
}

/** What can be said of a pair, in words. */
function verdict(one, metric) {
  const staffing = { not_identifiable: " Staffing differs and never varies within a side: its effect can't be told from the rest.",
    not_recorded: " No staffing is on record; it may be behind the difference." }[one.staffing] ?? "";
  if (one.status === "not_comparable") return "Not comparable: they have no product, machine and staffing in common.";
  if (one.status === "insufficient_data") {
    return `Not enough data for a verdict: ${one.a} has ${one.occurrence_count_a} and ${one.b} ${one.occurrence_count_b} shifts in common.`;
  }
  if (!one.is_significant) return `No reliable difference within the same product, machine and staffing.${staffing}`;
  const lessIsBetter = METRICS[metric]?.[3] ?? false;
  const better = (one.within_part > 0) === lessIsBetter ? one.b : one.a;
  const by = change(Math.abs(one.within_part), metric, false);
  return `${better} is reliably better, by ${by} within the same product, machine and staffing.${staffing}`;
}

/** The parts of every pair's difference, stacked away from 0; the part within cells begins at 0 and has its interval. */
function decompositionSection(choice) {
  const metric = names.metric[choice.metric];
  const made = comparisons(choice);
  const shown = made.slice(0, LARGEST);
  const rows = shown.flatMap((one) => {
    const tip = [one.x, [one.a, valueText(one.value_a, metric)], [one.b, valueText(one.value_b, metric)],
      ["Whole difference", change(one.crude_difference, metric)],
      ...PARTS.map(([, name, label]) => [label, change(one[name], metric)]), ["95 % within cells", span(one, metric)]];
    let [above, below] = [0, 0];
    return PARTS.map(([part, name]) => {
      const value = one[name] ?? 0;
      const start = value < 0 ? below : above;
      const end = start + value;
      if (value < 0) below = end; else above = end;
      const whole = part === "within" ? { low: one.lower_95 ?? 0, high: one.upper_95 ?? 0, crude: one.crude_difference ?? 0 } : {};
      return { x: one.x, part, start, end, ...whole, tip };
    });
  });
  const values = (name) => column(name, null, TERMS[name][0]);
  return {
    id: "decomposition", title: `${metricName(metric)}: where the difference comes from`, chart: "decomposition",
    label: `One bar per pair: the parts of the difference in ${metricName(metric)}, with the 95 % interval of the part within cells.`,
    legend: [...PARTS.map(([part, , label]) => [`part-${part}`, label]), ["span", "95 % interval of the part within"],
      ["crude", "Whole difference"]],
    rows, params: { factor: factorOf(metric), unitText: unitOf(metric) },
    nothing: "Nothing to compare here.",
    note: [shownNote(made.length, "first pairs"), "Right of 0 the first of the pair has the higher value. Of the latest weeks with records."],
    table: {
      columns: [{ label: "Pair" }, { label: "First" }, { label: "Other" }, ...["crude", "within", "interval", "product", "machine",
        "staffing", "not_comparable", "verdict"].map(values)],
      rows: made.map((one) => [one.x, valueText(one.value_a, metric), valueText(one.value_b, metric),
        change(one.crude_difference, metric), change(one.within_part, metric), span(one, metric), change(one.product_mix_part, metric),
        change(one.machine_mix_part, metric), one.staffing_mix_part === null ? "can't be told" : change(one.staffing_mix_part, metric),
        change(one.not_comparable_part, metric), verdict(one, metric)]),
    },
  };
}

function span({ lower_95: low, upper_95: high }, metric) {
  return low === null || high === null ? NONE : `${change(low, metric)} to ${change(high, metric)}`;
}

function verdictSection(choice) {
  const metric = names.metric[choice.metric];
  const items = comparisons(choice).slice(0, LARGEST).map((one) => element("li", {}, element("b", {}, `${one.a}, ${one.b}: `),
    `${valueText(one.value_a, metric)}, ${valueText(one.value_b, metric)}. ${verdict(one, metric)}`));
  return { id: "verdicts", title: "In words", body: items.length ? [element("ul", { class: "plain" }, ...items)]
    : [element("p", { class: "empty" }, "Nothing to compare here.")] };
}

/** Where one side is reliably better, by what it would be worth at least. */
function practiceSection({ kind }) {
  const columns = data.tables.practice;
  const made = columns.kind.map((_, row) => row).filter((row) => columns.kind[row] === kind)
    .sort((a, b) => columns.units_per_week[b] - columns.units_per_week[a]);
  const rows = made.map((row) => {
    const metric = names.metric[columns.metric[row]];
    return [names.side[columns.side[row]], names.side[columns.other[row]], lineName(columns.line[row]), metricName(metric),
      change(columns.advantage[row], metric, false), change(columns.advantage_lower_95[row], metric, false),
      columns.units_per_week[row]];
  });
  return {
    id: "practice", title: "Best practice: what it would be worth",
    body: [rows.length ? table("Best practice", [{ label: "Better" }, { label: "Than" }, { label: "Line" }, { label: "Metric" },
      { label: "Advantage" }, { label: "At least (95 %)" }, { label: "Units per week", format: "count", definition: "At least: by the lower bound." }], rows)
      : element("p", { class: "empty" }, "No side is reliably better within the same product, machine and staffing.")],
    note: rows.length ? "Units per week if the other side matched the better one, by the lower bound. Metrics tell of the same units "
      + "in different ways: not to be added up over metrics, nor lines with all lines." : null,
  };
}

const lineName = (line) => ({ "(all)": "All lines", "(none)": "(no line)" }[names.line[line]] ?? names.line[line]);
