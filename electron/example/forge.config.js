"use strict";
// Electron Forge: the bundle and the runtime are put beside the application's archive before it is
// signed. The runtime's folders stand in dist/runtime/<platform>-<arch>, named as Forge names them.

const { cp } = require("node:fs/promises");
const path = require("node:path");

const BUNDLE = path.join(__dirname, "..", "..", "examples", "notes");
const RUNTIMES = path.join(__dirname, "dist", "runtime");

/** @param {string} file */
const isWanted = (file) => !file.includes("__pycache__");

module.exports = {
  packagerConfig: {
    asar: true,
    ignore: [/^\/dist/, /^\/build/],
    osxSign: {
      /** @param {string} file */
      ignore: (file) => file.endsWith(".bin"), // modules.bin is data
      optionsForFile: () => ({
        hardenedRuntime: true,
        entitlements: path.join(__dirname, "build", "entitlements.inherit.plist"),
      }),
    },
  },
  makers: [
    { name: "@electron-forge/maker-zip", platforms: ["darwin"] },
    {
      name: "@electron-forge/maker-deb",
      platforms: ["linux"],
      config: { options: { bin: "Notes" } }, // the program has the productName, not the name
    },
    { name: "@electron-forge/maker-squirrel", platforms: ["win32"] },
  ],
  hooks: {
    /**
     * @param {unknown} _config
     * @param {string} app resources/app, which becomes app.asar
     * @param {string} _version
     * @param {string} platform
     * @param {string} arch
     */
    packageAfterCopy: async (_config, app, _version, platform, arch) => {
      const bundle = path.join(path.dirname(app), "bundle");
      const name = `${platform}-${arch}`;
      const runtime = process.env.NOTES_RUNTIMES ?? RUNTIMES;
      await cp(BUNDLE, bundle, { recursive: true, filter: isWanted });
      const options = { recursive: true, verbatimSymlinks: true };
      await cp(path.join(runtime, name), path.join(bundle, "runtime", name), options);
    },
  },
};
