"use strict";
// The lines of a stream, as they come. The stream is read on in any case: a full pipe would hold
// the process up that writes to it.

const { StringDecoder } = require("node:string_decoder");

const LONGEST = 64 * 1024; // characters; what is longer is cut there, never awaited

/**
 * Calls `take` with each line, without its end. A last line without an end counts.
 *
 * @param {NodeJS.ReadableStream | undefined} stream
 * @param {(line: string) => void} take
 */
function eachLine(stream, take) {
  if (!stream) return;
  const decoder = new StringDecoder("utf8");
  let rest = "";
  stream.on("data", (/** @type {Buffer} */ chunk) => {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = (lines.pop() ?? "").slice(0, LONGEST);
    for (const line of lines) take(line.slice(0, LONGEST).replace(/\r$/, ""));
  });
  stream.on("end", () => {
    if (rest) take(rest);
  });
  stream.on("error", () => {}); // the process is gone: its end is reported by itself
}

module.exports = { eachLine };
