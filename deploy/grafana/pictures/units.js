"use strict";
// Values as Grafana writes them: its units, its number of decimals, its colours.
const COLORS = {
  green: "#73BF69", yellow: "#FADE2A", orange: "#FF9830", red: "#F2495C", blue: "#5794F2", purple: "#B877D9",
  "dark-red": "#C4162A", "dark-orange": "#FA6400", "dark-yellow": "#E0B400", "dark-purple": "#8F3BB8",
};
const CLASSIC = [
  "#73BF69", "#F2CC0C", "#8AB8FF", "#FF780A", "#F2495C", "#5794F2", "#B877D9", "#705DA0", "#37872D", "#FADE2A",
  "#447EBC", "#C15C17", "#890F02", "#0A437C", "#6D1F62", "#584477", "#B7DBAB", "#F4D598", "#70DBED", "#F9BA8F",
];
const color = (name) => COLORS[name] || name;

function fixed(value, decimals) {
  if (value === 0) return "0";
  const free = decimals == null;
  if (free) {
    const log = Math.floor(Math.log10(Math.abs(value)));
    let places = 1 - log;
    if (Math.abs(value) / 10 ** -places > 2.25) places += 1;
    decimals = value % 1 === 0 ? 0 : Math.min(Math.max(0, places), 3);
  }
  const text = value.toFixed(decimals);
  if (free) return String(Number(text));
  return Number(text) === 0 ? (0).toFixed(decimals) : text;
}

function scaled(value, steps, decimals) {
  let [size, name] = steps[0];
  for (const [from, word] of steps) if (Math.abs(value) >= from) [size, name] = [from, word];
  return fixed(value / size, decimals) + name;
}

const KIB = 1024;
const SECONDS = [
  [1e-6, " µs"], [1e-3, " ms"], [1, " s"], [60, " mins"], [3600, " hours"], [86400, " days"], [604800, " weeks"],
];
const BYTES = [[1, " B"], [KIB, " KiB"], [KIB ** 2, " MiB"], [KIB ** 3, " GiB"], [KIB ** 4, " TiB"]];
const SHORT = [[1, ""], [1e3, " K"], [1e6, " Mil"], [1e9, " Bil"]];

function written(value, unit, decimals) {
  if (value == null) return "";
  if (unit.startsWith("suffix:")) return fixed(value, decimals) + unit.slice(7);
  if (value === 0) return unit === "percentunit" ? "0%" : unit === "s" ? "0 s" : unit === "bytes" ? "0 B" : "0";
  if (unit === "s") return scaled(value, SECONDS, decimals);
  if (unit === "bytes") return scaled(value, BYTES, decimals);
  if (unit === "percentunit") return fixed(value * 100, decimals ?? (Math.abs(value) >= 0.1 ? 0 : undefined)) + "%";
  if (unit === "short" && Math.abs(value) >= 1000) return scaled(value, SHORT, decimals);
  return fixed(value, decimals);
}

// Steps of an axis that are round in its unit.
const TWOS = Array.from({ length: 44 }, (_, at) => 2 ** at);
const WAITS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400];
const TIMES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];
const increments = (unit) => ({ bytes: TWOS, s: WAITS })[unit];

function threshold(value, steps) {
  let found = steps[0].color;
  for (const step of steps) if (step.value == null || value >= step.value) found = step.color;
  return color(found);
}

function mapped(value, mappings) {
  for (const mapping of mappings || []) {
    if (mapping.type === "range" && value >= mapping.options.from) return mapping.options.result;
    if (mapping.type === "value" && String(value) in mapping.options) return mapping.options[String(value)];
  }
  return null;
}

function clock(at, length) {
  const text = new Date(at * 1000).toISOString();
  if (length > 3 * 86400) return text.slice(5, 10);
  return length < 600 ? text.slice(11, 19) : text.slice(11, 16);
}
