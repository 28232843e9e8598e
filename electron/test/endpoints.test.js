"use strict";
// Every endpoint that the runtime describes has its call.

const { test } = require("node:test");
const { assert, small, started, until } = require("./harness");

/** The call for each endpoint, and what of its answer shows that it is that one's. */
const CALLS = {
  "GET /healthz": async (runtime) => assert.equal((await runtime.health()).status, "ok"),
  "GET /readyz": async (runtime) =>
    assert.equal((await runtime.readiness({ wait: 30 })).ready, true),
  "GET /ports": async (runtime) => assert.ok((await runtime.ports()).services.a.http > 0),
  "GET /logs/tail": async (runtime) =>
    assert.equal(await runtime.logTail("a", { lines: 1 }), "hello\n"),
  "GET /logs/follow": async (runtime) => {
    for await (const text of runtime.logFollow("a", { lines: 1 }))
      return assert.equal(text, "hello\n");
  },
  "GET /logs/lines": async (runtime) => {
    const options = { services: ["a"], lines: 1, since: 600, previous: false };
    const lines = [];
    for await (const line of runtime.logLines(options)) lines.push(line);
    assert.deepEqual(
      lines.map(({ service, line }) => [service, line]),
      [["a", "hello"]],
    );
    for await (const { line } of runtime.logLines({ ...options, follow: true })) {
      return assert.equal(line, "hello");
    }
  },
  "GET /secrets": async (runtime) => assert.deepEqual(await runtime.secrets(), []),
  "POST /secrets": async (runtime) =>
    assert.rejects(runtime.setSecrets({ none: "x" }), { code: "secrets_refused" }),
  "GET /validate": async (runtime) => assert.equal((await runtime.validate()).valid, true),
  "GET /status": async (runtime) => assert.equal((await runtime.status()).app_name, "Small"),
  "GET /telemetry": async (runtime) =>
    assert.match((await runtime.telemetry()).path, /events\.jsonl$/),
  "GET /timeline": async (runtime) => {
    assert.ok(Object.keys(await runtime.timeline({ earlier: true })).length);
    assert.match(await runtime.timelinePicture(), /^<svg|^<\?xml/);
  },
  "POST /services/{service_id}/stop": async (runtime) => {
    assert.equal((await runtime.stopService("a", { wait: 30 })).state, "stopped");
  },
  "POST /services/{service_id}/start": async (runtime) => {
    assert.equal((await runtime.startService("a", { wait: 30 })).state, "ready");
  },
  "POST /services/{service_id}/restart": async (runtime) => {
    assert.equal((await runtime.restartService("a", { wait: 30 })).state, "ready");
  },
  "GET /events": async (runtime) => {
    const { events, next } = await runtime.eventPage({ after: 0, limit: 2 });
    assert.deepEqual([events.map(({ seq }) => seq), next], [[1, 2], 2]);
    for await (const { seq } of runtime.events({ after: next })) {
      assert.equal(seq, 3);
      break;
    }
    const { next: last } = await runtime.eventPage();
    const restart = () => void runtime.restartService("a").catch(() => {});
    const again = setInterval(restart, 200); // until it has begun
    for await (const { seq } of runtime.events({ after: "latest" })) {
      clearInterval(again);
      return assert.ok(seq > last, `${seq} is not of before ${last}`);
    }
  },
  "GET /metrics": async (runtime) => assert.match(await runtime.metrics(), /^# HELP/),
  "GET /openapi.json": async (runtime) =>
    assert.match(String((await runtime.openapi()).openapi), /^3\./),
  "POST /ui/codes": async (runtime) => {
    const { code, path } = await runtime.dashboardCode();
    assert.equal(path, `/ui/enter#${code}`);
  },
  "POST /shutdown": async (runtime) => {
    await runtime.shutdown();
    assert.equal((await runtime.ended).code, 0);
  },
};

test("every endpoint has its call", async (t) => {
  const runtime = await started(t, small(t, { a: { SAY: "hello" } }));
  const openapi = await runtime.openapi();
  const described = Object.entries(openapi.paths).flatMap(([name, methods]) =>
    Object.keys(methods)
      .filter((method) => ["get", "post", "put", "delete"].includes(method))
      .map((method) => `${method.toUpperCase()} ${name}`),
  );
  await runtime.waitUntilReady();
  await until(async () => (await runtime.logTail("a")) === "hello\n", "its words in the log");
  for (const [endpoint, call] of Object.entries(CALLS)) {
    if (described.includes(endpoint)) await t.test(endpoint, () => call(runtime));
  }
  // `GET /shutdown` is for clients of the Go runtime; `stop()` and `shutdown()` post.
  const known = new Set([...Object.keys(CALLS), "GET /shutdown"]);
  assert.deepEqual(
    described.filter((endpoint) => !known.has(endpoint)),
    [],
  );
});
