"use strict";
// Where the runtime and the bundle are: in an installed application under its resources, while it
// is being developed on PATH.

const { accessSync, constants, existsSync, statSync } = require("node:fs");
const path = require("node:path");
const { outsideAsar } = require("./asar");
const { NotFound } = require("./errors");
const { executable, folderNames } = require("./platform");

/**
 * @typedef {Object} Places
 * @property {boolean} [packaged] whether this is the installed application: then only its resources
 *   are looked at, never PATH or the environment. Default: whether Electron says so.
 * @property {string} [resources] default: `process.resourcesPath`
 * @property {NodeJS.ProcessEnv} [env] where PATH is read from; default: `process.env`
 */

/** Electron adds these to `process`. */
/** @typedef {{resourcesPath?: string, defaultApp?: boolean}} ElectronProcess */

/** Whether this process is an installed Electron application. */
function isPackaged() {
  const electron = /** @type {ElectronProcess} */ (/** @type {unknown} */ (process));
  return Boolean(process.versions.electron) && !electron.defaultApp;
}

/** @param {Places} places */
function resourcesOf(places) {
  const electron = /** @type {ElectronProcess} */ (/** @type {unknown} */ (process));
  return places.resources ?? electron.resourcesPath ?? "";
}

/**
 * The runtime's program. Packaged: `runtime/<platform>/runtime` under `bundle/` of the resources or
 * under the resources themselves. Otherwise the program that BUNDLEVISOR names, or `bundlevisor` on
 * PATH.
 *
 * @param {Places} [places]
 * @returns {string} an absolute path
 */
function locateRuntime(places = {}) {
  const packaged = places.packaged ?? isPackaged();
  return packaged ? shippedRuntime(resourcesOf(places)) : developersRuntime(places.env);
}

/** @param {string} resources */
function shippedRuntime(resources) {
  const looked = [
    path.join(resources, "bundle", "runtime"),
    path.join(resources, "runtime"),
  ].flatMap((folder) =>
    folderNames().map((name) => path.join(folder, name, executable("runtime"))),
  );
  const found = looked.find(isProgram);
  if (found) return outsideAsar(found);
  throw new NotFound(
    `The runtime was not shipped with this application: there is no program ${looked[0]} ` +
      `(${looked.length - 1} other names were tried). See the recipes in docs/electron.md.`,
    looked,
  );
}

/** @param {NodeJS.ProcessEnv} [env] */
function developersRuntime(env = process.env) {
  const named = env.BUNDLEVISOR || "bundlevisor";
  const folders = /[\\/]/.test(named) ? [""] : searchPath(env);
  const names = process.platform === "win32" ? [named, `${named}.exe`] : [named];
  const looked = folders.flatMap((folder) => names.map((name) => path.resolve(folder, name)));
  const found = looked.find(isProgram);
  if (found) return found;
  throw new NotFound(
    `The runtime was not found: there is no program '${named}'` +
      (folders[0] === "" ? "" : ` in the ${folders.length} folders of PATH`) +
      `. Install it ('pipx install .' in its repository: it is not on PyPI), or say where it is: ` +
      `BUNDLEVISOR=/path/to/bundlevisor.`,
    looked,
  );
}

/** @param {NodeJS.ProcessEnv} env */
function searchPath(env) {
  const value = env.PATH ?? env.Path ?? "";
  return value.split(path.delimiter).filter(Boolean);
}

/** @param {string} file */
function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * The bundle's manifest: the one that is named, or `bundle/bundle.json` under the resources; never
 * inside of an archive.
 *
 * @param {string | undefined} manifest
 * @param {Places} [places]
 * @returns {string} an absolute path
 */
function locateManifest(manifest, places = {}) {
  if (manifest) return outsideAsar(path.resolve(manifest));
  const shipped = path.join(resourcesOf(places), "bundle", "bundle.json");
  if ((places.packaged ?? isPackaged()) && existsSync(shipped)) return outsideAsar(shipped);
  throw new NotFound(
    `There is no bundle at ${shipped}: ship it as an extra resource, or name one ({manifest: …}).`,
    [shipped],
  );
}

module.exports = { isPackaged, locateManifest, locateRuntime };
