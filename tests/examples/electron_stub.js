"use strict";
// Loaded before electron/main.js by `node -r`: what main.js uses of Electron, without a window.
// Prints one JSON line for each thing that happens; closes the window when a page has been loaded.

const Module = require("node:module");
const { EventEmitter } = require("node:events");

const say = (what, details) => console.log(JSON.stringify({ what, ...details }));

class BrowserWindow extends EventEmitter {
  static getAllWindows = () => [];

  constructor(options) {
    super();
    say("window", options.webPreferences);
    this.webContents = new EventEmitter();
    this.webContents.setWindowOpenHandler = (decide) => {
      say("popup", decide({ url: "file:///etc/passwd" }));
    };
  }

  isDestroyed() {
    return false;
  }

  async loadFile(file, { hash }) {
    say("waiting", { lines: decodeURIComponent(hash) });
  }

  async loadURL(url) {
    say("page", { url, foreign: this.prevented("http://evil.example/"), own: this.prevented(url) });
    app.emit("window-all-closed");
  }

  prevented(url) {
    let prevented = false;
    this.webContents.emit("will-navigate", { preventDefault: () => (prevented = true) }, url);
    return prevented;
  }
}

const app = Object.assign(new EventEmitter(), {
  isPackaged: false,
  getName: () => "Notes",
  getPath: () => "/nowhere",
  requestSingleInstanceLock: () => true,
  whenReady: async () => {},
  quit() {
    let later = false;
    app.emit("before-quit", { preventDefault: () => (later = true) });
    say("quit", { later });
    if (!later) process.exit(0);
  },
});

const electron = {
  app,
  BrowserWindow,
  dialog: { showErrorBox: (title, text) => say("error", { title, text }) },
  session: { defaultSession: { setPermissionRequestHandler: (ask) => ask(null, "camera", (granted) => say("camera", { granted })) } },
  shell: { openExternal: (url) => say("external", { url }) },
};

const load = Module._load;
Module._load = (name, ...rest) => (name === "electron" ? electron : load(name, ...rest));
