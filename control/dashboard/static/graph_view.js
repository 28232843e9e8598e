// The dependency graph as a picture, drawn anew only when its shape changes.

import { h, s, setAttribute, setText } from "./dom.js";
import { layout } from "./graph.js";
import { readable, why } from "./text.js";

const BOX = { least: 150, height: 52, gap: 22, between: 64, edge: 8 };
const LETTER = 8.5;
/** Pixels for a letter of a name, of which none is cut. */

export class GraphView {
  #shape = "";
  /** @type {Map<string, {box: Element, state: Element, link: Element}>} */
  #boxes = new Map();
  #width = 0;
  #place;

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
  }

  /** @param {any[]} services each with `id`, `state`, `needs` */
  show(services) {
    const shape = JSON.stringify(services.map(({ id, needs }) => [id, needs]));
    if (shape !== this.#shape) this.#draw(services);
    this.#shape = shape;
    for (const one of services) this.#update(one);
  }

  /** @param {any} service */
  #update(service) {
    const parts = this.#boxes.get(service.id);
    if (!parts) return;
    setAttribute(parts.box, "class", `node ${service.state}`);
    setText(parts.state, service.state);
    const needs = service.needs.length
      ? `, needs ${service.needs.map(readable).join(" and ")}`
      : "";
    const told = `${readable(service.id)} ${service.state}${needs}. ${why(service)}`;
    setAttribute(parts.link, "aria-label", told.trim());
  }

  /** @param {any[]} services */
  #draw(services) {
    const places = layout(services);
    const longest = Math.max(0, ...services.map(({ id }) => readable(id).length));
    this.#width = Math.max(BOX.least, 24 + longest * LETTER);
    const at = new Map(places.map((place) => [place.id, corner(place, this.#width)]));
    this.#boxes = new Map();
    const edges = services.flatMap(({ id, needs }) =>
      needs.map((/** @type {string} */ need) => edge(at.get(need), at.get(id), this.#width)),
    );
    const nodes = places.map(({ id }) => this.#node(id, at.get(id) ?? { x: 0, y: 0 }));
    const width = Math.max(0, ...[...at.values()].map(({ x }) => x)) + this.#width + BOX.edge;
    const height = Math.max(0, ...[...at.values()].map(({ y }) => y)) + BOX.height + BOX.edge;
    const arrow = s("path", { d: "M0 0 L8 4 L0 8 z" });
    const marker = {
      id: "arrow",
      refX: 8,
      refY: 4,
      markerWidth: 8,
      markerHeight: 8,
      orient: "auto",
    };
    const size = { width, height, viewBox: `0 0 ${width} ${height}` };
    const drawn = s("svg", { ...size, role: "group", "aria-label": "Dependency graph" });
    drawn.append(s("defs", {}, s("marker", marker, arrow)), ...edges.filter(Boolean), ...nodes);
    this.#place.replaceChildren(services.length ? drawn : h("p", {}, "There are no services."));
  }

  /** @param {string} id @param {{x: number, y: number}} at */
  #node(id, { x, y }) {
    const name = readable(id);
    const state = s("text", { x: x + 28, y: y + 40, class: "state" });
    const box = s(
      "g",
      {},
      s("rect", { x, y, width: this.#width, height: BOX.height, rx: 8 }),
      s("circle", { cx: x + 16, cy: y + 36, r: 5 }),
      s("text", { x: x + 12, y: y + 21, class: "name" }, name),
      " ",
      state,
    );
    const link = s("a", { href: `#services/${encodeURIComponent(id)}` }, box);
    this.#boxes.set(id, { box, state, link });
    return link;
  }
}

/** @param {import("./graph.js").Place} place @param {number} width */
function corner({ layer, row }, width) {
  const x = BOX.edge + layer * (width + BOX.between);
  return { x, y: BOX.edge + row * (BOX.height + BOX.gap) };
}

/** @typedef {{x: number, y: number} | undefined} Corner */

/** @param {Corner} from @param {Corner} to @param {number} width */
function edge(from, to, width) {
  if (!from || !to) return null;
  const begin = { x: from.x + width, y: from.y + BOX.height / 2 };
  const end = { x: to.x - 2, y: to.y + BOX.height / 2 };
  const bend = Math.max(24, (end.x - begin.x) / 2);
  const curve = `C${begin.x + bend} ${begin.y} ${end.x - bend} ${end.y} ${end.x} ${end.y}`;
  return s("path", {
    d: `M${begin.x} ${begin.y} ${curve}`,
    class: "edge",
    "marker-end": "url(#arrow)",
  });
}
