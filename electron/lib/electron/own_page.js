"use strict";
// A window with a page of this package: its preload script offers a few named calls, which this
// window's main frame alone can make.

const { existsSync } = require("node:fs");
const path = require("node:path");
const { NotFound } = require("../errors");
const { BrowserWindow } = require("./module");
const { WEB_PREFERENCES, lockDown } = require("./lockdown");

const RENDERER = path.join(__dirname, "..", "..", "renderer");

/** @typedef {import("electron").BrowserWindow} Window */
/** @typedef {Record<string, (...args: unknown[]) => unknown>} Calls */

/** Throws NotFound where the code was taken away from its pages. */
function requirePages() {
  if (existsSync(RENDERER)) return;
  throw new NotFound(
    `The windows of 'bundlevisor' have no pages: there is no ${RENDERER}. Have your bundler leave ` +
      `the package where npm puts it (external: ["bundlevisor", "bundlevisor/electron"]).`,
    [RENDERER],
  );
}

/**
 * @param {string} page the name of the files in renderer/
 * @param {Calls} calls what the page may ask, by channel
 * @param {import("electron").BrowserWindowConstructorOptions} options
 * @returns {Window}
 */
function openOwnPage(page, calls, options) {
  requirePages();
  const preload = path.join(RENDERER, `${page}_preload.js`);
  const window = new BrowserWindow({
    ...options,
    webPreferences: { ...WEB_PREFERENCES, preload },
  });
  window.setMenuBarVisibility?.(false);
  lockDown(window, () => false);
  for (const [channel, answer] of Object.entries(calls)) {
    window.webContents.ipc.handle(channel, (event, ...args) => {
      if (event.senderFrame !== window.webContents.mainFrame) throw new Error("not for this frame");
      return answer(...args);
    });
  }
  window.loadFile(path.join(RENDERER, `${page}.html`)).catch(() => {}); // closed while it loaded
  return window;
}

module.exports = { openOwnPage, requirePages };
