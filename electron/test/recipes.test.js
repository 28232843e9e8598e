"use strict";
// What the recipes put into an application is what the package finds there.

const { chmodSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");
const { folderNames, locateManifest, locateRuntime } = require("../lib");
const { executable } = require("../lib/platform");
const { assert, folder } = require("./harness");

const EXAMPLE = path.join(__dirname, "..", "example");
const BUILDERS_NAMES = { darwin: "mac", linux: "linux", win32: "win" }; // electron-builder's ${os}

test("Forge's hook puts bundle and runtime where they are found", async (t) => {
  const root = folder(t);
  const name = `${process.platform}-${process.arch}`;
  const program = path.join(root, "runtimes", name, executable("runtime"));
  mkdirSync(path.dirname(program), { recursive: true });
  writeFileSync(program, "");
  chmodSync(program, 0o755);
  process.env.NOTES_RUNTIMES = path.join(root, "runtimes");
  const { packageAfterCopy } = require("../example/forge.config.js").hooks;
  const resources = path.join(root, "resources");
  await packageAfterCopy({}, path.join(resources, "app"), "45.0.0", process.platform, process.arch);
  const places = { packaged: true, resources };
  assert.equal(
    locateRuntime(places),
    path.join(resources, "bundle", "runtime", name, executable("runtime")),
  );
  assert.equal(locateManifest(undefined, places), path.join(resources, "bundle", "bundle.json"));
});

test("electron-builder's resources are named as they are looked for", () => {
  const text = readFileSync(path.join(EXAMPLE, "electron-builder.yml"), "utf8");
  const places = [...text.matchAll(/^ +to: (.*)$/gm)].map(([, to]) => to);
  assert.deepEqual(places, ["bundle", "bundle/runtime/${os}-${arch}"]);
  for (const [platform, os] of Object.entries(BUILDERS_NAMES)) {
    for (const arch of ["x64", "arm64"]) {
      const name = places[1]
        .replace("${os}", os)
        .replace("${arch}", arch)
        .replace("bundle/runtime/", "");
      assert.equal(folderNames(platform, arch)[0], name);
    }
  }
});

test("the example says all that a package for Debian is made of", () => {
  const { author, homepage, productName } = require("../example/package.json");
  assert.ok(author.email && homepage, "electron-builder makes none without");
  const { makers } = require("../example/forge.config.js");
  const { config } = makers.find(({ name }) => name.endsWith("maker-deb"));
  assert.equal(
    config.options.bin,
    productName,
    "the program's name, which Forge's maker looks for",
  );
});
