"use strict";
// A shell whose listeners throw: node throwing_listeners.js MANIFEST APP_DATA COMMAND. Writes what
// became of it, as JSON.

const { prepare } = require("../../lib");

const [manifest, appData, command] = process.argv.slice(2);
const thrown = [];
const told = [];
process.on("uncaughtException", (error) => thrown.push(error.message));

async function main() {
  const runtime = prepare({ manifest, appData, command });
  for (const event of ["listening", "ended"]) {
    runtime.on(event, () => {
      throw new Error(`${event} of mine`);
    });
    runtime.on(event, () => told.push(event));
  }
  const begun = await runtime.begin().then(
    () => "begun",
    (error) => error.message,
  );
  const ended = await runtime.stop();
  process.stdout.write(JSON.stringify({ begun, told, thrown, ended }), () => process.exit());
}

main();
