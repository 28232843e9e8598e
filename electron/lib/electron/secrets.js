"use strict";
// Asks the user for the secrets that only he has. The values go from the window to the runtime;
// nothing keeps them on the way, and no window ever gets one.

const { setTimeout: after } = require("node:timers/promises");
const { app } = require("./module");
const { NotRunning, SecretsRefused } = require("../errors");
const { checkOptions, checkTexts } = require("../options");
const { openOwnPage } = require("./own_page");

/** @typedef {import("../api").Secret} Secret */

const TEXTS = {
  title: "This is needed to go on",
  save: "Save",
  cancel: "Not now",
  refused: "This is not accepted.",
  lost: "It could not be saved: ",
};

const LOOK_AGAIN_MS = 1000;
const KNOWN_SOON_MS = 100;
const OPTIONS = { ids: "texts", parent: "object", texts: "object" };
const WINDOW = {
  width: 520,
  height: 420,
  useContentSize: true,
  maximizable: false,
  fullscreenable: false,
};

/**
 * @typedef {Object} PromptOptions
 * @property {readonly string[]} [ids] which secrets; default: the required ones of the users' class
 *   (`user_prompt`) that have no value
 * @property {import("electron").BrowserWindow} [parent] the prompt is modal to it
 * @property {Partial<typeof TEXTS>} [texts]
 */

/**
 * Throws InvalidOption for an option or a text that there is not, or that has a wrong type.
 *
 * @param {string} call whose options they are
 * @param {PromptOptions} given
 */
function checkPrompt(call, given) {
  const options = checkOptions(call, given, OPTIONS);
  if (options.texts) options.texts = checkTexts(call, options.texts, TEXTS);
  return options;
}

/**
 * Asks in a window, and resolves to true when the runtime has the values, also from elsewhere, to
 * false when the user closes it. Without a secret to ask for it resolves to true at once. Rejects
 * with NotRunning when the runtime has ended.
 *
 * @param {import("../runtime").Runtime} runtime
 * @param {PromptOptions} [options]
 * @returns {Promise<boolean>}
 */
async function promptForSecrets(runtime, options = {}) {
  const { ids, parent, texts = {} } = checkPrompt("promptForSecrets()", options);
  const secrets = (await known(runtime)).filter((secret) => isWanted(secret, ids));
  if (secrets.length === 0) return true;
  if (parent?.isDestroyed()) return false; // closed while they were asked for
  const said = { ...TEXTS, ...texts };
  /** @type {(stored: boolean) => void} */
  let settle = () => {};
  /** @type {Promise<boolean>} */
  const stored = new Promise((resolve) => {
    settle = resolve;
  });
  const questions = { name: app.getName(), texts: said, fields: secrets.map(fieldOf) };
  const calls = {
    "bundlevisor:secrets-ask": () => questions,
    "bundlevisor:secrets-cancel": () => settle(false),
    "bundlevisor:secrets-give": async (/** @type {unknown} */ values) => {
      const problems = await store(runtime, secrets, values, said);
      if (problems.length === 0) settle(true);
      return problems;
    },
  };
  const window = openOwnPage("secrets", calls, {
    title: app.getName(),
    ...WINDOW,
    ...(parent && { parent, modal: true }),
  });
  window.on("closed", () => settle(false));
  const answered = new AbortController();
  return Promise.race([stored, supplied(runtime, ids, answered.signal)]).finally(() => {
    answered.abort();
    if (!window.isDestroyed()) window.destroy();
  });
}

/**
 * The same for an application that comes up: of `ids` those that have no value.
 *
 * @param {import("../runtime").Runtime} runtime
 * @param {PromptOptions} options
 */
async function promptForMissing(runtime, { ids, ...options }) {
  if (!ids) return await promptForSecrets(runtime, options);
  const secrets = await known(runtime);
  const missing = secrets.filter(({ id, has_value: has }) => !has && ids.includes(id));
  return await promptForSecrets(runtime, { ...options, ids: missing.map(({ id }) => id) });
}

/**
 * The secrets, as soon as it is known which have a value: a key store is asked when the runtime starts.
 *
 * @param {import("../runtime").Runtime} runtime
 */
async function known(runtime) {
  for (;;) {
    const secrets = await runtime.secrets();
    if (!secrets.some(({ pending }) => pending)) return secrets;
    await after(KNOWN_SOON_MS);
  }
}

/**
 * Resolves to true when nothing is to be asked any more, as the application has supplied it.
 *
 * @param {import("../runtime").Runtime} runtime
 * @param {readonly string[] | undefined} ids
 * @param {AbortSignal} signal
 */
async function supplied(runtime, ids, signal) {
  for (;;) {
    await after(LOOK_AGAIN_MS, undefined, { signal });
    try {
      if (!(await runtime.secrets()).some((secret) => isWanted(secret, ids))) return true;
    } catch (error) {
      if (runtime.hasEnded) throw error; // else it is being started anew
    }
  }
}

/**
 * @param {Secret} secret
 * @param {readonly string[]} [ids]
 */
function isWanted(secret, ids) {
  if (ids) return ids.includes(secret.id);
  return secret.class === "user_prompt" && secret.required && !secret.has_value;
}

/** What the page needs to know of a secret. @param {Secret} secret */
function fieldOf({ id, prompt, description }) {
  return {
    id,
    label: prompt?.label || id,
    description: prompt?.description || description || "",
    hint: prompt?.hint || "",
  };
}

/**
 * @param {import("../runtime").Runtime} runtime
 * @param {readonly Secret[]} secrets
 * @param {unknown} given
 * @param {typeof TEXTS} texts
 * @returns {Promise<{id: string, message: string}[]>} what is wrong with the values
 */
async function store(runtime, secrets, given, texts) {
  const values = Object.fromEntries(
    Object.entries(Object(given)).map(([id, value]) => [id, String(value)]),
  );
  const known = secrets
    .filter(({ id, required, has_value: has }) => values[id] || (id in values && required && !has))
    .map(({ id }) => [id, values[id] ?? ""]); // nothing typed where nothing is needed: it stays
  try {
    await runtime.setSecrets(Object.fromEntries(known));
    return [];
  } catch (error) {
    if (error instanceof SecretsRefused) return error.problems;
    const why = error instanceof NotRunning ? error.message : texts.refused;
    return secrets.map(({ id }) => ({ id, message: texts.lost + why }));
  }
}

module.exports = { checkPrompt, promptForMissing, promptForSecrets };
