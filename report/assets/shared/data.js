// The document's data, and how figures are made of it: parts are summed over the rows the reader chose, then divided.

const data = JSON.parse(document.getElementById("data").textContent);
const names = data.names ?? {};
const Z = 1.959963984540054; // 95 %
const LARGEST = 40; // categories a chart shows; the table has all

const collate = new Intl.Collator("en", { numeric: true }).compare;
const defined = (table, column, otherwise) => data.definitions[table]?.[column] ?? otherwise;

/** Rows by the value of a key column: Map of value → row numbers, in order of the value's position. */
function grouped(table, rows, key) {
  const column = data.tables[table][key];
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(column[row])) groups.set(column[row], []);
    groups.get(column[row]).push(row);
  }
  return new Map([...groups].sort(([a], [b]) => a - b));
}

function sum(table, rows, column) {
  const values = data.tables[table][column];
  return rows.reduce((total, row) => total + (values[row] ?? 0), 0);
}

const ratio = (part, whole) => (whole > 0 ? part / whole : null);

/** Wilson's 95 % interval of k of n. */
function wilson(k, n) {
  if (!(n > 0)) return [null, null];
  const p = k / n;
  const middle = p + (Z * Z) / (2 * n);
  const half = Z * Math.sqrt((p * (1 - p) + (Z * Z) / (4 * n)) / n);
  const scale = 1 + (Z * Z) / n;
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}

/** A share with its parts and interval: {value, part, whole, low, high}. */
function share(part, whole) {
  const [low, high] = wilson(part, whole);
  return { value: ratio(part, whole), part, whole, low, high };
}

/** The categories with the largest quantity, in the order in which they came. */
function largest(made, name, quantity = (value) => value) {
  if (made.length <= LARGEST) return made;
  const kept = new Set([...made].sort((a, b) => quantity(b[name]) - quantity(a[name])).slice(0, LARGEST));
  return made.filter((one) => kept.has(one));
}

const shownNote = (all, what) => (all > LARGEST ? `The ${LARGEST} ${what}, of ${all}; the table has all.` : null);
