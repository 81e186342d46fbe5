// The temperature wall: a tile per component, what is too hot first; and the sensors that are not as they should be.

const STATES = {
  above_limit: "above its limit", below_limit: "below its limit", bad: "sends no values", silent: "silent",
  never_read: "never read", ok: "ok",
};

/** Seconds as people say them. */
function ageText(seconds) {
  if (seconds === null) return NONE;
  if (seconds < 90) return `${Math.round(Math.max(seconds, 0))}${NARROW}s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)}${NARROW}min ago`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)}${NARROW}h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

const withUnit = (value, unit) => (value === null ? NONE : `${number(value, 4)}${unit ? `${NARROW}${unit}` : ""}`);

function componentTile(one) {
  const place = [one.maker, `lane ${one.lane}`].filter((part) => !part.includes("(none)")).join(" · ");
  const lines = [
    one.limit === null ? "no limit known" : `limit ${withUnit(one.limit, one.unit)}`,
    one.recent ? `${count(one.over)} of ${count(one.recent)} readings over it in 10 min` : "no reading in the last 10 min",
    `maximum of 30 min ${withUnit(one.most, one.unit)}`,
    `read ${ageText(one.age)}${one.sensors > 1 ? ` by ${one.sensors} sensors` : ""}`,
  ];
  return element("div", { class: one.hot ? "tile hot" : "tile", title: `Hottest: ${one.hottest}` },
    element("dt", {}, one.name === "(none)" ? one.hottest : one.name, place ? element("small", {}, place) : null),
    element("dd", {}, element("strong", { "data-value": one.value }, withUnit(one.value, one.unit)),
      one.hot ? element("em", {}, "over its limit") : null, ...lines.map((line) => element("small", {}, line))));
}

function wallSection() {
  const shown = data.components;
  return {
    id: "wall", title: "Components now",
    body: [element("dl", { class: "tiles wall" }, ...shown.map(componentTile))],
    note: [shown.length < data.componentCount
      ? `${count(shown.length)} of ${count(data.componentCount)} components, the hottest first; all are in the sheet component_temperature.` : null,
    "Now is the newest arrival of all sensors. A component's value is the highest of its sensors' last ones."],
    table: {
      columns: [{ label: "Component" }, { label: "Made by" }, { label: "Lane" }, { label: "Now", format: "number" },
        { label: "Limit", format: "number" }, { label: "Readings over it, 10 min", format: "count" },
        { label: "Maximum, 30 min", format: "number" }, { label: "Last read" }, { label: "Hottest sensor" }],
      rows: shown.map((one) => [one.name, one.maker, one.lane, one.value, one.limit, one.over, one.most, ageText(one.age),
        one.hottest]),
    },
  };
}

function sensorSection() {
  const troubled = data.sensors.filter((one) => one.state !== "ok");
  const all = Object.entries(data.states).reduce((total, [state, many]) => total + (state === "ok" ? 0 : many), 0);
  const columns = [{ label: "Sensor" }, { label: "Machine" }, { label: "State" }, { label: "Last value", format: "number" },
    { label: "Unit" }, { label: "Lower limit", format: "number" }, { label: "Upper limit", format: "number" }, { label: "Last read" }];
  const rows = troubled.map((one) => [one.sensor_id, one.machine_id, STATES[one.state] ?? one.state, one.value_last, one.unit,
    one.lower_limit, one.upper_limit, one.age_s === null ? "never" : ageText(one.age_s)]);
  return {
    id: "sensors", title: "Sensors that are not as they should be",
    body: [rows.length ? table("Sensors", columns, rows) : element("p", { class: "empty" }, "All sensors are as they should be.")],
    note: troubled.length < all ? `${count(troubled.length)} of ${count(all)}; all are in the sheet sensor_status.` : null,
  };
}

function wallTiles() {
  const figure = (id, value, note = null, low = false) => {
    const [label, definition] = TERMS[id];
    return { id, label, definition, value, text: count(value), note, hot: low };
  };
  return [figure("components", data.componentCount), figure("hot", data.hotCount), figure("above", data.states.above_limit),
    figure("below", data.states.below_limit), figure("silent", data.states.silent + data.states.bad),
    figure("never", data.states.never_read)];
}
