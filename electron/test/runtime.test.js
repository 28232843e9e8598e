"use strict";
// A shell's way with the real runtime, from its start to its end.

const { fork } = require("node:child_process");
const {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} = require("node:fs");
const path = require("node:path");
const { inspect } = require("node:util");
const { test } = require("node:test");
const {
  AlreadyRunning,
  NotReady,
  NotRunning,
  SecretsRefused,
  StartFailed,
  prepare,
  start,
} = require("../lib");
const {
  COMMAND,
  ENV,
  POSIX,
  assert,
  atTheEnd,
  folder,
  held,
  isAlive,
  notes,
  small,
  started,
  until,
} = require("./harness");

const tokenFile = (runtime) => path.join(runtime.appData, "runtime", "auth-token");

test("the notes start, their page has an address, and all is stopped in order", async (t) => {
  const manifest = notes(t);
  const go = POSIX.skip ? () => {} : held(manifest);
  const runtime = await started(t, manifest);
  const shown = [];
  const show = ({ waiting }) => {
    shown.push(...waiting.map(({ sentence }) => sentence));
    if (shown.includes("web waits for api")) go();
  };
  const last = await runtime.waitUntilReady({ show, signal: AbortSignal.timeout(60_000) });
  assert.deepEqual([last.done, last.total, last.ready], [4, 4, true]);
  assert.ok(shown.includes("web waits for api"), JSON.stringify(shown));
  const page = await fetch(await runtime.pageUrl("web"));
  assert.match(await page.text(), /<title>Notes/);
  await assert.rejects(runtime.pageUrl("nobody"), /no service 'nobody' in .*; it has .*web/);
  await assert.rejects(runtime.pageUrl("web", "admin"), /service 'web' has no port named 'admin'/);
  assert.deepEqual(await runtime.stop(), { code: 0, signal: null, expected: true });
  assert.ok(!existsSync(tokenFile(runtime)), "the stop was an orderly one");
  assert.deepEqual(await runtime.stop(), await runtime.ended, "a second stop is well");
});

test("how far a start is comes as it goes on, in the service's own words", async (t) => {
  const gate = path.join(folder(t), "gate");
  const web = { GATE: gate, SAY: "::progress 40 loading the model" };
  const runtime = await started(t, small(t, { web }));
  const told = [];
  for await (const progress of runtime.progressEvents()) {
    told.push(progress.fraction);
    const [work] = progress.working_on ?? [];
    if (work?.text === "loading the model" && work.fraction === 0.4) writeFileSync(gate, "");
    if (progress.done === progress.total) break;
  }
  assert.ok(told.some((fraction) => fraction >= 0.4 && fraction < 1));
  assert.deepEqual(
    told,
    told.toSorted((one, other) => one - other),
  );
  const { fraction, done, total } = await runtime.waitUntilReady();
  assert.deepEqual([fraction, done, total], [1, 1, 1]);
});

test("a bundle that is no good is told with the runtime's own reason", async (t) => {
  const manifest = small(t, { a: {} }, { target: "submarine" });
  const error = await start({ manifest, command: COMMAND }).catch((failed) => failed);
  assert.ok(error instanceof StartFailed);
  assert.deepEqual([error.exit.code, error.exit.signal], [2, null]);
  assert.match(error.message, /^The runtime ended before it listened: code 2: .*target/);
});

test("an instance that is stopping is waited for", async (t) => {
  const first = await started(t, small(t, { a: { SLOW_STOP: "2000" } }));
  await first.waitUntilReady();
  const stopped = first.stop({ graceMs: Infinity });
  await until(
    async () => (await first.health().catch(() => ({}))).status !== "ok",
    "it is stopping",
  );
  let hours = 0;
  const clock = t.mock.method(Date, "now", () => ++hours * 3_600_000); // as it is set meanwhile
  const second = await started(t, first.manifest, { appData: first.appData });
  clock.mock.restore();
  await second.waitUntilReady();
  assert.equal((await stopped).code, 0);
});

