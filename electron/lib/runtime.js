"use strict";
// The runtime as a shell knows it: one object for as long as the application lives, whatever
// process is behind it.

const { EventEmitter } = require("node:events");
const { setTimeout: after } = require("node:timers/promises");
const { NotRunning } = require("./errors");
const { launch } = require("./launch");
const { Restarts } = require("./restarts");
const { Services } = require("./services");

const STOP_WITHIN_MS = 65_000; // the services have their own time-outs, 60 s in all
const LONGEST_MS = 2 ** 31 - 1; // of Node's timers; a longer one would be over at once
const KEPT_LINES = 500;
const MANIFEST_IS_BAD = 2;

/** @typedef {import("./process").RuntimeProcess} RuntimeProcess */
/** @typedef {import("./errors").Exit} Exit */

/** How the runtime ended for good; `error` says why it was not started anew. */
/** @typedef {Exit & {expected: boolean, error?: Error}} Ended */

/**
 * @typedef {Object} RuntimeEvents
 * @property {[]} listening it listens, for the first time or again: for secrets that the shell
 *   supplies
 * @property {[exit: Exit]} restarting its process ended unexpectedly, and is started anew
 * @property {[]} restarted it listens again, under another token and perhaps another port
 * @property {[ended: Ended]} ended it has ended for good
 * @property {[line: string]} log a line of its own log (stderr)
 */

/** Made by `start()`. */
class Runtime extends Services {
  #plan;
  #restarts;
  /** @type {EventEmitter<any>} */
  #emitter = new EventEmitter();
  /** @type {RuntimeProcess | undefined} */
  #process;
  /** @type {import("./request").Connection | undefined} */
  #connection;
  #stopping = false;
  /** How its last process ended. @type {Exit} */
  #exit = { code: null, signal: null };
  /** @type {Ended | undefined} */
  #end;
  /** Ends the pause before a restart, which would keep who has stopped it from ending. */
  #pausing = new AbortController();
  /** @type {string[]} */
  #log = [];
  /** @type {(ended: Ended) => void} */
  #settle = () => {};

  /**
   * @param {import("./launch").Plan} plan
   * @param {import("./restarts").RestartBound | false} restart
   */
  constructor(plan, restart) {
    super(
      () => this.#connected(),
      () => this.#end && this.#gone(),
    );
    this.#plan = plan;
    this.#restarts = new Restarts(restart === false ? { intensity: 0 } : restart);
    /** Resolves when the runtime has ended for good. @type {Promise<Ended>} */
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** The bundle's manifest. */
  get manifest() {
    return this.#plan.manifest;
  }

  /** Whether it has ended for good. */
  get hasEnded() {
    return this.#end !== undefined;
  }

  /** The last lines of the runtime's own log, of all its processes. */
  get recentLog() {
    return [...this.#log];
  }

  /** The number of its process while it listens. */
  get pid() {
    return this.#connection && this.#pid;
  }
  #pid = 0;

  /**
   * What a listener throws is an uncaught exception, as with any event, but ends nothing here.
   *
   * @template {keyof RuntimeEvents} E
   * @param {E} event
   * @param {(...args: RuntimeEvents[E]) => void} listener
   * @returns {() => void} takes the listener away
   */
  on(event, listener) {
    const heard = (/** @type {any} */ ...args) => {
      try {
        listener(...args);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    };
    this.#emitter.on(event, heard);
    return () => void this.#emitter.off(event, heard);
  }

  /** Starts the first process. `start()` has called it. */
  async begin() {
    if (this.#end) throw this.#gone();
    try {
      await this.#launch();
    } catch (error) {
      this.#over(/** @type {Error} */ (error));
      throw error;
    }
    if (this.#stopping) throw this.#gone();
  }

  /**
   * Has the services stopped in order, and resolves when the runtime has ended. After `graceMs` it
   * is killed: its guardian then stops what it left. Also before and while it starts; calling it
   * again is well.
   *
   * @param {{graceMs?: number}} [options]
   */
  stop({ graceMs = STOP_WITHIN_MS } = {}) {
    if (this.#stopping || this.#end) return this.ended;
    this.#stopping = true;
    if (this.#connection) this.shutdown().catch(() => {}); // it may be ending already
    if (!this.#process) {
      this.#over(); // it was not begun, or pauses before it is started anew
      return this.ended;
    }
    this.#process.letGo(); // says the same, should the request be lost
    const patience = setTimeout(() => this.#process?.kill(), Math.min(graceMs, LONGEST_MS));
    return this.ended.finally(() => clearTimeout(patience));
  }

  async #launch() {
    const { process, listening } = await launch(this.#plan, {
      log: (line) => this.#heard(line),
      begun: (begun) => {
        this.#process = begun;
        if (this.#stopping) begun.letGo();
      },
      wanted: () => !this.#stopping,
      again: this.#pid > 0,
    });
    const { host, port, pid } = listening;
    this.#connection = { host, port, token: process.token };
    this.#pid = pid;
    process.ended.then((exit) => this.#exited(exit));
    this.#emitter.emit("listening");
  }

  /** @param {Exit} exit @param {Error} [failure] why its start failed */
  async #exited(exit, failure) {
    this.#connection = undefined;
    this.#process = undefined;
    this.#exit = exit;
    if (this.#stopping || exit.code === 0) {
      this.#over();
      return;
    }
    const pause = this.#restarts.next(performance.now());
    if (pause === null) {
      const why = failure?.message ?? `${describe(exit)}.`;
      this.#over(
        new NotRunning(`The application's runtime ended, and is not started again: ${why}`),
      );
      return;
    }
    this.#emitter.emit("restarting", exit);
    await after(pause, undefined, { signal: this.#pausing.signal }).catch(() => {});
    await this.#restart();
  }

  async #restart() {
    if (this.#end) return; // stopped meanwhile
    try {
      await this.#launch();
      this.#emitter.emit("restarted");
    } catch (error) {
      const failed = /** @type {Error & {exit?: Exit}} */ (error);
      if (failed.exit && failed.exit.code !== MANIFEST_IS_BAD)
        await this.#exited(failed.exit, failed);
      else this.#over(failed);
    }
  }

  /** @param {Error & {exit?: Exit}} [error] why it is not started anew */
  #over(error) {
    const ended = {
      ...(error?.exit ?? this.#exit),
      expected: this.#stopping,
      ...(error && { error }),
    };
    this.#end = ended;
    this.#pausing.abort();
    this.#process = undefined;
    this.#settle(ended);
    this.#emitter.emit("ended", ended);
  }

  /** @param {string} line */
  #heard(line) {
    this.#log.push(line);
    if (this.#log.length > KEPT_LINES) this.#log.shift();
    this.#emitter.emit("log", line);
  }

  #connected() {
    if (this.#connection) return this.#connection;
    throw this.#end ? this.#gone() : new NotRunning("The application's runtime is being started.");
  }

  #gone() {
    if (this.#end?.error) return new NotRunning(this.#end.error.message, "ended");
    const how = this.#end ? ` (${describe(this.#end)})` : "";
    return new NotRunning(`The application's runtime has ended${how}.`, "ended");
  }
}

/** @param {Exit} exit */
function describe({ code, signal }) {
  return signal ?? `code ${code}`;
}

module.exports = { Runtime };
