"use strict";
// npm runs it before it packs: types/ for both kinds of module, from the JSDoc of lib/.

const { execFileSync } = require("node:child_process");
const { rmSync, writeFileSync } = require("node:fs");
const path = require("node:path");

const ROOT = path.dirname(__dirname);
const TYPES = path.join(ROOT, "types");

rmSync(TYPES, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [require.resolve("typescript/bin/tsc"), "-p", "tsconfig.build.json"],
  {
    cwd: ROOT,
    stdio: ["ignore", 2, 2], // stdout is npm's: it prints the name of the tarball there
  },
);
for (const folder of ["", "electron"]) {
  writeFileSync(path.join(TYPES, folder, "index.d.mts"), 'export * from "./index.js";\n');
}
