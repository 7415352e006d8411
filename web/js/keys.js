// Keys: none changes anything, and the reader can switch them off (WCAG 2.1.4).
const root = document.documentElement;
const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const FOLLOWS = 1200; // ms in which the second key of "g" + key counts

let pressedG = 0;

const rows = () => [...document.querySelectorAll("[data-row]")].map((row) => row.querySelector("a")).filter(Boolean);

function step(by) {
  const links = rows();
  const at = links.findIndex((link) => link.closest("[data-row]").contains(document.activeElement));
  links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
}

function search() {
  const field = document.getElementById("q");
  field?.focus();
  field?.select();
}

const single = {
  "/": search,
  "?": () => document.getElementById("display")?.togglePopover(),
  g: () => { pressedG = performance.now(); },
  j: () => step(1),
  k: () => step(-1),
};

addEventListener("keydown", (event) => {
  if (event.altKey || event.isComposing || root.dataset.keys === "off") return;
  if (event.ctrlKey || event.metaKey) {
    if (event.key !== "k" || event.shiftKey) return;
    event.preventDefault();
    search();
    return;
  }
  if (event.target.closest?.(TYPED)) return;
  const goes = pressedG && performance.now() - pressedG < FOLLOWS;
  pressedG = 0;
  if (goes) {
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (!link) return;
    event.preventDefault();
    location.assign(link.href);
  } else if (Object.hasOwn(single, event.key)) {
    event.preventDefault();
    single[event.key]();
  }
});
