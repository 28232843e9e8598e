"use strict";
// What a shell passes by mistake is told by a sentence, and nothing is started.

const { test } = require("node:test");
const { BundlevisorError, InvalidOption, start } = require("../lib");
const { COMMAND, ENV, assert, folder, small } = require("./harness");
const path = require("node:path");

/** @type {[unknown, RegExp][]} */
const MISTAKES = [
  [{ command: ["bundlevisor"] }, /^start\(\): 'command' must be a string, not a list\.$/],
  [{ appdata: "x" }, /no option 'appdata' \(did you mean 'appData'\?\); it has manifest, appData,/],
  [{ colour: 1 }, /^start\(\) has no option 'colour'; it has manifest,/],
  [{ toString: "x" }, /no option 'toString'/],
  [{ manifest: 3 }, /'manifest' must be a string, not 3/],
  [{ args: "--watch" }, /'args' must be a list of strings, not a string/],
  [{ args: [3] }, /'args' must be a list of strings, not a list/],
  [{ env: [] }, /'env' must be an object, not a list/],
  [{ log: {} }, /'log' must be a function, not an object/],
  [{ packaged: "yes" }, /'packaged' must be true or false, not a string/],
  [{ waitForStoppingMs: -1 }, /'waitForStoppingMs' must be a number from 0 on, not -1/],
  [{ waitForStoppingMs: NaN }, /must be a number from 0 on, not NaN/],
  [{ restart: true }, /'restart' must be an object, or false, not true/],
  [{ restart: { intensty: 3 } }, /no option 'intensty' \(did you mean 'intensity'\?\)/],
  ["bundle.json", /^start\(\) takes its options as an object, not a string\.$/],
  [null, /as an object, not null\.$/],
];

test("an option that there is not, or of a wrong type, is told before anything starts", async () => {
  for (const [options, said] of MISTAKES) {
    const error = await start(options).catch((failed) => failed);
    assert.ok(error instanceof InvalidOption && error instanceof BundlevisorError, String(said));
    assert.match(error.message, said);
    assert.equal(error.code, "invalid_option");
  }
});

test("null and undefined are as if an option was left out", async (t) => {
  const appData = path.join(folder(t), "data");
  const left = { args: null, env: ENV, log: null, logFile: undefined, restart: null };
  const runtime = await start({
    manifest: small(t, { a: {} }),
    appData,
    command: COMMAND,
    ...left,
  });
  t.after(() => runtime.stop());
  assert.ok(runtime.pid);
});
