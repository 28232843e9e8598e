"use strict";
// A call for every endpoint of the control API, typed as the runtime describes it itself.

const { events, progressEvents } = require("./events");
const { ask, open } = require("./request");
const { jsonLines, textChunks } = require("./text");

/** @typedef {import("./request").Connection} Connection */
/** @typedef {import("./request").Question} Question */
/** @typedef {{wait?: number, signal?: AbortSignal}} Waiting `wait`: seconds, at most 60 */

const CHECK_S = 600; // that a check of the bundle may take: checksums read whole disks
const KEEPING_S = 60; // that values may take to be kept: a user may have to unlock a key store

/** @param {string} serviceId @param {string} what */
function commandPath(serviceId, what) {
  return `/services/${encodeURIComponent(serviceId)}/${what}`;
}

/** Every method rejects with ApiError when it is refused, with NotRunning when nobody is there. */
class Client {
  #connection;

  /** @param {() => Connection} connection where the API is now; throws NotRunning */
  constructor(connection) {
    this.#connection = connection;
  }

  /** How the bundle is, in one word. @returns {Promise<import("./api").Health>} */
  health() {
    return this.#json({ path: "/healthz" });
  }

  /**
   * Whether all services are ready. With `wait` it answers as soon as they are or cannot be; with
   * `after` as well, the `version` of an earlier answer, as soon as anything has changed since.
   *
   * @param {Waiting & {after?: number}} [options]
   * @returns {Promise<import("./api").Readiness>}
   */
  readiness({ wait, after, signal } = {}) {
    const query = after === undefined ? { wait } : { wait, change: true, after };
    return this.#json({ path: "/readyz", query, wait, signal });
  }

  /** Who listens where. @returns {Promise<import("./api").Ports>} */
  ports() {
    return this.#json({ path: "/ports" });
  }

  /** The instance and its services. @returns {Promise<import("./api").Status>} */
  status() {
    return this.#json({ path: "/status" });
  }

  /** Every finding about the bundle. @returns {Promise<import("./api").Validation>} */
  validate() {
    return this.#json({ path: "/validate", wait: CHECK_S });
  }

  /**
   * Where the telemetry is written, and may be sent.
   *
   * @returns {Promise<import("./api").Telemetry>}
   */
  telemetry() {
    return this.#json({ path: "/telemetry" });
  }

  /**
   * What took how long from exec to ready.
   *
   * @param {{earlier?: boolean}} [options] whether the earlier starts come with it
   * @returns {Promise<import("./api").Timelines>}
   */
  timeline({ earlier } = {}) {
    return this.#json({ path: "/timeline", query: { earlier } });
  }

  /** The same as a picture (SVG). */
  timelinePicture() {
    return this.#text({ path: "/timeline", headers: { Accept: "image/svg+xml" } });
  }

  /** Metrics as Prometheus reads them. */
  metrics() {
    return this.#text({ path: "/metrics" });
  }

  /**
   * The description of the API, an OpenAPI document.
   *
   * @returns {Promise<Record<string, unknown>>}
   */
  openapi() {
    return this.#json({ path: "/openapi.json" });
  }

  /** The secrets, never their values. */
  async secrets() {
    /** @type {import("./api").Secrets} */
    const answer = await this.#json({ path: "/secrets" });
    return answer.secrets;
  }

  /**
   * Gives secrets their values, all or none; rejects with SecretsRefused, which says why for each.
   *
   * @param {Readonly<Record<string, string>>} values by id
   */
  async setSecrets(values) {
    const body = { secrets: values };
    await this.#text({ method: "POST", path: "/secrets", body, wait: KEEPING_S });
  }

  /** @param {string} serviceId @param {Waiting} [options] */
  startService(serviceId, options) {
    return this.#command(serviceId, "start", options);
  }

  /**
   * The stop is sticky: nothing but a start brings it back.
   *
   * @param {string} serviceId
   * @param {Waiting} [options]
   */
  stopService(serviceId, options) {
    return this.#command(serviceId, "stop", options);
  }

