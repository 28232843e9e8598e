"use strict";
// A start that goes wrong on the shell's side: every one has a sentence, and leaves no runtime.

const { execFile } = require("node:child_process");
const { chmodSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");
const { promisify } = require("node:util");
const { COMMAND, ENV, POSIX, assert, folder, small } = require("./harness");
const { StartFailed, start } = require("../lib");

const run = promisify(execFile);
const PROGRAMS = path.join(__dirname, "programs");

test("a shell without descriptors is told so", POSIX, async (t) => {
  const program = path.join(PROGRAMS, "no_descriptors.js");
  const script = `ulimit -n 64; exec "${process.execPath}" "${program}" "${small(t, { a: {} })}"`;
  const { stdout } = await run("sh", ["-c", script], { env: ENV });
  assert.match(stdout, /^StartFailed: The runtime ended before it listened: spawn .* EMFILE$/);
});

test("what Node refuses to start is told as any other failed start", POSIX, async (t) => {
  const manifest = small(t, { a: {} });
  const command = path.join(manifest, "runtime"); // in a folder that is a file: Node throws that
  const error = await start({ manifest, command }).catch((failed) => failed);
  assert.ok(error instanceof StartFailed, String(error));
  assert.match(error.message, /^The runtime could not be started: spawn ENOTDIR$/);
});

test("who stops a runtime before it is started anew can end at once", POSIX, async (t) => {
  const manifest = small(t, { a: {} });
  const command = path.join(path.dirname(manifest), "runtime");
  const listening = JSON.stringify({ event: "listening", token_path: command });
  writeFileSync(command, `#!/bin/sh\necho '${listening}'\nexit 1\n`);
  chmodSync(command, 0o755);
  const program = path.join(PROGRAMS, "stopped_in_pause.js");
  await run(process.execPath, [program, manifest, command], { env: ENV, timeout: 60_000 });
});

test("a listener that throws disturbs neither the runtime nor the other listeners", async (t) => {
  const args = [small(t, { a: {} }), path.join(folder(t), "data"), COMMAND];
  const program = path.join(PROGRAMS, "throwing_listeners.js");
  const { stdout } = await run(process.execPath, [program, ...args], { env: ENV });
  const { begun, told, thrown, ended } = JSON.parse(stdout);
  assert.equal(begun, "begun");
  assert.deepEqual(told, ["listening", "ended"]);
  assert.deepEqual(thrown, ["listening of mine", "ended of mine"]);
  assert.deepEqual(ended, { code: 0, signal: null, expected: true });
});
