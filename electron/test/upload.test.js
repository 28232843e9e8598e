"use strict";
// Telemetry goes to the manifest's upload_url when the user agreed, once, and nowhere else.

const { writeFileSync } = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { test } = require("node:test");
const { uploadTelemetry } = require("../lib");
const { shell } = require("./shell");
const { assert, folder, small, started, until } = require("./harness");

/** A server that takes reports; `status` is what it answers. */
async function collector(t) {
  const got = { lines: [], headers: [], status: 204 };
  const server = http.createServer(async (request, answer) => {
    let text = "";
    for await (const part of request) text += part;
    got.headers.push(request.headers);
    if (got.status < 300)
      got.lines.push(
        ...text
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line)),
      );
    answer.writeHead(got.status).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  got.url = `http://127.0.0.1:${server.address().port}/reports`;
  return got;
}

const bundle = (t, url, services = { a: {} }) =>
  small(t, services, { telemetry: { file: "telemetry/events.jsonl", upload_url: url } });

async function ready(t, url, services) {
  const runtime = await started(t, bundle(t, url, services));
  await runtime.waitUntilReady();
  return runtime;
}

test("what happened is sent to the collector", async (t) => {
  const got = await collector(t);
  const runtime = await ready(t, got.url, {
    a: { SAY: "private" },
    spare: { FAIL: "private", critical: false },
  });
  await t.test(
    "every event is sent once, without lines of the logs and without the token",
    async (t) => {
      got.lines.length = got.headers.length = 0;
      const options = { agreed: () => true, stateFile: path.join(folder(t), "sent.json") };
      const { sent } = await uploadTelemetry(runtime, options);
      assert.equal(sent, got.lines.length);
      const assertEachOnce = () =>
        assert.deepEqual(
          got.lines.map(({ seq }) => seq),
          got.lines.map((_, index) => index + 1),
        );
      assertEachOnce();
      assert.ok(got.lines.some(({ event }) => event === "service_exit"));
      assert.doesNotMatch(JSON.stringify(got.lines), /private/);
      assert.equal(got.headers[0]["content-type"], "application/x-ndjson");
      assert.equal(got.headers[0].authorization, undefined);
      const first = got.lines.length;
      const { sent: later } = await uploadTelemetry(runtime, options);
      assert.equal(first + later, got.lines.length);
      await runtime.restartService("a", { wait: 30 });
      await uploadTelemetry(runtime, options);
      assert.ok(got.lines.length > first + later);
      assertEachOnce();
    },
  );

  await t.test("what a server does not take is sent the next time", async (t) => {
    got.lines.length = got.headers.length = 0;
    const options = { agreed: () => true, stateFile: path.join(folder(t), "sent.json") };
    got.status = 503;
    await assert.rejects(uploadTelemetry(runtime, options), /was not taken: .*503/);
    got.status = 200;
    assert.ok((await uploadTelemetry(runtime, options)).sent > 0);
    assert.equal(got.lines[0].seq, 1);
  });

  await t.test("nothing is sent where it could not be kept that it was", async (t) => {
    got.lines.length = 0;
    const stateFile = path.join(folder(t), "nowhere", "sent.json"); // as on a full disk
    await assert.rejects(uploadTelemetry(runtime, { agreed: () => true, stateFile }), /ENOENT/);
    assert.deepEqual(got.lines, []);
  });

  await t.test("app-data that was removed since begins with its first event", async (t) => {
    got.lines.length = got.headers.length = 0;
    const stateFile = path.join(folder(t), "sent.json");
    writeFileSync(stateFile, JSON.stringify({ after: 100_000 }));
    await uploadTelemetry(runtime, { agreed: () => true, stateFile });
    assert.equal(got.lines[0]?.seq, 1);
  });

  await t.test("an event of which nothing is returned is left out", async (t) => {
    got.lines.length = 0;
    const redact = (event) => (event.service_id ? undefined : event);
    const options = { agreed: () => true, stateFile: path.join(folder(t), "sent.json"), redact };
    const { sent, skipped } = await uploadTelemetry(runtime, options);
    assert.equal(sent, got.lines.length);
    assert.ok(skipped > 0);
  });

  await t.test("a user who was not asked yet has refused nothing", async (t) => {
    got.lines.length = 0;
    const stateFile = path.join(folder(t), "sent.json");
    const nothing = { sent: 0, skipped: 0 };
    assert.deepEqual(
      await uploadTelemetry(runtime, { agreed: () => undefined, stateFile }),
      nothing,
    );
    await uploadTelemetry(runtime, { agreed: () => true, stateFile });
    assert.equal(got.lines[0].seq, 1);
  });

  await t.test("nothing is sent of the time in which the user did not agree", async (t) => {
    got.lines.length = 0;
    const stateFile = path.join(folder(t), "sent.json");
    const { skipped } = await uploadTelemetry(runtime, { agreed: () => false, stateFile });
    await runtime.restartService("a", { wait: 30 });
    const again = await uploadTelemetry(runtime, { agreed: () => true, stateFile });
    assert.deepEqual(got.lines, []);
    assert.ok(again.skipped > 0);
    await runtime.restartService("a", { wait: 30 });
    await uploadTelemetry(runtime, { agreed: () => true, stateFile });
    assert.equal(got.lines[0].seq, skipped + again.skipped + 1);
  });
});

test("it goes to a safe address only, and nowhere without one", async (t) => {
  const options = {
    agreed: () => true,
    stateFile: path.join(folder(t), "sent.json"),
    fetch: () => assert.fail("sent"),
  };
  const without = await ready(t, "");
  assert.deepEqual(await uploadTelemetry(without, options), { sent: 0, skipped: 0 });
  const unsafe = await ready(t, "http://reports.example.org/");
  await assert.rejects(uploadTelemetry(unsafe, options), /only https is safe/);
});

for (const [answer, word] of [
  ["0", "agrees"],
  ["1", "refuses"],
]) {
  test(`the application asks once, and the user ${word}`, async (t) => {
    const got = await collector(t);
    const run = shell(t, {
      env: { NOTES_BUNDLE: bundle(t, got.url, { web: {} }), STANDIN_ANSWER: answer },
    });
    const { options } = await run.sees("dialog");
    assert.match(options.message, /send reports of failures/);
    if (answer === "0") await until(() => got.lines.length > 0, "the reports");
    const checked = await run.do("checked", { label: "Send reports of failures" });
    assert.equal(checked, answer === "0", "the menu says so");
    await run.do("quit");
    assert.equal(await run.ended, 0);
    if (answer === "1") assert.deepEqual(got.lines, []);
  });
}
