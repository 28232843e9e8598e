"use strict";
// Notes as a desktop application: the whole main process.

const path = require("node:path");
const { app, autoUpdater } = require("electron");
const { runApplication } = require("bundlevisor/electron");
const consent = require("./consent");
const { buildMenu } = require("./menu");

// Installed, the bundle is among the resources, and so is the runtime: nothing has to be said.
// While it is developed, the bundle is that of the repository, and the runtime is on PATH.
const developing = {
  manifest:
    process.env.NOTES_BUNDLE ??
    path.join(__dirname, "..", "..", "examples", "notes", "bundle.json"),
};

const application = runApplication({
  page: "web",
  window: { width: 960, height: 760 },
  start: app.isPackaged ? {} : developing,
  telemetry: { agreed: consent.agreed },
  onWindow: (window) => void consent.askOnce(application, window),
});

if (application) {
  void app.whenReady().then(() => buildMenu(application));
  autoUpdater.on("update-downloaded", () => buildMenu(application, { update: autoUpdater }));
}
