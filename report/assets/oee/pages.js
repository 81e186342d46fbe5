// The pages of oee.html (frame.js says what they are made of).

const RECENT = 4; // weeks chosen at first
const lastWeek = names.week.length - 1;
/** The last week with busy time: what follows it are days of which nothing is known yet. */
const lastBusyWeek = data.tables.machine ? data.tables.machine.day.reduce((last, day, row) =>
  (data.tables.machine.pbt_s[row] > 0 ? Math.max(last, data.weekOfDay[day]) : last), -1) : -1;

/** A key figure with what it was before: in points, of shares. */
function figureTile(id, value, before, extra = {}) {
  const [label, definition] = TERMS[id.replace(/Last$/, "")];
  const change = value === null || before === null || before === undefined ? null : (value - before) * 100;
  const note = before === undefined ? "nothing before" : `before: ${known(before)}`
    + (change === null ? "" : ` (${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(1)} points)`);
  return { id, label, definition, value, text: known(value), note, ...extra };
}

/** The same number of weeks just before those chosen; null where there are none. */
function weeksBefore({ from, to }) {
  const first = Math.max(0, from - (to - from + 1));
  return first < from ? { from: first, to: from - 1 } : null;
}

/** Figures of some of the last days of which anything is known: records seldom end with a week. */
function lastDays(name, rows, from, to) {
  const { day, pbt_s } = data.tables[name];
  const known = new Set(rows.filter((row) => pbt_s[row] > 0).map((row) => day[row]));
  const wanted = new Set([...known].sort((a, b) => a - b).slice(from, to));
  return wanted.size ? oeeFigures(name, rows.filter((row) => wanted.has(data.tables[name].day[row]))) : null;
}

function oeePage() {
  const { line, machine, from, to } = state;
  const where = { line: machine === null ? line : null, machine };
  const hasLines = machine === null && rowsOf("line", { line }).length > 0;
  const basis = hasLines ? "line" : "machine";
  const span = { from, to };
  const before = weeksBefore(span);
  const rows = (name, weeks) => rowsOf(name, { ...(name === "line" ? { line } : where), ...weeks });
  const now = oeeFigures(basis, rows(basis, span));
  const then = before && oeeFigures(basis, rows(basis, before));
  const machines = rows("machine", span);
  const all = oeeFigures("machine", machines);
  const allThen = before && oeeFigures("machine", rows("machine", before));
  const any = rows(basis, {});
  const week7 = lastDays(basis, any, -7);
  const tiles = [figureTile(basis === "line" ? "lineOee" : "oee", now.oee, then?.oee, { id: "oee", ...whyNot(now) })];
  if (basis === "line") tiles.push(figureTile("machineOee", all.oee, allThen?.oee, whyNot(all)));
  tiles.push(figureTile("availability", now.availability, then?.availability),
    figureTile("effectiveness", now.effectiveness, then?.effectiveness), figureTile("quality", now.quality, then?.quality),
    figureTile("oee", week7?.oee ?? null, lastDays(basis, any, -14, -7)?.oee, { id: "oeeLast", label: "OEE, last 7 days" }));
  const sections = [{ ...daySection(basis, rows(basis, span)), note: ratedNote(all) }];
  if (machine === null) {
    sections.push(line === null && basis === "line" ? lineSection(rows("line", span), machines) : machineSection(machines));
  }
  sections.push(lossSection(rowsOf("loss", { ...where, ...span })), downtimeSection(rowsOf("downtime", { ...where, ...span })),
    hourSection(where));
  return {
    tiles, sections,
    terms: ["oee", "lineOee", "machineOee", "availability", "effectiveness", "quality", "busy", "coverage", "produced", "step",
      "stops", "failures"],
  };
}

/** Why there is no OEE. */
function whyNot({ oee, ratedCount, coverage }) {
  if (oee !== null) return {};
  return { note: ratedCount ? `${percent(coverage)} of the time is known` : "no standard rate" };
}

/** Of how many machines an OEE is, where not of all. */
function ratedNote({ ratedCount, count: all }) {
  return ratedCount < all && ratedCount > 0
    ? `OEE and its parts are those of ${ratedCount} of ${all} machines: the units of the others have no standard rate.` : null;
}

