// What the board does in a browser: counts down, takes in what comes live, listens to the keyboard.
// Without it every page works by links, forms and a refresh.

const UNITS = JSON.parse(document.body.dataset.units ?? "{}");
const WHO = document.body.dataset.who ?? "";
const HEARD_WITHIN = 45_000; // the server says something every 15 s
const OPENED_WITHIN = 10_000;
const LOOK_EVERY = 3_000;
const TRY_AGAIN = 3_000;
const SEATED_WITHIN = 1_000;
const ASK_EVERY = 30_000; // as without script

// ---- the server's clock: this machine's may be wrong

let ahead = 0; // milliseconds that the server's clock is ahead of ours
export function serverSays(instant) {
  const at = Date.parse(instant ?? "");
  if (!Number.isNaN(at)) ahead = at - Date.now();
}
const now = () => Date.now() + ahead;
serverSays(document.body.dataset.now);

// ---- spans of time, as core/web/times.py writes them

const fill = (text, parts) => text.replace(/\{(\w+)\}/g, (_, key) => parts[key]);
const two = (n) => String(n).padStart(2, "0");

export function span(seconds) {
  const whole = Math.floor(Math.abs(seconds));
  const [d, h, m] = [86_400, 3_600, 60].map((unit) => Math.floor(whole / unit));
  if (d) return fill(UNITS.ds, { d, h: two(h % 24) });
  if (h) return fill(UNITS.hm, { h, m: two(m % 60) });
  if (whole >= 600) return fill(UNITS.m, { m });
  return fill(UNITS.mss, { m, s: two(whole % 60) });
}

const ago = (at) => fill(UNITS.ago, { time: span((now() - at) / 1000) });

export function away(due) {
  const seconds = (due - now()) / 1000;
  return fill(seconds < 0 ? UNITS.late : UNITS.in, { time: span(seconds) });
}

// ---- countdowns and bands: as core/store/queue.py tells them

const table = () => document.getElementById("lines"); // another one, once it was loaded anew
const known = (of) => JSON.parse(table()?.dataset[of] ?? "{}");

function band(line) {
  const at = now();
  if (Date.parse(line.dataset.due) < at) return "breached";
  const steps = line.dataset.steps.split(" ").filter(Boolean).map(Date.parse);
  const warned = steps.filter((step) => step < at).length;
  if (!warned) return "ok";
  return steps.length > 1 && warned === steps.length ? "critical" : "warning";
}

