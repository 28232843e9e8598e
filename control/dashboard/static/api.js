// Asking the control API with this browser's session.

import { forget, kept } from "./key.js";

/** The session is over, or this browser never had one. */
export class NotIn extends Error {}

/** The runtime said no, in a sentence. */
export class Refused extends Error {}

/** Nobody answers, or not in the time that the signal gives. */
export class NoAnswer extends Error {}

/** @typedef {Record<string, string | number | undefined>} Query */

/** @param {string} path @param {Query} query */
function address(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const words = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return words ? `${path}?${words}` : path;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Query} query
 * @param {AbortSignal} [signal]
 */
async function ask(method, path, query, signal) {
  const headers = { "Bundlevisor-Key": kept(), Accept: "application/json" };
  let response;
  try {
    response = await fetch(address(path, query), { method, headers, signal });
  } catch (error) {
    if (signal?.aborted && signal.reason?.name !== "TimeoutError") throw error;
    throw new NoAnswer("the runtime does not answer");
  }
  if (response.status === 401) throw new NotIn("the session is over");
  if (response.status >= 400) throw new Refused(await sentence(response));
  return response;
}

/** @param {Response} response */
async function sentence(response) {
  const answer = await response.json().catch(() => ({}));
  return typeof answer.error === "string" ? answer.error : `it answered ${response.status}`;
}

/** @param {string} path @param {Query} [query] @param {AbortSignal} [signal] */
export async function get(path, query = {}, signal) {
  return await (await ask("GET", path, query, signal)).json();
}

/** @param {string} service @param {string} action */
export async function command(service, action) {
  const path = `/services/${encodeURIComponent(service)}/${action}`;
  return await (await ask("POST", path, {})).json();
}

export async function leave() {
  await ask("POST", "/ui/leave", {}).catch(() => undefined);
  forget();
}

const LONGEST_LINE = 1 << 22;
/** Characters of an answer without an end that are kept while its line has none. */

/**
 * Lines of JSON as they come, in groups.
 *
 * @param {string} path
 * @param {Query} query
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<any[], void, void>}
 */
export async function* lines(path, query, signal) {
  const response = await ask("GET", path, query, signal);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (reader) {
    const { value, done } = await reader.read();
    if (done) return;
    const whole = (rest + value).split("\n");
    rest = whole.pop() ?? "";
    if (rest.length > LONGEST_LINE) rest = "";
    const read = whole.map(decoded).filter((line) => line !== undefined);
    if (read.length) yield read;
  }
}

/** @param {string} text */
function decoded(text) {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined; // the rest of a line that was too long
  }
}
