"use strict";
// What an Electron application need not say.

const path = require("node:path");
const { app } = require("./module");
const { checkStart, prepare: prepareRuntime } = require("../start");

/** @typedef {import("../start").StartOptions} StartOptions */

/**
 * Where the bundle's data is, unless it is said: `runtime` in Electron's own folder of the
 * application.
 */
function defaultAppData() {
  return path.join(app.getPath("userData"), "runtime");
}

/** @param {StartOptions} [options] */
function prepare(options = {}) {
  return prepareRuntime({
    packaged: app.isPackaged,
    resources: process.resourcesPath,
    appData: defaultAppData(),
    logFile: path.join(app.getPath("logs"), "runtime.log"),
    ...checkStart("start()", options),
  });
}

/**
 * As `start` of the package, with the folders of this application: `runtime` under Electron's
 * `userData` for its data, the resources for runtime and bundle once it is installed, and
 * `runtime.log` in Electron's `logs`.
 *
 * @param {StartOptions} [options]
 */
async function start(options) {
  const runtime = prepare(options);
  await runtime.begin();
  return runtime;
}

module.exports = { defaultAppData, prepare, start };
