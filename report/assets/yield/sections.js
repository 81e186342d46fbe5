// Sections of the yield pages (frame.js says what a section is).

const TERMS = {
  started: ["Modules started", defined("product", "load_qty", "Modules first tested in the load week.")],
  unit: ["Unit first pass yield", "Modules that passed every test of their route at the first run / modules started, "
    + "summed over the products and weeks chosen. Of a week still in work it is what was reached so far."],
  finished: ["Finished", defined("product", "finished_qty", "Modules whose last run of every test of the route passed.")],
  scrap: ["Scrap", defined("product", "scrap_qty", "Modules scrapped.")],
  wip: ["Work in progress", defined("product", "wip_qty", "Modules neither finished nor scrapped.")],
  rework: ["Reworked", defined("product", "rework_qty", "Modules reworked at least once.")],
  rolledFirst: ["First pass yield, rolled", "Product of the first pass yields of the tests on the product's route; "
    + "over several weeks each test's parts are summed first, then divided."],
  rolledCumm: ["Cumm yield, rolled", "Product of the cumm yields of the tests on the product's route; "
    + "over several weeks each test's parts are summed first, then divided."],
  stepFirst: ["Step first pass yield", "Of all steps (a module at a test), those whose first run passed. "
    + "Parts summed over products and tests, then divided; not rolled."],
  stepCumm: ["Step cumm yield", "Of all steps (a module at a test), those whose last run passed. "
    + "Parts summed over products and tests, then divided; not rolled."],
  tested: ["Modules tested", defined("step", "load_qty", "Distinct modules that reached the test.")],
  first: ["First pass yield", defined("step", "first_pass_yield", "Modules whose first run passed / modules tested.")],
  cumm: ["Cumm yield", defined("step", "cumm_yield", "Modules whose last run passed / modules tested.")],
  attempts: ["Test attempts", defined("step", "test_qty", "Attempts that passed or failed.")],
  retest: ["Retest pass rate", defined("step", "retest_pass_rate",
    "Retested modules whose last run passed / retested modules: an upper bound on false fails.")],
  passSeconds: ["Avg test duration, passed", defined("step", "avg_test_duration_pass_s", "Seconds of passed attempts.")],
  failSeconds: ["Avg test duration, failed", defined("step", "avg_test_duration_fail_s", "Seconds of failed attempts.")],
  rate: ["Passing rate", defined("machine", "passing_rate", "Passed attempts / attempts of the machine.")],
  fails: ["Failed attempts", "Attempts that failed with the error code."],
  share: ["Share", "Of all failed attempts chosen."],
  interval: ["95 % interval", "Wilson's interval of the share; of rolled yields exp(ln Y ± 1.96·√Σ(1−p)/(n·p)). "
    + "Of a passing rate it is nominal: attempts of one module are not independent."],
};

const spanColumn = { label: "95 % interval", format: "interval", definition: TERMS.interval[1] };
const stateText = (mature) => (mature ? "mature" : "in work");
const week = (index) => names.week[index];

function byWeek(tableName, rows, make) {
  return [...grouped(tableName, rows, "week")].map(([index, group]) => make(week(index), group));
}

/** Modules started and unit yields by week, over any products. */
function unitWeeks(rows) {
  const made = byWeek("product", rows, (x, group) => ({ x, ...moduleFigures(group) }));
  return {
    id: "weeks", title: "Yield by load week", chart: "modules_by_week",
    label: "Bars: modules started. Lines: unit first pass yield and finished share by load week.",
    legend: [["qty", "Modules started"], ["first", "Unit first pass yield"], ["second", "Finished share"]],
    rows: made.map((one) => ({
      x: one.x, qty: one.load, first: one.unit.value, second: one.finished.value, mature: one.mature,
      tip: [one.x, ["Modules started", count(one.load)], ["Unit first pass yield", percent(one.unit.value)],
        ["95 % interval", interval(one.unit)], ["Finished", `${percent(one.finished.value)} (${count(one.finished.part)})`],
        ["State", stateText(one.mature)]],
    })),
    table: {
      columns: [{ label: "Load week" }, column("started", "count"), column("unit", "percent"), spanColumn,
        column("finished", "percent", "Finished share"), spanColumn, { label: "State" }],
      rows: made.map((one) => [one.x, one.load, one.unit.value, one.unit, one.finished.value, one.finished,
        stateText(one.mature)]),
    },
  };
}

