// A thread's page: takes in what changes, and leaves alone what somebody writes.
const page = document.getElementById("thread");
const news = document.getElementById("news");
const PARTS = ["clocks", "answering", "conversation", "earlier", "context"];
const SETTLE = 150;
const AGAIN = 10_000;

function say(word) {
  const text = news.dataset[word] ?? "";
  news.classList.toggle("lost", word === "lost" || word === "out");
  if (news.textContent !== text) news.textContent = text;
}

// What of a part matters: not how far something is by now, nor what is unfolded.
function essence(part) {
  const copy = part.cloneNode(true);
  for (const time of copy.querySelectorAll(".left, .ago")) time.textContent = "";
  for (const fold of copy.querySelectorAll("details")) fold.removeAttribute("open");
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

async function look() {
  const there = new URL(location.href);
  there.searchParams.set("part", "live");
  const answer = await fetch(there, { headers: { Accept: "text/html" } });
  // What somebody has written stays where it is, though nobody is signed in any more.
  if (answer.redirected || answer.status === 401) return say("out");
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  ahead = Date.parse(fresh.body.dataset.now) - Date.now();
  const came = PARTS.filter((id) => take(fresh, id));
  if (came.some((id) => id !== "context")) say("said");
  wind();
}

let soon;
let missed = false;
function changed() {
  // Several in a row are one; of a page that nobody sees nothing is read until it is looked at.
  missed = document.hidden;
  if (missed) return;
  clearTimeout(soon);
  soon = setTimeout(() => look().catch(() => say("lost")), SETTLE);
}

document.addEventListener("visibilitychange", () => {
  if (missed && !document.hidden) changed();
});

let was = false;
function listen() {
  const source = new EventSource(page.dataset.live);
  source.addEventListener("thread", changed);
  source.addEventListener("reload", changed);
  source.addEventListener("open", () => {
    if (news.classList.contains("lost")) say("");
    if (was) changed(); // what came in between was not heard
    was = true;
  });
  source.addEventListener("error", () => {
    if (!news.dataset.out || news.textContent !== news.dataset.out) say("lost");
    // Whoever is refused once is not tried again by the browser.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN);
  });
}
if (page?.dataset.live) listen();
wind();
