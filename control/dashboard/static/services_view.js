// The table of services: one row each, whose elements stay while their texts change.

import { byId, h, s, setAttribute, setText } from "./dom.js";
import { duration, readable, share, size, why } from "./text.js";

const SAMPLES = 60;
const SPARK = { width: 60, height: 16 };
export const DOWN = ["stopped", "failed", "inactive"];
const UP = ["ready", "starting", "unhealthy"];

/** Whether a button does anything now. @param {string} action @param {any} service */
export function makesSense(action, service) {
  if (service.state === "stopping") return false;
  if (action === "start") return !UP.includes(service.state);
  if (action === "stop") return service.state !== "stopped" && service.state !== "inactive";
  return !DOWN.includes(service.state) || service.state === "failed";
}

class Row {
  #cells;
  #buttons;
  /** @type {number[]} */
  #samples = [];
  service;

  /** @param {any} service @param {(action: string, id: string) => void} press */
  constructor(service, press) {
    this.service = service;
    const name = readable(service.id);
    const words = ["state", "why", "restarts", "cpu", "memory", "uptime", "ports"];
    this.#cells = Object.fromEntries(words.map((word) => [word, h("span", { class: word })]));
    this.spark = s("polyline", {});
    this.link = h(
      "a",
      { href: `#logs/${encodeURIComponent(service.id)}`, "data-id": service.id },
      name,
    );
    this.output = h("pre", { tabindex: 0, "aria-label": `What ${name} wrote when it failed` });
    this.more = h("details", { hidden: true }, h("summary", {}, "What it wrote"), this.output);
    const button = (/** @type {string} */ action, /** @type {string} */ text) =>
      h(
        "button",
        { type: "button", "aria-label": `${text} ${name}`, click: () => press(action, service.id) },
        text,
      );
    this.#buttons = {
      start: button("start", "Start"),
      stop: button("stop", "Stop"),
      restart: button("restart", "Restart"),
    };
    this.element = this.#made();
  }

  #made() {
    const cells = this.#cells;
    const size = { ...SPARK, viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, "aria-hidden": "true" };
    return h(
      "tr",
      { "data-id": this.service.id },
      h("th", { scope: "row" }, this.link),
      h("td", {}, cells.state),
      h("td", { class: "reason" }, cells.why, this.more),
      h("td", { class: "number" }, cells.restarts),
      h(
        "td",
        { class: "number cpu" },
        s("svg", { ...size, class: "spark" }, this.spark),
        cells.cpu,
      ),
      h("td", { class: "number" }, cells.memory),
      h("td", { class: "number" }, cells.uptime),
      h("td", {}, cells.ports),
      h("td", { class: "actions" }, ...Object.values(this.#buttons)),
    );
  }

  /** @param {any} service */
  show(service) {
    const cells = this.#cells;
    this.service = service;
    const runs = service.pid !== undefined;
    setText(cells.state, service.state);
    setAttribute(cells.state, "class", `state ${service.state}`);
    setText(cells.why, why(service));
    setText(cells.restarts, service.restarts);
    setText(cells.cpu, runs ? share(service.cpu_percent) : "–");
    setText(cells.memory, runs ? size(service.rss_bytes) : "–");
    setText(cells.uptime, runs ? duration(service.uptime_s) : "–");
    const ports = Object.entries(service.ports ?? {}).map(
      ([name, port]) => `${readable(name)} ${port}`,
    );
    setText(cells.ports, ports.join(", ") || "–");
    setText(this.output, (service.output ?? []).map(readable).join("\n"));
    setAttribute(this.more, "hidden", !service.output?.length);
    for (const [action, button] of Object.entries(this.#buttons))
      setAttribute(button, "aria-disabled", makesSense(action, service) ? undefined : "true");
  }

  /** Notes what it uses now; a look every two seconds makes the line two minutes long. */
  sample() {
    this.#samples = [...this.#samples, Number(this.service.cpu_percent) || 0].slice(-SAMPLES);
    const most = Math.max(100, ...this.#samples);
    const first = SAMPLES - this.#samples.length;
    const x = (/** @type {number} */ at) => ((first + at) / (SAMPLES - 1)) * SPARK.width;
    const y = (/** @type {number} */ value) =>
      SPARK.height - 1 - (value / most) * (SPARK.height - 2);
    const points = this.#samples.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
    setAttribute(this.spark, "points", points.join(" "));
  }
}

export class ServicesView {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #press;
  #body = byId("services-body");

  /** @param {(action: string, service: any) => void} press */
  constructor(press) {
    this.#press = press;
  }

  /** @param {any[]} services @param {boolean} measured whether CPU and memory are new */
  show(services, measured) {
    const ids = services.map(({ id }) => id);
    if (ids.join("\n") !== [...this.#rows.keys()].join("\n")) this.#build(services);
    for (const service of services) this.#rows.get(service.id)?.show(service);
    if (measured) this.#rows.forEach((row) => row.sample());
  }

  /** @param {any[]} services */
  #build(services) {
    const press = (/** @type {string} */ action, /** @type {string} */ id) => {
      const service = this.#rows.get(id)?.service;
      if (service && makesSense(action, service)) this.#press(action, service);
    };
    this.#rows = new Map(services.map((one) => [one.id, new Row(one, press)]));
    this.#body.replaceChildren(...[...this.#rows.values()].map((row) => row.element));
  }

  /** The service of the row that has the focus. */
  focused() {
    const id = document.activeElement?.closest("tr")?.getAttribute("data-id");
    return id === null || id === undefined ? undefined : this.#rows.get(id)?.service;
  }

  /** @param {string} id */
  focus(id) {
    this.#rows.get(id)?.link.focus();
  }

  /** Moves the focus to the next service, or with -1 to the one before. @param {number} by */
  move(by) {
    const ids = [...this.#rows.keys()];
    const at = ids.indexOf(this.focused()?.id);
    const next = at < 0 ? (by > 0 ? 0 : ids.length - 1) : at + by;
    this.focus(ids[Math.min(Math.max(next, 0), ids.length - 1)]);
  }
}
