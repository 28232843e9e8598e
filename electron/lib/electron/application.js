"use strict";
// A whole shell: splash, secrets, page, restarts, and an end that leaves nothing behind.

const path = require("node:path");
const { app, net } = require("./module");
const { notComingBack } = require("./coming_back");
const { defaultAppData, prepare } = require("./defaults");
const { NotReady } = require("../errors");
const { grantOnly } = require("./lockdown");
const { logText } = require("./log_text");
const { requirePages } = require("./own_page");
const { PageWindow } = require("./page_window");
const { Quitting } = require("./quitting");
const { checkPrompt, promptForMissing } = require("./secrets");
const { Splash, checkSplash } = require("./splash");
const { checkOptions } = require("../options");
const { sentence } = require("../process");
const { checkStart } = require("../start");
const { uploadTelemetry } = require("../upload");

const OPTIONS = {
  page: "text",
  port: "text",
  start: "object",
  window: "object",
  splash: "object",
  secrets: "object",
  permissions: "texts",
  telemetry: "object",
  onRuntime: "call",
  onWindow: "call",
};
const TELEMETRY = { agreed: "call", redact: "call" };
const CALL = "runApplication()";
const SEND_EVERY_MS = 15 * 60_000;

/** @typedef {import("../runtime").Runtime} Runtime */
/** @typedef {import("../progress").Progress} Progress */

/**
 * @typedef {Object} ApplicationOptions
 * @property {string} page the id of the service whose page is shown
 * @property {string} [port] the name of its port; default: `http`
 * @property {import("../start").StartOptions} [start]
 * @property {import("electron").BrowserWindowConstructorOptions} [window] of the page
 * @property {import("./splash").SplashOptions} [splash]
 * @property {import("./secrets").PromptOptions} [secrets] `ids`: those that have no value are asked
 *   for
 * @property {readonly string[]} [permissions] what the page may ask for (`notifications`, …); none
 * @property {Pick<import("../upload").UploadOptions, "agreed" | "redact">} [telemetry] sends it,
 *   when the manifest has an `upload_url` and the user agreed
 * @property {(runtime: Runtime) => void} [onRuntime] told of the runtime before it is started
 * @property {(window: import("electron").BrowserWindow) => void} [onWindow] told of the page's
 *   window
 */

/** Made by `runApplication()`. */
class Application {
  #options;
  /** @type {Runtime | undefined} */
  #runtime;
  /** @type {Splash | undefined} */
  #splash;
  /** @type {PageWindow | undefined} */
  #page;
  /** @type {Promise<void> | undefined} */
  #starting;
  /** Why the page that is being loaded has nothing behind it any more. @type {Error | undefined} */
  #loss;
  #quitting;
  /** @type {Promise<void>} */
  #sending = Promise.resolve();

