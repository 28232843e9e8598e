"use strict";
// Drives electron/runtime.js as main.js does: node electron_drive.js RUNTIME_JS TASK GRACE_MS COMMAND...
// Prints one JSON line: what was shown, the page, how the runtime ended. TASK `stay` only starts it.

const [runtimeJs, task, grace, command, ...args] = process.argv.slice(2);
const { start } = require(runtimeJs);

async function main() {
  const runtime = await start(command, args);
  if (task === "stay") {
    console.log(JSON.stringify({ pid: runtime.address.pid }));
    return runtime.ended;
  }
  const shown = [];
  await runtime.waitUntilReady((sentences) => shown.push(sentences));
  const page = await runtime.pageUrl("web");
  const missing = await runtime.pageUrl("nobody").catch((error) => error.message);
  const ended = await runtime.stop(Number(grace));
  console.log(JSON.stringify({ shown, page, missing, ended }));
}

main().catch((error) => {
  console.log(JSON.stringify({ error: error.message }));
  process.exitCode = 1;
});
