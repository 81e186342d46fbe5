// The pages of spc.html (frame.js says what they are made of).

const TERMS = {
  signals: ["Signals", "Points shown at which a run rule fires. Rules 1 to 8 are Nelson's, w1 to w4 Western Electric's."],
  alerts: ["Alerts", defined("signal", "is_alert", "")],
  shown: ["Points shown", "Points of the chart in this file, at most the last 200 of each panel."],
  version: ["Version of the limits", defined("limit", "version", "")],
  status: ["Status", defined("limit", "status", "")],
  reference: ["Reference subgroups", defined("limit", "reference_count", "")],
  excluded: ["Left out", defined("limit", "excluded_count", "")],
  center: ["Centre line", defined("limit", "center_line", "")],
  lower: ["Lower limit", defined("limit", "lower_limit", "")],
  upper: ["Upper limit", defined("limit", "upper_limit", "")],
  zones: ["Zones", "C is within one standard error of the centre line, B within two, A within three; on charts of means and single values."],
  cp: ["Cp", defined("capability", "cp", "")],
  cpk: ["Cpk", defined("capability", "cpk", "")],
  pp: ["Pp", defined("capability", "pp", "")],
  ppk: ["Ppk", defined("capability", "ppk", "")],
  cpm: ["Cpm", defined("capability", "cpm", "")],
  headline: ["Headline Ppk", defined("capability", "headline_ppk", "")],
  out: ["Out of limits", defined("capability", "out_of_limits_count", "")],
  stability: ["Stability", defined("capability", "stability", "")],
  method: ["Method", defined("capability", "method", "")],
};

const PAGES = {
  control_charts() {
    const chart = data.charts[state.chart];
    const figure = (id, value, text, note = null) => ({ id, label: TERMS[id][0], definition: TERMS[id][1], value, text, note });
    const newest = Object.values(chart.panels)[0];
    const version = Math.max(...newest.version);
    const status = chart.versions.find((one) => one.version === version)?.status;
    return {
      tiles: [figure("signals", chart.signals, count(chart.signals)), figure("alerts", chart.alerts, count(chart.alerts)),
        figure("shown", newest.value.length, count(newest.value.length)),
        figure("version", version, String(version), STATUS[status] ?? status)],
      sections: [...Object.keys(chart.panels).map((panel, index) => panelSection(chart, panel, chart.titles[index])),
        versionSection(chart), listSection()],
      terms: ["signals", "alerts", "version", "status", "reference", "excluded", "center", "lower", "upper", "zones"],
    };
  },
  capability() {
    const one = data.parameters[state.parameter];
    return {
      tiles: capabilityTiles(one), sections: [histogramSection(one), stabilitySection(one), parameterList()],
      terms: ["headline", "method", "cp", "cpk", "pp", "ppk", "cpm", "out", "stability"],
    };
  },
};

const parameterKey = (one) => JSON.stringify([one.product_name, one.test_name, one.parameter]);

function readChoice(asked) {
  const place = (list, key, name) => Math.max(0, (list ?? []).findIndex((one) => key(one) === asked.get(name)));
  state.chart = place(data.charts, (chart) => chart.id, "chart");
  state.parameter = place(data.parameters, parameterKey, "parameter");
}

function queryOf({ chart, parameter }) {
  const query = {};
  if (data.charts) query.chart = data.charts[chart].id;
  if (data.parameters) query.parameter = parameterKey(data.parameters[parameter]);
  return query;
}

function filterNodes() {
  if (state.page === "capability") {
    return [dropDown("parameter", "Parameter, least capable first", data.parameters.map((one, index) => [index, parameterTitle(one)]),
      state.parameter, (value) => choose({ parameter: Number(value) }))];
  }
  return [dropDown("chart", "Chart, those with signals first",
    data.charts.map((chart, index) => [index, `${chartTitle(chart)} (${signalText(chart)})`]), state.chart,
    (value) => choose({ chart: Number(value) }))];
}

function chosenText() {
  if (state.page === "capability") {
    const one = data.parameters[state.parameter];
    return `${parameterTitle(one)} · ${STABILITY[one.stability] ?? one.stability}`;
  }
  const chart = data.charts[state.chart];
  return `${chartTitle(chart)} · ${KINDS[chart.type] ?? chart.type} chart · ${signalText(chart)}`;
}

const reading = {
  pages: PAGES, read: readChoice, query: queryOf, filters: filterNodes, chosen: chosenText,
  hasData: Boolean(data.charts?.length || data.parameters?.length), nothing: "No charts yet.", hollow: null,
};