  /** @param {string} serviceId @param {Waiting} [options] */
  restartService(serviceId, options) {
    return this.#command(serviceId, "restart", options);
  }

  /**
   * The end of a service's log, as text.
   *
   * @param {string} serviceId
   * @param {{lines?: number}} [options] default 200, at most 10000
   */
  logTail(serviceId, { lines } = {}) {
    return this.#text({ path: "/logs/tail", query: { serviceId, lines } });
  }

  /**
   * A service's log as it grows: pieces of text, until the runtime ends or `signal` aborts.
   *
   * @param {string} serviceId
   * @param {{lines?: number, signal?: AbortSignal}} [options] `lines` of what is there come first
   * @returns {AsyncGenerator<string, void, void>}
   */
  logFollow(serviceId, { lines, signal } = {}) {
    const question = { path: "/logs/follow", query: { serviceId, lines } };
    return textChunks((until) => open(this.#connection(), { ...question, signal: until }), signal);
  }

  /**
   * Lines of several services in the order of time, and with `follow` those that come.
   *
   * @param {Object} [options]
   * @param {readonly string[]} [options.services] ids; default: all
   * @param {number} [options.lines] so many of the last ones of each
   * @param {number} [options.since] only those of the last so many seconds
   * @param {boolean} [options.previous] those of before each service's last restart
   * @param {boolean} [options.follow]
   * @param {AbortSignal} [options.signal]
   * @returns {AsyncGenerator<import("./text").LogLine, void, void>}
   */
  logLines({ services, lines, since, previous, follow, signal } = {}) {
    const query = { services: services?.join(","), lines, since, previous, follow };
    const question = { path: "/logs/lines", query };
    return jsonLines((until) => open(this.#connection(), { ...question, signal: until }), signal);
  }

  /**
   * The telemetry events, from `after` on, until the runtime has ended for good or `signal` aborts.
   * A lost connection is made again where it was, also to a runtime that was started anew.
   *
   * @param {{after?: number | "latest", signal?: AbortSignal}} [options] default 0: all that are
   *   kept
   * @returns {AsyncGenerator<import("./events").TelemetryEvent, void, void>}
   */
  events({ after = 0, signal } = {}) {
    return events((question) => open(this.#connection(), question), after, signal);
  }

  /**
   * How far the start is, whenever that has changed, until the runtime has ended for good or
   * `signal` aborts; begins with what is so now, unless all is ready.
   *
   * @param {{signal?: AbortSignal}} [options]
   * @returns {AsyncGenerator<import("./api").Progress, void, void>}
   */
  progressEvents({ signal } = {}) {
    return progressEvents((question) => open(this.#connection(), question), signal);
  }

  /**
   * One page of the telemetry events.
   *
   * @param {{after?: number, limit?: number} & Waiting} [options]
   * @returns {Promise<import("./api").EventPage>}
   */
  eventPage({ after, limit, wait, signal } = {}) {
    const headers = { Accept: "application/json" };
    return this.#json({ path: "/events", query: { after, limit, wait }, headers, wait, signal });
  }

  /**
   * A way for one browser into the dashboard, good once and for a minute: open its path, code and
   * all, at the runtime's address.
   *
   * @returns {Promise<import("./api").DashboardCode>}
   */
  dashboardCode() {
    return this.#json({ method: "POST", path: "/ui/codes" });
  }

  /** Asks for the orderly stop of everything; it has only begun when this resolves. */
  async shutdown() {
    await this.#text({ method: "POST", path: "/shutdown" });
  }

  /**
   * @param {string} serviceId
   * @param {string} what
   * @param {Waiting} [options]
   * @returns {Promise<import("./api").ServiceCommand>}
   */
  #command(serviceId, what, { wait, signal } = {}) {
    const path = commandPath(serviceId, what);
    return this.#json({ method: "POST", path, query: { wait }, wait, signal });
  }

  /** @param {Question} question */
  async #json(question) {
    return JSON.parse(await this.#text(question));
  }

  /** @param {Question} question */
  async #text(question) {
    return await ask(this.#connection(), question);
  }
}

module.exports = { Client };
