// Read only by pages that let one zoom into a curve: import(address).
export { default } from "uplot";
