"use strict";
// How often a runtime that ended unexpectedly is started anew: a bound, like that of the services.

/**
 * @typedef {Object} RestartBound
 * @property {number} [intensity] at most so many restarts
 * @property {number} [periodMs] within this time, milliseconds; then it is given up
 * @property {number} [backoffMs] pause before the second restart, doubled each time; the first one
 *   is immediate
 */

const DEFAULTS = { intensity: 3, periodMs: 60_000, backoffMs: 250 };

/** Counts restarts; the clock is that of whoever asks, in milliseconds. */
class Restarts {
  #bound;
  /** @type {number[]} */
  #times = [];

  /** @param {RestartBound} [bound] */
  constructor(bound = {}) {
    this.#bound = { ...DEFAULTS, ...bound };
  }

  /**
   * The pause before the next restart in milliseconds, or null when it is given up.
   *
   * @param {number} now
   * @returns {number | null}
   */
  next(now) {
    const { intensity, periodMs, backoffMs } = this.#bound;
    this.#times = this.#times.filter((time) => now - time < periodMs);
    if (this.#times.length >= intensity) return null;
    this.#times.push(now);
    const earlier = this.#times.length - 1;
    return earlier === 0 ? 0 : backoffMs * 2 ** (earlier - 1);
  }
}

module.exports = { Restarts };
