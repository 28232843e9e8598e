// Elements, made without markup: what a service says is only ever text.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | number | null | undefined} Child */
/** @typedef {Record<string, string | number | boolean | EventListener | undefined>} Attributes */

/**
 * @param {Element} element
 * @param {Attributes} attributes a function listens; false and undefined are left out
 * @param {Child[]} children
 */
function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else setAttribute(element, name, value);
  }
  element.append(...children.filter((one) => one !== null && one !== undefined).map(asNode));
  return element;
}

/** @param {any} child */
function asNode(child) {
  return child instanceof Node ? child : String(child);
}

/** @param {string} tag @param {Attributes} [attributes] @param {Child[]} children */
export function h(tag, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (filled(document.createElement(tag), attributes, children));
}

/** @param {string} tag @param {Attributes} [attributes] @param {Child[]} children */
export function s(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  return /** @type {SVGElement} */ (filled(made, attributes, children));
}

/** @param {Element} element @param {string} name @param {any} value */
export function setAttribute(element, name, value) {
  const text = value === true ? "" : String(value);
  if (value === false || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/**
 * Writes a text where it differs: a reader's selection, focus and screen reader stay undisturbed.
 *
 * @param {Element} element
 * @param {string | number} text
 */
export function setText(element, text) {
  const wanted = String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}
