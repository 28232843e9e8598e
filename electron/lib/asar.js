"use strict";
// Electron's archive: its files can be read by Electron alone, not be run, and not be read by the
// runtime or its services. What is unpacked stands beside the archive, under another name.

const { existsSync } = require("node:fs");
const path = require("node:path");
const { NotFound } = require("./errors");

const ARCHIVE = /\.asar(?=[\\/])/;

/**
 * The same file outside of `app.asar`: as it is when it is not in an archive, otherwise its
 * unpacked copy. Throws NotFound, which says what to do, when there is none.
 *
 * @param {string} file
 */
function outsideAsar(file) {
  if (!ARCHIVE.test(file)) return file;
  const unpacked = file.replace(ARCHIVE, ".asar.unpacked");
  if (existsSync(unpacked)) return unpacked;
  throw new NotFound(
    `${file} is inside of the application's archive, where no other program can read it. ` +
      `Ship the folder ${path.dirname(file)} as an extra resource, or unpack it (asarUnpack).`,
    [file, unpacked],
  );
}

module.exports = { outsideAsar };
