"use strict";
// Loaded before the application by `node -r`: what it uses of Electron, for a test without
// Electron. The main process is a real one. Windows are tabs of the test's Chromium where
// STANDIN_BROWSER says so, with the preload scripts in them; otherwise nothing is behind them.
// Over the channel to the test goes what happens (`say`), and what the test wants to be done comes
// (`commands`).

const { EventEmitter } = require("node:events");
const { existsSync } = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { connect } = require("./browser");

if (process.env.STANDIN_PLATFORM)
  Object.defineProperty(process, "platform", { value: process.env.STANDIN_PLATFORM });
process.resourcesPath = process.env.STANDIN_RESOURCES ?? "/nowhere";
const browser = process.env.STANDIN_BROWSER ? connect() : null;
/** With what loading a page fails, one load after the other. */
const failures = (process.env.STANDIN_LOAD ?? "").split(",");
/** Another navigation has begun before the page was loaded: it is that which goes on. */
const ABORTED = "ERR_ABORTED";
/** It is not loaded before the window is closed. */
const NEVER = "ERR_FAILED";
const say = (what, details = {}) => process.send?.({ what, ...details });

class Preventable {
  prevented = false;
  preventDefault() {
    this.prevented = true;
  }
}

/** Emits as Electron does; returns whether somebody prevented it. */
function emitPreventable(emitter, name, details = {}, ...args) {
  const event = Object.assign(new Preventable(), details);
  emitter.emit(name, event, ...args);
  return event.prevented;
}

class WebContents extends EventEmitter {
  #handlers = new Map();
  mainFrame = { name: "main" };

  constructor(window, preload) {
    super();
    this.window = window;
    this.ipc = { handle: (channel, answer) => this.#handlers.set(channel, answer) };
    this.tab = browser?.then((connection) =>
      connection.open(preload, (channel, args) => this.invoke(channel, args)),
    );
    void this.tab?.then((tab) => {
      tab.navigated = ({ parentId, unreachableUrl }) => this.#navigated(!parentId, unreachableUrl);
    });
  }

  #navigated(isMainFrame, unreachable) {
    if (unreachable) this.emit("did-fail-load", {}, -102, "", unreachable, isMainFrame);
    else if (isMainFrame) this.emit("did-navigate", {});
  }

  setWindowOpenHandler(decide) {
    this.decide = decide;
  }

  async invoke(channel, args, senderFrame = this.mainFrame) {
    const handler = this.#handlers.get(channel);
    if (!handler) throw new Error(`no handler for '${channel}'`);
    return await handler({ senderFrame }, ...args);
  }

  send(channel, message) {
    say("send", { window: this.window.id, channel, message });
    void this.tab?.then((tab) => tab.send(channel, message));
  }

  reload() {
    say("reload", { window: this.window.id });
    void this.tab?.then((tab) => tab.reload());
  }
}

class Session {
  static all = new Map();
  static fromPartition(name) {
    if (!Session.all.has(name)) Session.all.set(name, new Session());
    return Session.all.get(name);
  }
  /** As Electron has it, unless somebody says otherwise. */
  decide = (_contents, _permission, answer) => answer(true);
  setPermissionRequestHandler(decide) {
    this.decide = decide;
  }
  setPermissionCheckHandler() {}
}

class BrowserWindow extends EventEmitter {
  static all = new Map();
  static getAllWindows = () => [...BrowserWindow.all.values()];
  #destroyed = false;

  constructor(options) {
    super();
    this.id = ++BrowserWindow.made;
    this.webContents = new WebContents(this, options.webPreferences.preload);
    const { session, partition = "" } = options.webPreferences;
    this.webContents.session = session ?? Session.fromPartition(partition);
    BrowserWindow.all.set(this.id, this);
    say("window", { window: this.id, options: { ...options, parent: options.parent?.id } });
    app.emit("browser-window-created", {}, this);
  }
  static made = 0;

  isDestroyed() {
    return this.#destroyed;
  }
  isMinimized() {
    return false;
  }
  setMenuBarVisibility() {}
  show() {
    say("show", { window: this.id });
  }
  hide() {}
  focus() {
    say("focus", { window: this.id });
  }
  async loadFile(file) {
    await this.#load(`file://${file}`);
  }
  async loadURL(url) {
    const code = failures.shift();
    if (code === NEVER) await new Promise((resolve) => this.once("closed", resolve));
    const error = Object.assign(new Error(`${code} loading '${url}'`), { code });
    if (code && code !== ABORTED) throw error;
    await this.#load(url);
    if (code) throw error;
  }
  async #load(url) {
    const tab = await this.webContents.tab;
    await tab?.navigate(url);
    say("loaded", { window: this.id, url });
  }

  /** As a click on its cross. */
  close() {
    if (!emitPreventable(this, "close")) this.destroy();
  }

  destroy() {
    if (this.#destroyed) return;
    this.#destroyed = true;
    BrowserWindow.all.delete(this.id);
    void this.webContents.tab?.then((tab) => tab.close());
    say("closed", { window: this.id });
    this.emit("closed");
    if (BrowserWindow.all.size === 0 && !app.quitting) app.emit("window-all-closed");
  }
}

