"use strict";
// Tabs of the test's browser with a preload script, as Electron's windows.

const { readFileSync } = require("node:fs");

/** What a preload script finds: Electron's two modules, over the tab's binding. */
const PRELOAD = (code) => `(() => {
  const pending = new Map();
  const listeners = new Map();
  let last = 0;
  const send = globalThis.toShell;
  delete globalThis.toShell;
  Object.defineProperty(globalThis, "fromShell", { value: ({ id, channel, value, error }) => {
    if (channel) return (listeners.get(channel) ?? []).forEach((listener) => listener({}, value));
    const { resolve, reject } = pending.get(id);
    return error ? reject(new Error(error)) : resolve(value);
  }});
  const ipcRenderer = {
    invoke: (channel, ...args) => new Promise((resolve, reject) => {
      pending.set(++last, { resolve, reject });
      send(JSON.stringify({ id: last, channel, args }));
    }),
    on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
  };
  const contextBridge = {
    exposeInMainWorld: (name, api) => Object.defineProperty(globalThis, name, { value: Object.freeze(api) }),
  };
  const require = (name) => {
    if (name !== "electron") throw new Error("a sandboxed preload script has no module " + name);
    return { contextBridge, ipcRenderer };
  };
  (() => {
${code}
})();
})();`;

/** What the test's browser is asked and says, over the channel to the test. */
class Connection {
  #last = 0;
  #pending = new Map();
  #sessions = new Map();

  constructor() {
    process.on("message", ({ browser }) => {
      if (browser) this.#heard(browser);
    });
  }

  call(method, params = {}, sessionId = undefined) {
    const id = ++this.#last;
    process.send?.({ browser: { id, method, params, sessionId } });
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
  }

  #heard({ id, result, error, method, params, sessionId }) {
    if (id === undefined) {
      this.#sessions.get(sessionId)?.(method, params);
      return;
    }
    const { resolve, reject } = this.#pending.get(id);
    this.#pending.delete(id);
    if (error) reject(new Error(error.message));
    else resolve(result);
  }

  async open(preload, answer) {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(this, targetId, sessionId, answer);
    this.#sessions.set(sessionId, (method, params) => tab.heard(method, params));
    await tab.prepare(preload);
    return tab;
  }
}

class Tab {
  /** What the browser complained of: broken rules of the policy, exceptions. */
  troubles = [];
  navigated = (_frame) => {};
  #loaded = () => {};

  constructor(connection, targetId, sessionId, answer) {
    this.connection = connection;
    this.targetId = targetId;
    this.answer = answer;
    this.call = (method, params) => connection.call(method, params, sessionId);
  }

  async prepare(preload) {
    for (const domain of ["Page", "Runtime", "Log"]) await this.call(`${domain}.enable`);
    if (!preload) return;
    await this.call("Runtime.addBinding", { name: "toShell" });
    const source = PRELOAD(readFileSync(preload, "utf8"));
    await this.call("Page.addScriptToEvaluateOnNewDocument", { source });
  }

  heard(method, params) {
    if (method === "Page.loadEventFired") this.#loaded();
    if (method === "Page.frameNavigated") this.navigated(params.frame);
    if (method === "Runtime.bindingCalled") void this.#asked(JSON.parse(params.payload));
    if (method === "Log.entryAdded") this.troubles.push(params.entry.text);
    if (method === "Runtime.exceptionThrown")
      this.troubles.push(params.exceptionDetails.exception?.description);
  }

  async #asked({ id, channel, args }) {
    try {
      await this.#tell({ id, value: await this.answer(channel, args) });
    } catch (error) {
      await this.#tell({ id, error: error.message });
    }
  }

  async send(channel, value) {
    await this.#tell({ channel, value });
  }

  async #tell(message) {
    const expression = `globalThis.fromShell?.(${JSON.stringify(message)})`;
    await this.call("Runtime.evaluate", { expression }).catch(() => {}); // its tab was closed
  }

  async navigate(url) {
    const loaded = new Promise((resolve) => {
      this.#loaded = resolve;
    });
    const { errorText } = await this.call("Page.navigate", { url });
    if (errorText) throw new Error(`${errorText} loading ${url}`);
    await loaded;
  }

  async reload() {
    await this.call("Page.reload");
  }

  async evaluate(expression) {
    const options = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", options);
    if (exceptionDetails)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async close() {
    await this.connection.call("Target.closeTarget", { targetId: this.targetId }).catch(() => {});
  }
}

async function connect() {
  const connection = new Connection();
  await connection.call("Browser.getVersion");
  return connection;
}

module.exports = { connect };
