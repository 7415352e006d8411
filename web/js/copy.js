// The pages of a copy as plain files: keys, and search by an index of classic scripts, since from
// file:// nothing can be fetched. The index is written by src/pilothouse/export/rules/indexing.py.
import "./keys.js";
import "./search.js";

const TITLES = 200; // in one file
const SHOWN = 8; // under the box
const MOST = 100; // on the page of the search
const LONGEST = 24; // letters of a word that are kept
const root = new URL("../", document.currentScript.src);

const waiting = new Map(); // file -> [promise, whoever resolves it]

// A script of the index hands over what it has by calling one of these.
window.pilothouseWords = (name, words) => waiting.get(`search/w.${name}.js`)?.[1](words);
window.pilothouseTitles = (name, titles) => waiting.get(`search/t.${name}.js`)?.[1](titles);
window.pilothouseMade = (when) => {
  const place = document.getElementById("made");
  if (place) place.textContent = `The copy was last brought up to date ${when} UTC.`;
};

function script(file, failed = () => {}) {
  const element = document.createElement("script");
  element.src = new URL(file, root);
  element.onerror = failed;
  document.head.append(element);
}

function load(file, nothing) {
  if (!waiting.has(file)) {
    let resolve;
    const promise = new Promise((done) => { resolve = done; });
    waiting.set(file, [promise, resolve]);
    script(file, () => resolve(nothing));
  }
  return waiting.get(file)[0];
}

const shard = (word) => [...`${word}_`.slice(0, 2)].map((letter) => (/[a-z0-9]/.test(letter) ? letter : "_")).join("");
const words = (text) => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => word.slice(0, LONGEST));

function unpack(text) {
  let at = 0;
  return text ? text.split(".").map((part) => (at += parseInt(part, 36))) : [];
}

// One letter too many, too few, another, or two exchanged.
function near(one, other) {
  if (Math.abs(one.length - other.length) > 1) return false;
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  const [a, b] = [one.slice(at), other.slice(at)];
  return a.slice(1) === b || a === b.slice(1) || a.slice(1) === b.slice(1) ||
    (a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2));
}

// Everything that has a word, or a word that begins with it: number -> how well.
async function having(word) {
  const known = await load(`search/w.${shard(word)}.js`, {});
  let found = Object.keys(known).filter((one) => one.startsWith(word));
  if (!found.length && word.length > 3) found = Object.keys(known).filter((one) => near(one, word));
  const scores = new Map();
  for (const one of found) {
    const whole = one === word ? 2 : 1;
    const [titles, texts] = known[one].split(";");
    for (const number of unpack(titles)) scores.set(number, Math.max(scores.get(number) ?? 0, 4 * whole));
    for (const number of unpack(texts)) scores.set(number, Math.max(scores.get(number) ?? 0, whole));
  }
  return scores;
}

async function find(text) {
  const sought = [...new Set(words(text))].filter((word) => word.length > 1);
  if (!sought.length) return null;
  const each = await Promise.all(sought.map(having));
  const all = [...each[0].keys()].filter((number) => each.every((scores) => scores.has(number)));
  const score = (number) => each.reduce((sum, scores) => sum + scores.get(number), 0);
  const best = all.map((number) => [score(number), number]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  const shown = best.slice(0, MOST).map(([, number]) => number);
  const files = [...new Set(shown.map((number) => Math.floor(number / TITLES)))];
  const titles = new Map(await Promise.all(files.map(async (file) => [file, await load(`search/t.${file}.js`, [])])));
  const entries = shown.map((number) => titles.get(Math.floor(number / TITLES))[number % TITLES]).filter(Boolean);
  return { entries, total: best.length };
}

function row([title, kind, href, trail], className) {
  const link = document.createElement("a");
  link.href = new URL(href, root);
  link.className = className;
  const name = document.createElement("b");
  name.textContent = title;
  const sub = document.createElement("span");
  sub.className = "sub";
  sub.textContent = [kind, trail].filter(Boolean).join(", ");
  link.append(name, " ", sub);
  return link;
}

function line(text) {
  const words = document.createElement("p");
  words.className = "hit";
  words.textContent = text;
  return words;
}

async function show(text, place, most) {
  const found = await find(text);
  const field = document.getElementById("q");
  if (field && field.value !== text && place.id === "found") return; // typed on meanwhile
  const list = document.createElement("div");
  list.className = "hits";
  if (found) {
    list.append(...found.entries.slice(0, most).map((entry) => row(entry, "hit")));
    if (!found.entries.length) list.append(line("Nothing found"));
    if (place.id === "hits") list.prepend(line(found.total > most ? `The first ${most} of ${found.total}` : `${found.total} found`));
  }
  place.replaceChildren(...(found ? [list] : []));
}

const field = document.getElementById("q");
const found = document.getElementById("found");
let timer = 0;
field?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => show(field.value, found, SHOWN), 120);
});

const hits = document.getElementById("hits");
const asked = new URLSearchParams(location.search).get("q");
if (hits && asked) {
  field.value = asked;
  show(asked, hits, MOST);
}

script("made.js");
