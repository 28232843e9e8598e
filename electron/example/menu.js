"use strict";
// The application's menu.

const path = require("node:path");
const { Menu, app, dialog, shell } = require("electron");
const consent = require("./consent");

/**
 * @param {import("bundlevisor/electron").Application} application
 * @param {{update?: import("electron").AutoUpdater}} [options]
 */
function buildMenu(application, { update } = {}) {
  /** @type {import("electron").MenuItemConstructorOptions[]} */
  const help = [
    { label: "Services", click: () => showServices(application) },
    { label: "Open the folder of the logs", click: () => openLogs(application) },
    {
      id: "reports",
      label: "Send reports of failures",
      type: "checkbox",
      checked: consent.agreed() === true,
      click: ({ checked }) => {
        consent.remember(checked);
        void application.sendTelemetry(); // from now on, or up to now
      },
    },
  ];
  if (update)
    help.unshift({ label: "Restart and update", click: () => application.quitAndInstall(update) });
  const menu = Menu.buildFromTemplate([
    ...(process.platform === "darwin" ? [{ role: /** @type {const} */ ("appMenu") }] : []),
    { role: "fileMenu" },
    { role: "editMenu" },
    { role: "viewMenu" },
    { role: "windowMenu" },
    { label: "Help", role: "help", submenu: help },
  ]);
  Menu.setApplicationMenu(menu);
}

/** @param {import("bundlevisor/electron").Application} application */
async function showServices({ runtime }) {
  const { services } = (await runtime?.status().catch(() => undefined)) ?? { services: [] };
  const lines = services.map(
    ({ id, state, restarts }) => `${id}: ${state}, restarted ${restarts} times`,
  );
  const detail = lines.join("\n") || "The services do not run.";
  await dialog.showMessageBox({ message: `${app.getName()} ${app.getVersion()}`, detail });
}

/** @param {import("bundlevisor/electron").Application} application */
async function openLogs({ runtime }) {
  const status = await runtime?.status().catch(() => undefined);
  if (status) await shell.openPath(path.join(status.app_data_dir, "logs"));
}

module.exports = { buildMenu };
