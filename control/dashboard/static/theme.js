// Dark, light, or as the system is.

const NAME = "bundlevisor-theme";
const NEXT = { system: "dark", dark: "light", light: "system" };

/** @typedef {keyof typeof NEXT} Theme */

/** @returns {Theme} */
function chosen() {
  const kept = localStorage.getItem(NAME);
  return kept === "dark" || kept === "light" ? kept : "system";
}

/** @param {Theme} theme */
function apply(theme) {
  if (theme === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", theme);
}

/** Goes on to the next one and returns its name. */
export function turn() {
  const theme = /** @type {Theme} */ (NEXT[chosen()]);
  localStorage.setItem(NAME, theme);
  apply(theme);
  return theme;
}

/** @returns {Theme} */
export function begin() {
  apply(chosen());
  return chosen();
}
