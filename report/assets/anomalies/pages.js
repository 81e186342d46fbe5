// The pages of anomalies.html (frame.js says what they are made of).

const WEEKS = 4; // shown unless the reader chooses
const TERMS = {
  score: ["Score", defined("flag", "score", "")],
  severity: ["Severity", defined("flag", "severity", "")],
  units: ["Units at stake", defined("flag", "units_at_stake", "")],
  observed: ["Measured at the peak", defined("flag", "observed", "")],
  expected: ["Expected there", defined("flag", "expected", "")],
  flags: ["Flags", "Troubles within the budget of their day, most severe first. Several series of one machine are one flag."],
  open: ["Still going on", defined("flag", "is_open", "")],
  budget: ["Budget", defined("flag", "is_within_budget", "")],
  band: ["Band", "Where the detector lets the value be: of shift and drift "
    + "means of several points, of spread, rhythm and the like where single values usually are."],
  components: ["Components", "Component types by manufacturer and lane that sensors report."],
  hot: ["Over their limit", defined("component", "over_limit_count", "")],
  above: ["Sensors above limit", "Sensors whose last value is above their upper limit."],
  below: ["Sensors below limit", "Sensors whose last value is below their lower limit."],
  silent: ["Silent or bad", "Sensors without a reading for so long that it is a gap, or whose readings have no value."],
  never: ["Never read", "Sensors of sensors.csv that never sent a reading."],
};

const days = flags ? [...new Set(flags.production_date)].sort() : [];

const PAGES = {
  anomalies() {
    const rows = flagsOf(state);
    const figure = (id, value, note = null) =>
      ({ id, label: TERMS[id][0], definition: TERMS[id][1], value, text: count(value), note });
    const shown = rows.slice(0, SHOWN);
    const severities = names.severity.map((name, index) => [name, rows.filter((row) => flags.severity[row] === index).length]);
    return {
      tiles: [figure("flags", rows.length, severities.filter(([, many]) => many).map(([name, many]) => `${many} ${name}`).join(", ")),
        figure("open", rows.filter((row) => flags.is_open[row]).length),
        figure("units", rows.reduce((total, row) => total + flags.units_at_stake[row], 0))],
      sections: [timelineSection(rows), ...shown.map(flagSection),
        ...(rows.length > SHOWN ? [moreSection(rows.length)] : [])],
      terms: ["flags", "severity", "score", "units", "observed", "expected", "band", "open", "budget"],
    };
  },
  temperature() {
    return { tiles: wallTiles(), sections: [wallSection(), sensorSection()], terms: ["components", "hot", "above", "below", "silent", "never"] };
  },
};

function moreSection(all) {
  const text = `The ${SHOWN} most severe of ${count(all)} have their charts here. Choose a machine, a severity or a `
    + "shorter time for others; the table of the timeline has all.";
  return { id: "more", title: "More flags", body: [element("p", {}, text)] };
}

function readChoice(asked) {
  const index = (key) => {
    const found = asked.has(key) ? (names[key] ?? []).indexOf(asked.get(key)) : -1;
    return found < 0 ? null : found;
  };
  for (const key of ["place", "detector", "severity"]) state[key] = index(key);
  const last = days.at(-1) ?? "";
  const usual = last && new Date(Date.parse(last) - (WEEKS * 7 - 1) * 864e5).toISOString().slice(0, 10);
  const dayOf = (key, otherwise) => (days.includes(asked.get(key)) ? asked.get(key) : otherwise);
  state.to = dayOf("to", last);
  state.from = dayOf("from", days.find((one) => one >= usual) ?? "");
  if (state.from > state.to) state.from = state.to;
}

function queryOf({ place, detector, severity, from, to }) {
  const query = {};
  for (const [key, value] of Object.entries({ place, detector, severity })) if (value !== null) query[key] = names[key][value];
  return days.length ? { ...query, from, to } : query;
}

function filterNodes() {
  if (state.page !== "anomalies") return [];
  const options = (key, any, text = (name) => name) => [["", any],
    ...names[key].map((name, index) => [index, text(name)]).sort((a, b) => (key === "severity" ? 0 : collate(a[1], b[1])))];
  const pick = (key, label, any, text) => dropDown(key, label, options(key, any, text), state[key] ?? "",
    (value) => choose({ [key]: value === "" ? null : Number(value) }));
  return [pick("place", "Machine", "All machines"), pick("detector", "Detector", "All detectors", (name) => DETECTORS[name] ?? name),
    pick("severity", "Severity", "All"),
    dropDown("from", "From day", days.map((one) => [one, one]), state.from, (value) => choose({ from: value })),
    dropDown("to", "to", days.map((one) => [one, one]), state.to, (value) => choose({ to: value }))];
}

function chosenText() {
  if (state.page === "temperature") return data.now === null ? "No readings yet." : `As of ${moment(data.now)} (${data.run.timezone})`;
  return [state.place === null ? "All machines" : names.place[state.place],
    state.detector === null ? null : DETECTORS[names.detector[state.detector]] ?? names.detector[state.detector],
    state.severity === null ? null : names.severity[state.severity],
    state.from === state.to ? state.to : `${state.from} to ${state.to}`].filter(Boolean).join(" · ");
}

const reading = {
  pages: PAGES, read: readChoice, query: queryOf, filters: filterNodes, chosen: chosenText, hasData: true,
  nothing: "Nothing yet.", hollow: null,
};