test("a start that waits for another instance can be given up", async (t) => {
  const first = await started(t, small(t, { a: { SLOW_STOP: "4000" } }));
  await first.waitUntilReady();
  const stopped = first.stop();
  await until(
    async () => (await first.health().catch(() => ({}))).status !== "ok",
    "it is stopping",
  );
  const lines = [];
  const second = prepare({
    manifest: first.manifest,
    appData: first.appData,
    command: COMMAND,
    env: ENV,
    log: (line) => lines.push(line),
  });
  const begun = second.begin().catch((error) => error);
  await second.stop();
  assert.ok((await begun) instanceof Error);
  assert.ok(second.hasEnded);
  await stopped;
});

test("secrets that the shell supplies are given whenever it listens", POSIX, async (t) => {
  const secret = {
    id: "key",
    class: "remote_fetch",
    required: true,
    target: { type: "env", name: "KEY" },
  };
  const appData = path.join(folder(t), "data");
  const manifest = small(t, { a: { secrets: ["key"] } }, { secrets: [secret] });
  const runtime = prepare({ manifest, appData, command: COMMAND, env: ENV });
  atTheEnd(t, () => runtime.stop());
  let given = 0;
  runtime.on("listening", () => void runtime.setSecrets({ key: `k${++given}` }));
  await runtime.begin();
  await runtime.waitUntilReady();
  process.kill(runtime.pid, "SIGKILL");
  await until(() => given === 2, "it listens again");
  const key = async () => (await (await fetch(`${await runtime.pageUrl("a")}env`)).json()).KEY;
  await until(
    async () => (await key().catch(() => "")) === "k2",
    "the service has the newer value",
  );
});

test("a killed runtime is started anew, and the events go on without a hole", POSIX, async (t) => {
  const runtime = await started(t, small(t, { a: {} }));
  await runtime.waitUntilReady();
  const { pid } = runtime;
  const token = readFileSync(tokenFile(runtime), "utf8");
  const told = [];
  runtime.on("restarting", (exit) => told.push(exit));
  runtime.on("restarted", () => told.push("restarted"));
  const seen = [];
  for await (const event of runtime.events()) {
    seen.push(event);
    if (event.event === "ready" && told.length === 0) process.kill(pid, "SIGKILL");
    if (event.event === "ready" && told.length === 2) break;
  }
  assert.deepEqual(told, [{ code: null, signal: "SIGKILL" }, "restarted"]);
  assert.deepEqual(
    seen.map(({ seq }) => seq),
    seen.map((_, index) => index + 1),
  );
  assert.notEqual(runtime.pid, pid);
  assert.notEqual(readFileSync(tokenFile(runtime), "utf8"), token);
});

test("a runtime that is killed again and again is given up", POSIX, async (t) => {
  const runtime = await started(t, small(t, { a: {} }), { restart: { intensity: 1 } });
  runtime.on("restarted", () => process.kill(runtime.pid, "SIGKILL"));
  process.kill(runtime.pid, "SIGKILL");
  const { expected, error } = await runtime.ended;
  assert.equal(expected, false);
  assert.match(error.message, /ended, and is not started again: SIGKILL/);
  await assert.rejects(
    runtime.status(),
    (gone) => gone instanceof NotRunning && gone.code === "ended",
  );
  for await (const event of runtime.events())
    assert.fail(`nobody is there to tell of ${event.event}`);
});

test("why a killed runtime could not be started again is told", POSIX, async (t) => {
  const command = path.join(folder(t), "runtime");
  symlinkSync(COMMAND, command);
  const options = { command, restart: { intensity: 2, backoffMs: 0 } };
  const runtime = await started(t, small(t, { a: {} }), options);
  rmSync(command);
  process.kill(runtime.pid, "SIGKILL");
  const { error } = await runtime.ended;
  assert.match(error.message, /is not started again: .*runtime ENOENT$/);
});

test("a runtime that does not stop is killed, and leaves nothing", POSIX, async (t) => {
  const runtime = await started(t, small(t, { a: {} }));
  await runtime.waitUntilReady();
  const { details } = await runtime.readiness();
  process.kill(runtime.pid, "SIGSTOP");
  assert.equal((await runtime.stop({ graceMs: 300 })).signal, "SIGKILL");
  await until(() => !isAlive(details.a.pid), "its guardian stops the service");
});

