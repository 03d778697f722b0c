"use strict";
// Draws a dashboard as Grafana would: `draw({title, range, chosen, panels, marks})`, panels as in its JSON with
// `answers`: [{ref, legend, step, from, to, series: [{labels, points}]}]. No Grafana is asked.
const UNIT = 30, GAP = 8, WIDTH = 1584;

function make(parent, tag, attributes = {}, text) {
  const made = parent.appendChild(document.createElement(tag));
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text != null) made.textContent = text;
  return made;
}

function place(node, grid) {
  const column = (WIDTH + GAP) / 24;
  node.style.left = `${grid.x * column}px`;
  node.style.top = `${grid.y * (UNIT + GAP)}px`;
  node.style.width = `${grid.w * column - GAP}px`;
  node.style.height = `${grid.h * (UNIT + GAP) - GAP}px`;
}

function named(answer, series) {
  const text = answer.legend.replace(/\{\{(\w+)\}\}/g, (_, label) => series.labels[label] ?? "");
  if (answer.legend !== "__auto") return text.trim();
  return Object.values(series.labels).join(" ") || "value";
}

function overrides(panel, name) {
  const found = {};
  for (const over of panel.fieldConfig.overrides || []) {
    if (over.matcher.id === "byName" && over.matcher.options === name) {
      for (const { id, value } of over.properties) found[id] = value;
    }
  }
  return found;
}

// ---- one number, or several

function stat(panel, body) {
  const all = panel.answers.flatMap((a) => a.series.map((s) => [named(a, s), s.points.at(-1)[1]]));
  const own = panel.fieldConfig.defaults;
  const box = make(body, "div", { class: "stats" });
  if (!all.length) all.push(["", null]);
  const [width, height] = [body.clientWidth, body.clientHeight];
  let across = 1;
  while (across < all.length && width / across > 2.6 * (height / Math.ceil(all.length / across))) across += 1;
  box.style.gridTemplateColumns = `repeat(${across}, 1fr)`;
  for (const [name, value] of all) {
    const word = value == null ? null : mapped(value, own.mappings);
    const onlyName = panel.options?.textMode === "name";
    const text = value == null ? own.noValue : onlyName ? name : word?.text ?? written(value, own.unit, own.decimals);
    const back = value == null ? color(own.thresholds.steps.at(-1).color) : color(word?.color ?? "") || threshold(value, own.thresholds.steps);
    const paint = value == null ? "#2b2e35" : back;
    const cell = make(box, "div", { class: `stat${light(paint) ? " light" : ""}` });
    cell.style.background = paint;
    const titled = all.length > 1 && !onlyName;
    if (titled) make(cell, "div", { class: "name" }, name);
    const room = height / Math.ceil(all.length / across);
    const size = Math.min(room * (titled ? 0.42 : 0.5), (width / across) / (text.length * 0.72), 44);
    make(cell, "div", { class: "value" }, text).style.fontSize = `${Math.max(size, 12)}px`;
  }
}

