// The page `shift_handover`: one shift of one line, on one printed page.

const MOST = 6; // entries of a list, and the longest text of one: the page must not become two
const LONGEST = 160;
const KNOW = 450;

const handovers = () => data.tables.handover?.line.map((_, row) => row) ?? [];
const cell = (name, row) => data.tables.handover[name][row];
const occurrence = (row) => `${cell("shift_date", row)} ${names.shift[cell("shift", row)]}`;

/** The shifts of a line, latest first. */
function shiftsOf(line) {
  return handovers().filter((row) => cell("line", row) === line).reverse();
}

const isUnderWay = (row) => cell("known_until_local", row) < cell("shift_end_local", row);

/** The latest shift of a line that ran; not one that has hardly begun, as at the hour of a nightly run. */
function latest(line) {
  const ran = shiftsOf(line).filter((row) => cell("pbt_s", row) > 0);
  const moment = (name, row) => Date.parse(cell(name, row));
  const hasHardlyBegun = (row) => moment("known_until_local", row) - moment("shift_start_local", row)
    < moment("shift_end_local", row) - moment("known_until_local", row);
  return ran.find((row) => !hasHardlyBegun(row)) ?? ran[0] ?? shiftsOf(line)[0] ?? null;
}

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most).trimEnd()} …` : text);

/** A list of what a text names, with separators between; cut, so that it stays on the page. */
function listed(text, separator, nothing) {
  if (text === null) return element("p", { class: "empty" }, nothing);
  const all = text.split(separator);
  const items = all.slice(0, MOST).map((one) => element("li", {}, shortened(one, LONGEST)));
  if (all.length > MOST) items.push(element("li", {}, `and ${all.length - MOST} more`));
  return element("ul", { class: "plain" }, ...items);
}

function handoverPage() {
  const row = state.handover;
  if (row === null) return { tiles: [], sections: [], terms: [] };
  const planned = cell("planned_quantity", row);
  const attained = planned === null ? null : ratio(cell("good", row), planned);
  const define = (name) => data.definitions.handover?.[name];
  const tile = (name, label, value, text, note = null) => ({ id: name, label, value, text, note, definition: define(name) });
  const number = (name, label, note = null) => tile(name, label, cell(name, row), count(cell(name, row)), note);
  const hours = (value) => `${(value / 3600).toFixed(1)}${NARROW}h`;
  const anomalies = cell("anomaly_count", row);
  return {
    tiles: [
      number("good", "Good units", planned === null ? "no plan" : `${percent(attained)} of plan`),
      tile("planned_quantity", "Planned", planned, planned === null ? "no plan" : count(planned)),
      number("scrap", "Scrap"), number("rework", "Rework"),
      tile("availability", "Availability", cell("availability", row),
        cell("availability", row) === null ? "no data" : percent(cell("availability", row)),
        `${hours(cell("apt_s", row))} of ${hours(cell("pbt_s", row))}, all machines`),
      number("stop_count", "Stops"), number("open_stop_count", "Machines standing"), number("open_issue_count", "Open issues"),
    ],
    sections: [
      { id: "know", title: "What the next shift must know", body: [element("p", { class: "know" },
        shortened(cell("next_shift_should_know", row), KNOW))] },
      { id: "ran", title: "What ran", body: [listed(cell("ran", row), ", ", "No units left the line.")] },
      { id: "standing", title: "Machines standing at its end", body: [listed(cell("open_stops", row), ", ", "None.")] },
      { id: "flagged", title: "Flagged anomalies", body: [listed(cell("anomalies", row), "; ",
        anomalies === null ? "This plant does not look for any." : "None.")] },
      { id: "issues", title: "Open quality issues", body: [listed(cell("open_issues", row), "; ", "None.")] },
      { id: "notes", title: "Notes and signatures", body: [element("div", { class: "notes", "aria-hidden": "true" },
        ...Array.from({ length: 4 }, () => element("hr")))] },
    ],
    terms: [],
  };
}
