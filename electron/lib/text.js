"use strict";
// A streamed answer as pieces of text.

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
    if (!signal?.aborted && !isCut(error)) throw error;
  } finally {
    over.abort(); // also when nobody iterates any longer: the connection is let go
  }
}

/** Whether the other side ended while it was speaking. @param {unknown} error */
function isCut(error) {
  return error instanceof Error && "code" in error && error.code === "ECONNRESET";
}

module.exports = { isCut, textChunks };
