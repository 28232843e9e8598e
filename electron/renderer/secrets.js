"use strict";
// A field for each secret that is asked for, and what was wrong with its value.

/** @typedef {{id: string, label: string, description: string, hint: string}} Field */
/** @typedef {{title: string, save: string, cancel: string}} Texts */
/** @typedef {{name: string, texts: Texts, fields: Field[]}} Questions */
/**
 * @typedef {Object} Shell
 * @property {() => Promise<Questions>} ask
 * @property {(values: Record<string, string>) => Promise<{id: string, message: string}[]>} give
 * @property {() => Promise<void>} cancel
 */

(() => {
  const shell = /** @type {{secrets: Shell}} */ (/** @type {unknown} */ (window)).secrets;
  /** @type {Map<string, {input: HTMLInputElement, problem: HTMLElement}>} */
  const inputs = new Map();

  /** @template {HTMLElement} T @param {string} id @returns {T} */
  const find = (id) => /** @type {T} */ (document.getElementById(id));

  /** @param {Questions} questions */
  function show({ name, texts, fields }) {
    document.title = name;
    find("name").textContent = name;
    find("title").textContent = texts.title;
    find("save").textContent = texts.save;
    find("cancel").textContent = texts.cancel;
    find("fields").replaceChildren(...fields.map(field));
    inputs.values().next().value?.input.focus();
  }

  /** @param {Field} asked */
  function field({ id, label, description, hint }) {
    const input = document.createElement("input");
    input.type = "password";
    input.name = id;
    input.autocomplete = "off";
    input.spellcheck = false;
    input.placeholder = hint;
    const problem = text("span", "problem", "");
    problem.id = `problem-${inputs.size}`;
    problem.setAttribute("role", "alert");
    input.setAttribute("aria-describedby", problem.id);
    inputs.set(id, { input, problem });
    const element = text("label", "", label);
    element.append(...(description ? [text("span", "about", description)] : []), input, problem);
    return element;
  }

  /** @param {string} tag @param {string} kind @param {string} content */
  function text(tag, kind, content) {
    const element = document.createElement(tag);
    element.className = kind;
    element.textContent = content;
    return element;
  }

  /** @param {SubmitEvent} event */
  async function give(event) {
    event.preventDefault();
    const save = /** @type {HTMLButtonElement} */ (find("save"));
    save.disabled = true; // once is enough
    const values = Object.fromEntries([...inputs].map(([id, { input }]) => [id, input.value]));
    const problems = new Map((await shell.give(values)).map(({ id, message }) => [id, message]));
    for (const [id, { input, problem }] of inputs) {
      problem.textContent = problems.get(id) ?? "";
      input.setAttribute("aria-invalid", String(problems.has(id)));
    }
    inputs.get(problems.keys().next().value ?? "")?.input.focus();
    save.disabled = false;
  }

  find("form").addEventListener("submit", give);
  find("cancel").addEventListener("click", () => shell.cancel());
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") void shell.cancel();
  });
  void shell.ask().then(show);
})();
