"use strict";
// Starts bundlevisor, speaks with it, stops it. Nothing of Electron is needed here, so that any
// Node program can do the same and a test can drive it without a window.

const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { readFile } = require("node:fs/promises");
const http = require("node:http");
const readline = require("node:readline");
const { setTimeout: after } = require("node:timers/promises");

const LISTENING_WITHIN_MS = 30_000;
const ASK_AGAIN_MS = 500; // the least time between two questions, also when answers come at once
const WAIT_S = 2; // how long one question waits for readiness: what is waited for is shown anew

class Runtime {
  #child;
  #token;

  constructor(child, address, token, ended) {
    this.#child = child;
    this.#token = token;
    this.address = address;
    /** Resolves to {code, signal} when the process has ended, however it ended. */
    this.ended = ended;
  }

  /** GET a path of the control API; resolves to its JSON. */
  get(path) {
    return this.#ask("GET", path);
  }

  /** POST to a path of the control API; resolves to its JSON. */
  post(path) {
    return this.#ask("POST", path);
  }

  /**
   * Resolves when every service is ready; `show` is told in between what is waited for, as
   * sentences. A service that has failed is no end: it may be restarted, or a secret be supplied.
   */
  async waitUntilReady(show = () => {}) {
    for (let wait = 0; ; wait = WAIT_S) {
      const pause = after(wait ? ASK_AGAIN_MS : 0);
      const { ready, details } = await this.get(`/readyz?wait=${wait}`);
      if (ready) return;
      show(waitedFor(details));
      await pause;
    }
  }

  /** Resolves to the address of the page that a service serves on a port of its own. */
  async pageUrl(service, port = "http") {
    const { services } = await this.get("/ports");
    const number = services[service]?.[port];
    if (!number) throw new Error(`service '${service}' has no port named '${port}'`);
    return `http://127.0.0.1:${number}/`;
  }

  /**
   * Asks the runtime to stop its services in order, and resolves when it has ended. After
   * `graceMs` it is killed: its guardian then stops what it left.
   */
  async stop(graceMs = 20_000) {
    const patience = new AbortController();
    const late = after(graceMs, "late", { signal: patience.signal }).catch(() => {});
    this.post("/shutdown").catch(() => {}); // it may be ending already, or not answer any more
    this.#child.stdin.end(); // says the same, should the request be lost
    if ((await Promise.race([this.ended, late])) === "late") this.#child.kill("SIGKILL");
    patience.abort();
    return this.ended;
  }

  #ask(method, path) {
    const { host, port } = this.address;
    const headers = { Authorization: `Bearer ${this.#token}` };
    return new Promise((resolve, reject) => {
      const request = http.request({ host, port, method, path, headers, agent: false }, (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(parts).toString();
          if (answer.statusCode < 300) resolve(JSON.parse(text));
          else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
        });
      });
      request.on("error", reject);
      request.end();
    });
  }
}

/**
 * Starts the runtime and resolves to a Runtime as soon as its control API listens. Rejects when
 * the process cannot be started, ends before (its own log, on stderr, says why), or says nothing.
 *
 * stdin is a pipe that only we hold: when this process dies in any way, its end is what tells the
 * runtime to stop.
 */
async function start(command, args, options = {}) {
  const child = spawn(command, args, { ...options, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => {}); // the runtime may be gone when we close it
  const ended = new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => resolve({ code: null, signal: null, error }));
  });
  try {
    const address = await listening(child, ended);
    const token = (await readFile(address.token_path, "utf8")).trim();
    return new Runtime(child, address, token, ended);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

async function listening(child, ended) {
  const patience = new AbortController();
  const { signal } = patience;
  const lines = readline.createInterface({ input: child.stdout });
  const late = after(LISTENING_WITHIN_MS, null, { signal }).then(() => {
    throw new Error(`the runtime does not listen after ${LISTENING_WITHIN_MS / 1000} s`);
  });
  const gone = ended.then(({ code, signal: by, error }) => {
    throw error ?? new Error(`the runtime ended before it listened: ${by ?? `code ${code}`}`);
  });
  try {
    const [line] = await Promise.race([once(lines, "line", { signal }), late, gone]);
    return JSON.parse(line);
  } finally {
    patience.abort();
    lines.close();
    child.stdout.resume(); // a full pipe would hold the runtime up
  }
}

/** One sentence for each service that is not ready, out of the details of /readyz. */
function waitedFor(details) {
  return Object.entries(details)
    .filter(([, service]) => !service.ready && !service.skipped)
    .map(([id, { message, state, waiting_for: needs }]) =>
      needs?.length ? `${id} waits for ${needs.join(", ")}` : `${id}: ${message || state}`,
    );
}

module.exports = { start, waitedFor, Runtime };
