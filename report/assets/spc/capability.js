// Capability: a parameter's histogram with its limits, its indices with their intervals, and whether the process is stable.

const STABILITY = {
  stable: "stable", stable_but_for_chance: "stable: no more signals than chance gives", unstable: "not stable: its figures say little of what will come",
  trial_limits: "not known yet: trial limits", unknown: "not known: no control chart",
};
const INDICES = ["cp", "cpk", "pp", "ppk"];

FORMATS.index = (value) => number(value, 3);

const parameterTitle = (one) => `${one.parameter} · ${one.product_name} · ${one.test_name}`;
const isNormal = (one) => one.method === "normal";
const withUnit = (value, unit) => (value === null ? NONE : `${number(value)}${unit ? `${NARROW}${unit}` : ""}`);
const between = (low, high) => (low === null ? null : `95 %: ${number(low, 3)} to ${number(high, 3)}`);

function indexTile(one, name) {
  const [label, definition] = TERMS[name];
  return { id: name, label, definition, value: one[name], text: FORMATS.index(one[name]), note: between(one[`${name}_low`], one[`${name}_high`]) };
}

function capabilityTiles(one) {
  const headline = {
    id: "headline", label: TERMS.headline[0], definition: TERMS.headline[1], value: one.headline_ppk, text: FORMATS.index(one.headline_ppk),
    note: (isNormal(one) ? "normal distribution" : "by percentiles (ISO 22514-2): normality is rejected")
      + (one.stability === "unstable" ? "; the process is not stable" : ""),
  };
  const out = {
    id: "out", label: TERMS.out[0], definition: TERMS.out[1], value: one.out_of_limits_count, text: count(one.out_of_limits_count),
    note: `${percent(ratio(one.out_of_limits_count, one.value_count))} of ${count(one.value_count)} values`,
  };
  const target = one.cpm === null ? [] : [indexTile(one, "cpm")];
  return [headline, ...INDICES.map((name) => indexTile(one, name)), ...target, out];
}

/** Bars, curve and lines of a parameter. The curve is drawn where nothing speaks against a normal distribution. */
function histogramSection(one) {
  const width = one.bins.length ? one.bins[0][1] - one.bins[0][0] : 0;
  const alike = width === 0; // all values the same: a bar needs some width
  const lines = [["lower_limit", "limit", "Lower limit"], ["upper_limit", "limit", "Upper limit"], ["target", "target", "Target"]]
    .filter(([name]) => one[name] !== null).map(([name, kind, text]) => ({ line: one[name], kind, text: `${text} ${number(one[name])}` }));
  const edges = [...one.bins.flatMap(([low, high]) => [low, high]), ...lines.map((row) => row.line)];
  const [least, most] = [Math.min(...edges), Math.max(...edges)];
  const reach = Math.max(most - least, Math.abs(most) * 1e-3, 1e-9);
  const bars = one.bins.map(([low, high, many, further]) => ({
    low: alike ? low - reach / 60 : low, high: alike ? low + reach / 60 : high, count: many,
    tip: [alike ? number(low, 7) : `${number(low, 7)} to ${number(high, 7)}`, ["Values", count(many)],
      ...(further ? [["Of them further out", count(further)]] : [])],
  }));
  const curve = isNormal(one) && one.sigma_overall && !alike && one.normality_p !== null ? normalCurve(one, width) : [];
  const top = Math.max(...bars.map((bar) => bar.count), ...curve.map((point) => point.curve), 1);
  const further = one.bins.reduce((total, bin) => total + bin[3], 0);
  return {
    id: "histogram", title: "Distribution of values", chart: "histogram", nothing: "No values.",
    label: `Histogram of ${parameterTitle(one)} with its limits.`,
    legend: [["bar", "values"], ...(curve.length ? [["line", "normal curve of mean and overall σ"]] : []), ["limit", "specification limit"],
      ...(one.target === null ? [] : [["center", "target"]])],
    rows: [...bars, ...curve, ...lines],
    params: { valueLow: least - 0.06 * reach, valueHigh: most + 0.06 * reach, countTop: top * 1.08 },
    note: [`${one.first_date} to ${one.last_date}, first production run of each module, passes and fails.`,
      curve.length ? null : isNormal(one) ? "Too few or too equal values to fit a curve." : "No curve: Anderson-Darling rejects a normal distribution (p < .005).",
      further ? `${count(further)} values lie further out than drawn and are counted in the outermost bars.` : null],
    table: {
      columns: [{ label: "From", format: "number" }, { label: "to", format: "number" }, { label: "Values", format: "count" },
        { label: "Of them further out", format: "count" }],
      rows: one.bins,
    },
  };
}

function normalCurve(one, width) {
  const low = one.value_mean - 4 * one.sigma_overall;
  return Array.from({ length: 121 }, (_, step) => {
    const at = low + (step / 120) * 8 * one.sigma_overall;
    const z = (at - one.value_mean) / one.sigma_overall;
    return { at, curve: (one.value_count * width * Math.exp((-z * z) / 2)) / (one.sigma_overall * Math.sqrt(2 * Math.PI)) };
  });
}

function stabilitySection(one) {
  const facts = [["Stability", STABILITY[one.stability] ?? one.stability],
    ["Signals", one.point_count === null ? NONE : `${count(one.signal_count)} of ${count(one.point_count)} points of its control chart`],
    ["Method of the headline", isNormal(one) ? "normal distribution" : "percentiles (ISO 22514-2), as normality is rejected"],
    ["Normality (Anderson-Darling)", one.normality_p === null ? "fewer than 8 values" : one.normality_p < 0.001 ? "p < 0.001" : `p = ${number(one.normality_p, 2)}`],
    ["Mean", withUnit(one.value_mean, one.unit)], ["σ within subgroups", withUnit(one.sigma_within, one.unit)],
    ["σ overall", withUnit(one.sigma_overall, one.unit)],
    ["Quantiles 0.135 %, 50 %, 99.865 %", [one.quantile_low, one.quantile_middle, one.quantile_high].map((value) => number(value)).join(", ")],
    ["Pp, Ppk by percentiles", `${number(one.percentile_pp, 3)}, ${number(one.percentile_ppk, 3)}`]];
  return {
    id: "stability", title: "Stability and method",
    body: [element("dl", { class: "facts" }, ...facts.flatMap(([label, text]) => [element("dt", {}, label), element("dd", {}, text)]))],
    note: !isNormal(one) && one.value_count < 1000 ? "With fewer than about 1,000 values the outer percentiles are nearly the extreme values." : null,
  };
}

function parameterList() {
  const rows = data.parameters.map((one, index) => [linked(parameterTitle(one), hrefOf("capability", { parameter: index })),
    one.headline_ppk, ...INDICES.map((name) => one[name]), one.value_count, one.out_of_limits_count, isNormal(one) ? "normal" : "percentiles",
    one.stability.replaceAll("_", " ")]);
  const left = data.parameterCount - data.parameters.length;
  return {
    id: "parameters", title: "All parameters",
    ...listed("Parameters", [{ label: "Parameter" }, column("headline", "index"), ...INDICES.map((name) => column(name, "index")),
      { label: "Values", format: "count" }, column("out", "count"), { label: "Method" }, { label: "Stability" }], rows),
    note: left ? `${count(left)} more capable ones are left out of this file; the sheet process_capability has all.` : null,
  };
}