/** Rolled yields of one product by week: cells of summary_prod. */
function rolledWeeks(rows) {
  const columns = data.tables.product;
  const made = rows.map((row) => ({
    x: week(columns.week[row]), load: columns.load_qty[row], mature: Boolean(columns.is_mature[row]),
    first: publishedYield(row, "first_pass_yield"), cumm: publishedYield(row, "cumm_yield"),
    tests: `${columns.tests_reached[row] ?? NONE} of ${columns.tests_on_route[row] ?? NONE}`,
  }));
  return {
    id: "weeks", title: "Yield by load week", chart: "modules_by_week",
    label: "Bars: modules started. Lines: rolled first pass yield and rolled cumm yield by load week.",
    legend: [["qty", "Modules started"], ["first", "First pass yield, rolled"], ["second", "Cumm yield, rolled"]],
    rows: made.map((one) => ({
      x: one.x, qty: one.load, first: one.first.value, second: one.cumm.value, mature: one.mature,
      tip: [one.x, ["Modules started", count(one.load)], ["First pass yield", percent(one.first.value)],
        ["95 % interval", interval(one.first)], ["Cumm yield", percent(one.cumm.value)],
        ["95 % interval", interval(one.cumm)], ["Tests reached", one.tests], ["State", stateText(one.mature)]],
    })),
    table: {
      columns: [{ label: "Load week" }, column("started", "count"), column("rolledFirst", "percent", "First pass yield"),
        spanColumn, column("rolledCumm", "percent", "Cumm yield"), spanColumn, { label: "Tests reached" }, { label: "State" }],
      rows: made.map((one) => [one.x, one.load, one.first.value, one.first, one.cumm.value, one.cumm, one.tests,
        stateText(one.mature)]),
    },
  };
}

function outcomeWeeks(rows) {
  const made = byWeek("product", rows, (x, group) => ({ x, ...moduleFigures(group) }));
  return {
    id: "outcomes", title: "What became of the modules", chart: "outcome_by_week",
    label: "Modules of each load week: finished, in work, scrapped.",
    legend: [["finished", "Finished"], ["wip", "Work in progress"], ["scrap", "Scrap"]],
    rows: made.map((one) => ({
      x: one.x, finished: one.finished.part, wip: one.wip.part, scrap: one.scrap.part,
      tip: [one.x, ["Modules started", count(one.load)], ...["finished", "wip", "scrap", "rework"].map((term) =>
        [TERMS[term][0], `${count(one[term].part)} (${percent(one[term].value)})`])],
    })),
    table: {
      columns: [{ label: "Load week" }, column("started", "count"), column("finished", "count"), column("wip", "count"),
        column("scrap", "count"), column("scrap", "percent", "Scrap share"), column("rework", "count")],
      rows: made.map((one) => [one.x, one.load, one.finished.part, one.wip.part, one.scrap.part, one.scrap.value,
        one.rework.part]),
    },
  };
}

/** Each product's rolled and unit yields over the weeks chosen. */
function productSection(productRows, stepRows) {
  const steps = grouped("step", stepRows, "product");
  const made = [...grouped("product", productRows, "product")].map(([index, group]) => ({
    index, x: names.product[index], ...moduleFigures(group),
    first: rolled(steps.get(index) ?? [], "first_pass_qty"), cumm: rolled(steps.get(index) ?? [], "cumm_pass_qty"),
  })).sort((a, b) => collate(a.x, b.x));
  return {
    id: "products", title: "Yield by product", chart: "modules_by_category",
    label: "Per product: bars modules started, points rolled first pass yield and rolled cumm yield.",
    legend: [["qty", "Modules started"], ["first", "First pass yield, rolled"], ["second", "Cumm yield, rolled"]],
    rows: largest(made, "load").map((one) => ({
      x: one.x, qty: one.load, first: one.first.value, second: one.cumm.value, mature: true,
      tip: [one.x, ["Modules started", count(one.load)], ["First pass yield, rolled", percent(one.first.value)],
        ["95 % interval", interval(one.first)], ["Cumm yield, rolled", percent(one.cumm.value)],
        ["95 % interval", interval(one.cumm)], ["Finished", `${percent(one.finished.value)} (${count(one.finished.part)})`]],
    })),
    note: [shownNote(made.length, "products with the most modules"), stillInWork("product", productRows)],
    table: {
      columns: [{ label: "Product" }, column("started", "count"), column("rolledFirst", "percent", "First pass yield"),
        spanColumn, column("rolledCumm", "percent", "Cumm yield"), spanColumn,
        column("unit", "percent"), column("finished", "percent", "Finished share"), column("scrap", "count")],
      rows: made.map((one) => [linked(one.x, hrefOf("product", { product: one.index })), one.load, one.first.value, one.first,
        one.cumm.value, one.cumm, one.unit.value, one.finished.value, one.scrap.part]),
    },
  };
}

