"use strict";
// Sends the telemetry events to the manifest's upload_url, if there is one and the user agreed.

const { readFile, rename, writeFile } = require("node:fs/promises");
const { checkOptions } = require("./options");

const OPTIONS = { agreed: "call", stateFile: "text", fetch: "call", redact: "call" };
const NEEDED = ["agreed", "stateFile"];
const BATCH = 500;
const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Details that are lines of a service's log, or sentences that quote one. */
const QUOTING = new Set(["last_lines", "output", "reason", "error"]);

/** @typedef {import("./api").Event} TelemetryEvent */

/**
 * @typedef {Object} UploadOptions
 * @property {() => boolean | undefined | Promise<boolean | undefined>} agreed whether the user
 *   agreed; undefined: he has not been asked yet. It is asked before each batch. What happens from
 *   one call in which he does not agree to the next in which he does is never sent: call when he has
 *   changed his mind, either way.
 * @property {string} stateFile where the number of the last event that was sent is kept, and
 *   whether the user refused
 * @property {typeof fetch} [fetch] default: Node's; Electron's `net.fetch` goes by the user's proxy
 * @property {(event: TelemetryEvent) => TelemetryEvent | null | undefined} [redact] what is sent of
 *   an event, or nothing; default: all but the details of a service's event in which lines of its
 *   log may stand
 */

/** @typedef {{sent: number, skipped: number}} Uploaded */

/** `refused`: the user did not agree when he was asked last. */
/** @typedef {{after: number, refused: boolean}} State */

/**
 * Sends what has not been sent, as lines of JSON (`application/x-ndjson`), in batches. Rejects when
 * the server does not take it: then the next call begins there again; with InvalidOption for an
 * option that there is not, that has a wrong type, or that is missing.
 *
 * @param {import("./client").Client} runtime
 * @param {UploadOptions} given
 * @returns {Promise<Uploaded>}
 */
async function uploadTelemetry(runtime, given) {
  const options = checkOptions("uploadTelemetry()", given, OPTIONS, NEEDED);
  const { agreed, stateFile, redact = withoutLogLines } = options;
  const done = { sent: 0, skipped: 0 };
  const { upload_url: url } = await runtime.telemetry();
  if (!url) return done;
  requireSafe(url);
  for (let { after, refused } = await beginning(runtime, stateFile); ;) {
    const consent = await agreed();
    if (consent === undefined) return done;
    const { events, next } = await runtime.eventPage({ after, limit: BATCH });
    if (events.length === 0) {
      if (refused === consent) await (await written(stateFile, { after, refused: !consent }))();
      return done;
    }
    refused ||= !consent; // until all is passed over that has happened so far
    const wanted = refused ? [] : events.map(redact).filter((event) => !!event);
    const keepIt = await written(stateFile, { after: next, refused });
    if (wanted.length) await send(url, wanted, options.fetch ?? fetch);
    await keepIt();
    after = next;
    done.sent += wanted.length;
    done.skipped += events.length - wanted.length;
  }
}

/** @param {string} url @param {TelemetryEvent[]} events @param {typeof fetch} post */
async function send(url, events, post) {
  const answer = await post(url, {
    method: "POST",
    headers: { "Content-Type": "application/x-ndjson" },
    body: events.map((event) => `${JSON.stringify(event)}\n`).join(""),
    redirect: "error",
    credentials: "omit",
    signal: AbortSignal.timeout(30_000),
  });
  await answer.arrayBuffer(); // so that the connection is let go
  if (!answer.ok) throw new Error(`The telemetry was not taken: ${url} answered ${answer.status}.`);
}

/** @param {TelemetryEvent} event @returns {TelemetryEvent} */
function withoutLogLines({ details, ...event }) {
  if (!details) return event;
  const told = Object.entries(details).filter(([name]) => !event.service_id || !QUOTING.has(name));
  return { ...event, details: Object.fromEntries(told) };
}

/** @param {string} url */
function requireSafe(url) {
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:" || (protocol === "http:" && LOOPBACK.has(hostname))) return;
  throw new Error(`The telemetry is not sent to ${url}: only https is safe.`);
}

/**
 * Where to go on: at the first event when the last one that was sent is none of this app-data, whose
 * numbers began anew.
 *
 * @param {import("./client").Client} runtime
 * @param {string} file
 * @returns {Promise<State>}
 */
async function beginning(runtime, file) {
  const { after, refused } = await kept(file);
  if (after === 0) return { after, refused };
  const { events } = await runtime.eventPage({ after: after - 1, limit: 1 });
  return { after: events.length ? after : 0, refused };
}

/** @param {string} file @returns {Promise<State>} */
async function kept(file) {
  try {
    const { after, refused } = JSON.parse(await readFile(file, "utf8"));
    const number = Number.isSafeInteger(after) ? Math.max(after, 0) : 0;
    return { after: number, refused: refused === true };
  } catch {
    return { after: 0, refused: false };
  }
}

/**
 * Resolves to what keeps the state, and needs no room for it: where a full disk has none, nothing is
 * sent that would be sent again and again.
 *
 * @param {string} file
 * @param {State} state
 */
async function written(file, state) {
  await writeFile(`${file}.new`, JSON.stringify(state));
  return () => rename(`${file}.new`, file);
}

module.exports = { uploadTelemetry };