function light(paint) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(paint.slice(at, at + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 150;
}

// ---- tables: Grafana's transformations "merge" and "organize"

function table(panel, body) {
  const organized = panel.transformations.find((t) => t.id === "organize").options;
  const order = Object.entries(organized.indexByName).sort((a, b) => a[1] - b[1]).map(([name]) => name);
  const rows = new Map();
  for (const answer of panel.answers) {
    const field = panel.targets.length > 1 ? `Value #${answer.ref}` : "Value";
    for (const series of answer.series) {
      const key = JSON.stringify(Object.entries(series.labels).sort());
      if (!rows.has(key)) rows.set(key, { ...series.labels });
      rows.get(key)[field] = series.points.at(-1)[1];
    }
  }
  if (!rows.size) return nothing(body, panel);
  const { displayName, desc } = panel.options.sortBy[0];
  const sorter = order.find((name) => (organized.renameByName[name] || name) === displayName);
  const sorted = [...rows.values()].sort((a, b) => {
    if (a[sorter] == null || b[sorter] == null) return (a[sorter] == null) - (b[sorter] == null);
    return (desc ? -1 : 1) * (a[sorter] - b[sorter]);
  });
  const drawn = make(body, "table");
  const head = make(make(drawn, "thead"), "tr");
  const isNumber = (name) => name.startsWith("Value");
  for (const name of order) {
    const title = organized.renameByName[name] || name;
    const arrow = title === displayName ? (desc ? " ↓" : " ↑") : "";
    make(head, "th", { class: isNumber(name) ? "number" : "" }, title + arrow);
  }
  const lines = make(drawn, "tbody");
  for (const row of sorted.slice(0, Math.floor((body.clientHeight - 26) / 26))) {
    const line = make(lines, "tr");
    for (const name of order) cell(panel, line, row[name], organized.renameByName[name], isNumber(name));
  }
}

function cell(panel, line, value, title, isNumber) {
  if (!isNumber) return make(line, "td", {}, value ?? "");
  const own = overrides(panel, title);
  const word = mapped(value, own.mappings);
  const text = value == null ? panel.fieldConfig.defaults.noValue : word?.text ?? written(value, own.unit, own.decimals);
  const made = make(line, "td", { class: "number" }, text);
  if (value == null || !own["custom.cellOptions"]) return made;
  const paint = word ? color(word.color) : threshold(value, own.thresholds?.steps ?? [{ color: "green", value: null }]);
  made.style.background = paint;
  made.style.color = light(paint) ? "#1b1c20" : "#fff";
  return made;
}

// ---- over time

function grid(panel) {
  const instants = new Set();
  for (const a of panel.answers) for (const s of a.series) for (const [at] of s.points) instants.add(at);
  const { from, to, step } = panel.answers[0];
  for (let at = from; at <= to + step / 2; at += step) instants.add(Math.round(at * 1000) / 1000);
  return [...instants].sort((a, b) => a - b);
}

function timeseries(panel, body, marks) {
  const drawn = panel.answers.flatMap((a) => a.series.map((s) => ({ name: named(a, s), points: s.points })));
  if (!drawn.length) return nothing(body, panel);
  drawn.forEach((series, at) => {
    const own = overrides(panel, series.name);
    series.color = own.color ? color(own.color.fixedColor) : CLASSIC[at % CLASSIC.length];
  });
  const times = grid(panel);
  const custom = panel.fieldConfig.defaults.custom || {};
  const stacks = custom.stacking?.mode === "normal";
  const columns = drawn.map(({ points }) => {
    const at = new Map(points);
    return times.map((time) => at.get(time) ?? null);
  });
  const legend = legendBelow(body, drawn);
  chart(panel, body, times, stacks ? stacked(columns) : columns, drawn, { stacks, custom, legend, marks });
}

function stacked(columns) {
  const sums = columns[0].map((_, at) => (columns.some((column) => column[at] != null) ? 0 : null));
  return columns.map((column) => column.map((value, at) => (sums[at] == null ? null : (sums[at] += value ?? 0))));
}

function legendBelow(body, drawn) {
  const box = make(body, "div", { class: "legend" });
  box.style.position = "absolute";
  box.style.bottom = "2px";
  for (const { name, color: paint } of drawn) {
    const item = make(box, "span");
    make(item, "i").style.background = paint;
    item.append(name);
  }
  return Math.min(box.scrollHeight, 40) + 2;
}

function chart(panel, area, times, columns, drawn, { stacks, custom, legend, marks }) {
  const { from, to, step } = panel.answers[0];
  const own = panel.fieldConfig.defaults;
  const bars = custom.drawStyle === "bars";
  const opacity = Math.round(((custom.fillOpacity ?? 0) / 100) * 255).toString(16).padStart(2, "0");
  const series = drawn.map(({ name, color: paint }) => ({
    label: name, stroke: paint, width: bars ? 0 : 1.5, spanGaps: custom.spanNulls === true,
    points: { show: custom.showPoints === "always", size: 5, fill: paint },
    fill: paint + (bars ? "d0" : opacity),
    paths: bars ? uPlot.paths.bars({ size: [0.85, 40] }) : undefined,
  }));
  const order = stacks ? series.map((_, at) => at).reverse() : series.map((_, at) => at);
  const lines = custom.thresholdsStyle && custom.thresholdsStyle.mode !== "off" ? own.thresholds.steps.filter((s) => s.value != null) : [];
  const highest = Math.max(...columns.flat().filter((v) => v != null), ...lines.map((s) => s.value));
  const lowest = Math.min(0, ...columns.flat().filter((v) => v != null));
  const top = highest > 0 ? highest * 1.08 : 1;
  const length = to - from;
  new uPlot({
    width: area.clientWidth, height: area.clientHeight - (legend || 4), legend: { show: false }, cursor: { show: false }, padding: [10, 22, 0, 0],
    scales: { x: { time: true, range: () => (bars ? [from - step / 2, to + step / 2] : [from, to]) }, y: { range: () => [lowest, top] } },
    axes: [axis({ space: 66, values: (_, ticks) => ticks.map((at) => clock(at, length)), size: 26, incrs: TIMES }), axis({ size: 66, incrs: increments(own.unit), values: (_, ticks) => ticks.map((v) => written(v, own.unit)) })],
    series: [{}, ...order.map((at) => series[at])],
    bands: stacks && !bars ? order.slice(0, -1).map((_, at) => ({ series: [at + 1, at + 2] })) : [],
    hooks: { draw: [(plot) => { thresholds(plot, lines); marked(plot, marks); }] },
  }, [times, ...order.map((at) => columns[at])], area);
}

const axis = (more) => ({ stroke: "#9d9fa9", font: "11px Liberation Sans, DejaVu Sans, sans-serif", grid: { stroke: "#25272d", width: 1 }, ticks: { show: false }, ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)) });