function readChoice(asked) {
  const index = (key) => {
    const found = asked.has(key) ? names[key].indexOf(asked.get(key)) : -1;
    return found < 0 ? null : found;
  };
  const weekAt = (name) => (asked.has(name) && names.week.includes(asked.get(name)) ? names.week.indexOf(asked.get(name)) : null);
  state.to = weekAt("to") ?? (lastBusyWeek < 0 ? lastWeek : lastBusyWeek);
  state.from = Math.min(weekAt("from") ?? Math.max(0, state.to - RECENT + 1), state.to);
  state.line = asked.get("line") === "" ? NO_LINE : index("line");
  state.machine = index("machine");
  const days = names.shownDay ?? [];
  state.shownDay = days.includes(asked.get("day")) ? days.indexOf(asked.get("day")) : lastDayKnown();
  const isTimeline = state.page === "machine_timeline";
  const source = isTimeline ? "span" : "machine";
  if (isTimeline && state.line === null && state.machine === null) {
    state.line = valuesOf("span", rowsOf("span", {}), "line")[0] ?? null;
  }
  if (state.machine !== null && !rowsOf(source, { line: state.line, machine: state.machine }).length) state.machine = null;
}

/** The last day of the timeline of which anything is known: records seldom end with a production day. */
function lastDayKnown() {
  const span = data.tables.span;
  if (!span) return -1;
  const nothing = ["no_data", "unscheduled"].map((group) => names.group.indexOf(group));
  return span.shownDay.reduce((last, day, row) => (nothing.includes(span.group[row]) ? last : Math.max(last, day)), 0);
}

function queryOf({ line, machine, from, to, shownDay }) {
  const query = {};
  if (line !== null) query.line = line === NO_LINE ? "" : names.line[line];
  if (machine !== null) query.machine = names.machine[machine];
  if (names.week.length) Object.assign(query, { from: week(from), to: week(to) });
  if (shownDay >= 0) query.day = names.shownDay[shownDay];
  return query;
}

function filterNodes() {
  const isTimeline = state.page === "machine_timeline";
  const source = isTimeline ? "span" : "machine";
  const position = (value) => (value === "" ? null : Number(value));
  const parts = [];
  if (isTimeline) {
    parts.push(dropDown("day", "Production day", names.shownDay.map((day, index) => [index, day]), state.shownDay,
      (value) => choose({ shownDay: Number(value) })));
  }
  const lines = valuesOf(source, rowsOf(source, {}), "line");
  if (lines.length > 1 || lines[0] !== NO_LINE) {
    parts.push(dropDown("line", "Line", [["", "All lines"], ...lines.map((line) => [line, lineName(line)])], state.line ?? "",
      (value) => choose({ line: position(value), machine: null })));
  }
  const machines = valuesOf(source, rowsOf(source, { line: state.line }), "machine");
  parts.push(dropDown("machine", "Machine", [["", "All machines"], ...machines.map((one) => [one, names.machine[one]])],
    state.machine ?? "", (value) => choose({ machine: position(value) })));
  if (!isTimeline) {
    const weeks = names.week.map((label, index) => [index, label]);
    parts.push(dropDown("from", "From production week", weeks, state.from, (value) => choose({ from: Number(value) })),
      dropDown("to", "to", weeks, state.to, (value) => choose({ to: Number(value) })));
  }
  return parts;
}

function chosenText() {
  const where = state.machine !== null ? names.machine[state.machine]
    : state.line === null ? "All lines, all machines" : `${lineName(state.line)}, all machines`;
  if (state.page === "machine_timeline") return `${where} · production day ${names.shownDay[state.shownDay]}`;
  const before = weeksBefore(state);
  const by = state.machine === null && rowsOf("line", { line: state.line }).length
    ? " · key figures and days by the constraint machines" : "";
  return `${where}${by} · ${spanText(state)}${before ? ` · before: ${spanText(before)}` : ""}`;
}

const spanText = ({ from, to }) => (from === to ? `production week ${week(to)}` : `production weeks ${week(from)} to ${week(to)}`);

const reading = {
  pages: { oee: oeePage, machine_timeline: timelinePage }, read: readChoice, query: queryOf, filters: filterNodes,
  chosen: chosenText, hasData: true, nothing: "No machine time yet.",
  hollow: "hollow: too little is known for an OEE (“no data”)",
};
