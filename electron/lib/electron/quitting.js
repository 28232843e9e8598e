"use strict";
// The ways in which an application ends, and what each leaves time for.

const { app, powerMonitor } = require("./module");

/**
 * Electron's `autoUpdater`, or electron-updater's.
 *
 * @template {unknown[]} A
 * @typedef {Object} Updater
 * @property {(...args: A) => void} quitAndInstall
 * @property {(event: "error", listener: (error: Error) => void) => unknown} [on]
 */

/**
 * Stops the runtime before the application is gone, however its end begins. One for an application.
 *
 * Electron closes the windows first, and a page may refuse ("unsaved changes"), which ends the
 * quitting. So the services are stopped when no window is left (`will-quit`, which `before-quit`
 * leads to): a page is never left without them.
 */
class Quitting {
  #stop;
  /** @type {Promise<unknown> | undefined} */
  #stopping;
  #stopped = false;
  #leaving = false;
  #installs = false;
  /** What comes when all has stopped. @type {() => void} */
  #last = () => app.quit();

  /** @param {() => Promise<unknown>} stop resolves when the services have stopped; must not hang */
  constructor(stop) {
    this.#stop = stop;
    app.on("before-quit", () => {
      this.#installs = false; // an update whose quitting a page refused is not this one's
      this.#last = () => app.quit();
    });
    app.on("will-quit", (event) => {
      if (this.#stopped) return;
      event.preventDefault(); // until the services have stopped
      if (!this.#leaving) void this.stopNow().then(() => this.#last());
      this.#leaving = true;
    });
    // Linux and macOS: the system waits a while for who asks it to.
    void app.whenReady().then(() => {
      powerMonitor.on("shutdown", (/** @type {any[]} */ ...[event]) => {
        event?.preventDefault?.();
        app.quit();
      });
    });
    // Windows says nothing else when the user logs off, and leaves seconds at most.
    app.on("browser-window-created", (_event, window) => {
      window.on("session-end", () => void this.stopNow());
    });
  }

  /** Whether there is no way back. */
  get begun() {
    return this.#stopping !== undefined;
  }

  /**
   * Installs an update, for Electron's `autoUpdater` and for electron-updater's: closes the
   * windows, stops the services, and only then calls `updater.quitAndInstall`. An installer
   * replaces files which the services, and the runtime, have open. When the updater fails at it, the
   * application ends without.
   *
   * @template {unknown[]} A
   * @param {Updater<A>} updater
   * @param {A} args
   */
  quitAndInstall(updater, ...args) {
    app.quit(); // which emits `before-quit` first
    this.#installs = true;
    this.#last = () => install(updater, args);
  }

  /**
   * Has the application started anew as soon as it is gone: its user did so meanwhile. Who installs
   * an update says himself whether it is.
   */
  startAgain() {
    if (this.#installs) return;
    this.#last = () => {
      app.relaunch(appImage());
      app.quit();
    };
  }

  /** Stops the services without asking anybody, once. */
  stopNow() {
    this.#stopping ??= this.#stop()
      .catch(() => {}) // the end of its stdin, when this process ends, stops it all the same
      .then(() => {
        this.#stopped = true;
      });
    return this.#stopping;
  }
}

/**
 * Where an AppImage is started from anew: what runs is mounted, and goes with this process. It
 * cannot be mounted by what Electron starts, which gets no new privileges (fusermount): it is
 * unpacked.
 */
function appImage() {
  const { APPIMAGE: execPath, APPDIR: mounted } = process.env;
  if (!execPath || !mounted || !process.execPath.startsWith(mounted)) return undefined;
  return { execPath, args: ["--appimage-extract-and-run", ...process.argv.slice(1)] };
}

/**
 * Both updaters say by an event that they cannot, and end nothing. What is left then has no window,
 * and would keep its user from starting it again.
 *
 * @template {unknown[]} A
 * @param {Updater<A>} updater
 * @param {A} args
 */
function install(updater, args) {
  /** @param {Error} error */
  const failed = (error) => {
    console.error(`The update was not installed: ${error.message}`);
    app.quit();
  };
  updater.on?.("error", failed);
  try {
    updater.quitAndInstall(...args);
  } catch (error) {
    failed(/** @type {Error} */ (error));
  }
}

module.exports = { Quitting };
