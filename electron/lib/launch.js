"use strict";
// Starting one process of the runtime: also beside an earlier one that is about to end.

const { execFile } = require("node:child_process");
const { setTimeout: after } = require("node:timers/promises");
const { AlreadyRunning, StartFailed } = require("./errors");
const { RuntimeProcess } = require("./process");

const HELD = 3; // the runtime's exit code when another instance holds the app-data
const NO_INSTANCE = 4;
const LOOK_AGAIN_MS = 200;
const ANSWER_WITHIN_MS = 10_000;

/**
 * How the runtime is started, each time.
 *
 * @typedef {Object} Plan
 * @property {string} command
 * @property {string} manifest
 * @property {readonly string[]} instance arguments that say which instance: manifest and app-data
 * @property {readonly string[]} args further arguments of `run`
 * @property {NodeJS.ProcessEnv} [env]
 * @property {number} waitForStoppingMs how long to wait for an instance that is stopping
 */

/** @typedef {{process: RuntimeProcess, listening: import("./process").Listening}} Launched */

/**
 * @typedef {Object} Circumstances
 * @property {(line: string) => void} log
 * @property {(process: RuntimeProcess) => void} begun is told of each process that is started
 * @property {() => boolean} wanted whether it is still to be started
 * @property {boolean} again whether the instance before was ours, and is only being cleared away
 */

/**
 * Resolves when the runtime listens. Rejects with AlreadyRunning when another instance holds the
 * app-data, does not say that it is stopping, or does not stop in time; otherwise with StartFailed.
 *
 * @param {Plan} plan
 * @param {Circumstances} circumstances
 * @returns {Promise<Launched>}
 */
async function launch(plan, { log, begun, wanted, again }) {
  const deadline = performance.now() + plan.waitForStoppingMs;
  for (;;) {
    const process = new RuntimeProcess({
      command: plan.command,
      args: ["run", ...plan.instance, ...plan.args],
      env: plan.env,
      log,
    });
    begun(process);
    try {
      return { process, listening: await process.listening() };
    } catch (error) {
      process.kill();
      if (!(error instanceof StartFailed) || error.exit.code !== HELD || !wanted()) throw error;
      if (!(again || (await isEnding(plan))) || performance.now() > deadline)
        throw held(plan, error);
    }
    await after(LOOK_AGAIN_MS);
  }
}

/** @param {Plan} plan @param {StartFailed} error */
function held({ manifest }, error) {
  return new AlreadyRunning(
    `The application is running already: another runtime holds the data of ${manifest}. ${error.message}`,
  );
}

/**
 * Whether the instance that holds the app-data is stopping, or has ended by now.
 *
 * @param {Plan} plan
 * @returns {Promise<boolean>}
 */
function isEnding({ command, instance, env }) {
  const options = { env, timeout: ANSWER_WITHIN_MS, windowsHide: true };
  return new Promise((resolve) => {
    execFile(command, ["health", ...instance], options, (error, answer) => {
      resolve(answer.trim() === "stopping" || error?.code === NO_INSTANCE);
    });
  });
}

module.exports = { launch };
