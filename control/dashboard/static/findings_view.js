// What is wrong with the bundle and its files, as `bundlevisor validate` finds it.

import { get } from "./api.js";
import { byId, h, setAttribute, setText } from "./dom.js";
import { counted, readable } from "./text.js";

/** All of a report, errors first; its other lists repeat some of the errors. @param {any} report */
export function problems(report) {
  const of = (/** @type {any[] | undefined} */ list, /** @type {string} */ level) =>
    (list ?? []).map((one) => ({ level, ...one }));
  return [...of(report.errors, "error"), ...of(report.warnings, "warning")];
}

export class FindingsView {
  #asked = false;
  #button = byId("findings-again");

  constructor() {
    this.#button.addEventListener("click", () => void this.look());
  }

  /** Looks for the first time: checking files may take long, so it is done when somebody looks. */
  open() {
    if (!this.#asked) void this.look();
  }

  async look() {
    this.#asked = true;
    setAttribute(this.#button, "aria-disabled", "true");
    setText(byId("findings-said"), "Checking…");
    try {
      this.#show(await get("/validate"));
    } catch (error) {
      this.#asked = false;
      setText(
        byId("findings-said"),
        `Cannot check: ${error instanceof Error ? error.message : error}`,
      );
    }
    setAttribute(this.#button, "aria-disabled", undefined);
  }

  /** @param {any} report */
  #show(report) {
    const found = problems(report);
    const errors = found.filter(({ level }) => level === "error").length;
    const said = `${counted(errors, "error")}, ${counted(found.length - errors, "warning")}`;
    setText(byId("findings-said"), found.length ? said : "Nothing is wrong with the bundle.");
    setText(byId("findings-number"), found.length ? ` (${found.length})` : "");
    byId("findings-body").replaceChildren(...found.map(row));
    setAttribute(byId("findings-table"), "hidden", !found.length);
  }
}

/** @param {any} problem */
function row({ level, code, service, path, message }) {
  return h(
    "tr",
    {},
    h("td", { class: level === "error" ? "bad" : "doubtful" }, level),
    h("td", {}, readable(String(code ?? ""))),
    h("td", { class: "reason" }, readable(String(service ?? "–"))),
    h("td", { class: "reason" }, readable(String(path ?? ""))),
    h("td", { class: "reason" }, readable(String(message ?? ""))),
  );
}
