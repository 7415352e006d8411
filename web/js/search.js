// What the search finds while one types comes by htmx; here are only its arrow keys.
const form = document.querySelector("form[role=search]");

form?.addEventListener("keydown", (event) => {
  const stops = [form.querySelector("input"), ...form.querySelectorAll(".found a")];
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") document.activeElement.blur();
  if (!by || stops.length < 2) return;
  event.preventDefault();
  stops[(stops.indexOf(document.activeElement) + by + stops.length) % stops.length]?.focus();
});
