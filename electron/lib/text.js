"use strict";
// A streamed answer as pieces of text.

const { isLost } = require("./request");

/**
 * @param {(signal: AbortSignal) => Promise<import("node:http").IncomingMessage>} open
 * @param {AbortSignal} [signal] ends it, without an error
 * @returns {AsyncGenerator<string, void, void>}
 */
async function* textChunks(open, signal) {
  const over = new AbortController();
  const until = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  try {
    const answer = await open(until);
    answer.setEncoding("utf8");
    for await (const chunk of answer) yield chunk;
  } catch (error) {
    if (!signal?.aborted && !isLost(error)) throw error;
  } finally {
    over.abort(); // also when nobody iterates any longer: the connection is let go
  }
}

/**
 * A line that a service wrote.
 *
 * @typedef {Object} LogLine
 * @property {string} service
 * @property {string} time RFC 3339, UTC, milliseconds
 * @property {string} line
 */

/**
 * The same with a JSON value on each line.
 *
 * @param {(signal: AbortSignal) => Promise<import("node:http").IncomingMessage>} open
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<LogLine, void, void>}
 */
async function* jsonLines(open, signal) {
  let rest = "";
  for await (const text of textChunks(open, signal)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}

module.exports = { jsonLines, textChunks };
