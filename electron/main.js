"use strict";
// A minimal main process: start the bundle, show what is waited for, show its page, stop it.
// The renderer is sandboxed and has no preload: the control API's token stays in this process.

const path = require("node:path");
const { app, BrowserWindow, dialog, session, shell } = require("electron");
const { start } = require("./runtime.js");

const PAGE_SERVICE = "web";
const COMMAND = app.isPackaged
  ? path.join(process.resourcesPath, "bundlevisor", "bundlevisor")
  : (process.env.BUNDLEVISOR ?? "bundlevisor");
const MANIFEST = app.isPackaged
  ? path.join(process.resourcesPath, "bundle", "bundle.json")
  : path.join(__dirname, "..", "examples", "notes", "bundle.json");

let starting; // a promise of the Runtime, once there is one
let quitting = false;
let page; // the origin that the window may show

async function showWaiting(window, sentences) {
  if (window.isDestroyed()) return;
  const hash = encodeURIComponent(sentences.join("\n"));
  // A newer address aborts the load of an older one: that is no error here.
  await window.loadFile(path.join(__dirname, "waiting.html"), { hash }).catch(() => {});
}

function openWindow() {
  const window = new BrowserWindow({
    width: 960,
    height: 760,
    webPreferences: { sandbox: true, contextIsolation: true, nodeIntegration: false },
  });
  window.webContents.setWindowOpenHandler(({ url }) => {
    if (/^https?:/.test(url)) shell.openExternal(url);
    return { action: "deny" };
  });
  window.webContents.on("will-navigate", (event, url) => {
    if (new URL(url).origin !== page) event.preventDefault();
  });
  return window;
}

async function run() {
  const window = openWindow();
  await showWaiting(window, []);
  const appData = path.join(app.getPath("userData"), "runtime");
  starting = start(COMMAND, ["run", "--manifest", MANIFEST, "--app-data", appData]);
  const runtime = await starting;
  runtime.ended.then(({ code, signal }) => {
    if (!quitting) fail(new Error(`The application's runtime ended: ${signal ?? `code ${code}`}.`));
  });
  await runtime.waitUntilReady((sentences) => showWaiting(window, sentences));
  const url = await runtime.pageUrl(PAGE_SERVICE);
  page = new URL(url).origin;
  if (!window.isDestroyed()) await window.loadURL(url);
}

function fail(error) {
  if (quitting) return; // what fails while we quit is no news
  dialog.showErrorBox(app.getName(), error.message);
  app.quit();
}

async function stop() {
  const runtime = await starting?.catch(() => undefined);
  await runtime?.stop();
}

if (app.requestSingleInstanceLock()) {
  app.on("second-instance", () => BrowserWindow.getAllWindows()[0]?.focus());
  app.on("window-all-closed", () => app.quit());
  app.on("before-quit", (event) => {
    if (quitting) return;
    event.preventDefault(); // once: we quit again when the services have stopped
    quitting = true;
    stop().finally(() => app.quit());
  });
  app.whenReady().then(() => {
    session.defaultSession.setPermissionRequestHandler((_contents, _what, grant) => grant(false));
    return run();
  }).catch(fail);
} else {
  app.quit();
}
