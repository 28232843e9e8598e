"use strict";
// A block of ports that no other process of the tests is given: the kit's way (bundlevisor.testing.ports).

const { createSocket } = require("node:dgram");
const { once } = require("node:events");

const LOWEST = 10000;
const HIGHEST = 30000;
/** Blocks begin and end at multiples of it; who holds the UDP port of this number has the block. */
const GRAIN = 40;
/** The only port between them that browsers refuse (ERR_UNSAFE_PORT). */
const UNSAFE = 10080;

/** @type {import("node:dgram").Socket[]} */
const held = [];

/** Resolves to the range of a block that is this process's own until `release`. */
async function reserved() {
  const blocks = (HIGHEST - LOWEST) / GRAIN;
  const first = (process.pid * 37) % blocks;
  for (let n = 0; n < blocks; n += 1) {
    const min = LOWEST + ((first + n) % blocks) * GRAIN;
    const max = min + GRAIN - 1;
    if ((UNSAFE < min || UNSAFE > max) && (await mark(min))) return { min, max };
  }
  throw new Error(`no block of ports is free between ${LOWEST} and ${HIGHEST}`);
}

/** Whether nobody else has had the block that begins here; from now on nobody else does. */
async function mark(port) {
  const socket = createSocket("udp4");
  socket.bind({ port, address: "127.0.0.1", exclusive: true });
  try {
    await once(socket, "listening");
  } catch {
    socket.close();
    return false;
  }
  held.push(socket.unref());
  return true;
}

/** Lets others have what was reserved. */
function release() {
  for (const socket of held.splice(0)) socket.close();
}

module.exports = { release, reserved };
