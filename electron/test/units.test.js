"use strict";
// The parts that are pure.

const { chmodSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { PassThrough, Readable } = require("node:stream");
const { test } = require("node:test");
const {
  NotFound,
  NotRunning,
  folderNames,
  locateManifest,
  locateRuntime,
  progressOf,
} = require("../lib");
const { outsideAsar } = require("../lib/asar");
const { events } = require("../lib/events");
const { eachLine } = require("../lib/lines");
const { LogFile, MOST_BYTES } = require("../lib/log_file");
const { Restarts } = require("../lib/restarts");
const { SseParser } = require("../lib/sse");
const { POSIX, assert, folder, small, until } = require("./harness");
const { reserved } = require("./ports");

test("a stream of events is read the same however it is cut", () => {
  const text =
    ': hello\nid: 1\nevent: ready\ndata: {"a":\ndata: 1}\n\nretry: 9\n\nid: 2\r\ndata:x\r\n\r\ndata\n\n';
  const wanted = [
    { id: "1", event: "ready", data: '{"a":\n1}' },
    { id: "2", event: "message", data: "x" },
    { id: "2", event: "message", data: "" },
  ];
  for (let size = 1; size <= text.length; size++) {
    const parser = new SseParser();
    const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
    assert.deepEqual(
      pieces.flatMap((piece) => parser.take(piece)),
      wanted,
      `pieces of ${size}`,
    );
  }
});

test("who begins with the newest event misses none when the connection is lost", async () => {
  const asked = [];
  const open = async ({ query, headers }) => {
    asked.push(query.after);
    if (asked.length === 4) throw new NotRunning("it is over", "ended");
    const isPage = headers.Accept === "application/json";
    return Readable.from([isPage ? '{"events": [], "next": 7}' : ":\n\n"], { objectMode: false });
  };
  for await (const { event } of events(open, "latest")) assert.fail(event);
  assert.deepEqual(asked, ["latest", 7, 7, 7]);
});

test("no block of ports is given twice while somebody has it", async (t) => {
  const { services } = JSON.parse(readFileSync(small(t, { a: {} }), "utf8"));
  const ours = services[0].ports.requested[0].range;
  const blocks = [ours, await reserved(), await reserved()];
  assert.equal(new Set(blocks.map(({ min }) => min)).size, 3);
  for (const { min, max } of blocks) assert.ok(10000 <= min && min < max && max < 30000);
  for (const { min, max } of blocks) assert.ok(10080 < min || max < 10080);
});

test("restarts are bounded within a period, the first at once, the others after a pause", () => {
  const restarts = new Restarts({ intensity: 3, periodMs: 1000, backoffMs: 100 });
  assert.deepEqual(
    [0, 10, 20, 30, 999].map((now) => restarts.next(now)),
    [0, 100, 200, null, null],
  );
  assert.equal(restarts.next(1005), 200);
  assert.equal(restarts.next(5000), 0);
  assert.equal(new Restarts({ intensity: 0 }).next(0), null);
});

test("lines are whole, also where a character is cut in two, and bounded", async () => {
  const stream = new PassThrough();
  const lines = [];
  eachLine(stream, (line) => lines.push(line));
  const bytes = Buffer.from("Grüße\r\nzwei\nrest");
  for (const byte of bytes) stream.write(Buffer.of(byte));
  stream.write(`\n${"x".repeat(70_000)}`);
  stream.end(`${"x".repeat(70_000)}\nend`);
  await new Promise((resolve) => stream.once("close", resolve));
  assert.deepEqual(
    lines.map((line) => line.slice(0, 6)),
    ["Grüße", "zwei", "rest", "xxxxxx", "end"],
  );
  assert.equal(lines[3].length, 65_536);
});

test("the runtime's log is kept in a file that does not grow for ever", async (t) => {
  const file = path.join(folder(t), "logs", "runtime.log");
  const log = new LogFile(file);
  log.write("one");
  log.write("x".repeat(MOST_BYTES));
  log.write("three");
  await log.flush();
  assert.equal(readFileSync(`${file}.1`, "utf8").slice(0, 5), "one\nx");
  assert.equal(readFileSync(file, "utf8"), "three\n");
  new LogFile(file).write("four");
  await until(() => readFileSync(file, "utf8") === "three\nfour\n", "it goes on where it was");
  const held = path.join(folder(t), "held.log");
  mkdirSync(path.join(`${held}.1`, "in the way"), { recursive: true });
  const growing = new LogFile(held);
  for (const line of ["x".repeat(MOST_BYTES), "it goes on", "where it is"]) growing.write(line);
  await growing.flush();
  assert.match(readFileSync(held, "utf8"), /x\nit goes on\nwhere it is\n$/);
  const nowhere = new LogFile(path.join(file, "log"));
  nowhere.write("let go");
  await nowhere.flush();
});

test("folders have electron-builder's names first, and x64 serves where it is emulated", () => {
  assert.deepEqual(folderNames("linux", "arm64"), ["linux-arm64"]);
  assert.deepEqual(folderNames("darwin", "x64"), ["mac-x64", "darwin-x64", "macos-x64"]);
  assert.deepEqual(folderNames("darwin", "arm64").slice(0, 4), [
    "mac-arm64",
    "darwin-arm64",
    "macos-arm64",
    "mac-x64",
  ]);
  assert.deepEqual(folderNames("win32", "arm64").slice(0, 4), [
    "win-arm64",
    "windows-arm64",
    "win32-arm64",
    "win-x64",
  ]);
});

test("what is in the archive is taken from beside it, or is an error that says what to do", (t) => {
  const resources = folder(t);
  const inside = path.join(resources, "app.asar", "bundle", "bundle.json");
  assert.equal(outsideAsar("/opt/my.asarium/bundle.json"), "/opt/my.asarium/bundle.json");
  assert.throws(
    () => outsideAsar(inside),
    (error) => error instanceof NotFound && /extra resource/.test(error.message),
  );
  const unpacked = path.join(resources, "app.asar.unpacked", "bundle", "bundle.json");
  mkdirSync(path.dirname(unpacked), { recursive: true });
  writeFileSync(unpacked, "{}");
  assert.equal(outsideAsar(inside), unpacked);
  assert.equal(locateManifest(inside), unpacked);
});

/** A program in its place among the resources. */
function shipped(resources, ...names) {
  const file = path.join(resources, ...names);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "");
  chmodSync(file, 0o755);
  return file;
}