test("it can be stopped while it starts", async (t) => {
  const appData = path.join(folder(t), "data");
  const runtime = prepare({ manifest: small(t, { a: {} }), appData, command: COMMAND, env: ENV });
  const begun = runtime.begin();
  begun.catch(() => {});
  assert.equal((await runtime.stop()).expected, true);
  await assert.rejects(
    begun,
    (error) => error instanceof NotRunning || error instanceof StartFailed,
  );
  assert.ok(runtime.hasEnded);
});

test("what was stopped before it was begun does not begin", async (t) => {
  const runtime = prepare({ manifest: small(t, { a: {} }), command: COMMAND, env: ENV });
  assert.deepEqual(await runtime.stop(), { code: null, signal: null, expected: true });
  await assert.rejects(runtime.begin(), { code: "ended" });
  assert.equal(runtime.pid, undefined);
});

test("a runtime that is gone as soon as it has listened is started anew", POSIX, async (t) => {
  const root = folder(t);
  const once = path.join(root, "once");
  const command = path.join(root, "runtime");
  const line = { event: "listening", host: "127.0.0.1", port: 9, pid: 9, token_path: once };
  const short = `if rm "${once}" 2>/dev/null; then echo '${JSON.stringify(line)}'; exit 9; fi`;
  writeFileSync(command, `#!/bin/sh\n${short}\nexec "${COMMAND}" "$@"\n`, { mode: 0o755 });
  const manifest = small(t, { a: {} });
  writeFileSync(once, "");
  const failed = await start({ manifest, command, env: ENV }).catch((error) => error);
  assert.ok(failed instanceof StartFailed, String(failed));
  assert.match(failed.message, /token/);
  const runtime = await started(t, manifest, { command });
  writeFileSync(once, "");
  const restarted = new Promise((resolve) => runtime.on("restarted", resolve));
  process.kill(runtime.pid, "SIGKILL");
  assert.equal(await Promise.race([restarted, runtime.ended]), undefined);
  await runtime.waitUntilReady();
});

test("the death of the shell stops everything", POSIX, async (t) => {
  const appData = path.join(folder(t), "data");
  const args = [small(t, { a: {} }), appData, COMMAND];
  const shell = fork(path.join(__dirname, "programs", "shell.js"), args, { env: ENV });
  const pids = await new Promise((resolve) => shell.once("message", resolve));
  assert.equal(pids.length, 2);
  shell.kill("SIGKILL");
  for (const pid of pids) await until(() => !isAlive(pid), `the end of ${pid}`);
});

test("a service that fails is told with its reason, and can be tried again", async (t) => {
  const reason = path.join(folder(t), "fail");
  writeFileSync(reason, "");
  const runtime = await started(t, small(t, { a: { FAIL_FILE: reason }, b: { needs: ["a"] } }));
  const error = await runtime.waitUntilReady().catch((failed) => failed);
  assert.ok(error instanceof NotReady, String(error));
  assert.match(error.message, /a: .*exit 7/);
  assert.deepEqual(error.services, ["a", "b"]);
  rmSync(reason);
  assert.deepEqual(await runtime.retryFailed(), ["a"]);
  assert.equal((await runtime.waitUntilReady()).ready, true);
});

test("secrets are given, and refused with a reason for each", async (t) => {
  const target = { type: "env", name: "KEY" };
  const secret = { id: "key", class: "user_prompt", required: true, format: "^k[0-9]+$", target };
  const runtime = await started(t, small(t, { a: { secrets: ["key"] } }, { secrets: [secret] }));
  await until(async () => (await runtime.progress()).waiting[0]?.needs.includes("key"), "it waits");
  const refused = await runtime.setSecrets({ key: "wrong-value" }).catch((error) => error);
  assert.ok(refused instanceof SecretsRefused);
  assert.deepEqual(
    refused.problems.map(({ id }) => id),
    ["key"],
  );
  assert.ok(!inspect(refused).includes("wrong-value"));
  await runtime.setSecrets({ key: "k42" });
  await runtime.waitUntilReady();
  assert.deepEqual(
    (await runtime.secrets()).map(({ has_value }) => has_value),
    [true],
  );
  const page = await fetch(`${await runtime.pageUrl("a")}env`);
  assert.equal((await page.json()).KEY, "k42");
});

