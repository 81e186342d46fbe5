// Figures of oee.html: parts summed over days and machines, divided as macros/oee_kpis.sql divides them.

const PARTS = ["pbt_s", "apt_s", "no_data_s", "produced", "good", "unrated_count", "planned_run_time_s", "planned_run_time_good_s"];

const NO_LINE = -1; // machines without a line

/** Row numbers of a table that fit the choice {line, machine, from, to, days, shownDay}; null means any. */
function rowsOf(name, { line = null, machine = null, from = null, to = null, days = null, shownDay = null }) {
  const columns = data.tables[name];
  if (!columns) return [];
  const weekOf = columns.week ? (row) => columns.week[row] : columns.day && ((row) => data.weekOfDay[columns.day[row]]);
  return columns.line.map((_, row) => row).filter((row) =>
    (line === null || (columns.line[row] ?? NO_LINE) === line) && (machine === null || columns.machine[row] === machine)
    && (from === null || !weekOf || (weekOf(row) >= from && weekOf(row) <= to))
    && (days === null || days.has(columns.day[row])) && (shownDay === null || columns.shownDay[row] === shownDay));
}

const isEnough = (part, whole) => whole > 0 && part / whole >= data.minDataCoverage;

/**
 * OEE and its parts of `machine` or `line` rows, all of the same machines (lines): those whose units have a standard rate,
 * `ratedCount` of `count`. Where none has, availability and quality are those of all, and OEE and effectiveness are null;
 * OEE also where too little of their time is known.
 */
function oeeFigures(name, rows) {
  const each = [...grouped(name, rows, name).values()].map((group) => partsOf(name, group))
    .filter((one) => one.pbt_s + one.no_data_s > 0);
  const rated = each.filter((one) => one.apt_s === 0 || isEnough(one.produced - one.unrated_count, one.produced));
  const judged = rated.length ? rated : each;
  const total = (part, some = each) => some.reduce((all, one) => all + one[part], 0);
  const share = (part, whole, some = each) => ratio(total(part, some), total(whole, some));
  return {
    busy: total("pbt_s"), noData: total("no_data_s"), produced: total("produced"), good: total("good"),
    coverage: ratio(total("pbt_s"), total("pbt_s") + total("no_data_s")),
    oee: isEnough(total("pbt_s", rated), total("pbt_s", rated) + total("no_data_s", rated))
      ? share("planned_run_time_good_s", "pbt_s", rated) : null,
    availability: share("apt_s", "pbt_s", judged),
    effectiveness: share("planned_run_time_s", "apt_s", rated),
    quality: share("good", "produced", judged),
    ratedCount: rated.length, count: each.length,
  };
}

const partsOf = (name, rows) => Object.fromEntries(PARTS.map((part) => [part, sum(name, rows, part)]));

/** The values of a key column in some rows, by name; NO_LINE, last, stands for none. */
function valuesOf(name, rows, key) {
  const found = [...new Set(rows.map((row) => data.tables[name][key][row] ?? NO_LINE))];
  return found.sort((a, b) => (a === NO_LINE) - (b === NO_LINE) || collate(names[key][a] ?? "", names[key][b] ?? ""));
}

const lineName = (line) => (line === NO_LINE ? "(no line)" : names.line[line]);
