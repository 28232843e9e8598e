"use strict";
// An application under test: a real main process, on the stand-in for Electron.

const { fork } = require("node:child_process");
const { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } = require("node:fs");
const path = require("node:path");
const { after } = require("node:test");
const { Chromium } = require("./chromium");
const { ENV, atTheEnd, folder, isAlive, isRemoved, until } = require("./harness");

const PACKAGE = path.dirname(__dirname);
const STANDIN = path.join(__dirname, "standin", "electron.js");
const RECORD = "userData/runtime/runtime/instance.json";
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/google-chrome"];
const BROWSER = process.env.BROWSER_OF_TESTS ?? BROWSERS.find(existsSync);

/** @type {Chromium | undefined} */
let chromium;
after(async () => {
  if (!chromium) return;
  await chromium.end();
  await until(() => isRemoved(chromium.profile), `${chromium.profile} is removed`);
});

class Shell {
  /** All that has happened. */
  seen = [];
  #number = 0;
  #answers = new Map();

  constructor(child) {
    this.child = child;
    this.output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text) => (this.output += text));
    this.ended = new Promise((resolve) =>
      child.once("close", (code, signal) => resolve(code ?? signal)),
    );
    child.on("message", (message) => {
      if (message.browser) return;
      if (message.number === undefined) this.seen.push(message);
      else this.#answers.get(message.number)(message);
    });
  }

  /** Has something done in the application; resolves to what it gives. */
  async do(command, details = {}) {
    const number = ++this.#number;
    let answer;
    this.#answers.set(number, (given) => (answer = given));
    this.child.send({ number, command, ...details });
    await until(() => answer ?? !this.child.connected, `an answer to '${command}'`);
    const { result, error } = answer ?? { error: `the application ended before '${command}'` };
    if (error) throw new Error(error);
    return result;
  }

  /** Evaluates in a window's page. */
  page(window, code) {
    return this.do("evaluate", { window, code });
  }

  find(what, details = {}) {
    return this.seen.find((event) => matches(event, { what, ...details }));
  }

  /** Resolves to the first event of a kind, with these details. */
  async sees(what, details = {}) {
    const over = this.ended.then(() => true);
    return await until(
      async () => {
        const found = this.find(what, details);
        if (found || !(await Promise.race([over, false]))) return found;
        throw new Error(`the application ended without '${what}'`);
      },
      `${what} ${JSON.stringify(details)}`,
    ).catch((error) => {
      error.message += `\nseen: ${JSON.stringify(this.seen)}\n${this.output}`;
      throw error;
    });
  }

  /** What the splash was last told. */
  get splash() {
    return this.seen.findLast(({ channel }) => channel === "bundlevisor:splash-state")?.message;
  }
}

function matches(event, details) {
  return Object.entries(details).every(([name, value]) =>
    value instanceof RegExp ? value.test(String(event[name])) : event[name] === value,
  );
}

/** The runtime of an application, and its guardian, when they run. */
function processesOf({ home }) {
  try {
    const { pid, guardian_pid: guardian } = JSON.parse(
      readFileSync(path.join(home, RECORD), "utf8"),
    );
    return [pid, guardian];
  } catch {
    return [];
  }
}

/**
 * Starts a main script in a copy of its folder, with the package in node_modules as npm would link
 * it. `env` says how the stand-in is.
 */
function shell(
  t,
  { app = path.join(PACKAGE, "example"), env = {}, browser = false, bundlevisor = PACKAGE } = {},
) {
  const root = folder(t);
  const copy = path.join(root, "app");
  cpSync(app, copy, { recursive: true, filter: (file) => !file.includes("node_modules") });
  mkdirSync(path.join(copy, "node_modules"));
  symlinkSync(bundlevisor, path.join(copy, "node_modules", "bundlevisor"), "junction");
  mkdirSync(path.join(root, "userData"));
  const child = fork(path.join(copy, "main.js"), {
    execArgv: ["-r", STANDIN],
    env: { ...ENV, STANDIN_HOME: root, ...(browser && { STANDIN_BROWSER: "1" }), ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  if (browser) (chromium ??= new Chromium(BROWSER)).serve(child);
  const made = Object.assign(new Shell(child), { home: root });
  atTheEnd(t, async () => {
    const left = processesOf(made);
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await made.ended;
    for (const pid of left) await until(() => !isAlive(pid), `the end of ${pid}`);
  });
  return made;
}

const NEEDS_BROWSER = BROWSER ? {} : { skip: "no browser: install one (apt-get install chromium)" };

module.exports = { NEEDS_BROWSER, RECORD, shell };
