// The pages of yield.html (frame.js says what they are made of).

const QUARTER = 13;
const lastWeek = names.week.length - 1;
// Tiles

function shareTile(id, figure, extra = {}) {
  const [label, definition] = TERMS[id];
  const note = figure.low === null || figure.low === undefined ? null : `95 %: ${interval(figure)}`;
  return { id, label, definition, value: figure.value, text: percent(figure.value), note, ...extra };
}

function countTile(id, value, note = null) {
  const [label, definition] = TERMS[id];
  return { id, label, definition, value, text: count(value), note };
}

function moduleTiles(made) {
  const unit = shareTile("unit", made.unitMature, made.matureRows === made.allRows ? {} : {
    note: made.matureRows ? `mature only: ${count(made.unitMature.whole)} of ${count(made.load)} modules`
      : "no mature week chosen",
  });
  return {
    started: countTile("started", made.load),
    unit,
    outcomes: ["finished", "wip", "scrap", "rework"].map((term) =>
      countTile(term, made[term].part, `${percent(made[term].value)} of modules started`)),
  };
}

function stepTiles(made, product, test) {
  const first = lowLimit("first_pass_yield", product, test);
  const cumm = lowLimit("cumm_yield", product, test);
  return [countTile("tested", made.load),
    shareTile("first", made.first, { low: isLow(made.first.value, first) }),
    shareTile("cumm", made.cumm, { low: isLow(made.cumm.value, cumm) }),
    countTile("attempts", made.attempts, `${percent(ratio(made.passes, made.attempts))} of them passed`),
    shareTile("retest", made.retest, { note: `${count(made.retest.part)} of ${count(made.retest.whole)} retested modules` }),
    { id: "passSeconds", label: TERMS.passSeconds[0], definition: TERMS.passSeconds[1], value: made.passSeconds,
      text: seconds(made.passSeconds), note: `failed: ${seconds(made.failSeconds)}` }];
}

// Pages: each gives {tiles, sections, terms} of the present choice

const PAGES = {
  topline() {
    const products = rowsOf("product", { from: state.from, to: state.to });
    const steps = rowsOf("step", { from: state.from, to: state.to });
    const tiles = moduleTiles(moduleFigures(products));
    const made = stepFigures(steps);
    const sections = [unitWeeks(products), productSection(products, steps), outcomeWeeks(products)];
    if (data.detailFrom > 0) {
      const all = unitWeeks(rowsOf("product", { from: 0, to: lastWeek }));
      sections.push({ ...all, id: "history", title: `All ${names.week.length} load weeks`,
        note: `Whatever weeks are chosen above; the last ${names.week.length - data.detailFrom} can be chosen.` });
    }
    return {
      tiles: [tiles.started, tiles.unit, shareTile("stepFirst", made.first), shareTile("stepCumm", made.cumm),
        ...tiles.outcomes],
      sections,
      terms: ["started", "unit", "finished", "scrap", "wip", "rework", "rolledFirst", "rolledCumm", "stepFirst", "stepCumm",
        "interval"],
    };
  },
  product() {
    const products = rowsOf("product", state.product === null ? { from: 1, to: 0 } : { ...state, test: null });
    const steps = rowsOf("step", { ...state, test: null });
    const tiles = moduleTiles(moduleFigures(products));
    return {
      tiles: [tiles.started, shareTile("rolledFirst", rolled(steps, "first_pass_qty")),
        shareTile("rolledCumm", rolled(steps, "cumm_pass_qty")), tiles.unit, ...tiles.outcomes],
      sections: [rolledWeeks(products), stepGroups(steps, "test", { product: state.product }), outcomeWeeks(products)],
      terms: ["started", "rolledFirst", "rolledCumm", "unit", "finished", "scrap", "wip", "rework", "tested", "first", "cumm",
        "retest", "interval"],
    };
  },
  test() {
    const steps = rowsOf("step", state);
    const product = state.product === null ? null : names.product[state.product];
    const test = names.test[state.test] ?? null;
    const sections = [stepWeeks(steps, product, test)];
    if (state.product === null) sections.push(stepGroups(steps, "product", { test: state.test }));
    sections.push(machineSection(rowsOf("machine", state), product, test), paretoSection(rowsOf("fail", state)));
    return {
      tiles: stepTiles(stepFigures(steps), product, test), sections,
      terms: ["tested", "first", "cumm", "attempts", "retest", "passSeconds", "failSeconds", "rate", "fails", "interval"],
    };
  },
  product_test() {
    const steps = rowsOf("step", state);
    const product = names.product[state.product] ?? null;
    const test = names.test[state.test] ?? null;
    return {
      tiles: stepTiles(stepFigures(steps), product, test),
      sections: [stepWeeks(steps, product, test), paretoSection(rowsOf("fail", state)), durationWeeks(steps)],
      terms: ["tested", "first", "cumm", "attempts", "retest", "passSeconds", "failSeconds", "fails", "interval"],
    };
  },
};

