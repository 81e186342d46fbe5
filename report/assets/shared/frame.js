// The frame of a document: header, navigation, filters, sections. A document's own scripts come before it and define
//   TERMS    term → [label, definition]
//   reading  {pages, read, query, filters, chosen, hasData, nothing, hollow}:
//     pages    page → function that gives {tiles, sections, terms} of the present choice
//     read     puts the address's pairs (URLSearchParams) into `state`; what does not fit the data becomes the default
//     query    the pairs of a choice, as they stand in the address
//     filters  the drop-downs of the present page
//     chosen   what was chosen, in words
//     hasData  whether there is anything to show; `nothing` says so where there is not
//     hollow   what a hollow mark means
// A section is {id, title, label, legend, note, chart, rows, params, table, kind}, or has `body` (elements) in place of a
// chart; page.css knows its kind.
// What the reader chose is in the address (#page?product=…), so that back, links and bookmarks work.

const state = { page: null };
const FINDINGS = "findings";

/** The address of a page with the present choice, changed by `changes`. null: no such page in this document. */
function hrefOf(page, changes = {}) {
  if (!data.pages.includes(page) && page !== FINDINGS) return null;
  return `#${page}?${new URLSearchParams(reading.query({ ...state, ...changes }))}`;
}

/** Follows a choice of the reader; a span (`from`, `to`) stays one. */
function choose(changes) {
  const choice = { ...state, ...changes };
  if (choice.from > choice.to) {
    if ("from" in changes) changes.to = changes.from;
    else changes.from = changes.to;
  }
  location.hash = hrefOf(state.page, changes);
}

function readAddress() {
  const [page, query = ""] = location.hash.slice(1).split("?");
  state.page = data.pages.includes(page) || page === FINDINGS ? page : data.pages[0] ?? FINDINGS;
  reading.read(new URLSearchParams(query));
}

/** A column of a table, labelled and defined by its term. */
function column(term, format, label = TERMS[term][0]) {
  return { label, format, definition: TERMS[term][1] };
}

function header() {
  const { run } = data;
  const until = run.asOf ?? run.lastDay;
  const facts = until ? [`Data up to ${until} (${run.timezone})`] : [];
  facts.push(run.records ? `${count(run.records)} test records` : "No test records yet");
  if (run.rejects) facts.push(`${count(run.rejects)} rejected`);
  const findings = `${count(data.allFindings)} data-quality ${data.allFindings === 1 ? "finding" : "findings"}, `
    + `${count(run.findings)} ${run.findings === 1 ? "warning or error" : "warnings or errors"}`;
  document.getElementById("header").replaceChildren(
    element("h1", {}, data.title, element("span", {}, ` ${run.plant}`)),
    element("p", {}, `${data.role} · ${facts.join(" · ")} · `, element("a", { href: `#${FINDINGS}` }, findings)));
}

const titleOf = (page) => data.titles[page] ?? "Data quality";

function navigation() {
  const others = document.getElementById("documents");
  others.hidden = data.documents.length < 2;
  others.replaceChildren(...(others.hidden ? [] : data.documents).map(([name, title]) => element("a",
    { href: `${name}.html`, "aria-current": name === data.document ? "page" : null }, title)));
  document.getElementById("pages").replaceChildren(...[...data.pages, FINDINGS].map((page) =>
    element("a", { href: hrefOf(page), "aria-current": page === state.page ? "page" : null }, titleOf(page))));
}

function filters() {
  const form = document.getElementById("filters");
  const parts = state.page === FINDINGS || !reading.hasData ? [] : reading.filters();
  form.replaceChildren(...parts);
  form.hidden = !parts.length;
}

function sectionNode(section, opened) {
  const hollow = section.rows?.some((row) => row.mature === false) ? reading.hollow : null;
  const notes = [section.note].flat().filter(Boolean).join(" ");
  const note = (tag) => (notes ? element(tag, { class: "note" }, notes) : null);
  const parts = [];
  if (section.body) parts.push(...section.body, note("p"));
  else if (!section.rows.length) parts.push(element("p", { class: "empty" }, section.nothing ?? "Nothing here in the weeks chosen."));
  else parts.push(element("figure", {}, legend(section.legend, hollow), chartNode(`${state.page}-${section.id}`), note("figcaption")));
  const rows = section.table?.rows ?? [];
  return element("section", { id: `section-${section.id}`, "data-kind": section.kind }, element("h3", {}, section.title), ...parts,
    rows.length ? element("details", { id: `table-${section.id}`, open: opened.has(`table-${section.id}`) },
      element("summary", {}, `Table: ${section.title}`), table(section.title, section.table.columns, rows)) : null);
}

function findingsPage() {
  const where = (row) => row.slice(3, 7).filter((part) => part !== null).join(" · ") || NONE;
  const rows = data.findings.map((row) => [row[0].replaceAll("_", " "), row[1], row[2], where(row), row[7], row[8], row[9]]);
  const columns = [{ label: "Finding" }, { label: "Severity" }, { label: "Table" }, { label: "Where" }, { label: "What" },
    { label: "How many", format: "count" }, { label: "Example" }];
  const more = data.allFindings > rows.length
    ? `The gravest ${count(rows.length)} of ${count(data.allFindings)}; all are in the published table data_quality.` : null;
  return [element("p", { class: "chosen" }, rows.length ? "What the checks found in the records." : "No findings."),
    rows.length ? table("Findings", columns, rows) : null, more ? element("p", {}, more) : null];
}

function terms(names, opened) {
  return element("details", { id: "terms", open: opened.has("terms") }, element("summary", {}, "Definitions"),
    element("dl", {}, ...names.flatMap((term) => [element("dt", {}, TERMS[term][0]), element("dd", {}, TERMS[term][1])])));
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
  document.title = `${data.title} · ${data.run.plant} · ${titleOf(state.page)}`;
  document.body.dataset.page = state.page;
  const content = [element("h2", {}, titleOf(state.page))];
  let sections = [];
  if (state.page === FINDINGS) content.push(...findingsPage());
  else if (!reading.hasData) content.push(element("p", { class: "empty" }, reading.nothing));
  else {
    const page = reading.pages[state.page]();
    sections = page.sections;
    content.push(element("p", { class: "chosen" }, reading.chosen()),
      page.tiles?.length ? element("dl", { class: page.tiles.length > 6 ? "tiles many" : "tiles" }, ...page.tiles.map(tile)) : null,
      element("div", { class: "sections" }, ...sections.map((section) => sectionNode(section, opened))),
      page.terms.length ? terms(page.terms, opened) : null);
  }
  main.replaceChildren(...content.filter(Boolean));
  if (before !== state.page) scrollTo(0, 0);
  await Promise.all(sections.filter((section) => section.chart && section.rows.length).map((section) =>
    draw(`${state.page}-${section.id}`, section.chart, section.label, section.rows, section.params)));
  main.setAttribute("data-ready", "");
}

addEventListener("hashchange", show);
show();
