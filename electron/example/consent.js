"use strict";
// Whether the user agreed that reports of failures are sent: asked once, and changed in the menu.

const { readFileSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { Menu, app, dialog } = require("electron");

const file = () => path.join(app.getPath("userData"), "consent.json");

/** @returns {boolean | undefined} undefined: not asked yet */
function agreed() {
  try {
    return JSON.parse(readFileSync(file(), "utf8")).reports === true;
  } catch {
    return undefined;
  }
}

/** @param {boolean} reports */
function remember(reports) {
  writeFileSync(file(), JSON.stringify({ reports }));
  const item = Menu.getApplicationMenu()?.getMenuItemById("reports");
  if (item) item.checked = reports;
}

/**
 * Asks, unless it has been asked or the bundle sends nothing.
 *
 * @param {import("bundlevisor/electron").Application | null} application
 * @param {import("electron").BrowserWindow} window
 */
async function askOnce(application, window) {
  if (agreed() !== undefined) return;
  const telemetry = await application?.runtime?.telemetry().catch(() => undefined); // it may end just now
  if (!telemetry?.upload_url) return;
  const { response } = await dialog.showMessageBox(window, {
    message: "May Notes send reports of failures?",
    detail: "They say which service failed, when and why. Your notes are not in them.",
    buttons: ["Send reports", "Do not send"],
    cancelId: 1,
    defaultId: 1,
  });
  remember(response === 0);
  await application?.sendTelemetry();
}

module.exports = { agreed, askOnce, remember };
