// Everything here is an extra: each page reads and each action works without it.
import "htmx.org";
import "htmx.org/dist/ext/hx-sse.js";
import "./keys.js";
import "./display.js";
import "./live.js";
import "./search.js";
import "./plots.js";
import "./diagrams.js";
import "./push.js";
