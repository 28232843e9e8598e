"use strict";
// One headless Chromium for all applications of a file of tests, over its debugging pipe: a start
// takes two seconds of processor time. Each application has a context of its own in it, which is as
// good as a profile of its own: cookies, storage and cache end with the application.

const { spawn } = require("node:child_process");
const { mkdtempSync } = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-auto-reload", // of what could not be loaded: Electron does not do it
  // Nobody types into an address bar or needs a next tab at once: a page for each of these, in a
  // process of its own, is half of the processor time of a window.
  "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,SpareRendererForSitePerProcess",
  "--remote-debugging-pipe",
];

class Chromium {
  #browser;
  #last = 0;
  #pending = new Map();
  #listeners = new Map();

  constructor(program) {
    this.profile = mkdtempSync(path.join(os.tmpdir(), "bundlevisor-profile-"));
    this.#browser = spawn(program, [...FLAGS, `--user-data-dir=${this.profile}`, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    this.ended = new Promise((resolve) => this.#browser.once("close", resolve));
    let rest = "";
    this.#browser.stdio[4].setEncoding("utf8").on("data", (text) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop();
      for (const message of messages) this.#heard(JSON.parse(message));
    });
    for (const pipe of this.#browser.stdio.slice(3)) pipe.on("error", () => {});
  }

  /** Does what an application asks for over its channel, in a context of its own, until it ends. */
  serve(application) {
    const context = this.#call("Target.createBrowserContext");
    const tell = (browser) => {
      if (application.connected) application.send({ browser }, () => {});
    };
    application.on("message", async ({ browser: asked }) => {
      if (!asked) return;
      const { id, method, sessionId } = asked;
      const answer = await context.then(async ({ result: { browserContextId } }) => {
        const more = method === "Target.createTarget" ? { browserContextId } : {};
        return await this.#call(method, { ...asked.params, ...more }, sessionId);
      });
      if (answer.result?.sessionId) this.#listeners.set(answer.result.sessionId, tell);
      tell({ ...answer, id });
    });
    application.once("close", async () => {
      const { browserContextId } = (await context).result;
      await this.#call("Target.disposeBrowserContext", { browserContextId });
    });
  }

  async end() {
    this.#browser.kill();
    await this.ended;
  }

  /** Resolves to the browser's whole answer: with `result`, or with `error`. */
  #call(method, params = {}, sessionId = undefined) {
    const id = ++this.#last;
    this.#browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
    });
  }

  #heard(message) {
    if (message.id === undefined) {
      this.#listeners.get(message.sessionId)?.(message);
      return;
    }
    this.#pending.get(message.id)(message);
    this.#pending.delete(message.id);
  }
}

module.exports = { Chromium };
