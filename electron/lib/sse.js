"use strict";
// Server-Sent Events as WHATWG HTML, 9.2.6, reads them: pure, a piece of text at a time.

/** @typedef {{id: string, event: string, data: string}} Message */

/** Takes text as it comes and gives the messages that are complete. */
class SseParser {
  #rest = "";
  #id = "";
  #event = "";
  /** @type {string[]} */
  #data = [];

  /**
   * @param {string} text
   * @returns {Message[]}
   */
  take(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  /** @param {string} line @returns {Message[]} */
  #line(line) {
    if (line === "") return this.#dispatch();
    const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === "data") this.#data.push(value);
    if (field === "event") this.#event = value;
    if (field === "id" && !value.includes("\0")) this.#id = value;
    return [];
  }

  /** @returns {Message[]} */
  #dispatch() {
    const message = { id: this.#id, event: this.#event || "message", data: this.#data.join("\n") };
    const complete = this.#data.length > 0;
    this.#event = "";
    this.#data = [];
    return complete ? [message] : [];
  }
}

module.exports = { SseParser };
