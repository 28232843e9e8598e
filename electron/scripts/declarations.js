"use strict";
// npm runs it before it packs: types/ for both kinds of module, from the JSDoc of lib/. Nothing is
// packed whose types are wrong: all of tsconfig.json is checked on the way.

const { mkdirSync, rmSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const ts = require("typescript");

const ROOT = path.dirname(__dirname);
const LIB = path.join(ROOT, "lib");
const TYPES = path.join(ROOT, "types");
const EMIT = {
  noEmit: false,
  declaration: true,
  emitDeclarationOnly: true,
  rootDir: ROOT,
  outDir: TYPES,
};

/** tsconfig.json, as tsc reads it. */
function configuration() {
  /** @type {import("typescript").ParseConfigFileHost} */
  const host = {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(String(messageText));
    },
  };
  const read = ts.getParsedCommandLineOfConfigFile(path.join(ROOT, "tsconfig.json"), EMIT, host);
  if (!read) throw new Error("tsconfig.json cannot be read");
  return read;
}

/**
 * Everything that is wrong, but for how the declarations of what is not packed would look.
 *
 * @param {import("typescript").Program} program
 * @param {import("typescript").SourceFile[]} files
 */
function problems(program, files) {
  return [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...program.getSemanticDiagnostics(),
    ...files.flatMap((file) => program.getDeclarationDiagnostics(file)),
  ];
}

function main() {
  const { errors, fileNames, options } = configuration();
  const program = ts.createProgram(fileNames, options);
  const packed = program
    .getSourceFiles()
    .filter(({ fileName }) => path.resolve(fileName).startsWith(LIB + path.sep));
  const found = [...errors, ...problems(program, packed)];
  if (found.length) {
    const names = { getCurrentDirectory: () => ROOT, getNewLine: () => "\n" };
    console.error(ts.formatDiagnostics(found, { ...names, getCanonicalFileName: String }));
    process.exitCode = 1;
    return;
  }
  rmSync(TYPES, { recursive: true, force: true });
  for (const file of packed) {
    program.emit(file, (name, text) => {
      const target = path.join(TYPES, path.relative(path.join(TYPES, "lib"), name));
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, text);
    });
  }
  for (const folder of ["", "electron"]) {
    writeFileSync(path.join(TYPES, folder, "index.d.mts"), 'export * from "./index.js";\n');
  }
}

main();
