// A thread's page: takes in what changes, and leaves alone what somebody writes.
const page = document.getElementById("thread");
const news = document.getElementById("news");
const PARTS = ["clocks", "answering", "conversation", "earlier", "context"];
const SETTLE = 150;
const AGAIN = 10_000;
const ASK = 10_000;
const [LOOK_EVERY, HEARD_WITHIN, READ_EVERY] = [5_000, 45_000, 60_000];

function say(word) {
  const text = news.dataset[word] ?? "";
  news.classList.toggle("lost", ["lost", "out", "other"].includes(word));
  if (news.textContent !== text) news.textContent = text;
}

// What of a part matters: not how far something is by now, nor what is unfolded.
function essence(part) {
  const copy = part.cloneNode(true);
  for (const time of copy.querySelectorAll(".left, .ago")) time.textContent = "";
  for (const time of copy.querySelectorAll("#read-at")) time.replaceWith("");
  for (const fold of copy.querySelectorAll("details")) fold.removeAttribute("open");
  for (const button of copy.querySelectorAll("button")) ["disabled", "data-htmx-powered"].forEach((each) => button.removeAttribute(each));
  return copy.innerHTML;
}

// What was unfolded stays so, and what had the focus keeps it.
function take(fresh, id) {
  const old = document.getElementById(id);
  const now = fresh.getElementById(id);
  if (!old || !now || essence(old) === essence(now)) return false;
  if (old.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) {
    document.activeElement.addEventListener("blur", changed, { once: true });
    return false;
  }
  for (const fold of old.querySelectorAll("details[open][id]")) {
    now.querySelector(`details[id="${CSS.escape(fold.id)}"]`)?.setAttribute("open", "");
  }
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  const place = focus && [...old.querySelectorAll("a, button, summary")].indexOf(focus);
  old.hidden = now.hidden;
  old.replaceChildren(...document.importNode(now, true).childNodes);
  if (focus) old.querySelectorAll("a, button, summary")[place]?.focus({ preventScroll: true });
  return true;
}

// A band changes by time alone, too: the page is read again just after.
const LONGEST = 2 ** 31 - 1;
let ahead = Date.parse(document.body.dataset.now) - Date.now();
let next;
function wind() {
  clearTimeout(next);
  const due = [...document.querySelectorAll("[data-next]")].map((one) => Date.parse(one.dataset.next));
  const wait = Math.min(...due) - Date.now() - ahead + 500;
  if (due.length) next = setTimeout(wait > LONGEST ? wind : changed, Math.min(Math.max(wait, 500), LONGEST));
}

// Whoever has signed in anew, in another window, goes on with what they have written here.
function renew(fresh) {
  const token = fresh.querySelector("meta[name=csrf]").content;
  document.querySelector("meta[name=csrf]").content = token;
  for (const field of document.querySelectorAll("input[name=csrf]")) field.value = token;
  document.body.setAttribute("hx-headers:inherited", JSON.stringify({ "X-CSRF-Token": token }));
}

// How old the page is goes on by itself; that all was read again is no news.
function readAt(fresh) {
  const [old, now] = [document, fresh].map((one) => one.getElementById("read-at"));
  if (old && now) old.dataset.ago = old.dateTime = now.dataset.ago;
}

// True where nobody else has said what came.
function looked(word, came = false) {
  if (word) say(word);
  return document.dispatchEvent(new CustomEvent("looked", { cancelable: true, detail: { word, came } }));
}

let lookedAt = performance.now();
async function look() {
  lookedAt = performance.now();
  const there = new URL(location.href);
  there.searchParams.set("part", "live");
  const answer = await fetch(there, { headers: { Accept: "text/html" } });
  // What somebody has written stays where it is, though nobody is signed in any more.
  if (answer.redirected || answer.status === 401) return looked("out");
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (fresh.body.dataset.who !== document.body.dataset.who) return looked("other");
  ahead = Date.parse(fresh.body.dataset.now) - Date.now();
  const came = PARTS.filter((id) => take(fresh, id));
  readAt(fresh);
  renew(fresh);
  const isNew = came.some((id) => id !== "context");
  if (!looked("", isNew)) news.classList.remove("lost");
  else if (isNew) say("said");
  else if (news.classList.contains("lost")) say("");
  wind();
}

let soon;
let missed = false;
function changed() {
  // Several in a row are one; of a page that nobody sees nothing is read until it is looked at.
  missed = document.hidden;
  if (missed) return;
  clearTimeout(soon);
  soon = setTimeout(() => look().catch(() => looked("lost")), SETTLE);
}
document.addEventListener("look", changed);

// A page that nobody sees keeps no place among those that listen, and one on which something waits
// to be sent gives its own away.
let source = null;
let leave = null;
let [again, asking] = [0, 0];
let was = false;
let heardAt = 0;
const heard = () => { heardAt = performance.now(); };
function listen() {
  clearTimeout(again);
  if (leave || document.hidden) return;
  asking = setInterval(ask, ASK);
  leave = globalThis.place(hear);
}

// Without a place it is asked now and then.
function ask() {
  was = true;
  changed();
}

function hear() {
  clearInterval(asking);
  heard();
  source = new EventSource(page.dataset.live);
  for (const word of ["now", "thread", "reload", "open"]) source.addEventListener(word, heard);
  source.addEventListener("thread", changed);
  source.addEventListener("reload", changed);
  source.addEventListener("open", () => {
    if (was || news.classList.contains("lost")) changed(); // what came in between was not heard
    was = true;
  });
  source.addEventListener("error", () => {
    if (!source) return;
    if (!news.dataset.out || news.textContent !== news.dataset.out) say("lost");
    // Whoever is refused once is not tried again by the browser.
    if (source.readyState === EventSource.CLOSED) anew();
  });
}

function anew() {
  hush();
  again = setTimeout(listen, AGAIN);
}

// A dead connection says nothing; and nothing tells that all was read again.
function watch() {
  if (source && performance.now() - heardAt > HEARD_WITHIN) {
    say("lost");
    anew();
  } else if (source && performance.now() - lookedAt > READ_EVERY) changed();
}

function hush() {
  clearTimeout(again);
  clearInterval(asking);
  source?.close();
  leave?.();
  source = leave = null;
}

if (page?.dataset.live) {
  document.addEventListener("yield", hush);
  document.addEventListener("resume", listen);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return hush();
    changed();
    listen();
  });
}
if (page?.dataset.live) {
  listen();
  setInterval(watch, LOOK_EVERY);
}
wind();
