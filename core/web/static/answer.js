// The box for an answer: how much room is left, who is writing, what can still be taken back.
// Whatever happens, what was typed stays, and it is said what happened.
const EVERY = 10_000; // as core/desk/presence.py says
const TICK = 500;
const YIELD = 1_000;
const SLOW = 5_000;
const MOST = 30_000_000; // of files: core/web/site.py takes a little more

const box = () => document.getElementById("answer");
const field = () => document.getElementById("text");

// ---- room: as the marketplace counts, like core/capabilities.py

function length(text, unit) {
  return unit === "bytes" ? new TextEncoder().encode(text).length : [...text].length;
}

function room() {
  const text = field();
  const shown = document.getElementById("room");
  if (!text || !shown || !text.dataset.longest) return;
  const left = Number(text.dataset.longest) - length(text.value, text.dataset.unit);
  const said = (left < 0 ? shown.dataset.over : shown.dataset.left).replace("{n}", Math.abs(left).toLocaleString(document.documentElement.lang));
  if (shown.textContent !== said) shown.textContent = said;
  shown.classList.toggle("over", left < 0);
}

// ---- what is late to be taken back, by the page's own countdown of the server's clock

function undoable() {
  for (const button of document.querySelectorAll("button.undo")) {
    button.disabled = Date.parse(button.dataset.until) <= Date.now() + ahead;
  }
}
const ahead = Date.parse(document.body.dataset.now) - Date.now();

// ---- what came live is to be sent like the rest

function wake() {
  for (const button of document.querySelectorAll("#answering [hx-post]:not([data-htmx-powered])")) htmx.process(button);
}

// ---- what went wrong: said beside the text, which stays

const WORDS = { 401: "out", 403: "forbidden", 404: "gone", 413: "large", 503: "away", 502: "away", 504: "lost" };
let refused = null; // the token with which we were refused
let isRead = false; // somebody has typed on since it was said

function trouble(word) {
  const shown = document.getElementById("trouble");
  const text = word ? shown?.dataset[word] ?? "" : "";
  if (!shown || shown.textContent === text) return;
  shown.textContent = text;
  isRead = false;
  if (text) shown.scrollIntoView({ block: "nearest" });
}

const token = () => document.querySelector("meta[name=csrf]")?.content ?? "";
const isOurs = (event) => Boolean(event.target.closest?.("#answer") || event.detail?.ctx?.target?.closest?.("#answer"));

document.addEventListener("htmx:response:error", (event) => {
  if (!isOurs(event)) return;
  const { response, request } = event.detail.ctx;
  if (response.status !== 403) return trouble(WORDS[response.status] ?? "wrong");
  // Whether they have signed in anew, in another window, the thread's page finds out.
  refused = request.headers["X-CSRF-Token"] ?? "";
  document.dispatchEvent(new Event("look"));
});
document.addEventListener("htmx:error", (event) => isOurs(event) && trouble("lost"));
document.addEventListener("looked", (event) => {
  const { word } = event.detail;
  if (word === "other") return trouble("other");
  if (word) return refused !== null && trouble(word);
  muted = false;
  if (refused === null) return;
  trouble(refused === token() ? "forbidden" : "renewed");
  refused = null;
});

// ---- what is on its way: a browser has few connections to a board, and open pages hold one each

let sending = [];

function over() {
  sending.forEach(clearTimeout);
  if (sending.length) document.dispatchEvent(new Event("resume"));
  sending = [];
}

document.addEventListener("htmx:before:request", (event) => {
  if (!isOurs(event)) return;
  const { ctx } = event.detail;
  const isCheck = ctx.sourceElement === field();
  const files = [...(document.querySelector("#reply input[type=file]")?.files ?? [])];
  if (!isCheck && files.reduce((sum, file) => sum + file.size, 0) > MOST) {
    event.preventDefault();
    return trouble("large");
  }
  over();
  if (!isCheck) {
    asked = stood;
    hold(true); // what is typed now would not come back
  }
  sending = [
    setTimeout(() => document.dispatchEvent(new Event("yield")), YIELD),
    setTimeout(() => isCheck || trouble("slow"), SLOW),
  ];
});
document.addEventListener("htmx:finally:request", (event) => {
  if (!isOurs(event)) return;
  over();
  if (event.detail.ctx.sourceElement !== field()) hold(false);
});

function hold(is) {
  if (field()) field().readOnly = is;
}

// ---- the keyboard

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter" && event.target === field() && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    if (!field().readOnly) document.querySelector("#reply button.main").click();
  }
  // Without it the key would press a button of the form, whichever is the first.
  if (event.key === "Enter" && event.target.matches?.("#answer input")) event.preventDefault();
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea, dialog")) return;
  // Where the keyboard writes no Latin letters, the key's place counts.
  if (event.key === "n" || (event.code === "KeyN" && event.key > "~")) document.getElementById("onward")?.click();
});

