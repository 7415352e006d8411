// Live panels: an event's type comes by SSE, the page is read again, and the parts that name the type
// in data-live ("catalog.*") are exchanged by id; those with an empty one go along. What has focus or is
// under the pointer waits until it has not.
import htmx from "htmx.org";

const GATHER = 400; // ms: a burst of events is one reading
const LEAST = 3000; // ms from one reading to the next, whatever happens
const due = new Map(); // id -> fresh element that waits
let heard = new Set();
let timer = 0;
let last = -LEAST; // when the page was read last

const matches = (pattern, type) => pattern === type || (pattern.endsWith("*") && type.startsWith(pattern.slice(0, -1)));
const busy = (part) => part.contains(document.activeElement) || part.matches(":hover") || part.querySelector(":popover-open");

const live = () => [...document.querySelectorAll("[data-live][id]")];

function touched(types) {
  return live().some((part) => part.dataset.live && (types.includes("lagging") ||
    part.dataset.live.split(" ").some((pattern) => types.some((type) => matches(pattern, type)))));
}

function exchange(part, fresh) {
  const open = [...part.querySelectorAll("details")].map((fold) => fold.open);
  fresh.querySelectorAll("details").forEach((fold, index) => { fold.open = open[index] ?? fold.open; });
  part.replaceWith(fresh);
  htmx.process(fresh);
}

function settle() {
  for (const [id, fresh] of due) {
    const part = document.getElementById(id);
    if (part && busy(part)) continue;
    due.delete(id);
    if (part) exchange(part, fresh);
  }
}

async function read() {
  const types = [...heard];
  timer = 0;
  heard = new Set();
  if (!touched(types)) return;
  last = performance.now();
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of live()) {
    const fresh = page.getElementById(part.id);
    if (fresh && !fresh.isEqualNode(part)) due.set(part.id, document.adoptNode(fresh));
  }
  say(page);
  settle();
}

// One polite region announces what must be heard: the server writes it, mostly empty.
function say(page) {
  const fresh = page.getElementById("said");
  const here = document.getElementById("said");
  if (fresh && here && fresh.textContent !== here.textContent) here.textContent = fresh.textContent;
}

document.addEventListener("htmx:sse:before:message", (event) => {
  const type = event.detail.message.event;
  if (!type) return;
  heard.add(type);
  timer ||= setTimeout(read, Math.max(GATHER, last + LEAST - performance.now()));
});
addEventListener("focusout", () => setTimeout(settle));
addEventListener("pointerout", () => setTimeout(settle));
// What changes without an event, as new results do, says in data-every after how many seconds it is read
// again: only while somebody looks.
setInterval(() => {
  const often = [...document.querySelectorAll("[data-every]")].map((part) => Number(part.dataset.every));
  if (document.hidden || timer || !often.length) return;
  if (performance.now() - last < Math.min(...often) * 1000) return;
  heard.add("lagging");
  read();
}, 1000);
// The stream rests while the tab is hidden: what was missed is read when it is looked at again.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  heard.add("lagging");
  read();
});
