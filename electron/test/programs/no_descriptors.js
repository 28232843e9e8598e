"use strict";
// A shell that has no descriptor left when it starts its runtime: node no_descriptors.js MANIFEST

const { openSync, closeSync } = require("node:fs");
const { start } = require("../../lib");

const FEW = 1; // not enough for the pipes of a process
const held = [];
try {
  for (;;) held.push(openSync(__filename));
} catch (error) {
  if (error.code !== "EMFILE") throw error;
}
for (const descriptor of held.splice(-FEW)) closeSync(descriptor);

const [manifest] = process.argv.slice(2);
start({ manifest, command: process.execPath }).catch((error) => {
  for (const descriptor of held) closeSync(descriptor);
  process.stdout.write(String(error));
});
