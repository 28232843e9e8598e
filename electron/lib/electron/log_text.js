"use strict";
// What 'show log' shows: the runtime's own words, and the logs of the services that are not ready.

const { sentence } = require("../process");

const LINES = 200;

/** @param {import("../runtime").Runtime | undefined} runtime */
async function logText(runtime) {
  if (!runtime) return "";
  const parts = [runtime.recentLog.map(sentence).join("\n")];
  try {
    const { waiting, failed } = await runtime.progress();
    for (const { id } of [...failed, ...waiting]) {
      const tail = await runtime.logTail(id, { lines: LINES });
      if (tail) parts.push(`${id}:\n${tail.trimEnd()}`);
    }
  } catch {
    // It does not answer: its own words are all there is.
  }
  return parts.join("\n\n");
}

module.exports = { logText };
