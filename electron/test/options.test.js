"use strict";
// What a shell passes by mistake is told by a sentence, and nothing is started.

const { spawnSync } = require("node:child_process");
const { writeFileSync } = require("node:fs");
const { test } = require("node:test");
const { BundlevisorError, InvalidOption, start, uploadTelemetry } = require("../lib");
const { Services } = require("../lib/services");
const { POSIX, assert, folder, small, started } = require("./harness");
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
  const restart = { intensity: 1, periodMs: undefined, backoffMs: null };
  const left = { args: null, log: null, logFile: undefined, restart };
  const runtime = await started(t, small(t, { a: {} }), left);
  let restarts = 0;
  runtime.on("restarting", () => ++restarts > 1 && void runtime.stop());
  runtime.on("restarted", () => process.kill(runtime.pid, "SIGKILL"));
  process.kill(runtime.pid, "SIGKILL");
  await runtime.ended;
  assert.equal(restarts, 1, "a bound without a period has the usual one");
});

test("an option without a value leaves Electron's own place as it is", POSIX, (t) => {
  const command = path.join(folder(t), "told");
  writeFileSync(command, '#!/bin/sh\necho "$@" >&2\n', { mode: 0o755 });
  const options = `{ manifest: "bundle.json", command: ${JSON.stringify(command)}, appData: undefined }`;
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", asked(`it.start(${options})`)]);
  assert.match(String(stdout), /--app-data \S*userData\S*runtime$/, String(stderr));
});

/** @type {[unknown, RegExp][]} */
const UPLOADS = [
  [undefined, /^uploadTelemetry\(\) takes its options as an object, not undefined\.$/],
  [{ agreed: () => true }, /^uploadTelemetry\(\) needs the option 'stateFile'\.$/],
  [{ agreed: true, stateFile: "x" }, /'agreed' must be a function, not true/],
  [
    { agreed: () => true, stateFile: "x", redakt: () => null },
    /no option 'redakt' \(did you mean 'redact'\?\)/,
  ],
];

test("nothing is sent, and nobody waits, with an option that there is not", async () => {
  const never = () => assert.fail("it has asked the runtime");
  for (const [options, said] of UPLOADS) {
    await assert.rejects(uploadTelemetry({ telemetry: never }, options), (error) => {
      return error instanceof InvalidOption && said.test(error.message);
    });
  }
  const services = new Services(never, never);
  await assert.rejects(services.waitUntilReady({ shown: () => {} }), {
    code: "invalid_option",
    message: /^waitUntilReady\(\) has no option 'shown' \(did you mean 'show'\?\)/,
  });
});

/** @type {[string, string, RegExp][]} what is called in Electron's main process, and what is said */
const SHELLS = [
  ["runApplication", "{}", /^runApplication\(\) needs the option 'page'\.$/],
  ["runApplication", "{ page: 'a', onWindw: () => {} }", /did you mean 'onWindow'/],
  [
    "runApplication",
    "{ page: 'a', start: { appdata: 'x' } }",
    /^'start' of runApplication\(\) has/,
  ],
  [
    "runApplication",
    "{ page: 'a', splash: { text: {} } }",
    /^'splash' of .* \(did you mean 'texts'/,
  ],
  ["runApplication", "{ page: 'a', secrets: { texts: { canzel: '' } } }", /mean 'cancel'/],
  [
    "runApplication",
    "{ page: 'a', telemetry: {} }",
    /^'telemetry' of .* needs the option 'agreed'/,
  ],
  ["promptForSecrets", "{}, { id: [] }", /^promptForSecrets\(\) has no option 'id'/],
  ["new it.Splash", "{ texts: { startng: '' } }", /^'texts' of new Splash\(\) has .* 'starting'/],
];

test("the windows' options are told as well, before there is a window", () => {
  for (const [name, given, said] of SHELLS) {
    const made = name.startsWith("new ") ? name : `it.${name}`;
    const { status, stdout, stderr } = spawnSync(process.execPath, [
      "-e",
      asked(`${made}(${given})`),
    ]);
    assert.equal(status, 0, String(stderr));
    assert.match(String(stdout), said);
  }
});

/**
 * Code that prints with what a call fails, where Electron is nothing that could open a window.
 *
 * @param {string} call
 */
const asked = (call) => `
  const app = { getPath: (name) => "/home/of/" + name };
  const Module = require("node:module");
  const load = Module._load;
  Module._load = (name, ...rest) => (name === "electron" ? { app } : load(name, ...rest));
  const it = require(${JSON.stringify(path.join(__dirname, "..", "lib", "electron"))});
  (async () => ${call})().catch((error) => process.stdout.write(error.message));
`;
