// Live logs: all services by time, searched as one types.

import { NotIn, lines } from "./api.js";
import { byId, h, setAttribute, setText } from "./dom.js";
import { LogBuffer, SHOWN, marked } from "./log_buffer.js";
import { counted, readable } from "./text.js";

const FIRST = 500;
const AGAIN_MS = 1000;
const COLOURS = 8;

export class LogsView {
  #buffer = new LogBuffer();
  /** @type {import("./log_buffer.js").Line[]} */
  #coming = [];
  #pane = byId("log");
  #search = /** @type {HTMLInputElement} */ (byId("log-search"));
  #choice = /** @type {HTMLSelectElement} */ (byId("log-service"));
  #previous = /** @type {HTMLInputElement} */ (byId("log-previous"));
  #follows = true;
  /** @type {AbortController | null} */
  #stream = null;
  /** @type {string[]} */
  #ids = [];
  #matching = 0;
  #over;

  /** @param {() => void} over */
  constructor(over) {
    this.#over = over;
    this.#search.addEventListener("input", () => this.#again());
    this.#choice.addEventListener("change", () => this.#choose(this.#choice.value));
    this.#previous.addEventListener("change", () => this.open());
    byId("log-follow").addEventListener("click", () => this.follow(!this.#follows));
    byId("log-clear").addEventListener("click", () => this.clear());
    this.#pane.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  /** Offers the services. @param {string[]} ids */
  show(ids) {
    if (ids.join("\n") === this.#ids.join("\n")) return;
    const chosen = this.#choice.value;
    this.#ids = ids;
    const options = ids.map((id) => h("option", { value: id }, readable(id)));
    this.#choice.replaceChildren(h("option", { value: "" }, "all services"), ...options);
    this.#choice.value = ids.includes(chosen) ? chosen : "";
  }

  /** Shows one service, or all. @param {string} id */
  pick(id) {
    this.#choice.value = this.#ids.includes(id) ? id : "";
    this.#again();
  }

  /** @param {string} id */
  #choose(id) {
    const place = id ? `#logs/${encodeURIComponent(id)}` : "#logs";
    history.replaceState(null, "", place);
    this.#again();
  }

  search() {
    this.#search.focus();
    this.#search.select();
  }

  /** Begins to read; what was read before is read again. */
  open() {
    this.close();
    this.clear();
    const stream = new AbortController();
    this.#stream = stream;
    void this.#read(stream.signal);
  }

  close() {
    this.#stream?.abort();
    this.#stream = null;
  }

  clear() {
    this.#buffer.clear();
    this.#coming = [];
    this.#again();
  }

  /** @param {boolean} wanted */
  follow(wanted) {
    this.#follows = wanted;
    setAttribute(byId("log-follow"), "aria-pressed", String(wanted));
    if (wanted) this.#pane.scrollTop = this.#pane.scrollHeight;
  }

  toggleFollow() {
    this.follow(!this.#follows);
  }

  /** @param {AbortSignal} signal */
  async #read(signal) {
    let first = FIRST;
    while (!signal.aborted) {
      const query = this.#previous.checked
        ? { previous: "1", lines: FIRST }
        : { follow: "1", lines: first };
      try {
        for await (const read of lines("/logs/lines", query, signal)) {
          this.#add(read);
          first = 0; // what comes again after a gap would be double
        }
        if (this.#previous.checked) return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof NotIn) return this.#over();
        if (error instanceof Error) setText(byId("log-count"), error.message);
      }
      await new Promise((go) => setTimeout(go, AGAIN_MS));
    }
  }

  /** @param {any[]} read */
  #add(read) {
    const wanted = this.#buffer.add(read);
    this.#matching += wanted.length;
    if (!this.#coming.length) requestAnimationFrame(() => this.#append());
    this.#coming.push(...wanted.slice(-SHOWN));
    if (this.#coming.length > SHOWN) this.#coming = this.#coming.slice(-SHOWN);
  }

  #append() {
    const coming = this.#coming.map((line) => this.#line(line));
    this.#coming = [];
    this.#pane.append(...coming);
    while (this.#pane.childElementCount > SHOWN) this.#pane.firstElementChild?.remove();
    this.#count();
    if (this.#follows) this.#pane.scrollTop = this.#pane.scrollHeight;
  }

  /** Shows what is wanted now, of all that is kept. */
  #again() {
    this.#buffer.want(this.#search.value, readable(this.#choice.value));
    const wanted = this.#buffer.wanted();
    this.#matching = wanted.length;
    this.#coming = [];
    this.#pane.replaceChildren(...wanted.slice(-SHOWN).map((line) => this.#line(line)));
    this.#count();
    if (this.#follows) this.#pane.scrollTop = this.#pane.scrollHeight;
  }

  #count() {
    const matching = Math.min(this.#matching, this.#buffer.size);
    const of = this.#search.value || this.#choice.value ? ` of ${this.#buffer.size}` : "";
    const cut = matching > SHOWN ? `, the last ${SHOWN} shown` : "";
    setText(byId("log-count"), `${counted(matching, "line")}${of}${cut}`);
  }

  /** @param {import("./log_buffer.js").Line} line */
  #line({ service, time, text }) {
    const colour = this.#ids.findIndex((id) => readable(id) === service) % COLOURS;
    const pieces = marked(text, this.#search.value).map((piece, at) =>
      at % 2 ? h("mark", {}, piece) : piece,
    );
    return h(
      "div",
      { class: "line" },
      h("time", {}, time),
      h("span", { class: `who colour${colour}` }, service),
      h("span", { class: "said" }, ...pieces),
    );
  }

  /** Who scrolls up wants to read: new lines leave the place alone until the end is seen again. */
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#pane;
    const atEnd = scrollHeight - scrollTop - clientHeight < 24;
    if (atEnd !== this.#follows) {
      this.#follows = atEnd;
      setAttribute(byId("log-follow"), "aria-pressed", String(atEnd));
    }
  }
}
