"use strict";
// What a window of the application must not do, whatever its page is talked into.

const { session, shell } = require("./module");

const IN_BROWSER = new Set(["http:", "https:", "mailto:"]);

/** Preferences of every window: a page gets nothing of Node and nothing of the shell. */
const WEB_PREFERENCES = Object.freeze({
  contextIsolation: true,
  nodeIntegration: false,
  sandbox: true,
  webviewTag: false,
});

/**
 * Keeps a window on the origins that it may show: links to others open in the user's browser, other
 * navigations, popups and webviews are refused.
 *
 * @param {import("electron").BrowserWindow} window
 * @param {(origin: string) => boolean} allowed
 */
function lockDown(window, allowed) {
  const { webContents } = window;
  webContents.setWindowOpenHandler(({ url }) => {
    openInBrowser(url);
    return { action: "deny" };
  });
  /** @param {{preventDefault(): void, url: string}} event */
  const stay = (event) => {
    if (allowed(originOf(event.url))) return;
    event.preventDefault();
    openInBrowser(event.url);
  };
  webContents.on("will-navigate", stay);
  webContents.on("will-redirect", stay);
  webContents.on("will-attach-webview", (event) => event.preventDefault());
}

/**
 * Refuses the permissions (camera, location, …) that are not named; Electron grants all by default.
 *
 * @param {readonly string[]} granted
 * @param {import("electron").WebPreferences} [preferences] of a window, perhaps with a session of
 *   its own; default: the default session
 */
function grantOnly(granted, { session: own, partition } = {}) {
  const allowed = new Set(granted);
  const used = own ?? (partition ? session.fromPartition(partition) : session.defaultSession);
  used.setPermissionRequestHandler((_contents, permission, answer) => {
    answer(allowed.has(permission));
  });
  used.setPermissionCheckHandler((_contents, permission) => allowed.has(permission));
}

/** @param {string} url */
function openInBrowser(url) {
  if (!URL.canParse(url) || !IN_BROWSER.has(new URL(url).protocol)) return;
  shell.openExternal(url).catch(() => {}); // the user has no program for it
}

/** @param {string} url */
function originOf(url) {
  return URL.canParse(url) ? new URL(url).origin : "null";
}

module.exports = { WEB_PREFERENCES, grantOnly, lockDown };
