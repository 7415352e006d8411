// A closer look at a chart: uPlot is fetched when asked for, and draws the numbers of the table beside it.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function numbers(table) {
  const heads = [...table.tHead.rows[0].cells].slice(1);
  const names = heads.map((cell) => cell.textContent.trim());
  const marks = heads.map((cell, at) => cell.dataset.mark ?? ["--mark-1", "--bad", "--mark-2"][at]);
  const rows = [...table.tBodies[0].rows];
  const x = rows.map((row) => Date.parse(row.cells[0].dataset.x) / 1000);
  const value = (cell) => {
    const found = Number.parseFloat(cell.dataset.y ?? cell.textContent); // data-y: where units differ
    return Number.isNaN(found) ? null : found; // a gap
  };
  const series = names.map((_, at) => rows.map((row) => value(row.cells[at + 1])));
  return { names, marks, data: [x, ...series] };
}

function paint(color) {
  const probe = document.createElement("span");
  probe.style.color = css(color);
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

async function draw(chart, table) {
  if (!document.querySelector(`link[href="${CSS.escape(chart.dataset.zoomStyle)}"]`)) {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href: chart.dataset.zoomStyle });
    document.head.append(link);
  }
  const { default: UPlot } = await import(chart.dataset.zoom);
  const { names, marks, data } = numbers(table);
  const colors = marks.map(paint);
  const axis = { stroke: paint("--ink-3"), grid: { stroke: paint("--line") } };
  const place = document.createElement("div");
  chart.querySelector("svg").replaceWith(place);
  const plot = new UPlot({
    width: chart.clientWidth,
    height: 220,
    axes: [axis, axis],
    scales: { y: { range: (_, low, high) => [0, high > 0 ? high : 1] } },
    series: [{}, ...names.map((label, at) => ({ label, stroke: colors[at], width: 2, points: { show: true } }))],
  }, data, place);
  addEventListener("resize", () => plot.setSize({ width: chart.clientWidth, height: 220 }));
}

function offer(chart) {
  const table = chart.closest("section")?.querySelector("table[data-series]");
  if (!table || chart.querySelector(".closer")) return;
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "btn btn-sm closer", textContent: "Zoom" });
  button.setAttribute("aria-label", `Zoom into ${chart.dataset.name}`);
  button.addEventListener("click", async () => {
    button.disabled = true;
    await draw(chart, table).then(() => button.remove(), () => { button.disabled = false; });
  });
  chart.prepend(button);
}

document.querySelectorAll("[data-zoom]").forEach(offer);
