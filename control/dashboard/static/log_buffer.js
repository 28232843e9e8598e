// The lines that are kept, and which of them are wanted. Old ones go: a page must not grow for ever.

import { clock, readable } from "./text.js";

export const KEPT = 10_000;
export const SHOWN = 2_000;

/** @typedef {{number: number, service: string, time: string, text: string}} Line */

export class LogBuffer {
  /** @type {Line[]} */
  #lines = [];
  #number = 0;
  #needle = "";
  #service = "";

  /** @param {string} needle @param {string} service "" is every service */
  want(needle, service) {
    this.#needle = needle.toLowerCase();
    this.#service = service;
  }

  /** Takes lines of the API and returns those that are wanted. @param {any[]} documents */
  add(documents) {
    const made = documents.slice(-KEPT).map((one) => ({
      number: ++this.#number,
      service: readable(String(one.service)),
      time: clock(String(one.time)),
      text: readable(String(one.line)),
    }));
    this.#lines.push(...made);
    if (this.#lines.length > KEPT * 1.1) this.#lines = this.#lines.slice(-KEPT);
    return made.filter((line) => this.wants(line));
  }

  /** @param {Line} line */
  wants(line) {
    if (this.#service && line.service !== this.#service) return false;
    return !this.#needle || line.text.toLowerCase().includes(this.#needle);
  }

  wanted() {
    return this.#lines.filter((line) => this.wants(line));
  }

  clear() {
    this.#lines = [];
  }

  get size() {
    return this.#lines.length;
  }
}

/**
 * A text in pieces, every second of which is what is looked for.
 *
 * @param {string} text
 * @param {string} needle
 */
export function marked(text, needle) {
  if (!needle) return [text];
  const [low, wanted] = [text.toLowerCase(), needle.toLowerCase()];
  if (low.length !== text.length) return [text]; // a letter whose small form is longer
  const found = [];
  let at = 0;
  for (let next = low.indexOf(wanted); next >= 0; next = low.indexOf(wanted, at)) {
    found.push(text.slice(at, next), text.slice(next, next + wanted.length));
    at = next + wanted.length;
  }
  return [...found, text.slice(at)];
}
