// The page `machine_timeline`: what each machine did on one production day, as a band.

const KIND_WORDS = [["production", "Production"], ["slow", "Slow, retests"], ["setup", "Setup"], ["delay", "Failures and stops"],
  ["down", "Down, waiting, idle"], ["planned", "Planned downtime"], ["unscheduled", "Unscheduled"], ["no_data", "No data"]];

/** 95 → 1.6 min; as short as fits into a band. */
function length(value) {
  if (value < 60) return `${Math.round(value)}${NARROW}s`;
  if (value < 5400) return `${(value / 60).toFixed(value < 600 ? 1 : 0)}${NARROW}min`;
  return `${(value / 3600).toFixed(1)}${NARROW}h`;
}
FORMATS.length = (value) => (value === null ? NONE : length(value));

function spansOf(choice) {
  const columns = data.tables.span;
  const text = (key, row) => (columns[key][row] === null ? null : names[key][columns[key][row]]);
  return rowsOf("span", choice).map((row) => {
    const bucket = text("bucket", row);
    const reason = text("reason", row);
    const kind = kindOf(text("group", row), bucket);
    const seconds = columns.end[row] - columns.start[row];
    return {
      machine: text("machine", row), start: columns.start[row], end: columns.end[row], at: columns.at[row], kind, seconds,
      what: capital(words(bucket)) + (reason === null ? "" : ` · ${reason}`),
      why: reason ?? capital(words(bucket)), product: text("product", row), shift: text("shift", row),
      isStop: Boolean(columns.stop[row]),
    };
  });
}

/** What may be written into a stop, as far as there is room. */
function stopTexts({ what, why, seconds }) {
  const lasted = length(seconds);
  return { label: `${what} ${lasted}`, short: `${why}\n${lasted}`, shortSize: Math.max(why.length, lasted.length), length: lasted };
}

function bandSection(spans, clock) {
  const machines = new Set(spans.map((span) => span.machine));
  const shown = new Set([...machines].sort(collate).slice(0, LARGEST));
  return {
    id: "band", title: `What the machines did on ${names.shownDay[state.shownDay]}`,
    chart: shown.size === 1 ? "timeline_of_one" : "timeline",
    label: "One band per machine: the buckets of its time over the production day, stops labelled with reason and length.",
    legend: KIND_WORDS.filter(([kind]) => spans.some((span) => span.kind === kind)),
    rows: spans.filter((span) => shown.has(span.machine)).map((span) => ({
      x: span.machine, start: span.start, end: span.end, kind: span.kind,
      ...(span.isStop ? stopTexts(span) : {}),
      tip: [`${span.machine} ${span.at}`, ["What", span.what], ["Length", length(span.seconds)],
        ["Product", span.product === "(none)" ? NONE : span.product], ["Shift", span.shift ?? NONE]],
    })).sort((a, b) => collate(a.x, b.x)),
    params: { spanSeconds: clock.seconds, startHour: clock.startHour, jumpAt: clock.jumpAt ?? 1e9, jumpHours: clock.jumpHours },
    nothing: "Nothing is known of these machines on this day.",
    note: [shownNote(machines.size, "first machines by name"),
      "Stops are labelled where there is room: choose one machine for more of it. The table has all.",
      `The last ${names.shownDay.length} production days are here; earlier ones are in the published tables.`],
    table: {
      columns: [{ label: "Machine" }, { label: "From, plant time" }, { label: "What" }, { label: "Length", format: "length" },
        { label: "Product" }, { label: "Shift" }],
      rows: spans.map((span) => [span.machine, span.at, span.what, span.seconds, span.product === "(none)" ? null : span.product,
        span.shift]),
    },
  };
}

function stopSection(spans) {
  const stops = spans.filter((span) => span.isStop).sort((a, b) => b.seconds - a.seconds);
  const rows = stops.slice(0, 20).map((span) => [span.machine, span.at, span.what, span.seconds,
    span.product === "(none)" ? null : span.product]);
  return {
    id: "stops", title: "Longest stops of the day",
    body: [rows.length ? table("Longest stops of the day", [{ label: "Machine" }, { label: "From, plant time" },
      { label: "What and why" }, { label: "Length", format: "length" }, { label: "Product" }], rows)
      : element("p", { class: "empty" }, "No stops.")],
    note: stops.length > 20 ? `The 20 longest of ${count(stops.length)}.` : null,
  };
}

function timelinePage() {
  const spans = spansOf({ shownDay: state.shownDay, line: state.machine === null ? state.line : null, machine: state.machine });
  const of = (...kinds) => spans.filter((span) => kinds.includes(span.kind)).reduce((total, span) => total + span.seconds, 0);
  const stops = spans.filter((span) => span.isStop);
  const tile = (id, label, value, text, definition) => ({ id, label, value, text, definition });
  const produced = of("production", "slow");
  return {
    tiles: [
      tile("production", "Production", produced, hours(produced), "Time that counts as production, of all machines shown."),
      tile("setup", "Setup", of("setup"), hours(of("setup")), "Time that counts as setup."),
      tile("delay", "Failures and stops", of("delay"), hours(of("delay")),
        "Time that counts as delay: malfunctions, minor stops, interruptions."),
      tile("down", "Down, waiting, idle", of("down"), hours(of("down")), "Time that counts as down time."),
      tile("stops", "Stops", stops.length, count(stops.length), "Stops, and parts of stops, of this day."),
      tile("noData", "No data", of("no_data"), hours(of("no_data")), "Scheduled time of which nothing is known."),
    ],
    sections: [bandSection(spans, data.clock[state.shownDay]), stopSection(spans)],
    terms: [],
  };
}
