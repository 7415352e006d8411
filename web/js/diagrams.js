// Mermaid's diagrams, drawn when they come into view; without this their source stays.
const prose = document.querySelector("[data-diagrams]");
const night = () => getComputedStyle(document.documentElement).colorScheme.includes("dark") &&
  (document.documentElement.dataset.theme === "night" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches));

async function show(source) {
  const { draw } = await import(prose.dataset.diagrams);
  const picture = await draw(source.textContent, night());
  if (!picture) return; // what cannot be drawn can be read
  const fold = document.createElement("details");
  fold.className = "twin";
  fold.innerHTML = "<summary>The diagram as text</summary>";
  source.replaceWith(picture, fold);
  fold.append(source);
}

if (prose && "IntersectionObserver" in window) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      seen.unobserve(entry.target);
      show(entry.target).catch(() => {});
    }
  }, { rootMargin: "400px" });
  prose.querySelectorAll("pre.mermaid").forEach((source) => seen.observe(source));
}
