// What a visitor of a page feels, told to Pilothouse once, when the page is left or hidden.
// No cookies, no addresses, no query strings; docs/vitals.md defines each number.
//   <script async src="https://portal.example/rum/v1/pilothouse.js"
//           data-entity="component:default/shop" data-key="shop-web-1" data-sample="0.2"></script>
import { onCLS, onFCP, onINP, onLCP, onTTFB } from "web-vitals";

const script = document.currentScript;
const { entity, key, sample = "1", page } = script ? script.dataset : {};
const MARK = "pilothouse:meaningful";
// What handles a click, a tap or a key by itself, or says that it does.
const HANDLES =
  "a[href],area[href],button,input,select,textarea,summary,label,option,video[controls],audio[controls]," +
  "[contenteditable]:not([contenteditable=false]),[onclick],[onkeydown],[onpointerdown]," +
  "[role=button],[role=link],[role=tab],[role=menuitem],[role=checkbox],[role=radio],[role=switch]," +
  "[role=option],[role=slider],[role=textbox],[role=searchbox],[role=combobox],[role=treeitem]";
const WRITES = "input,textarea,select,[contenteditable]:not([contenteditable=false]),[role=textbox]";
const SILENT = /^(Tab|Shift|Control|Alt|AltGraph|Meta|CapsLock|Escape|Dead|Fn.*)$/;

function begin() {
  const url = new URL("beacon", script.src);
  const start = performance.getEntriesByType("navigation")[0];
  const began = () => (start && start.activationStart) || 0; // of a page that was drawn ahead
  const waiting = {};
  const told = new Set();
  let first; // the first event that something handles: its time, and that of the paint after it
  let marked;
  let away = document.visibilityState === "hidden";

  const note = (name, value, id) => {
    if (!told.has(id) && value >= 0 && isFinite(value)) waiting[name] = [value, id];
  };
  const take = (metric) => note(metric.name.toLowerCase(), metric.value, metric.id);
  // Each as it grows, the last one counts: one that still waits for an idle moment is not lost.
  for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(take, { reportAllChanges: true });

  const observe = (type, seen, more) => {
    try {
      new PerformanceObserver((list) => list.getEntries().forEach(seen)).observe({ type, buffered: true, ...more });
    } catch {} // a browser that does not know this kind
  };
  const loaded = performance.now();
  const answered = (entry) => {
    // What someone did before this script was there; what its handlers did is not known any more.
    const early = entry.startTime < loaded && /^(click|keydown|pointerdown|mousedown)$/.test(entry.name);
    if (!first && early && entry.target && entry.target.closest(HANDLES)) first = { at: entry.startTime };
    // startTime is the event's own timeStamp; duration ends at the paint that followed.
    if (first && Math.abs(entry.startTime - first.at) < 1) first.painted = entry.startTime + entry.duration;
  };
  observe("event", answered, { durationThreshold: 16 });
  observe("first-input", answered);
  observe("mark", (entry) => {
    if (entry.name === MARK && marked === undefined) marked = entry.startTime;
  });

  const meant = (event) => {
    if (first || away || !event.isTrusted) return;
    const target = event.target instanceof Element ? event.target : null;
    if (!target || target.closest(":disabled")) return;
    const byKey = event.type === "keydown";
    if (byKey && SILENT.test(event.key)) return;
    // Last on the way up, so whoever handles it has said so by now.
    if (!event.defaultPrevented && !target.closest(byKey ? WRITES : HANDLES)) return;
    const mine = (first = { at: event.timeStamp });
    requestAnimationFrame(() => {
      setTimeout(() => {
        mine.painted ??= performance.now(); // too quick for Event Timing, or a browser without it
      });
    });
  };
  addEventListener("click", meant);
  addEventListener("keydown", meant);

  const tell = () => {
    const meaningful = marked ?? (first && first.painted);
    if (meaningful !== undefined) note("ttfmi", meaningful - began(), "ttfmi");
    const m = {};
    for (const name in waiting) {
      m[name] = Math.round(waiting[name][0] * 1e4) / 1e4;
      told.add(waiting[name][1]);
      delete waiting[name];
    }
    if (!Object.keys(m).length) return;
    const body = JSON.stringify({ e: entity, k: key, p: page || location.pathname, w: innerWidth, m });
    // A beacon that cannot carry cookies or say where it comes from; the older kind where it must be.
    const init = { method: "POST", body, keepalive: true, credentials: "omit", referrerPolicy: "no-referrer" };
    try {
      fetch(url, init).catch(() => {});
    } catch {
      navigator.sendBeacon(url, body);
    }
  };
  // Also comes when a page is left, after pagehide; web-vitals has reported what it waits with by then.
  addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden") return;
    tell();
    away = true; // what comes after would measure how long someone was away
  });
}

if (entity && key && Math.random() < Number(sample)) begin();