function colour(line) {
  const is = band(line);
  if (line.classList.contains(is)) return;
  const words = known("bands");
  line.classList.remove(...Object.keys(words));
  line.classList.add(is);
  line.querySelector(".word").textContent = words[is];
  line.querySelector(".sign").textContent = known("signs")[is];
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tick() {
  for (const left of document.querySelectorAll("time[data-due]")) {
    say(left, away(Date.parse(left.dataset.due)));
  }
  for (const time of document.querySelectorAll("time[data-ago]")) say(time, ago(Date.parse(time.dataset.ago)));
  for (const line of document.querySelectorAll(".line[data-steps]")) colour(line);
}

function dress(line) {
  line.classList.toggle("mine", Boolean(line.dataset.by) && line.dataset.by === WHO);
}

// ---- what comes live

function parsed(html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  return made.content;
}

const byKey = (key) => table().querySelector(`[data-key="${CSS.escape(key)}"]`);
const order = (line) => line.dataset.place.split(" ").map(Number); // as core/store/board.py

function before(one, other) {
  const [a, b] = [order(one), order(other)];
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}

function place(line) {
  const lines = table();
  const body = lines.tBodies[0];
  const after = [...body.rows].find((row) => before(line, row));
  const isFull = lines.dataset.full === "yes";
  if (!after && isFull && body.rows.length >= Number(lines.dataset.limit)) return;
  body.insertBefore(line, after ?? null);
  while (body.rows.length > Number(lines.dataset.limit)) {
    body.lastElementChild.remove();
    lines.dataset.full = "yes";
  }
}

function takeIn(line) {
  const old = byKey(line.dataset.key);
  const had = old?.contains(document.activeElement) ? document.activeElement : null;
  const beside = old?.nextElementSibling ?? old?.previousElementSibling;
  old?.remove();
  if (line.hasAttribute("data-gone")) return had && beside?.querySelector("a").focus();
  if (!old) line.classList.add("new");
  dress(line);
  place(line);
  htmx.process(line);
  if (had) (line.querySelector(had.tagName === "BUTTON" ? "button" : "a") ?? line).focus();
}

function takeLines(html) {
  if (loading) return reload(); // what is being loaded may be older than this
  if (!table()) return;
  [...parsed(html).children].forEach(takeIn);
  const none = document.querySelector(".empty");
  if (none) none.hidden = table().tBodies[0].rows.length > 0;
  tick();
}

// As core/web/templates/queue.html does.
function entitle(counts) {
  if (!document.getElementById("queue")) return;
  const of = (band) => Number(counts.querySelector(`[data-count="band:${band}"]`)?.textContent ?? 0);
  const urgent = of("critical") + of("breached");
  document.title = document.title.replace(/^(\(\d+\) )?/, urgent ? `(${urgent}) ` : "");
}

function takeCounts(html) {
  const came = parsed(html);
  for (const data of came.querySelectorAll("[data-count]")) {
    for (const shown of document.querySelectorAll(`data[data-count="${CSS.escape(data.dataset.count)}"]`)) {
      say(shown, data.textContent);
    }
  }
  entitle(came);
  for (const id of ["summary", "troubles"]) {
    const [told, shown] = [came.querySelector(`#${id}`), document.getElementById(id)];
    if (told && shown && told.innerHTML !== shown.innerHTML) shown.innerHTML = told.innerHTML;
  }
}

let [again, loads, loading] = [0, 0, false];

// Several in a row are one.
function reload(after = 50 + Math.random() * 200) {
  clearTimeout(again);
  again = setTimeout(load, after);
}

async function fetched() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected || [401, 403].includes(answer.status)) return location.reload();
    return [answer.ok, new DOMParser().parseFromString(await answer.text(), "text/html")];
  } catch {
    return [false, null];
  }
}

async function load() {
  const main = document.querySelector("#queue, #wall");
  if (!main) return location.reload();
  const turn = ++loads;
  loading = true;
  const [isWell, page] = (await fetched()) ?? [true, null];
  if (turn !== loads) return; // a later one is on its way
  loading = false;
  const fresh = page?.getElementById(main.id);
  if (fresh) {
    // Somebody may be choosing there.
    if (main.querySelector("details.more[open]")) fresh.querySelector("details.more")?.setAttribute("open", "");
    serverSays(page.body.dataset.now);
    await htmx.swap({ target: main, text: fresh.outerHTML, swap: "outerMorph" });
    begin();
  }
  if (live) isHeard ? connected(isWell && Boolean(live._htmx?.sse)) : state(isWell ? "asks" : "off");
  if (!isWell) reload(TRY_AGAIN);
}

const live = document.getElementById("live");
let heardAt = performance.now();

function state(word) {
  const shown = document.getElementById("state");
  shown?.classList.toggle("off", word === "off");
  if (shown) shown.textContent = shown.dataset[word];
}
const connected = (is) => state(is ? "on" : "off");

// A page that nobody sees hears nothing; one that has no place among those that do asks instead.
const ready = new Promise((go) => addEventListener("DOMContentLoaded", go)); // htmx looks there
let [isHeard, leave, asking, heardOf] = [false, null, 0, null];

function hear() {
  isHeard = true;
  heardAt = performance.now();
  clearInterval(asking);
  ready.then(() => isHeard && htmx.trigger(live, "again"));
}

function listen(isAgain = false) {
  if (leave || document.hidden) return;
  asking = setInterval(ask, ASK_EVERY);
  leave = globalThis.place(hear);
  const unseated = isAgain ? ask : () => state("asks"); // what is shown again is old by now
  setTimeout(() => leave && !isHeard && unseated(), SEATED_WITHIN);
}

