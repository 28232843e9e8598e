"use strict";
// One process of the runtime, from its start until it has ended.

const { spawn } = require("node:child_process");
const { readFile } = require("node:fs/promises");
const { StartFailed } = require("./errors");
const { eachLine } = require("./lines");

const LISTENING_WITHIN_MS = 90_000; // an instance before it may take 77 s to stop, a guardian 33
const KEPT_LINES = 500;

/** @typedef {import("./errors").Exit} Exit */

/**
 * The line by which the runtime says that it listens.
 *
 * @typedef {Object} Listening
 * @property {string} host
 * @property {number} port
 * @property {number} pid
 * @property {string} token_path
 * @property {string} instance_id
 */

/**
 * What to start, and how.
 *
 * @typedef {Object} Command
 * @property {string} command
 * @property {readonly string[]} args
 * @property {NodeJS.ProcessEnv} [env]
 * @property {(line: string) => void} log gets each line that the runtime writes to stderr
 */

/**
 * stdin is a pipe that only we hold: when this process dies in any way, its end is what tells the
 * runtime to stop.
 */
class RuntimeProcess {
  #child;
  /** @type {string[]} */
  #log = [];
  #token = "";
  /** @type {Promise<Listening>} */
  #line;
  #failure = "";

  /** Throws StartFailed. @param {Command} what */
  constructor({ command, args, env, log }) {
    this.#child = spawned(command, args, env);
    const { stdin, stderr, stdout } = this.#child; // none where there are no descriptors for them
    stdin?.on("error", () => {}); // the runtime may be gone when we close it
    eachLine(stderr, (line) => {
      this.#log.push(line);
      if (this.#log.length > KEPT_LINES) this.#log.shift();
      log(line);
    });
    this.#line = new Promise((resolve) => {
      eachLine(stdout, (line) => {
        const said = readListening(line);
        if (said) resolve(said);
      });
    });
    /** Resolves when the process has ended, however it ended. @type {Promise<Exit>} */
    this.ended = new Promise((resolve) => {
      // 'close' comes after the last line of its log, 'exit' when a descendant keeps its pipes
      // open.
      this.#child.once("close", (code, signal) => resolve({ code, signal }));
      this.#child.once("exit", (code, signal) => {
        setTimeout(() => resolve({ code, signal }), 1000).unref();
      });
      this.#child.once("error", (error) => {
        this.#failure = error.message;
        if (this.#child.pid === undefined) resolve({ code: null, signal: null });
      });
    });
  }

  /** The last lines of its log, oldest first. */
  get log() {
    return [...this.#log];
  }

  /** Known once it listens; it stays in this process. */
  get token() {
    return this.#token;
  }

  /**
   * Resolves when the control API listens and the token is known; rejects with StartFailed.
   *
   * @returns {Promise<Listening>}
   */
  async listening() {
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, LISTENING_WITHIN_MS, "late");
    });
    const first = await Promise.race([this.#line, this.ended, late]).finally(() => {
      clearTimeout(timer);
    });
    if (first === "late")
      throw this.#failed(`does not listen after ${LISTENING_WITHIN_MS / 1000} s`);
    const listening = /** @type {Listening | Exit} */ (first);
    if (!("token_path" in listening)) throw this.#failed("ended before it listened", listening);
    const token = await readFile(listening.token_path, "utf8").catch((error) => {
      throw this.#failed(
        `ended as soon as it listened, or its token must not be read: ${error.message}`,
      );
    });
    this.#token = token.trim();
    return listening;
  }

  /** Says that it is to stop: the end of its stdin. */
  letGo() {
    this.#child.stdin?.end();
  }

  /** Ends it at once; its guardian then stops the services that it leaves. */
  kill() {
    this.#child.kill("SIGKILL");
  }

  /**
   * @param {string} what
   * @param {Exit} [exit]
   */
  #failed(what, exit = { code: null, signal: null }) {
    const how = this.#failure || exit.signal || (exit.code === null ? "" : `code ${exit.code}`);
    const why = this.#log.map(sentence).filter(Boolean).at(-1);
    const message = `The runtime ${what}${how && `: ${how}`}${why ? `: ${why}` : ""}`;
    return new StartFailed(message, exit, this.log);
  }
}

/**
 * Node says by an event that there is no such program, and throws what is rarer: Windows' word for
 * what is none, an environment that is too large.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
function spawned(command, args, env = process.env) {
  try {
    return spawn(command, [...args], { env, stdio: ["pipe", "pipe", "pipe"], windowsHide: true });
  } catch (error) {
    const why = `The runtime could not be started: ${/** @type {Error} */ (error).message}`;
    throw new StartFailed(why, { code: null, signal: null }, []);
  }
}

/** @param {string} line @returns {Listening | undefined} undefined for any other line */
function readListening(line) {
  try {
    const said = JSON.parse(line);
    return said.event === "listening" ? said : undefined;
  } catch {
    return undefined;
  }
}

/** What a line of the runtime's log says. @param {string} line */
function sentence(line) {
  try {
    return String(JSON.parse(line).message ?? line);
  } catch {
    return line;
  }
}

module.exports = { RuntimeProcess, sentence };
