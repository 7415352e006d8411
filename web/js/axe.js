// axe-core as one file: browser journeys (docs/journeys.md) run it in the pages that they walk.
import axe from "axe-core";

window.axe = axe;
