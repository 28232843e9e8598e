"use strict";
// A shell that stops its runtime while that is about to be started anew: node stopped_in_pause.js
// MANIFEST COMMAND. The command says that it listens, and ends.

const { prepare } = require("../../lib");

const [manifest, command] = process.argv.slice(2);
const runtime = prepare({ manifest, command, restart: { backoffMs: 3_600_000 } });
let ends = 0;
runtime.on("restarting", () => {
  if (++ends === 2) setImmediate(() => runtime.stop()); // the first pause is none
});
runtime.begin();