const app = Object.assign(new EventEmitter(), {
  isPackaged: process.env.STANDIN_PACKAGED === "1",
  quitting: false,
  getName: () => "Notes",
  getPath: (name) => `${process.env.STANDIN_HOME}/${name}`,
  getVersion: () => "1.0.0",
  isReady: () => true,
  whenReady: async () => {},
  relaunch: (options) => say("relaunch", { options }),
  requestSingleInstanceLock: () => process.env.STANDIN_SECOND !== "1",
  /** before-quit, then the windows, each of which may refuse, then will-quit. */
  quit() {
    say("quit");
    app.quitting = true;
    const stays =
      emitPreventable(app, "before-quit") || !closeAll() || emitPreventable(app, "will-quit");
    app.quitting = false;
    if (!stays) leave();
  },
});

/** Electron closes the windows one by one and ends at the first that refuses. */
function closeAll() {
  for (const window of BrowserWindow.getAllWindows()) window.close();
  return BrowserWindow.all.size === 0;
}

function leave() {
  process.send({ what: "gone" }, () => process.exit(0)); // what was said before is sent by then
}

const electron = {
  app,
  BrowserWindow,
  Menu: {
    buildFromTemplate: (template) => template,
    setApplicationMenu: (menu) => (electron.menu = menu),
    getApplicationMenu: () => ({ getMenuItemById: (id) => find(electron.menu, { id }) }),
  },
  autoUpdater: Object.assign(new EventEmitter(), {
    quitAndInstall: () => {
      const token = path.join(process.env.STANDIN_HOME, "userData/runtime/runtime/auth-token");
      say("installs", { running: existsSync(token) });
      const failure = new Error("no disk");
      if (process.env.STANDIN_UPDATER === "throws") throw failure;
      if (process.env.STANDIN_UPDATER) electron.autoUpdater.emit("error", failure);
      else app.quit();
    },
  }),
  dialog: {
    showErrorBox: (title, text) => say("error", { title, text }),
    showMessageBox: async (...args) => {
      const options = args.at(-1);
      say("dialog", { options });
      return { response: Number(process.env.STANDIN_ANSWER ?? 0), checkboxChecked: false };
    },
  },
  net: { fetch: (...args) => fetch(...args) },
  powerMonitor: new EventEmitter(),
  session: { fromPartition: Session.fromPartition, defaultSession: Session.fromPartition("") },
  shell: {
    openExternal: async (url) => {
      say("external", { url });
      if (url.startsWith("mailto:")) throw new Error("no program for it");
    },
    openPath: async (folder) => (say("folder", { folder }), ""),
  },
};

/** What a test can have done; the answer goes back under the command's number. */
const commands = {
  evaluate: async ({ window, code }) =>
    (await BrowserWindow.all.get(window).webContents.tab).evaluate(code),
  troubles: async ({ window }) => (await BrowserWindow.all.get(window).webContents.tab).troubles,
  invoke: ({ window, channel, args, foreign }) =>
    BrowserWindow.all
      .get(window)
      .webContents.invoke(channel, args ?? [], foreign ? { name: "frame" } : undefined),
  close: ({ window }) => BrowserWindow.all.get(window).close(),
  /** A page that says "unsaved changes" once. */
  refuse: ({ window }) =>
    void BrowserWindow.all.get(window).once("close", (event) => event.preventDefault()),
  emit: ({ on, name, window }) =>
    emitPreventable(
      window ? (BrowserWindow.all.get(window)[on] ?? BrowserWindow.all.get(window)) : electron[on],
      name,
    ),
  gone: ({ window, reason }) =>
    void BrowserWindow.all.get(window).webContents.emit("render-process-gone", {}, { reason }),
  navigate: ({ window, url }) =>
    emitPreventable(BrowserWindow.all.get(window).webContents, "will-navigate", { url }),
  popup: ({ window, url }) => BrowserWindow.all.get(window).webContents.decide({ url }),
  permission: ({ window, name }) =>
    new Promise((resolve) => {
      BrowserWindow.all.get(window).webContents.session.decide(null, name, resolve);
    }),
  menu: ({ label }) => find(electron.menu, { label }).click(),
  checked: ({ label }) => find(electron.menu, { label }).checked,
  quit: () => app.quit(),
};

function find(items, { id, label }) {
  for (const item of items ?? []) {
    if (id ? item.id === id : item.label === label) return item;
    const inner = find(item.submenu, { id, label });
    if (inner) return inner;
  }
  return undefined;
}

process.on("message", async ({ number, command, ...details }) => {
  if (command === undefined) return; // it is the browser's
  try {
    process.send({ number, result: await commands[command](details) });
  } catch (error) {
    process.send({ number, error: error.message });
  }
});

const load = Module._load;
Module._load = (name, ...rest) => (name === "electron" ? electron : load(name, ...rest));
