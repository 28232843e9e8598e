"use strict";
// A runtime that was killed while the application is brought up comes back by itself: no failure.

const { setTimeout: after } = require("node:timers/promises");
const { NotReady, NotRunning } = require("../errors");

const AGAIN_MS = 300;
const ANSWER_WITHIN_MS = 5000;

/**
 * Resolves to undefined when the runtime that died answers again, otherwise to what failed.
 *
 * @param {Error} error of the try
 * @param {import("../runtime").Runtime | undefined} runtime
 * @param {number | undefined} pid of the process that was tried
 * @param {() => boolean} wanted whether it is still waited for
 * @returns {Promise<Error | undefined>}
 */
async function notComingBack(error, runtime, pid, wanted) {
  const died = error instanceof NotRunning || runtime?.pid !== pid;
  if (!runtime || !died || error instanceof NotReady) return error;
  while (wanted()) {
    try {
      await runtime.readiness({ signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      return undefined;
    } catch (again) {
      if (!(again instanceof NotRunning)) return error; // it stands still
      if (again.code === "ended") return again;
    }
    await after(AGAIN_MS);
  }
  return error;
}

module.exports = { notComingBack };