test(
  "an installed application takes its runtime from its resources, never from PATH",
  POSIX,
  (t) => {
    const resources = folder(t);
    const env = {
      PATH: path.dirname(shipped(resources, "bin", "bundlevisor")),
      BUNDLEVISOR: "/bin/sh",
    };
    const places = { packaged: true, resources, env };
    assert.throws(
      () => locateRuntime(places),
      (error) => error instanceof NotFound && error.looked.length >= 2,
    );
    const [name] = folderNames();
    const beside = shipped(resources, "runtime", name, "runtime");
    assert.equal(locateRuntime(places), beside);
    const inBundle = shipped(resources, "bundle", "runtime", name, "runtime");
    assert.equal(locateRuntime(places), inBundle);
    assert.equal(locateRuntime({ ...places, packaged: false }), "/bin/sh");
    assert.equal(
      locateRuntime({ packaged: false, env: { PATH: env.PATH } }),
      path.join(env.PATH, "bundlevisor"),
    );
  },
);

test("what is shown of services follows from their states", () => {
  const of = (state, more = {}) => ({
    ready: state === "ready",
    state,
    message: "",
    updated_at: "",
    restarts: 0,
    ...more,
  });
  const details = {
    a: of("ready"),
    b: of("failed", { message: "exit 1" }),
    c: of("waiting", { message: "blocked: b failed (exit 1)", waiting_for: ["b"] }),
    d: of("waiting", { message: "waiting for a", waiting_for: ["x"] }),
    e: of("inactive", { skipped: true }),
    f: of("starting", { message: "nothing listens on port 7" }),
  };
  const progress = {
    fraction: 0.4,
    done: 1,
    total: 5,
    remaining_s: 2.5,
    last_line: "reading",
    working_on: [
      { service: "f", phase: "probing", text: "loading the model", elapsed_s: 1, fraction: 0.256 },
    ],
  };
  const { done, total, fraction, remaining, lastLine, waiting, failed } = progressOf({
    ready: false,
    details,
    progress,
  });
  assert.deepEqual([done, total], [1, 5]);
  assert.deepEqual([fraction, remaining, lastLine], [0.4, 2.5, "reading"]);
  assert.deepEqual(
    waiting.map(({ sentence }) => sentence),
    ["d waits for x", "f: loading the model (25 %)"],
  );
  assert.deepEqual(
    failed.map(({ sentence }) => sentence),
    ["b: exit 1", "c: blocked: b failed (exit 1)"],
  );
  // as a runtime of 0.2.0 answers
  const older = progressOf(/** @type {any} */ ({ ready: false, details }));
  assert.deepEqual([older.done, older.fraction], [1, 0.2]);
});
