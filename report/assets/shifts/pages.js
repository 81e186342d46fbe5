// The pages of shifts.html (frame.js says what they are made of).

function comparisonPage() {
  return {
    tiles: [], sections: [decompositionSection(state), verdictSection(state), practiceSection(state)],
    terms: ["crude", "within", "interval", "product", "machine", "staffing", "not_comparable", "verdict"],
  };
}

const AXES = ["kind", "line", "phase", "metric"]; // of a comparison; each choice leaves those of the next

/** The values of an axis of the comparisons, given those chosen before it. */
function choicesOf(axis, choice) {
  const columns = data.tables.comparison;
  const before = AXES.slice(0, AXES.indexOf(axis));
  const rows = columns.kind.map((_, row) => row).filter((row) => before.every((one) => columns[one][row] === choice[one]));
  const order = { kind: Object.keys(KINDS), phase: Object.keys(PHASES), metric: Object.keys(METRICS), line: ["(all)"] }[axis];
  const place = (index) => (order.indexOf(names[axis][index]) + order.length + 1) % (order.length + 1);
  return [...new Set(rows.map((row) => columns[axis][row]))]
    .sort((a, b) => place(a) - place(b) || collate(names[axis][a], names[axis][b]));
}

function readChoice(asked) {
  if (data.tables.comparison) {
    for (const axis of AXES) {
      const choices = choicesOf(axis, state);
      const found = names[axis].indexOf(asked.get(axis));
      state[axis] = choices.includes(found) ? found : choices[0] ?? null;
    }
  }
  if (data.tables.handover) {
    const lines = linesOf();
    const line = names.line.indexOf(asked.get("of"));
    state.of = lines.includes(line) ? line : lines[0] ?? null;
    state.handover = shiftsOf(state.of).find((row) => occurrence(row) === asked.get("shift")) ?? latest(state.of);
  }
}

const linesOf = () => [...new Set(handovers().map((row) => cell("line", row)))].sort((a, b) => collate(names.line[a], names.line[b]));

function queryOf(choice) {
  const query = {};
  if (data.tables.comparison) for (const axis of AXES) if (choice[axis] !== null) query[axis] = names[axis][choice[axis]];
  if (data.tables.handover && choice.of !== null) {
    query.of = names.line[choice.of];
    if (choice.handover !== null) query.shift = occurrence(choice.handover);
  }
  return query;
}

function filterNodes() {
  if (state.page === "shift_handover") {
    return [
      dropDown("of", "Line", linesOf().map((line) => [line, lineName(line)]), state.of,
        (value) => choose({ of: Number(value), handover: sameShift(Number(value)) })),
      dropDown("shift", "Shift", shiftsOf(state.of).map((row) => [row, occurrence(row)]), state.handover,
        (value) => choose({ handover: Number(value) })),
      element("button", { type: "button", onclick: () => print() }, "Print"),
    ];
  }
  const labels = { kind: "Compare", line: "Line", phase: "Time", metric: "Metric" };
  const texts = { kind: (name) => KINDS[name] ?? name, line: (name) => ({ "(all)": "All lines" })[name] ?? name,
    phase: (name) => PHASES[name] ?? name, metric: metricName };
  return AXES.map((axis) => [axis, choicesOf(axis, state)]).filter(([axis, choices]) => choices.length > 1 || axis === "metric")
    .map(([axis, choices]) => dropDown(axis, labels[axis], choices.map((index) => [index, texts[axis](names[axis][index])]), state[axis],
      (value) => choose({ [axis]: Number(value) })));
}

/** The shift of another line that has the same date and name. */
const sameShift = (line) => shiftsOf(line).find((row) => occurrence(row) === occurrence(state.handover)) ?? latest(line);

function chosenText() {
  if (state.page !== "shift_handover") {
    return [KINDS[names.kind[state.kind]], lineName(state.line), PHASES[names.phase[state.phase]], metricName(names.metric[state.metric])]
      .filter(Boolean).join(" · ");
  }
  const row = state.handover;
  const crew = cell("crew", row);
  return [lineName(state.of), occurrence(row), crew === null ? null : `crew ${crew}`,
    `${cell("shift_start_local", row)} to ${cell("known_until_local", row)}, plant time`,
    isUnderWay(row) ? `goes on until ${cell("shift_end_local", row)}` : null].filter(Boolean).join(" · ");
}

const reading = {
  pages: { shift_comparison: comparisonPage, shift_handover: handoverPage }, read: readChoice, query: queryOf, filters: filterNodes,
  chosen: chosenText, hasData: true, nothing: "No shifts yet.", hollow: null,
};
