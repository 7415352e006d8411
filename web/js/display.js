// The Display form saves by itself; here a choice only shows at once, and zones are offered.
const root = document.documentElement;
const form = document.getElementById("display");
const theme = form?.querySelector("[name=theme]");
const zone = form?.querySelector("[name=zone]");

theme?.addEventListener("change", () => {
  if (theme.value) root.dataset.theme = theme.value;
  else delete root.dataset.theme;
});

form?.addEventListener("toggle", () => {
  const names = document.getElementById("zones");
  if (!names || names.children.length) return;
  const known = new Set(["UTC", Intl.DateTimeFormat().resolvedOptions().timeZone, ...Intl.supportedValuesOf("timeZone")]);
  names.append(...[...known].map((name) => new Option(name, name)));
});

const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const offer = document.getElementById("own-zone");
if (offer && zone && own && own !== zone.value) {
  offer.textContent = `Use ${own}, this device's`;
  offer.hidden = false;
  offer.addEventListener("click", () => {
    zone.value = own;
    offer.hidden = true;
    zone.focus();
  });
}