test("a talkative runtime is not held up", POSIX, async (t) => {
  const root = folder(t);
  const told = path.join(root, "told");
  const command = path.join(root, "chatty");
  // After its first line the runtime's stdout gets more than a pipe holds, and stderr too.
  const flood = "head -c 400000 /dev/zero | tr '\\0' 'x'";
  writeFileSync(
    command,
    `#!/bin/sh
(until [ -e "${root}/go" ]; do sleep 0.05; done; ${flood}; ${flood} >&2; : > "${told}") &
exec "${COMMAND}" "$@"
`,
  );
  chmodSync(command, 0o755);
  const runtime = await started(t, small(t, { a: {} }), {
    command,
    appData: path.join(root, "data"),
  });
  writeFileSync(path.join(root, "go"), "");
  await until(() => readdirSync(root).includes("told"), "all of it was read");
  assert.equal((await runtime.stop()).code, 0);
});

test("one runtime is looked at, and stopped from outside", async (t) => {
  const lines = [];
  const services = { a: { SAY: "Grüße" }, spare: { FAIL: "no", critical: false } };
  const runtime = await started(t, small(t, services), { log: (line) => lines.push(line) });
  await t.test(
    "a failed service that is not critical does not hold the application back",
    async () => {
      const progress = await runtime.waitUntilReady();
      assert.deepEqual(
        progress.failed.map(({ id }) => id),
        ["spare"],
      );
      const strict = runtime.waitUntilReady({ enough: () => false });
      await assert.rejects(strict, (error) => error instanceof NotReady);
    },
  );

  await t.test("logs come as text, whole and as they grow", async () => {
    await until(async () => (await runtime.logTail("a")) === "Grüße\n", "its words in the log");
    const over = new AbortController();
    const url = await runtime.pageUrl("a");
    let text = "";
    for await (const piece of runtime.logFollow("a", { lines: 10, signal: over.signal })) {
      text += piece;
      if (text === "Grüße\n") await fetch(`${url}say?${encodeURIComponent("später")}`);
      if (text.endsWith("später\n")) over.abort();
    }
    assert.equal(text, "Grüße\nspäter\n");
    await assert.rejects(runtime.logTail("nobody"), (error) => error.status === 404);
  });

  await t.test("the token stays in the shell's process", POSIX, async (t) => {
    const token = readFileSync(tokenFile(runtime), "utf8").trim();
    const { details } = await runtime.readiness();
    const seen = [
      inspect(runtime, { depth: 9, showHidden: true }),
      JSON.stringify(runtime),
      ...lines,
    ];
    for (const pid of process.platform === "linux" ? [runtime.pid, details.a.pid] : []) {
      seen.push(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      try {
        seen.push(readFileSync(`/proc/${pid}/environ`, "utf8"));
      } catch (error) {
        if (error.code !== "EACCES" || pid !== runtime.pid) throw error;
        t.diagnostic("not here: root's right to look into the runtime, which is not dumpable");
      }
    }
    await runtime.status();
    const failed = await runtime.startService("nobody").catch((error) => error);
    seen.push(inspect(failed, { depth: 9, showHidden: true }));
    assert.ok(token.length > 20);
    assert.deepEqual(
      seen.filter((text) => text?.includes(token)),
      [],
    );
  });

  await t.test(
    "a second instance is told that there is one, and does not disturb it",
    async (t) => {
      const again = started(t, runtime.manifest, { appData: runtime.appData });
      await assert.rejects(again, (error) => error instanceof AlreadyRunning);
      await runtime.waitUntilReady();
    },
  );

  await t.test("who has it stopped from outside finds it stopped, not started anew", async () => {
    await runtime.shutdown();
    assert.deepEqual(await runtime.ended, { code: 0, signal: null, expected: false });
  });
});
