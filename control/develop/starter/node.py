"""The programs of a new bundle for Node.js: nothing is needed but node."""

from __future__ import annotations

SERVER = """\
#!/usr/bin/env node
// The API: counts, and keeps the count in its data folder.

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const port = Number(process.env.PORT_HTTP);
const key = process.env.WORKER_KEY;
const kept = path.join(process.env.APP_DATA_DIR, "api", "count.json");
const debug = process.env.LOG_LEVEL === "debug";

function read() {
  try {
    return JSON.parse(fs.readFileSync(kept, "utf8")).count;
  } catch (error) {
    if (error.code === "ENOENT") return 0;
    throw error;
  }
}

function add() {
  const count = read() + 1;
  fs.writeFileSync(`${kept}.new`, JSON.stringify({ count }));
  fs.renameSync(`${kept}.new`, kept);
  return count;
}

function answer(response, status, document) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(document));
}

const server = http.createServer((request, response) => {
  if (debug) console.error(`${request.method} ${request.url}`);
  const asked = `${request.method} ${request.url}`;
  if (asked === "GET /health") return answer(response, 200, { ok: true });
  if (asked === "GET /api/count") return answer(response, 200, { count: read() });
  if (asked !== "POST /api/count") {
    return answer(response, 404, { error: "there is no such thing" });
  }
  if (request.headers["x-key"] !== key) {
    return answer(response, 403, { error: "only the worker may count" }); // it alone knows the key
  }
  return answer(response, 200, { count: add() });
});

server.listen(port, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${port}`));
"""
WORKER = """\
#!/usr/bin/env node
// The worker: has the API count once a second.

const http = require("node:http");

const count = `${process.env.API_URL}/api/count`;
const headers = { "X-Key": process.env.WORKER_KEY };
let first = true;

function work() {
  const request = http.request(count, { method: "POST", headers, timeout: 10_000 }, (answer) => {
    answer.resume();
    answer.on("end", () => {
      if (first) console.log("at work"); // the bundle waits for this line
      first = false;
      setTimeout(work, 1000);
    });
  });
  request.on("timeout", () => request.destroy(new Error("the API does not answer")));
  request.end(); // an error ends the worker, and the runtime starts it again
}

work();
"""
FILES = {"api/server.js": SERVER, "worker/worker.js": WORKER}
"""The programs; they run by their first line, on Windows by a file beside them."""
SUFFIX = ".js"
INTERPRETER = "node"
ON_WINDOWS = "node"
