// Runs in every page of a journey before the page's own scripts; tells what the browser measured.
// REPORT is the name of the function that takes it.
(() => {
  const report = (kind, value) => globalThis.REPORT?.(JSON.stringify([kind, value]));
  if (window !== window.top) return;
  const watch = (type, each) => {
    try {
      new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true, durationThreshold: 50 });
    } catch {
      // This browser does not measure it.
    }
  };
  let shift = 0, first = 0, last = 0, worst = 0;
  watch("largest-contentful-paint", (entry) => report("lcp", entry.startTime));
  watch("layout-shift", (entry) => {
    if (entry.hadRecentInput) return;
    const at = entry.startTime;
    if (!shift || at - last > 1000 || at - first > 5000) [shift, first] = [0, at];
    shift += entry.value;
    last = at;
    if (shift > worst) report("cls", (worst = shift));
  });
  watch("longtask", (entry) => report("task", entry.duration));
  watch("long-animation-frame", (entry) => {
    for (const script of entry.scripts.slice(0, 50)) {
      const source = script.sourceURL || (script.invokerType?.endsWith("-script") ? script.invoker : "");
      report("script", [source, script.duration]);
    }
  });
})();