/** Step yields by week. Thresholds colour a figure only where all its rows have the same. */
function stepWeeks(rows, product, test) {
  const made = byWeek("step", rows, (x, group) => ({ x, ...stepFigures(group) }));
  return {
    id: "weeks", title: "Yield by load week", chart: "modules_by_week",
    label: "Bars: modules tested. Lines: first pass yield and cumm yield by load week.",
    legend: [["qty", "Modules tested"], ["first", "First pass yield"], ["second", "Cumm yield"]],
    rows: made.map((one) => stepMark(one.x, one)),
    table: {
      columns: [{ label: "Load week" }, ...STEP_COLUMNS, { label: "State" }],
      rows: made.map((one) => [one.x, ...stepCells(one, product, test), stateText(one.mature)]),
    },
  };
}

const STEP_COLUMNS = [column("tested", "count"), column("first", "percent"), spanColumn, column("cumm", "percent"), spanColumn,
  column("attempts", "count"), column("retest", "percent"), column("passSeconds", "seconds", "Duration, passed"),
  column("failSeconds", "seconds", "Duration, failed")];

function stepCells(one, product, test) {
  return [one.load, limited(one.first.value, lowLimit("first_pass_yield", product, test)), one.first,
    limited(one.cumm.value, lowLimit("cumm_yield", product, test)), one.cumm, one.attempts, one.retest.value,
    one.passSeconds, one.failSeconds];
}

function stepMark(x, one) {
  return {
    x, qty: one.load, first: one.first.value, second: one.cumm.value, mature: one.mature,
    tip: [x, ["Modules tested", count(one.load)], ["First pass yield", percent(one.first.value)],
      ["95 % interval", interval(one.first)], ["Cumm yield", percent(one.cumm.value)], ["95 % interval", interval(one.cumm)],
      ["Test attempts", count(one.attempts)], ["Retest pass rate", percent(one.retest.value)],
      ["State", stateText(one.mature)]],
  };
}

/** One product's tests along its route, or one test's products. */
function stepGroups(rows, key, { product = null, test = null }) {
  const order = key === "test" ? testChoices(product) : productChoices();
  const groups = grouped("step", rows, key);
  const made = order.filter((index) => groups.has(index))
    .map((index) => ({ index, x: names[key][index], ...stepFigures(groups.get(index)) }));
  const nameOf = (name, index) => (index === null ? null : names[name][index]);
  const page = data.pages.includes("product_test") ? "product_test" : key;
  return {
    id: `${key}s`, title: key === "test" ? "Yield along the route" : "Yield by product", chart: "modules_by_category",
    label: `Per ${key}: bars modules tested, points first pass yield and cumm yield.`,
    legend: [["qty", "Modules tested"], ["first", "First pass yield"], ["second", "Cumm yield"]],
    rows: (key === "test" ? made : largest(made, "load")).map((one) => ({ ...stepMark(one.x, one), mature: true })),
    note: [key === "test" ? null : shownNote(made.length, "products with the most modules"), stillInWork("step", rows)],
    table: {
      columns: [{ label: key === "test" ? "Test" : "Product" }, ...STEP_COLUMNS],
      rows: made.map((one) => [linked(one.x, hrefOf(page, { product, test, [key]: one.index })),
        ...stepCells(one, key === "test" ? nameOf("product", product) : one.x, key === "test" ? one.x : nameOf("test", test))]),
    },
  };
}

