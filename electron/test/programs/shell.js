"use strict";
// A shell that starts a bundle of one service `a` and lives on: node shell.js MANIFEST APP_DATA
// COMMAND

const { start } = require("../../lib");

const [manifest, appData, command] = process.argv.slice(2);

async function main() {
  const runtime = await start({ manifest, appData, command });
  await runtime.waitUntilReady();
  const { details } = await runtime.readiness();
  process.send([runtime.pid, details.a.pid]);
}

main();
