"use strict";
// The names of the folder in which the runtime for a platform stands.

/** What systems are called, electron-builder's `${os}` first, then the bundle format's own. */
/** @type {Readonly<Record<string, readonly string[]>>} */
const SYSTEMS = {
  darwin: ["mac", "darwin", "macos"],
  linux: ["linux"],
  win32: ["win", "windows", "win32"],
};
const EMULATES_X64 = new Set(["darwin", "win32"]);

/**
 * Names of the runtime's folder, the best first: `mac-arm64`, `darwin-arm64`, …; on macOS and
 * Windows for arm64 also those for x64, which runs there in emulation.
 *
 * @param {string} [platform] as `process.platform`
 * @param {string} [arch] as `process.arch`
 * @returns {string[]}
 */
function folderNames(platform = process.platform, arch = process.arch) {
  const emulated = arch === "arm64" && EMULATES_X64.has(platform) ? ["x64"] : [];
  const systems = SYSTEMS[platform] ?? [platform];
  return [arch, ...emulated].flatMap((cpu) => systems.map((system) => `${system}-${cpu}`));
}

/** @param {string} name @param {string} [platform] */
function executable(name, platform = process.platform) {
  return platform === "win32" ? `${name}.exe` : name;
}

module.exports = { executable, folderNames };
