"use strict";
// What is asked of a runtime until it is ready, told by one that only answers.

const { once } = require("node:events");
const http = require("node:http");
const { test } = require("node:test");
const { Services } = require("../lib/services");
const { assert, atTheEnd } = require("./harness");

const WORK = { fraction: 0, done: 0, total: 1 };

/** A picture of one service. */
function picture(version, state) {
  const ready = state === "ready";
  const a = { ready, message: "", state, restarts: 0, updated_at: "" };
  return { ready, details: { a }, gpu: {}, progress: WORK, version };
}

/** Services whose runtime answers so, one question after the other, and what it was asked. */
async function answering(t, ...pictures) {
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push(Object.fromEntries(new URL(request.url, "http://localhost").searchParams));
    if (pictures.length) response.end(JSON.stringify(pictures.shift())); // else it stands still
  });
  atTheEnd(t, () => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const connection = { host: "127.0.0.1", port: server.address().port, token: "a-token" };
  const gone = () => undefined;
  const goesOn = (...next) => pictures.push(...next);
  return { services: new Services(() => connection, gone), asked, goesOn };
}

test("the end of a start waits for no pause between two pictures of it", async (t) => {
  const pictures = [picture(1, "waiting"), picture(2, "starting"), picture(3, "ready")];
  const { services, asked } = await answering(t, ...pictures);
  const shown = [];
  const last = await services.waitUntilReady({ show: (progress) => shown.push(progress) });
  assert.equal(last.ready, true);
  assert.equal(shown.length, 2);
  assert.deepEqual(asked.slice(0, 2), [{ wait: "0" }, { wait: "2", change: "true", after: "1" }]);
  assert.deepEqual(Object.keys(asked[2]), ["wait"], "which is answered as soon as all is ready");
  assert.ok(Number(asked[2].wait) > 0);
});

test("a runtime that stands still is told of while it is waited for", async (t) => {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  const shown = [];
  const shortened = (ms) => (shown.length ? Math.ceil(ms / 30) : ms); // the first is to be answered
  t.mock.method(AbortSignal, "timeout", (ms) => timeout(shortened(ms)));
  const { services, goesOn } = await answering(t, picture(1, "starting"));
  const show = (progress) => {
    shown.push(progress);
    if (/did not answer GET \/readyz/.test(progress.lastLine)) goesOn(picture(2, "ready"));
  };
  const last = await services.waitUntilReady({ show, signal: timeout(30_000) });
  assert.equal(last.ready, true);
  assert.deepEqual(shown.at(-1).waiting, shown[0].waiting, "with what is waited for");
});

test("any number of seconds can be waited for", async (t) => {
  const { services, asked } = await answering(t, picture(1, "ready"));
  assert.equal((await services.readiness({ wait: 1.1 })).ready, true);
  assert.deepEqual(asked, [{ wait: "1.1" }]);
});

test("who is answered at once because something has failed asks again after a pause", async (t) => {
  const pictures = [1, 2, 2, 3].map((version) => picture(version, "starting"));
  const { services, asked } = await answering(t, ...pictures, picture(4, "ready"));
  const shown = [];
  await services.waitUntilReady({ show: (progress) => shown.push(progress) });
  assert.equal(shown.length, 3);
  assert.deepEqual(
    asked.map(({ after }) => after),
    [undefined, "1", undefined, "2", undefined],
  );
});

/** Services whose runtime refuses to answer, and those of the one that follows it. */
async function refusing(t, connection) {
  const server = http.createServer((request, response) => {
    response.statusCode = request.headers.authorization === "Bearer new" ? 200 : 401;
    const refusal = { error: "a token is needed", code: "unauthorized" };
    response.end(JSON.stringify(response.statusCode === 200 ? picture(1, "ready") : refusal));
  });
  atTheEnd(t, () => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const where = (token) => ({ host: "127.0.0.1", port: server.address().port, token });
  return new Services(connection(where), () => undefined);
}

test("a runtime that refuses to say how it is is not waited for", async (t) => {
  const services = await refusing(t, (where) => {
    const only = where("old");
    return () => only;
  });
  const refused = { name: "ApiError", code: "unauthorized" };
  await assert.rejects(services.waitUntilReady({ signal: AbortSignal.timeout(20_000) }), refused);
});

test("a refusal by the runtime that follows the one that was asked is no answer", async (t) => {
  const services = await refusing(t, (where) => {
    const before = where("old");
    const now = where("new");
    let calls = 0;
    return () => (calls++ < 2 ? before : now);
  });
  assert.equal((await services.waitUntilReady()).ready, true);
});

test("a service that cannot be started keeps no other from another chance", async (t) => {
  const failed = { ready: false, message: "", state: "failed", restarts: 0, updated_at: "" };
  const readiness = { ready: false, details: { gpu: failed, db: failed }, gpu: {}, progress: WORK };
  const refusal = { error: "it needs a GPU and there is none", code: "wrong_state" };
  const server = http.createServer(({ url }, response) => {
    if (url.includes("/gpu/")) response.statusCode = 409;
    const answer = url.startsWith("/readyz") ? readiness : url.includes("/gpu/") ? refusal : {};
    response.end(JSON.stringify(answer));
  });
  atTheEnd(t, () => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const connection = { host: "127.0.0.1", port: server.address().port, token: "a-token" };
  const services = new Services(
    () => connection,
    () => undefined,
  );
  assert.deepEqual(await services.retryFailed(), ["db"]);
});

test("a disk and a person are waited for longer than a mere answer", async (t) => {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  const given = [];
  t.mock.method(AbortSignal, "timeout", (ms) => (given.push(ms), timeout(ms)));
  const { services } = await answering(t, {}, {}, {});
  await services.validate();
  await services.setSecrets({ login: "k-1" });
  await services.status();
  const [check, keeping, answer] = given;
  assert.ok(check >= 600_000, "checksums of all assets are read from a slow disk");
  assert.ok(keeping >= 50_000, "a key store is unlocked by its user");
  assert.ok(answer < keeping);
});
