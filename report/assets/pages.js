// Pages: what the reader chose is in the address (#page?product=…), so that back, links and bookmarks work.

const TITLES = {
  topline: "Topline", product: "Product", test: "Test", product_test: "Product × test", findings: "Data quality",
};
const QUARTER = 13;
const lastWeek = names.week.length - 1;
const state = { page: null, product: null, test: null, from: 0, to: 0 };

const hasData = data.tables.product.week.length > 0;

/** Reads the address into `state`; whatever does not fit the data falls back to the default. */
function readAddress() {
  const [page, query = ""] = location.hash.slice(1).split("?");
  const asked = new URLSearchParams(query);
  const index = (key, name) => {
    const found = asked.has(name) ? names[key].indexOf(asked.get(name)) : -1;
    return found < 0 ? null : found;
  };
  state.page = data.pages.includes(page) || page === "findings" ? page : data.pages[0] ?? "findings";
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

/** The address of a page with the present choice, changed by `changes` (positions). null: no such page in this report. */
function hrefOf(page, changes = {}) {
  if (!data.pages.includes(page) && page !== "findings") return null;
  const choice = { ...state, ...changes };
  const query = new URLSearchParams();
  if (choice.product !== null) query.set("product", names.product[choice.product]);
  if (choice.test !== null) query.set("test", names.test[choice.test]);
  if (hasData) {
    query.set("from", week(choice.from));
    query.set("to", week(choice.to));
  }
  return `#${page}?${query}`;
}

function choose(changes) {
  const choice = { ...state, ...changes };
  if (choice.from > choice.to) {
    if ("from" in changes) changes.to = changes.from;
    else changes.from = changes.to;
  }
  location.hash = hrefOf(state.page, changes);
}

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

const PAGE = {
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

// The page around them

function header() {
  const { run } = data;
  const facts = run.asOf
    ? [`Data up to ${run.asOf} (${run.timezone})`, `${count(run.records)} test records`] : ["No test records yet"];
  if (run.rejects) facts.push(`${count(run.rejects)} rejected`);
  const findings = `${count(data.allFindings)} data-quality ${data.allFindings === 1 ? "finding" : "findings"}, `
    + `${count(run.findings)} ${run.findings === 1 ? "warning or error" : "warnings or errors"}`;
  document.getElementById("header").replaceChildren(
    element("h1", {}, "Yield", element("span", {}, ` ${run.plant}`)),
    element("p", {}, `${data.role} · ${facts.join(" · ")} · `, element("a", { href: "#findings" }, findings)));
}

function navigation() {
  document.getElementById("pages").replaceChildren(...[...data.pages, "findings"].map((page) =>
    element("a", { href: hrefOf(page), "aria-current": page === state.page ? "page" : null }, TITLES[page])));
}

function filters() {
  const form = document.getElementById("filters");
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
  if (state.page !== "findings" && hasData) {
    const weeks = names.week.map((label, index) => [index, label]).slice(data.detailFrom);
    parts.push(dropDown("from", "From load week", weeks, state.from, (value) => choose({ from: Number(value) })),
      dropDown("to", "to", weeks, state.to, (value) => choose({ to: Number(value) })));
  }
  form.replaceChildren(...parts);
  form.hidden = !parts.length;
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

function sectionNode(section, opened) {
  const immature = section.rows.some((row) => row.mature === false);
  const empty = section.rows.length === 0;
  const notes = [section.note].flat().filter(Boolean).join(" ");
  return element("section", { id: `section-${section.id}` },
    element("h3", {}, section.title),
    empty ? element("p", { class: "empty" }, "Nothing here in the weeks chosen.")
      : element("figure", {}, legend(section.legend, immature), chartNode(`${state.page}-${section.id}`),
        notes ? element("figcaption", {}, notes) : null),
    empty ? null : element("details", { id: `table-${section.id}`, open: opened.has(`table-${section.id}`) },
      element("summary", {}, `Table: ${section.title}`), table(section.title, section.table.columns, section.table.rows)));
}

function findingsPage() {
  const where = (row) => row.slice(3, 7).filter((part) => part !== null).join(" · ") || NONE;
  const rows = data.findings.map((row) => [row[0].replaceAll("_", " "), row[1], row[2], where(row), row[7], row[8], row[9]]);
  const columns = [{ label: "Finding" }, { label: "Severity" }, { label: "Table" }, { label: "Where" }, { label: "What" },
    { label: "How many", format: "count" }, { label: "Example" }];
  const more = data.allFindings > rows.length
    ? `The gravest ${count(rows.length)} of ${count(data.allFindings)}; all are in the published table data_quality.` : null;
  return [element("h2", {}, "Data quality"),
    element("p", { class: "chosen" }, rows.length ? "What the checks found in the records." : "No findings."),
    rows.length ? table("Findings", columns, rows) : null, more ? element("p", {}, more) : null];
}

async function show() {
  const before = state.page;
  readAddress();
  const main = document.getElementById("main");
  main.removeAttribute("data-ready");
  const opened = new Set([...main.querySelectorAll("details[open]")].map((details) => details.id));
  if (before !== state.page) forgetCharts();
  header();
  navigation();
  filters();
  document.title = `Yield · ${data.run.plant} · ${TITLES[state.page]}`;
  if (state.page === "findings" || !hasData) {
    main.replaceChildren(...(state.page === "findings" ? findingsPage()
      : [element("h2", {}, TITLES[state.page]), element("p", { class: "empty" }, "No test records yet.")]).filter(Boolean));
    main.setAttribute("data-ready", "");
    return;
  }
  const { tiles, sections, terms } = PAGE[state.page]();
  main.replaceChildren(
    element("h2", {}, TITLES[state.page]),
    element("p", { class: "chosen" }, chosenText()),
    element("dl", { class: tiles.length > 6 ? "tiles many" : "tiles" }, ...tiles.map(tile)),
    element("div", { class: "sections" }, ...sections.map((section) => sectionNode(section, opened))),
    element("details", { id: "terms", open: opened.has("terms") }, element("summary", {}, "Definitions"),
      element("dl", {}, ...terms.flatMap((term) => [element("dt", {}, TERMS[term][0]), element("dd", {}, TERMS[term][1])]))));
  if (before !== state.page) scrollTo(0, 0);
  await Promise.all(sections.filter((section) => section.rows.length)
    .map((section) => draw(`${state.page}-${section.id}`, section.chart, section.label, section.rows)));
  main.setAttribute("data-ready", "");
}

addEventListener("hashchange", show);
show();
