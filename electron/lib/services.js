"use strict";
// What a shell asks of the services as a whole: whether they are ready, and where their pages are.

const { setTimeout: after } = require("node:timers/promises");
const { Client } = require("./client");
const { ApiError, NotReady, NotRunning } = require("./errors");
const { checkOptions } = require("./options");
const { progressOf } = require("./progress");

const WAIT_OPTIONS = { show: "call", enough: "call", signal: "object" };
const ASK_AGAIN_MS = 300; // the least time between two questions, also when answers come at once
const WAIT_S = 2; // how long one question waits: what is waited for is shown anew

/** @typedef {import("./progress").Progress} Progress */

class Services extends Client {
  #connection;
  #gone;

  /**
   * @param {() => import("./request").Connection} connection as for Client
   * @param {() => Error | undefined} gone why nobody will answer any more, once that is so
   */
  constructor(connection, gone) {
    super(connection);
    this.#connection = connection;
    this.#gone = gone;
  }

  /**
   * Resolves when every service is ready; `show` is told in between what is waited for. Rejects
   * with NotReady when services have failed for good, or are blocked by such, and nothing else is
   * on its way; with NotRunning when the runtime has ended; with ApiError when it refuses to say;
   * with InvalidOption for an option that there is not or that has a wrong type.
   *
   * A failed service that is not critical does not fail the application, if `enough` says so.
   *
   * @param {Object} [options]
   * @param {(progress: Progress) => void} [options.show]
   * @param {(progress: Progress) => boolean | Promise<boolean>} [options.enough] whether the shell
   *   can go on, although not every service is ready; default: when the bundle is only degraded
   * @param {AbortSignal} [options.signal]
   * @returns {Promise<Progress>}
   */
  async waitUntilReady(options = {}) {
    const given = checkOptions("waitUntilReady()", options, WAIT_OPTIONS);
    const { show = () => {}, enough = () => this.#isDegraded(), signal } = given;
    /** @type {number | undefined} */
    let seen;
    /** @type {Progress | undefined} */
    let last;
    const silent = (/** @type {string} */ why) => last && show({ ...last, lastLine: why });
    for (let first = true; ; first = false) {
      const again = performance.now() + (first ? 0 : ASK_AGAIN_MS);
      const wait = seen === undefined ? 0 : WAIT_S;
      const readiness = await this.#readiness(wait, silent, seen, signal);
      const progress = readiness && progressOf(readiness);
      last = progress ?? last;
      seen = readiness?.version;
      if (progress?.ready) return progress;
      if (progress) show(progress);
      if (progress?.failed.length && !progress.waiting.length) {
        if (await enough(progress)) return progress;
        throw notReady(progress);
      }
      const pause = again - performance.now();
      const ready = pause > 0 && (await this.#readyWithin(pause, silent, signal));
      if (ready) return ready;
    }
  }

  /**
   * Resolves to how all is ready, as soon as it is, or else when the time is over: what is shown of
   * a start may wait, its end may not.
   *
   * @param {number} ms
   * @param {(why: string) => void} silent
   * @param {AbortSignal} [signal]
   * @returns {Promise<Progress | undefined>}
   */
  async #readyWithin(ms, silent, signal) {
    const over = after(ms, undefined, { signal });
    over.catch(() => {});
    const readiness = await this.#readiness(ms / 1000, silent, undefined, signal);
    if (readiness?.ready) return progressOf(readiness);
    await over; // answered before: something has failed, or the runtime is being started anew
    return undefined;
  }

  /** What is waited for now. */
  async progress() {
    return progressOf(await this.readiness());
  }

  /**
   * The address of the page that a service serves on a port of its own.
   *
   * @param {string} service
   * @param {string} [port]
   */
  async pageUrl(service, port = "http") {
    const { services } = await this.ports();
    const number = services[service]?.[port];
    if (number) return `http://127.0.0.1:${number}/`;
    const { details } = await this.readiness();
    const known = Object.keys(details);
    const sentence = known.includes(service)
      ? `The service '${service}' has no port named '${port}'.`
      : `There is no service '${service}' in this bundle; it has ${known.join(", ")}.`;
    throw new NotReady(sentence, [service]);
  }

  /**
   * Gives the services that have failed, and those that they block, another chance; resolves to the
   * ids of those that take it: one that lacks a GPU does not.
   */
  async retryFailed() {
    const { failed } = await this.progress();
    const roots = failed.filter(({ state }) => state === "failed" || state === "stopped");
    const retried = [];
    for (const { id } of roots) if (await this.#takesAnotherChance(id)) retried.push(id);
    return retried;
  }

  /** @param {string} id */
  async #takesAnotherChance(id) {
    try {
      await this.restartService(id);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === "wrong_state") return false;
      throw error;
    }
  }

  /**
   * What is so as soon as all is ready, or something has failed, and otherwise after some seconds;
   * with the version that was seen, as soon as anything is another. Nothing while the runtime is
   * being started anew, which is told by nobody's answering, or by another one's being there now;
   * any other error, as a refusal, is no reason to wait, and is thrown.
   *
   * @param {number} wait
   * @param {(why: string) => void} silent is told when one that has not ended gives no answer
   * @param {number} [seen]
   * @param {AbortSignal} [signal]
   */
  async #readiness(wait, silent, seen, signal) {
    let asked;
    try {
      asked = this.#connection();
      return await this.readiness({ wait, after: seen, signal });
    } catch (error) {
      signal?.throwIfAborted();
      const gone = this.#gone();
      if (gone) throw gone;
      if (this.#isStill(asked)) {
        if (!(error instanceof NotRunning)) throw error;
        silent(error.message);
      }
      return undefined; // it is being started anew, or about to be
    }
  }

  /** @param {import("./request").Connection | undefined} asked */
  #isStill(asked) {
    try {
      return this.#connection() === asked;
    } catch {
      return false;
    }
  }

  async #isDegraded() {
    return (await this.health()).status === "degraded";
  }
}

/** @param {Progress} progress */
function notReady({ failed }) {
  const reasons = failed.map(({ sentence }) => sentence);
  return new NotReady(
    `The application could not be started: ${reasons.join("; ")}.`,
    failed.map(({ id }) => id),
    reasons,
  );
}

module.exports = { Services };
