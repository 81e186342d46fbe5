// Flags: what the page makes of a row of `anomaly` and the points around it. Times are seconds of the plant's wall clock.

const DETECTORS = {
  limit: "beyond a limit", missing: "missing data", stuck: "stands still", spike: "spike", shift: "shift of level",
  drift: "drift", spread: "change of spread", rhythm: "change of rhythm", together: "against its machine's other series",
  share: "share of good units", peers: "against its peers",
};
const SHOWN = 24; // flags with their charts; the table has all
const flags = data.tables?.flag;

const day = (at) => new Date(at * 1000).toISOString().slice(0, 10);
const moment = (at) => new Date(at * 1000).toISOString().slice(0, 16).replace("T", " ");

const isShare = (row) => flags.unit[row] === null && ["share", "peers"].includes(names.detector[flags.detector[row]]);
const shownValue = (row, value) => (isShare(row) ? percent(value)
  : `${number(value)}${flags.unit[row] && value !== null ? `${NARROW}${flags.unit[row]}` : ""}`);

function bandText(row, low, high) {
  if (low === null && high === null) return NONE;
  if (low === null) return `up to ${shownValue(row, high)}`;
  if (high === null) return `at least ${shownValue(row, low)}`;
  return `${shownValue(row, low)} to ${shownValue(row, high)}`;
}

/** Row numbers of the flags that fit the choice, most severe first. */
function flagsOf({ place, detector, severity, from, to }) {
  return flags.place.map((_, row) => row).filter((row) =>
    (place === null || flags.place[row] === place) && (detector === null || flags.detector[row] === detector)
    && (severity === null || flags.severity[row] === severity)
    && flags.production_date[row] >= from && flags.production_date[row] <= to);
}

function spanText(row) {
  const end = flags.is_open[row] ? "still going on" : `to ${moment(flags.to[row])}`;
  return `${moment(flags.from[row])} ${end}`;
}

function timelineSection(rows) {
  const places = [...new Set(rows.map((row) => names.place[flags.place[row]]))].sort(collate).slice(0, LARGEST);
  const drawn = rows.filter((row) => places.includes(names.place[flags.place[row]]))
    // the most severe last, so that it lies on top
    .sort((a, b) => collate(names.place[flags.place[a]], names.place[flags.place[b]]) || b - a);
  const all = new Set(rows.map((row) => flags.place[row])).size;
  return {
    id: "timeline", title: "Timeline by machine", chart: "timeline",
    label: "Per machine: a mark from start to end of each flag, coloured by severity.",
    legend: names.severity.map((severity) => [`severity-${severity}`, severity]),
    nothing: "No flag fits this choice.",
    rows: drawn.map((row) => ({
      x: names.place[flags.place[row]], from: flags.from[row] * 1000, to: flags.to[row] * 1000,
      severity: names.severity[flags.severity[row]],
      tip: [flags.sentence[row], ["When", spanText(row)], ["Severity", names.severity[flags.severity[row]]]],
    })),
    params: { timeFrom: Date.parse(state.from), timeTo: Date.parse(state.to) + 864e5 },
    note: [all > LARGEST ? `The first ${LARGEST} of ${all} machines; the table has all.` : null, ...leftOutNotes()],
    table: {
      columns: [{ label: "Flag" }, { label: "Machine" }, { label: "Severity" }, { label: "Detector" }, { label: "When" },
        column("score", "number"), column("units", "count"), column("observed", "number"), column("expected", "number")],
      rows: rows.map((row) => [flags.sentence[row], names.place[flags.place[row]], names.severity[flags.severity[row]],
        DETECTORS[names.detector[flags.detector[row]]] ?? names.detector[flags.detector[row]], spanText(row), flags.score[row],
        flags.units_at_stake[row], flags.observed[row], flags.expected[row]]),
    },
  };
}

function leftOutNotes() {
  const { budget, older } = data.leftOut;
  return [budget ? `${count(budget)} flags beyond the budget of their day are not shown; the published table anomaly has them.` : null,
    older ? `${count(older)} older flags are not shown.` : null];
}

/** One flag: its sentence, its points with the band, and what else is known of it. */
function flagSection(row) {
  const severity = names.severity[flags.severity[row]];
  const facts = [`${severity} · ${DETECTORS[names.detector[flags.detector[row]]] ?? names.detector[flags.detector[row]]}`,
    spanText(row)];
  if (flags.units_at_stake[row]) facts.push(`${count(flags.units_at_stake[row])} units at stake`);
  if (flags.series_count[row] > 1) facts.push(`${flags.series_count[row]} series; the one furthest off is drawn`);
  const section = { id: `flag-${row}`, title: flags.sentence[row], note: facts.join(" · "), kind: severity };
  const around = data.around[row];
  if (!around || around[1].every((value) => value === null)) {
    return { ...section, body: [element("p", { class: "empty" }, around ? "No readings to draw." : "Its points are not in this file.")] };
  }
  const hasBand = [...around[3], ...around[4]].some((value) => value !== null);
  return { ...section, chart: "around", label: flags.sentence[row], ...points(row, around),
    legend: [["line", "measured"], ...(hasBand ? [["band", "band of what is expected"]] : []), ["flagged", "flagged"]] };
}

/** Rows and axes of a flag's chart. A gap is a break in the line. */
function points(row, [times, observed, expected, low, high, flagged]) {
  const known = [observed, expected].flat().filter((value) => value !== null);
  const edges = [low, high].flat().filter((value) => value !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const reach = Math.max(most - least, Math.abs(most) * 1e-3, 1e-9);
  // a band far wider than the values would flatten them
  const valueLow = Math.max(Math.min(least, ...edges) - 0.08 * reach, least - 1.5 * reach);
  const valueHigh = Math.min(Math.max(most, ...edges) + 0.08 * reach, most + 1.5 * reach);
  const steps = times.slice(1).map((at, place) => at - times[place]).sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)] ?? 0;
  const rows = [{ span: true, at: flags.from[row] * 1000, until: flags.to[row] * 1000, value: null, low: null, high: null, expected: null }];
  times.forEach((at, place) => {
    if (place && at - times[place - 1] > 3.5 * usual) {
      rows.push({ at: (at + times[place - 1]) * 500, value: null, low: null, high: null, expected: null });
    }
    const hasBand = low[place] !== null || high[place] !== null;
    rows.push({
      at: at * 1000, value: observed[place], expected: expected[place], flagged: flagged[place] === 1,
      low: hasBand ? low[place] ?? valueLow : null, high: hasBand ? high[place] ?? valueHigh : null,
      tip: [moment(at), ["Measured", shownValue(row, observed[place])], ["Expected", shownValue(row, expected[place])],
        ["Band", bandText(row, low[place], high[place])], ["State", flagged[place] ? "flagged" : "not flagged"]],
    });
  });
  const first = Math.min(times[0], flags.from[row]);
  const last = Math.max(times.at(-1), flags.to[row]);
  return {
    rows,
    params: {
      timeFrom: first * 1000, timeTo: last * 1000, valueLow, valueHigh, isShare: isShare(row),
      timeFormat: last - first > 2 * 86400 ? "%m-%d" : "%H:%M",
    },
  };
}