  /** @param {ApplicationOptions} options */
  constructor(options) {
    this.#options = options;
    process.stderr.on("error", () => {}); // who read it may be gone: that is no failure of ours
    this.#quitting = new Quitting(async () => this.#runtime?.stop());
    const opened = () => {
      if (this.#quitting.begun) this.#quitting.startAgain();
      else this.show();
    };
    app.on("second-instance", opened); // which ends: the lock is ours until we are gone
    app.on("activate", opened); // macOS starts no second one: its icon was clicked
    app.on("window-all-closed", () => {
      if (process.platform !== "darwin") app.quit(); // there an application lives on without windows
    });
    void app.whenReady().then(() => {
      grantOnly(options.permissions ?? []);
      grantOnly(options.permissions ?? [], options.window?.webPreferences);
      this.show();
    });
  }

  /** The runtime, once it is being started. */
  get runtime() {
    return this.#runtime;
  }

  /** Brings its window to the front; opens one, and starts what has ended, when there is none. */
  show() {
    if (!app.isReady() || this.#quitting.begun) return;
    if (this.#page?.isOpen) this.#page.focus();
    else if (this.#splash?.isOpen) this.#splash.focus();
    else this.#bringUp();
  }

  /**
   * Installs an update when all has stopped; see `Quitting`.
   *
   * @template {unknown[]} A
   * @param {import("./quitting").Updater<A>} updater
   * @param {A} args
   */
  quitAndInstall(updater, ...args) {
    this.#quitting.quitAndInstall(updater, ...args);
  }

  /** @param {Error} [failure] what has failed already */
  #bringUp(failure) {
    const log = () => logText(this.#runtime);
    const logFolder = path.join(this.#appData, "logs");
    const splash = new Splash({ log, logFolder, ...this.#options.splash });
    this.#splash = splash;
    const before = this.#starting ?? Promise.resolve(); // a start whose splash was closed goes on
    this.#starting = before.then(() => this.#tryUntilReady(splash, failure));
  }

  /** @param {Splash} splash @param {Error} [failure] */
  async #tryUntilReady(splash, failure) {
    for (let failed = failure; splash.isOpen && !this.#quitting.begun;) {
      if (failed) {
        const reasons = failed instanceof NotReady ? failed.reasons : [failed.message];
        const choice = await splash.fail(reasons.join("\n"));
        if (choice === "quit") app.quit();
        if (choice !== "retry") return;
        await this.#runtime?.retryFailed().catch(() => {}); // it has ended: it is started anew
      }
      let pid;
      try {
        const runtime = await this.#running();
        ({ pid } = runtime);
        await this.#becomeReady(runtime, splash);
        splash.close();
        return;
      } catch (error) {
        this.#page?.close(); // unseen, it would keep an application open whose splash is closed
        const wanted = () => splash.isOpen && !this.#quitting.begun;
        const why = /** @type {Error} */ (error);
        failed = this.#loss ?? (await notComingBack(why, this.#runtime, pid, wanted));
        this.#loss = undefined;
      }
    }
  }

  /** @param {Runtime} runtime @param {Splash} splash */
  async #becomeReady(runtime, splash) {
    if (!(await promptForMissing(runtime, { parent: splash.window, ...this.#options.secrets }))) {
      throw new NotReady("What was asked for is needed to go on.", []);
    }
    // The splash is perhaps another one by now: macOS' users close it, and click on the icon.
    const show = (/** @type {Progress} */ progress) => this.#splash?.show(progress);
    show(await runtime.waitUntilReady({ show }));
    if (!splash.isOpen) return;
    const unwanted = () => this.#page?.close();
    splash.window.once("closed", unwanted);
    await this.#showPage(runtime, splash).finally(() => splash.window.off("closed", unwanted));
  }

  /** The runtime that runs, or a new one. */
  async #running() {
    if (this.#runtime && !this.#runtime.hasEnded) return this.#runtime;
    const runtime = prepare({ log: console.error, ...this.#options.start });
    this.#options.onRuntime?.(runtime);
    this.#runtime = runtime;
    runtime.on("log", (line) => {
      if (!runtime.pid) this.#splash?.say(sentence(line)); // as that it waits for an earlier one
    });
    await runtime.begin();
    runtime.on("restarted", () => void this.#cameBack(runtime));
    runtime.on("ended", ({ expected, error }) => {
      if (!expected) this.#lost(error ?? new Error("The application's services were stopped."));
    });
    this.#follow(runtime).catch((error) => console.error(error.message));
    this.#sendNowAndThen(runtime);
    return runtime;
  }

  /** @param {Runtime} runtime @param {{isOpen: boolean}} before it: may be closed meanwhile */
  async #showPage(runtime, before) {
    const { page, port, window = {}, onWindow } = this.#options;
    const url = await runtime.pageUrl(page, port);
    if (!before.isOpen) return;
    if (!this.#page?.isOpen) {
      this.#page = new PageWindow(window, (reason) => this.#lost(new Error(reason)));
      onWindow?.(this.#page.window);
    }
    await this.#page.show(url);
  }

  /** Its ports may be others now. @param {Runtime} runtime */
  async #cameBack(runtime) {
    if (!this.#page?.isOpen) return; // it is being started: the splash is there
    if (this.#splash?.isOpen) return this.#page.close(); // half loaded: its start begins anew
    try {
      await runtime.waitUntilReady();
      if (this.#page.isOpen) await this.#showPage(runtime, this.#page);
    } catch (error) {
      if (!runtime.hasEnded) this.#lost(/** @type {Error} */ (error));
    }
  }

  /** A service that is restarted by itself may have another port. @param {Runtime} runtime */
  async #follow(runtime) {
    for await (const { event, service_id: id } of runtime.events({ after: "latest" })) {
      if (event !== "service_ready" || id !== this.#options.page) continue;
      if (this.#splash?.isOpen || !this.#page?.isOpen) continue; // its start shows it
      await this.#showPage(runtime, this.#page).catch(() => {}); // the next time, perhaps
    }
  }

  /** The page has nothing behind it any more. @param {Error} error */
  #lost(error) {
    if (this.#quitting.begun || !this.#page?.isOpen) return;
    if (this.#splash?.isOpen)
      this.#loss = error; // it is being loaded: its start says so
    else this.#bringUp(error); // first: an application without a window quits
    this.#page.close();
  }

  get #appData() {
    return this.#options.start?.appData ?? defaultAppData();
  }

  /**
   * Sends the telemetry now, if it may be sent: for the moment in which the user has changed his
   * mind, either way. Otherwise it is sent when the bundle is ready, and every quarter of an hour.
   */
  async sendTelemetry() {
    const { telemetry } = this.#options;
    const runtime = this.#runtime;
    if (!telemetry || !runtime) return;
    const upload = () =>
      uploadTelemetry(runtime, {
        stateFile: path.join(app.getPath("userData"), "telemetry-sent.json"),
        fetch: /** @type {typeof globalThis.fetch} */ (net.fetch.bind(net)),
        ...telemetry,
      });
    // One after the other: who is under way has perhaps asked before the user agreed.
    this.#sending = this.#sending.then(upload).then(
      () => {},
      (error) => {
        if (!runtime.hasEnded) console.error(error.message); // the next time, perhaps
      },
    );
    await this.#sending;
  }

  /** @param {Runtime} runtime */
  #sendNowAndThen(runtime) {
    const send = () => void this.sendTelemetry();
    const timer = setInterval(send, SEND_EVERY_MS);
    runtime.waitUntilReady().then(send, send);
    void runtime.ended.then(() => clearInterval(timer));
  }
}

/**
 * Runs the application: one instance, a splash while the bundle starts, questions for secrets, the
 * page of a service, and the stop of everything before it is gone. Call it once, at the top of the
 * main script. Returns null in a second instance, which shows the first one's window and quits.
 * Throws InvalidOption for an option that there is not, that has a wrong type, or that is missing;
 * NotFound where a bundler took this code away from its pages.
 *
 * @param {ApplicationOptions} given
 * @returns {Application | null}
 */
function runApplication(given) {
  const options = check(given);
  requirePages();
  if (app.requestSingleInstanceLock()) return new Application(options);
  app.quit();
  return null;
}

/** @param {ApplicationOptions} given */
function check(given) {
  const options = checkOptions(CALL, given, OPTIONS, ["page"]);
  const { start, splash, secrets, telemetry } = options;
  if (start) options.start = checkStart(`'start' of ${CALL}`, start);
  if (splash) options.splash = checkSplash(`'splash' of ${CALL}`, splash);
  if (secrets) options.secrets = checkPrompt(`'secrets' of ${CALL}`, secrets);
  if (telemetry) {
    options.telemetry = checkOptions(`'telemetry' of ${CALL}`, telemetry, TELEMETRY, ["agreed"]);
  }
  return options;
}

module.exports = { Application, runApplication };
