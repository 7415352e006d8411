// Live panels: an event's type comes by SSE, the page is read again, and the parts that name the type
// in data-live ("catalog.*", "*") are exchanged by id. What has focus or is under the pointer waits.
import htmx from "htmx.org";

const GATHER = 400; // ms: a burst of events is one reading
const due = new Map(); // id -> fresh element that waits
let heard = new Set();
let timer = 0;

const matches = (pattern, type) => pattern === "*" || pattern === type || (pattern.endsWith("*") && type.startsWith(pattern.slice(0, -1)));
const busy = (part) => part.contains(document.activeElement) || part.matches(":hover") || part.querySelector(":popover-open");

function wanted() {
  const types = [...heard];
  return [...document.querySelectorAll("[data-live][id]")].filter((part) =>
    types.includes("lagging") || part.dataset.live.split(" ").some((pattern) => types.some((type) => matches(pattern, type))));
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
  const parts = wanted();
  heard = new Set();
  if (!parts.length) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const { id, outerHTML } of parts) {
    const fresh = page.getElementById(id);
    if (fresh && fresh.outerHTML !== outerHTML) due.set(id, document.adoptNode(fresh));
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
  clearTimeout(timer);
  timer = setTimeout(read, GATHER);
});
addEventListener("focusout", () => setTimeout(settle));
addEventListener("pointerout", () => setTimeout(settle));
