"use strict";
// The window that is there while the bundle starts: how far it is, what is waited for, and when it
// fails, why, with the log and another try.

const { app, shell } = require("./module");
const { checkOptions, checkTexts } = require("../options");
const { openOwnPage } = require("./own_page");

/** @typedef {import("../progress").Progress} Progress */
/** @typedef {"retry" | "quit" | "closed"} Choice */

/** What the page says; every text can be replaced. */
const TEXTS = {
  starting: "Starting…",
  failed: "The application could not be started",
  retry: "Try again",
  quit: "Quit",
  showLog: "Show log",
  hideLog: "Hide log",
  openFolder: "Log folder",
  left: "About {time} left",
  seconds: "{count} s",
  minutes: "{count} min",
};

/**
 * What the page is shown; data only.
 *
 * @typedef {Object} SplashState
 * @property {string} name
 * @property {typeof TEXTS} texts
 * @property {"starting" | "failed"} phase
 * @property {number} [fraction] of the start that is done, 0 to 1
 * @property {string} [left] how long it will still take, where that can be foreseen
 * @property {string} [lastLine] what the slowest service has written last, or the runtime itself
 * @property {string[]} lines what is waited for, or why it failed
 * @property {boolean} hasFolder
 */

/**
 * @typedef {Object} SplashOptions
 * @property {() => string | Promise<string>} [log] what 'show log' shows
 * @property {string} [logFolder] what 'open the folder' opens
 * @property {Partial<typeof TEXTS>} [texts]
 * @property {import("electron").BrowserWindowConstructorOptions} [window]
 */

const OPTIONS = { log: "call", logFolder: "text", texts: "object", window: "object" };
const NOTHING_YET = { fraction: undefined, left: undefined, lastLine: undefined };

const WINDOW = {
  width: 480,
  height: 380,
  useContentSize: true,
  maximizable: false,
  fullscreenable: false,
};

/**
 * Throws InvalidOption for an option or a text that there is not, or that has a wrong type.
 *
 * @param {string} call whose options they are
 * @param {SplashOptions} given
 */
function checkSplash(call, given) {
  const options = checkOptions(call, given, OPTIONS);
  if (options.texts) options.texts = checkTexts(call, options.texts, TEXTS);
  return options;
}

/** One splash window. */
class Splash {
  #window;
  /** @type {SplashState} */
  #state;
  /** @type {((choice: Choice) => void) | undefined} */
  #choose;

  /** @param {SplashOptions} [options] */
  constructor(options = {}) {
    const given = checkSplash("new Splash()", options);
    const { log = () => "", logFolder = "", texts = {}, window = {} } = given;
    const said = { ...TEXTS, ...texts };
    this.#state = {
      name: app.getName(),
      texts: said,
      phase: "starting",
      lines: [],
      hasFolder: Boolean(logFolder),
    };
    const calls = {
      "bundlevisor:splash-state": () => this.#state,
      "bundlevisor:splash-log": log,
      "bundlevisor:splash-folder": () => void (logFolder && shell.openPath(logFolder)),
      "bundlevisor:splash-choose": (/** @type {unknown} */ choice) => this.#chosen(choice),
    };
    this.#window = openOwnPage("splash", calls, { title: app.getName(), ...WINDOW, ...window });
    this.#window.on("closed", () => this.#choose?.("closed"));
  }

  get isOpen() {
    return !this.#window.isDestroyed();
  }

  /** Electron's own window. */
  get window() {
    return this.#window;
  }

  /** @param {Progress} progress */
  show({ fraction, remaining, lastLine, waiting, failed }) {
    const lines = [...waiting, ...failed].map(({ sentence }) => sentence);
    const left = remaining === undefined ? undefined : this.#left(remaining);
    this.#become({ phase: "starting", fraction, left, lastLine, lines });
  }

  /** Says what the runtime is at before it can be asked how far it is. @param {string} line */
  say(line) {
    if (this.#state.phase === "starting") this.#become({ lastLine: line });
  }

  /** @param {number} seconds */
  #left(seconds) {
    const { left, seconds: short, minutes: long } = this.#state.texts;
    const [text, count] = seconds < 60 ? [short, seconds] : [long, seconds / 60];
    const time = text.replace("{count}", String(Math.max(1, Math.round(count))));
    return left.replace("{time}", time);
  }

  /**
   * Shows why it failed, and resolves to what the user chooses.
   *
   * @param {string} reason
   * @returns {Promise<Choice>}
   */
  async fail(reason) {
    if (!this.isOpen) return "closed";
    const choice = new Promise((resolve) => {
      this.#choose = resolve;
    });
    this.#become({ phase: "failed", lines: reason.split("\n"), ...NOTHING_YET });
    this.focus();
    return await choice;
  }

  focus() {
    if (!this.isOpen) return;
    this.#window.show();
    this.#window.focus();
  }

  close() {
    if (this.isOpen) this.#window.destroy();
  }

  /** @param {unknown} choice */
  #chosen(choice) {
    if (choice !== "retry" && choice !== "quit") return;
    const choose = this.#choose;
    this.#choose = undefined;
    if (choice === "retry") this.#become({ phase: "starting", lines: [], ...NOTHING_YET });
    choose?.(choice);
  }

  /** @param {Partial<SplashState>} change */
  #become(change) {
    this.#state = { ...this.#state, ...change };
    if (this.isOpen) this.#window.webContents.send("bundlevisor:splash-state", this.#state);
  }
}

module.exports = { Splash, TEXTS, checkSplash };