function ask() {
  state("asks");
  reload(0);
}

function hush() {
  clearInterval(asking);
  isHeard = false;
  live._htmx?.sse?.abortController.abort();
  leave?.();
  leave = null;
}

if (live) {
  const heard = (take) => (event) => {
    heardAt = performance.now();
    connected(true);
    heardOf = event.detail.id || heardOf;
    take(event.detail.data);
  };
  live.addEventListener("lines", heard(takeLines));
  live.addEventListener("counts", heard(takeCounts));
  live.addEventListener("reload", heard(() => reload()));
  live.addEventListener("now", heard(serverSays));
  live.addEventListener("htmx:sse:after:connection", heard(() => {}));
  live.addEventListener("htmx:sse:error", () => connected(false));
  live.addEventListener("htmx:config:request", (event) => {
    if (heardOf) event.detail.ctx.request.headers["Last-Event-ID"] = heardOf;
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen(true)));
  listen();
  setInterval(() => {
    // A first connection that failed is not tried again by itself, and a dead one says nothing.
    if (!isHeard || performance.now() - heardAt < (live._htmx?.sse ? HEARD_WITHIN : OPENED_WITHIN)) return;
    connected(false);
    heardAt = performance.now();
    live._htmx?.sse?.abortController.abort();
    htmx.trigger(live, "again");
  }, LOOK_EVERY);
}

// ---- claiming without leaving the page

document.addEventListener("submit", async (event) => {
  const [form, button] = [event.target, event.submitter];
  if (form.id !== "act" || !button) return;
  event.preventDefault();
  button.disabled = true;
  const to = button.formAction;
  try {
    const body = new URLSearchParams(new FormData(form));
    const headers = { "HX-Request": "true" }; // who is signed out is told so, not led away
    const answer = await fetch(to, { method: "POST", body, headers, redirect: "manual" });
    if (answer.status === 401) return location.reload(); // to sign in, and back to this view
    if (answer.type === "opaqueredirect") return live?._htmx?.sse ? undefined : reload();
    form.action = to; // what else it says is a page to be read
    form.submit();
  } catch {
    button.disabled = false;
    connected(false);
  }
});

// ---- the keyboard

const rows = () => [...document.querySelectorAll(".line .what a")];
const current = () => document.activeElement?.closest(".line");

function step(by) {
  const all = rows();
  const at = all.findIndex((link) => link.closest(".line") === current());
  all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]?.focus();
}

function press(line) {
  const button = [...(line?.querySelectorAll(".do button") ?? [])].find((one) => one.offsetParent);
  button?.click();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => current()?.querySelector(".what a").click(),
  c: () => press(current()),
  r: () => {
    const link = current()?.querySelector(".what a");
    if (link) location.href = `${link.href}#text`;
  },
  "/": () => document.getElementById("q")?.focus(),
  f: () => {
    const filter = document.getElementById("filter");
    if (!filter) return;
    filter.closest("details").open = true;
    filter.elements[0].focus();
  },
  "?": () => document.getElementById("help")?.showModal(),
};

document.addEventListener("click", (event) => {
  if (event.target.closest("#keys")) KEYS["?"]();
});

// Where the keyboard writes no Latin letters, the key's place counts.
const CODES = { KeyJ: "j", KeyK: "k", KeyO: "o", KeyC: "c", KeyR: "r", KeyF: "f", Slash: "/" };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea, dialog, [contenteditable]")) return;
  const act = KEYS[/^[!-~]$/.test(event.key) ? event.key : CODES[event.code]];
  if (!act || !(table() || document.getElementById("q"))) return;
  event.preventDefault();
  act();
});

function begin() {
  document.querySelectorAll(".line").forEach(dress);
  const keys = document.getElementById("keys");
  if (keys) keys.hidden = false;
  tick();
}

begin();
setInterval(tick, 1000);
