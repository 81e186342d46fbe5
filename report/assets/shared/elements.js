// Elements: text becomes text nodes, never markup; numbers become what people read.

const NARROW = "\u202f";
const NONE = "–";

const count = (value) => (value === null ? NONE : Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, NARROW));
const seconds = (value) => (value === null ? NONE : `${value.toFixed(value < 100 ? 1 : 0)}${NARROW}s`);

/** A measured value: five digits at most. */
function number(value, digits = 5) {
  if (value === null || value === undefined) return NONE;
  const rounded = Number(value.toPrecision(digits));
  return Math.abs(rounded) >= 1e5 ? count(rounded) : String(rounded);
}

/** 0.9823 → 98.2 %; a share that is not quite 1 or 0 is not rounded to it. */
function percent(value) {
  if (value === null || value === undefined) return NONE;
  let digits = 1;
  while (digits < 4 && ((value < 1 && Number((value * 100).toFixed(digits)) === 100) ||
    (value > 0 && Number((value * 100).toFixed(digits)) === 0))) digits += 1;
  return `${(value * 100).toFixed(digits)}${NARROW}%`;
}

const interval = ({ low, high }) => (low === null || low === undefined ? NONE : `${percent(low)} to ${percent(high)}`);

/** An element; attributes by name (`class`, `href` …, on… handlers as functions), children as elements or text. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A drop-down; options are [value, text], values are positions or '', never a record's text. */
function dropDown(name, label, options, chosen, change) {
  const select = element("select", { id: name, name, onchange: (event) => change(event.target.value) });
  for (const [value, text] of options) {
    const option = element("option", { value }, text);
    option.selected = String(value) === String(chosen);
    select.append(option);
  }
  return element("label", { for: name }, element("span", {}, label), select);
}

/** A key figure: {id, label, value, text, note, definition, low}. */
function tile({ id, label, value, text, note, definition, low }) {
  return element("div", { class: low ? "tile low" : "tile", "data-figure": id, "data-value": value, title: definition },
    element("dt", {}, label),
    element("dd", {}, element("strong", {}, text), note ? element("small", {}, note) : null));
}

const MARKS = { qty: "bar" };

/** What the marks of a chart mean: [[mark, label]], a mark being a class of page.css; and what a hollow one means. */
function legend(entries, hollow) {
  const marks = [...entries, ...(hollow ? [["immature", hollow]] : [])];
  return element("ul", { class: "legend" }, ...marks.map(([mark, label]) => element("li", {},
    element("i", { class: `mark ${MARKS[mark] ?? mark}`, "aria-hidden": "true" }), label)));
}

const FORMATS = { count, number, percent, seconds, interval };

/** A table that scrolls sideways: columns [{label, format, definition}], rows of values or of `limited` and `linked` cells. */
function table(label, columns, rows) {
  const head = element("tr", {}, ...columns.map(({ label, format, definition }) =>
    element("th", { scope: "col", class: format ? "number" : null, title: definition }, label)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell, place) => {
    const { format } = columns[place];
    const { value, href = null, limit = null } = cell?.isCell ? cell : { value: cell };
    const low = isLow(value, limit);
    const text = format ? FORMATS[format](value) : value ?? NONE;
    const attributes = {
      class: [format ? "number" : "", low ? "low" : ""].join(" ").trim() || null,
      "data-value": typeof value === "number" ? value : null,
      title: low ? `below ${percent(limit)}` : null,
    };
    const content = href ? element("a", { href }, text) : text;
    return place === 0 ? element("th", { scope: "row", ...attributes }, content) : element("td", attributes, content);
  })));
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label },
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

const isLow = (value, limit) => value !== null && limit !== null && limit !== undefined && value < limit;

/** A cell that is coloured below its limit, and one that leads to another page. */
const limited = (value, limit) => ({ isCell: true, value, limit });
const linked = (value, href) => ({ isCell: true, value, href });
