"use strict";
// What a person is told while the bundle starts: pure, out of the answers of the control API.

/** @typedef {import("./api").Readiness} Readiness */
/** @typedef {import("./api").ServiceDetail} ServiceDetail */

/**
 * One service that is not ready.
 *
 * @typedef {Object} Awaited
 * @property {string} id
 * @property {ServiceDetail["state"]} state
 * @property {string} sentence what stands in the way, for a person
 * @property {string[]} needs ids of the services and secrets that it waits for
 */

/**
 * @typedef {Object} Progress
 * @property {boolean} ready
 * @property {number} done how many services are ready
 * @property {number} total how many there are, without those that are skipped
 * @property {Awaited[]} waiting those that are on their way
 * @property {Awaited[]} failed those that have failed for good, and those that they block
 */

/** The runtime's words for what will not come by itself: its own failure, and that of another. */
const BLOCKED = /^blocked: /;

/** @param {Readiness} readiness @returns {Progress} */
function progressOf({ ready, details }) {
  const counted = Object.entries(details).filter(([, service]) => !service.skipped);
  const missing = counted.filter(([, service]) => !service.ready).map(awaited);
  return {
    ready,
    done: counted.length - missing.length,
    total: counted.length,
    waiting: missing.filter((service) => !isStuck(service)),
    failed: missing.filter(isStuck),
  };
}

/** @param {[string, ServiceDetail]} service @returns {Awaited} */
function awaited([id, { message, state, waiting_for: needs = [] }]) {
  const waits = state === "waiting" && needs.length && !BLOCKED.test(message);
  const sentence = waits ? `${id} waits for ${needs.join(", ")}` : `${id}: ${message || state}`;
  return { id, state, sentence, needs };
}

/** @param {Awaited} service */
function isStuck({ id, state, sentence }) {
  return state === "failed" || state === "stopped" || BLOCKED.test(sentence.slice(id.length + 2));
}

module.exports = { progressOf };
