"use strict";
// What a shell passes is looked at before anything is started: JavaScript would pass a wrong word
// over, and Node's own errors name none of the shell's.

const { InvalidOption } = require("./errors");

/** @typedef {{is: (value: unknown) => boolean, words: string}} Kind */

/** @type {Record<string, Kind>} */
const KINDS = {
  text: { is: (value) => typeof value === "string", words: "a string" },
  texts: {
    is: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
    words: "a list of strings",
  },
  number: {
    is: (value) => typeof value === "number" && value >= 0,
    words: "a number from 0 on",
  },
  truth: { is: (value) => typeof value === "boolean", words: "true or false" },
  call: { is: (value) => typeof value === "function", words: "a function" },
  object: { is: isObject, words: "an object" },
  bound: { is: (value) => value === false || isObject(value), words: "an object, or false" },
};

/** @param {unknown} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Throws InvalidOption for one that there is not, with the one that was probably meant, for one of
 * the wrong type, and for one that is missing. Returns those that have a value: `null` and `undefined` are as if left out.
 *
 * @template {object} T
 * @param {string} call whose options they are, as the shell writes it
 * @param {T} options
 * @param {Readonly<Record<string, string>>} known the kind of each, by its name
 * @param {readonly string[]} [needed] what there is no default for
 * @returns {T}
 */
function checkOptions(call, options, known, needed = []) {
  if (!isObject(options)) {
    throw new InvalidOption(`${call} takes its options as an object, not ${shown(options)}.`);
  }
  const given = Object.entries(options).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  for (const [name, value] of given) {
    if (!Object.hasOwn(known, name)) throw new InvalidOption(unknown(call, name, known));
    const { is, words } = /** @type {Kind} */ (KINDS[/** @type {string} */ (known[name])]);
    if (!is(value)) {
      throw new InvalidOption(`${call}: '${name}' must be ${words}, not ${shown(value)}.`);
    }
  }
  const missing = needed.find((name) => !given.some(([one]) => one === name));
  if (missing) throw new InvalidOption(`${call} needs the option '${missing}'.`);
  return /** @type {T} */ (Object.fromEntries(given));
}

/**
 * The same for the texts of a window, of which every one can be replaced.
 *
 * @template {object} T
 * @param {string} call
 * @param {T} texts
 * @param {object} all
 */
function checkTexts(call, texts, all) {
  const known = Object.fromEntries(Object.keys(all).map((name) => [name, "text"]));
  return checkOptions(`'texts' of ${call}`, texts, known);
}

/**
 * @param {string} call
 * @param {string} name
 * @param {object} known
 */
function unknown(call, name, known) {
  const names = Object.keys(known);
  const near = names.find((one) => isNear(one.toLowerCase(), name.toLowerCase()));
  const meant = near ? ` (did you mean '${near}'?)` : "";
  return `${call} has no option '${name}'${meant}; it has ${names.join(", ")}.`;
}

/**
 * Whether a few letters at most differ: two, or a third of a short word's.
 *
 * @param {string} one
 * @param {string} other
 */
function isNear(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const changed = Number(row[j - 1]) + Number(one[i - 1] !== other[j - 1]);
      next.push(Math.min(changed, Number(row[j]) + 1, Number(next[j - 1]) + 1));
    }
    row = next;
  }
  return Number(row[other.length]) <= Math.min(2, Math.floor(one.length / 3));
}

/** @param {unknown} value */
function shown(value) {
  if (typeof value === "string") return "a string";
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "a list";
  return isObject(value) ? "an object" : String(value);
}

module.exports = { checkOptions, checkTexts };
