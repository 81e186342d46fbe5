// Figures of the yield pages: parts are summed over the rows the reader chose, then divided.

/** Row numbers of a table that fit the choice {product, test, from, to}; null in the choice means any. */
function rowsOf(table, { product = null, test = null, from, to }) {
  const columns = data.tables[table];
  const found = [];
  if (!columns) return found;
  columns.week.forEach((week, row) => {
    const fits =
      week >= from && week <= to &&
      (product === null || columns.product[row] === product) &&
      (test === null || columns.test[row] === test);
    if (fits) found.push(row);
  });
  return found;
}

/** Product over the route's tests of (Σ passed / Σ load quantity), of one product's `step` rows. A zero factor gives 0. */
function rolled(rows, passed) {
  const { sequence } = data.tables.step;
  const onRoute = rows.some((row) => sequence[row] !== null) ? rows.filter((row) => sequence[row] !== null) : rows;
  let value = null;
  let variance = 0;
  for (const group of grouped("step", onRoute, "test").values()) {
    const whole = sum("step", group, "load_qty");
    const part = sum("step", group, passed);
    if (whole === 0) continue;
    value = (value ?? 1) * (part / whole);
    variance += (1 - part / whole) / part;
  }
  if (!value) return { value, low: null, high: null };
  const spread = Math.exp(Z * Math.sqrt(variance));
  return { value, low: value / spread, high: Math.min(1, value * spread) };
}

/** Yields, tests and durations of `step` rows, summed over whatever they span. */
function stepFigures(rows) {
  const of = (column) => sum("step", rows, column);
  return {
    load: of("load_qty"),
    first: share(of("first_pass_qty"), of("load_qty")),
    cumm: share(of("cumm_pass_qty"), of("load_qty")),
    attempts: of("test_qty"),
    passes: of("test_qty_pass"),
    retest: share(of("retest_pass_qty"), of("retest_module_qty")),
    passSeconds: ratio(of("pass_duration_sum_s"), of("pass_duration_count")),
    failSeconds: ratio(of("fail_duration_sum_s"), of("fail_duration_count")),
    mature: rows.every((row) => data.tables.step.is_mature[row]),
  };
}

/** Passing rate and durations of `machine` rows. */
function machineFigures(rows) {
  const of = (column) => sum("machine", rows, column);
  return {
    rate: share(of("pass_count"), of("test_count")),
    passSeconds: ratio(of("pass_duration_sum_s"), of("pass_duration_count")),
    failSeconds: ratio(of("fail_duration_sum_s"), of("fail_duration_count")),
  };
}

/** Modules and what became of them, of `product` rows. The unit yield is given of all rows and of the mature ones. */
function moduleFigures(rows) {
  const mature = rows.filter((row) => data.tables.product.is_mature[row]);
  const of = (column, some = rows) => sum("product", some, column);
  return {
    load: of("load_qty"),
    unit: share(of("unit_first_pass_qty"), of("load_qty")),
    unitMature: share(of("unit_first_pass_qty", mature), of("load_qty", mature)),
    finished: share(of("finished_qty"), of("load_qty")),
    scrap: share(of("scrap_qty"), of("load_qty")),
    wip: share(of("wip_qty"), of("load_qty")),
    rework: share(of("rework_qty"), of("load_qty")),
    mature: mature.length === rows.length,
    matureRows: mature.length,
    allRows: rows.length,
  };
}

/** The published rolled yield of one product in one week: a cell of summary_prod. */
function publishedYield(row, name) {
  const columns = data.tables.product;
  return { value: columns[name][row], low: columns[`${name}_low`][row], high: columns[`${name}_high`][row] };
}

/** The threshold of a figure: the most specific row that fits (product and test, test, product, any), or null. */
function lowLimit(metric, product, test) {
  let best = null;
  let rank = -1;
  for (const [name, ofProduct, ofTest, low] of data.targets) {
    const fits = name === metric && (ofProduct === null || ofProduct === product) && (ofTest === null || ofTest === test);
    const precision = (ofTest === null ? 0 : 2) + (ofProduct === null ? 0 : 1);
    if (fits && precision > rank) [best, rank] = [low, precision];
  }
  return best;
}

/** Products of the page, by name; tests by their place on the routes, then by name. */
function productChoices() {
  return names.product.map((_, index) => index).sort((a, b) => collate(names.product[a], names.product[b]));
}

function testChoices(product = null) {
  const { product: products, test: tests, sequence } = data.tables.step;
  const place = new Map();
  tests.forEach((test, row) => {
    if (product !== null && products[row] !== product) return;
    place.set(test, Math.min(place.get(test) ?? Infinity, sequence[row] ?? Infinity));
  });
  return [...place.keys()].sort((a, b) => place.get(a) - place.get(b) || collate(names.test[a], names.test[b]));
}