function machineSection(rows, product, test) {
  const made = [...grouped("machine", rows, "machine")]
    .map(([index, group]) => ({ x: names.machine[index] ?? "(none)", ...machineFigures(group) }))
    .sort((a, b) => collate(a.x, b.x));
  return {
    id: "machines", title: "Machines compared", chart: "attempts_by_machine",
    label: "Per machine: bars test attempts, points passing rate with its nominal 95 % interval.",
    legend: [["qty", "Test attempts"], ["first", "Passing rate with nominal 95 % interval"]],
    rows: largest(made, "rate", (rate) => rate.whole).map((one) => ({
      x: one.x, qty: one.rate.whole, first: one.rate.value, first_low: one.rate.low, first_high: one.rate.high, mature: true,
      tip: [one.x, ["Test attempts", count(one.rate.whole)], ["Passing rate", percent(one.rate.value)],
        ["95 % interval, nominal", interval(one.rate)], ["Duration, passed", seconds(one.passSeconds)],
        ["Duration, failed", seconds(one.failSeconds)]],
    })),
    note: shownNote(made.length, "machines with the most attempts"),
    table: {
      columns: [{ label: "Machine" }, column("attempts", "count"), column("rate", "percent"),
        { ...spanColumn, label: "95 % interval, nominal" }, column("passSeconds", "seconds", "Duration, passed"),
        column("failSeconds", "seconds", "Duration, failed")],
      rows: made.map((one) => [one.x, one.rate.whole, limited(one.rate.value, lowLimit("passing_rate", product, test)),
        one.rate, one.passSeconds, one.failSeconds]),
    },
  };
}

function paretoSection(rows) {
  const total = sum("fail", rows, "fail_count");
  const sorted = [...grouped("fail", rows, "error")]
    .map(([index, group]) => ({ x: names.error[index] ?? "(no code)", fails: sum("fail", group, "fail_count") }))
    .sort((a, b) => b.fails - a.fails || collate(a.x, b.x));
  let running = 0;
  const made = sorted.map((one, rank) => {
    running += one.fails;
    return { ...one, rank, share: ratio(one.fails, total), cumulative: ratio(running, total) };
  });
  return {
    id: "pareto", title: "Failure Pareto", chart: "failure_pareto",
    label: "Bars: failed attempts by error code. Line: cumulative share.",
    legend: [["qty", "Failed attempts"], ["first", "Cumulative share"]],
    rows: made.slice(0, 20).map((one) => ({
      x: one.x, qty: one.fails, first: one.cumulative, rank: one.rank, mature: true,
      tip: [one.x, ["Failed attempts", count(one.fails)], ["Share", percent(one.share)],
        ["Cumulative share", percent(one.cumulative)]],
    })),
    note: made.length > 20 ? `The 20 most frequent of ${made.length} error codes; the table has all.` : null,
    table: {
      columns: [{ label: "Error code" }, column("fails", "count"), column("share", "percent"),
        column("share", "percent", "Cumulative share")],
      rows: made.map((one) => [one.x, one.fails, one.share, one.cumulative]),
    },
  };
}

function durationWeeks(rows) {
  const made = byWeek("step", rows, (x, group) => ({ x, ...stepFigures(group) }));
  return {
    id: "durations", title: "Average test duration", chart: "duration_by_week",
    label: "Lines: average seconds of passed and of failed attempts by load week.",
    legend: [["first", "Passed attempts"], ["second", "Failed attempts"]],
    rows: made.map((one) => ({
      x: one.x, first: one.passSeconds, second: one.failSeconds, mature: one.mature,
      tip: [one.x, ["Passed", seconds(one.passSeconds)], ["Failed", seconds(one.failSeconds)],
        ["Test attempts", count(one.attempts)]],
    })),
    table: {
      columns: [{ label: "Load week" }, column("attempts", "count"), column("passSeconds", "seconds"),
        column("failSeconds", "seconds")],
      rows: made.map((one) => [one.x, one.attempts, one.passSeconds, one.failSeconds]),
    },
  };
}

/** Which of the weeks summed are not mature; null: none. */
function stillInWork(tableName, rows) {
  const columns = data.tables[tableName];
  const open = [...new Set(rows.filter((row) => !columns.is_mature[row]).map((row) => columns.week[row]))].sort((a, b) => a - b);
  if (!open.length) return null;
  const weeks = open.length > 3 ? `${open.length} load weeks` : open.map(week).join(", ");
  return `Includes modules of ${weeks} that are still in work.`;
}
