"use strict";
// The runtime's own log as a file, for who has to find out later what happened.

const { appendFile, mkdir, rename, stat } = require("node:fs/promises");
const path = require("node:path");

const MOST_BYTES = 2 * 1024 * 1024; // then it becomes FILE.1, in the place of the one before

/** Lines go to the file one after the other; what cannot be written is let go. */
class LogFile {
  #file;
  /** @type {Promise<void>} */
  #last;
  #size = 0;

  /** @param {string} file its folder is made */
  constructor(file) {
    this.#file = file;
    this.#last = this.#open();
  }

  /** @param {string} line */
  write(line) {
    this.#last = this.#last.then(() => this.#append(`${line}\n`)).catch(() => {});
  }

  /** Resolves when all that was written so far is in the file. */
  flush() {
    return this.#last;
  }

  async #open() {
    await mkdir(path.dirname(this.#file), { recursive: true }).catch(() => {});
    this.#size = await stat(this.#file).then(
      ({ size }) => size,
      () => 0,
    );
  }

  /** @param {string} text */
  async #append(text) {
    if (this.#size >= MOST_BYTES) {
      await rename(this.#file, `${this.#file}.1`).catch(() => {}); // held by somebody: the next time
      this.#size = 0;
    }
    await appendFile(this.#file, text, { mode: 0o600 });
    this.#size += Buffer.byteLength(text);
  }
}

module.exports = { LogFile, MOST_BYTES };
