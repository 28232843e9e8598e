"use strict";
// All that the splash can ask of the shell: data in, four named requests out.

const { contextBridge, ipcRenderer } = require("electron");

contextBridge.exposeInMainWorld("splash", {
  state: () => ipcRenderer.invoke("bundlevisor:splash-state"),
  /** @param {(state: unknown) => void} listener */
  onState: (listener) => {
    ipcRenderer.on("bundlevisor:splash-state", (_event, state) => listener(state));
  },
  log: () => ipcRenderer.invoke("bundlevisor:splash-log"),
  openFolder: () => ipcRenderer.invoke("bundlevisor:splash-folder"),
  /** @param {string} choice */
  choose: (choice) => ipcRenderer.invoke("bundlevisor:splash-choose", choice),
});
