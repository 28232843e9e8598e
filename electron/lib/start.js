"use strict";
// The first thing that a shell does.

const { locateManifest, locateRuntime } = require("./locate");
const { LogFile } = require("./log_file");
const { checkOptions } = require("./options");
const { Runtime } = require("./runtime");

const OPTIONS = {
  manifest: "text",
  appData: "text",
  command: "text",
  args: "texts",
  env: "object",
  restart: "bound",
  waitForStoppingMs: "number",
  log: "call",
  logFile: "text",
  packaged: "truth",
  resources: "text",
};
const RESTART = { intensity: "number", periodMs: "number", backoffMs: "number" };
const WAIT_FOR_STOPPING_MS = 60_000;

/**
 * @typedef {Object} StartOptions
 * @property {string} [manifest] the bundle; default: `bundle/bundle.json` of the resources
 * @property {string} [appData] where the application keeps its data; default: the runtime's own,
 *   from the application's name
 * @property {string} [command] the runtime's program; default: that of the resources in an
 *   installed application, `bundlevisor` on PATH while it is developed
 * @property {readonly string[]} [args] further arguments of `bundlevisor run`
 * @property {NodeJS.ProcessEnv} [env] the runtime's environment; default: this process's
 * @property {import("./restarts").RestartBound | false} [restart] default: 3 within a minute
 * @property {number} [waitForStoppingMs] how long to wait for an instance that is stopping; 60000
 * @property {(line: string) => void} [log] gets each line of the runtime's own log (JSON), from the
 *   first one on
 * @property {string} [logFile] gets the same lines; its folder is made, and at 2 MiB it becomes
 *   FILE.1
 * @property {boolean} [packaged] see `locateRuntime`
 * @property {string} [resources] see `locateRuntime`
 */

/**
 * Starts the runtime and resolves as soon as its control API listens. Rejects with InvalidOption
 * for an option that there is not or that has a wrong type, with NotFound when there is no runtime
 * or bundle, with StartFailed when the runtime cannot be started or ends before, and with
 * AlreadyRunning when another instance holds the app-data. An instance that is stopping is waited
 * for.
 *
 * @param {StartOptions} [options]
 * @returns {Promise<Runtime>}
 */
async function start(options = {}) {
  const runtime = prepare(options);
  await runtime.begin();
  return runtime;
}

/**
 * @param {string} call whose options they are
 * @param {StartOptions} given
 */
function checkStart(call, given) {
  const options = checkOptions(call, given, OPTIONS);
  if (options.restart)
    options.restart = checkOptions(`'restart' of ${call}`, options.restart, RESTART);
  return options;
}

/**
 * The same in two steps, for who wants to stop it while it starts: `begin()` is the second. Throws
 * InvalidOption and NotFound.
 *
 * @param {StartOptions} given
 */
function prepare(given) {
  const options = checkStart("start()", given);
  const { appData, args = [], env, log, waitForStoppingMs = WAIT_FOR_STOPPING_MS } = options;
  const manifest = locateManifest(options.manifest, options);
  const command = options.command ?? locateRuntime(options);
  const instance = ["--manifest", manifest, ...(appData ? ["--app-data", appData] : [])];
  const plan = { command, manifest, instance, args, env, waitForStoppingMs };
  const runtime = new Runtime(plan, options.restart ?? {});
  if (log) runtime.on("log", log);
  if (options.logFile) {
    const file = new LogFile(options.logFile);
    runtime.on("log", (line) => file.write(line));
  }
  return runtime;
}

module.exports = { checkStart, prepare, start };
