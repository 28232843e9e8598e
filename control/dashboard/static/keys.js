// Shortcuts of one key. They can be turned off (WCAG 2.1.4), and rest while somebody types.

import { byId, h } from "./dom.js";

const NAME = "bundlevisor-shortcuts";

/** @typedef {{key: string, text: string, run: () => void, when?: () => boolean}} Shortcut */

/** @param {EventTarget | null} target */
function takesText(target) {
  return (
    target instanceof HTMLSelectElement ||
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && target.type !== "checkbox")
  );
}

/** @param {Shortcut[]} shortcuts */
export function listen(shortcuts) {
  const known = new Map(shortcuts.map((one) => [one.key, one]));
  const enabled = /** @type {HTMLInputElement} */ (byId("shortcuts-on"));
  enabled.checked = localStorage.getItem(NAME) !== "off";
  enabled.addEventListener("change", () =>
    localStorage.setItem(NAME, enabled.checked ? "on" : "off"),
  );
  byId("shortcuts").replaceChildren(
    ...shortcuts.flatMap(({ key, text }) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)]),
  );
  document.addEventListener("keydown", (event) => {
    const shortcut = known.get(event.key);
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    const busy = takesText(event.target) || document.querySelector("dialog[open]");
    if (!shortcut || modified || busy || !enabled.checked || shortcut.when?.() === false) return;
    event.preventDefault();
    shortcut.run();
  });
}
