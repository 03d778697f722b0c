// The box for an answer: how much room is left, who is writing, what can still be taken back.
const EVERY = 10_000; // as core/desk/presence.py says
const TICK = 500;

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
  for (const form of document.querySelectorAll("#answering form:not([data-htmx-powered])")) htmx.process(form);
}

// ---- who is writing: that somebody is, and nothing of what

let said = null; // when it was told last
function isWriting() {
  const text = field();
  return text && !document.hidden && (text.value.trim() !== "" || document.activeElement === text);
}

function tell(left) {
  const form = new FormData();
  form.set("csrf", document.querySelector("meta[name=csrf]")?.content ?? "");
  if (left) form.set("left", "1");
  const to = box()?.dataset.draft;
  if (!to) return;
  if (left) navigator.sendBeacon(to, form);
  else fetch(to, { method: "POST", body: form }).catch(() => {});
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
  if (event.target === field()) room();
});
addEventListener("pagehide", () => said !== null && tell(true));
if (box()) {
  tick();
  setInterval(tick, TICK);
  // After htmx itself, which processes what it has put there.
  new MutationObserver(() => setTimeout(wake)).observe(document.getElementById("thread"), { childList: true, subtree: true });
}
