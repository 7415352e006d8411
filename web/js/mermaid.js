// Read only by pages with diagrams: import(address). Mermaid styles what it draws by <style> and
// style="", which `style-src 'self'` refuses; here both become rules of the script's own, which it allows.
import mermaid from "mermaid";

let count = 0;
let turn = Promise.resolve();

// What Mermaid sets as text becomes what a script may set.
function allowStyles() {
  const create = document.createElement.bind(document);
  const set = Element.prototype.setAttribute;
  document.createElement = (name, options) => (String(name).toLowerCase() === "style" ? sheet() : create(name, options));
  Element.prototype.setAttribute = function (name, value) {
    if (String(name).toLowerCase() === "style" && this.style) this.style.cssText = value;
    else set.call(this, name, value);
  };
  return () => {
    delete document.createElement;
    Element.prototype.setAttribute = set;
  };
}

function sheet() {
  const holder = document.createElementNS("http://www.w3.org/2000/svg", "metadata");
  const rules = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, rules];
  const write = (text) => rules.replaceSync(text.replace(/@import[^;]*;/g, ""));
  Object.defineProperty(holder, "innerHTML", { set: write });
  Object.defineProperty(holder, "textContent", { set: write });
  return holder;
}

const DRAWN = new Set("svg g path rect circle ellipse line polyline polygon text tspan textPath defs marker clipPath title desc linearGradient radialGradient stop pattern mask filter feDropShadow symbol use".split(" "));

// The drawing as elements: its styles are set by script, and what is neither shape nor text is gone.
function grown(text) {
  const marked = text.replace(/<style[\s\S]*?<\/style>/g, "").replace(/\sstyle="/g, ' data-style="');
  const drawing = new DOMParser().parseFromString(marked, "text/html").querySelector("svg");
  if (!drawing) return null;
  const own = document.importNode(drawing, true);
  for (const part of [own, ...own.querySelectorAll("[data-style]")]) {
    if (part.dataset.style) part.style.cssText = part.dataset.style;
    delete part.dataset.style;
  }
  own.querySelectorAll("a").forEach((part) => part.replaceWith(...part.childNodes));
  for (const part of own.querySelectorAll("*")) {
    if (!DRAWN.has(part.localName)) part.remove();
    for (const { name, value } of [...part.attributes]) {
      if (name.startsWith("on") || (name.endsWith("href") && !value.startsWith("#"))) part.removeAttribute(name);
    }
  }
  return own;
}

async function drawNow(text, dark) {
  const restore = allowStyles();
  try {
    mermaid.initialize({ startOnLoad: false, securityLevel: "loose", theme: dark ? "dark" : "neutral", suppressErrorRendering: true, htmlLabels: false, flowchart: { htmlLabels: false }, fontFamily: getComputedStyle(document.body).fontFamily });
    const { svg } = await mermaid.render(`diagram-${(count += 1)}`, text);
    const drawing = grown(svg);
    drawing?.classList.add("diagram");
    drawing?.setAttribute("role", "img");
    drawing?.setAttribute("aria-label", "Diagram; its text stands below");
    return drawing;
  } finally {
    restore();
  }
}

// One after the other: each changes what the document allows while it draws.
export function draw(text, dark) {
  const mine = turn.then(() => drawNow(text, dark));
  turn = mine.catch(() => {});
  return mine;
}
