// Scalar as its makers built it, read only by the pages on which one tries an API out. Its own
// packages are in that file: web/package-lock.json leaves them out on purpose (decision 0015).
import "../node_modules/@scalar/api-reference/dist/browser/standalone.js";
