"use strict";
// All that the prompt can ask of the shell. Values go one way: out.

const { contextBridge, ipcRenderer } = require("electron");

contextBridge.exposeInMainWorld("secrets", {
  ask: () => ipcRenderer.invoke("bundlevisor:secrets-ask"),
  /** @param {Record<string, string>} values */
  give: (values) => ipcRenderer.invoke("bundlevisor:secrets-give", values),
  cancel: () => ipcRenderer.invoke("bundlevisor:secrets-cancel"),
});
