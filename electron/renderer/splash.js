"use strict";
// Shows what the shell says. Every text is put in as text.

/** @typedef {import("../lib/electron/splash").SplashState} SplashState */
/**
 * @typedef {Object} Shell
 * @property {() => Promise<SplashState>} state
 * @property {(listener: (state: SplashState) => void) => void} onState
 * @property {() => Promise<string>} log
 * @property {() => Promise<void>} openFolder
 * @property {(choice: string) => Promise<void>} choose
 */

(() => {
  const shell = /** @type {{splash: Shell}} */ (/** @type {unknown} */ (window)).splash;
  const LOG_AGAIN_MS = 1000;

  /** @template {HTMLElement} T @param {string} id @returns {T} */
  const find = (id) => /** @type {T} */ (document.getElementById(id));
  const log = find("log");
  const bar = /** @type {HTMLProgressElement} */ (find("bar"));
  /** @type {SplashState | undefined} */
  let shown;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let again;

  /** @param {SplashState} state */
  function show(state) {
    const failed = state.phase === "failed";
    const was = shown?.phase;
    shown = state;
    document.title = state.name;
    find("name").textContent = state.name;
    find("phase").textContent = state.texts[state.phase];
    find("lines").replaceChildren(...state.lines.map(item));
    bar.hidden = failed;
    if (state.fraction === undefined) bar.removeAttribute("value");
    else bar.value = state.fraction;
    find("left").textContent = state.left ?? "";
    find("last-line").textContent = state.lastLine ?? "";
    button("retry", state.texts.retry, failed);
    button("quit", state.texts.quit, failed);
    button("folder", state.texts.openFolder, failed && state.hasFolder);
    labelLog();
    if (failed && was !== "failed") find("retry").focus();
  }

  /** @param {string} line */
  function item(line) {
    const element = document.createElement("li");
    element.textContent = line;
    return element;
  }

  /** @param {string} id @param {string} text @param {boolean} visible */
  function button(id, text, visible) {
    find(id).textContent = text;
    find(id).hidden = !visible;
  }

  function labelLog() {
    if (!shown) return;
    const { showLog, hideLog } = shown.texts;
    button("show-log", log.hidden ? showLog : hideLog, true);
    find("show-log").setAttribute("aria-expanded", String(!log.hidden));
  }

  async function refreshLog() {
    if (log.hidden) return;
    const text = await shell.log().catch((error) => error.message);
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 8;
    if (text !== log.textContent) {
      log.textContent = text;
      if (atEnd) log.scrollTop = log.scrollHeight;
    }
    clearTimeout(again); // who shows and hides it has begun this several times
    again = setTimeout(refreshLog, LOG_AGAIN_MS);
  }

  find("show-log").addEventListener("click", () => {
    log.hidden = !log.hidden;
    labelLog();
    void refreshLog();
  });
  find("retry").addEventListener("click", () => shell.choose("retry"));
  find("quit").addEventListener("click", () => shell.choose("quit"));
  find("folder").addEventListener("click", () => shell.openFolder());
  shell.onState(show);
  void shell.state().then(show);
})();
