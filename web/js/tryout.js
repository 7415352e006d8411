// The page on which one tries an API out: gives Scalar the definition that the page holds.
// The page's policy lets it talk to the servers that the definition names, and to nothing else.
const place = document.getElementById("tryout");
const definition = document.getElementById("definition");
const dark = document.documentElement.dataset.theme === "night" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

if (place && definition && window.Scalar) {
  place.textContent = "";
  window.Scalar.createApiReference(place, {
    content: JSON.parse(definition.textContent).text,
    darkMode: dark,
    hideDarkModeToggle: true,
    hideClientButton: true,
    showDeveloperTools: "never",
    withDefaultFonts: false,
    telemetry: false,
    persistAuth: false,
    agent: { disabled: true },
    mcp: { disabled: true },
  });
}
