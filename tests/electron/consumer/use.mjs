import { start } from "bundlevisor";

const [manifest, appData] = process.argv.slice(2);
const runtime = await start({ manifest, appData, args: ["--dry-run"] });
const { app_name: app } = await runtime.status();
const { code } = await runtime.stop();
console.log(JSON.stringify({ app, code }));
