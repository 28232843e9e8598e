// The start: this one's waterfall, or that of an earlier start.

import { byId, h, setText } from "./dom.js";
import { readable } from "./text.js";
import { draw, legend, table } from "./waterfall.js";

export class StartView {
  #shown = "";
  /** @type {any} */
  #timelines = null;
  #choice = /** @type {HTMLSelectElement} */ (byId("start-choice"));

  constructor() {
    byId("start-legend").append(...legend());
    this.#choice.addEventListener("change", () => this.#draw());
  }

  /** @param {any} timelines */
  show(timelines) {
    const all = timelines
      ? [timelines.timeline, ...(timelines.earlier ?? []).slice().reverse()]
      : [];
    const shown = JSON.stringify(all.map(({ started_at, ...rest }) => rest));
    if (shown === this.#shown || !all.length) return;
    this.#shown = shown;
    this.#timelines = all;
    this.#offer(all);
    this.#draw();
  }

  /** @param {any[]} all */
  #offer(all) {
    const chosen = Math.max(0, this.#choice.selectedIndex);
    const options = all.map((one, at) =>
      h("option", { value: at }, at ? new Date(one.started_at).toLocaleString() : "this start"),
    );
    if (options.length === this.#choice.length) return;
    this.#choice.replaceChildren(...options);
    this.#choice.selectedIndex = Math.min(chosen, options.length - 1);
  }

  #draw() {
    const timeline = this.#timelines?.[Math.max(0, this.#choice.selectedIndex)];
    if (!timeline) return;
    setText(byId("start-summary"), readable(timeline.summary ?? ""));
    byId("start-picture").replaceChildren(draw(timeline));
    byId("start-table").replaceChildren(table(timeline));
  }
}
