"use strict";
// What a person is told while the bundle starts: pure, out of the answers of the control API.

/** @typedef {import("./api").Readiness} Readiness */
/** @typedef {import("./api").ServiceDetail} ServiceDetail */
/** @typedef {import("./api").Work} Work */

/**
 * One service that is not ready.
 *
 * @typedef {Object} Awaited
 * @property {string} id
 * @property {ServiceDetail["state"]} state
 * @property {string} sentence what stands in the way, for a person
 * @property {string[]} needs ids of the services and secrets that it waits for
 * @property {number} [fraction] how far it is, 0 to 1, where it says so itself
 */

/**
 * @typedef {Object} Progress
 * @property {boolean} ready
 * @property {number} done how many services are ready
 * @property {number} total how many there are, without those that are skipped
 * @property {number} fraction 0 to 1, a share of time that never goes back while a start goes on
 * @property {number} [remaining] seconds until all is ready, where that can be foreseen
 * @property {string} [lastLine] the last line of the log of the service that is the slowest, or that
 *   the runtime does not answer
 * @property {Awaited[]} waiting those that are on their way
 * @property {Awaited[]} failed those that have failed for good, and those that they block
 */

/** The runtime's words for what will not come by itself: its own failure, and that of another. */
const BLOCKED = /^blocked: /;

/**
 * A runtime of 0.2.0 answers without `progress`.
 *
 * @param {Readiness} readiness
 * @returns {Progress}
 */
function progressOf({ ready, details, progress }) {
  const counted = Object.entries(details).filter(([, service]) => !service.skipped);
  const works = new Map((progress?.working_on ?? []).map((work) => [work.service, work]));
  const missing = counted
    .filter(([, service]) => !service.ready)
    .map(([id, service]) => awaited(id, service, works.get(id)));
  const done = counted.length - missing.length;
  return {
    ready,
    done,
    total: counted.length,
    fraction: progress?.fraction ?? (ready ? 1 : done / counted.length),
    remaining: progress?.remaining_s ?? undefined,
    lastLine: progress?.last_line ?? undefined,
    waiting: missing.filter((service) => !isStuck(service)),
    failed: missing.filter(isStuck),
  };
}

/** @param {string} id @param {ServiceDetail} service @param {Work} [work] @returns {Awaited} */
function awaited(id, { message, state, waiting_for: needs = [] }, work) {
  const waits = state === "waiting" && needs.length && !BLOCKED.test(message);
  const sentence = waits
    ? `${id} waits for ${needs.join(", ")}`
    : `${id}: ${inWords(work) || message || state}`;
  return { id, state, sentence, needs, fraction: work?.fraction ?? undefined };
}

/** @param {Work} [work] */
function inWords({ text = "", fraction } = /** @type {Work} */ ({})) {
  if (fraction === undefined || fraction === null) return text;
  const percent = `${Math.floor(fraction * 100)} %`;
  return text ? `${text} (${percent})` : percent;
}

/** @param {Awaited} service */
function isStuck({ id, state, sentence }) {
  return state === "failed" || state === "stopped" || BLOCKED.test(sentence.slice(id.length + 2));
}

module.exports = { progressOf };
