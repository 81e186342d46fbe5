// Charts: a specification per chart, its rows handed over by name. A chart stays while its page stays.

const specifications = JSON.parse(document.getElementById("charts").textContent);
const drawn = new Map(); // chart id → {node, view, rows, name}
const tip = document.getElementById("tip");

/** The node of a chart; the same one as long as the page is the same, so that filtering does not flicker. */
function chartNode(id) {
  if (!drawn.has(id)) drawn.set(id, { node: element("div", { class: "chart" }), view: null });
  return drawn.get(id).node;
}

function forgetCharts() {
  for (const { view } of drawn.values()) view?.finalize();
  drawn.clear();
  tip.hidden = true;
}

/** Draws or redraws a chart whose node is in the page; `params`: of its specification. Settles when it shows `rows`. */
async function draw(id, name, label, rows, params = {}) {
  const chart = drawn.get(id);
  chart.rows = rows;
  chart.params = { ...axes(rows), ...params };
  chart.name = name;
  if (!chart.embedding) {
    // with rows and axes from the start: drawn on other axes first, the picture would grow to their size
    const specification = structuredClone(specifications[name]);
    for (const parameter of specification.params) parameter.value = chart.params[parameter.name] ?? parameter.value;
    specification.height = heightOf(specification, rows);
    chart.embedding = vegaEmbed(chart.node, { ...specification, description: label, datasets: { rows } }, {
      actions: false, ast: true, renderer: "svg", defaultStyle: false, tooltip: showTip,
      formatLocale: { decimal: ".", thousands: NARROW, grouping: [3], currency: ["", ""] },
    }).then((result) => { chart.view = result.view; });
  }
  await chart.embedding;
  if (drawn.get(id) !== chart) { chart.view.finalize(); return; } // the reader has left the page
  chart.view.data("rows", chart.rows);
  for (const { name: signal } of specifications[name].params) {
    if (signal in chart.params) chart.view.signal(signal, chart.params[signal]);
  }
  chart.view.height(heightOf(specifications[name], chart.rows));
  await chart.view.runAsync();
}

/** A chart that grows does so with its rows: with the categories among them, where there are several rows to one. */
const heightOf = ({ height, usermeta }, rows) =>
  (usermeta.rowHeight ? usermeta.rowHeight * new Set(rows.map((row) => row.x)).size : height);

/** Ends of the axes that suit the rows; that of shares is 1, unless one is above it. */
function axes(rows) {
  const tops = rows.map((row) => row.qty ?? Math.max(row.first ?? 0, row.second ?? 0));
  const shares = rows.flatMap((row) => (row.qty === undefined ? [] : [row.first ?? 0, row.second ?? 0]));
  return { quantityTop: Math.max(1, ...tops) * 1.2, yieldLow: axisStart(rows), yieldTop: Math.ceil(Math.max(1, ...shares) * 10) / 10 };
}

/** A round start of the yield axis somewhat below the lowest value; 0 where nothing is known. */
function axisStart(rows) {
  const values = rows.flatMap((row) => [row.first, row.second, row.first_low]).filter((value) => typeof value === "number");
  if (!values.length) return 0;
  const lowest = Math.min(...values);
  const span = Math.max(0, 1 - lowest);
  const step = span > 0.3 ? 0.1 : span > 0.1 ? 0.05 : 0.01;
  return Number(Math.max(0, Math.floor((lowest - 0.08 * span) / step) * step).toFixed(2));
}

/** Vega's tooltip, as text: `tip` of the row is [title, [label, text], …]. */
function showTip(_handler, event, _item, row) {
  const lines = row?.tip;
  if (!lines) { tip.hidden = true; return; }
  const [title, ...pairs] = lines;
  tip.replaceChildren(element("b", {}, title),
    element("dl", {}, ...pairs.flatMap(([label, text]) => [element("dt", {}, label), element("dd", {}, text)])));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const left = event.clientX + 16 + width > clientWidth ? event.clientX - width - 16 : event.clientX + 16;
  const top = event.clientY + 16 + height > clientHeight ? event.clientY - height - 16 : event.clientY + 16;
  tip.style.left = `${Math.max(4, Math.min(left, clientWidth - width - 4))}px`;
  tip.style.top = `${Math.max(4, top)}px`;
}

// On paper: as wide as an A4 page's text, lower than on a screen, and text as large as it is meant to be.
const PAPER = { width: 640, height: 160, rowHeight: 17 };

function resizeCharts(onPaper) {
  tip.hidden = true;
  for (const { node, view, rows, name } of drawn.values()) {
    if (!view) continue;
    const { height, usermeta } = specifications[name];
    const rowHeight = usermeta.rowHeight && (onPaper ? PAPER.rowHeight : usermeta.rowHeight);
    view.width(onPaper ? PAPER.width : node.clientWidth);
    view.height(heightOf({ height: onPaper ? PAPER.height : height, usermeta: { rowHeight } }, rows));
    view.resize().run();
  }
}

addEventListener("beforeprint", () => resizeCharts(true));
addEventListener("afterprint", () => resizeCharts(false));
addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
