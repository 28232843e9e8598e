"use strict";
// Electron, where there is one: elsewhere `require("electron")` gives a path, or nothing.

/** @returns {typeof import("electron")} */
function load() {
  /** @type {unknown} */
  const electron = require("electron");
  if (typeof electron === "object" && electron && "app" in electron) {
    return /** @type {typeof import("electron")} */ (electron);
  }
  throw new Error(
    "'bundlevisor/electron' works in Electron's main process only; use 'bundlevisor'.",
  );
}

module.exports = load();
