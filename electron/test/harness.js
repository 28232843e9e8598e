"use strict";
// Real runtimes with real bundles, in folders of their own, and always taken down.

const assert = require("node:assert/strict");
const {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const test = require("node:test");
const { setTimeout: after } = require("node:timers/promises");
const { start } = require("../lib");
const { release, reserved } = require("./ports");

const ROOT = path.join(__dirname, "..", "..");
const VENV = path.join(ROOT, ".venv", process.platform === "win32" ? "Scripts" : "bin");
const COMMAND = process.env.BUNDLEVISOR ?? path.join(VENV, "bundlevisor");
/** This process's own from its first test to its last. */
const RANGE = { min: 0, max: 0 };
const DEADLINE_MS = 60_000;

test.before(async () => Object.assign(RANGE, await reserved()));
test.after(release);

/** The environment of the tests: the notes' services find the Python of the tests. */
const ENV = {
  ...process.env,
  BUNDLEVISOR: COMMAND,
  PATH: `${VENV}${path.delimiter}${process.env.PATH}`,
};

/**
 * Resolves to the first truthy value of `condition`. Looks often at first, and then every twentieth
 * of the time waited so far: who looks more often takes the processor from what is waited for.
 */
async function until(condition, what, deadline = DEADLINE_MS) {
  const began = Date.now();
  for (;;) {
    const value = await condition();
    if (value) return value;
    const waited = Date.now() - began;
    if (waited > deadline) throw new Error(`not within ${deadline} ms: ${what ?? condition}`);
    await after(Math.min(Math.max(10, waited / 20), 50));
  }
}

/** @type {WeakMap<object, (() => unknown)[]>} */
const endings = new WeakMap();

/**
 * Does something when the test has ended, the last first: processes end before their folders go.
 */
function atTheEnd(t, ending) {
  if (!endings.has(t)) {
    endings.set(t, []);
    t.after(async () => {
      for (const one of endings.get(t).reverse()) await one();
    });
  }
  endings.get(t).push(ending);
}

/** Removes a folder; false while a process that is just ending, as a browser, still writes there. */
function isRemoved(made) {
  try {
    rmSync(made, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

/** A folder that is there until the test has ended. */
function folder(t) {
  const made = mkdtempSync(path.join(os.tmpdir(), "bundlevisor-"));
  atTheEnd(t, () => until(() => isRemoved(made), `${made} is removed`));
  return made;
}

/** The notes example, copied, with ports that no other run holds. */
function notes(t, change = () => {}) {
  const root = path.join(folder(t), "bundle");
  const skipped = /__pycache__/;
  cpSync(path.join(ROOT, "examples", "notes"), root, {
    recursive: true,
    filter: (file) => !skipped.test(file),
  });
  return edit(root, (bundle) => {
    widen(bundle);
    change(bundle);
  });
}

function edit(root, change) {
  const manifest = path.join(root, "bundle.json");
  const bundle = JSON.parse(readFileSync(manifest, "utf8"));
  change(bundle);
  writeFileSync(manifest, JSON.stringify(bundle));
  return manifest;
}

function widen(bundle) {
  bundle.ipc.port = 0;
  for (const { ports } of bundle.services)
    for (const port of ports?.requested ?? []) port.range = RANGE;
}

/** Has the store of a bundle wait, before it starts, for what is called to let it go on. */
function held(manifest) {
  const root = path.dirname(manifest);
  const bundle = JSON.parse(readFileSync(manifest, "utf8"));
  const store = bundle.services.find(({ id }) => id === "store");
  for (const binary of Object.values(store.binaries)) binary.path = "bin/held-store";
  writeFileSync(manifest, JSON.stringify(bundle));
  const wait = `#!/bin/sh\nuntil [ -e "${root}/go" ]; do sleep 0.05; done\n`;
  writeFileSync(path.join(root, "bin/held-store"), `${wait}exec "${root}/bin/store" "$@"\n`);
  chmodSync(path.join(root, "bin/held-store"), 0o755);
  return () => writeFileSync(path.join(root, "go"), "");
}

/**
 * A bundle of small services (programs/service.js): `services` has their environments by id, with
 * `needs` for dependencies and `secrets`; `more` goes into the manifest.
 */
function small(t, services, more = {}) {
  const root = folder(t);
  mkdirSync(path.join(root, "bin"));
  cpSync(path.join(__dirname, "programs", "service.js"), path.join(root, "service.js"));
  const script = path.join(root, "bin", "service");
  writeFileSync(script, `#!/bin/sh\nexec "${process.execPath}" "$BUNDLE_ROOT/service.js"\n`);
  chmodSync(script, 0o755);
  writeFileSync(`${script}.cmd`, `@"${process.execPath}" "%BUNDLE_ROOT%\\service.js"\r\n`);
  const bundle = {
    schema_version: "v0.1",
    target: "desktop",
    app: { name: "Small", version: "1.0.0" },
    ipc: {
      mode: "loopback-http",
      host: "127.0.0.1",
      port: 0,
      auth_token_path: "runtime/auth-token",
    },
    telemetry: { file: "telemetry/events.jsonl" },
    services: Object.entries(services).map(service),
    ...more,
  };
  const manifest = path.join(root, "bundle.json");
  writeFileSync(manifest, JSON.stringify(bundle));
  return manifest;
}

function service([id, { needs = [], secrets = [], critical = true, ...env }]) {
  const windows = { path: "bin/service.cmd" };
  return {
    id,
    type: "api-binary",
    critical,
    binaries: { universal: { path: "bin/service" }, "win-x64": windows, "win-arm64": windows },
    dependencies: needs,
    secrets,
    env,
    ports: { requested: [{ name: "http", range: RANGE }] },
    health: { type: "http", path: "/health", port_name: "http" },
    readiness: { type: "health_success", port_name: "http", timeout_ms: 30000 },
    // What fails by order has failed at once; what loses a race for its port gets another one.
    restart: { policy: env.FAIL || env.FAIL_FILE ? "never" : "on_failure" },
    stop: { http: { path: "/shutdown", port_name: "http" }, timeout_ms: 10000 },
  };
}

/** Starts a runtime that is stopped when the test has ended, whatever it did. */
async function started(t, manifest, options = {}) {
  const appData = options.appData ?? path.join(folder(t), "data");
  const runtime = await start({ manifest, appData, command: COMMAND, env: ENV, ...options });
  let [killed, runs] = [0, true];
  const ends = ({ signal }) => {
    if (runs && signal !== null) killed += 1; // once, also when it is stopped before it runs again
    runs = false;
  };
  runtime.on("listening", () => (runs = true));
  runtime.on("restarting", ends);
  runtime.on("ended", ends);
  atTheEnd(t, async () => {
    await runtime.stop();
    await until(() => deaths(appData) >= killed, "its guardians have written their last words");
  });
  return Object.assign(runtime, { appData });
}

/** How many killed runtimes their guardians have told of, which is the last that they write. */
function deaths(appData) {
  const events = path.join(appData, "telemetry", "events.jsonl");
  if (!existsSync(events)) return 0;
  return readFileSync(events, "utf8").split('"runtime_died"').length - 1;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const POSIX = process.platform === "win32" ? { skip: "signals are POSIX" } : {};

module.exports = {
  COMMAND,
  ENV,
  POSIX,
  ROOT,
  assert,
  atTheEnd,
  edit,
  folder,
  held,
  isAlive,
  isRemoved,
  notes,
  small,
  started,
  until,
};