function thresholds(plot, lines) {
  const { ctx, bbox } = plot;
  for (const { value, color: name } of lines) {
    const y = plot.valToPos(value, "y", true);
    ctx.save();
    ctx.strokeStyle = color(name);
    ctx.setLineDash([6, 5]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
}

function marked(plot, marks) {
  const { ctx, bbox } = plot;
  for (const { at, color: name } of marks) {
    const x = plot.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = color(name);
    ctx.setLineDash([3, 3]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x - 4, bbox.top + bbox.height + 6);
    ctx.lineTo(x + 4, bbox.top + bbox.height + 6);
    ctx.fill();
    ctx.restore();
  }
}

// ---- a histogram's buckets over time

function heatmap(panel, body) {
  const answer = panel.answers[0];
  const found = answer.series.map((s) => ({ le: s.labels.le === "+Inf" ? Infinity : Number(s.labels.le), at: new Map(s.points) }));
  if (!found.length) return nothing(body, panel);
  found.sort((a, b) => a.le - b.le);
  const times = grid(panel);
  const cells = found.map(({ at }, row) => times.map((time) => Math.max(0, (at.get(time) ?? 0) - (row ? found[row - 1].at.get(time) ?? 0 : 0))));
  const most = Math.max(...cells.flat(), 1e-9);
  const { from, to, step } = answer;
  const own = panel.fieldConfig.defaults;
  const label = (row) => (found[row] ? (found[row].le === Infinity ? "more" : written(found[row].le, own.unit)) : "");
  new uPlot({
    width: body.clientWidth - 16, height: body.clientHeight - 6, legend: { show: false }, cursor: { show: false }, padding: [10, 22, 0, 0],
    scales: { x: { time: true, range: () => [from - step, to] }, y: { range: () => [0, found.length + 0.4] } },
    axes: [axis({ values: (_, ticks) => ticks.map((at) => clock(at, to - from)), size: 26, incrs: TIMES }),
      axis({ size: 66, splits: () => found.map((_, row) => row + 1), values: (_, ticks) => ticks.map((v) => label(v - 1)) })],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: { draw: [(plot) => {
      cells.forEach((row, at) => row.forEach((value, column) => {
        if (value < 1e-6) return;
        const left = plot.valToPos(times[column] - step, "x", true), right = plot.valToPos(times[column], "x", true);
        const upper = plot.valToPos(at + 1, "y", true), lower = plot.valToPos(at, "y", true);
        plot.ctx.fillStyle = oranges(Math.sqrt(value / most));
        plot.ctx.fillRect(left + 0.5, upper + 0.5, Math.max(1, right - left - 1), lower - upper - 1);
      }));
    }] },
  }, [times, times.map(() => null)], body);
}

function oranges(share) {
  const dark = [61, 31, 12], bright = [255, 190, 120];
  return `rgb(${dark.map((from, at) => Math.round(from + (bright[at] - from) * share)).join(",")})`;
}

// ---- when each of several things was so

function timeline(panel, body) {
  const answer = panel.answers[0];
  if (!answer.series.length) return nothing(body, panel);
  const { from, to, step } = answer;
  const share = (at) => `${(100 * (Math.min(Math.max(at, from), to) - from)) / (to - from)}%`;
  const room = body.clientHeight - 46, each = Math.min(30, room / answer.series.length);
  answer.series.forEach((series, row) => {
    const top = `${row * each + 2}px`;
    const name = make(body, "div", { class: "lane name" }, named(answer, series));
    const lane = make(body, "div", { class: "lane" });
    for (const node of [name, lane]) {
      node.style.top = top;
      node.style.height = `${each * 0.8}px`;
      node.style.lineHeight = `${each * 0.8}px`;
    }
    for (const [at, value] of series.points) {
      const block = make(lane, "i");
      block.style.left = share(at);
      block.style.width = `${(100 * step) / (to - from) + 0.1}%`;
      block.style.background = color(mapped(value, panel.fieldConfig.defaults.mappings)?.color ?? "green");
    }
  });
  for (let tick = 0; tick <= 4; tick += 1) {
    const at = from + ((to - from) * tick) / 4;
    make(body, "div", { class: "tick" }, clock(at, to - from)).style.left = `calc(190px + (100% - 216px) * ${tick / 4})`;
  }
  const legend = make(body, "div", { class: "legend" });
  legend.style.cssText = "position:absolute;bottom:2px";
  for (const mapping of panel.fieldConfig.defaults.mappings) {
    for (const { text, color: paint } of Object.values(mapping.options)) {
      const item = make(legend, "span");
      make(item, "i").style.background = color(paint);
      item.append(text);
    }
  }
}

function nothing(body, panel) {
  make(body, "div", { class: "none" }, panel.fieldConfig.defaults.noValue || "No data");
}

const KINDS = { stat, table, timeseries, heatmap, "state-timeline": timeline };

function draw({ title, range, chosen, panels, marks }) {
  const head = document.getElementById("head"), board = document.getElementById("board");
  make(head, "h1", {}, title);
  for (const [name, value] of chosen) {
    const box = make(head, "span", { class: "chosen" }, `${name} `);
    make(box, "b", {}, value);
  }
  make(head, "span", { class: "chosen range" }, range);
  let bottom = 0;
  for (const panel of panels) {
    const node = make(board, "section", { class: panel.type === "row" ? "row" : "panel" });
    place(node, panel.gridPos);
    bottom = Math.max(bottom, panel.gridPos.y + panel.gridPos.h);
    if (panel.type === "row") {
      node.textContent = panel.title;
      continue;
    }
    const heading = make(node, "h2", {}, panel.title);
    if (panel.timeFrom) make(heading, "span", { style: "color:#9d9fa9;font-weight:400" }, `  last ${panel.timeFrom}`);
    KINDS[panel.type](panel, make(node, "div", { class: "body" }), marks);
  }
  board.style.height = `${bottom * (UNIT + GAP)}px`;
  return document.documentElement.scrollHeight;
}