const hasData = data.tables.product.week.length > 0;

function readChoice(asked) {
  const index = (key, name) => {
    const found = asked.has(name) ? names[key].indexOf(asked.get(name)) : -1;
    return found < 0 ? null : found;
  };
  state.to = Math.max(index("week", "to") ?? lastWeek, data.detailFrom);
  state.from = Math.max(index("week", "from") ?? Math.max(data.detailFrom, lastWeek - QUARTER + 1), data.detailFrom);
  if (state.from > state.to) state.from = state.to;
  state.product = index("product", "product");
  state.test = index("test", "test");
  if (state.page === "product" || state.page === "product_test") state.product ??= productChoices()[0] ?? null;
  if (state.page === "test") state.test ??= testChoices()[0] ?? null;
  if (state.page === "product_test") {
    const onRoute = testChoices(state.product);
    if (!onRoute.includes(state.test)) state.test = onRoute[0] ?? null;
  }
}

function queryOf({ product, test, from, to }) {
  const query = {};
  if (product !== null) query.product = names.product[product];
  if (test !== null) query.test = names.test[test];
  if (hasData) Object.assign(query, { from: week(from), to: week(to) });
  return query;
}

function filterNodes() {
  const parts = [];
  const position = (value) => (value === "" ? null : Number(value));
  const onTest = state.page === "test";
  if (state.page === "product" || state.page === "product_test" || onTest) {
    const tests = data.tables.step;
    const options = productChoices()
      .filter((index) => !onTest || state.test === null
        || tests.product.some((one, row) => one === index && tests.test[row] === state.test))
      .map((index) => [index, names.product[index]]);
    parts.push(dropDown("product", "Product", onTest ? [["", "All products"], ...options] : options, state.product ?? "",
      (value) => choose({ product: position(value) })));
  }
  if (state.page === "test" || state.page === "product_test") {
    const options = testChoices(onTest ? null : state.product).map((index) => [index, names.test[index]]);
    parts.push(dropDown("test", "Test", options, state.test ?? "", (value) => choose({ test: position(value) })));
  }
  const weeks = names.week.map((label, index) => [index, label]).slice(data.detailFrom);
  parts.push(dropDown("from", "From load week", weeks, state.from, (value) => choose({ from: Number(value) })),
    dropDown("to", "to", weeks, state.to, (value) => choose({ to: Number(value) })));
  return parts;
}

function chosenText() {
  const parts = [];
  const product = state.product === null ? "all products" : names.product[state.product];
  if (state.page === "test") parts.push(names.test[state.test], product);
  else if (state.page === "product") parts.push(product);
  else if (state.page === "product_test") parts.push(product, names.test[state.test]);
  else parts.push("All products, all tests");
  parts.push(state.from === state.to ? `load week ${week(state.to)}` : `load weeks ${week(state.from)} to ${week(state.to)}`);
  return parts.filter(Boolean).join(" · ");
}

const reading = {
  pages: PAGES, read: readChoice, query: queryOf, filters: filterNodes, chosen: chosenText, hasData,
  nothing: "No test records yet.", hollow: "hollow: not mature, modules are still in work",
};
