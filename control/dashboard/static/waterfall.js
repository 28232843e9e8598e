// The start as a waterfall: when each service was started, wrote, listened and was ready.

import { h, s } from "./dom.js";
import { readable } from "./text.js";

const ROW = 26;
const WIDTH = 900;
const RIGHT = 70;
const TOP = 24;
const LEAST = 120;
const LETTER = 8.5;

const STAGES = [
  { name: "waiting", from: "waiting_ms", to: "spawned_ms", text: "waiting for others" },
  { name: "starting", from: "spawned_ms", to: "output_ms", text: "started, silent" },
  { name: "speaking", from: "output_ms", to: "listening_ms", text: "writing" },
  { name: "listening", from: "listening_ms", to: "ready_ms", text: "listening, not ready" },
];

/**
 * The pieces of a service's bar. What was not noted (a service without output, say) has no piece of
 * its own: the piece before it goes on.
 *
 * @param {any} span
 * @param {number} now where what is not over ends, in ms
 */
export function pieces(span, now) {
  const marks = STAGES.map(({ from }) => span[from] ?? (from === "waiting_ms" ? 0 : undefined));
  const end = span.ready_ms ?? now;
  const found = [];
  let at = 0;
  while (at < STAGES.length) {
    let next = at + 1;
    while (next < STAGES.length && marks[next] === undefined) next++;
    const to = Math.min(next < STAGES.length ? marks[next] : end, end);
    if (marks[at] !== undefined && to > marks[at])
      found.push({ name: STAGES[at].name, text: STAGES[at].text, from: marks[at], to });
    at = next;
  }
  return found;
}

/** Round distances between lines of the axis, some eight of them. @param {number} total */
export function step(total) {
  const raw = total / 8 || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw) ?? raw;
}

/** @param {any} timeline */
export function draw(timeline) {
  const services = timeline.services ?? [];
  const marks = services.flatMap((/** @type {any} */ one) => [
    one.ready_ms,
    one.listening_ms,
    one.spawned_ms,
  ]);
  const total = Math.max(1, ...marks.filter(Number.isFinite));
  const longest = Math.max(0, ...services.map((/** @type {any} */ one) => readable(one.id).length));
  const left = Math.max(LEAST, longest * LETTER + 16);
  const scale = (/** @type {number} */ ms) => left + (ms / total) * WIDTH;
  const height = TOP + services.length * ROW + 8;
  const size = { viewBox: `0 0 ${left + WIDTH + RIGHT} ${height}`, class: "waterfall" };
  const told = { role: "img", "aria-label": `Start: ${readable(timeline.summary ?? "")}` };
  const picture = s("svg", { ...size, ...told }, ...axis(total, scale, height));
  services.forEach((/** @type {any} */ span, /** @type {number} */ row) => {
    picture.append(...bar(span, TOP + row * ROW, scale, total));
  });
  return picture;
}

/** @param {number} total @param {(ms: number) => number} scale @param {number} height */
function axis(total, scale, height) {
  const found = [];
  for (let ms = 0; ms <= total; ms += step(total)) {
    const x = scale(ms);
    const words = `${Math.round(ms)} ms`;
    found.push(s("line", { x1: x, x2: x, y1: TOP - 6, y2: height - 4, class: "tick" }));
    found.push(s("text", { x, y: 12, "text-anchor": "middle", class: "axis" }, words));
  }
  return found;
}

/** @param {any} span @param {number} y @param {(ms: number) => number} scale @param {number} total */
function bar(span, y, scale, total) {
  const name = readable(span.id);
  const shown = span.critical ? "critical" : "";
  const label = { x: scale(0) - 10, y: y + 15, "text-anchor": "end", class: shown };
  const found = [s("text", label, name)];
  for (const piece of pieces(span, total)) {
    const [x, to] = [scale(piece.from), scale(piece.to)];
    const title = `${name}, ${piece.text}: ${Math.round(piece.from)} to ${Math.round(piece.to)} ms`;
    const size = { x, y: y + 3, width: Math.max(1, to - x), height: ROW - 10 };
    found.push(s("rect", { ...size, class: `piece ${piece.name}` }, s("title", {}, title)));
  }
  if (Number.isFinite(span.ready_ms)) {
    const x = scale(span.ready_ms) + 6;
    found.push(s("text", { x, y: y + 15, class: "axis" }, `${Math.round(span.ready_ms)} ms`));
  }
  return found;
}

/** The same numbers as a table. @param {any} timeline */
export function table(timeline) {
  const marks = ["spawned_ms", "output_ms", "listening_ms", "ready_ms"];
  const heads = ["Service", "Started", "First output", "Listening", "Ready"];
  const rows = (timeline.services ?? []).map((/** @type {any} */ one) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, readable(one.id) + (one.critical ? " *" : "")),
      ...marks.map((mark) => h("td", { class: "number" }, number(one[mark]))),
    ),
  );
  const head = h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)));
  return h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows));
}

/** @param {number | null | undefined} ms */
function number(ms) {
  return Number.isFinite(ms) ? `${Math.round(Number(ms))} ms` : "–";
}

export function legend() {
  const swatch = (/** @type {string} */ name) =>
    s(
      "svg",
      { width: 14, height: 12, "aria-hidden": "true" },
      s("rect", { width: 14, height: 12, class: `piece ${name}` }),
    );
  return STAGES.map(({ name, text }) => h("li", {}, swatch(name), " ", text));
}
