"use strict";
// The window with the page that a service of the bundle serves.

const { BrowserWindow } = require("./module");
const { WEB_PREFERENCES, lockDown } = require("./lockdown");
const { Restarts } = require("../restarts");

/** Electron's word when another navigation begins before the page is loaded, as by its own script. */
const ABORTED = "ERR_ABORTED";
const ABORTED_CODE = -3;

/** A window that shows one address, and its origin alone. */
class PageWindow {
  #window;
  #url = "";
  /** Whether it shows nothing, as after a reload while nobody served the page. */
  #blank = false;
  #crashes = new Restarts();

  /**
   * @param {import("electron").BrowserWindowConstructorOptions} options
   * @param {(reason: string) => void} gaveUp the page crashed again and again
   */
  constructor(options, gaveUp) {
    const webPreferences = { ...options.webPreferences, ...WEB_PREFERENCES };
    this.#window = new BrowserWindow({ show: false, ...options, webPreferences });
    lockDown(this.#window, (origin) => this.#url !== "" && origin === new URL(this.#url).origin);
    this.#window.webContents.on("did-fail-load", (_event, code, _words, _url, isMainFrame) => {
      if (isMainFrame && code !== ABORTED_CODE) this.#blank = true;
    });
    this.#window.webContents.on("did-navigate", () => (this.#blank = false));
    this.#window.webContents.on("render-process-gone", (_event, { reason }) => {
      if (reason === "clean-exit" || !this.isOpen) return;
      if (this.#crashes.next(performance.now()) === null) gaveUp(`The page ended: ${reason}.`);
      else this.#window.webContents.reload();
    });
  }

  get isOpen() {
    return !this.#window.isDestroyed();
  }

  /** Electron's own window. */
  get window() {
    return this.#window;
  }

  /** Loads the page, unless the window shows that address already. @param {string} url */
  async show(url) {
    if (url === this.#url && !this.#blank) return;
    this.#url = url;
    this.#blank = false; // who else hears that the page is served again does not load it twice
    await this.#window.loadURL(url).catch((error) => {
      if (error.code === ABORTED) return;
      this.#url = ""; // another try loads it
      throw error;
    });
    if (this.isOpen) this.#window.show();
  }

  focus() {
    if (!this.isOpen) return;
    if (this.#window.isMinimized()) this.#window.restore();
    this.#window.show();
    this.#window.focus();
  }

  close() {
    if (this.isOpen) this.#window.destroy();
  }
}

module.exports = { PageWindow };
