"use strict";
// node check_types.js TYPESCRIPT FOLDER: the types of a project and of what it has installed, as tsc
// without skipLibCheck finds them; but those of TypeScript, Node and Electron are not checked anew.
// Prints what is wrong, and the names of the files that were checked.

const path = require("node:path");

const [typescript, folder] = process.argv.slice(2);
const ts = require(typescript);
const config = ts.getParsedCommandLineOfConfigFile(
  path.join(folder, "tsconfig.json"),
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(String(messageText));
    },
  },
);
const program = ts.createProgram(config.fileNames, config.options);
const own = program
  .getSourceFiles()
  .filter(({ fileName }) => !fileName.includes("/electron/node_modules/"));
const found = [
  ...config.errors,
  ...program.getOptionsDiagnostics(),
  ...program.getGlobalDiagnostics(),
  ...own.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]),
];
process.stdout.write(
  ts.formatDiagnostics(found, {
    ...ts.sys,
    getNewLine: () => "\n",
    getCanonicalFileName: (name) => name,
  }),
);
for (const { fileName } of own) console.log(fileName);
process.exitCode = found.length ? 1 : 0;
