"use strict";
// The telemetry events as an async iterator that goes on where it was when its connection is lost.

const { setTimeout: after } = require("node:timers/promises");
const { ApiError, NotRunning } = require("./errors");
const { textOf } = require("./request");
const { SseParser } = require("./sse");
const { textChunks } = require("./text");

const AGAIN_AFTER_MS = 250;

/**
 * How many events are no longer kept, in the place where they would have come.
 *
 * @typedef {Object} Missed
 * @property {"missed"} event
 * @property {{count: number}} details
 * @property {undefined} [seq]
 * @property {undefined} [ts]
 * @property {undefined} [service_id]
 */

/**
 * `seq` counts on over the runs of an application.
 *
 * @typedef {import("./api").Event | Missed} TelemetryEvent
 */
/** @typedef {import("./request").Question} Question */

/**
 * @param {(question: Question) => Promise<import("node:http").IncomingMessage>} open throws
 *   NotRunning with the code `ended` once the runtime has ended for good
 * @param {number | "latest"} from
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<TelemetryEvent, void, void>}
 */
async function* events(open, from, signal) {
  for await (const { event, data } of messages(open, from, signal))
    if (event !== "progress") yield read(event, data);
}

/**
 * How far the start is, whenever that has changed: of now, without a number.
 *
 * @param {(question: Question) => Promise<import("node:http").IncomingMessage>} open as for `events`
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<import("./api").Progress, void, void>}
 */
async function* progressEvents(open, signal) {
  for await (const { event, data } of messages(open, "latest", signal))
    if (event === "progress") yield JSON.parse(data);
}

/**
 * @param {(question: Question) => Promise<import("node:http").IncomingMessage>} open
 * @param {number | "latest"} from
 * @param {AbortSignal} [signal]
 */
async function* messages(open, from, signal) {
  let last = from;
  while (!signal?.aborted) {
    try {
      if (last === "latest") last = await newest(open, signal);
      for await (const message of connection(open, last, signal)) {
        last = message.id ? Number(message.id) : last;
        yield message;
      }
    } catch (error) {
      if (isOver(error)) return;
      if (error instanceof ApiError && error.status < 500 && error.status !== 429) throw error;
    }
    await after(AGAIN_AFTER_MS, undefined, { signal }).catch(() => {});
  }
}

/**
 * @param {(question: Question) => Promise<import("node:http").IncomingMessage>} open
 * @param {number} last
 * @param {AbortSignal} [signal]
 */
async function* connection(open, last, signal) {
  const headers = { Accept: "text/event-stream" };
  const parser = new SseParser();
  const question = { path: "/events", query: { after: last }, headers };
  for await (const text of textChunks((until) => open({ ...question, signal: until }), signal)) {
    yield* parser.take(text);
  }
}

/**
 * The number of the newest event, by which a lost connection is made again where it was.
 *
 * @param {(question: Question) => Promise<import("node:http").IncomingMessage>} open
 * @param {AbortSignal} [signal]
 * @returns {Promise<number>}
 */
async function newest(open, signal) {
  const headers = { Accept: "application/json" };
  const answer = await open({ path: "/events", query: { after: "latest" }, headers, signal });
  const { events: come, next } = JSON.parse(await textOf(answer));
  return come.length ? come[0].seq - 1 : next;
}

/** @param {string} event @param {string} data @returns {TelemetryEvent} */
function read(event, data) {
  const content = JSON.parse(data);
  return event === "missed" ? { event, details: content } : content;
}

/** @param {unknown} error */
function isOver(error) {
  return error instanceof NotRunning && error.code === "ended";
}

module.exports = { events, progressEvents };