// ---- after it: where the keyboard goes on, and what is said of it in the line that stays: what
// comes with a box of its own is heard by nobody

const news = document.getElementById("news");
const squeezed = (text) => (text ?? "").replace(/\s+/g, " ").trim();

// What stands about answers, without what counts down.
function standing() {
  return [...document.querySelectorAll("#answering > :not(.onward)")].map((one) => {
    const copy = one.cloneNode(true);
    for (const each of copy.querySelectorAll("button, .back, .left")) each.remove();
    return squeezed(copy.textContent);
  });
}
let stood = standing();
let asked = stood; // as a button was pressed: what comes of it may be read before its answer is here

function come() {
  const before = stood;
  stood = standing();
  return stood.find((one) => !before.includes(one)) ?? "";
}

function report(text) {
  if (!text || news.textContent === text) return;
  news.classList.remove("lost");
  news.textContent = text;
}

let isTold = false; // of what is read next it was said already
document.addEventListener("looked", (event) => {
  if (event.detail.word) return;
  const text = come();
  report(text);
  if (text || (isTold && event.detail.came)) event.preventDefault();
  if (event.detail.came) isTold = false;
});

function told() {
  const wrong = document.querySelector("#answer .warn[role=alert]"); // that is heard by itself
  const text = squeezed(document.querySelector("#complaints li, #answer .note[role=status]")?.textContent);
  stood = standing();
  const fresh = stood.find((one) => !asked.includes(one));
  if (!wrong) report(text || fresh || (stood.length < asked.length ? news.dataset.said : ""));
  isTold = !wrong;
}

let isDone = false;
document.addEventListener("htmx:after:request", (event) => {
  if (!isOurs(event) || event.detail.ctx.response.status >= 400) return;
  over();
  isDone = event.detail.ctx.sourceElement !== field();
  if (isDone || isRead) trouble("");
});
document.addEventListener("htmx:after:swap", () => {
  if (!isDone) return;
  isDone = false;
  told();
  if (![document.body, field()].includes(document.activeElement)) return;
  const isOpen = field()?.value.trim() || document.querySelector("#answer .warn[role=alert]");
  ((isOpen && field()) || document.getElementById("answer-name"))?.focus({ preventScroll: true });
});

// ---- what a macro comes to here, before it is put in

let previews = 0;

async function preview(form) {
  const shown = document.getElementById("preview");
  if (!shown?.dataset.from) return;
  const turn = ++previews;
  const asked = new FormData();
  asked.set("csrf", token());
  for (const name of ["macro", "language", "follow_up"]) asked.set(name, form.elements[name]?.value ?? "");
  const answer = await fetch(shown.dataset.from, { method: "POST", body: asked, headers: { "HX-Request": "true" } });
  const came = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
  if (turn !== previews) return; // a later one is on its way, or has come
  shown.replaceChildren(...document.importNode(came.body, true).querySelectorAll("#preview > *"));
}
document.addEventListener("change", (event) => {
  const { form, name } = event.target;
  if (form?.id !== "reply" || !["macro", "language", "follow_up"].includes(name)) return;
  if (name === "macro" || form.elements.macro?.value) preview(form).catch(() => {});
});

// ---- who is writing: that somebody is, and nothing of what

let said = null; // when it was told last
let muted = false; // we are not known any more: a refusal each time would be noise
function isWriting() {
  const text = field();
  return text && !document.hidden && (text.value.trim() !== "" || document.activeElement === text);
}

function tell(left) {
  const form = new FormData();
  form.set("csrf", token());
  if (left) form.set("left", "1");
  const to = box()?.dataset.draft;
  if (!to || muted) return;
  if (left) return navigator.sendBeacon(to, form);
  const headers = { "HX-Request": "true" }; // no page to sign in at: a word
  fetch(to, { method: "POST", body: form, headers })
    .then((answer) => (muted ||= [401, 403, 404].includes(answer.status))) // an earlier one may answer later
    .catch(() => {});
}

function tick() {
  room();
  undoable();
  wake();
  if (isWriting() && (said === null || performance.now() - said > EVERY)) {
    said = performance.now();
    tell(false);
  }
}

document.addEventListener("input", (event) => {
  if (event.target !== field()) return;
  isRead = true;
  room();
});

// ---- leaving with a text that nobody has sent

let isLeaving = false; // as a whole page, where htmx did not come
document.addEventListener("submit", (event) => {
  isLeaving = event.target.id === "reply" && !event.defaultPrevented;
});
addEventListener("beforeunload", (event) => {
  if (!isLeaving && field()?.value.trim()) event.preventDefault();
});
addEventListener("pageshow", () => (isLeaving = false));
addEventListener("pagehide", () => said !== null && tell(true));
if (box()) {
  tick();
  setInterval(tick, TICK);
  // After htmx itself, which processes what it has put there.
  new MutationObserver(() => setTimeout(wake)).observe(document.getElementById("thread"), { childList: true, subtree: true });
}
