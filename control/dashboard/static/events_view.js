// What happened: the telemetry's events, newest first.

import { byId, h, setText } from "./dom.js";
import { clock, counted, readable, words } from "./text.js";

const SHOWN = 300;
const BAD = /error|fail|died|gave_up|unhealthy|killed|blocked|missing|mismatch/;
const DOUBTFUL = /restart|backoff|warning|reassigned|not_ready|dropped|given_up/;
const GOOD = ["ready", "service_ready", "migration_applied"];

/** @param {string} event */
function kind(event) {
  if (GOOD.includes(event)) return "good";
  return BAD.test(event) ? "bad" : DOUBTFUL.test(event) ? "doubtful" : "";
}

export class EventsView {
  /** @type {any[]} */
  #events = [];
  #search = /** @type {HTMLInputElement} */ (byId("event-search"));

  constructor() {
    this.#search.addEventListener("input", () => this.#draw());
  }

  search() {
    this.#search.focus();
    this.#search.select();
  }

  /** @param {any[]} events oldest first */
  show(events) {
    if (events === this.#events) return;
    this.#events = events;
    this.#draw();
  }

  #draw() {
    const needle = this.#search.value.toLowerCase();
    const read = this.#events.map((one) => ({
      time: clock(String(one.ts)),
      service: readable(String(one.service_id ?? "–")),
      event: readable(String(one.event)),
      said: words(one.details),
    }));
    const found = read.filter((one) => Object.values(one).join(" ").toLowerCase().includes(needle));
    const rows = found.slice(-SHOWN).reverse().map(row);
    byId("events-body").replaceChildren(...rows);
    const cut = found.length > SHOWN ? `, the last ${SHOWN} shown` : "";
    setText(byId("event-count"), `${counted(found.length, "event")}${cut}`);
  }
}

/** @param {{time: string, service: string, event: string, said: string}} one */
function row({ time, service, event, said }) {
  return h(
    "tr",
    {},
    h("td", { class: "number" }, time),
    h("td", { class: "reason" }, service),
    h("td", { class: kind(event) }, event),
    h("td", { class: "reason" }, said),
  );
}
